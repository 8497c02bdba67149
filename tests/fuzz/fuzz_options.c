/* A command line, one word a line; the first is the program's name. */
#include "fuzz.h"
#include "options.h"

#include <assert.h>
#include <string.h>

enum { WORDS_MAX = 64 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	char *p = pool_octets(pool, (const char *)data, size);
	char *argv[WORDS_MAX + 1] = { 0 };
	struct options options;
	struct failure why;
	int argc = 0;

	for (p = strtok(p, "\n"); p != NULL && argc < WORDS_MAX;
	    p = strtok(NULL, "\n"))
		argv[argc++] = p;
	if (options_parse(&options, argc, argv, pool, &why) &&
	    !options.sendoff) {
		assert(options.config == NULL && options.noverrides == 0);
		assert(options.account == NULL);
	}
	pool_free(pool);
	return 0;
}
