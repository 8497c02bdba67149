#include "header.h"
#include "crypto.h"
#include "token.h"
#include "utf8.h"
#include "words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Octets of a name that leaves room for an address in its line. */
enum { PLAIN_MAX = 300 };

size_t
header_name(const char *line, size_t len)
{
	size_t n = 0, i;

	while (n < len && line[n] > ' ' && line[n] < 0x7f && line[n] != ':')
		n++;
	for (i = n; i < len && (line[i] == ' ' || line[i] == '\t'); i++)
		;
	return i < len && line[i] == ':' ? n : 0;
}

void
header_split(const char *text, size_t len, struct field **fields, size_t *n,
    struct pool *pool)
{
	const char *p = text, *end, *nl;
	struct field *f = NULL;

	if (len == 0)
		return;
	for (end = p + len; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (f == NULL || (*p != ' ' && *p != '\t')) {
			*fields = pool_grow(pool, *fields, n, sizeof *f);
			f = &(*fields)[*n - 1];
			f->text = p;
			f->name_len = header_name(p, (size_t)(nl - p));
			f->body = (size_t)((const char *)memchr(p, ':',
			    (size_t)(nl - p)) - p) + 1;
		}
		f->len = (size_t)(nl + 1 - f->text);
	}
}

bool
field_is(const struct field *f, const char *name)
{
	return strlen(name) == f->name_len &&
	    strncasecmp(f->text, name, f->name_len) == 0;
}

/* Unfolding takes the line ends away and nothing else (section 2.2.3). */
char *
field_value(const struct field *f, struct pool *pool)
{
	char *value = pool_octets(pool, f->text + f->body, f->len - f->body);
	size_t i, o = 0;

	for (i = 0; i < f->len - f->body; i++)
		if (value[i] != '\r' && value[i] != '\n')
			value[o++] = value[i] != '\0' ? value[i] : '?';
	while (o > 0 && (value[o - 1] == ' ' || value[o - 1] == '\t'))
		o--;
	value[o] = '\0';
	return value + strspn(value, " \t");
}

char *
header_date(time_t when, struct pool *pool)
{
	static const char days[][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
		"Oct", "Nov", "Dec"
	};
	struct tm tm = { 0 };
	long minutes;

	if (localtime_r(&when, &tm) == NULL)
		(void)gmtime_r(&(time_t){ 0 }, &tm);
	minutes = tm.tm_gmtoff / 60;
	return pool_printf(pool, "%s, %02d %s %d %02d:%02d:%02d %c%02ld%02ld",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    minutes < 0 ? '-' : '+', (minutes < 0 ? -minutes : minutes) / 60,
	    (minutes < 0 ? -minutes : minutes) % 60);
}

char *
header_message_id(const char *domain, struct pool *pool)
{
	unsigned char octets[16];
	char hex[2 * sizeof octets + 1];

	crypto_random(octets, sizeof octets);
	crypto_hex(hex, octets, sizeof octets);
	return pool_printf(pool, "<%s@%s>", hex, domain);
}

/*
 * Atoms with single blanks between them need no quotes, but for what a reader
 * would take for an encoded word.
 */
static bool
is_plain(const char *s)
{
	if (*s == '\0' || strstr(s, "=?") != NULL)
		return false;
	for (; *s != '\0'; s++)
		if (!token_is_atext(*s) &&
		    (*s != ' ' || s[1] == ' ' || s[1] == '\0'))
			return false;
	return true;
}

/* Behind the longest name of a field that holds mailboxes. */
static char *
encoded(const char *s, struct pool *pool)
{
	struct buffer out = { 0 };
	size_t column = sizeof "Resent-Reply-To: " - 1;
	char *text;

	words_encode(&out, s, strlen(s), &column);
	text = pool_octets(pool, buffer_data(&out), buffer_len(&out));
	buffer_free(&out);
	return text;
}

/* Controls, also the second set of them (U+0080 to U+009F). */
static size_t
control(const char *p)
{
	unsigned char c = (unsigned char)*p, next = (unsigned char)p[1];

	if (c < ' ' || c == 0x7f)
		return 1;
	return c == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 0;
}

char *
header_phrase(const char *name, struct pool *pool)
{
	char *clean = pool_string(pool, name), *o = clean;
	size_t skip;

	while (*name != '\0') {
		skip = control(name);
		if (skip == 0)
			*o++ = *name++;
		name += skip;
	}
	*o = '\0';
	if (utf8_beyond_ascii(clean) || strlen(clean) > PLAIN_MAX)
		return encoded(clean, pool);
	return is_plain(clean) ? clean : token_quoted(clean, pool);
}
