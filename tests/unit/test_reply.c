#include "reply.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static enum reply_state
add(struct reply *r, const char *line, struct failure *why)
{
	const char *text = NULL;
	size_t len = 0;

	return reply_add(r, line, strlen(line), &text, &len, why);
}

static void
test_lines(void **state)
{
	static const struct {
		const char *line;
		enum reply_state want;
		int code;
		const char *text;
	} cases[] = {
		{ "220 mx ESMTP",	REPLY_COMPLETE,	220,	"mx ESMTP" },
		{ "250-mx.example",	REPLY_MORE,	250,	"mx.example" },
		{ "250",		REPLY_COMPLETE,	250,	"" },
		{ "250 ",		REPLY_COMPLETE,	250,	"" },
		{ "599 x",		REPLY_COMPLETE,	599,	"x" },
		{ "571 x",		REPLY_COMPLETE,	571,	"x" },
		{ "200 x",		REPLY_COMPLETE,	200,	"x" },
		{ "",			REPLY_BROKEN,	0,	NULL },
		{ "25",			REPLY_BROKEN,	0,	NULL },
		{ "hello",		REPLY_BROKEN,	0,	NULL },
		{ "150 x",		REPLY_BROKEN,	0,	NULL },
		{ "600 x",		REPLY_BROKEN,	0,	NULL },
		{ "2:0 x",		REPLY_BROKEN,	0,	NULL },
		{ "2a0 x",		REPLY_BROKEN,	0,	NULL },
		{ "2500 x",		REPLY_BROKEN,	0,	NULL },
		{ "250:x",		REPLY_BROKEN,	0,	NULL },
		{ " 250 x",		REPLY_BROKEN,	0,	NULL },
	};
	size_t i, len = 99;
	const char *text = NULL;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reply r = { 0 };
		struct failure why = { 0 };

		assert_int_equal(reply_add(&r, cases[i].line,
		    strlen(cases[i].line), &text, &len, &why), cases[i].want);
		assert_int_equal(r.code, cases[i].code);
		if (cases[i].text == NULL) {
			assert_int_equal(why.kind, FAILURE_PROTOCOL);
			continue;
		}
		assert_int_equal(len, strlen(cases[i].text));
		assert_memory_equal(text, cases[i].text, len);
	}
}

static void
test_several_lines(void **state)
{
	struct reply r = { 0 };
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(add(&r, "550-5.1.1 no", &why), REPLY_MORE);
	assert_int_equal(add(&r, "550-5.7.1 such", &why), REPLY_MORE);
	assert_int_equal(add(&r, "550 user", &why), REPLY_COMPLETE);
	assert_int_equal(r.lines, 3);
	assert_string_equal(r.enhanced, "5.1.1");
	assert_string_equal(r.text, "550 5.1.1 no / 5.7.1 such / user");
	assert_int_equal(r.len, strlen(r.text));
}

static void
test_other_code(void **state)
{
	struct reply r = { 0 };
	struct failure why = { 0 };

	(void)state;
	assert_int_equal(add(&r, "250-a", &why), REPLY_MORE);
	assert_int_equal(add(&r, "251 b", &why), REPLY_BROKEN);
	assert_int_equal(why.kind, FAILURE_PROTOCOL);
	assert_non_null(strstr(why.text, "250"));
	assert_non_null(strstr(why.text, "251"));
}

static void
test_too_many_lines(void **state)
{
	struct reply r = { 0 };
	struct failure why = { 0 };
	int i;

	(void)state;
	for (i = 0; i < REPLY_LINES_MAX; i++)
		assert_int_equal(add(&r, "250-a long enough line", &why),
		    REPLY_MORE);
	assert_int_equal(r.len, sizeof r.text - 1);
	assert_int_equal(strlen(r.text), r.len);
	assert_int_equal(add(&r, "250 end", &why), REPLY_BROKEN);
	assert_int_equal(why.kind, FAILURE_PROTOCOL);
}

/* RFC 3463 section 2, RFC 2034 section 4 */
static void
test_enhanced(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "250 2.1.5 ok",	"2.1.5" },
		{ "250 2.1.5",		"2.1.5" },
		{ "550 5.123.456 x",	"5.123.456" },
		{ "550 2.1.1 x",	"" },
		{ "550 5.1 x",		"" },
		{ "550 5.1.1x",		"" },
		{ "550 5.1234.1 x",	"" },
		{ "550 5.1.1234 x",	"" },
		{ "550 5..1 x",		"" },
		{ "550 5.1. x",		"" },
		{ "550 no 5.1.1",	"" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reply r = { 0 };
		struct failure why = { 0 };

		assert_int_equal(add(&r, cases[i].line, &why),
		    REPLY_COMPLETE);
		assert_string_equal(r.enhanced, cases[i].want);
	}
}

static void
test_classes(void **state)
{
	static const struct {
		int code;
		bool success, temporary, permanent;
	} cases[] = {
		{ 250, true, false, false },
		{ 354, false, false, false },
		{ 421, false, true, false },
		{ 554, false, false, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reply r = { .code = cases[i].code };

		assert_int_equal(reply_is_success(&r), cases[i].success);
		assert_int_equal(reply_is_temporary(&r), cases[i].temporary);
		assert_int_equal(reply_is_permanent(&r), cases[i].permanent);
	}
}

static void
note(struct capabilities *c, const char *line)
{
	capabilities_line(c, line, strlen(line));
}

static void
test_keywords(void **state)
{
	static const struct {
		const char *line;
		size_t flag;
	} cases[] = {
		{ "STARTTLS", offsetof(struct capabilities, starttls) },
		{ "pipelining", offsetof(struct capabilities, pipelining) },
		{ "CHUNKING", offsetof(struct capabilities, chunking) },
		{ "8BITMIME", offsetof(struct capabilities, eightbitmime) },
		{ "SmtpUtf8", offsetof(struct capabilities, smtputf8) },
		{ "DSN", offsetof(struct capabilities, dsn) },
		{ "ENHANCEDSTATUSCODES",
		    offsetof(struct capabilities, enhancedstatuscodes) },
		{ "REQUIRETLS", offsetof(struct capabilities, requiretls) },
		{ "DELIVERBY", offsetof(struct capabilities, deliverby) },
		{ "MT-PRIORITY", offsetof(struct capabilities, mt_priority) },
		{ "mt-priority MIXER",
		    offsetof(struct capabilities, mt_priority) },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct capabilities c = { 0 }, want = { 0 };

		note(&c, cases[i].line);
		memcpy((char *)&want + cases[i].flag, &(bool){ true },
		    sizeof(bool));
		assert_memory_equal(&c, &want, sizeof c);
	}
}

static void
test_unknown_keywords(void **state)
{
	static const char *const lines[] = {
		"", "STARTTLSX", "START TLS", "XDSN", "AUTHPLAIN", "VRFY"
	};
	struct capabilities c = { 0 }, none = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lines / sizeof *lines; i++)
		note(&c, lines[i]);
	assert_memory_equal(&c, &none, sizeof c);
}

/* RFC 1870 section 4 */
static void
test_size(void **state)
{
	static const struct {
		const char *line;
		uint64_t max;
	} cases[] = {
		{ "SIZE",			0 },
		{ "SIZE 0",			0 },
		{ "size 35882577",		35882577 },
		{ "SIZE 10000000000000000000",	10000000000000000000ULL },
		{ "SIZE 99999999999999999999",	0 },
		{ "SIZE -1",			0 },
		{ "SIZE many",			0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct capabilities c = { 0 };

		note(&c, cases[i].line);
		assert_true(c.size);
		assert_true(c.size_max == cases[i].max);
	}
}

static void
test_auth(void **state)
{
	struct capabilities c = { 0 };

	(void)state;
	note(&c, "AUTH plain  LOGIN");
	note(&c, "AUTH=SCRAM-SHA-256");
	assert_true(c.auth);
	assert_string_equal(c.mechanisms, "PLAIN LOGIN SCRAM-SHA-256");
	assert_true(capabilities_offer(&c, "LOGIN"));
	assert_true(capabilities_offer(&c, "SCRAM-SHA-256"));
	assert_false(capabilities_offer(&c, "SCRAM-SHA-256-PLUS"));
	assert_false(capabilities_offer(&c, "SCRAM-SHA"));
	assert_false(capabilities_offer(&c, ""));
}

/* With it the list would seem to end there. */
static void
test_auth_nul(void **state)
{
	static const char line[] = "AUTH PLAIN \0 LO\0GIN CRAM-MD5";
	struct capabilities c = { 0 };

	(void)state;
	capabilities_line(&c, line, sizeof line - 1);
	assert_string_equal(c.mechanisms, "PLAIN CRAM-MD5");
}

/* A mechanism that does not fit whole is left out, never cut. */
static void
test_auth_overflow(void **state)
{
	struct capabilities c = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 300; i++)
		note(&c, "AUTH ABCDEFGHI");
	assert_true(strlen(c.mechanisms) < sizeof c.mechanisms);
	assert_true(strlen(c.mechanisms) > sizeof c.mechanisms - 20);
	assert_int_equal((strlen(c.mechanisms) + 1) % 10, 0);
}

/* RFC 9422 section 4 */
static void
test_limits(void **state)
{
	static const struct {
		const char *line;
		bool limits;
		unsigned rcptmax, mailmax, rcptdomainmax;
	} cases[] = {
		{ "LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=1",
		    true, 20, 5, 1 },
		{ "limits rcptmax=999999", true, 999999, 0, 0 },
		{ "LIMITS RCPTMAX=1000000", true, 0, 0, 0 },
		{ "LIMITS RCPTMAX=x", true, 0, 0, 0 },
		{ "LIMITS FUTURE=x RCPTMAX=7", true, 7, 0, 0 },
		{ "LIMITS RCPTMAX=1 RCPTMAX=2", false, 0, 0, 0 },
		{ "LIMITS RCPTMAX=20 MAILMAX", false, 0, 0, 0 },
		{ "LIMITS RCPTMAX=20 =3", false, 0, 0, 0 },
		/* mox TestLimits 1 to 5 */
		{ "LIMITS unknown=a=b -_1oK=xY", true, 0, 0, 0 },
		{ "LIMITS MAILMAX=123 OTHER=ignored RCPTDOMAINMAX=1 "
		    "RCPTMAX=321", true, 321, 123, 1 },
		{ "LIMITS MAILMAX=invalid", true, 0, 0, 0 },
		{ "LIMITS invalid syntax", false, 0, 0, 0 },
		{ "LIMITS RCPTMAX=3 DUP=1 DUP=2", false, 0, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct capabilities c = { 0 };

		note(&c, cases[i].line);
		assert_int_equal(c.limits, cases[i].limits);
		assert_int_equal(c.rcptmax, cases[i].rcptmax);
		assert_int_equal(c.mailmax, cases[i].mailmax);
		assert_int_equal(c.rcptdomainmax, cases[i].rcptdomainmax);
	}
}

/* RFC 2852 section 4: [1*9DIGIT] *( "," extension-token ) */
static void
test_deliverby(void **state)
{
	static const struct {
		const char *line;
		uint64_t min;
	} cases[] = {
		{ "DELIVERBY",			0 },
		{ "DELIVERBY 240",		240 },
		{ "deliverby 240,X,y",		240 },
		{ "DELIVERBY ,X",		0 },
		{ "DELIVERBY soon",		0 },
		{ "DELIVERBY -1",		0 },
		{ "DELIVERBY 99999999999999999999", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct capabilities c = { 0 };

		note(&c, cases[i].line);
		assert_true(c.deliverby);
		assert_true(c.by_min == cases[i].min);
	}
}

/* RFC 4865 section 4: two maxima, or the keyword is in the wrong form. */
static void
test_futurerelease(void **state)
{
	static const struct {
		const char *line;
		bool offered;
		uint64_t max;
		time_t until;
	} cases[] = {
		{ "FUTURERELEASE 86400 1970-01-01T00:01:00Z", true, 86400, 60 },
		{ "futurerelease 1 1970-01-01T01:00:01.5+01:00", true, 1, 2 },
		{ "FUTURERELEASE", false, 0, 0 },
		{ "FUTURERELEASE 86400", false, 0, 0 },
		{ "FUTURERELEASE 86400 2147483647", false, 0, 0 },
		{ "FUTURERELEASE 1d 1970-01-01T00:01:00Z", false, 0, 0 },
		{ "FUTURERELEASE 1 1970-01-01T00:01:00.0000000000000000000000"
		    "00000000000000000000000000000000000Z", false, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct capabilities c = { 0 };

		note(&c, cases[i].line);
		assert_int_equal(c.futurerelease, cases[i].offered);
		if (!cases[i].offered)
			continue;
		assert_true(c.hold_max == cases[i].max);
		assert_true(c.hold_until_max == cases[i].until);
	}
}

/* What is written down and read again is the same, but for what is left out. */
static void
test_text(void **state)
{
	static const char *const all[] = { "8BITMIME", "SMTPUTF8",
	    "PIPELINING", "CHUNKING", "DSN", "REQUIRETLS", "MT-PRIORITY",
	    "SIZE 20000000", "DELIVERBY 60" };
	struct capabilities said = { 0 }, read;
	struct pool *pool = pool_new();
	size_t i;

	(void)state;
	assert_string_equal(capabilities_text(&said, pool), "none");
	read = (struct capabilities){ 0 };
	capabilities_read(&read, "none");
	assert_true(read.extended && !read.size && !read.eightbitmime);
	for (i = 0; i < sizeof all / sizeof *all; i++) {
		note(&said, all[i]);
		read = (struct capabilities){ 0 };
		capabilities_read(&read, capabilities_text(&said, pool));
		said.extended = true;
		assert_memory_equal(&read, &said, sizeof said);
	}
	note(&said, "AUTH PLAIN");
	assert_null(strstr(capabilities_text(&said, pool), "PLAIN"));
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_several_lines),
		cmocka_unit_test(test_other_code),
		cmocka_unit_test(test_too_many_lines),
		cmocka_unit_test(test_enhanced),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_unknown_keywords),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_auth_nul),
		cmocka_unit_test(test_auth_overflow),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_deliverby),
		cmocka_unit_test(test_futurerelease),
		cmocka_unit_test(test_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
