/*
 * The servers of a mail domain by its SRV records (RFC 6186 section 3.1, RFC
 * 8314 section 4.1, RFC 2782).
 */
#ifndef DISCOVER_H
#define DISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "certificate.h"
#include "dns.h"
#include "failure.h"
#include "pool.h"
#include "url.h"

/*
 * Asks for _submissions._tcp and _submission._tcp of the domain and makes the
 * endpoints in the order of trying: implicit TLS first, then STARTTLS, each by
 * priority and weight.
 * FAILURE_RESOLVE_NONE: the domain says that it offers no submission (".").
 * FAILURE_CONFIG: it says nothing; the text has the line to add.
 * FAILURE_RESOLVE_TEMPORARY: an answer cannot be had, or is forged; that about
 * STARTTLS does not matter where there is implicit TLS.
 */
bool	discover(struct dns *, const char *domain, struct pool *,
	    struct endpoint **, size_t *n, struct failure *why);

/*
 * Puts records of one service in order: by priority, within one by chance as
 * their weights ask for.  chance(n) gives a number from 0 to n, both included.
 */
void	discover_order(struct dns_record *, size_t n,
	    unsigned (*chance)(unsigned n));

/*
 * Which names the certificate of a discovered server may carry (RFC 6186
 * section 6, RFC 7817): the domain, as dNSName or SRVName; the target, too,
 * when DNSSEC vouches for it or it lies within the domain.
 */
void	discover_wanted(const struct endpoint *, struct certificate_wanted *,
	    struct pool *);

#endif
