/*
 * -q, runq, --resend: kept messages tried again.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "caller.h"
#include "config.h"
#include "options.h"

/*
 * Those that are selected (-qI, -qR, -qS, --resend), whatever their state;
 * without a selection the queued ones that are due, and what nobody has asked
 * for in time is deleted.  For root those of every owner below
 * /var/spool/sendoff, each as its owner and for an hour at most.  The exit
 * status: of a bare -q only
 * what a person must see to counts.
 */
int	queue_run(const struct options *, const struct caller *,
	    struct config *, const char *program);

#endif
