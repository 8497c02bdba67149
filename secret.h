/*
 * Passwords: where they come from.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "caller.h"
#include "config.h"
#include "failure.h"

/* What the password is for. */
struct secret_use {
	const struct account *account;
	const char *host;		/* that it goes to, or NULL: a socket */
	const char *user;		/* or NULL */
	const char *server;		/* for a prompt */
	bool renew;			/* a token that a server has refused */
};

enum secret_source {
	SECRET_NONE,			/* there is none anywhere */
	SECRET_OF_ACCOUNT,		/* whichever of its servers */
	SECRET_OF_HOST			/* from netrc: for this host alone */
};

/*
 * The password, appended to secret (BUFFER_SECRET), which the caller wipes;
 * where it is more than ASCII, a NUL and SASLprep's form stand behind it.  It
 * is from password, password-file, password-command, the systemd credential
 * sendoff.ACCOUNT, ~/.netrc, or the terminal, in this order; of an account with
 * oauth-command it is the token that the command prints, and nothing else.  Of
 * an account that has lost its own (bound.h), netrc, which names a host, and
 * the terminal are left.  That there is none is no failure.  A file that others
 * can read, a command that fails, an empty password or one with a NUL, and what
 * cannot be a token is FAILURE_CONFIG or FAILURE_PERMISSION; that there is no
 * token, or its command fails, is FAILURE_TOKEN; a signal while it is waited
 * for, FAILURE_INTERRUPTED.
 */
bool	secret_fetch(const struct secret_use *, const struct caller *,
	    struct buffer *secret, enum secret_source *, struct failure *why);

/* Does the account, or a systemd credential for it, name a password? */
bool	secret_is_given(const struct account *, const struct caller *);

/*
 * While there can be processes still: has SASLprep's form of the account's own
 * password made, where that is another.  A failure is for later to tell.
 */
void	secret_prepare(struct account *);

/* Has the account a password of its own, and can it be used as it is there? */
bool	secret_is_at_hand(const struct account *);

/* From ~/.netrc alone, and not prepared: for a proxy. */
bool	secret_of_host(const struct caller *, const char *host,
	    const char *user, struct buffer *secret, bool *found,
	    struct failure *why);

#endif
