/*
 * Kept messages for people: mailq lists them, -q sends those that are named.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "caller.h"
#include "config.h"
#include "options.h"

/* On standard output.  The exit status: EX_OK, also when there are none. */
int	queue_list(const struct options *, const struct caller *,
	    struct config *);

/*
 * -q: nothing sends held messages by itself, so without a selection there is
 * nothing to do.  With one, each message that fits is submitted again, in as
 * many mails as the server wants; whoever has got it is struck out, and what
 * everyone has got is removed from the store.  The exit status is that of the
 * gravest failure.
 */
int	queue_retry(const struct options *, const struct caller *,
	    struct config *, const char *program);

#endif
