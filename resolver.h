/*
 * Who is asked for names: the servers of resolv.conf, or the one that the
 * configuration names, and whether their word on DNSSEC counts.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "failure.h"

enum { RESOLVER_SERVERS_MAX = 3 };

struct resolver_server {
	struct sockaddr_storage address;
	socklen_t len;
};

struct resolver {
	struct resolver_server servers[RESOLVER_SERVERS_MAX];
	unsigned n;			/* 0: there is none */
	int seconds;			/* for all that is asked at once */
	bool trusted;			/* an AD bit of theirs is believed
					   (RFC 6840 section 5.7): named by the
					   configuration, loopback alone, or
					   "options trust-ad" */
};

/* named: "address", "address:port", "[address]:port"; NULL: resolv.conf. */
void	resolver_find(struct resolver *, const char *named);

/* Is that a resolver's address? */
bool	resolver_check(const char *named, struct failure *why);

#endif
