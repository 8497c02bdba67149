/* A private key as text; the public one, and the certificate, that come of it. */
#include "identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <gnutls/x509.h>
#include <cmocka.h>

#define ONE	"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"

/* RFC 8032 section 7.1, TEST 1 to 3; RFC 8410 section 10.3 */
static const struct {
	const char *seed, *public;
} vectors[] = {
	{ ONE, "d75a980182b10ab7d54bfed3c964073a"
	    "0ee172f3daa62325af021a68f707511a" },
	{ "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs",
	    "3d4017c3e843895a92b70aa74d1b7ebc"
	    "9c982ccf2ec4968cc0cd55f12af4660c" },
	{ "xaqN9D+fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc",
	    "fc51cd8e6218a1a38da47ed00230f058"
	    "0816ed13ba3303ac5deb911548908025" },
	{ "1O5y2/kTWErVttjx92n4rTr+fCjL8dT74Jeoj0R1WEI",
	    "19bf44096984cdfe8541bac167dc3b96"
	    "c85086aa30b6b6cb0c5c38ad703166e1" },
};

static gnutls_x509_crt_t
certificate(const struct identity_facts *facts)
{
	gnutls_datum_t pem = { (unsigned char *)(uintptr_t)facts->pem,
	    (unsigned)strlen(facts->pem) };
	gnutls_x509_crt_t crt;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem,
	    GNUTLS_X509_FMT_PEM), 0);
	return crt;
}

static void
of(const char *seed, struct identity_facts *facts, struct pool *pool)
{
	const struct identity id = { .seed = seed };
	struct failure why;

	assert_true(identity_describe(&id, facts, pool, &why));
}

static void
public_halves(void **state)
{
	struct pool *pool = pool_new();
	struct identity_facts facts;
	gnutls_ecc_curve_t curve;
	gnutls_x509_crt_t crt;
	gnutls_datum_t x, y;
	char hex[65];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		of(vectors[i].seed, &facts, pool);
		crt = certificate(&facts);
		assert_int_equal(gnutls_x509_crt_get_pk_ecc_raw(crt, &curve,
		    &x, &y), 0);
		assert_int_equal(curve, GNUTLS_ECC_CURVE_ED25519);
		assert_int_equal(x.size, 32);
		crypto_hex(hex, x.data, x.size);
		assert_string_equal(hex, vectors[i].public);
		gnutls_free(x.data);
		gnutls_free(y.data);
		gnutls_x509_crt_deinit(crt);
	}
	pool_free(pool);
}

/* SHA-256 of 302a300506032b6570032100 and the 32 octets. */
static void
pins(void **state)
{
	static const unsigned char head[] = { 0x30, 0x2a, 0x30, 0x05, 0x06,
	    0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
	unsigned char key[44];
	char pin[CRYPTO_SHA256_HEX + 1];
	struct pool *pool = pool_new();
	struct identity_facts facts;
	unsigned octet;
	size_t i;

	(void)state;
	memcpy(key, head, sizeof head);
	for (i = 0; i < 32; i++) {
		assert_int_equal(sscanf(vectors[0].public + 2 * i, "%2x",
		    &octet), 1);
		key[sizeof head + i] = (unsigned char)octet;
	}
	assert_true(crypto_sha256(pin, key, sizeof key));
	of(ONE, &facts, pool);
	assert_string_equal(facts.pin, pin);
	pool_free(pool);
}

static void
forms(void **state)
{
	static const char *const same[] = {
		ONE, ONE "=", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
		"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
	};
	static const char *const bad[] = {
		"", "=", "a", ONE "==", ONE "A", ONE " ", " " ONE, ONE "\n",
		"=" ONE, "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2",
		"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2=A",
		"nWGxne/9WmC6hEr0kuws ERJxWl7MmkZcDusAxyuf2A",
		"nWGxne.9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
		"nWGxne\xc3\xa9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
	};
	struct pool *pool = pool_new();
	struct identity_facts first, facts;
	struct failure why;
	size_t i;

	(void)state;
	of(ONE, &first, pool);
	for (i = 0; i < sizeof same / sizeof *same; i++) {
		assert_true(identity_is_seed(same[i]));
		of(same[i], &facts, pool);
		assert_string_equal(facts.pem, first.pem);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (identity_is_seed(bad[i]))
			fail_msg("\"%s\"", bad[i]);
		assert_false(identity_describe(&(struct identity){
		    .seed = bad[i] }, &facts, pool, &why));
		assert_int_equal(why.kind, FAILURE_CONFIG);
		assert_true(*bad[i] == '\0' || strlen(bad[i]) < 2 ||
		    strstr(why.text, bad[i]) == NULL);
	}
	pool_free(pool);
}

/* Nothing of it depends on the day; it is a client's, and no authority's. */
static void
certificates(void **state)
{
	struct pool *pool = pool_new();
	struct identity_facts facts, other;
	unsigned char serial[64];
	char text[64];
	unsigned bits, critical, usage;
	gnutls_x509_crt_t crt;
	size_t n = sizeof serial;

	(void)state;
	of(ONE, &facts, pool);
	of(vectors[1].seed, &other, pool);
	assert_string_not_equal(facts.pem, other.pem);
	assert_string_not_equal(facts.pin, other.pin);
	crt = certificate(&facts);
	assert_int_equal(gnutls_x509_crt_get_version(crt), 3);
	assert_int_equal(gnutls_x509_crt_get_pk_algorithm(crt, &bits),
	    GNUTLS_PK_EDDSA_ED25519);
	assert_int_equal(gnutls_x509_crt_get_serial(crt, serial, &n), 0);
	assert_int_equal(n, 16);
	assert_true(serial[0] != 0 && serial[0] < 0x80);
	n = sizeof text;
	assert_int_equal(gnutls_x509_crt_get_dn(crt, text, &n), 0);
	assert_string_equal(text, "CN=client");
	assert_true(gnutls_x509_crt_get_activation_time(crt) < 1000000000);
	assert_true(gnutls_x509_crt_get_expiration_time(crt) > 2000000000);
	assert_int_equal(gnutls_x509_crt_get_ca_status(crt, &critical), 0);
	assert_int_equal(gnutls_x509_crt_get_key_usage(crt, &usage, &critical),
	    0);
	assert_int_equal(usage, GNUTLS_KEY_DIGITAL_SIGNATURE);
	assert_true(gnutls_x509_crt_check_key_purpose(crt,
	    GNUTLS_KP_TLS_WWW_CLIENT, 0));
	assert_false(gnutls_x509_crt_check_key_purpose(crt,
	    GNUTLS_KP_TLS_WWW_SERVER, 0));
	assert_int_equal(gnutls_x509_crt_check_issuer(crt, crt), 1);
	assert_int_equal(gnutls_x509_crt_verify(crt, &crt, 1,
	    GNUTLS_VERIFY_ALLOW_ANY_X509_V1_CA_CRT, &usage), 0);
	gnutls_x509_crt_deinit(crt);
	pool_free(pool);
}

static void
loaded(void **state)
{
	const struct identity nobody = { 0 }, id = { .seed = ONE };
	struct pool *pool = pool_new();
	gnutls_certificate_credentials_t c;
	gnutls_x509_privkey_t key;
	struct failure why;

	(void)state;
	assert_int_equal(gnutls_certificate_allocate_credentials(&c), 0);
	assert_true(identity_load(c, &nobody, pool, &why));
	assert_null(identity_name(&nobody, pool));
	assert_int_not_equal(gnutls_certificate_get_x509_key(c, 0, &key), 0);
	assert_true(identity_load(c, &id, pool, &why));
	assert_string_equal(identity_name(&id, pool),
	    "certificate of client-key-ed25519");
	assert_int_equal(gnutls_certificate_get_x509_key(c, 0, &key), 0);
	assert_int_equal(gnutls_x509_privkey_get_pk_algorithm(key),
	    GNUTLS_PK_EDDSA_ED25519);
	gnutls_x509_privkey_deinit(key);
	gnutls_certificate_free_credentials(c);
	pool_free(pool);
}

/* The first certificate of a file, which may have its key as well. */
static void
files(void **state)
{
	char name[] = "/tmp/test_identity.XXXXXX";
	struct pool *pool = pool_new();
	struct identity_facts made, facts;
	const struct identity id = { .certificate = name };
	struct failure why;
	int fd = mkstemp(name);

	(void)state;
	of(ONE, &made, pool);
	assert_true(fd >= 0);
	dprintf(fd, "of whom\n-----BEGIN PRIVATE KEY-----\nx\n"
	    "-----END PRIVATE KEY-----\n%s", made.pem);
	assert_true(identity_describe(&id, &facts, pool, &why));
	assert_string_equal(facts.pem, made.pem);
	assert_string_equal(facts.pin, made.pin);
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_false(identity_describe(&id, &facts, pool, &why));
	assert_int_equal(why.kind, FAILURE_CONFIG);
	(void)close(fd);
	(void)unlink(name);
	assert_false(identity_describe(&id, &facts, pool, &why));
	assert_int_equal(why.kind, FAILURE_CONFIG);
	assert_false(identity_describe(&(struct identity){ .certificate =
	    "pkcs11:object=x;pin-value=1234" }, &facts, pool, &why));
	assert_null(strstr(why.text, "1234"));
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_halves),
		cmocka_unit_test(pins),
		cmocka_unit_test(forms),
		cmocka_unit_test(certificates),
		cmocka_unit_test(loaded),
		cmocka_unit_test(files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
