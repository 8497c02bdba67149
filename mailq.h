/*
 * The store for people: what is kept, one message, one taken out.
 */
#ifndef MAILQ_H
#define MAILQ_H

#include "caller.h"
#include "config.h"
#include "options.h"

/*
 * mailq, -bp, --queue: a list; --json: an array of objects.  What cannot be read
 * is told on standard error.  Exit status.
 */
int	mailq_list(const struct options *, const struct caller *,
	    struct config *, const char *program);

/*
 * --show: the file as it is, on standard output.  --forget: it is deleted,
 * unless a run is sending it.  False in *found: there is no message of this
 * id; else root has become its owner for good.  Exit status.
 */
int	mailq_show(const struct options *, const struct caller *,
	    struct config *, const char *program);
int	mailq_forget(const struct options *, const struct caller *,
	    struct config *, const char *program, bool *found);

#endif
