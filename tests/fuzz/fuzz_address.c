/* Address lists: what is understood is understood again as it is sent. */
#include "address.h"
#include "path.h"
#include "fuzz.h"

#include <assert.h>
#include <string.h>

static void
again(const struct mailbox *m, struct pool *pool)
{
	const char *path = path_of(m, pool);
	struct failure why;
	struct mailbox same;

	assert(strpbrk(path, "\r\n") == NULL);
	if (m->domain == NULL)
		return;
	assert(address_sender(path, pool, &same, &why));
	assert(strcmp(same.local, m->local) == 0 && same.domain != NULL);
	assert(strcmp(path_of(&same, pool), path) == 0);
	assert(strcmp(path_key(&same, pool), path_key(m, pool)) == 0);
	assert(strcspn(strrchr(path_key(m, pool), '@'),
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
	    strlen(strrchr(path_key(m, pool), '@')));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	char *text = pool_octets(pool, (const char *)data, size);
	struct mailbox *list = NULL;
	struct failure why;
	size_t n = 0, i;

	if (address_list(text, pool, &list, &n, &why))
		for (i = 0; i < n; i++)
			again(&list[i], pool);
	else
		assert(why.kind == FAILURE_ADDRESS);
	pool_free(pool);
	return 0;
}
