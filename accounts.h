/*
 * The configuration files found and read, and the account chosen among what
 * they hold.
 */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H

#include <stdbool.h>

#include "caller.h"
#include "config.h"
#include "failure.h"
#include "options.h"
#include "peer.h"

/*
 * Reads the user's file, then the system's, or the one that --config names.
 * Errors in the files are in config->errors; *why is FAILURE_CONFIG when
 * there are any or when there is no file at all, with the first error.
 */
bool	accounts_load(struct config *, const struct options *,
	    const struct caller *, struct failure *why);

/*
 * Whose mail it is from now on, instead of who runs us: accounts whose
 * "allow-user" does not name the peer are barred.
 */
void	accounts_bar(struct config *, const struct peer *);

struct choice {
	const struct account *account;	/* NULL: there is none */
	bool pinned;			/* for every recipient */
	const char *why;		/* a constant: "its \"from\" is ..." */
};

/*
 * The account by the sender (an address, or NULL): --account, else the first
 * whose "from" is the sender, else the first whose "match" fits it, and it is
 * pinned then; else the first.  The options' overrides are applied to all, and
 * may cost an account its secret: bound.h.
 * FAILURE_USAGE when the options would show a login that the caller may not see.
 * One that is barred is chosen only when the sender or --account means no
 * other, or all are: route_make() says no then.
 */
bool	accounts_choose(struct config *, const struct options *,
	    const char *sender, struct choice *, struct failure *why);

/*
 * Applies the options' overrides now, before there is a sandbox, and makes the
 * command line's own account.  What is wrong is told by accounts_choose().
 */
void	accounts_prepare(struct config *, const struct options *);

/*
 * The account that a recipient belongs to: the chosen one when it is pinned;
 * else the first whose "match" fits the address, else the chosen one.  One
 * that is barred only when no other fits, as above.
 */
const struct account *accounts_of_recipient(const struct config *,
	    const struct choice *, const char *address);

/* The account of that name (which may be NULL), or NULL. */
const struct account *accounts_named(const struct config *,
	    const char *name);

/* Opens the log as the account has it; syslog when it is NULL. */
void	accounts_log(const struct account *, const struct options *);

#endif
