/*
 * The log (syslog, a file, or none) and the trace that -v shows on standard
 * error.  Both take text from anywhere: it is made printable here.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

/*
 * Where lines go from now on: "syslog" (facility mail), "none", or the name
 * of a file, which is appended to under a lock, made with mode 0600.  Lines
 * noted before are written first.  A file that cannot be opened is replaced
 * by syslog, with a warning: a log never stops mail; a line that does not fit
 * into the file goes there, too.  level is the word for the
 * least that is written ("error", "warning", "info", "debug"; NULL: info),
 * tag what syslog shows as the program (NULL: sendoff).
 */
void	log_open(const char *where, bool json, const char *level,
	    const char *tag);
void	log_close(void);

/* Is it a file?  Then it is made, when there is none. */
bool	log_prepare(const char *where);

/* A message for the administrator: a notice, a warning, a step. */
void	log_note(enum log_level, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* One line as it is: the result of a run, in logfmt or JSON already. */
void	log_line(enum log_level, const char *line);

/* Do lines of the log have the form of JSON? */
bool	log_is_json(void);

/*
 * The trace: 0 nothing, 1 the dialogue, 2 also notes about TLS and names.
 * log_trace() writes one line, "S: 220 hello", in the form of a transcript
 * (HACKING.md, "Tests are conversations").
 */
void	log_trace_level(int level);

/*
 * What else is in it, unless the level is 0: logins, as far as they are no
 * secret, and the data.  No level implies them.
 */
void	log_trace_also(bool logins, bool data);
bool	log_traces_logins(void);
bool	log_traces_data(void);

/* Called before a line goes to standard error; NULL: nothing is there. */
void	log_cover(void (*hide)(void *), void *context);
void	log_trace(char who, const char *text, size_t len);

/* As a comment in the transcript, at trace level 2. */
void	log_detail(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

#endif
