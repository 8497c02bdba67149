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

struct kept {
	const char *path;		/* of the file; in the pool */
	const char *state;		/* "held", "refused", "unknown" */
};

/*
 * The state of what is left: "unknown" when any recipient's verdict is, else
 * "refused" when all that are left were refused for good, in answer to MAIL,
 * RCPT or the data, else "held": what failed before that can heal.
 */
const char *keep_state(const struct outcome *);

/*
 * Keeps the composed message for the recipients that were not sent: written
 * to a temporary name, fsynced, renamed, the folder fsynced.  The folder is
 * the account's "keep", else ~/.local/state/sendoff for a user's account or
 * none, else /var/spool/sendoff/UID, each the next one's resort.  Folders are
 * made with mode 0700 and must be the caller's alone.  FAILURE_KEEP when none
 * can be written.
 */
bool	keep_message(const char *id, const struct account *,
	    const struct envelope *, const struct message *,
	    const struct outcome *, const struct caller *, struct pool *,
	    struct kept *, struct failure *why);

#endif
