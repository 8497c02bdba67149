/*
 * From an endpoint to a connected stream.  One deadline for each address; all
 * addresses are tried in the order of the system's resolver.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>

#include "failure.h"
#include "pool.h"
#include "stream.h"
#include "url.h"

struct net_params {
	int timeout_connect;		/* seconds for each address */
	int family;			/* AF_UNSPEC, AF_INET, AF_INET6 */
};

/* What was reached; strings live in the pool. */
struct net_facts {
	const char *host;		/* as the endpoint names it */
	const char *address;		/* numeric, or the socket's path */
	const char *local;		/* our own, as an address literal */
	bool loopback;
	bool is_unix;
};

/*
 * Connects.  When no address can be reached the failure names each with its
 * reason.  A name that does not exist is FAILURE_RESOLVE_NONE, a resolver
 * without answer FAILURE_RESOLVE_TEMPORARY, the rest FAILURE_CONNECT.
 */
bool	net_connect(const struct endpoint *, const struct net_params *,
	    struct pool *, struct stream **, struct net_facts *,
	    struct failure *why);

#endif
