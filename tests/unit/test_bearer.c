/* Logins by a token: what is said, and what the server's error means. */
#include "bearer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char token[] = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

static void
says(void (*message)(const struct bearer_login *, struct buffer *),
    const char *user, const char *host, const char *port, const char *wanted)
{
	const struct bearer_login l = { user, token, sizeof token - 1, host,
	    port };
	struct buffer said = BUFFER_SECRET;

	message(&l, &said);
	assert_int_equal(buffer_len(&said), strlen(wanted));
	assert_memory_equal(buffer_data(&said), wanted, strlen(wanted));
	buffer_wipe(&said);
}

static void
one_message(void **state)
{
	(void)state;
	says(bearer_oauthbearer, "user@example.com", "server.example.com",
	    "143", "n,a=user@example.com,\1host=server.example.com\1port=143\1"
	    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1");
	says(bearer_oauthbearer, "a=b,c", NULL, NULL, "n,a=a=3Db=2Cc,\1"
	    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1");
	says(bearer_oauthbearer, "", "h", NULL, "n,,\1host=h\1"
	    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1");
	says(bearer_xoauth2, "a=b,c", "h", "1", "user=a=b,c\1"
	    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1");
}

static void
what_a_token_is(void **state)
{
	static const char *const good[] = { "a", token, "ya29.a0-_~+/=",
	    "EwBwA8l6BAAU!*$" };
	static const char *const bad[] = { "", "a b", "a\1", "a\r", "a\tb",
	    "\x7f", "\xc3\xa4", "{\"access_token\":\"a\"}", "\"a\"", "'a'",
	    "a\\b", "Bearer a" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(bearer_is_token(good[i], strlen(good[i])));
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(bearer_is_token(bad[i], strlen(bad[i])));
	assert_false(bearer_is_token("a\0b", 3));
}

#define NONE	"the server gives no reason"

static const struct {
	const char *json, *told;
} refusals[] = {
	/* RFC 7628 section 4.3 */
	{ "{\"status\":\"invalid_token\",\"scope\":\"example_scope\","
	    "\"openid-configuration\":\"https://example.com/.well-known/"
	    "openid-configuration\"}", "it has expired, is withdrawn, or is "
	    "not for this server (invalid_token); its scope must be "
	    "example_scope; who gives tokens: https://example.com/.well-known/"
	    "openid-configuration" },
	/* Google's */
	{ "{\"status\":\"401\",\"schemes\":\"bearer mac\",\"scope\":"
	    "\"https://mail.google.com/\"}\n", "it has expired, is withdrawn, "
	    "or is not of this user (401); its scope must be "
	    "https://mail.google.com/" },
	{ " { \"status\" : 400 , \"schemes\":\"Bearer\",\"x\":null }\r\n",
	    "it is not valid, or not of this user (400)" },
	{ "{\"status\":\"insufficient_scope\"}", "it is not for sending mail "
	    "(insufficient_scope)" },
	{ "{\"status\":\"invalid_request\",\"schemes\":\"mac\"}", "the server "
	    "cannot read the login (invalid_request); the server takes tokens "
	    "of mac alone" },
	{ "{\"status\":\"\\\"\\\\\\/\\u0041\\u00e4\\u001b[2J\\n\"}", "its "
	    "status is \"\"\\/A?\\x1b[2J\\x0a\"" },
	{ "{}", NONE },
	{ "", NONE },
	{ "{", NONE },
	{ "{\"status\":\"401\"", NONE },
	{ "{\"status\":\"401\"}}", NONE },
	{ "{\"status\":\"401\"} x", NONE },
	{ "{\"status\":\"401\",}", NONE },
	{ "{\"status\" \"401\"}", NONE },
	{ "{\"status\":}", NONE },
	{ "{status:\"401\"}", NONE },
	{ "{\"status\":\"401\",\"status\":\"400\"}", NONE },
	{ "{\"status\":\"401\",\"a\":{}}", NONE },
	{ "{\"status\":\"401\",\"a\":[]}", NONE },
	{ "[\"401\"]", NONE },
	{ "\"401\"", NONE },
	{ "{\"status\":\"4\n1\"}", NONE },
	{ "{\"status\":\"\\x41\"}", NONE },
	{ "{\"status\":\"\\u00g1\"}", NONE },
	{ "{\"status\":\"\\u00", NONE },
	{ "{\"status\":\"\\u0\x10""41\"}", NONE },
	{ "{\"status\":\"\\u004a\\u004Bx\"}", "its status is \"JKx\"" },
	{ "{\"status\":\"\\", NONE },
	{ "<html>401</html>", NONE },
};

static void
told(const char *json, size_t len, const char *wanted)
{
	struct bearer_refusal r;
	struct buffer text = { 0 };

	(void)bearer_read(json, len, &r);
	bearer_tell(&r, &text);
	buffer_put(&text, "", 1);
	assert_string_equal(buffer_data(&text), wanted);
	buffer_free(&text);
}

static void
what_the_error_means(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof refusals / sizeof *refusals; i++)
		told(refusals[i].json, strlen(refusals[i].json),
		    refusals[i].told);
	told("{\"status\":\"4\0\"}", 15, NONE);
}

/* What is long is cut, and what is too long is not read. */
static void
bounds(void **state)
{
	char json[5000];
	struct bearer_refusal r;

	(void)state;
	memset(json, 'a', sizeof json);
	memcpy(json, "{\"scope\":\"", 10);
	memcpy(json + 4094, "\"}", 2);
	assert_true(bearer_read(json, 4096, &r));
	assert_int_equal(strlen(r.scope), sizeof r.scope - 1);
	json[4094] = 'a';
	memcpy(json + 4095, "\"}", 2);
	assert_false(bearer_read(json, 4097, &r));
	assert_string_equal(r.scope, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_message),
		cmocka_unit_test(what_a_token_is),
		cmocka_unit_test(what_the_error_means),
		cmocka_unit_test(bounds),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
