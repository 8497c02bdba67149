/*
 * One field of a header: what comes of it is ASCII without NUL or bare CR and
 * LF, in lines of at most 998 octets, still one field of that name, and needs
 * nothing more.
 */
#include "fuzz.h"
#include "buffer.h"
#include "downgrade.h"
#include "folded.h"
#include "utf8.h"

#include <assert.h>
#include <string.h>

/* What reading a message makes of it: lines with CRLF, no other CR. */
static void
normalise(struct buffer *out, const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] == '\n')
			buffer_put(out, "\r\n ", 3);
		else
			buffer_put(out, p[i] == '\r' ? " " : p + i, 1);
	}
	buffer_put(out, "\r\n", 2);
}

static void
check_text(const char *p)
{
	size_t column = 0;

	assert(!utf8_beyond_ascii(p));
	for (; *p != '\0'; p++) {
		if (*p == '\r') {
			assert(p[1] == '\n');
			column = 0;
			p++;
			continue;
		}
		assert(*p != '\n');
		column++;
		assert(column <= FOLDED_LINE_MAX);
	}
	assert(p[-1] == '\n');
}

static void
check(const struct field *f, struct pool *pool)
{
	struct field *again = NULL;
	struct failure why;
	const char *text;
	size_t n = 0;

	(void)downgrade_loses(f, pool);
	if (!downgrade_field(f, &text, pool, &why))
		return;
	check_text(text);
	header_split(text, strlen(text), &again, &n, pool);
	assert(n == 1 && again->name_len == f->name_len &&
	    memcmp(again->text, f->text, f->name_len) == 0);
	assert(!downgrade_is_needed(again) && !downgrade_loses(again, pool));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct buffer text = { 0 };
	struct field *f = NULL;
	size_t n = 0;

	normalise(&text, (const char *)data, size);
	if (header_name(buffer_data(&text), buffer_len(&text)) > 0) {
		header_split(buffer_data(&text), buffer_len(&text), &f, &n,
		    pool);
		check(f, pool);
	}
	buffer_free(&text);
	pool_free(pool);
	return 0;
}
