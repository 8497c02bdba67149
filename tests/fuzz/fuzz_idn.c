/* Domains: what comes of one is one that the DNS may have, and stays so. */
#include "fuzz.h"
#include "idn.h"

#include <assert.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	char *ascii = idn_ascii(pool_octets(pool, (const char *)data, size),
	    pool);

	if (ascii != NULL) {
		assert(strlen(ascii) <= 253 && strstr(ascii, "..") == NULL);
		assert(*ascii != '.' && ascii[strspn(ascii, "abcdefghijklm"
		    "nopqrstuvwxyz0123456789-_.")] == '\0');
		assert(strcmp(idn_ascii(ascii, pool), ascii) == 0);
	}
	pool_free(pool);
	return 0;
}
