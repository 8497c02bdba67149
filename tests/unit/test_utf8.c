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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_character),
		cmocka_unit_test(test_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
