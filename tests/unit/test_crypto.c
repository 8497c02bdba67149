#include "crypto.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* RFC 4648 section 10, and octets of all kinds */
static const struct {
	const char *plain;
	size_t len;
	const char *coded;
} vectors[] = {
	{ "",			0,	"" },
	{ "f",			1,	"Zg==" },
	{ "fo",			2,	"Zm8=" },
	{ "foo",		3,	"Zm9v" },
	{ "foob",		4,	"Zm9vYg==" },
	{ "fooba",		5,	"Zm9vYmE=" },
	{ "foobar",		6,	"Zm9vYmFy" },
	{ "\0\0",		2,	"AAA=" },
	{ "\xfb\xff\xfe",	3,	"+//+" },
};

static void
test_base64(void **state)
{
	struct buffer b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		buffer_put(&b, "x", 1);
		crypto_base64(&b, vectors[i].plain, vectors[i].len);
		assert_int_equal(buffer_len(&b), strlen(vectors[i].coded) + 1);
		assert_memory_equal(buffer_data(&b) + 1, vectors[i].coded,
		    strlen(vectors[i].coded));
		buffer_take(&b, buffer_len(&b));
	}
	buffer_free(&b);
}

static void
test_base64_long(void **state)
{
	struct buffer coded = { 0 }, plain = { 0 };
	char all[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof all; i++)
		all[i] = (char)i;
	crypto_base64(&coded, all, sizeof all);
	assert_int_equal(buffer_len(&coded), 400);
	assert_null(memchr(buffer_data(&coded), '\n', 400));
	assert_true(crypto_unbase64(&plain, buffer_data(&coded), 400));
	assert_int_equal(buffer_len(&plain), sizeof all);
	assert_memory_equal(buffer_data(&plain), all, sizeof all);
	buffer_free(&coded);
	buffer_free(&plain);
}

static void
test_unbase64(void **state)
{
	struct buffer b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		assert_true(crypto_unbase64(&b, vectors[i].coded,
		    strlen(vectors[i].coded)));
		assert_int_equal(buffer_len(&b), vectors[i].len);
		if (vectors[i].len > 0)
			assert_memory_equal(buffer_data(&b), vectors[i].plain,
			    vectors[i].len);
		buffer_take(&b, buffer_len(&b));
	}
	buffer_free(&b);
}

static void
test_unbase64_refuses(void **state)
{
	static const struct {
		const char *coded;
		size_t len;
	} cases[] = {
		{ "Zg", 2 }, { "Zg=", 3 }, { "Z", 1 }, { "Z===", 4 },
		{ "====", 4 }, { "=Zg=", 4 }, { "Z=g=", 4 }, { "Zm9v\n", 5 },
		{ "Zm 9v", 5 }, { "Zm9v    ", 8 }, { "Zm9-", 4 },
		{ "Zm9_", 4 }, { "Zm9\0", 4 }, { "Zm\xc3\xbc", 4 },
		{ "Zg==Zg==", 8 }, { "Zm9v====", 8 }, { "A===", 4 },
		{ "Zm9vA===", 8 },
	};
	struct buffer b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		if (crypto_unbase64(&b, cases[i].coded, cases[i].len))
			fail_msg("taken: %s", cases[i].coded);
	assert_int_equal(buffer_len(&b), 0);
	buffer_free(&b);
}

static void
test_hex(void **state)
{
	char out[9] = "XXXXXXXX";

	(void)state;
	crypto_hex(out, "\x00\x9f\xff", 3);
	assert_string_equal(out, "009fff");
	crypto_hex(out, "", 0);
	assert_string_equal(out, "");
}

static void
test_random(void **state)
{
	unsigned char a[34] = { 0 }, b[32] = { 0 };

	(void)state;
	crypto_random(a, 32);
	crypto_random(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof b);
	assert_int_equal(a[32], 0);
	assert_int_equal(a[33], 0);
}

/* RFC 6070 (SHA-1); RFC 7914 section 11 (SHA-256, its first 32 octets) */
static void
test_pbkdf2(void **state)
{
	static const struct {
		bool sha256;
		const char *password, *salt;
		size_t password_len, salt_len;
		unsigned iterations;
		const char *hex;
	} cases[] = {
		{ false, "password", "salt", 8, 4, 1,
		    "0c60c80f961f0e71f3a9b524af6012062fe037a6" },
		{ false, "password", "salt", 8, 4, 4096,
		    "4b007901b765489abead49d926f721d065a429c1" },
		{ true, "passwd", "salt", 6, 4, 1,
		    "55ac046e56e3089fec1691c22544b605"
		    "f94185216dde0465e68b9d57c20dacbc" },
		{ true, "Password", "NaCl", 8, 4, 80000,
		    "4ddcd8f60b98be21830cee5ef22701f9"
		    "641a4418d04c0414aeff08876b34ab56" },
	};
	unsigned char key[33];
	char hex[65];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		memset(key, 0xa5, sizeof key);
		n = strlen(cases[i].hex) / 2;
		assert_true(crypto_pbkdf2(cases[i].sha256, cases[i].password,
		    cases[i].password_len, cases[i].salt, cases[i].salt_len,
		    cases[i].iterations, key));
		crypto_hex(hex, key, n);
		assert_string_equal(hex, cases[i].hex);
		assert_int_equal(key[n], 0xa5);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_long),
		cmocka_unit_test(test_unbase64),
		cmocka_unit_test(test_unbase64_refuses),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_pbkdf2),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
