/*
 * TLSA records against a server's chain (RFC 6698, 7671; 7672 as it fits
 * submission; 7673).  libgnutls-dane is not used: it takes a certificate that
 * is merely appended for an anchor.
 */
#ifndef DANE_H
#define DANE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

#include "dns.h"
#include "failure.h"
#include "pool.h"

struct tlsa {
	unsigned char usage, selector, matching;
	const unsigned char *data;
	size_t len;
};

/* The records that count. */
struct dane {
	const struct tlsa *records;
	size_t n;
	const char *owner;		/* "_465._tcp.mail.example.org" */
	const char *absent;		/* why there is none: "none", or by RFC
					   8460 "tlsa-invalid" (of no kind that
					   counts) or "dnssec-invalid" (the
					   DNS does not say); NULL: there are,
					   or they were not asked for */
};

enum dane_verdict {
	DANE_NO_MATCH,
	DANE_EE,			/* usages 3 and 1: name and dates do not
					   matter for 3 */
	DANE_TA				/* usages 2 and 0 */
};

/*
 * Takes the usable ones out of an authenticated set: known usage, selector and
 * matching type, data of the right length; usages 0 and 1 only with_pkix
 * (RFC 7672 section 3.1.3, RFC 7673).  Of each usage and selector only the
 * strongest digest and the full data stay (RFC 7671 section 9).
 */
void	dane_make(struct dane *, const struct dns_question *tlsa,
	    bool with_pkix, struct pool *);

/* Do some of them need PKIX's verdict as well (usages 0 and 1)? */
bool	dane_needs_pkix(const struct dane *);

/*
 * Does the chain, leaf first, match one of them?  pkix: the chain is in order
 * for PKIX.  names: of which the leaf must carry one when its issuer is what
 * matched.  When none matches, *why is FAILURE_TLS_UNTRUSTED with the reason.
 */
enum dane_verdict dane_verify(const struct dane *, const gnutls_datum_t *der,
	    unsigned len, bool pkix, const char *const *names, size_t nnames,
	    struct pool *, struct failure *why);

#endif
