#include "crypto.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>

/* getentropy() serves up to 256 octets at once and does not fail here. */
void
crypto_random(void *p, size_t len)
{
	int error;

	assert(len <= 256);
	error = getentropy(p, len);
	assert(error == 0);
}

void
crypto_hex(char *out, const void *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *u = p;
	size_t i;

	for (i = 0; i < len; i++) {
		out[2 * i] = digits[u[i] >> 4];
		out[2 * i + 1] = digits[u[i] & 15];
	}
	out[2 * len] = '\0';
}

/* GnuTLS takes its input as not const and does not change it. */
static gnutls_datum_t
datum(const void *p, size_t len)
{
	gnutls_datum_t d = { 0 };

	assert(len <= UINT_MAX);
	memcpy(&d.data, &p, sizeof d.data);
	d.size = (unsigned)len;
	return d;
}

/* What the library made is wiped, for it may hold a secret. */
static void
move(struct buffer *out, gnutls_datum_t *d)
{
	buffer_put(out, (const char *)d->data, d->size);
	if (d->data != NULL)
		explicit_bzero(d->data, d->size);
	gnutls_free(d->data);
}

bool
crypto_sha256(char hex[CRYPTO_SHA256_HEX + 1], const void *p, size_t len)
{
	unsigned char digest[CRYPTO_SHA256_HEX / 2];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, p, len, digest) != 0)
		return false;
	crypto_hex(hex, digest, sizeof digest);
	return true;
}

void
crypto_base64(struct buffer *out, const void *p, size_t len)
{
	gnutls_datum_t in = datum(p, len), coded = { 0 };
	int error;

	if (len == 0)
		return;
	error = gnutls_base64_encode2(&in, &coded);
	assert(error == 0);
	move(out, &coded);
}

bool
crypto_unbase64(struct buffer *out, const char *p, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/=";
	gnutls_datum_t in = datum(p, len), plain = { 0 };
	size_t i;

	if (len == 0)
		return true;
	for (i = 0; i < len; i++)
		if (p[i] == '\0' || strchr(alphabet, p[i]) == NULL)
			return false;
	/* the library takes "A===" */
	if (len % 4 != 0 || p[len - 3] == '=' ||
	    gnutls_base64_decode2(&in, &plain) < 0)
		return false;
	move(out, &plain);
	return true;
}

bool
crypto_hmac_md5(const char *key, size_t key_len, const char *text,
    size_t len, unsigned char *digest)
{
	return gnutls_hmac_fast(GNUTLS_MAC_MD5, key, key_len, text, len,
	    digest) == 0;
}

bool
crypto_hash(bool sha256, const void *p, size_t len, unsigned char *digest)
{
	return gnutls_hash_fast(sha256 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA1,
	    p, len, digest) == 0;
}

bool
crypto_hmac(bool sha256, const void *key, size_t key_len, const char *text,
    size_t len, unsigned char *digest)
{
	return gnutls_hmac_fast(sha256 ? GNUTLS_MAC_SHA256 : GNUTLS_MAC_SHA1,
	    key, key_len, text, len, digest) == 0;
}

bool
crypto_pbkdf2(bool sha256, const char *password, size_t password_len,
    const char *salt, size_t salt_len, unsigned iterations,
    unsigned char *key)
{
	gnutls_datum_t secret, seasoning;

	if (password_len > UINT_MAX || salt_len > UINT_MAX)
		return false;
	secret = datum(password, password_len);
	seasoning = datum(salt, salt_len);
	return gnutls_pbkdf2(sha256 ? GNUTLS_MAC_SHA256 : GNUTLS_MAC_SHA1,
	    &secret, &seasoning, iterations, key, sha256 ? 32 : 20) == 0;
}
