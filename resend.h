/*
 * Kept messages submitted again: each to those who have not got it, by the
 * account it belongs to, one connection for all that go to one.
 *
 * Before the server can have all of a message, the file says "unknown", and
 * whoever has got it is struck out before the next ones are tried: whenever
 * the program is cut off, nobody is sent it twice by a timer.
 */
#ifndef RESEND_H
#define RESEND_H

#include <stdbool.h>

#include "caller.h"
#include "config.h"
#include "options.h"
#include "store.h"

struct resend;

/* broken: why the configuration cannot be used; or NULL. */
struct resend *resend_new(const struct options *, const struct caller *,
	    struct config *, const struct failure *broken);
void	resend_free(struct resend *);			/* takes NULL */

/*
 * Is it the turn of a queued message?  Not before its time, nor while the
 * login is locked out: due.h.
 */
bool	resend_is_due(const struct resend *, const struct stored *);

/*
 * Tries it, unless another run does.  True when nothing is left of it, or it
 * was gone; else *why is what is to be told, and *state the file's, NULL when
 * it could not be changed.
 */
bool	resend_try(struct resend *, const struct stored *,
	    const char **state, struct failure *why);

/*
 * What is not queued, and has not changed for retry-for, is deleted, with a
 * line in the log.
 */
void	resend_expire(struct resend *, const struct stored *);

/*
 * Tells the owner of a message that will not be tried again, when the account
 * wants that (notify); once, and what keeps the notice from being sent for now
 * is waited for as with a queued message.
 */
void	resend_tell(struct resend *, const struct stored *);

#endif
