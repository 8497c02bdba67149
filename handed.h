/*
 * Accounts that were handed on: of a configuration that the caller may not
 * read, and that was read for him with more rights than he has (privilege.h).
 * What is his runs apart from them: a run uses either those or his own.
 */
#ifndef HANDED_H
#define HANDED_H

#include <stdbool.h>

#include "config.h"
#include "failure.h"

/*
 * This account is about to be used.  When it is not a handed one, the
 * passwords of those are wiped, and they are of no use any more.  When it is
 * one, the caller's own are of no use from then on.  FAILURE_CONFIG when it
 * was out of use already.  Without handed accounts it is true.
 */
bool	handed_use(struct config *, const struct account *,
	    struct failure *why);

/* May this run use it?  FAILURE_CONFIG as above. */
bool	handed_may(const struct account *, struct failure *why);

/* The caller's own accounts alone: the same, before one is chosen. */
void	handed_end(struct config *);

/* Are there any that this run may use? */
bool	handed_are_open(const struct config *);

/*
 * May whoever calls see how this run logs in (--trace=auth)?  Not by a handed
 * account: salt and nonces are halfway to guessing its password.  FAILURE_USAGE
 * then.  Root's -q is told all.
 */
bool	handed_may_show(const struct config *, struct failure *why);

/* Are there both kinds? */
bool	handed_are_mixed(const struct config *);

/* An account that has lost a secret (bound.h) keeps no copy of it. */
void	handed_lost(struct account *now);

#endif
