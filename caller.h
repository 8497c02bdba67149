/*
 * Who calls: read once, at the start.  Only reader of the environment and,
 * with peer.c, of the user database.
 */
#ifndef CALLER_H
#define CALLER_H

#include <stdbool.h>
#include <sys/types.h>

#include "failure.h"
#include "pool.h"
#include "spool.h"

struct caller {
	uid_t uid;
	const char *login;		/* "uid1234" when there is none */
	const char *full_name;		/* $NAME, else of GECOS; or NULL */
	const char *home;		/* $HOME if the caller's; or NULL */
	const char *hostname;		/* as gethostname() has it */
	const char *fqdn;		/* that, if it may be told: with a dot
					   and nothing that EHLO cannot say; or
					   NULL */
	const char *mailname;		/* of /etc/mailname, as such; or NULL */
	const char *config_home;	/* $XDG_CONFIG_HOME, absolute, or NULL */
	const char *state_home;		/* $XDG_STATE_HOME, or below home; or
					   NULL */
	const char *credentials;	/* $CREDENTIALS_DIRECTORY, or NULL */
	struct spool_room *temporary;	/* in $TMPDIR, when it is absolute */
	char *const *environment;	/* for commands that the caller has
					   configured */
	bool no_colour;			/* $NO_COLOR is set */
	bool stdin_closed;		/* it was at the start */
	bool stdin_terminal;
	bool stderr_terminal;
};

/*
 * Before anything else: opens /dev/null (where there is none, what can be
 * neither read nor written) on closed descriptors 0 to 2 and, when leaked is
 * set, closes all above; puts signals, umask and core files in order.  True
 * when standard input was closed.
 */
bool	caller_begin(bool leaked);

/*
 * set_aside is the environment that a set-id program has put aside
 * (privilege.h), or NULL: the process's.
 */
void	caller_read(struct caller *, bool stdin_closed, char **set_aside,
	    struct pool *);

/*
 * Root becomes another user for good and reads who that is; of root's
 * environment there is only the time zone and the language left, and nothing
 * of root's standard input.  FAILURE_LOCAL when the system does not let it.
 */
bool	caller_become(struct caller *, uid_t, struct pool *,
	    struct failure *why);

/* The host's full name, from the resolver when it must; or NULL.  May wait. */
const char *caller_fqdn(const struct caller *, struct pool *);

#endif
