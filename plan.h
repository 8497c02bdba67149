/*
 * Options, configuration, message and who we are become one plan.  After it
 * nobody looks at options, files or environment again.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "accounts.h"
#include "caller.h"
#include "config.h"
#include "envelope.h"
#include "failure.h"
#include "message.h"
#include "options.h"
#include "people.h"

/* What goes by one account's server. */
struct leg {
	const struct account *account;	/* NULL: the configuration is broken */
	struct envelope envelope;
	size_t *whole;			/* place of each among the people */
	const char *from;		/* the account's address */
	const char *prologue;		/* header lines that are added */
	const char **instead;		/* and what replaces fields: rewrite.h */
};

struct plan {
	const char *id;			/* of this submission */
	const struct account *account;	/* the sender's; NULL: there is none */
	const char *message_id;		/* as it is in the header */
	struct people people;		/* all of them */
	size_t *leg_of;			/* parallel to them */
	struct leg *legs;		/* at least one */
	size_t nlegs;
};

/* What planning looks at, and what is made once for all legs. */
struct planning {
	const struct options *options;
	const struct message *message;
	const struct caller *caller;
	struct pool *pool;
	const char *date;		/* to be added, or NULL */
	const char *message_id;		/* likewise */
};

/* A name for a submission: sorts by age, never twice the same. */
const char *plan_id(struct pool *);

/* The header's From address, for the choice of an account; or NULL. */
const char *plan_header_sender(const struct message *, struct pool *);

/*
 * Who gets the message and by which accounts, the envelope of each, and the
 * prologue.  The choice's account may be NULL (the configuration is broken):
 * then the sender is -f or the caller at this host, and local names stay as
 * they are.  Fails with FAILURE_ADDRESS or FAILURE_USAGE; then there is
 * nothing that could be kept.
 */
bool	plan_make(struct plan *, const struct config *, const struct options *,
	    const struct message *, const struct caller *,
	    const struct choice *, struct failure *why);

/* The same for a session alone: the leg of the choice, and nobody in it. */
bool	plan_session(struct plan *, const struct config *,
	    const struct options *, const struct message *,
	    const struct caller *, const struct choice *, struct failure *why);

/*
 * The parts of it, for who has an envelope of his own.  The sender of the
 * leg's account: options->sender when the account allows it and it is not a
 * local name, else the account's "from".  The terms that options and account
 * ask for: FAILURE_USAGE when they are in the past.  What the message lacks: Date and
 * Message-ID, of which the one that counts is returned.  Then the leg's
 * prologue and replaced fields.
 */
bool	plan_sender(const struct planning *, struct leg *,
	    struct failure *why);
bool	plan_terms(const struct planning *, struct leg *,
	    struct failure *why);
const char *plan_missing(struct planning *, const struct account *);
void	plan_header(const struct planning *, struct leg *);

/*
 * Reads the configuration and chooses the account: by -f, or else by the
 * header's From.  Fails as accounts_load() and accounts_choose() do.
 */
bool	plan_choose(struct config *, const struct options *,
	    const struct message *, const struct caller *, struct choice *,
	    struct failure *why);

/* The account of each leg, for confine.h. */
const struct account **plan_accounts(const struct plan *, struct pool *);

/* Can the message be sent at all?  FAILURE_MESSAGE when not. */
bool	plan_message(const struct message *, struct failure *why);

#endif
