#include "words.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define THREE "\xe2\x82\xac"			/* EURO SIGN */
#define FOUR "\xf0\x9f\x98\x80"
#define TEN "1234567890"

static void
test_encode(void **state)
{
	static const struct {
		size_t column;
		const char *text, *want;
		size_t then;
	} cases[] = {
		{ 1, "", "", 1 },
		{ 1, "a b!*+-/", "=?UTF-8?Q?a_b!*+-/?=", 21 },
		{ 1, "a_=?.\t", "=?UTF-8?Q?a=5F=3D=3F=2E=09?=", 29 },
		{ 1, "J\xc3\xbcrg", "=?UTF-8?Q?J=C3=BCrg?=", 22 },
		{ 1, "J\xfcrg", "=?unknown-8bit?Q?J=FCrg?=", 26 },
		{ 1, THREE THREE, "=?UTF-8?B?4oKs4oKs?=", 21 },
		/* room for just this, or not */
		{ 50, "aaa" FOUR, "=?UTF-8?Q?aaa?=\r\n =?UTF-8?Q?=F0=9F=98=80?=",
		    25 },
		{ 50, FOUR "aaaa", "=?UTF-8?Q?=F0=9F=98=80?=\r\n "
		    "=?UTF-8?Q?aaaa?=", 17 },
		{ 50, "\xff" FOUR "aaaa", "=?unknown-8bit?Q?=FF?=\r\n "
		    "=?unknown-8bit?Q?=F0=9F=98=80aaaa?=", 36 },
		{ 1, TEN TEN TEN TEN TEN TEN "1",
		    "=?UTF-8?Q?" TEN TEN TEN TEN TEN TEN "1?=", 74 },
		{ 1, TEN TEN TEN TEN TEN TEN "12",
		    "=?UTF-8?Q?" TEN TEN TEN TEN TEN TEN "1?=\r\n "
		    "=?UTF-8?Q?2?=", 14 },
		{ 2, TEN TEN TEN TEN TEN TEN "1",
		    "=?UTF-8?Q?" TEN TEN TEN TEN TEN TEN "?=\r\n "
		    "=?UTF-8?Q?1?=", 14 },
		/* no character is cut */
		{ 1, TEN TEN TEN TEN TEN "12\xc3\xbc\xc3\xbc",
		    "=?UTF-8?Q?" TEN TEN TEN TEN TEN "12=C3=BC?=\r\n "
		    "=?UTF-8?Q?=C3=BC?=", 19 },
	};
	struct buffer b = { 0 };
	size_t i, column;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		column = cases[i].column;
		words_encode(&b, cases[i].text, strlen(cases[i].text),
		    &column);
		assert_int_equal(column, cases[i].then);
		buffer_put(&b, "", 1);
		assert_string_equal(buffer_data(&b), cases[i].want);
		buffer_free(&b);
	}
	words_encode(&b, "a\0b", 3, &(size_t){ 1 });
	assert_memory_equal(buffer_data(&b), "=?UTF-8?Q?a=00b?=", 17);
	buffer_free(&b);
}

/* Words in lines of 76 with ")" and ","; the octets of the last line. */
static size_t
check_lines(const char *p, size_t column)
{
	const char *end;
	size_t n = column;

	for (; *p != '\0'; p = end, n = 0) {
		end = p + strcspn(p, "\r");
		n += (size_t)(end - p);
		assert_true(n <= WORDS_LINE - 2 && end - p <= 75);
		p += *p == ' ';
		assert_true(words_is_encoded(p, (size_t)(end - p)));
		if (*end == '\0')
			break;
		assert_memory_equal(end, "\r\n ", 3);
		end += 2;
	}
	return n;
}

/* At every column, of every length. */
static void
test_lines(void **state)
{
	static const char *const texts[] = { "abc =_", "\xc3\xbc", THREE, FOUR,
	    "a" FOUR "\xff", "ab\xc3\xbc", THREE "\xfe" };
	struct buffer b = { 0 }, text = { 0 };
	size_t i, n, column, at;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (n = 1; n < 30; n++) {
			buffer_put(&text, texts[i], strlen(texts[i]));
			for (at = 0; at <= WORDS_LINE - WORDS_ROOM; at++) {
				column = at;
				words_encode(&b, buffer_data(&text),
				    buffer_len(&text), &column);
				buffer_put(&b, "", 1);
				assert_int_equal(check_lines(buffer_data(&b),
				    at), column);
				buffer_free(&b);
			}
		}
		buffer_free(&text);
	}
}

static void
test_is_encoded(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{ "", false }, { "=", false }, { "=?=", false },
		{ "=?" "???" "?=", false }, { "=?a?Q?" "?=", true },
		{ "=?" "?Q?x?=", false }, { "=?utf-8?q?x?=", true },
		{ "=?utf-8*de?b?eA==?=", true }, { "=?utf-8?c?x?=", false },
		{ "=?utf-8?q?x y?=", false }, { "=?utf-8?q?x?y?=", false },
		{ "=?utf-8?q?x", false }, { "=?utf-8?qx?=", false },
		{ "x=?utf-8?q?x?=", false }, { "=?utf-8?q?x?=,", false },
		{ "=?utf-8?q?\xc3\xbc?=", false }, { "=?utf-8?q?x?==", false },
		{ "=?utf-8?q\t?x?=", false }, { "=?abcdefgh?=", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(words_is_encoded(cases[i].text,
		    strlen(cases[i].text)), cases[i].is);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_is_encoded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
