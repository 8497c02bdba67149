/*
 * Passwords: where they come from, and how they go.  Only holder of secrets.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "caller.h"
#include "config.h"
#include "failure.h"

/*
 * The account's password, appended to secret, which the caller wipes: from
 * password, password-file, password-command, the systemd credential
 * sendoff.ACCOUNT, or the terminal, in this order.  *found is false when there
 * is none anywhere, which is no failure.  A file that others can read, a
 * command that fails, an empty password or one with a NUL is FAILURE_CONFIG
 * or FAILURE_PERMISSION.
 */
bool	secret_fetch(const struct account *, const struct caller *,
	    struct buffer *secret, bool *found, struct failure *why);

#endif
