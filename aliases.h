/*
 * aliases(5): what stands for a local name.  Pure, but for ":include:", which
 * goes through a function of the caller's.
 *
 * "name: member, member", continued on lines that begin with a blank; blank
 * lines and "#" comments may stand anywhere, also within an entry.  Names are
 * local ones and compare without case; what holds blanks or specials is
 * quoted.  "default", or else "*", stands for every name without an entry.
 *
 *	member			is
 *	user@example.org	what address_list() takes; one or several
 *	user			a local name, looked up again
 *	\user			a local name, not looked up again
 *	:include:/file		addresses: lines of them, with "#" comments
 *	|command, /file,	understood and refused, also in quotes
 *	:fail: and the like
 *
 * What is wrong with a member is told when the file is read and is the failure
 * of every expansion that comes to it: nobody is left out in silence.
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
	ALIASES_LINE_MAX = 64 * 1024,		/* octets of a line, */
	ALIASES_ENTRY_MAX = 1024 * 1024,	/* of an entry, */
	ALIASES_FILE_MAX = 16 * 1024 * 1024,	/* and of all files together */
	ALIASES_DEPTH_MAX = 32,
	ALIASES_MEMBERS_MAX = 10000		/* of one expansion */
};

struct alias_member {
	const struct mailbox *list;
	size_t n;
	bool final;			/* \name */
	const char *wrong;		/* "file:line: what", or NULL */
	enum failure_kind kind;		/* of what is wrong */
};

struct alias {
	const char *name;		/* as written */
	size_t line;
	struct alias_member *members;	/* at least one */
	size_t n;
};

struct aliases {
	const char *file;
	struct alias *list;		/* sorted by name, without case */
	size_t n;
	const char **errors;		/* "file:line: what", printable */
	size_t nerrors;
	const char *broken;		/* why its end could not be read, or
					   NULL; then nothing expands */
	struct pool *pool;
};

/*
 * Opens an included file; NULL with errno set.  *safe says whether none but
 * root can have written it: else it is not read.
 */
typedef FILE *aliases_open(const char *name, bool *safe);

void	aliases_init(struct aliases *, struct pool *);

/*
 * Reads one file.  All that is wrong in it or will be refused goes to the
 * errors, each with its own line, also of an included file; what newaliases
 * has to say is these.  Of two entries for one name the first stands.  Without
 * a function to open them no file is included.
 */
void	aliases_read(struct aliases *, FILE *, const char *file,
	    aliases_open *);

/*
 * Who stands behind a local name, in the order of the text, each once.
 * *found is false, and the list empty, when neither the name nor a default has
 * an entry; else there is at least one mailbox.
 *
 * Members without a domain, and those that is_local() claims, are looked up
 * again.  A name that leads back to itself is final and comes out with domain
 * NULL; so does a bare name without an entry.  One without an entry that was
 * written with a domain keeps it.
 *
 * FAILURE_ADDRESS for a member that is refused or no address; FAILURE_CONFIG
 * for what could not be read and beyond the limits.  Both name file and line.
 */
bool	aliases_expand(const struct aliases *, const char *local,
	    bool (*is_local)(const struct mailbox *, const void *),
	    const void *context, struct pool *, struct mailbox **, size_t *n,
	    bool *found, struct failure *why);

#endif
