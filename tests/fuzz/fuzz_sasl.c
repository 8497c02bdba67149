/*
 * A login: the first octet is the mechanism, the lines are the server's
 * challenges, as they are or, behind a "$", as base64 of the text, in which
 * $n is our nonce and $v the signature that proves the password (RFC 5802).
 *
 * What we say is base64; the password goes out by PLAIN and LOGIN alone, once,
 * and a token by OAUTHBEARER and XOAUTH2, which end well only without a
 * challenge;
 * SCRAM ends well only with the right signature; and the password is touched
 * only for a number of iterations within the bounds.
 */
#define _GNU_SOURCE			/* memmem() */
#include "fuzz.h"
#include "crypto.h"
#include "sasl.h"
#include "scram.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD	"rides a horse"

bool	__real_crypto_pbkdf2(bool, const char *, size_t, const char *, size_t,
	    unsigned, unsigned char *);
bool	__wrap_crypto_pbkdf2(bool, const char *, size_t, const char *, size_t,
	    unsigned, unsigned char *);

/* One round is as good as thousands here. */
bool
__wrap_crypto_pbkdf2(bool sha256, const char *password, size_t len,
    const char *salt, size_t salt_len, unsigned iterations,
    unsigned char *key)
{
	assert(iterations >= SCRAM_ITERATIONS_MIN &&
	    iterations <= SCRAM_ITERATIONS_MAX);
	return __real_crypto_pbkdf2(sha256, password, len, salt, salt_len, 1,
	    key);
}

struct login {
	struct sasl *sasl;
	bool scram, sha256, plain, token;
	struct buffer first;		/* ours, without the GS2 header */
	struct buffer heard;		/* the server's first */
	struct buffer final;		/* ours, without the proof */
	unsigned said, told;		/* times; with the password */
	bool proven;			/* the last challenge was $v */
	bool repeated;			/* the server says the password */
};

static const char *
attribute(const struct buffer *b, char name, size_t *len)
{
	const char *p = buffer_data(b), *end, *comma;

	if (buffer_len(b) == 0)
		return NULL;
	for (end = p + buffer_len(b); p != NULL && p + 2 <= end;
	    p = comma == NULL ? NULL : comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (p[0] != name || p[1] != '=')
			continue;
		*len = (size_t)((comma != NULL ? comma : end) - p) - 2;
		return p + 2;
	}
	return NULL;
}

/* RFC 5802 section 3: what a server that knows the password says last. */
static void
put_signature(const struct login *l, struct buffer *out)
{
	gnutls_mac_algorithm_t mac = l->sha256 ? GNUTLS_MAC_SHA256 :
	    GNUTLS_MAC_SHA1;
	unsigned char key[32], server[32], signature[32];
	size_t size = l->sha256 ? 32 : 20, len = 0;
	const char *salt = attribute(&l->heard, 's', &len);
	struct buffer plain = { 0 }, all = { 0 };

	if (salt == NULL || !crypto_unbase64(&plain, salt, len) ||
	    buffer_len(&l->final) == 0)
		return;
	assert(__real_crypto_pbkdf2(l->sha256, PASSWORD, strlen(PASSWORD),
	    buffer_data(&plain), buffer_len(&plain), 1, key));
	assert(gnutls_hmac_fast(mac, key, size, "Server Key", 10,
	    server) == 0);
	buffer_put(&all, buffer_data(&l->first), buffer_len(&l->first));
	buffer_put(&all, ",", 1);
	buffer_put(&all, buffer_data(&l->heard), buffer_len(&l->heard));
	buffer_put(&all, ",", 1);
	buffer_put(&all, buffer_data(&l->final), buffer_len(&l->final));
	assert(gnutls_hmac_fast(mac, server, size, buffer_data(&all),
	    buffer_len(&all), signature) == 0);
	crypto_base64(out, signature, size);
	buffer_free(&plain);
	buffer_free(&all);
}

/* What the line means, not yet in base64. */
static void
expand(struct login *l, const char *p, struct buffer *out)
{
	const char *nonce;
	size_t len;

	for (; *p != '\0'; p++) {
		nonce = p[0] == '$' && p[1] == 'n' ?
		    attribute(&l->first, 'r', &len) : NULL;
		if (nonce != NULL)
			buffer_put(out, nonce, len);
		else if (p[0] == '$' && p[1] == 'v')
			put_signature(l, out);
		else
			buffer_put(out, p, 1);
		p += *p == '$' && (p[1] == 'n' || p[1] == 'v');
	}
}

/* Has the server proven that it knows the password? */
static bool
is_proof(const struct login *l, const struct buffer *heard)
{
	struct buffer want = { 0 };
	const char *v;
	size_t len = 0;
	bool ok;

	put_signature(l, &want);
	v = attribute(heard, 'v', &len);
	ok = v != NULL && buffer_len(&want) == len && len > 0 &&
	    memcmp(v, buffer_data(&want), len) == 0;
	buffer_free(&want);
	return ok;
}

static void
note_ours(struct login *l, const struct buffer *said)
{
	const char *p = buffer_data(said), *q;
	size_t len = buffer_len(said);

	l->said++;
	if (l->said == 1 && len > 0) {
		q = memmem(p, len, ",n=", 3);
		assert(q != NULL);
		buffer_put(&l->first, q + 1, len - (size_t)(q + 1 - p));
	} else if (l->said == 2) {
		q = memmem(p, len, ",p=", 3);
		assert(q != NULL);
		buffer_put(&l->final, p, (size_t)(q - p));
	}
}

static bool
has_password(const struct buffer *b)
{
	return buffer_len(b) > 0 && memmem(buffer_data(b), buffer_len(b),
	    PASSWORD, strlen(PASSWORD)) != NULL;
}

static bool
step(struct login *l, const struct buffer *challenge)
{
	struct buffer response = { 0 }, plain = { 0 };
	struct failure why;
	bool ok = sasl_step(l->sasl, buffer_data(challenge),
	    buffer_len(challenge), &response, &why);

	if (ok) {
		assert(crypto_unbase64(&plain, buffer_data(&response),
		    buffer_len(&response)));
		if (l->scram)
			note_ours(l, &plain);
		if (has_password(&plain) && !l->repeated) {
			assert(l->plain || l->token);
			assert(++l->told == 1);
		}
	} else {
		assert(why.kind == FAILURE_AUTH ||
		    why.kind == FAILURE_PROTOCOL);
		assert(l->repeated || strstr(why.text, PASSWORD) == NULL);
	}
	buffer_free(&response);
	buffer_free(&plain);
	return ok;
}

static bool
challenge(struct login *l, const char *line)
{
	struct buffer coded = { 0 }, heard = { 0 };
	bool ok;

	if (*line == '$') {
		expand(l, line + 1, &heard);
		crypto_base64(&coded, buffer_data(&heard),
		    buffer_len(&heard));
	} else {
		buffer_put(&coded, line, strlen(line));
		(void)crypto_unbase64(&heard, line, strlen(line));
	}
	if (l->scram && l->said == 1)
		buffer_put(&l->heard, buffer_data(&heard),
		    buffer_len(&heard));
	l->repeated = l->repeated || has_password(&heard);
	l->proven = l->scram && l->said == 2 && is_proof(l, &heard);
	ok = step(l, &coded);
	buffer_free(&coded);
	buffer_free(&heard);
	return ok;
}

static void
converse(struct login *l, char *text)
{
	const struct buffer nothing = { 0 };
	struct failure why;
	char *line;
	bool ok = !sasl_speaks_first(l->sasl) || step(l, &nothing);
	bool complete = sasl_is_complete(l->sasl, &why);

	assert(ok && (!complete || !l->scram));
	while (ok && (line = strsep(&text, "\n")) != NULL) {
		ok = challenge(l, line);
		complete = sasl_is_complete(l->sasl, &why);
		assert(!complete || !l->scram || l->proven || !ok);
		assert(!complete || !l->token);
		assert(!l->token || sasl_reason(l->sasl) != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "SCRAM-SHA-256",
	    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS",
	    "CRAM-MD5", "PLAIN", "LOGIN", "EXTERNAL", "OAUTHBEARER",
	    "XOAUTH2" };
	const struct sasl_channel channel = { .tls = true,
	    .binding = "tls-exporter", .data = (const unsigned char *)"data",
	    .data_len = 4 };
	const struct sasl_words words = { .password = PASSWORD,
	    .password_len = strlen(PASSWORD), .prepared = PASSWORD,
	    .prepared_len = strlen(PASSWORD) };
	struct pool *pool = pool_new();
	struct login l = { 0 };
	unsigned which = size == 0 ? 0 : data[0] & 8 ? 8 + (data[0] & 1) :
	    data[0] & 7;

	if (size > 0) {
		l.scram = which < 4;
		l.sha256 = which < 2;
		l.plain = which == 5 || which == 6;
		l.token = which > 7;
		l.sasl = sasl_begin(names[which], "me@example.org", &words,
		    &channel);
		converse(&l, pool_octets(pool, (const char *)data + 1,
		    size - 1));
		sasl_end(l.sasl);
		buffer_free(&l.first);
		buffer_free(&l.heard);
		buffer_free(&l.final);
	}
	pool_free(pool);
	return 0;
}
