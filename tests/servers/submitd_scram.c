#include "submitd_scram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>

enum { MAX_HASH = 32 };

static bool
set_base64(Gsasl_session *session, Gsasl_property property, const void *octets,
    size_t n)
{
	char *text;
	bool ok;

	if (gsasl_base64_to(octets, n, &text, NULL) != GSASL_OK)
		return false;
	ok = gsasl_property_set(session, property, text) == GSASL_OK;
	gsasl_free(text);
	return ok;
}

bool
scram_prepare(Gsasl_session *session, const struct options *options)
{
	char salt[MAX_SALT];
	const size_t n = options->salt_octets;

	return gnutls_rnd(GNUTLS_RND_NONCE, salt, n) == 0 &&
	    set_base64(session, GSASL_SCRAM_SALT, salt, n) &&
	    gsasl_property_set(session, GSASL_SCRAM_ITER,
	    options->iterations) == GSASL_OK;
}

/* --- RFC 5802 section 3 --- */

static bool
salted_password(Gsasl_session *session, const char *password,
    gnutls_mac_algorithm_t mac, unsigned char key[MAX_HASH])
{
	const char *salt = gsasl_property_fast(session, GSASL_SCRAM_SALT);
	const char *count = gsasl_property_fast(session, GSASL_SCRAM_ITER);
	gnutls_datum_t secret = {
		(unsigned char *)(uintptr_t)password, (unsigned)strlen(password)
	};
	gnutls_datum_t raw = { NULL, 0 };
	char *octets;
	size_t n;
	bool ok;

	if (salt == NULL || count == NULL ||
	    gsasl_base64_from(salt, strlen(salt), &octets, &n) != GSASL_OK)
		return false;
	raw.data = (unsigned char *)octets;
	raw.size = (unsigned)n;
	ok = gnutls_pbkdf2(mac, &secret, &raw, (unsigned)strtoul(count, NULL,
	    10), key, gnutls_hmac_get_len(mac)) == 0;
	gsasl_free(octets);
	return ok;
}

static bool
derive(const unsigned char *salted, gnutls_mac_algorithm_t mac,
    const char *label, unsigned char key[MAX_HASH])
{
	return gnutls_hmac_fast(mac, salted, gnutls_hmac_get_len(mac), label,
	    strlen(label), key) == 0;
}

static bool
give(Gsasl_session *session, const char *password, bool is_sha1)
{
	const gnutls_mac_algorithm_t mac = is_sha1 ? GNUTLS_MAC_SHA1 :
	    GNUTLS_MAC_SHA256;
	const gnutls_digest_algorithm_t hash = is_sha1 ? GNUTLS_DIG_SHA1 :
	    GNUTLS_DIG_SHA256;
	const size_t n = gnutls_hmac_get_len(mac);
	unsigned char salted[MAX_HASH], client[MAX_HASH], stored[MAX_HASH],
	    server[MAX_HASH];

	return salted_password(session, password, mac, salted) &&
	    derive(salted, mac, "Client Key", client) &&
	    gnutls_hash_fast(hash, client, n, stored) == 0 &&
	    derive(salted, mac, "Server Key", server) &&
	    set_base64(session, GSASL_SCRAM_STOREDKEY, stored, n) &&
	    set_base64(session, GSASL_SCRAM_SERVERKEY, server, n);
}

bool
scram_give_keys(Gsasl_session *session, const char *password)
{
	const char *mechanism = gsasl_mechanism_name(session);
	const bool is_sha1 = strncmp(mechanism, "SCRAM-SHA-1", 11) == 0;
	char *prepared;
	bool ok;

	if (gsasl_saslprep(password, 0, &prepared, NULL) != GSASL_OK)
		return give(session, password, is_sha1);
	ok = give(session, prepared, is_sha1);
	gsasl_free(prepared);
	return ok;
}

/* --- lies --- */

/* Another octet of base64, one that keeps the text valid. */

static char
other(char c)
{
	return c == 'A' ? 'B' : 'A';
}

static void
set_count(char **message, size_t *octets, const char *count)
{
	const char *old = strstr(*message, ",i=");
	const size_t room = *octets + strlen(count) + 4;
	char *text;
	int n;

	if (old == NULL || strcmp(old + 3, count) == 0)
		return;
	text = malloc(room);
	if (text == NULL)
		abort();
	n = snprintf(text, room, "%.*s,i=%s", (int)(old - *message), *message,
	    count);
	gsasl_free(*message);
	*message = text;
	*octets = (size_t)n;
}

void
scram_spoil(const struct options *o, char **message, size_t *octets)
{
	char *text = *message;

	if (strncmp(text, "r=", 2) == 0) {
		if (options_fault(o, FAULT_WRONG_NONCE))
			text[2] = other(text[2]);
		set_count(message, octets, o->iterations);
	} else if (strncmp(text, "v=", 2) == 0 &&
	    options_fault(o, FAULT_WRONG_SERVER_SIGNATURE)) {
		text[2] = other(text[2]);
	}
}
