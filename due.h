/*
 * When it is the turn of a kept message that is queued, or whose owner is to be
 * told its end.
 */
#ifndef DUE_H
#define DUE_H

#include <time.h>

#include "config.h"
#include "record.h"

enum { DUE_CHANGED = -1 };

/*
 * The seconds that it has to wait yet; 0: it is its turn; DUE_CHANGED: none are
 * enough.  After a refused login neither its time counts nor how often it was
 * tried: *locked, and a file of the configuration or that of the account's
 * password has to change; where the password is in neither, a day (or, for a
 * token, an hour) will do.  The account is one of the configuration's; of NULL,
 * another user's, only the record is known.
 */
long	due_in(const struct config *, const struct account *,
	    const struct record *, time_t now, bool *locked);

#endif
