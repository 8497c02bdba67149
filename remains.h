/*
 * What remains of a kept message after an attempt: nothing, the file with
 * another record, or, when it is of more than one kind, files of their own.
 */
#ifndef REMAINS_H
#define REMAINS_H

#include <stdbool.h>

#include "attempt.h"
#include "failure.h"

/*
 * *state is what the file then says, of several the one that is not queued,
 * NULL when it is gone.  False when the store cannot be written; then what it says is no
 * less careful than the truth.
 */
bool	remains_settle(struct attempt *, const char **state,
	    struct failure *why);

/*
 * What is to be told of the attempt: the gravest of what will not be tried
 * again, else of all; NULL when everyone got it.
 */
const struct failure *remains_reason(const struct attempt *);

#endif
