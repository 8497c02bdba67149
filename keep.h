/*
 * Kept messages: what could not be handed over, with its envelope, in a form
 * that is SMTP: `sendmail -bs < file` would be the same transaction by hand.
 * Only writer of the store.
 */
#ifndef KEEP_H
#define KEEP_H

#include <stdbool.h>

#include "caller.h"
#include "config.h"
#include "envelope.h"
#include "failure.h"
#include "message.h"
#include "outcome.h"
#include "record.h"

struct kept {
	const char *path;		/* of the file; in the pool */
	const char *state;		/* "queued", "held", "refused",
					   "unknown" */
	const char *passed_over;	/* the folder where it should be, and
					   why it is not; or NULL */
};

/*
 * The state of those of a group that are left: "unknown" when any recipient's
 * verdict is, else "refused" when all that are left were refused for good, in
 * answer to MAIL, RCPT or the data, else "held": what failed before that can
 * heal.
 */
const char *keep_state(const struct outcome *);

/*
 * Has the recipient failed for now, so that the same attempt later may do?
 * Then a timer may make it (EX_TEMPFAIL's kinds, but not unknown).
 */
bool	keep_may_retry(const struct result *);

/*
 * When the attempt after so many is due: with the next run, then in 5 minutes,
 * doubled up to 4 hours.
 */
time_t	keep_next(unsigned attempts, time_t now);

/* Is it now?  What is later than keep_next() can say is of a wrong clock. */
bool	keep_is_due(time_t next, time_t now);

/*
 * The folders that a message of the account may go to, in this order; at most
 * KEEP_PLACES.  keep_prepare() makes one that it may make, with mode 0700.
 */
enum { KEEP_PLACES = 3 };

size_t	keep_places(const char *list[KEEP_PLACES], const struct account *,
	    const struct caller *, struct pool *);
bool	keep_prepare(const char *place, struct pool *);

/* A submission of which something is left. */
struct leftover {
	const char *id;
	const struct account *account;	/* NULL: there is none */
	const struct envelope *envelope;
	const struct message *message;	/* composed */
	const struct outcome *outcome;
	const bool *which;		/* whom the file is for, parallel to the
					   envelope's recipients */
	const char *state;		/* it begins with */
	const struct record *was;	/* what it was before, or NULL */
	const char *folder;		/* it goes to; NULL: the usual ones */
	const struct caller *caller;
	struct pool *pool;
};

/*
 * Written to a temporary name, fsynced, renamed, the folder fsynced.  The
 * folder is the account's "keep", else ~/.local/state/sendoff for a user's
 * account or none, else /var/spool/sendoff/UID, each the next one's resort;
 * but what is queued for a system's account is never below home, where the
 * system's timer does not look.
 * Folders are made with mode 0700 and must be the caller's alone (store.h).
 * FAILURE_KEEP when none can be written, or the account's keep-limit is
 * reached there (not for what was kept before).
 */
bool	keep_message(const struct leftover *, struct kept *,
	    struct failure *why);

/*
 * In an open kept file: what changes is settled, by one write and an fsync;
 * the RCPT lines at n offsets become NOOPs, since those have the message, with
 * an fsync of its own: a disk writes in any order, and a record that lets the
 * others be tried again must not be there first.  FAILURE_KEEP when that
 * cannot be.
 */
bool	keep_settle(int fd, const struct record *, struct pool *,
	    struct failure *why);
bool	keep_strike(int fd, const off_t *rcpts, size_t n,
	    struct failure *why);

#endif
