/*
 * What was seen once: of each account's servers the strongest mechanism that
 * was offered, the best TLS, and the keywords of EHLO; of a domain, that it
 * names its servers.  A small text file, one line for each; losing it loses
 * nothing but caution.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "pool.h"

/* NULL: not known, or there was none. */
struct sight {
	const char *mechanism;		/* strongest offered, or for a domain
					   the URL of its first server */
	const char *tls;		/* "TLS1.3" */
	const char *day;		/* when first seen so, "2026-11-24" */
	const char *offers;		/* its keywords (capabilities_text()) */
};

struct memory;

/* Makes the folder of the file, and all above it. */
void	memory_prepare(const char *file, struct pool *);

/*
 * Reads the file, which need not exist.  file NULL (no home) is a memory that
 * keeps nothing.
 */
struct memory *memory_open(const char *file, struct pool *);

/* What is known of this account's server (a URL or a domain); or NULL. */
const struct sight *memory_of(const struct memory *, const char *account,
	    const char *server);

/*
 * Notes what was seen now, in the file too when it is news: it is written
 * anew (0600) under a lock, and whatever else has been noted meanwhile stays.
 * A file that cannot be written costs a line in the log.
 */
void	memory_note(struct memory *, const char *account, const char *server,
	    const struct sight *);

/*
 * Takes all lines of the account out.  *n of them; FAILURE_LOCAL when the
 * file cannot be written.
 */
bool	memory_forget(struct memory *, const char *account, size_t *n,
	    struct failure *why);

#endif
