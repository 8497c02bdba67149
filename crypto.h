/*
 * The few primitives that are needed outside TLS; they come from GnuTLS.
 */
#ifndef CRYPTO_H
#define CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

/* Fills p with octets that nobody can guess. */
void	crypto_random(void *p, size_t len);

/* len octets as lower-case hexadecimal digits; out has room for 2 * len + 1. */
void	crypto_hex(char *out, const void *p, size_t len);

/* SHA-256 as such digits; false when the library refuses. */
enum { CRYPTO_SHA256_HEX = 64 };
bool	crypto_sha256(char hex[CRYPTO_SHA256_HEX + 1], const void *p,
	    size_t len);

/*
 * RFC 4648 section 4, appended to out, which the caller frees or wipes.
 * Decoding takes no white space and wants the padding in its place; false is
 * for what is not base64.
 */
void	crypto_base64(struct buffer *out, const void *p, size_t len);
bool	crypto_unbase64(struct buffer *out, const char *, size_t len);

/* RFC 2104 with MD5; false when the system forbids it. */
enum { CRYPTO_MD5 = 16 };		/* octets */
bool	crypto_hmac_md5(const char *key, size_t key_len, const char *text,
	    size_t len, unsigned char *digest);

/*
 * SHA-256 (sha256) or SHA-1 of a text, and RFC 2104 with it: digests of 32 or
 * 20 octets.  False when the system forbids it.
 */
enum { CRYPTO_HASH = 32 };		/* octets, at most */
bool	crypto_hash(bool sha256, const void *, size_t len,
	    unsigned char *digest);
bool	crypto_hmac(bool sha256, const void *key, size_t key_len,
	    const char *text, size_t len, unsigned char *digest);

/*
 * RFC 8018 section 5.2 with HMAC-SHA-256 (sha256) or HMAC-SHA-1: fills key
 * with 32 or 20 octets.  False when the library refuses.
 */
bool	crypto_pbkdf2(bool sha256, const char *password, size_t password_len,
	    const char *salt, size_t salt_len, unsigned iterations,
	    unsigned char *key);

#endif
