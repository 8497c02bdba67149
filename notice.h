/*
 * The owner of a queued message is told, once, that nothing more will be tried.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>

#include "input.h"
#include "pool.h"
#include "store.h"

/*
 * Makes in give the text of a mail from and to the account's address that says
 * whom the kept message has not reached and why.  The caller frees in->octets.
 */
void	notice_make(struct input *in, const struct stored *, const char *address,
	    struct pool *);

#endif
