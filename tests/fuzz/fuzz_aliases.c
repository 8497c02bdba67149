/*
 * A file of aliases: every name in it expands to somebody, each once, or to a
 * failure; no command, file or empty name comes out.
 */
#include "aliases.h"
#include "fuzz.h"
#include "path.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static bool
is_local(const struct mailbox *m, const void *context)
{
	(void)context;
	return m->domain == NULL || strcmp(m->domain, "localhost") == 0;
}

/* Included files, by the length of their names. */
static FILE *
open_list(const char *name, bool *safe)
{
	static const char *const texts[] = { "a@x\n# b\n c@x, a\n", "|c\n",
	    "b@\n:include:/f", "# nobody\n", "d@x", "\"e\\\",\", \\a\r\n" };
	size_t n = strlen(name);
	const char *text = texts[n % 6];

	*safe = n % 7 != 0;
	errno = ENOENT;
	return n % 8 == 0 ? NULL : fmemopen((void *)(uintptr_t)text,
	    strlen(text), "r");
}

static void
judge(const struct mailbox *list, size_t n, struct pool *pool)
{
	size_t i, j;

	assert(n <= ALIASES_MEMBERS_MAX);
	for (i = 0; i < n; i++) {
		assert(list[i].domain != NULL ||
		    strchr("|/:", *list[i].local) == NULL);
		for (j = 0; j < i && n < 50; j++)
			assert(strcmp(path_key(&list[i], pool),
			    path_key(&list[j], pool)) != 0);
	}
}

static void
expand(const struct aliases *a, const char *name, bool known,
    struct pool *pool)
{
	struct mailbox *list = NULL;
	struct failure why;
	size_t n = 0;
	bool found;

	if (aliases_expand(a, name, is_local, NULL, pool, &list, &n, &found,
	    &why)) {
		assert(found == (n > 0));
		judge(list, n, pool);
	} else {
		assert(why.kind == FAILURE_ADDRESS ||
		    why.kind == FAILURE_CONFIG);
		assert(strchr(why.text, ':') != NULL);
	}
	assert(found || !known);
}

static void
read_aliases(struct aliases *a, const uint8_t *data, size_t size)
{
	FILE *f = fmemopen((void *)(uintptr_t)data, size, "r");
	size_t i;

	assert(f != NULL);
	aliases_read(a, f, "f", open_list);
	(void)fclose(f);
	for (i = 0; i < a->nerrors; i++)
		assert(strpbrk(a->errors[i], "\n\r\033") == NULL);
	for (i = 0; i < a->n; i++)
		assert(a->list[i].n > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct aliases a;
	size_t i;

	aliases_init(&a, pool);
	if (size > 0)
		read_aliases(&a, data, size);
	for (i = 0; i < a.n && i < 20; i++)
		expand(&a, a.list[i].name, true, pool);
	expand(&a, "nobody", false, pool);
	pool_free(pool);
	return 0;
}
