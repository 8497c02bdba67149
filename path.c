#include "path.h"
#include "idn.h"
#include "token.h"
#include "utf8.h"

#include <ctype.h>
#include <string.h>

/* None that would make the address too long to be read again. */
static const char *
domain_said(const struct mailbox *m, struct pool *pool)
{
	const char *ascii = NULL;

	if (utf8_beyond_ascii(m->domain) && !utf8_beyond_ascii(m->local))
		ascii = idn_ascii(m->domain, pool);
	return ascii != NULL && strlen(m->local) + strlen(ascii) <=
	    ADDRESS_MAX - 2 ? ascii : m->domain;
}

char *
path_of(const struct mailbox *m, struct pool *pool)
{
	char *local;

	if (*m->local == '\0' && m->domain == NULL)
		return pool_string(pool, "");
	local = token_is_dotted(m->local) ? pool_string(pool, m->local) :
	    token_quoted(m->local, pool);
	return m->domain == NULL ? local :
	    pool_printf(pool, "%s@%s", local, domain_said(m, pool));
}

char *
path_key(const struct mailbox *m, struct pool *pool)
{
	const char *domain = m->domain != NULL ? m->domain : "";
	const char *ascii = utf8_beyond_ascii(domain) ?
	    idn_ascii(domain, pool) : NULL;
	char *key, *p;

	key = pool_printf(pool, "%s@%s", m->local, ascii != NULL ? ascii :
	    domain);
	for (p = key + strlen(m->local); *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return key;
}

/* Label by label: what a pattern has beside "*" is converted, too. */
const char *
path_ascii(const char *text, struct pool *pool)
{
	const char *at = strrchr(text, '@'), *p = at != NULL ? at + 1 : text;
	const char *label, *ascii;
	char *out;
	size_t n;

	if (!utf8_beyond_ascii(p))
		return text;
	out = pool_octets(pool, text, (size_t)(p - text));
	for (;; p += n + 1) {
		n = strcspn(p, ".");
		label = pool_octets(pool, p, n);
		ascii = idn_ascii(label, pool);
		out = pool_printf(pool, "%s%s%s", out, ascii != NULL ? ascii :
		    label, p[n] == '.' ? "." : "");
		if (p[n] == '\0')
			return out;
	}
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

char *
path_orcpt(const char *path, struct pool *pool)
{
	char *value = pool_printf(pool, "rfc822;%s", path_xtext(path, pool));

	return strlen(value) <= PATH_ORCPT_MAX ? value : NULL;
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
path_matches(const char *pattern, const char *address, struct pool *pool)
{
	const char *at;

	pattern = path_ascii(pattern, pool);
	address = path_ascii(address, pool);
	if (strchr(pattern, '@') != NULL)
		return glob(pattern, address);
	at = strrchr(address, '@');
	return at != NULL && glob(pattern, at + 1);
}

/* Those of a usual length do not fill the pool: mails are many. */
static bool
one_matches(const char *pattern, size_t len, const char *address,
    struct pool *pool)
{
	char room[512];

	if (len >= sizeof room)
		return path_matches(pool_octets(pool, pattern, len), address,
		    pool);
	memcpy(room, pattern, len);
	room[len] = '\0';
	return len > 0 && path_matches(room, address, pool);
}

bool
path_matches_any(const char *patterns, const char *address, struct pool *pool)
{
	size_t len;

	for (; *patterns != '\0'; patterns += len + (patterns[len] == ' ')) {
		len = strcspn(patterns, " ");
		if (one_matches(patterns, len, address, pool))
			return true;
	}
	return false;
}
