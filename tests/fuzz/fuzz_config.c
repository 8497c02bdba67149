/* A configuration file: errors or accounts, never a crash. */
#include "config.h"
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = { .pool = pool_new() };
	char *copy = pool_octets(config.pool, (const char *)data, size);
	FILE *f = fmemopen(copy, size + 1, "r");
	size_t i;

	if (f != NULL) {
		config_read(&config, f, "fuzz", false, NULL);
		(void)fclose(f);
	}
	for (i = 0; i < config.n; i++)
		assert(config_number(&config.accounts[i],
		    SET_TIMEOUT_CONNECT) >= 0 || config.nerrors > 0);
	pool_free(config.pool);
	return 0;
}
