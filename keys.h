/*
 * Strings, each with a number, found again in a time that grows with the
 * logarithm of how many they are: whoever chooses the strings cannot make it
 * longer.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

/* Zeroed, it holds none. */
struct keys {
	void *root;
};

/* The number of a key that is there; false when it is not. */
bool	keys_find(const struct keys *, const char *text, size_t *number);

/* A key that is not there; it is not copied, the pool holds the rest. */
void	keys_add(struct keys *, const char *text, size_t number, struct pool *);

/* Forgets one key, which may be missing, or all of them. */
void	keys_remove(struct keys *, const char *text);
void	keys_free(struct keys *);

#endif
