/* Lines of a server: replies and EHLO keywords. */
#include "fuzz.h"
#include "reply.h"

#include <assert.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size, *nl, *text;
	struct capabilities can = { 0 };
	struct reply reply = { 0 };
	struct failure why;
	size_t len, n;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		len = (size_t)(nl - p);
		if (reply_add(&reply, p, len, &text, &n, &why) !=
		    REPLY_BROKEN) {
			assert(text >= p && text + n <= p + len);
			assert(reply.code >= 200 && reply.code <= 559);
			capabilities_line(&can, text, n);
		}
		if (nl == end)
			break;
	}
	assert(strlen(can.mechanisms) < sizeof can.mechanisms);
	assert(strlen(reply.text) == reply.len || reply.len > 0);
	return 0;
}
