#include "prepare.h"
#include "sasl.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/crypto.h>

static struct buffer prepared = { .secret = true };
static const unsigned char binding[] = "binding data";

/* What is offered and allowed, and what is chosen; NULL: nothing fits. */
static const struct {
	const char *offered;
	const char *allowed;
	const char *minimum;
	bool certificate, bound;
	const char *chosen;
} choices[] = {
	{ "PLAIN LOGIN CRAM-MD5", NULL, NULL, false, false, "CRAM-MD5" },
	{ "LOGIN PLAIN", NULL, NULL, false, false, "PLAIN" },
	{ "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", NULL, NULL, false, true,
	    "SCRAM-SHA-256-PLUS" },
	{ "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", NULL, NULL, false, false,
	    "SCRAM-SHA-256" },
	{ "SCRAM-SHA-1-PLUS SCRAM-SHA-256", NULL, NULL, false, true,
	    "SCRAM-SHA-256" },
	{ "SCRAM-SHA-1 SCRAM-SHA-1-PLUS", NULL, NULL, false, true,
	    "SCRAM-SHA-1-PLUS" },
	{ "EXTERNAL PLAIN", NULL, NULL, true, true, "EXTERNAL" },
	{ "EXTERNAL PLAIN", NULL, NULL, false, true, "PLAIN" },
	{ "PLAIN SCRAM-SHA-256", "PLAIN SCRAM-SHA-256", NULL, false, false,
	    "PLAIN" },
	{ "PLAIN", "SCRAM-SHA-256", NULL, false, false, NULL },
	{ "PLAIN CRAM-MD5", NULL, "SCRAM-SHA-1", false, false, NULL },
	{ "PLAIN SCRAM-SHA-1", NULL, "SCRAM-SHA-1", false, false,
	    "SCRAM-SHA-1" },
	{ "GSSAPI NTLM DIGEST-MD5", NULL, NULL, false, true, NULL },
	{ "PLAINTEXT", NULL, NULL, false, false, NULL },
	{ "", NULL, NULL, false, false, NULL },
};

static void
chooses_the_strongest(void **state)
{
	struct sasl_channel channel = { .tls = true };
	struct sasl_policy policy;
	struct failure why;
	const char *chosen;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof choices / sizeof *choices; i++) {
		policy = (struct sasl_policy){ .allowed = choices[i].allowed,
		    .minimum = choices[i].minimum, .has_password = true,
		    .has_certificate = choices[i].certificate };
		channel.binding = choices[i].bound ? "tls-exporter" : NULL;
		chosen = sasl_choose(&policy, &channel, choices[i].offered,
		    &why);
		if (choices[i].chosen == NULL) {
			assert_null(chosen);
			assert_int_equal(why.kind, FAILURE_NO_MECHANISM);
		} else {
			assert_non_null(chosen);
			assert_string_equal(chosen, choices[i].chosen);
		}
	}
}

static void
needs_a_password_or_a_certificate(void **state)
{
	struct sasl_policy policy = { 0 };
	struct sasl_channel channel = { .tls = true };
	struct failure why;

	(void)state;
	assert_null(sasl_choose(&policy, &channel, "PLAIN EXTERNAL", &why));
	policy.has_certificate = true;
	assert_string_equal(sasl_choose(&policy, &channel, "PLAIN EXTERNAL",
	    &why), "EXTERNAL");
	channel.tls = false;
	assert_null(sasl_choose(&policy, &channel, "PLAIN EXTERNAL", &why));
}

static void
says_why_not(void **state)
{
	static const struct {
		const char *mechanism, *allowed, *minimum;
		bool password, token, certificate, bound, tls;
		const char *why;	/* how it begins; NULL: it can be used */
	} rows[] = {
		{ "X", NULL, NULL, true, false, false, true, true,
		    "is not known" },
		{ "PLAIN", NULL, NULL, true, false, false, true, true, NULL },
		{ "PLAIN", "LOGIN", NULL, true, false, false, true, true,
		    "is not in" },
		{ "PLAIN", NULL, "SCRAM-SHA-1", true, false, false, true, true,
		    "is weaker" },
		{ "PLAIN", NULL, NULL, false, false, true, true, true,
		    "wants a password" },
		{ "PLAIN", NULL, NULL, false, true, false, true, true,
		    "wants a password; a token" },
		{ "XOAUTH2", NULL, NULL, true, false, false, true, true,
		    "wants a token" },
		{ "SCRAM-SHA-1-PLUS", NULL, NULL, true, false, false, false,
		    true, "cannot be bound" },
		{ "EXTERNAL", NULL, NULL, false, false, true, true, true,
		    NULL },
		{ "EXTERNAL", NULL, NULL, true, false, false, true, true,
		    "wants a client certificate" },
		{ "EXTERNAL", NULL, NULL, false, false, true, false, false,
		    "wants TLS" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct sasl_policy policy = { rows[i].allowed,
		    rows[i].minimum, rows[i].password, rows[i].certificate,
		    rows[i].token };
		const struct sasl_channel channel = { .tls = rows[i].tls,
		    .binding = rows[i].bound ? "tls-exporter" : NULL };
		const char *why = sasl_why_not(&policy, &channel,
		    rows[i].mechanism);

		if (rows[i].why == NULL)
			assert_null(why);
		else if (why == NULL || strncmp(why, rows[i].why,
		    strlen(rows[i].why)) != 0)
			fail_msg("row %zu: %s", i, why != NULL ? why : "NULL");
	}
}

/* A token is for two mechanisms, and a password for none of them. */
static void
chooses_by_what_there_is(void **state)
{
	static const struct {
		const char *offered, *allowed, *minimum;
		bool certificate;
		const char *chosen;
	} cases_of_token[] = {
		{ "PLAIN XOAUTH2 OAUTHBEARER", NULL, NULL, false,
		    "OAUTHBEARER" },
		{ "SCRAM-SHA-256 XOAUTH2", NULL, NULL, false, "XOAUTH2" },
		{ "OAUTHBEARER XOAUTH2", "XOAUTH2 OAUTHBEARER", NULL, false,
		    "XOAUTH2" },
		{ "PLAIN XOAUTH2", "PLAIN XOAUTH2", NULL, false, "XOAUTH2" },
		{ "EXTERNAL OAUTHBEARER", NULL, NULL, true, "EXTERNAL" },
		{ "XOAUTH2", NULL, "OAUTHBEARER", false, NULL },
		{ "XOAUTH2", NULL, "PLAIN", false, "XOAUTH2" },
		{ "OAUTHBEARER", NULL, "CRAM-MD5", false, NULL },
		{ "PLAIN LOGIN SCRAM-SHA-256 CRAM-MD5", NULL, NULL, false,
		    NULL },
		{ "PLAIN OAUTHBEARER", "PLAIN", NULL, false, NULL },
	};
	const struct sasl_channel channel = { .tls = true };
	struct sasl_policy policy = { .has_password = true };
	struct failure why;
	const char *chosen;
	size_t i;

	(void)state;
	assert_null(sasl_choose(&policy, &channel, "OAUTHBEARER XOAUTH2",
	    &why));
	assert_non_null(strstr(why.text, "it wants a token"));
	assert_string_equal(sasl_choose(&policy, &channel,
	    "OAUTHBEARER LOGIN", &why), "LOGIN");
	for (i = 0; i < sizeof cases_of_token / sizeof *cases_of_token; i++) {
		policy = (struct sasl_policy){ .has_token = true,
		    .allowed = cases_of_token[i].allowed,
		    .minimum = cases_of_token[i].minimum,
		    .has_certificate = cases_of_token[i].certificate };
		chosen = sasl_choose(&policy, &channel,
		    cases_of_token[i].offered, &why);
		if (cases_of_token[i].chosen == NULL)
			assert_null(chosen);
		else
			assert_string_equal(chosen, cases_of_token[i].chosen);
	}
	assert_non_null(strstr(why.text, "names none that takes a token"));
}

/* What an account cannot use is no measure of what a server offers. */
static void
compares_what_there_is(void **state)
{
	const struct sasl_policy password = { .has_password = true };
	const struct sasl_policy bearer = { .has_token = true };
	const char *offered = "EXTERNAL SCRAM-SHA-1 XOAUTH2 OAUTHBEARER PLAIN";

	(void)state;
	assert_string_equal(sasl_strongest(&password, offered),
	    "SCRAM-SHA-1");
	assert_string_equal(sasl_strongest(&bearer, offered), "OAUTHBEARER");
	assert_null(sasl_strongest(&bearer, "EXTERNAL PLAIN"));
	assert_null(sasl_strongest(&password, "EXTERNAL XOAUTH2"));
	assert_true(sasl_is_for(&bearer, "XOAUTH2"));
	assert_false(sasl_is_for(&bearer, "PLAIN"));
	assert_false(sasl_is_for(&password, "XOAUTH2"));
	assert_true(sasl_is_for(&password, "PLAIN"));
	assert_false(sasl_is_for(&password, "EXTERNAL"));
	assert_false(sasl_is_for(&password, NULL));
	assert_true(sasl_is_weaker("XOAUTH2", "OAUTHBEARER"));
	assert_true(sasl_is_weaker("PLAIN", "XOAUTH2"));
	assert_true(sasl_is_weaker("OAUTHBEARER", "CRAM-MD5"));
}

static struct sasl *
begin(const char *mechanism, const char *user, const char *password)
{
	static const struct sasl_channel channel = { .tls = true,
	    .host = "server.example.com", .port = "143",
	    .binding = "tls-exporter", .data = binding,
	    .data_len = sizeof binding - 1 };
	struct sasl_words words = { .password = password,
	    .password_len = strlen(password) };
	struct failure why;

	buffer_wipe(&prepared);
	assert_true(prepare_secret(password, strlen(password), &prepared,
	    &why));
	words.prepared = buffer_data(&prepared);
	words.prepared_len = buffer_len(&prepared);
	return sasl_begin(mechanism, user, &words, &channel);
}

static void
answers(struct sasl *s, const char *challenge, const char *wanted)
{
	struct buffer response = { 0 };
	struct failure why;

	assert_true(sasl_step(s, challenge, strlen(challenge), &response,
	    &why));
	assert_int_equal(buffer_len(&response), strlen(wanted));
	if (*wanted != '\0')
		assert_memory_equal(buffer_data(&response), wanted,
		    strlen(wanted));
	buffer_wipe(&response);
}

static void
speaks_the_simple_ones(void **state)
{
	struct failure why;
	struct sasl *s;

	(void)state;
	s = begin("PLAIN", "tim", "tanstaaftanstaaf");	/* RFC 4616 section 4 */
	assert_true(sasl_speaks_first(s));
	answers(s, "", "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
	assert_true(sasl_is_complete(s, &why));
	sasl_end(s);
	s = begin("LOGIN", "tim", "tan");
	assert_false(sasl_speaks_first(s));
	answers(s, "VXNlcm5hbWU6", "dGlt");
	assert_false(sasl_is_complete(s, &why));
	answers(s, "UGFzc3dvcmQ6", "dGFu");
	assert_true(sasl_is_complete(s, &why));
	sasl_end(s);
	s = begin("CRAM-MD5", "tim", "tanstaaftanstaaf");	/* RFC 2195 */
	assert_false(sasl_speaks_first(s));
	answers(s, "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
	    "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
	assert_true(sasl_is_complete(s, &why));
	sasl_end(s);
	s = begin("EXTERNAL", "", "");
	answers(s, "", "");
	assert_true(sasl_is_complete(s, &why));
	sasl_end(s);
}

static void
shows_a_token(void **state)
{
	struct buffer response = BUFFER_SECRET;
	struct failure why;
	struct sasl *s;

	(void)state;
	/* RFC 7628 sections 4.1 and 4.3 */
	s = begin("OAUTHBEARER", "user@example.com",
	    "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
	assert_true(sasl_speaks_first(s));
	assert_false(sasl_is_complete(s, &why));
	answers(s, "", "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbG"
	    "UuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhi"
	    "SFJoZG1semRHRXVZMjl0Q2c9PQEB");
	assert_true(sasl_is_complete(s, &why));
	assert_null(sasl_reason(s));
	answers(s, "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3"
	    "Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2V4YW1wbGUuY29t"
	    "Ly53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0=", "AQ==");
	assert_non_null(strstr(sasl_reason(s), "(invalid_token); its scope "
	    "must be example_scope"));
	assert_false(sasl_is_complete(s, &why));
	assert_int_equal(why.kind, FAILURE_AUTH);
	assert_false(sasl_step(s, "", 0, &response, &why));
	assert_int_equal(why.kind, FAILURE_PROTOCOL);
	sasl_end(s);
	/* developers.google.com/gmail/imap/xoauth2-protocol */
	s = begin("XOAUTH2", "someuser@example.com",
	    "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
	answers(s, "", "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YT"
	    "I5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==");
	answers(s, "!", "");
	assert_string_equal(sasl_reason(s), "the server gives no reason");
	sasl_end(s);
}

/* RFC 4954 section 4: 12288 octets of base64. */
static void
shows_no_token_that_is_too_long(void **state)
{
	struct buffer response = BUFFER_SECRET;
	char user[9217] = "";
	struct failure why;
	struct sasl *s;

	(void)state;
	memset(user, 'u', sizeof user - 1 - strlen("user=\1auth=Bearer t\1\1"));
	s = begin("XOAUTH2", user, "t");
	assert_true(sasl_step(s, "", 0, &response, &why));
	assert_int_equal(buffer_len(&response), 12288);
	sasl_end(s);
	buffer_wipe(&response);
	user[strlen(user)] = 'u';
	s = begin("XOAUTH2", user, "t");
	assert_false(sasl_step(s, "", 0, &response, &why));
	assert_int_equal(why.kind, FAILURE_CONFIG);
	assert_int_equal(buffer_len(&response), 0);
	sasl_end(s);
}

/* RFC 4013: CRAM-MD5 is about the prepared form, PLAIN about the octets. */
static void
prepares_words(void **state)
{
	struct buffer response = { 0 };
	struct failure why;
	struct sasl *s;

	(void)state;
	s = begin("CRAM-MD5", "t\xc2\xadim", "tan\xc2\xadstaaftanstaaf");
	answers(s, "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
	    "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
	sasl_end(s);
	/* the same word, however a keyboard composes it: NFC, NFD */
	s = begin("CRAM-MD5", "tim", "\xc3\xb6");
	answers(s, "PD4=", "dGltIDY1YTRhNjVkODkzMTM5OTljNGYwNGJkZjllZmQ4MGVj");
	sasl_end(s);
	s = begin("CRAM-MD5", "tim", "o\xcc\x88");
	answers(s, "PD4=", "dGltIDY1YTRhNjVkODkzMTM5OTljNGYwNGJkZjllZmQ4MGVj");
	sasl_end(s);
	s = begin("PLAIN", "tim", "t\xc2\xad");
	answers(s, "", "AHRpbQB0wq0=");
	sasl_end(s);
	s = begin("CRAM-MD5", "tim", "\xff");	/* not UTF-8: as it is */
	answers(s, "PDE+", "dGltIDk0ODA4ZmY0Njk5ZDc0MTdiMWI0NWZkM2NlNTJmNmEw");
	sasl_end(s);
	s = begin("CRAM-MD5", "tim", "tan");
	assert_false(sasl_step(s, "", 0, &response, &why));
	assert_int_equal(why.kind, FAILURE_PROTOCOL);
	sasl_end(s);
}

static bool forbidden;

/* The library's, where a system may forbid MD5 (FIPS 140). */
int
gnutls_hmac_fast(gnutls_mac_algorithm_t algorithm, const void *key,
    size_t key_len, const void *text, size_t len, void *digest)
{
	gnutls_hmac_hd_t h;

	if (forbidden && algorithm == GNUTLS_MAC_MD5)
		return GNUTLS_E_UNWANTED_ALGORITHM;
	assert_int_equal(gnutls_hmac_init(&h, algorithm, key, key_len), 0);
	assert_int_equal(gnutls_hmac(h, text, len), 0);
	gnutls_hmac_deinit(h, digest);
	return 0;
}

static void
says_that_md5_is_forbidden(void **state)
{
	struct buffer response = { 0 };
	struct failure why;
	struct sasl *s = begin("CRAM-MD5", "tim", "tan");

	(void)state;
	forbidden = true;
	assert_false(sasl_step(s, "PDE+", 4, &response, &why));
	forbidden = false;
	assert_int_equal(why.kind, FAILURE_NO_MECHANISM);
	assert_non_null(strstr(why.text, "MD5 (FIPS mode)"));
	assert_int_equal(buffer_len(&response), 0);
	sasl_end(s);
}

static void
believes_nothing_early(void **state)
{
	struct buffer response = { 0 };
	struct failure why;
	struct sasl *s;

	(void)state;
	s = begin("SCRAM-SHA-256", "me", "secret");
	assert_true(sasl_step(s, "", 0, &response, &why));
	assert_false(sasl_is_complete(s, &why));
	assert_int_equal(why.kind, FAILURE_AUTH);
	assert_false(sasl_step(s, "!!!!", 4, &response, &why));
	assert_int_equal(why.kind, FAILURE_PROTOCOL);
	sasl_end(s);
	buffer_wipe(&response);
	s = begin("PLAIN", "me", "secret");
	assert_true(sasl_step(s, "", 0, &response, &why));
	assert_false(sasl_step(s, "", 0, &response, &why));
	assert_int_equal(why.kind, FAILURE_PROTOCOL);
	sasl_end(s);
	buffer_wipe(&response);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_the_strongest),
		cmocka_unit_test(needs_a_password_or_a_certificate),
		cmocka_unit_test(says_why_not),
		cmocka_unit_test(chooses_by_what_there_is),
		cmocka_unit_test(compares_what_there_is),
		cmocka_unit_test(shows_a_token),
		cmocka_unit_test(shows_no_token_that_is_too_long),
		cmocka_unit_test(speaks_the_simple_ones),
		cmocka_unit_test(prepares_words),
		cmocka_unit_test(says_that_md5_is_forbidden),
		cmocka_unit_test(believes_nothing_early),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
