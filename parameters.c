#include "parameters.h"
#include "buffer.h"
#include "keys.h"
#include "mime.h"
#include "phrases.h"
#include "utf8.h"
#include "words.h"

#include <ctype.h>
#include <string.h>

/* RFC 2231 section 7: what may stand there as it is. */
static bool
is_attribute_char(char c)
{
	return (isalnum((unsigned char)c) && (unsigned char)c < 0x80) ||
	    (c != '\0' && strchr("!#$&+-.^_`{|}~", c) != NULL);
}

static void
put_percent(struct buffer *b, const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (is_attribute_char(p[i]))
			buffer_put(b, p + i, 1);
		else
			buffer_printf(b, "%%%02X", (unsigned char)p[i]);
}

/* How much of the value a line of room octets holds; no character is cut. */
static size_t
segment(const char *value, size_t left, size_t room)
{
	size_t n = room / 3, back = 0;

	if (left <= n)
		return left;
	while (back < 3 && ((unsigned char)value[n - back] & 0xc0) == 0x80)
		back++;
	return n - back;
}

/* name*=charset''value, or name*0*=, name*1*= and so on, a line for each. */
static void
put_extended(struct folded *out, const struct mime_parameter *p, bool last)
{
	size_t name = strlen(p->name), left = strlen(p->value), n, i = 0;
	size_t room = WORDS_LINE - 24 - (name < 40 ? name : 0);
	bool whole = 3 * left + name + 20 < WORDS_LINE;
	const char *value = p->value;
	struct buffer b = { 0 };

	do {
		n = whole ? left : segment(value, left, room);
		buffer_put(&b, p->name, name);
		if (!whole)
			buffer_printf(&b, "*%zu", i);
		buffer_printf(&b, "*=%s%s", i == 0 ? words_charset(p->value,
		    strlen(p->value)) : "", i == 0 ? "''" : "");
		put_percent(&b, value, n);
		value += n;
		left -= n;
		if (left > 0 || !last)
			buffer_put(&b, ";", 1);
		folded_put(out, " ", 1, buffer_data(&b), buffer_len(&b));
		buffer_free(&b);
		i++;
	} while (left > 0);
}

/*
 * What is no parameter, or is written as RFC 2231 has it but for octets.  A
 * token may have "_", but no "?".
 */
static void
put_masked(struct folded *out, const char *p, size_t len, bool last,
    bool percent)
{
	struct buffer b = { 0 };
	size_t i;

	for (i = 0; i < len; i++) {
		if ((unsigned char)p[i] < 0x80)
			buffer_put(&b, p + i, 1);
		else if (percent)
			put_percent(&b, p + i, 1);
		else
			buffer_put(&b, "_", 1);
	}
	if (!last)
		buffer_put(&b, ";", 1);
	folded_put(out, " ", 1, buffer_data(&b), buffer_len(&b));
	buffer_free(&b);
}

static bool
is_in(const struct keys *names, const char *name)
{
	size_t at;

	return keys_find(names, name, &at);
}

/* The names that have a "*" behind them, as RFC 2231 has it. */
static struct keys
starred(const struct mime_parameter *list, size_t n, struct pool *pool)
{
	struct keys names = { 0 };
	const char *star, *name;
	size_t i;

	for (i = 0; i < n; i++) {
		star = strchr(list[i].name, '*');
		if (star == NULL)
			continue;
		name = pool_octets(pool, list[i].name,
		    (size_t)(star - list[i].name));
		if (!is_in(&names, name))
			keys_add(&names, name, i, pool);
	}
	return names;
}

/* Half a quoted string in it must not lose the other half. */
static bool
is_name(const char *s)
{
	size_t n = 0;

	while (is_attribute_char(s[n]))
		n++;
	return n > 0 && s[n] == '\0';
}

static bool
must_extend(const struct mime_parameter *p)
{
	return (utf8_beyond_ascii(p->value) ||
	    p->end - p->start > PHRASE_WORD_MAX) && is_name(p->name);
}

/*
 * How many are left: none that is empty, none that would be said twice.  Of
 * doubled ones the first counts, which may become one of RFC 2231 and then
 * would no longer.
 */
static size_t
drop_useless(struct mime_parameter *list, size_t n, struct pool *pool)
{
	struct keys stars = starred(list, n, pool), names = { 0 };
	size_t i, kept = 0;
	const char *name;

	for (i = 0; i < n; i++) {
		name = list[i].name;
		if (list[i].end <= list[i].start || is_in(&names, name) ||
		    (must_extend(&list[i]) && is_in(&stars, name)))
			continue;
		if (*name != '\0')
			keys_add(&names, name, i, pool);
		list[kept++] = list[i];
	}
	keys_free(&stars);
	keys_free(&names);
	return kept;
}

void
parameters_put(struct folded *out, const char *value, struct pool *pool)
{
	struct mime_parameter *list;
	size_t n, first, i;

	list = mime_parameters(value, &n, &first, pool);
	n = drop_useless(list, n, pool);
	put_masked(out, value, first, n == 0, false);
	for (i = 0; i < n; i++) {
		if (must_extend(&list[i]))
			put_extended(out, &list[i], i + 1 == n);
		else
			put_masked(out, value + list[i].start,
			    list[i].end - list[i].start, i + 1 == n,
			    strchr(list[i].name, '*') != NULL);
	}
}
