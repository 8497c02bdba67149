/*
 * One message from standard input to its outcome: read, decide, submit, keep
 * what is left, answer.
 */
#ifndef SUBMIT_H
#define SUBMIT_H

#include "caller.h"
#include "clock.h"
#include "config.h"
#include "options.h"

/* The exit status.  program is what errors begin with. */
int	submit_message(const struct options *, const struct caller *,
	    struct config *, const char *program, milliseconds begun);

#endif
