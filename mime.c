#include "mime.h"
#include "buffer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SECTIONS_MAX = 100 };		/* of a parameter (RFC 2231) */

/*
 * Where the ";" is that ends this part, outside quotes and comments.  A "("
 * within a word is left there by programs that should have quoted it.
 */
static size_t
part_end(const char *s, size_t at)
{
	bool quoted = false;
	size_t depth = 0;

	for (; s[at] != '\0'; at++) {
		if (s[at] == '\\' && (quoted || depth > 0) && s[at + 1] != '\0')
			at++;
		else if (s[at] == '"' && depth == 0)
			quoted = !quoted;
		else if (!quoted && s[at] == '(' && (depth > 0 || at == 0 ||
		    strchr(" \t;", s[at - 1]) != NULL))
			depth++;
		else if (!quoted && s[at] == ')' && depth > 0)
			depth--;
		else if (!quoted && depth == 0 && s[at] == ';')
			break;
	}
	return at;
}

static size_t
blanks(const char *s)
{
	return strspn(s, " \t");
}

/* Without its quotes, or to before a comment; blanks around are dropped. */
static char *
unquoted(const char *s, size_t len, struct pool *pool)
{
	char *out = pool_alloc(pool, len + 1);
	bool quoted = len > 0 && *s == '"';
	size_t i, o = 0;

	for (i = quoted; i < len; i++) {
		if (quoted && s[i] == '"')
			break;
		if (!quoted && s[i] == '(' && i > 0 && blanks(s + i - 1) > 0)
			break;
		if (quoted && s[i] == '\\' && i + 1 < len)
			i++;
		out[o++] = s[i];
	}
	while (o > 0 && !quoted && (out[o - 1] == ' ' || out[o - 1] == '\t'))
		o--;
	out[o] = '\0';
	return out;
}

static char *
lower(char *s)
{
	char *p;

	for (p = s; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return s;
}

/* Octets of blanks and comments, which may stand before each word. */
static size_t
cfws(const char *s, size_t len)
{
	size_t n, depth = 0;

	for (n = 0; n < len && (depth > 0 || strchr(" \t(", s[n]) != NULL);
	    n++) {
		if (s[n] == '\\' && n + 1 < len)
			n++;
		else if (s[n] == '(')
			depth++;
		else if (s[n] == ')')
			depth--;
	}
	return n;
}

/* From start to end, perhaps "name=value". */
static struct mime_parameter
parameter(const char *value, size_t start, size_t end, struct pool *pool)
{
	size_t name = start + cfws(value + start, end - start), after, name_end;
	const char *equals = memchr(value + name, '=', end - name);

	start += blanks(value + start);
	if (equals == NULL || value + name == equals)
		return (struct mime_parameter){ .name = "", .value = "",
		    .start = start < end ? start : end, .end = end };
	name_end = (size_t)(equals - value);
	while (name_end > name && blanks(value + name_end - 1) > 0)
		name_end--;
	after = (size_t)(equals + 1 - value);
	after += blanks(value + after);
	if (after > end)
		after = end;
	return (struct mime_parameter){ .start = start, .end = end,
	    .name = lower(pool_octets(pool, value + name, name_end - name)),
	    .value = unquoted(value + after, end - after, pool) };
}

struct mime_parameter *
mime_parameters(const char *value, size_t *n, size_t *first,
    struct pool *pool)
{
	struct mime_parameter *list = NULL;
	size_t at = part_end(value, 0), end;

	*n = 0;
	if (first != NULL)
		*first = at;
	for (; value[at] != '\0'; at = end) {
		end = part_end(value, at + 1);
		list = pool_grow(pool, list, n, sizeof *list);
		list[*n - 1] = parameter(value, at + 1, end, pool);
	}
	return list;
}

/* The next word of a value, in small letters: a token or an atom. */
static const char *
token(const char **s, struct pool *pool)
{
	const char *p = *s + cfws(*s, strlen(*s));
	size_t len = strcspn(p, " \t()<>@,;:\\\"/[]?=");

	*s = p + len;
	return lower(pool_octets(pool, p, len));
}

static const struct {
	const char *subtype;
	enum mime_kind kind;
} messages[] = {
	{ "rfc822", MIME_MESSAGE },	{ "global", MIME_MESSAGE },
	{ "news", MIME_MESSAGE },	{ "partial", MIME_FRAGMENT },
	{ "external-body", MIME_FIELDS },
	{ "delivery-status", MIME_FIELDS },
	{ "disposition-notification", MIME_FIELDS },
	{ "feedback-report", MIME_FIELDS },
	{ "global-delivery-status", MIME_FIELDS },
	{ "global-disposition-notification", MIME_FIELDS },
};

static void
set_kind(struct mime *m, const char *type, const char *subtype)
{
	size_t i;

	m->kind = MIME_OTHER;
	if (strcmp(type, "text") == 0)
		m->kind = MIME_TEXT;
	if (strcmp(type, "multipart") == 0)
		m->kind = MIME_MULTIPART;
	m->is_digest = m->kind == MIME_MULTIPART &&
	    strcmp(subtype, "digest") == 0;
	m->is_signed = m->kind == MIME_MULTIPART &&
	    strcmp(subtype, "signed") == 0;
	for (i = 0; i < sizeof messages / sizeof *messages; i++)
		if (strcmp(type, "message") == 0 &&
		    strcmp(subtype, messages[i].subtype) == 0)
			m->kind = messages[i].kind;
}

struct parameters {
	struct mime_parameter *list;
	size_t n;
	struct pool *pool;
};

/* The value of the first of that name, or NULL. */
static const char *
named(const struct parameters *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return p->list[i].value;
	return NULL;
}

/* "%" and two digits are an octet (RFC 2231 section 4). */
static void
put_decoded(struct buffer *out, const char *s)
{
	unsigned octet;

	for (; *s != '\0'; s++) {
		if (*s == '%' && isxdigit((unsigned char)s[1]) &&
		    sscanf(s + 1, "%2x", &octet) == 1 && octet != 0) {
			buffer_put(out, (char[]){ (char)octet }, 1);
			s += isxdigit((unsigned char)s[2]) ? 2 : 1;
		} else {
			buffer_put(out, s, 1);
		}
	}
}

/* Behind charset'language'. */
static const char *
behind_charset(const char *s)
{
	const char *quote = strchr(s, '\'');

	quote = quote != NULL ? strchr(quote + 1, '\'') : NULL;
	return quote != NULL ? quote + 1 : s;
}

/* Section number i of "name*0", "name*1*" and so on; false: there is none. */
static bool
put_section(struct buffer *out, const struct parameters *p, const char *name,
    size_t i)
{
	const char *s = named(p, pool_printf(p->pool, "%s*%zu", name, i));

	if (s != NULL) {
		buffer_put(out, s, strlen(s));
		return true;
	}
	s = named(p, pool_printf(p->pool, "%s*%zu*", name, i));
	if (s == NULL)
		return false;
	put_decoded(out, i == 0 ? behind_charset(s) : s);
	return true;
}

/* As it stands, or put together as of RFC 2231; or NULL. */
static const char *
value_of(const struct parameters *p, const char *name)
{
	const char *s = named(p, name);
	struct buffer out = { 0 };
	size_t i = 0;

	if (s != NULL)
		return s;
	s = named(p, pool_printf(p->pool, "%s*", name));
	if (s != NULL)
		put_decoded(&out, behind_charset(s));
	else
		while (i < SECTIONS_MAX && put_section(&out, p, name, i))
			i++;
	if (s != NULL || i > 0)
		s = pool_octets(p->pool, buffer_data(&out), buffer_len(&out));
	buffer_free(&out);
	return s;
}

/* No boundary ends in a blank (RFC 2046 section 5.1.1). */
static const char *
trimmed(const char *s, struct pool *pool)
{
	size_t n = strlen(s);

	while (n > 0 && blanks(s + n - 1) > 0)
		n--;
	return pool_octets(pool, s, n);
}

/* Section 5.2: what cannot be understood is text. */
static void
read_type(struct mime *m, const struct field *f, struct pool *pool)
{
	const char *value = field_value(f, pool), *s = value;
	const char *type = token(&s, pool), *subtype = "";
	struct parameters list = { .pool = pool };

	s += blanks(s);
	if (*s == '/' && *type != '\0') {
		s++;
		subtype = token(&s, pool);
	}
	m->has_type = *subtype != '\0';
	if (!m->has_type)
		return;
	set_kind(m, type, subtype);
	list.list = mime_parameters(value, &list.n, NULL, pool);
	m->charset = value_of(&list, "charset");
	m->boundary = value_of(&list, "boundary");
	if (m->boundary != NULL)
		m->boundary = trimmed(m->boundary, pool);
}

static void
read_encoding(struct mime *m, const struct field *f, struct pool *pool)
{
	static const char *const names[] = {
		[MIME_7BIT] = "7bit", [MIME_8BIT] = "8bit",
		[MIME_BINARY] = "binary",
		[MIME_QUOTED_PRINTABLE] = "quoted-printable",
		[MIME_BASE64] = "base64",
	};
	const char *s = field_value(f, pool), *name;
	size_t i;

	s += strspn(s, "\"");
	name = token(&s, pool);
	m->encoding = MIME_UNKNOWN;
	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			m->encoding = (enum mime_encoding)i;
	if (*name == '\0' && *s == '\0')
		m->encoding = MIME_7BIT;
}

void
mime_read(struct mime *m, const struct field *fields, size_t n,
    bool in_digest, struct pool *pool)
{
	size_t i;

	*m = (struct mime){ .kind = in_digest ? MIME_MESSAGE : MIME_TEXT };
	for (i = n; i-- > 0;) {
		if (field_is(&fields[i], "MIME-Version"))
			m->has_version = true;
		else if (field_is(&fields[i], "Content-Transfer-Encoding"))
			read_encoding(m, &fields[i], pool);
	}
	for (i = 0; i < n; i++)
		if (field_is(&fields[i], "Content-Type"))
			break;
	if (i < n)
		read_type(m, &fields[i], pool);
}

bool
mime_is_delimiter(const char *line, size_t len, const char *boundary,
    bool *last)
{
	if (len < 2 || memcmp(line, "--", 2) != 0)
		return false;
	line += 2;
	len -= 2;
	for (; *boundary != '\0'; boundary++, line++, len--)
		if (len == 0 || *line != *boundary)
			return false;	/* it may be longer than all lines */
	*last = len >= 2 && memcmp(line, "--", 2) == 0;
	if (*last) {
		line += 2;
		len -= 2;
	}
	for (; len > 0; line++, len--)
		if (*line != ' ' && *line != '\t')
			return false;
	return true;
}
