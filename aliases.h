/*
 * aliases(5): what stands for a local name.  Pure, but for ":include:", which
 * goes through a function of the caller's.
 *
 * "name: member, member", continued on lines that begin with a blank; names
 * without regard to case; "#" comments; quoted names and members.  Members are
 * addresses, local names, \name (no further alias), :include:/file.
 * |command, /file and other :words: are understood and refused.  "default" and
 * "*" stand for every name that has no entry.
 */
#ifndef ALIASES_H
#define ALIASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "address.h"
#include "failure.h"
#include "pool.h"

enum {
	ALIASES_LINE_MAX = 1024 * 1024,	/* octets of one entry */
	ALIASES_DEPTH_MAX = 32,
	ALIASES_MEMBERS_MAX = 10000	/* of one expansion */
};

struct alias {
	const char *name;		/* in small letters */
	size_t line;
	const char **members;
	size_t n;
};

struct aliases {
	const char *file;
	struct alias *list;		/* sorted by name */
	size_t n;
	const char **errors;		/* "file:line: what", all of them */
	size_t nerrors;
	struct pool *pool;
};

/*
 * Opens an included file; NULL with errno set.  *safe says whether none but
 * root can have written it: else it is not read.
 */
typedef FILE *aliases_open(const char *name, bool *safe);

void	aliases_init(struct aliases *, struct pool *);

/* Reads one file; what is wrong in it goes to the errors. */
void	aliases_read(struct aliases *, FILE *, const char *file,
	    aliases_open *);

/*
 * Who stands behind a local name.  *found is false when neither the name nor
 * a default has an entry.  is_local() says which members are looked up again;
 * a local name without an entry, and one that leads back to itself, comes out
 * with domain NULL.  A mailbox may come more than once.  FAILURE_ADDRESS for a
 * member that is refused, FAILURE_CONFIG beyond the limits; both name the line.
 */
bool	aliases_expand(const struct aliases *, const char *local,
	    bool (*is_local)(const struct mailbox *, const void *),
	    const void *context, struct pool *, struct mailbox **, size_t *n,
	    bool *found, struct failure *why);

#endif
