#include "line.h"

#include <ctype.h>
#include <string.h>

/*
 * What stands between the quotation marks is shorter than with them and takes
 * their place.  *next is behind it.
 */
static const char *
quoted_word(char *p, char **next)
{
	char *start = p, quote = *p, *out = p;

	for (p++; *p != '\0' && *p != quote; p++) {
		*next = p;
		if (quote == '"' && *p == '\\') {
			if (p[1] != '"' && p[1] != '\\')
				return "within \"...\" a backslash stands "
				    "before \" or \\ only; use '...' for text "
				    "as it is";
			p++;
		}
		*out++ = *p;
	}
	*next = start;
	if (*p == '\0')
		return "this quotation mark is never closed";
	if (p[1] != '\0' && !isblank((unsigned char)p[1]))
		return "there must be a blank behind the closing quotation "
		    "mark";
	*out = '\0';
	*next = p + 1;
	return NULL;
}

const char *
line_split(char *text, struct word *words, size_t *n, size_t *column)
{
	const char *ill = NULL;
	char *p = text;

	for (*n = 0;; ++*n) {
		p += strspn(p, " \t");
		if (*p == '\0' || *p == '#')
			return NULL;
		if (*n == LINE_WORDS_MAX)
			break;
		words[*n].column = (size_t)(p - text) + 1;
		words[*n].text = p;
		if (*p == '"' || *p == '\'')
			ill = quoted_word(p, &p);
		else
			p += strcspn(p, " \t");
		*column = (size_t)(p - text) + 1;
		if (ill != NULL)
			return ill;
		if (*p != '\0')
			*p++ = '\0';
	}
	*column = 1;
	return "there are more than 64 words";
}

void
line_settle(struct word *words, size_t n, struct pool *pool)
{
	size_t i;

	for (i = 0; i < n; i++)
		words[i].text = pool_string(pool, words[i].text);
}

const char *
line_join(const struct word *words, size_t n, struct pool *pool)
{
	const char *text = n > 0 ? words[0].text : "";
	size_t i;

	for (i = 1; i < n; i++)
		text = pool_printf(pool, "%s %s", text, words[i].text);
	return text;
}
