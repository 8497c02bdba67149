/*
 * A sendoff.conf in the making, from another program's configuration: accounts
 * with their settings, and comments on what has no counterpart.  What is
 * written down is always what config.h understands: a value that it would not
 * take becomes a comment.  Pure.
 */
#ifndef DRAFT_H
#define DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "pool.h"
#include "settings.h"

enum draft_tls {
	DRAFT_PLAIN,			/* no TLS */
	DRAFT_OFFERED,			/* STARTTLS, if it is offered */
	DRAFT_STARTTLS,
	DRAFT_IMPLICIT
};

struct draft_server {
	const char *host;		/* "[address]" as well; NULL: */
	const char *path;		/* of a unix socket */
	const char *port;
	bool lmtp;
	enum draft_tls tls;
	bool unchecked;			/* its certificate was not looked at */
	const char *file;		/* where it is named */
	size_t line;
};

struct draft_notes {
	const char **text;
	size_t n;
};

struct draft_account {
	const char *name;
	const char *values[SETTINGS];	/* judged; SET_SERVER: see servers */
	struct draft_server *servers;
	size_t nservers;
	struct draft_notes notes;
};

/*
 * A file that the first one names or stands beside, with a NUL behind it,
 * which is not counted; false with errno.
 */
typedef bool draft_open(void *context, const char *name, struct buffer *text);

struct draft {
	struct pool *pool;
	const char *program;		/* whose configuration it is */
	const char *file;		/* where the reader is; line 0: the */
	size_t line;			/* file as a whole */
	const char *home;		/* for "~"; or NULL */
	draft_open *open;
	void *context;
	struct draft_account **accounts;
	size_t n;
	struct draft_notes notes;	/* of no account */
	bool unchecked;			/* some certificate was not looked at */
	const char **errors;		/* "file:line: what" */
	size_t nerrors;
};

/* Their name; our setting, or SETTINGS and why there is none, or neither. */
struct draft_row {
	const char *name;
	enum setting setting;
	const char *why;
};

struct draft_rows {
	const struct draft_row *row;
	size_t n;
	bool any_case;			/* names are the same in either */
};

/* What stood behind a name, and where; text NULL: nothing did. */
struct draft_taken {
	const char *text;
	const char *file;
	size_t line;
};

enum { DRAFT_ACCOUNTS_MAX = 500, DRAFT_NOTES_MAX = 500 };

/* A new account, the last; the name is made one that is not there yet. */
struct draft_account *draft_account(struct draft *, const char *name);

/* Moves it to the front: it is the one that is used when none is meant. */
void	draft_first(struct draft *, const struct draft_account *);

/* Sets what has a value; one that is not to be taken becomes a comment. */
void	draft_set(struct draft *, struct draft_account *, enum setting,
	    const char *value);

/* A server behind those that are there. */
struct draft_server *draft_server(struct draft *, struct draft_account *);

/* "host", "host:port", "host port", "[address]:port"; by default that port. */
void	draft_host(struct draft *, struct draft_server *, const char *text,
	    const char *port);

/* A port by its number, of which programs know the service's name, too. */
const char *draft_port(const char *);

/* A comment with file and line; account NULL: of the whole.  None twice. */
void	draft_note(struct draft *, struct draft_account *, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* What is damaged, with file and line. */
void	draft_error(struct draft *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Was anything taken? */
bool	draft_took_any(const struct draft_rows *, const struct draft_taken *);

/* The row of that name, or n. */
size_t	draft_find(const struct draft_rows *, const char *name);

/*
 * Notes what stands behind a name, here, in the row of that name: taken is
 * parallel to the rows, value NULL is "".  A name that no row has is a comment.
 */
void	draft_take(struct draft *, const struct draft_rows *,
	    struct draft_taken *, const char *name, const char *value);

/* Comments on a name that no row has. */
void	draft_unknown(struct draft *, struct draft_account *, const char *name);

/* Does what the rows say for all that was taken, in their order. */
void	draft_rows(struct draft *, struct draft_account *,
	    const struct draft_rows *, const struct draft_taken *);

/* Goes to where that was taken, for what is told next. */
void	draft_at(struct draft *, const struct draft_taken *);

/* What it says; NULL when it is empty, too. */
const char *draft_given(const struct draft_taken *);

/* Is it that word, in upper or lower case? */
bool	draft_is(const struct draft_taken *, const char *word);

/*
 * The next line, without its end and the blanks around it, and *text behind
 * it; NULL when there is none.  Counts the line.
 */
char	*draft_line(struct draft *, char **text);

/* The same for the next line that is neither empty nor a comment ("#"). */
char	*draft_statement(struct draft *, char **text);

/* The name of a file in the folder of the one where the reader is. */
const char *draft_sibling(const struct draft *, const char *name);

/* The text without the blanks around it; changed. */
char	*draft_trim(char *);

/* Ends the line behind its first word; what follows that. */
char	*draft_rest(char *line);

/*
 * The words of a line, with the quotation marks and backslashes of a shell; 0
 * and an error when one is never closed, or when there are more.
 */
size_t	draft_words(struct draft *, char *line, char **words, size_t most);

/* What else there is to read: *text is the pool's; false: a comment or none */
bool	draft_beside(struct draft *, const char *name, bool must, char **text);

/* The first line of such a file, as of draft_line(); NULL: there is none. */
const char *draft_first_line(struct draft *, const char *name, bool must);

/*
 * Login names that programs know, upper or lower case, in our words: false
 * when there is none here.
 */
bool	draft_mechanism(const char *theirs, const char **ours);

/* Sets "auth" to theirs, or says with a comment that it is none: what, that. */
void	draft_auth(struct draft *, struct draft_account *, const char *theirs,
	    const char *what);

/* Does the login by that name take a token, where others have a password? */
bool	draft_is_token(const struct draft_taken *auth);

/* Sets the password, or says with a comment how a token is got. */
void	draft_password(struct draft *, struct draft_account *,
	    const struct draft_taken *auth, const char *password);

/* A comment on the digest of a certificate, where one was taken. */
void	draft_digest(struct draft *, struct draft_account *,
	    const struct draft_taken *, const char *name);

#endif
