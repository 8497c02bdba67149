/*
 * One login, challenge by challenge, and the order of mechanisms.  Binding
 * data go to -PLUS alone, and a success of the server counts only when the
 * mechanism has seen its end.
 */
#ifndef SASL_H
#define SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "failure.h"
#include "gloss.h"
#include "pool.h"

/* What a login may be, decided before the connection is made. */
struct sasl_policy {
	const char *allowed;		/* words in order, or NULL: our order */
	const char *minimum;		/* nothing weaker in our order, or NULL */
	bool has_password;
	bool has_certificate;		/* for EXTERNAL */
	bool has_token;			/* and then no password */
};

/* What the connection offers. */
struct sasl_channel {
	bool tls;			/* verified, or on a loopback */
	const char *binding;		/* "tls-exporter", "tls-unique", or NULL */
	const unsigned char *data;	/* of the binding */
	size_t data_len;
	bool offers_plus;		/* some SCRAM that can be bound */
	const char *host, *port;	/* of the server, for OAUTHBEARER; or
					   NULL */
	const char *anonymous;		/* why our certificate did not count,
					   a constant; NULL: it may */
};

/* Is it a mechanism of ours?  (Upper case.) */
bool	sasl_knows(const char *mechanism);

/*
 * The mechanism to use: the first of the policy's order that the server
 * offers and the channel can carry; NULL and FAILURE_NO_MECHANISM, with both
 * lists in the text, when there is none.  offered: upper case, one blank
 * between.
 */
const char *sasl_choose(const struct sasl_policy *,
	    const struct sasl_channel *, const char *offered,
	    struct failure *why);

/*
 * Is it (or NULL) one for what the policy has: a token, or else a password?
 * EXTERNAL is for neither.
 */
bool	sasl_is_for(const struct sasl_policy *, const char *mechanism);

/*
 * Why the mechanism, which is offered, cannot be used: a constant text, or
 * NULL when it can.
 */
const char *sasl_why_not(const struct sasl_policy *,
	    const struct sasl_channel *, const char *mechanism);

/* Is there a SCRAM with -PLUS among those offered, of ours or not? */
bool	sasl_offers_plus(const char *offered);

/*
 * The strongest of those offered that are for what the policy has, whatever
 * else it says.  NULL: none that we know.
 */
const char *sasl_strongest(const struct sasl_policy *, const char *offered);

/* Does a (or NULL) come after b in our order? */
bool	sasl_is_weaker(const char *a, const char *b);

/*
 * A password as it is and as SASLprep has it (prepare.h), or a token, which is
 * the same both ways; not terminated.
 */
struct sasl_words {
	const char *password;
	size_t password_len;
	const char *prepared;
	size_t prepared_len;
};

struct sasl;

/* Begins one of ours.  What is pointed to outlives the login, uncopied. */
struct sasl *sasl_begin(const char *mechanism, const char *user,
	    const struct sasl_words *, const struct sasl_channel *);
void	sasl_end(struct sasl *);			/* takes NULL */

/* Has the mechanism something to say first (RFC 4954: initial response)? */
bool	sasl_speaks_first(const struct sasl *);

/*
 * Answers a challenge (base64; for the initial response of length 0).  The
 * response, base64, is put into *response (BUFFER_SECRET), which the caller
 * wipes; it may be empty.  False, with FAILURE_AUTH, FAILURE_PROTOCOL or
 * FAILURE_LOCAL, is to be answered with "*" (RFC 4954 section 4).
 */
bool	sasl_step(struct sasl *, const char *challenge, size_t len,
	    struct buffer *response, struct failure *why);

/*
 * The last answer before it was base64, of which decoding would leave copies;
 * until the next step or the end.
 */
struct gloss sasl_answer(const struct sasl *);

/*
 * Why the server does not want the token, its own words among ours, once it has
 * said that with a challenge, to which the response is no secret; NULL: it has
 * not.
 */
const char *sasl_reason(const struct sasl *);

/*
 * May a 235 be believed now?  Not while the server has not proven (SCRAM)
 * that it knows the password, nor when it has refused the token: then false,
 * with FAILURE_AUTH.
 */
bool	sasl_is_complete(const struct sasl *, struct failure *why);

/* For the trace: "iterations 4096", or "". */
const char *sasl_detail(const struct sasl *);

#endif
