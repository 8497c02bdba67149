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

struct spool;

/*
 * directory: where the file is made when it comes to that (NULL: /var/tmp,
 * then /tmp).  It is not copied.
 */
struct spool *spool_new(const char *directory);
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

/* Where a file is made, the first that can be of at most SPOOL_PLACES. */
enum { SPOOL_PLACES = 3 };

size_t	spool_places(const char *places[SPOOL_PLACES], const char *directory);

/* Can a temporary file be made there that never has a name? */
bool	spool_is_nameless(const char *directory);

const char *spool_directory(const struct spool *);
uint64_t spool_size(const struct spool *);

/* Up to room octets from offset on; *n is 0 only at the end. */
bool	spool_read(const struct spool *, uint64_t offset, char *, size_t room,
	    size_t *n, struct failure *);

#endif
