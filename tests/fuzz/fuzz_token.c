/*
 * Words of a header, and patterns for addresses: tokens stand one behind the
 * other and quote back to themselves; patterns fit as a slow model says.
 * The pattern is the first line, the address the rest.
 */
#include "fuzz.h"
#include "path.h"
#include "token.h"
#include "utf8.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

static void
check_tokens(const char *text, struct pool *pool)
{
	size_t len = strlen(text), at = 0;
	const char *wrong = NULL;
	struct token *t = token_list(text, pool, &wrong);

	if (t == NULL) {
		assert(wrong != NULL);
		return;
	}
	for (; t->kind != TOKEN_END; t++) {
		assert(t->start >= at && t->start < t->end && t->end <= len);
		assert(t->kind == TOKEN_SPECIAL || t->text != NULL);
		assert(t->text == NULL || strlen(t->text) <= t->end - t->start);
		at = t->end;
	}
}

static void
check_quoted(const char *text, struct pool *pool)
{
	const char *wrong = NULL;
	struct token *t = token_list(token_quoted(text, pool), pool, &wrong);

	assert(t != NULL && t[0].kind == TOKEN_QUOTED &&
	    t[1].kind == TOKEN_END);
	assert(strcmp(t[0].text, text) == 0);
}

static int
nibble(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c - 'A' + 10;
}

static void
check_xtext(const char *text, struct pool *pool)
{
	const char *p = path_xtext(text, pool);

	for (; *p != '\0'; p++, text++) {
		assert(*p >= '!' && *p <= '~' && *p != '=');
		if (*p != '+') {
			assert(*p == *text);
			continue;
		}
		assert(isxdigit((unsigned char)p[1]) &&
		    isxdigit((unsigned char)p[2]));
		assert((char)(nibble(p[1]) << 4 | nibble(p[2])) == *text);
		p += 2;
	}
	assert(*text == '\0');
}

/* Each "*" tried with every length. */
static bool
fits(const char *pattern, const char *text, unsigned *effort)
{
	if (++*effort > 100000)
		return false;
	if (*pattern == '*')
		return fits(pattern + 1, text, effort) ||
		    (*text != '\0' && fits(pattern, text + 1, effort));
	return tolower((unsigned char)*pattern) ==
	    tolower((unsigned char)*text) && (*text == '\0' ||
	    fits(pattern + 1, text + 1, effort));
}

static void
check_pattern(const char *pattern, const char *address, struct pool *pool)
{
	const char *at = strrchr(address, '@'), *p;
	unsigned effort = 0;
	bool want;

	if (at == NULL || strlen(pattern) > 60 || strlen(address) > 200)
		return;
	for (p = pattern; *p != '\0'; p++)	/* what has no A-labels */
		if (!isalnum((unsigned char)*p) && strchr("*@.", *p) == NULL)
			return;
	for (p = at + 1; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && *p != '.')
			return;
	want = fits(pattern, strchr(pattern, '@') != NULL ? address : at + 1,
	    &effort);
	if (effort <= 100000 && strstr(pattern, "xn") == NULL)
		assert(path_matches(pattern, address, pool) == want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	char *text = pool_octets(pool, (const char *)data, size), *rest;

	check_tokens(text, pool);
	check_quoted(text, pool);
	check_xtext(text, pool);
	(void)token_is_dotted(text);
	rest = strchr(text, '\n');
	if (rest != NULL) {
		*rest++ = '\0';
		check_pattern(text, rest, pool);
		(void)path_matches_any(text, rest, pool);
	}
	pool_free(pool);
	return 0;
}
