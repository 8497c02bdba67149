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

/*
 * Reads the user's file, then the system's, or the one that --config names.
 * Errors in the files are in config->errors; *why is FAILURE_CONFIG when
 * there are any or when there is no file at all, with the first error.
 */
bool	accounts_load(struct config *, const struct options *,
	    const struct caller *, struct failure *why);

/*
 * The account: --account; else the first whose "match" or "from" fits the
 * sender (an address, or NULL); else the first.  The options' overrides are
 * applied to a copy in the pool.
 */
bool	accounts_choose(const struct config *, const struct options *,
	    const char *sender, struct account **, struct failure *why);

/* Where the user's file is looked for; NULL without a home. */
const char *accounts_user_file(const struct caller *, struct pool *);

#endif
