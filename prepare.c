#include "prepare.h"

#include <gsasl.h>
#include <stdbool.h>
#include <string.h>

/* What is printable ASCII is its own prepared form. */
static bool
is_plain(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

void
prepare(const char *text, size_t len, struct buffer *out)
{
	struct buffer whole = { 0 };
	char *prepared = NULL;
	int error;

	buffer_put(&whole, text, len);
	buffer_put(&whole, "", 1);
	if (!is_plain(text, len) && gsasl_saslprep(buffer_data(&whole), 0,
	    &prepared, &error) == GSASL_OK) {
		buffer_put(out, prepared, strlen(prepared));
		explicit_bzero(prepared, strlen(prepared));
		gsasl_free(prepared);
	} else {
		buffer_put(out, text, len);
	}
	buffer_wipe(&whole);
}
