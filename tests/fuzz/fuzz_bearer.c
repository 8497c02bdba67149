/*
 * What a server says of a token that it refuses (RFC 7628), and names that a
 * login is made of, when the first octet is 240 or more.
 *
 * What is read is bounded and fit for eyes, and is what a slow model has read;
 * written down again it is read again, and the same.  A message is taken apart
 * as a server does, and has what went in.
 */
#define _GNU_SOURCE			/* memmem() */
#include "fuzz.h"
#include "bearer.h"
#include "pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char token[] = "ya29.token";

static void
fits(const char *text, size_t size)
{
	size_t n = strnlen(text, size), i;

	assert(n < size);
	for (i = 0; i < n; i++)
		assert((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static bool
same(const struct bearer_refusal *a, const struct bearer_refusal *b)
{
	return strcmp(a->status, b->status) == 0 &&
	    strcmp(a->scope, b->scope) == 0 &&
	    strcmp(a->schemes, b->schemes) == 0 &&
	    strcmp(a->configuration, b->configuration) == 0;
}

static void
put_member(struct buffer *json, const char *key, const char *value)
{
	buffer_printf(json, "%s\"%s\":\"", buffer_len(json) > 1 ? "," : "",
	    key);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buffer_put(json, "\\", 1);
		buffer_put(json, value, 1);
	}
	buffer_put(json, "\"", 1);
}

/* Written by another hand, without what was not there. */
static void
is_stable(const struct bearer_refusal *r)
{
	struct bearer_refusal again;
	struct buffer json = { 0 };

	buffer_put(&json, "{", 1);
	put_member(&json, "status", r->status);
	put_member(&json, "openid-configuration", r->configuration);
	put_member(&json, "scope", r->scope);
	put_member(&json, "schemes", r->schemes);
	buffer_put(&json, "}", 1);
	assert(bearer_read(buffer_data(&json), buffer_len(&json), &again));
	assert(same(r, &again));
	buffer_free(&json);
}

/*
 * Is it one flat object?  By what must hold of each character and its
 * neighbours alone: quotes, what may stand between them, and no depth.
 */
static bool
could_be(const char *p, size_t len)
{
	bool quoted = false, bad = len > 4096;
	size_t i, opened = 0, closed = 0;

	for (i = 0; i < len; i++) {
		bad |= quoted && (unsigned char)p[i] < ' ';
		if (quoted && p[i] == '\\') {
			i++;
			continue;
		}
		quoted ^= p[i] == '"';
		if (quoted || p[i] == '"')
			continue;
		opened += p[i] == '{';
		closed += p[i] == '}';
		bad |= p[i] == '[' || p[i] == ']' || p[i] == '\0';
		bad |= (opened == 0 || closed > 0) && p[i] != '}' &&
		    strchr(" \t\r\n", p[i]) == NULL;
	}
	return !bad && !quoted && opened == 1 && closed == 1;
}

static void
refusal(const char *json, size_t len)
{
	struct bearer_refusal r;
	struct buffer text = { 0 };
	bool ok = bearer_read(json, len, &r);

	assert(!ok || could_be(json, len));
	fits(r.status, sizeof r.status);
	fits(r.scope, sizeof r.scope);
	fits(r.schemes, sizeof r.schemes);
	fits(r.configuration, sizeof r.configuration);
	assert(ok || (*r.status == '\0' && *r.scope == '\0' &&
	    *r.schemes == '\0' && *r.configuration == '\0'));
	bearer_tell(&r, &text);
	assert(buffer_len(&text) > 0 && buffer_len(&text) < 1000);
	if (ok)
		is_stable(&r);
	buffer_free(&text);
}

/* A name of RFC 5801, up to its comma; what is behind that. */
static const char *
name(const char *p, const char *user)
{
	for (; *user != '\0'; user++) {
		if (*user == ',' || *user == '=') {
			assert(memcmp(p, *user == ',' ? "=2C" : "=3D", 3) == 0);
			p += 3;
		} else {
			assert(*p++ == *user);
		}
	}
	assert(*p == ',');
	return p + 1;
}

static void
messages(const char *user, const char *host)
{
	const struct bearer_login l = { user, token, sizeof token - 1, host,
	    "587" };
	struct buffer said = BUFFER_SECRET;
	const char *p;

	bearer_oauthbearer(&l, &said);
	buffer_put(&said, "", 1);
	p = buffer_data(&said);
	assert(strncmp(p, "n,a=", 4) == 0 || *user == '\0');
	p = name(p + (*user != '\0' ? 4 : 2), user);
	assert(strncmp(p, "\1host=", 6) == 0);
	assert(strncmp(p + 6, host, strlen(host)) == 0);
	assert(strcmp(p + 6 + strlen(host), "\1port=587\1auth=Bearer "
	    "ya29.token\1\1") == 0);
	buffer_wipe(&said);
	bearer_xoauth2(&l, &said);
	assert(memmem(buffer_data(&said), buffer_len(&said), token,
	    sizeof token - 1) != NULL);
	assert(buffer_len(&said) == strlen(user) + strlen("user=\1auth=Bearer "
	    "ya29.token\1\1"));
	buffer_wipe(&said);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	const char *text = (const char *)data + 1, *colon;
	size_t n = size > 0 ? size - 1 : 0;

	if (size > 0 && *data < 240) {
		refusal(text, n);
		assert(!bearer_is_token(text, n) || (n > 0 &&
		    memchr(text, '\1', n) == NULL));
	} else if (size > 0) {
		colon = memchr(text, ':', n);
		if (colon == NULL)
			colon = text + n;
		messages(pool_octets(pool, text, (size_t)(colon - text)),
		    pool_octets(pool, colon, (size_t)(text + n - colon)));
	}
	pool_free(pool);
	return 0;
}
