/*
 * Who gets the message: arguments and header fields to recipients, local
 * names resolved, each named once.
 */
#ifndef PEOPLE_H
#define PEOPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "envelope.h"
#include "failure.h"
#include "message.h"
#include "options.h"
#include "pool.h"
#include "resolve.h"

struct people {
	struct recipient *recipients;	/* in the order they were named */
	size_t n;
};

/*
 * The arguments and, with -t, To, Cc and Bcc, or the fields of the topmost
 * Resent block when there is one (RFC 5322 section 3.6.6).  A recipient who
 * cannot be resolved has its failure with it and is one all the same.  False
 * with FAILURE_ADDRESS when a field or argument cannot be understood, and
 * with FAILURE_USAGE when nobody is named.
 */
bool	people_named(struct people *, const struct options *,
	    const struct message *, struct resolver *, struct failure *why);

#endif
