/*
 * What a kept file tells of itself, in NOOP lines that SMTP ignores (RFC 5321
 * section 4.1.1.9).  What changes with every attempt stands first and always
 * has the same length, so that one write in its place settles it.  Pure.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "buffer.h"
#include "pool.h"

enum { RECORD_ROOM = 1024 };		/* octets of what changes */

struct record {
	const char *state;		/* "queued", "held", "refused",
					   "unknown" */
	unsigned attempts;
	time_t tried;			/* the last time; 0: not known */
	time_t next;			/* queued, untold: not before; 0: at
					   once */
	bool locked_out;		/* the login was refused: only when
					   something has changed */
	bool untold;			/* it was queued, and its owner has not
					   been told the end */
	int status;			/* sysexits value of the last attempt */
	const char *reason;		/* of it, one line; or NULL */
	const char *id;			/* what follows does not change */
	const char *account;		/* or NULL */
	time_t created;			/* 0: not known */
};

/* The first RECORD_ROOM octets of a file; then the lines that stay. */
void	record_put(struct buffer *, const struct record *, struct pool *);
void	record_put_fixed(struct buffer *, const struct record *,
	    struct pool *);

/* One line, without "NOOP " and line end; what is not known is passed over. */
void	record_take(struct record *, const char *line, struct pool *);

#endif
