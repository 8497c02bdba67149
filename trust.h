/*
 * Is this the server that was meant?  By its pins, and by DANE where the DNS
 * has authenticated records, else by PKIX.  What DANE says and what PKIX says
 * is told of each by itself, whichever counts, to who wants to hear it.
 */
#ifndef TRUST_H
#define TRUST_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <time.h>

#include "certificate.h"
#include "crypto.h"
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
	bool both;			/* PKIX must say yes as well, to records
					   that there are */
	bool tell;			/* what PKIX says is wanted also where
					   records decide */
	bool describe;			/* and also beside "none", by the
					   system's store */
};

/* What one way of verifying says. */
struct trust_verdict {
	const char *by;			/* "pkix", "dane-ee", "dane-ta"; NULL:
					   it is not verified */
	const char *result;		/* why not: RFC 8460 section 4.3, or why
					   there is no record (dane.h); NULL
					   beside it: it was not asked */
	const char *objection;		/* the same in a sentence, or NULL */
};

/* What the server has shown, and what it proves; strings in the pool. */
struct trust_findings {
	const char *names;		/* in its certificate, "a, b, and 3
					   more"; NULL: nothing can be read */
	time_t until;			/* it is valid */
	char pin[CRYPTO_SHA256_HEX + 1];	/* SHA-256 of its key, or "" */
	struct trust_verdict pkix, dane;
};

/*
 * The verdict on the session's peer: how it was verified ("pkix", "dane-ee",
 * "dane-ta", "pin", "dane-ee+pkix", "dane-ta+pkix"), or NULL.  With pins the
 * key must be one of them in any case.  For PKIX the chain must end in an
 * authority, be within its dates, be meant for servers, not be revoked, and
 * bear one of the names.  When it is not in order, *why is
 * FAILURE_TLS_UNTRUSTED with all objections in one sentence, and with the RFC
 * 8460 result type of the first; a file that cannot be used is FAILURE_CONFIG.
 * What each way says, where it was asked, is found in any case.  Of the files
 * only those authorities are taken into the credentials that the chain can end
 * in.
 */
const char *trust_judge(gnutls_certificate_credentials_t, gnutls_session_t,
	    const struct trust_params *, struct trust_findings *,
	    struct pool *, struct failure *why);

/* "ok" of PKIX, what DANE matched, or the result; NULL: it was not asked. */
const char *trust_word(const struct trust_verdict *);

/*
 * "sha256:HEX" (colons allowed), "sha256//BASE64", or either without the word,
 * made "sha256:hex".
 */
bool	trust_pin(const char *text, char **pin, struct pool *,
	    struct failure *why);

#endif
