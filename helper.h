/*
 * A process that stays outside the sandbox, for what must come later from
 * there: passwords.  It knows the configuration as it was when it was begun,
 * and takes neither a path nor a command: it is told which account, and what
 * of it is wanted.
 */
#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>

#include "buffer.h"
#include "caller.h"
#include "config.h"
#include "failure.h"
#include "secret.h"

struct helper;

/* Does the account's login, or its proxy's, need what only files have? */
bool	helper_is_needed(const struct account *);

/*
 * Forks it for all accounts of the configuration, to which nothing may be
 * added any more; their secrets come from it from then on.  FAILURE_LOCAL when
 * there can be none.  It ends with us.
 */
bool	helper_begin(struct config *, const struct caller *,
	    struct failure *why);
void	helper_end(struct config *);	/* also when there is none */

/* secret_fetch() and secret_of_host() of secret.h, by the account's helper. */
bool	helper_secret(const struct secret_use *, const struct caller *,
	    struct buffer *secret, enum secret_source *, struct failure *why);
bool	helper_proxy_secret(const struct account *, const struct caller *,
	    const char *host, const char *user, struct buffer *secret,
	    bool *found, struct failure *why);

#endif
