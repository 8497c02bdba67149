/*
 * What a run may still touch, and the process held to it from here on: after
 * the last thing that needs a child, a module or a file of a name nobody
 * knows yet, before the first server is spoken to.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "caller.h"
#include "config.h"
#include "options.h"

struct confine {
	const struct caller *caller;
	struct config *config;
	const struct account **accounts;	/* in play; all if NULL */
	size_t n;
	bool keeps;			/* messages, as a submission does */
	bool many;			/* messages, each with its account */
	bool spools;			/* they may outgrow the memory */
};

/*
 * Enters the sandbox (sandbox.h), unless one of the accounts says "sandbox
 * no".  Folders and log files that are to be written to are made first, and a
 * helper is begun when a secret comes from outside (helper.h): it is ended
 * with helper_end().  What cannot be had is told in the log.
 */
void	confine(const struct confine *);

/*
 * The same for a run of many messages, which may go by any account: -bs, -q.
 * The options' overrides are applied.
 */
void	confine_all(const struct options *, const struct caller *,
	    struct config *);

#endif
