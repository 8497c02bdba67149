/*
 * From addresses to a connected stream: a race over all of them (RFC 8305),
 * directly or through a proxy, or a unix socket.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>

#include "failure.h"
#include "locate.h"
#include "pool.h"
#include "stream.h"
#include "url.h"

struct net_params {
	int timeout_connect;		/* seconds for each address */
	const char *source;		/* our own address, or NULL */
	const struct proxy *proxy;	/* the place is the proxy's, then */
	const char *proxy_password;	/* octets, when it has a user */
	size_t proxy_password_len;
};

/* What was reached; strings live in the pool. */
struct net_facts {
	const char *host;		/* as the endpoint names it */
	const char *address;		/* numeric, or the socket's path */
	const char *local;		/* our own, as an address literal */
	bool loopback;			/* and no proxy between */
	bool is_unix;
};

/*
 * Connects: a further address is tried 250 ms after the one before, or as soon
 * as that has failed, and the first that answers is taken.  When none can be
 * reached the failure (FAILURE_CONNECT) names each with its reason.  A proxy's
 * refusal is told in words; one that wants a login that we have not is
 * FAILURE_CONFIG.
 */
bool	net_connect(const struct endpoint *, const struct place *,
	    const struct net_params *, struct pool *, struct stream **,
	    struct net_facts *, struct failure *why);

/* The address as people write it, without its port. */
const char *net_numeric(const struct address *, struct pool *);

#endif
