#define _GNU_SOURCE			/* tdestroy() */
#include "keys.h"

#include <search.h>
#include <string.h>

struct key {
	const char *text;
	size_t number;
};

static int
compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return strcmp(x->text, y->text);
}

bool
keys_find(const struct keys *keys, const char *text, size_t *number)
{
	const struct key wanted = { .text = text };
	struct key *const *found = tfind(&wanted, &keys->root, compare);

	if (found == NULL)
		return false;
	*number = (*found)->number;
	return true;
}

void
keys_add(struct keys *keys, const char *text, size_t number,
    struct pool *pool)
{
	struct key *key = pool_alloc(pool, sizeof *key);

	*key = (struct key){ text, number };
	if (tsearch(key, &keys->root, compare) == NULL)
		pool_exhausted();
}

void
keys_remove(struct keys *keys, const char *text)
{
	const struct key wanted = { .text = text };

	(void)tdelete(&wanted, &keys->root, compare);
}

static void
nothing(void *key)
{
	(void)key;			/* is the pool's */
}

void
keys_free(struct keys *keys)
{
	tdestroy(keys->root, nothing);
	keys->root = NULL;
}
