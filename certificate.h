/*
 * What a certificate says of itself, and what speaks against it, in words.
 */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "crypto.h"
#include "pool.h"

/* Which server it should be for; any of the names will do. */
struct certificate_wanted {
	const char *names[3];		/* host names or an address */
	size_t nnames;
	const char *srv_id;		/* "_submissions.example.org" (RFC
					   4985), or NULL */
	const char *remedy;		/* when it is for another; NULL: the
					   usual advice */
};

struct objections {
	struct pool *pool;
	const char *text;		/* all of them, or NULL */
	const char *result;		/* RFC 8460 section 4.3, of the first */
};

/* Adds one. */
void	object(struct objections *, const char *result, const char *text);

/*
 * Puts the library's verdict (gnutls_certificate_status_t) into words and adds
 * its own on the name: only dNSName, iPAddress and SRVName count, not the
 * common name (RFC 9525).
 */
void	certificate_judge(gnutls_x509_crt_t, unsigned status,
	    const struct certificate_wanted *, struct objections *);

/* Does it carry the host name or address as dNSName or iPAddress? */
bool	certificate_is_for(gnutls_x509_crt_t, const char *name, struct pool *);

/*
 * Whose it is, or its issuer, as a distinguished name (RFC 4514); "" when it has
 * none, as certificates that name hosts alone.
 */
const char *certificate_of(gnutls_x509_crt_t, bool issuer, struct pool *);

/*
 * The SHA-256 of the key (SubjectPublicKeyInfo) of a certificate in DER, as
 * "pin" and TLSA 3 1 1 have it.  Of the key alone: what comes behind it in the
 * file or the message anyone can append.  False, and "", when there is none.
 */
bool	certificate_pin(const gnutls_datum_t *der,
	    char pin[CRYPTO_SHA256_HEX + 1]);

/* The names in it: "a, b, and 3 more". */
char	*certificate_names(gnutls_x509_crt_t, struct pool *);

#endif
