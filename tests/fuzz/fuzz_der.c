/* A certificate taken apart, and a text of them gone through. */
#include "bundle.h"
#include "fuzz.h"

#include <assert.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

struct names {
	struct bundle_names of;
	size_t found;
};

static bool
found(void *context, struct octets der)
{
	struct names *names = context;
	struct der_certificate c;

	assert(der_certificate(der.p, der.len, &c));
	names->found++;
	return names->found < 3;
}

static void
put_id(gnutls_pubkey_t key, unsigned char id[32])
{
	size_t n = 32;

	assert(gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id,
	    &n) == 0 && n == 32);
}

/*
 * It is by the library's key that TLS is spoken, and by ours that pins and TLSA
 * records are looked up.
 */
static void
compare_keys(const uint8_t *data, size_t size, struct octets ours)
{
	const gnutls_datum_t der = { (unsigned char *)(size_t)data,
	    (unsigned)size };
	const gnutls_datum_t spki = { (unsigned char *)(size_t)ours.p,
	    (unsigned)ours.len };
	unsigned char theirs[32], own[32];
	gnutls_x509_crt_t crt;
	gnutls_pubkey_t a, b;

	assert(gnutls_x509_crt_init(&crt) == 0);
	assert(gnutls_pubkey_init(&a) == 0 && gnutls_pubkey_init(&b) == 0);
	if (gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == 0 &&
	    gnutls_pubkey_import_x509(a, crt, 0) == 0) {
		assert(gnutls_pubkey_import(b, &spki,
		    GNUTLS_X509_FMT_DER) == 0);
		put_id(a, theirs);
		put_id(b, own);
		assert(memcmp(theirs, own, sizeof own) == 0);
	}
	gnutls_pubkey_deinit(a);
	gnutls_pubkey_deinit(b);
	gnutls_x509_crt_deinit(crt);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names names = { .found = 0 };
	struct der_certificate c;
	struct octets subject;
	bool has_subject = der_subject(data, size, &subject);

	if (der_certificate(data, size, &c)) {
		assert(c.whole.p == data && c.whole.len <= size);
		assert(c.key.p + c.key.len <= c.tbs.p + c.tbs.len);
		assert(has_subject && octets_equal(subject, c.subject));
		compare_keys(data, size, c.key);
	}
	(void)der_is_sequence(data, size);
	bundle_name(&names.of, data, size);
	(void)bundle_scan((const char *)data, size, &names.of, found, &names);
	return 0;
}
