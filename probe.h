/*
 * --probe: a submission server looked at, step by step, as a submission would
 * meet it; nothing is sent.
 */
#ifndef PROBE_H
#define PROBE_H

#include "caller.h"
#include "config.h"
#include "options.h"

/*
 * The exit status: what a submission's would be, as far as the probe has gone.
 * The findings go to standard output, what is wrong to standard error.
 */
int	probe(const struct options *, const struct caller *, struct config *,
	    const char *program);

#endif
