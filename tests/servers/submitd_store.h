/*
 * A message on its way into a Maildir.  The octets are stored as they come;
 * beside the message in new/NAME there will be envelope/NAME.
 */
#ifndef SUBMITD_STORE_H
#define SUBMITD_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct store;

/*
 * maildir may be NULL: then the octets are counted and forgotten.  limit is
 * the number of octets from which the message is too large, 0 for none.
 * NULL, and a line on stderr, when there is no way to store anything.
 */
struct store *store_begin(const char *maildir, size_t limit);

void	store_octets(struct store *store, const unsigned char *octets,
	    size_t n);

/* What is known of the message so far. */
size_t	store_size(const struct store *store);
bool	store_is_too_large(const struct store *store);
bool	store_has_bare(const struct store *store);	/* CR or LF alone */
const char *store_name(const struct store *store);

/*
 * The value of the first header field of this name ("X-Field:"), if there is
 * one in the first 16 kB.
 */
bool	store_field(const struct store *store, const char *name, char *value,
	    size_t room);

/* Puts the envelope and then the message in their places. */
bool	store_commit(struct store *store, const char *envelope);

/* Frees; what was not committed is removed.  Takes NULL. */
void	store_end(struct store *store);

#endif
