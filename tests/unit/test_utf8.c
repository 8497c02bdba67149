#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* RFC 3629 section 3 and 4, and Markus Kuhn's classes of malformed octets. */
static const struct {
	const char *text;
	size_t octets;			/* of the first character, or 0 */
	unsigned long code;
} cases[] = {
	{ "a", 1, 'a' },
	{ "\x7f", 1, 0x7f },
	{ "\x80", 0, 0 },
	{ "\xc0\x80", 0, 0 },
	{ "\xc1\xbf", 0, 0 },
	{ "\xc2\x80", 2, 0x80 },
	{ "\xdf\xbf", 2, 0x7ff },
	{ "\xdf", 0, 0 },
	{ "\xc3(", 0, 0 },
	{ "\xe0\x9f\xbf", 0, 0 },
	{ "\xe0\xa0\x80", 3, 0x800 },
	{ "\xed\x9f\xbf", 3, 0xd7ff },
	{ "\xed\xa0\x80", 0, 0 },
	{ "\xed\xbf\xbf", 0, 0 },
	{ "\xee\x80\x80", 3, 0xe000 },
	{ "\xef\xbf\xbf", 3, 0xffff },
	{ "\xef\xbf", 0, 0 },
	{ "\xf0\x8f\xbf\xbf", 0, 0 },
	{ "\xf0\x90\x80\x80", 4, 0x10000 },
	{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	{ "\xf4\x90\x80\x80", 0, 0 },
	{ "\xf5\x80\x80\x80", 0, 0 },
	{ "\xff", 0, 0 },
};

static void
test_character(void **state)
{
	unsigned long code;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		code = 0;
		assert_int_equal(utf8_character(cases[i].text,
		    strlen(cases[i].text), &code), cases[i].octets);
		assert_int_equal(code, cases[i].code);
		assert_int_equal(utf8_is(cases[i].text), cases[i].octets > 0);
	}
	assert_int_equal(utf8_character("", 0, &code), 0);
	assert_int_equal(utf8_character("\0", 1, &code), 1);
}

static void
test_text(void **state)
{
	(void)state;
	assert_true(utf8_is(""));
	assert_true(utf8_is("J\xc3\xbcrg"));
	assert_false(utf8_is("J\xc3\xbcrg\xc3"));
	assert_true(utf8_beyond_ascii("J\xfcrg"));
	assert_false(utf8_beyond_ascii("Jurg\x7f"));
}

static bool
check_pieces(const char *text, size_t len, size_t cut)
{
	struct utf8_check u = { 0 };

	utf8_check(&u, text, cut);
	utf8_check(&u, text + cut, len - cut);
	return !u.bad && u.wanted == 0;
}

/* The octets where the table of RFC 3629 section 4 changes its mind. */
static void
test_check(void **state)
{
	static const char alphabet[] = "a\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1"
	    "\xc2\xdf\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff";
	const size_t n = sizeof alphabet - 1;
	char text[5] = "";
	size_t i, code, len, cut;

	(void)state;
	for (i = 0; i < n * n * n * n; i++) {
		for (len = 0, code = i; len < 4; code /= n)
			text[len++] = alphabet[code % n];
		for (len = i < n * n * n ? 0 : 4; len <= 4; len++) {
			text[len] = '\0';
			for (cut = 0; cut <= len; cut++)
				assert_int_equal(check_pieces(text, len, cut),
				    utf8_is(text));
			text[len] = alphabet[0];
		}
	}
	assert_true(check_pieces("a\0\xc3\xbc", 4, 3));
	assert_true(utf8_beyond("a\0\x80", 3));
	assert_false(utf8_beyond("a\0\x80", 2));
	assert_false(utf8_beyond("", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_character),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_check),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
