/* A .netrc, asked for one host and user. */
#include "fuzz.h"
#include "netrc.h"

#include <assert.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer secret = { 0 };
	const char *text = (const char *)data;
	bool found = netrc_find(text, size, "mail.example.org",
	    "me@example.org", &secret);

	assert(found || buffer_len(&secret) == 0);
	assert(buffer_len(&secret) <= size);
	buffer_wipe(&secret);
	return 0;
}
