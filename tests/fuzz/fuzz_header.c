/*
 * A header and what MIME says in it: the fields are all of the text, one
 * behind the other; a value is one line; parameters lie within it.  A name as
 * a phrase: ASCII in short lines, and understood again as that name.
 */
#include "fuzz.h"
#include "address.h"
#include "mime.h"
#include "utf8.h"

#include <assert.h>
#include <string.h>

static void
check_value(const struct field *f, struct pool *pool)
{
	char *value = field_value(f, pool);
	size_t len = strlen(value), n, i, first;
	struct mime_parameter *list;

	assert(len <= f->len && strpbrk(value, "\r\n") == NULL);
	list = mime_parameters(value, &n, &first, pool);
	assert(first <= len);
	for (i = 0; i < n; i++) {
		assert(list[i].start <= list[i].end && list[i].end <= len);
		assert(list[i].start >= (i > 0 ? list[i - 1].end : first));
		assert(strlen(list[i].value) <= len);
	}
}

static void
check_delimiter(const struct mime *m, struct pool *pool)
{
	char *line;
	bool last;

	if (m->boundary == NULL)
		return;
	line = pool_printf(pool, "--%s", m->boundary);
	assert(mime_is_delimiter(line, strlen(line), m->boundary, &last) &&
	    !last);
	line = pool_printf(pool, "--%s-- \t", m->boundary);
	assert(mime_is_delimiter(line, strlen(line), m->boundary, &last) &&
	    last);
}

static void
check_header(const char *text, size_t len, struct pool *pool)
{
	struct field *fields = NULL;
	size_t n = 0, i, at = 0;
	struct mime mime;

	header_split(text, len, &fields, &n, pool);
	for (i = 0; i < n; i++) {
		assert(fields[i].text == text + at);
		assert(fields[i].body <= fields[i].len);
		assert(fields[i].name_len < fields[i].len);
		at += fields[i].len;
		check_value(&fields[i], pool);
	}
	assert(n == 0 || at == len);
	mime_read(&mime, fields, n, false, pool);
	check_delimiter(&mime, pool);
	mime_read(&mime, fields, n, true, pool);
}

/* Lines with LF, the last one too, each a field or the end of one. */
static char *
in_form(const uint8_t *data, size_t size, size_t *len, struct pool *pool)
{
	char *text = pool_alloc(pool, 2 * size + 3);
	size_t i, start = 0, n = 0;

	for (i = 0; i < size; i++) {
		text[n++] = (char)data[i];
		if (data[i] != '\n')
			continue;
		if (text[start] != ' ' && text[start] != '\t' &&
		    header_name(text + start, n - start - 1) == 0)
			n = start;		/* is none: left out */
		start = n;
	}
	n = start;
	for (start = 0; start < n && header_name(text + start, (size_t)
	    ((char *)memchr(text + start, '\n', n - start) - text) -
	    start) == 0;)
		start = (size_t)((char *)memchr(text + start, '\n',
		    n - start) - text) + 1;
	*len = n - start;
	return text + start;
}

static void
check_phrase(const char *name, struct pool *pool)
{
	const char *phrase = header_phrase(name, pool), *p;
	struct mailbox *list = NULL;
	struct failure why;
	size_t n = 0, column = 0;
	struct field f;

	assert(!utf8_beyond_ascii(phrase));
	for (p = phrase; *p != '\0'; p++) {
		column = *p == '\n' ? 0 : column + 1;
		assert((unsigned char)*p >= ' ' || *p == '\t' ||
		    (p[0] == '\r' && p[1] == '\n' && p[2] == ' ') ||
		    (p[0] == '\n' && p[-1] == '\r'));
		assert(column <= 78 || strncmp(phrase, "=?", 2) != 0);
	}
	if (*phrase == '\0' || strlen(phrase) > 900)
		return;
	f = (struct field){ .text = pool_printf(pool, "From: %s <a@b>\r\n",
	    phrase), .name_len = 4, .body = 5 };
	f.len = strlen(f.text);
	assert(address_list(field_value(&f, pool), pool, &list, &n, &why));
	assert(n == 1 && strcmp(list[0].local, "a") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	size_t len;
	char *text = in_form(data, size, &len, pool);

	check_header(text, len, pool);
	check_phrase(pool_octets(pool, (const char *)data, size), pool);
	pool_free(pool);
	return 0;
}
