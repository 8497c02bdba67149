#include "fields.h"
#include "failure.h"

#include <string.h>

/* JSON and logfmt share the escapes of a quoted string (RFC 8259). */
void
fields_quoted(struct buffer *b, const char *s)
{
	char clean[4096];

	(void)printable(clean, sizeof clean, s, strlen(s));
	buffer_put(b, "\"", 1);
	for (s = clean; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buffer_put(b, "\\", 1);
		buffer_put(b, s, 1);
	}
	buffer_put(b, "\"", 1);
}

void
fields_key(const struct fields *o, const char *name)
{
	char last = buffer_len(o->b) > 0 ?
	    buffer_data(o->b)[buffer_len(o->b) - 1] : '{';

	if (last != '{' && last != '[')
		buffer_put(o->b, o->json ? "," : " ", 1);
	buffer_printf(o->b, o->json ? "\"%s\":" : "%s=", name);
}

/* Without blanks, quotes, and what no terminal should be shown. */
static bool
is_bare(const char *value)
{
	char shown[1024];

	return *value != '\0' && strpbrk(value, " \"=\\") == NULL &&
	    printable(shown, sizeof shown, value, strlen(value)) &&
	    strcmp(shown, value) == 0;
}

void
fields_text(const struct fields *o, const char *name, const char *value)
{
	if (value == NULL)
		return;
	fields_key(o, name);
	if (!o->json && is_bare(value))
		buffer_put(o->b, value, strlen(value));
	else
		fields_quoted(o->b, value);
}

void
fields_truth(const struct fields *o, const char *name, bool value)
{
	fields_key(o, name);
	buffer_printf(o->b, "%s", value ? "true" : "false");
}

void
fields_number(const struct fields *o, const char *name, long long value)
{
	fields_key(o, name);
	buffer_printf(o->b, "%lld", value);
}

void
fields_texts(const struct fields *o, const char *name, const char *const *all,
    size_t n)
{
	size_t i;

	fields_key(o, name);
	buffer_put(o->b, "[", 1);
	for (i = 0; i < n; i++) {
		if (i > 0)
			buffer_put(o->b, ",", 1);
		fields_quoted(o->b, all[i]);
	}
	buffer_put(o->b, "]", 1);
}

void
fields_list(const struct fields *o, const char *name, const void *all,
    size_t n, void (*write)(const struct fields *, const void *, size_t))
{
	size_t i;

	fields_key(o, name);
	buffer_put(o->b, "[", 1);
	for (i = 0; i < n; i++) {
		buffer_printf(o->b, i > 0 ? ",{" : "{");
		write(o, all, i);
		buffer_put(o->b, "}", 1);
	}
	buffer_put(o->b, "]", 1);
}
