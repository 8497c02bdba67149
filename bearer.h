/*
 * A login by a token instead of a password: OAUTHBEARER (RFC 7628), and
 * XOAUTH2, which Google made before it and Microsoft has too.  One message, and
 * where it is refused an error in JSON, which is answered before the verdict
 * comes.  Pure.
 */
#ifndef BEARER_H
#define BEARER_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

/* Octets; the token is not terminated. */
struct bearer_login {
	const char *user;		/* "": the token says who it is */
	const char *token;
	size_t token_len;
	const char *host, *port;	/* of the server, or NULL */
};

/*
 * May this be a token?  Printable ASCII without a blank (RFC 6750 section 2.1
 * allows less), quotes, braces or a backslash, so that nothing is added to the
 * message and the answer of a web service is not taken for one.
 */
bool	bearer_is_token(const char *text, size_t len);

/* The message (not yet base64), appended; what it is of has no NUL or ^A. */
void	bearer_oauthbearer(const struct bearer_login *, struct buffer *message);
void	bearer_xoauth2(const struct bearer_login *, struct buffer *message);

/* Printable, cut where they are longer; "" what the server has not said. */
struct bearer_refusal {
	char status[64];		/* "invalid_token", or as HTTP: "401" */
	char scope[200];		/* that the token must be for */
	char schemes[64];
	char configuration[200];	/* URL, of RFC 8414 */
};

/*
 * The server's error: one JSON object of at most 4096 octets whose values are
 * strings, numbers, true, false or null, none of the above twice (RFC 7628
 * section 3.2.2).  False, and nothing in it, for anything else.
 */
bool	bearer_read(const char *json, size_t len, struct bearer_refusal *);

/* What it means, in words for a person, appended; no end of its own. */
void	bearer_tell(const struct bearer_refusal *, struct buffer *text);

#endif
