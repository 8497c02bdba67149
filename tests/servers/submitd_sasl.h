/*
 * The server's side of one login: by libgsasl, where it can, and by hand for
 * the two with tokens, where the token is the user's password.
 */
#ifndef SUBMITD_SASL_H
#define SUBMITD_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "submitd_options.h"

struct sasl;

/* What the connection contributes. */
struct sasl_channel {
	const struct options *options;
	const char *identity;		/* of the client certificate, or NULL */
	const char *binding;		/* in base64, or NULL */
	bool is_exporter;		/* ... of this type */
	bool offers_plus;		/* some -PLUS was announced */
};

enum sasl_result {
	SASL_MORE,		/* send out, await a response */
	SASL_DONE,		/* authenticated; out goes before the verdict */
	SASL_REFUSED,
	SASL_MALFORMED,
};

bool	sasl_is_known(const char *mechanism);

/* Can we do it, on this channel? */
bool	sasl_can(const char *mechanism, const struct sasl_channel *channel);

/* All names that are known, with blanks between them. */
const char *sasl_all(void);

/* The channel stays the caller's and must live as long.  NULL: failed. */
struct sasl *sasl_begin(const char *mechanism,
	    const struct sasl_channel *channel);

/*
 * One response (NULL: there is none yet) and what there is to say to it:
 * *out, never NULL, is the caller's (free).
 */
enum sasl_result sasl_step(struct sasl *sasl, const char *in, size_t octets,
	    char **out, size_t *out_octets);

/* Does the first challenge come before any response has been looked at? */
bool	sasl_server_speaks_first(const struct sasl *sasl);

/* After SASL_DONE. */
const char *sasl_user(const struct sasl *sasl);

/* The name in capitals, from a table: it lives for ever. */
const char *sasl_mechanism(const struct sasl *sasl);

/* Takes NULL. */
void	sasl_end(struct sasl *sasl);

#endif
