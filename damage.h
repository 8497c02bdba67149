/*
 * Kept files that cannot be read, and folders of them that are passed over:
 * nothing sends or lists these, so somebody has to be told.
 */
#ifndef DAMAGE_H
#define DAMAGE_H

#include "caller.h"
#include "pool.h"
#include "store.h"

/*
 * A line on standard error for each.  Exit status: of the last one; 0 when there
 * is none.
 */
int	damage_tell(const struct unreads *, const char *program);

/*
 * The same of those that were not told before: for a timer, whose lines become
 * a mail each.  What was told stands in the folder, in a file ".told"; where
 * that cannot be written nothing is told, nor of a folder that is passed over:
 * the log has it.  0 when there is nothing new.
 */
int	damage_tell_once(const struct unreads *, const struct caller *,
	    const char *program, struct pool *);

#endif
