/*
 * One attempt at a kept message: the file claimed, what it holds made ready for
 * each account's server, sent, and the file kept true meanwhile.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "accounts.h"
#include "caller.h"
#include "clock.h"
#include "command.h"
#include "config.h"
#include "errand.h"
#include "keys.h"
#include "options.h"
#include "store.h"

/* A connection of an account, from one message to the next. */
struct way {
	const struct account *account;
	struct session session;
	const struct failure *closed;	/* nothing more goes by it, and why */
};

/* What all attempts of a run share. */
struct ways {
	const struct options *options;
	const struct caller *caller;
	struct config *config;
	struct way **list;
	size_t n;
};

/* What goes by one account, and what has become of it. */
struct lot {
	struct leg leg;
	struct errand errand;
	struct way *way;
	bool *counted;			/* whose success is in got[] */
	bool in_trouble;		/* nobody of it can get it, and why */
	struct failure trouble;
};

/* One kept message while it is tried; zeroed but for ways, pool, stored.path. */
struct attempt {
	struct ways *ways;
	FILE *f;
	struct stored stored;		/* as it was read under the lock */
	const char *state, *reason;	/* as they were, and are between
					   transactions */
	struct message *message;
	struct options asked;
	struct choice choice;
	struct mail_command mail;
	struct lot **lots;
	size_t nlots;
	struct lot *now;		/* the one that is tried */
	size_t *members;		/* who is behind each RCPT, how many */
	size_t *got;			/* of them have it */
	size_t *twin;			/* the RCPT that names the same one */
	struct keys named;		/* alone, by which */
	bool *struck;
	off_t *gone;			/* room for where those stand that are
					   struck out together */
	bool spoilt;			/* who has it could not be written */
	bool busy;			/* with another run */
	bool damaged;			/* it cannot be sent on any day */
	struct outcome all;		/* of all the lots */
	milliseconds begun;
	struct pool *pool;
};

struct way *way_to(struct ways *, const struct account *);

/* errand_do() by this way, unless it is closed. */
void	way_go(const struct ways *, struct way *, struct errand *,
	    const struct failure *trouble);

/*
 * The file is ours alone until attempt_end().  False with *gone when a run
 * beside this one has sent it since it was listed; with attempt->busy while
 * another has it; else with *why.
 */
bool	attempt_claim(struct attempt *, bool *gone, struct failure *why);

/*
 * Reads what was claimed: the envelope alone, or all of it with the lots made
 * ready.  False when it is no kept message; with attempt->damaged when its
 * record can be trusted, and what stands behind it cannot.
 */
bool	attempt_read_envelope(struct attempt *, struct failure *why);
bool	attempt_read(struct attempt *, struct failure *why);

/* Tries each lot; the outcomes of all are in attempt->all. */
void	attempt_send(struct attempt *);

/* Has everyone behind RCPT number i got it? */
bool	attempt_is_done(const struct attempt *, size_t i);

/* The record is written into the file. */
bool	attempt_settle(struct attempt *, struct failure *why);

/* Gives back the file and the memory. */
void	attempt_end(struct attempt *);

#endif
