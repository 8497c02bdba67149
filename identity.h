/*
 * Who we are in TLS: a client certificate and its key, of files or a token; or
 * a bare Ed25519 key, to which a certificate is made that says nothing but the
 * key, for a server that knows the key.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "crypto.h"
#include "failure.h"
#include "pool.h"

/* No certificate and no seed: we are nobody. */
struct identity {
	const char *certificate;	/* PEM or pkcs11: URI, or NULL */
	const char *key;		/* NULL: in the file of certificate */
	const char *pin;		/* of the token that it is in, or NULL */
	const char *seed;		/* as identity_is_seed() has it, or NULL;
					   it goes before certificate */
};

/* What its owner may show; the strings live in the pool. */
struct identity_facts {
	const char *pem;		/* the certificate */
	char pin[CRYPTO_SHA256_HEX + 1];	/* as "pin" has the public key */
};

/*
 * Is it a private key of RFC 8032 section 5.1.5, 32 octets in base64 or
 * base64url (RFC 4648), with its padding or without?
 */
bool	identity_is_seed(const char *text);

/*
 * Makes the credentials prove it.  The pin must outlive them.  A file that
 * cannot be used, or a key that does not fit, is FAILURE_CONFIG; no secret is
 * in the text.  Of the seed there is a copy in the credentials, and none
 * elsewhere.
 */
bool	identity_load(gnutls_certificate_credentials_t,
	    const struct identity *, struct pool *, struct failure *why);

/* Wipes them again, once the handshake is over. */
void	identity_unload(gnutls_certificate_credentials_t,
	    const struct identity *);

/*
 * The certificate of an identity that has one, without asking a token:
 * FAILURE_CONFIG for a pkcs11: URI.  Of a seed it is the same octets each time.
 */
bool	identity_describe(const struct identity *, struct identity_facts *,
	    struct pool *, struct failure *why);

/* "certificate FILE", "certificate of client-key-ed25519"; NULL: of nobody. */
const char *identity_name(const struct identity *, struct pool *);

#endif
