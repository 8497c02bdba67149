#include "url.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void
check(const char *got, const char *want)
{
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

static void
test_parsed(void **state)
{
	static const struct {
		const char *url;
		enum security security;
		const char *host, *port, *path, *user, *text;
	} cases[] = {
		{ "smtps://mx.example", SECURITY_IMPLICIT, "mx.example",
		    "465", NULL, NULL, "smtps://mx.example:465" },
		{ "SMTP://mx.example", SECURITY_STARTTLS, "mx.example",
		    "587", NULL, NULL, "smtp://mx.example:587" },
		{ "smtp+opportunistic://mx", SECURITY_OPPORTUNISTIC, "mx",
		    "587", NULL, NULL, "smtp+opportunistic://mx:587" },
		{ "smtp+plain://localhost:25", SECURITY_NONE, "localhost",
		    "25", NULL, NULL, "smtp+plain://localhost:25" },
		{ "mx.example", SECURITY_IMPLICIT, "mx.example", "465", NULL,
		    NULL, "smtps://mx.example:465" },
		{ "mx.example:65535", SECURITY_IMPLICIT, "mx.example",
		    "65535", NULL, NULL, "smtps://mx.example:65535" },
		{ "mx.example:00587", SECURITY_IMPLICIT, "mx.example", "587",
		    NULL, NULL, "smtps://mx.example:587" },
		{ "smtp://[::1]:00025", SECURITY_STARTTLS, "::1", "25", NULL,
		    NULL, "smtp://[::1]:25" },
		{ "smtps://me@mx.example/", SECURITY_IMPLICIT, "mx.example",
		    "465", NULL, "me", "smtps://mx.example:465" },
		{ "mx.example/", SECURITY_IMPLICIT, "mx.example", "465", NULL,
		    NULL, "smtps://mx.example:465" },
		{ "smtp://[::1]:25/", SECURITY_STARTTLS, "::1", "25", NULL,
		    NULL, "smtp://[::1]:25" },
		{ "smtps://me@example.org@mx", SECURITY_IMPLICIT, "mx",
		    "465", NULL, "me@example.org", "smtps://mx:465" },
		{ "smtps://[2001:db8::1]", SECURITY_IMPLICIT, "2001:db8::1",
		    "465", NULL, NULL, "smtps://[2001:db8::1]:465" },
		{ "smtp://u@[::1]:2525", SECURITY_STARTTLS, "::1", "2525",
		    NULL, "u", "smtp://[::1]:2525" },
		{ "smtp://192.0.2.1:25", SECURITY_STARTTLS, "192.0.2.1", "25",
		    NULL, NULL, "smtp://192.0.2.1:25" },
		{ "smtp:///run/submit", SECURITY_NONE, NULL, "587",
		    "/run/submit", NULL, "smtp:///run/submit" },
	};
	struct pool *pool = pool_new();
	struct failure why;
	struct endpoint e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(url_parse(cases[i].url, &e, pool, &why));
		assert_int_equal(e.security, cases[i].security);
		check(e.host, cases[i].host);
		check(e.port, cases[i].port);
		check(e.path, cases[i].path);
		check(e.user, cases[i].user);
		check(e.text, cases[i].text);
	}
	pool_free(pool);
}

static void
test_refused(void **state)
{
	static const char *const urls[] = {
		"", "smtps://", "http://mx.example", "smtpss://mx",
		"smtp+tls://mx", "smtps://me:secret@mx", "me:secret@mx",
		"smtps://:@mx", "smtps://@mx", "smtps://mx/path",
		"smtps://mx//", "smtps://mx:0", "smtps://mx:00000",
		"smtps://mx:65536",
		"smtps://mx:", "smtps://mx:+25", "smtps://mx:25x",
		"smtps://mx:000025", "smtps://[::1", "smtps://[::1]x",
		"smtps://[mx]", "smtps://-mx", "smtps://.mx", "smtps://a..b",
		"smtps://a b", "smtps://a;b", "smtps:///run/x",
		"smtp+plain:///run/x", "smtps://mx\n",
	};
	struct pool *pool = pool_new();
	struct endpoint e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct failure why = { 0 };

		if (url_parse(urls[i], &e, pool, &why))
			fail_msg("taken: %s", urls[i]);
		assert_int_equal(why.kind, FAILURE_CONFIG);
		assert_null(strstr(why.text, "secret"));
	}
	pool_free(pool);
}

static void
test_long_path(void **state)
{
	struct pool *pool = pool_new();
	struct failure why = { 0 };
	struct endpoint e;
	char url[200] = "smtp:///";

	(void)state;
	memset(url + 8, 'a', 106);
	assert_true(url_parse(url, &e, pool, &why));
	url[8 + 106] = 'a';
	assert_false(url_parse(url, &e, pool, &why));
	assert_int_equal(why.kind, FAILURE_CONFIG);
	pool_free(pool);
}

static void
test_proxy(void **state)
{
	static const struct {
		const char *url, *host, *port, *user;
	} cases[] = {
		{ "socks5://proxy.example", "proxy.example", "1080", NULL },
		{ "SOCKS5://me@[::1]:9050", "::1", "9050", "me" },
		{ "socks5://127.0.0.1:09050", "127.0.0.1", "9050", NULL },
		{ "socks5://proxy.example/", "proxy.example", "1080", NULL },
		{ "socks5://[::1]:9050/", "::1", "9050", NULL },
	};
	static const char *const refused[] = {
		"socks5://", "socks5:///", "socks5://proxy.example//",
		"socks5://proxy.example/path", "socks5://[::1/]",
		"socks5://proxy.example:/",
	};
	struct pool *pool = pool_new();
	struct failure why;
	struct proxy proxy;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(url_parse_proxy(cases[i].url, &proxy, pool, &why));
		check(proxy.host, cases[i].host);
		check(proxy.port, cases[i].port);
		check(proxy.user, cases[i].user);
	}
	for (i = 0; i < sizeof refused / sizeof *refused; i++)
		if (url_parse_proxy(refused[i], &proxy, pool, &why))
			fail_msg("taken: %s", refused[i]);
	pool_free(pool);
}

static void
test_address(void **state)
{
	(void)state;
	assert_true(url_is_address("192.0.2.1"));
	assert_true(url_is_address("::1"));
	assert_false(url_is_address("[::1]"));
	assert_false(url_is_address("192.0.2"));
	assert_false(url_is_address("mx.example"));
	assert_false(url_is_address(""));
}

/* RFC 3986 section 3.1: a scheme is of either case, as GnuTLS has it, too. */
static void
test_pkcs11(void **state)
{
	(void)state;
	assert_true(url_is_pkcs11("pkcs11:token=t"));
	assert_true(url_is_pkcs11("PKCS11:token=t"));
	assert_false(url_is_pkcs11("/etc/pkcs11:token=t"));
	assert_false(url_is_pkcs11("pkcs1"));
	assert_false(url_is_pkcs11(NULL));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parsed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_pkcs11),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
