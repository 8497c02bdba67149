/*
 * PKIX: which authorities count, and what speaks against a certificate.
 * With tls.c (and dane.c) the only user of GnuTLS's certificates.
 */
#ifndef TRUST_H
#define TRUST_H

#include <gnutls/gnutls.h>

#include "failure.h"
#include "pool.h"

/*
 * Gives the credentials the authorities that the session's peer may be
 * verified against: those of ca_file, or the system's.
 */
bool	trust_anchors(gnutls_certificate_credentials_t, gnutls_session_t,
	    const char *ca_file, struct failure *why);

/*
 * Is the peer's chain in order for the name (a host name or an IP address)?
 * It must end in an anchor, be within its dates, be meant for servers, and
 * carry the name as dNSName or iPAddress: the common name does not count
 * (RFC 9525).  When not, *why is FAILURE_TLS_UNTRUSTED with all objections
 * in one sentence, and with the RFC 8460 result type of the first.
 */
bool	trust_verify(gnutls_session_t, const char *name, struct failure *why);

/* The names in the peer's certificate, "a, b, and 3 more". */
char	*trust_names(gnutls_session_t, struct pool *);

#endif
