/*
 * Where a server is: the addresses of its name, and what the DNS says about
 * its certificate (TLSA).
 */
#ifndef LOCATE_H
#define LOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "dane.h"
#include "dns.h"
#include "failure.h"
#include "pool.h"
#include "url.h"

enum dane_policy {
	DANE_OFF,
	DANE_TELL,			/* whatever comes of it: it is told */
	DANE_AUTO, DANE_REQUIRE,
	DANE_BOTH			/* required, and PKIX as well */
};

struct locate_params {
	int family;			/* AF_UNSPEC, AF_INET, AF_INET6 */
	enum dane_policy dane;
};

struct address {
	struct sockaddr_storage address;
	socklen_t len;
};

enum { ADDRESSES_MAX = 32 };

struct place {
	struct address addresses[ADDRESSES_MAX];	/* in the order of
					   trying; families alternate */
	size_t n;
	const char *name;		/* the host in ASCII, no final dot */
	const char *base;		/* TLSA base domain (RFC 7671 section
					   7), or the name */
	struct dane dane;		/* empty: PKIX decides; why it is, is
					   told when it was asked for */
};

/*
 * Finds the endpoint's host.  With a DANE policy and a resolver that may be
 * trusted, addresses and TLSA records are asked for together, and the records
 * count when the addresses are authenticated too, or the alias that leads to
 * them is (RFC 7672 section 2.2); they do not count for a host that an
 * unauthenticated SRV record names (RFC 7673 section 3.1).  Names without a
 * dot, in /etc/hosts, or unknown to the DNS are the system's affair
 * (getaddrinfo).
 * FAILURE_RESOLVE_NONE: no such name.  FAILURE_RESOLVE_TEMPORARY: no answer,
 * or one that is forged; also when only the TLSA records cannot be had, but
 * for DANE_TELL.
 * FAILURE_TLS_UNTRUSTED: DANE_REQUIRE or DANE_BOTH, and no record that counts.
 */
bool	locate(struct dns *, const struct endpoint *,
	    const struct locate_params *, struct pool *, struct place *,
	    struct failure *why);

#endif
