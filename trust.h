/*
 * Is this the server that was meant?  By its pins, and by DANE where the DNS
 * has authenticated records, else by PKIX.
 */
#ifndef TRUST_H
#define TRUST_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "certificate.h"
#include "failure.h"
#include "pool.h"

struct dane;

struct trust_params {
	struct certificate_wanted wanted;
	const char *ca_file;		/* PEM; NULL: the system's store;
					   "none": no authority counts */
	const char *crl_file;		/* PEM, or NULL */
	const char *pins;		/* as trust_pin() makes them, blanks
					   between; or NULL */
	const struct dane *dane;	/* NULL or empty: PKIX */
};

/*
 * The verdict on the session's peer: how it was verified ("pkix", "dane-ee",
 * "dane-ta", "pin"), or NULL.  With pins the key must be one of them in any
 * case.  For PKIX the chain must end in an authority, be within its dates, be
 * meant for servers, not be revoked, and bear one of the names.  When it is
 * not in order, *why is FAILURE_TLS_UNTRUSTED with all objections in one
 * sentence, and with the RFC 8460 result type of the first; a file that cannot
 * be used is FAILURE_CONFIG.  Of the files only those authorities are taken
 * into the credentials that the chain can end in.
 */
const char *trust_judge(gnutls_certificate_credentials_t, gnutls_session_t,
	    const struct trust_params *, struct pool *, struct failure *why);

/* The names in the peer's certificate, "a, b, and 3 more". */
char	*trust_names(gnutls_session_t, struct pool *);

/*
 * "sha256:HEX" (colons allowed), "sha256//BASE64", or either without the word,
 * made "sha256:hex".
 */
bool	trust_pin(const char *text, char **pin, struct pool *,
	    struct failure *why);

#endif
