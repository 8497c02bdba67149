/*
 * What went wrong, as a value.  It is filled in where the cause is known and
 * passed up unchanged; functions that can fail return bool and take a struct
 * failure *, so that a(..., why) && b(..., why) is the story.
 */
#ifndef FAILURE_H
#define FAILURE_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

/*
 * Kinds are what the user or the program does differently; the sysexits value
 * of each stands in failure.c and nowhere else.
 */
enum failure_kind {
	FAILURE_NONE,
	FAILURE_USAGE,			/* the command line */
	FAILURE_MESSAGE,		/* the message cannot be sent as it is */
	FAILURE_ADDRESS,		/* an address cannot be understood */
	FAILURE_NOINPUT,		/* standard input was closed */
	FAILURE_INPUT,			/* reading or spooling failed */
	FAILURE_NOUSER,			/* RCPT refused with 5.1.x */
	FAILURE_DATA,			/* the server refused the content */
	FAILURE_RESOLVE_NONE,		/* the host name does not exist */
	FAILURE_REFUSED,		/* any other 5yz */
	FAILURE_TLS_MISSING,
	FAILURE_REQUIRETLS,		/* RFC 8689 */
	FAILURE_EXTENSION,		/* the server lacks one that must be */
	FAILURE_NO_MECHANISM,
	FAILURE_LOCAL,			/* memory, operating system */
	FAILURE_KEEP,			/* a message could not be kept */
	FAILURE_DEFERRED,		/* a 4yz */
	FAILURE_RESOLVE_TEMPORARY,
	FAILURE_TOKEN,			/* what gives tokens has none for now */
	FAILURE_CONNECT,
	FAILURE_LOST,
	FAILURE_TIMEOUT,
	FAILURE_INTERRUPTED,		/* a signal asked us to end */
	FAILURE_TLS_UNTRUSTED,
	FAILURE_UNKNOWN,		/* data sent, its answer not heard */
	FAILURE_PROTOCOL,		/* the server makes no sense */
	FAILURE_AUTH,			/* the server refused the login */
	FAILURE_PERMISSION,
	FAILURE_BARRED,			/* the account is not for this user */
	FAILURE_CONFIG,
};

struct failure {
	enum failure_kind kind;
	int reply;			/* the server's code, or 0 */
	bool of_mail;			/* to MAIL, RCPT or the data, and it is a
					   verdict on them */
	size_t said;			/* where in text its own words begin; 0:
					   it has said nothing */
	char enhanced[12];		/* RFC 3463, or "" */
	const char *tls_result;		/* RFC 8460 section 4.3, or NULL */
	char text[1200];		/* one line, printable UTF-8 */
};

/*
 * Fills *why and returns false.  The text is made printable: control
 * characters, C1 and octets that are not UTF-8 become \xHH, a long text ends
 * in "...".
 */
bool	fail(struct failure *why, enum failure_kind, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* As fail(), with ": " and the meaning of errno behind the text. */
bool	fail_errno(struct failure *why, enum failure_kind, const char *fmt,
	    ...) __attribute__((format(printf, 3, 4)));

/* Behind its text, what could be done: printable, as " (is it switched on?)". */
void	fail_more(struct failure *why, const char *hint);

/*
 * A copy for each of ten thousand recipients: it ends behind its text, so it
 * is read, and never copied as a struct but by failure_copy().
 */
const struct failure *failure_keep(const struct failure *, struct pool *);
void	failure_copy(struct failure *, const struct failure *kept);

/* The sysexits value of a kind; EX_OK for FAILURE_NONE. */
int	failure_status(enum failure_kind);

/* May the same submission succeed later, with nothing changed on our side? */
bool	failure_is_temporary(enum failure_kind);

/* A word for logs and JSON: "timeout", "tls-untrusted". */
const char *failure_word(enum failure_kind);

/*
 * Copies text into out (size octets, always terminated) as one printable
 * line, as fail() does.  Returns false when it had to be cut.
 */
bool	printable(char *out, size_t size, const char *text, size_t len);

#endif
