/*
 * How much a folder of kept messages may hold: keep-limit.  What is queued and
 * what is not are counted apart, so that mail which nobody looks at does not
 * keep a timer's from being kept.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>
#include <time.h>

#include "config.h"
#include "failure.h"

/*
 * Is there room for another one?  The account may be NULL.  What is not queued
 * and has not changed for the account's retry-for is deleted, with a line in
 * the log, unless a run is sending it; so is, without one, what a run that was
 * killed has begun to write a day ago.  Strange files neither count nor are
 * touched.  FAILURE_KEEP when the limit is reached.
 */
bool	limit_has_room(int folder, const char *path, const struct account *,
	    bool queued, struct failure *why);

/* Has it lain there for longer than the account's retry-for? */
bool	limit_is_over(const struct account *, time_t since);

#endif
