/* A file of aliases: every name in it expands to addresses or to a failure. */
#include "aliases.h"
#include "fuzz.h"

#include <assert.h>
#include <string.h>

static bool
is_local(const struct mailbox *m, const void *context)
{
	(void)context;
	return m->domain == NULL;
}

static void
expand(const struct aliases *a, const char *name, struct pool *pool)
{
	struct mailbox *list = NULL;
	struct failure why;
	size_t n = 0;
	bool found;

	if (aliases_expand(a, name, is_local, NULL, pool, &list, &n, &found,
	    &why))
		assert(n <= ALIASES_MEMBERS_MAX);
	else
		assert(why.kind == FAILURE_ADDRESS ||
		    why.kind == FAILURE_CONFIG);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct aliases a;
	size_t i;
	FILE *f;

	if (size > 0) {
		f = fmemopen((void *)(uintptr_t)data, size, "r");
		assert(f != NULL);
		aliases_init(&a, pool);
		aliases_read(&a, f, "f", NULL);
		(void)fclose(f);
		for (i = 0; i < a.n && i < 20; i++)
			expand(&a, a.list[i].name, pool);
		expand(&a, "nobody", pool);
	}
	pool_free(pool);
	return 0;
}
