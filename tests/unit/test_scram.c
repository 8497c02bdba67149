/*
 * SCRAM with a nonce that is known: the exchange of RFC 5802, the forms of a
 * user's name, and what of a server's first message is refused.
 */
#include "scram.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include <cmocka.h>

#include "crypto.h"

#define OURS	"fyko+d2lbbFgONRv9qkxdawL"
#define THEIRS	"3rfcNHYJY1ZVvWVs7j"

/* What the system draws, 18 octets that OURS shows in base64. */
int
getentropy(void *p, size_t len)
{
	struct buffer octets = { 0 };

	assert_true(crypto_unbase64(&octets, OURS, strlen(OURS)));
	assert_int_equal(buffer_len(&octets), len);
	memcpy(p, buffer_data(&octets), len);
	buffer_free(&octets);
	return 0;
}

static struct scram_params
login(const char *user)
{
	return (struct scram_params){ .mechanism = "SCRAM-SHA-1",
	    .user = user, .password = "pencil", .password_len = 6 };
}

/* The answer to what was heard; "": it is refused, and why says it. */
static const char *
answer(struct scram *s, const char *heard, bool *complete,
    struct failure *why)
{
	static char text[256];
	struct buffer said = { 0 };

	text[0] = '\0';
	if (scram_step(s, heard, strlen(heard), &said, complete, why)) {
		assert_true(buffer_len(&said) < sizeof text);
		if (buffer_len(&said) > 0)
			memcpy(text, buffer_data(&said), buffer_len(&said));
		text[buffer_len(&said)] = '\0';
	}
	buffer_wipe(&said);
	return text;
}

/* What the server says in RFC 5802 section 5. */
static const char first[] = "r=" OURS THEIRS ",s=QSXCR+Q6sek8bf92,i=4096";

static void
says_what_the_rfc_says(void **state)
{
	const struct scram_params params = login("user");
	struct failure why;
	struct scram *s;
	bool complete;

	(void)state;
	s = scram_begin(&params);
	assert_string_equal(answer(s, "", &complete, &why),
	    "n,,n=user,r=" OURS);
	assert_string_equal(answer(s, first, &complete, &why), "c=biws,r=" OURS THEIRS
	    ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
	assert_false(complete);
	(void)answer(s, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", &complete, &why);
	assert_true(complete);
	scram_end(s);
}

/* RFC 4013: the same user, however his keyboard composes him. */
static void
prepares_the_user(void **state)
{
	static const struct {
		const char *user, *first;
	} cases[] = {
		{ "o\xcc\x88", "n,,n=\xc3\xb6,r=" OURS },	/* NFD */
		{ "\xc3\xb6", "n,,n=\xc3\xb6,r=" OURS },
		{ "a,b=c", "n,,n=a=2Cb=3Dc,r=" OURS },
	};
	struct scram_params params;
	struct failure why;
	struct scram *s;
	bool complete;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		params = login(cases[i].user);
		s = scram_begin(&params);
		assert_string_equal(answer(s, "", &complete, &why),
		    cases[i].first);
		scram_end(s);
	}
}

/* RFC 5802 section 6, and what stands in c= for each flag. */
static void
says_what_it_can(void **state)
{
	static const struct {
		const char *binding;
		bool none_offered;
		const char *first, *channel;
	} cases[] = {
		{ NULL, false, "n,,", "c=biws," },
		{ NULL, true, "y,,", "c=eSws," },
		{ "tls-unique", false, "p=tls-unique,,",
		    "c=cD10bHMtdW5pcXVlLCxkYXRh," },
	};
	struct scram_params params;
	struct failure why;
	struct scram *s;
	const char *said;
	bool complete;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		params = login("user");
		params.binding = cases[i].binding;
		params.data = (const unsigned char *)"data";
		params.data_len = cases[i].binding != NULL ? 4 : 0;
		params.none_offered = cases[i].none_offered;
		s = scram_begin(&params);
		said = answer(s, "", &complete, &why);
		n = strlen(cases[i].first);
		assert_memory_equal(said, cases[i].first, n);
		assert_string_equal(said + n, "n=user,r=" OURS);
		said = answer(s, first, &complete, &why);
		assert_memory_equal(said, cases[i].channel,
		    strlen(cases[i].channel));
		scram_end(s);
	}
}

/* RFC 7677 section 3, but for the nonce; only the true signature ends it. */
static void
wants_the_signature(void **state)
{
	static const struct {
		const char *final;
		const char *text;	/* NULL: it is right */
	} cases[] = {
		{ "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", NULL },
		{ "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,x=y", NULL },
		{ "v=rmF9pqV8S7suAoZWja4dJRkFsKU=", "could not prove" },
		{ "v=rmF9pqV8S7suAoZWja4dJRkFsA==", "could not prove" },
		{ "v=rmF9pqV8S7suAoZWja4dJRkFsKQ", "could not prove" },
		{ "v=", "could not prove" },
		{ "x=y,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "could not prove" },
		{ "", "could not prove" },
		{ "e=invalid-proof", "refuses the login: invalid-proof" },
		{ "e=", "could not prove" },
	};
	const struct scram_params params = login("user");
	struct failure why;
	struct scram *s;
	bool complete;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		s = scram_begin(&params);
		(void)answer(s, "", &complete, &why);
		(void)answer(s, first, &complete, &why);
		why = (struct failure){ 0 };
		(void)answer(s, cases[i].final, &complete, &why);
		assert_true(complete == (cases[i].text == NULL));
		if (!complete)
			assert_non_null(strstr(why.text, cases[i].text));
		scram_end(s);
	}
}

static void
has_bounds(void **state)
{
	static const struct {
		const char *first;
		enum failure_kind kind;	/* FAILURE_NONE: it is answered */
		const char *text;
	} cases[] = {
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=4096", FAILURE_NONE,
		    "" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=4096,x=y",
		    FAILURE_NONE, "" },
		{ "r=" OURS "1234567,s=MTIzNDU2Nzg=,i=4096",
		    FAILURE_PROTOCOL, "adds 7 characters" },
		{ "r=" OURS ",s=MTIzNDU2Nzg=,i=4096", FAILURE_PROTOCOL,
		    "does not extend ours" },
		{ "r=x" OURS "12345678,s=MTIzNDU2Nzg=,i=4096",
		    FAILURE_PROTOCOL, "does not extend ours" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nw==,i=4096", FAILURE_AUTH,
		    "salt has 7 octets" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=4095", FAILURE_AUTH,
		    "4095 iterations" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=1", FAILURE_AUTH,
		    "1 iterations" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=4000001",
		    FAILURE_AUTH, "4000001 iterations" },
		{ "m=x,r=" OURS "12345678,s=MTIzNDU2Nzg=,i=4096",
		    FAILURE_PROTOCOL, "cannot be answered" },
		{ "r=" OURS "12345678,i=4096,s=MTIzNDU2Nzg=",
		    FAILURE_PROTOCOL, "cannot be answered" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=", FAILURE_PROTOCOL,
		    "cannot be answered" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg,i=4096",
		    FAILURE_PROTOCOL, "cannot be answered" },
		{ "r=" OURS "1234\x01""678,s=MTIzNDU2Nzg=,i=4096",
		    FAILURE_PROTOCOL, "cannot be answered" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=", FAILURE_PROTOCOL,
		    "cannot be answered" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=4096x", FAILURE_PROTOCOL,
		    "cannot be answered" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=+4096", FAILURE_PROTOCOL,
		    "cannot be answered" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=4294971392",
		    FAILURE_AUTH, "4294971392" },
		{ "r=" OURS "12345678,s=MTIzNDU2Nzg=,i=99999999999999999999",
		    FAILURE_AUTH, "99999999999999999999" },
		{ "", FAILURE_PROTOCOL, "cannot be answered" },
		{ "e=unknown-user", FAILURE_AUTH,
		    "refuses the login: unknown-user" },
	};
	const struct scram_params params = login("user");
	struct failure why;
	struct scram *s;
	bool complete, ok;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		why = (struct failure){ 0 };
		s = scram_begin(&params);
		(void)answer(s, "", &complete, &why);
		ok = *answer(s, cases[i].first, &complete, &why) != '\0';
		assert_false(complete);
		if (ok != (cases[i].kind == FAILURE_NONE) ||
		    why.kind != cases[i].kind ||
		    strstr(why.text, cases[i].text) == NULL)
			fail_msg("%s: %d %s", cases[i].first, why.kind,
			    why.text);
		scram_end(s);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_rfc_says),
		cmocka_unit_test(prepares_the_user),
		cmocka_unit_test(says_what_it_can),
		cmocka_unit_test(wants_the_signature),
		cmocka_unit_test(has_bounds),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
