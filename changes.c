#include "changes.h"
#include "failure.h"
#include "parts.h"

#include <stdio.h>
#include <string.h>

enum {
	AHEAD = 16,			/* fields, to find where both go on */
	LINE_SHOWN = 1000		/* octets */
};

void
changes_line(const char *sign, const char *text, size_t len)
{
	char clean[2 * LINE_SHOWN];

	(void)printable(clean, sizeof clean, text, len);
	(void)printf("  %s %s\n", sign, clean);
}

/* Each line of a folded field by itself. */
static void
show(const char *sign, const struct field *f)
{
	const char *p = f->text, *end = p + f->len, *nl;
	size_t n;

	for (; p < end; p += n) {
		nl = memchr(p, '\n', (size_t)(end - p));
		n = nl != NULL ? (size_t)(nl - p) + 1 : (size_t)(end - p);
		changes_line(sign, p, nl == NULL ? n : n > 1 &&
		    nl[-1] == '\r' ? n - 2 : n - 1);
	}
}

static bool
same(const struct field *a, const struct field *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Is it among the next ones?  How many stand before it. */
static bool
comes(const struct field *wanted, const struct field *list, size_t n,
    size_t *skipped)
{
	size_t i;

	for (i = 0; i < n && i < AHEAD; i++) {
		if (same(wanted, &list[i])) {
			*skipped = i;
			return true;
		}
	}
	return false;
}

size_t
changes_header(const struct field *before, size_t nbefore,
    const struct field *after, size_t nafter)
{
	size_t i = 0, j = 0, skip = 0, unchanged = 0;

	while (i < nbefore && j < nafter) {
		if (same(&before[i], &after[j])) {
			unchanged++;
			i++;
			j++;
		} else if (comes(&before[i], &after[j], nafter - j, &skip)) {
			while (skip-- > 0)
				show("+", &after[j++]);
		} else {
			show("-", &before[i++]);
		}
	}
	while (i < nbefore)
		show("-", &before[i++]);
	while (j < nafter)
		show("+", &after[j++]);
	return unchanged;
}

static const char *
encoding_name(enum mime_encoding e)
{
	static const char *const names[] = { [MIME_7BIT] = "7bit",
	    [MIME_8BIT] = "8bit", [MIME_BINARY] = "binary",
	    [MIME_QUOTED_PRINTABLE] = "quoted-printable",
	    [MIME_BASE64] = "base64", [MIME_UNKNOWN] = "an unknown one" };

	return names[e];
}

/* Which of its parent's parts it is. */
static size_t
place(const struct entity *list, size_t at)
{
	size_t i, nth = 0;

	for (i = 1; i <= at; i++)
		nth += list[i].parent == list[at].parent;
	return nth;
}

/* "1.2": the second part of the first; of the message itself "". */
static const char *
number(const struct parts *parts, size_t at, struct pool *pool)
{
	const struct entity *list = parts->list;
	const char *text = "";

	for (; at != 0; at = list[at].parent)
		text = pool_printf(pool, "%zu%s%s", place(list, at),
		    *text != '\0' ? "." : "", text);
	return text;
}

void
changes_parts(const struct message *before, const struct message *after,
    struct pool *pool)
{
	struct parts old = { 0 }, new = { 0 };
	struct failure ignored;
	size_t i;

	if (!parts_find(&old, before, pool, &ignored) ||
	    !parts_find(&new, after, pool, &ignored) || old.n != new.n)
		return;
	for (i = 0; i < old.n; i++) {
		if (old.list[i].encoding == new.list[i].encoding ||
		    old.list[i].has_parts)
			continue;
		(void)printf("  * %s%s becomes %s (it is called %s)\n", i == 0 ?
		    "the content" : "part ", number(&old, i, pool),
		    encoding_name(new.list[i].encoding),
		    encoding_name(old.list[i].encoding));
	}
}
