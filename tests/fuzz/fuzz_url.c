/*
 * Where a submission goes: what is understood is understood again as its own
 * text, and no user, blank or control is in that.  No PIN is shown.
 */
#include "fuzz.h"
#include "url.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool
is_same(const char *a, const char *b)
{
	return (a == NULL && b == NULL) ||
	    (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static void
check_server(const char *text, struct pool *pool)
{
	struct endpoint e, same;
	struct failure why;

	if (!url_parse(text, &e, pool, &why)) {
		assert(why.kind == FAILURE_CONFIG);
		return;
	}
	assert((e.host == NULL) != (e.path == NULL));
	assert(e.path == NULL || *e.path == '/');
	assert(e.path != NULL || (is_clean(e.text) && is_clean(e.host)));
	assert(e.host == NULL || (strlen(e.host) <= 253 &&
	    atoi(e.port) >= 1 && atoi(e.port) <= 65535));
	assert(url_parse(e.text, &same, pool, &why));
	assert(same.security == e.security && same.lmtp == e.lmtp &&
	    is_same(same.host, e.host) && is_same(same.port, e.port) &&
	    is_same(same.path, e.path) && is_same(same.text, e.text));
	assert(url_is_verified(&e) == url_is_verified(&same));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	char *text = pool_octets(pool, (const char *)data, size), *ascii;
	struct failure why;
	struct proxy proxy;
	const char *pin;

	check_server(text, pool);
	if (url_parse_proxy(text, &proxy, pool, &why))
		assert(is_clean(proxy.host) && atoi(proxy.port) >= 1 &&
		    atoi(proxy.port) <= 65535);
	ascii = url_ascii(text, pool);
	if (ascii != NULL)
		assert(is_same(url_ascii(ascii, pool), ascii));
	pin = strstr(text, "pin-value=SECRET");
	if (strncmp(text, "pkcs11:", 7) == 0 && pin != NULL)
		assert(strstr(url_shown(text, pool), "SECRET") == NULL ||
		    strstr(text, "SECRET") != pin + 10 ||
		    strstr(pin + 10 + 6, "SECRET") != NULL);
	(void)url_is_address(text);
	pool_free(pool);
	return 0;
}
