/*
 * Where the mail of an account goes and what it must prove: the settings of a
 * session, before any message is known.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>

#include "caller.h"
#include "config.h"
#include "failure.h"
#include "locate.h"
#include "net.h"
#include "options.h"
#include "smtp.h"

struct route {
	const struct account *account;
	const struct endpoint *endpoints;	/* tried in this order */
	size_t nendpoints;		/* 0: the DNS knows them */
	struct locate_params locate;
	struct net_params net;
	struct smtp_params smtp;	/* security and name: each endpoint's */
	int timeout_session;		/* seconds */
	bool hello_literal;		/* EHLO with the local address */
};

/*
 * FAILURE_BARRED (5.7.1) when the account is not the caller's to use:
 * accounts_bar().  FAILURE_CONFIG when the account names neither a server nor
 * an address whose domain may know one.  May ask the resolver for our own name.
 */
bool	route_make(struct route *, const struct account *,
	    const struct options *, const struct caller *, struct pool *,
	    struct failure *why);

/* What the account proves in TLS; the secrets in it stay the account's. */
struct identity route_identity(const struct account *);

/*
 * Can REQUIRETLS be had there?  FAILURE_REQUIRETLS when an endpoint's URL
 * does without verified TLS.
 */
bool	route_requires_tls(const struct route *, struct failure *why);

#endif
