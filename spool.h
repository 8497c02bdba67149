/*
 * Octets of any number, written once from the first to the last, then read
 * anywhere: in memory up to SPOOL_MEMORY, beyond in a temporary file that has
 * no name.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

enum { SPOOL_MEMORY = 1024 * 1024 };

/*
 * Files of as many spools as there can be at once, opened beforehand for who
 * will not be allowed to open any (confine.h): a spool takes one and gives it
 * back empty.
 */
enum { SPOOL_SPARES = 4 };

struct spool_room {
	const char *directory;		/* where files are made; NULL: /var/tmp,
					   then /tmp */
	int spares[SPOOL_SPARES];
	size_t n;
	bool reserves;			/* they were opened beforehand */
};

/* Opens n of them; those that cannot be opened will be missed later. */
void	spool_reserve(struct spool_room *, size_t n);

struct spool;

/* room is kept, not copied.  NULL: a file is made when it comes to that. */
struct spool *spool_new(struct spool_room *room);
void	spool_free(struct spool *);			/* takes NULL */

/* False with FAILURE_INPUT when there is no room on disk. */
bool	spool_put(struct spool *, const char *, size_t len, struct failure *);

/*
 * The same in two steps, without a copy: room for n octets, valid until the
 * next call, and how many were written there.
 */
char	*spool_room(struct spool *, size_t n);
bool	spool_added(struct spool *, size_t n, struct failure *);

/* After the last spool_put(). */
bool	spool_end(struct spool *, struct failure *);

struct spool_room *spool_room_of(const struct spool *);
uint64_t spool_size(const struct spool *);

/* Up to room octets from offset on; *n is 0 only at the end. */
bool	spool_read(const struct spool *, uint64_t offset, char *, size_t room,
	    size_t *n, struct failure *);

#endif
