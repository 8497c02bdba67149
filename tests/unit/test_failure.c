#include "failure.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_printable(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "",			"" },
		{ "plain ~",		"plain ~" },
		{ "a\r\nb\tc",		"a\\x0d\\x0ab\\x09c" },
		{ "\x1b[2J",		"\\x1b[2J" },
		{ "\x7f",		"\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f",	"gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x82\xac",	"\xe2\x82\xac" },
		{ "\xf0\x9f\x93\xa7",	"\xf0\x9f\x93\xa7" },
		{ "\xc2\x9b",		"\\xc2\\x9b" },		/* C1 */
		{ "\xff",		"\\xff" },
		{ "\xc3",		"\\xc3" },		/* cut */
		{ "\xc3(",		"\\xc3(" },
		{ "\xc0\xaf",		"\\xc0\\xaf" },		/* overlong */
		{ "\xe0\x80\xaf",	"\\xe0\\x80\\xaf" },
		{ "\xed\xa0\x80",	"\\xed\\xa0\\x80" },	/* surrogate */
		{ "\xf4\x90\x80\x80",	"\\xf4\\x90\\x80\\x80" },
		{ "\xd8\x9c",		"\\xd8\\x9c" },		/* U+061C */
		{ "\xe2\x80\xa8",	"\\xe2\\x80\\xa8" },	/* U+2028 */
		{ "\xe2\x80\xae",	"\\xe2\\x80\\xae" },	/* U+202E */
		{ "\xe2\x81\xa6",	"\\xe2\\x81\\xa6" },	/* U+2066 */
	};
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(printable(out, sizeof out, cases[i].text,
		    strlen(cases[i].text)));
		assert_string_equal(out, cases[i].want);
	}
}

static void
test_printable_nul(void **state)
{
	char out[16];

	(void)state;
	assert_true(printable(out, sizeof out, "a\0b", 3));
	assert_string_equal(out, "a\\x00b");
}

/* What does not fit ends in "...", never in half an escape or character. */
static void
test_printable_cut(void **state)
{
	static const char *const texts[] = {
		"aaaaaaaaaaaaaaaaaaaa",
		"\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r",
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
	};
	char out[16], again[64];
	size_t i, size, n;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (size = 8; size <= sizeof out; size++) {
			memset(out, 'X', sizeof out);
			assert_false(printable(out, size, texts[i],
			    strlen(texts[i])));
			n = strlen(out);
			assert_true(n < size);
			assert_string_equal(out + n - 3, "...");
			assert_true(printable(again, sizeof again, out, n));
			assert_string_equal(again, out);
			assert_true(out[0] != '\\' || (n - 3) % 4 == 0);
		}
	}
}

static void
test_printable_fits(void **state)
{
	char out[16];

	(void)state;
	assert_true(printable(out, sizeof out, "0123456789", 10));
	assert_string_equal(out, "0123456789");
	assert_true(printable(out, 11, "0123456789", 10));
	assert_string_equal(out, "0123456789");
	assert_false(printable(out, 10, "0123456789", 10));
	assert_string_equal(out, "012345...");
	assert_true(printable(out, 5, "\n", 1));
	assert_string_equal(out, "\\x0a");
}

static void
test_fail(void **state)
{
	struct failure why = { .reply = 550, .enhanced = "5.1.1",
	    .tls_result = "x" };

	(void)state;
	assert_false((fail)(&why, FAILURE_CONFIG, "%s:%d\n", "file", 7));
	assert_int_equal(why.kind, FAILURE_CONFIG);
	assert_int_equal(why.reply, 0);
	assert_string_equal(why.enhanced, "");
	assert_null(why.tls_result);
	assert_string_equal(why.text, "file:7\\x0a");
}

/* A failure may be told anew with its own text in it. */
static void
test_fail_long(void **state)
{
	struct failure why;
	char big[3000];

	(void)state;
	memset(big, 'a', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	assert_false((fail)(&why, FAILURE_LOST, "%s", big));
	assert_true(strlen(why.text) < sizeof why.text);
	assert_true(strlen(why.text) > 1000);
	assert_string_equal(why.text + strlen(why.text) - 3, "...");
	assert_false((fail)(&why, FAILURE_LOST, "short"));
	assert_false((fail)(&why, FAILURE_AUTH, "[%s]", why.text));
	assert_string_equal(why.text, "[short]");
}

static void
test_fail_errno(void **state)
{
	struct failure why;
	char want[300] = "/x: ";

	(void)state;
	strncat(want, strerror(ENOENT), 200);
	errno = ENOENT;
	assert_false(fail_errno(&why, FAILURE_INPUT, "%s", "/x"));
	assert_int_equal(why.kind, FAILURE_INPUT);
	assert_string_equal(why.text, want);
}

/* product section 6 */
static void
test_kinds(void **state)
{
	static const struct {
		enum failure_kind kind;
		int status;
		bool temporary;
	} cases[] = {
		{ FAILURE_NONE,			0,	false },
		{ FAILURE_USAGE,		64,	false },
		{ FAILURE_MESSAGE,		65,	false },
		{ FAILURE_DATA,			65,	false },
		{ FAILURE_NOINPUT,		66,	true },
		{ FAILURE_NOUSER,		67,	false },
		{ FAILURE_RESOLVE_NONE,		68,	false },
		{ FAILURE_REFUSED,		69,	false },
		{ FAILURE_TLS_MISSING,		69,	false },
		{ FAILURE_REQUIRETLS,		69,	false },
		{ FAILURE_EXTENSION,		69,	false },
		{ FAILURE_NO_MECHANISM,		69,	false },
		{ FAILURE_KEEP,			73,	false },
		{ FAILURE_INPUT,		74,	true },
		{ FAILURE_DEFERRED,		75,	true },
		{ FAILURE_RESOLVE_TEMPORARY,	75,	true },
		{ FAILURE_TOKEN,		75,	true },
		{ FAILURE_CONNECT,		75,	true },
		{ FAILURE_LOST,			75,	true },
		{ FAILURE_TIMEOUT,		75,	true },
		{ FAILURE_TLS_UNTRUSTED,	75,	true },
		{ FAILURE_UNKNOWN,		75,	false },
		{ FAILURE_PROTOCOL,		76,	false },
		{ FAILURE_AUTH,			77,	false },
		{ FAILURE_CONFIG,		78,	false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(failure_status(cases[i].kind),
		    cases[i].status);
		assert_int_equal(failure_is_temporary(cases[i].kind),
		    cases[i].temporary);
	}
	assert_string_equal(failure_word(FAILURE_TIMEOUT), "timeout");
	assert_string_equal(failure_word(FAILURE_TLS_UNTRUSTED),
	    "tls-untrusted");
}

/* Every kind has a word of its own. */
static void
test_words(void **state)
{
	int a, b;

	(void)state;
	for (a = FAILURE_NONE; a <= FAILURE_CONFIG; a++) {
		assert_non_null(failure_word((enum failure_kind)a));
		for (b = FAILURE_NONE; b < a; b++)
			assert_string_not_equal(
			    failure_word((enum failure_kind)a),
			    failure_word((enum failure_kind)b));
	}
}

/* What is kept ends behind its text: ASan watches. */
static void
test_keep(void **state)
{
	struct pool *pool = pool_new();
	struct failure why, whole;
	const struct failure *kept;

	(void)state;
	(void)(fail)(&why, FAILURE_NOUSER, "<%s>: no", "bob@example.net");
	why.reply = 550;
	(void)strcpy(why.enhanced, "5.1.1");
	why.tls_result = "validation-failure";
	kept = failure_keep(&why, pool);
	memset(&whole, 'x', sizeof whole);
	failure_copy(&whole, kept);
	assert_int_equal(whole.kind, FAILURE_NOUSER);
	assert_int_equal(whole.reply, 550);
	assert_string_equal(whole.enhanced, "5.1.1");
	assert_string_equal(whole.text, why.text);
	assert_ptr_equal(whole.tls_result, why.tls_result);
	memset(whole.text, 'x', sizeof whole.text - 1);
	whole.text[sizeof whole.text - 1] = '\0';
	kept = failure_keep(&whole, pool);
	assert_string_equal(kept->text, whole.text);
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_printable_nul),
		cmocka_unit_test(test_printable_cut),
		cmocka_unit_test(test_printable_fits),
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_fail_long),
		cmocka_unit_test(test_fail_errno),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_keep),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
