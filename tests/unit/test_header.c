#include "header.h"
#include "buffer.h"
#include "crypto.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_name(void **state)
{
	static const struct {
		const char *line;
		size_t n;
	} cases[] = {
		{ "To: a", 2 }, { "To:", 2 }, { "To :a", 2 },
		{ "To \t: a", 2 }, { "X-A_b!: c", 6 }, { "", 0 },
		{ ":", 0 }, { " To: a", 0 }, { "To", 0 }, { "To a: b", 0 },
		{ "T\xc3\xb6: a", 0 }, { "T\x7f: a", 0 }, { "T\x01: a", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(header_name(cases[i].line,
		    strlen(cases[i].line)), cases[i].n);
	assert_int_equal(header_name("To: a", 2), 0);
}

static void
test_value(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "A: b\r\n", "b" },
		{ "A:b\r\n", "b" },
		{ "A: \t b c \t\r\n", "b c" },
		{ "A: b\r\n c\r\n\td\r\n", "b c\td" },
		{ "A:\r\n b\r\n", "b" },
		{ "A:\r\n", "" },
		{ "A: \r\n \r\n", "" },
	};
	struct pool *pool = pool_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct field f = { .text = cases[i].text,
		    .len = strlen(cases[i].text), .name_len = 1, .body = 2 };

		assert_string_equal(field_value(&f, pool), cases[i].want);
		assert_true(field_is(&f, "a"));
		assert_false(field_is(&f, ""));
		assert_false(field_is(&f, "A:"));
	}
	assert_string_equal(field_value(&(struct field){ .text = "A: \0b\r\n",
	    .len = 7, .body = 2 }, pool), "?b");
	pool_free(pool);
}

/* "name_len.body.len" of each field. */
static void
test_split(void **state)
{
	static const struct {
		size_t len;
		const char *text, *want;
	} cases[] = {
		{ 0, "", "" },
		{ 6, "A: b\r\n", "1.2.6 " },
		{ 12, "A: b\r\nBc:d\r\n", "1.2.6 2.3.6 " },
		{ 18, "A: b\r\n c\r\n\td\r\nB:\r\n", "1.2.14 1.2.4 " },
		{ 8, "A \t: b\r\n", "1.4.8 " },
		{ 10, "A:\r\n \r\n:\r\n", "1.2.7 0.1.3 " },
		{ 5, "A:::\n", "1.2.5 " },
		{ 10, "A: \0b: c\r\n", "1.2.10 " },
	};
	struct pool *pool = pool_new();
	struct buffer is = { 0 };
	struct field *f;
	size_t i, j, n;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		f = NULL;
		n = 0;
		header_split(cases[i].text, cases[i].len, &f, &n, pool);
		for (j = 0; j < n; j++)
			buffer_printf(&is, "%zu.%zu.%zu ", f[j].name_len,
			    f[j].body, f[j].len);
		buffer_put(&is, "", 1);
		assert_string_equal(buffer_data(&is), cases[i].want);
		buffer_free(&is);
	}
	pool_free(pool);
}

static void
test_date(void **state)
{
	static const struct {
		const char *zone;
		time_t when;
		const char *want;
	} cases[] = {
		{ "UTC0", 0, "Thu, 01 Jan 1970 00:00:00 +0000" },
		{ "CET-1", 1795511472, "Tue, 24 Nov 2026 10:11:12 +0100" },
		{ "XYZ3:30", 0, "Wed, 31 Dec 1969 20:30:00 -0330" },
		{ "IST-5:30", 951782400, "Tue, 29 Feb 2000 05:30:00 +0530" },
	};
	struct pool *pool = pool_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(setenv("TZ", cases[i].zone, 1), 0);
		tzset();
		assert_string_equal(header_date(cases[i].when, pool),
		    cases[i].want);
	}
	pool_free(pool);
}

static void
test_message_id(void **state)
{
	struct pool *pool = pool_new();
	char *a = header_message_id("example.org", pool);
	char *b = header_message_id("example.org", pool);

	(void)state;
	assert_string_not_equal(a, b);
	assert_int_equal(a[0], '<');
	assert_true(strspn(a + 1, "0123456789abcdef") >= 32);
	assert_string_equal(strchr(a, '@'), "@example.org>");
	pool_free(pool);
}

static void
test_phrase(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "Joe Doe", "Joe Doe" },
		{ "Joe Q. Doe", "\"Joe Q. Doe\"" },
		{ "Joe \"J\" \\", "\"Joe \\\"J\\\" \\\\\"" },
		{ "a@b <c>", "\"a@b <c>\"" },
		{ "two  blanks", "\"two  blanks\"" },
		{ "evil\r\nBcc: x", "\"evilBcc: x\"" },
		{ "J\xc3\xbcrg", "=?UTF-8?Q?J=C3=BCrg?=" },
		{ "J\xc2\x85\xc3\xbcrg\x7f", "=?UTF-8?Q?J=C3=BCrg?=" },
		{ "Joe\xc2\x9b", "Joe" },
		{ "J\xfcrg", "=?unknown-8bit?Q?J=FCrg?=" },
	};
	struct pool *pool = pool_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(header_phrase(cases[i].name, pool),
		    cases[i].want);
	pool_free(pool);
}

/* RFC 2047 section 5: words of 75 octets, whole characters in each */
static void
test_phrase_long(void **state)
{
	struct pool *pool = pool_new();
	struct buffer all = { 0 };
	char name[301] = "x", *p, *line, *end;
	size_t i, before;

	(void)state;
	for (i = 1; i + 3 < sizeof name; i += 3)
		memcpy(name + i, "\xe2\x82\xac", 3);
	for (line = header_phrase(name, pool); line != NULL; line = end) {
		end = strstr(line, "\r\n ");
		if (end != NULL) {
			*end = '\0';
			end += 3;
		}
		assert_true(strlen(line) <= 75);
		assert_memory_equal(line, "=?UTF-8?B?", 10);
		p = strstr(line + 10, "?=");
		assert_non_null(p);
		before = buffer_len(&all);
		assert_true(crypto_unbase64(&all, line + 10,
		    (size_t)(p - line) - 10));
		assert_int_not_equal(buffer_data(&all)[before] & 0xc0, 0x80);
	}
	assert_int_equal(buffer_len(&all), strlen(name));
	assert_memory_equal(buffer_data(&all), name, strlen(name));
	buffer_free(&all);
	pool_free(pool);
}

/* No line of the header grows too long by a name. */
static void
test_phrase_long_ascii(void **state)
{
	struct pool *pool = pool_new();
	char name[1200];
	const char *text;

	(void)state;
	memset(name, '"', sizeof name);
	name[300] = '\0';
	assert_int_equal(strlen(header_phrase(name, pool)), 602);
	name[300] = 'a';
	name[sizeof name - 1] = '\0';
	text = header_phrase(name, pool);
	assert_memory_equal(text, "=?UTF-8?Q?=22=22", 16);
	for (; *text != '\0'; text += strspn(text, "\r\n")) {
		assert_true(strcspn(text, "\r") <= 76);
		text += strcspn(text, "\r");
	}
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_message_id),
		cmocka_unit_test(test_phrase),
		cmocka_unit_test(test_phrase_long),
		cmocka_unit_test(test_phrase_long_ascii),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
