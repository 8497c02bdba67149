/*
 * Local names: who is meant by "root", user@localhost and user@thishost, and
 * what stands for them in a header.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "aliases.h"
#include "caller.h"
#include "config.h"
#include "failure.h"
#include "pool.h"

struct resolver {
	const struct account *account;	/* NULL: the configuration is broken */
	const struct caller *caller;
	bool no_aliases;		/* -n */
	bool loaded;
	struct aliases aliases;
	struct pool *pool;
};

void	resolve_init(struct resolver *, const struct account *,
	    const struct caller *, bool no_aliases, struct pool *);

/*
 * Reads the files of all accounts, before there is a sandbox.  What cannot be
 * read now is tried again when it is wanted, to say why.
 */
void	resolve_prepare(struct config *);

/* Reads it, if that was not done yet.  FAILURE_CONFIG when it cannot be. */
bool	resolve_load(struct resolver *, struct failure *why);

/* No domain, localhost, or a name of this host.  May ask the resolver. */
bool	resolve_is_local(const struct resolver *, const struct mailbox *);

/*
 * Who gets what is sent there: the mailbox itself when it is not local; else
 * what the aliases say, else default-recipient, else the name at "domain" or
 * /etc/mailname; or the bare name where the account's servers are unix sockets
 * of SMTP and "domain" is not set.  FAILURE_CONFIG when none of these tells,
 * FAILURE_ADDRESS for what an alias must not name.
 */
bool	resolve_mailbox(struct resolver *, const struct mailbox *,
	    struct mailbox **, size_t *n, struct failure *why);

/* The domain that a bare name in a header is given. */
const char *resolve_domain(const struct resolver *);

#endif
