/*
 * A server's chain of certificates, written down for people.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include <gnutls/gnutls.h>
#include <stddef.h>
#include <time.h>

#include "crypto.h"
#include "pool.h"

enum { CHAIN_LINKS_MAX = 10 };

struct chain_link {
	const char *subject, *issuer;	/* distinguished names */
	const char *names;		/* "a, b, and 3 more" */
	const char *key;		/* "RSA, 2048 bits" */
	time_t from, until;
	char pin[CRYPTO_SHA256_HEX + 1];	/* of the public key, as "pin"
					   and TLSA 3 1 1 have it */
	char fingerprint[CRYPTO_SHA256_HEX + 1];	/* of the whole */
};

struct chain {
	struct chain_link links[CHAIN_LINKS_MAX];	/* leaf first */
	size_t n;
	size_t sent;			/* by the server */
};

/* What the session's peer has sent, in the pool; never NULL. */
const struct chain *chain_of(gnutls_session_t, struct pool *);

/* Whole days until then, below 0 when it is over. */
long	chain_days(time_t until);

#endif
