/* A netrc file and a host: a password of it or none, never a crash. */
#include "fuzz.h"
#include "netrc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The password can be no longer than the file. */
static void
find(const char *text, size_t len, const char *host, const char *user)
{
	struct buffer secret = { 0 };
	bool found = netrc_find(text, len, host, user, &secret);

	assert(found || buffer_len(&secret) == 0);
	assert(buffer_len(&secret) <= len);
	buffer_wipe(&secret);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text + 1, data, size);
	find(text + 1, size, "mail.example.org", "me");
	find(text + 1, size, "mail.example.org", "");
	find(text + 1, size, "elsewhere.example", "me");
	free(text);
	return 0;
}
