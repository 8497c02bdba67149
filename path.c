#include "path.h"
#include "token.h"

#include <ctype.h>
#include <string.h>

char *
path_of(const struct mailbox *m, struct pool *pool)
{
	char *local;

	if (*m->local == '\0' && m->domain == NULL)
		return pool_string(pool, "");
	local = token_is_dotted(m->local) ? pool_string(pool, m->local) :
	    token_quoted(m->local, pool);
	return m->domain == NULL ? local :
	    pool_printf(pool, "%s@%s", local, m->domain);
}

char *
path_xtext(const char *s, struct pool *pool)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = pool_alloc(pool, 3 * strlen(s) + 1), *o = out;
	unsigned char c;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if (c > ' ' && c < 0x7f && c != '+' && c != '=') {
			*o++ = *s;
			continue;
		}
		*o++ = '+';
		*o++ = hex[c >> 4];
		*o++ = hex[c & 15];
	}
	return out;
}

/* "*" goes back to the last star when what follows it does not fit. */
static bool
glob(const char *pattern, const char *s)
{
	const char *star = NULL, *retry = NULL;

	while (*s != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (tolower((unsigned char)*pattern) ==
		    tolower((unsigned char)*s)) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

bool
path_matches(const char *pattern, const char *address)
{
	const char *at = strrchr(address, '@');

	if (strchr(pattern, '@') != NULL)
		return glob(pattern, address);
	return at != NULL && glob(pattern, at + 1);
}
