/*
 * Options, configuration, message and who we are become one plan.  After it
 * nobody looks at options, files or environment again.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>

#include "caller.h"
#include "config.h"
#include "envelope.h"
#include "failure.h"
#include "message.h"
#include "net.h"
#include "options.h"
#include "smtp.h"

struct plan {
	const char *id;			/* of this submission */
	const struct account *account;	/* NULL: there is none */
	struct envelope envelope;
	const char *from;		/* of the From header that is added */
	const char *prologue;		/* header lines that are added */
	const char *message_id;		/* as it is in the header */
	struct net_params net;
	struct smtp_params smtp;	/* security and name: each endpoint's */
	const struct endpoint *endpoints;
	size_t nendpoints;
	int timeout_session;		/* seconds */
	bool hello_literal;		/* EHLO with the local address */
};

/* The header's From address, for the choice of an account; or NULL. */
const char *plan_header_sender(const struct message *, struct pool *);

/*
 * The envelope, from arguments and with -t from the header, and the prologue.
 * account may be NULL (the configuration is broken): then the sender is -f or
 * the caller at this host.  Fails with FAILURE_ADDRESS or FAILURE_USAGE; then
 * there is nothing that could be kept.
 */
bool	plan_envelope(struct plan *, const struct options *,
	    const struct message *, const struct caller *,
	    const struct account *, struct pool *, struct failure *why);

/* Can the message be sent at all?  FAILURE_MESSAGE when not. */
bool	plan_message(const struct message *, struct failure *why);

/* Where to and how; FAILURE_CONFIG when the account does not say. */
bool	plan_session(struct plan *, const struct options *,
	    const struct caller *, struct pool *, struct failure *why);

/* For message_compose(): which fields of the header go out. */
bool	plan_keeps(const struct field *);

#endif
