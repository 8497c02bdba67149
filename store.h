/*
 * Kept messages found and read back (keep.h writes them).
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "caller.h"
#include "config.h"
#include "failure.h"
#include "pool.h"

struct stored {
	const char *path;
	const char *id;
	const char *account;		/* its name, or NULL */
	const char *state;		/* "held", "refused", "unknown" */
	const char *reason;		/* of the last attempt, or NULL */
	time_t created;			/* 0: not known */
	const char *mail;		/* behind "MAIL": "FROM:<a> SIZE=1" */
	const char *sender;		/* of it, without brackets */
	const char **rcpt;		/* behind each "RCPT" */
	const char **recipients;	/* of them */
	size_t n;
	uint64_t data;			/* where the data begin, octets */
	uint64_t size;			/* of the file */
};

/* One file.  FAILURE_KEEP when it is no kept message or cannot be read. */
bool	store_read(const char *path, struct stored *, struct pool *,
	    struct failure *why);

/*
 * All of the caller's, by age: in the folders that the accounts name, in
 * ~/.local/state/sendoff and in /var/spool/sendoff/UID; for root in everyone's
 * below /var/spool/sendoff.  Files that are none are passed over with a line
 * in the log.
 */
struct stored *store_list(const struct config *, const struct caller *,
	    struct pool *, size_t *n);

#endif
