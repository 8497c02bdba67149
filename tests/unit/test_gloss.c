/* The messages of a login in words, and what of them is secret. */
#include "gloss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *mechanism;
	unsigned step;
	const char *octets;
	size_t len;
	const char *secret;
	size_t secret_len;
	const char *words;
};

#define ROW(m, step, octets, secret, words) \
	{ m, step, octets, sizeof (octets) - 1, secret, sizeof (secret) - 1, \
	    words }

/* RFC 5802 section 5, 7677 section 3, 2195, 4616, 7628. */
static const struct row ours[] = {
	ROW("SCRAM-SHA-256", 1, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "",
	    "SCRAM-SHA-256 client-first: gs2 header \"n,,\", user \"user\", "
	    "nonce of 20 octets"),
	ROW("SCRAM-SHA-256-PLUS", 1, "p=tls-exporter,a=b,n=a=2Cb,r=xyz", "",
	    "SCRAM-SHA-256-PLUS client-first: gs2 header \"p=tls-exporter,a=b,"
	    "\", user \"a=2Cb\", nonce of 3 octets"),
	ROW("SCRAM-SHA-1", 2, "c=biws,r=fyko+d2,p=v0X8v3Bz2T0=", "v0X8v3Bz2T0=",
	    "SCRAM-SHA-1 client-final: \"c=biws,r=fyko+d2,p=***\", a proof of "
	    "12 octets, c is \"n,,\" and 0 octets of the channel"),
	ROW("SCRAM-SHA-1", 2, "r=x,p=a,p=b", "b", "SCRAM-SHA-1 client-final: "
	    "\"r=x,p=a,p=***\", a proof of 1 octets"),
	ROW("SCRAM-SHA-1", 2, "nonsense", "nonsense", "SCRAM-SHA-1 "
	    "client-final: \"***\", a proof of 8 octets"),
	ROW("SCRAM-SHA-1", 3, "", "", "SCRAM-SHA-1 response: empty"),
	ROW("SCRAM-SHA-1", 4, "what is it", "what is it", "SCRAM-SHA-1 "
	    "response: ***"),
	ROW("CRAM-MD5", 1, "tim b913a602c7eda7a495b4e6e7334d3890",
	    "b913a602c7eda7a495b4e6e7334d3890", "CRAM-MD5 response: user "
	    "\"tim\", digest ***"),
	ROW("CRAM-MD5", 1, "a b 00", "00", "CRAM-MD5 response: user \"a b\", "
	    "digest ***"),
	ROW("CRAM-MD5", 1, "00", "00", "CRAM-MD5 response: user \"\", digest "
	    "***"),
	ROW("PLAIN", 1, "\0tim\0tanstaaftanstaaf", "tanstaaftanstaaf",
	    "PLAIN response: no authorization identity, user \"tim\", "
	    "password of 16 octets, ASCII"),
	ROW("PLAIN", 1, "Ursel\0Kurt\0 xipj\xc3\xa4 ", " xipj\xc3\xa4 ",
	    "PLAIN response: authorization identity \"Ursel\", user \"Kurt\", "
	    "password of 8 octets, UTF-8 beyond ASCII, begins with a blank, "
	    "ends with a blank"),
	ROW("PLAIN", 1, "\0\0\xe4\r", "\xe4\r", "PLAIN response: no "
	    "authorization identity, user \"\", password of 2 octets, neither "
	    "ASCII nor UTF-8, with control characters"),
	ROW("PLAIN", 1, "\0a\0", "", "PLAIN response: no authorization "
	    "identity, user \"a\", password of 0 octets, ASCII"),
	ROW("PLAIN", 1, "\0only", "\0only", "PLAIN response: ***"),
	ROW("PLAIN", 1, "none", "none", "PLAIN response: ***"),
	ROW("LOGIN", 1, "tim ", "", "LOGIN response: user \"tim \""),
	ROW("LOGIN", 2, "tim\t", "tim\t", "LOGIN response: password of 4 "
	    "octets, ASCII, ends with a blank, with control characters"),
	ROW("OAUTHBEARER", 1, "n,a=u@e,\1host=h\1port=587\1auth=Bearer vF9d\1\1",
	    "vF9d", "OAUTHBEARER response: \"n,a=u@e,^Ahost=h^Aport=587^A"
	    "auth=Bearer ***\", a token of 4 octets"),
	ROW("OAUTHBEARER", 1, "n,,\1auth=Bearer vF9d", "vF9d", "OAUTHBEARER "
	    "response: \"n,,^Aauth=Bearer ***\", a token of 4 octets"),
	ROW("OAUTHBEARER", 1, "n,,\1auth=Basic x", "n,,\1auth=Basic x",
	    "OAUTHBEARER response: \"***\", a token of 16 octets"),
	ROW("OAUTHBEARER", 2, "\1", "", "OAUTHBEARER response: ^A, for the "
	    "server to end it"),
	ROW("XOAUTH2", 1, "user=u\1auth=Bearer t.o\1\1", "t.o", "XOAUTH2 "
	    "response: \"user=u^Aauth=Bearer ***\", a token of 3 octets"),
	ROW("XOAUTH2", 2, "", "", "XOAUTH2 response: empty"),
	ROW("EXTERNAL", 1, "", "", "EXTERNAL response: no authorization "
	    "identity, the certificate says who it is"),
	ROW("NTLM", 1, "unknown", "unknown", "NTLM response: ***"),
	ROW("PLAIN", 2, "more", "more", "PLAIN response: ***"),
	ROW("PLAIN", 0, "less", "less", "PLAIN response: ***"),
};

static struct gloss
gloss_of(const struct row *r)
{
	return (struct gloss){ r->mechanism, r->step, r->octets, r->len };
}

/* They are freed. */
static void
are(struct buffer *words, const char *wanted)
{
	buffer_put(words, "", 1);
	assert_string_equal(buffer_data(words), wanted);
	buffer_free(words);
}

static void
what_we_say(void **state)
{
	struct buffer words = { 0 };
	const struct row *r;
	struct span secret;
	struct gloss g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof ours / sizeof *ours; i++) {
		r = &ours[i];
		g = gloss_of(r);
		secret = gloss_secret(&g);
		assert_true(secret.at + secret.len <= r->len);
		assert_int_equal(secret.len, r->secret_len);
		assert_memory_equal(r->octets + secret.at, r->secret,
		    secret.len);
		gloss_said(&g, &words);
		are(&words, r->words);
	}
}

static const struct row servers[] = {
	ROW("SCRAM-SHA-1", 2, "r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf9"
	    "2,i=4096", "", "SCRAM-SHA-1 server-first: nonce of 28 octets, "
	    "salt \"QSXCR+Q6sek8bf92\" (12 octets), iterations \"4096\""),
	ROW("SCRAM-SHA-1", 2, "m=new,r=x,s=YQ==,i=1", "", "SCRAM-SHA-1 "
	    "server-first: an extension that must be known \"new\", nonce of 1 "
	    "octets, salt \"YQ==\" (1 octets), iterations \"1\""),
	ROW("SCRAM-SHA-1", 2, "what?", "", "SCRAM-SHA-1 server-first: no "
	    "nonce, no salt, no iterations"),
	ROW("SCRAM-SHA-1", 3, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "",
	    "SCRAM-SHA-1 server-final: v=*** (28 octets), checked: the server "
	    "knows the password"),
	ROW("SCRAM-SHA-1", 3, "e=invalid-proof", "", "SCRAM-SHA-1 "
	    "server-final: \"e=invalid-proof\""),
	ROW("CRAM-MD5", 1, "<1896.697170952@postoffice>", "", "CRAM-MD5 "
	    "challenge: \"<1896.697170952@postoffice>\""),
	ROW("LOGIN", 2, "Password:", "", "LOGIN challenge: \"Password:\""),
	ROW("PLAIN", 1, "", "", "PLAIN challenge: empty"),
	ROW("OAUTHBEARER", 2, "{\"status\":\"invalid_token\"}", "",
	    "OAUTHBEARER error: \"{\"status\":\"invalid_token\"}\""),
	ROW("XOAUTH2", 2, "{}", "", "XOAUTH2 error: \"{}\""),
};

static void
what_the_server_says(void **state)
{
	struct buffer words = { 0 };
	const struct row *r;
	struct gloss g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof servers / sizeof *servers; i++) {
		r = &servers[i];
		g = gloss_of(r);
		gloss_heard(&g, true, &words);
		are(&words, r->words);
	}
	g = (struct gloss){ "SCRAM-SHA-1", 3, "v=x", 3 };
	gloss_heard(&g, false, &words);
	are(&words, "SCRAM-SHA-1 server-final: v=*** (1 octets), wrong: the "
	    "server does not know the password");
}

static void
proofs(void **state)
{
	struct gloss g = { "SCRAM-SHA-1", 2, "", 0 };

	(void)state;
	assert_true(gloss_proves(&g));
	g.step = 1;
	assert_false(gloss_proves(&g));
	g.mechanism = "CRAM-MD5";
	assert_true(gloss_proves(&g));
	g.mechanism = "PLAIN";
	assert_false(gloss_proves(&g));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_say),
		cmocka_unit_test(what_the_server_says),
		cmocka_unit_test(proofs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
