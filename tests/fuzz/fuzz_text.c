/*
 * Text from anywhere, made fit for a person's eyes: one line of UTF-8 without
 * controls, as long as its room allows, and nothing more to do to it.  The
 * first octet is the room.  Encoded words have nothing but ASCII.
 */
#include "fuzz.h"
#include "buffer.h"
#include "failure.h"
#include "utf8.h"
#include "words.h"

#include <assert.h>
#include <string.h>

static void
check_shown(const char *p)
{
	unsigned long code;
	size_t len = strlen(p), n;

	for (; len > 0; p += n, len -= n) {
		n = utf8_character(p, len, &code);
		assert(n > 0 && code >= ' ' && (code < 0x7f || code >= 0xa0));
	}
}

static void
check_printable(const char *text, size_t len, size_t room)
{
	char out[300], again[300];

	if (room == 0) {
		(void)printable(out, room, text, len);
	} else if (printable(out, room, text, len)) {
		assert(printable(again, room, out, strlen(out)));
		assert(strcmp(out, again) == 0);
	} else if (room > 3) {
		assert(strlen(out) >= 3 &&
		    strcmp(out + strlen(out) - 3, "...") == 0);
	}
	if (room > 0) {
		assert(strlen(out) < room);
		check_shown(out);
	}
}

/* In pieces or whole: the same. */
static void
check_utf8(const char *text, size_t len, size_t piece)
{
	struct utf8_check check = { 0 };
	bool good = true, beyond = false;
	size_t i, n;

	for (i = 0; i < len; i += piece)
		utf8_check(&check, text + i, piece < len - i ? piece :
		    len - i);
	for (i = 0; i < len && good; i += n) {
		n = utf8_character(text + i, len - i, NULL);
		good = n > 0;
	}
	for (i = 0; i < len; i++)
		beyond = beyond || (unsigned char)text[i] > 0x7f;
	assert(good == (!check.bad && check.wanted == 0));
	assert(beyond == utf8_beyond(text, len));
}

static void
check_words(const char *text, size_t len)
{
	struct buffer out = { 0 };
	size_t column = 10, i, n;
	const char *p;

	words_encode(&out, text, len, &column);
	p = buffer_data(&out);
	n = buffer_len(&out);
	assert(n == 0 || !utf8_beyond(p, n));
	for (i = 0; i < n; i++)
		assert(p[i] >= ' ' || (p[i] == '\r' && p[i + 1] == '\n') ||
		    (p[i] == '\n' && p[i - 1] == '\r'));
	buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1;

	if (size == 0)
		return 0;
	check_printable(p, size - 1, data[0]);
	check_utf8(p, size - 1, (data[0] & 7) + 1U);
	check_words(p, size - 1);
	return 0;
}
