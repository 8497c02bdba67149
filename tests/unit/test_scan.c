#include "scan.h"
#include "scan_model.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { ROUNDS = 30000, LEN_MAX = 120 };

static unsigned long seed = 1;

static size_t
random_below(size_t n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (size_t)(seed >> 33) % n;
}

static size_t
random_cut(size_t left)
{
	size_t n = random_below(3) == 0 ? 1 : 1 + random_below(left);

	return n < left ? n : left;
}

static size_t
no_cut(size_t left)
{
	return left;
}

/* Line ends and dots in any order, with or without longer text between. */
static size_t
random_input(char *p)
{
	static const char odd[] = { '.', '.', '\r', '\n', '\n', 'a', ' ',
	    '\0', '\xc3', '\x8a', '\x0b', '\xae' };
	size_t len = random_below(LEN_MAX), i;
	bool sparse = random_below(2) == 0;

	for (i = 0; i < len; i++)
		p[i] = sparse && random_below(6) > 0 ? 'a' :
		    odd[random_below(sizeof odd)];
	return len;
}

static void
compare(const char *p, size_t len, bool dot_ends, size_t (*cut)(size_t))
{
	char want[2 * LEN_MAX + 2], got[2 * LEN_MAX + SCAN_SLACK];
	struct model m = { .out = want, .facts.dot_ends = dot_ends };
	struct scan s = { .dot_ends = dot_ends };
	size_t n;

	(void)model_scan(&m, p, len);
	n = scan_pieces(&s, p, len, got, cut);
	assert_int_equal(n, m.n);
	assert_memory_equal(got, want, n);
	assert_int_equal(s.has_8bit, m.facts.has_8bit);
	assert_int_equal(s.has_nul, m.facts.has_nul);
	assert_int_equal(s.has_dots, m.facts.has_dots);
	assert_int_equal(s.longest, m.facts.longest);
	assert_int_equal(s.ended, m.facts.ended);
}

static void
test_as_the_model(void **state)
{
	char p[LEN_MAX];
	size_t len, i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		len = random_input(p);
		compare(p, len, i % 2 == 0, no_cut);
		compare(p, len, i % 2 == 0, random_cut);
	}
}

/* How much is taken when a dot ends it: what is behind is not ours. */
static void
test_taken(void **state)
{
	static const char in[] = "a long line of text\n.\r\nbehind it\xff";
	char out[2 * sizeof in + SCAN_SLACK];
	struct scan s = { .dot_ends = true };
	size_t taken, n = scan_octets(&s, in, sizeof in - 1, out, &taken);

	(void)state;
	assert_int_equal(taken, 23);
	assert_int_equal(n, 21);
	assert_true(s.ended);
	assert_false(s.has_8bit);
	n = scan_octets(&s, in, 4, out, &taken);
	assert_int_equal(n, 0);
	assert_int_equal(taken, 0);
}

/* A dot waits for what is behind it, however long that takes. */
static void
test_waiting_dot(void **state)
{
	static const struct {
		const char *pieces[4];
		const char *out;
		bool ended;
	} cases[] = {
		{ { "a\n", ".", "\n" }, "a\r\n", true },
		{ { "a\n.", "\r", "\nb" }, "a\r\n", true },
		{ { "a\n.", "\r", "b" }, "a\r\n.\r\nb\r\n", false },
		{ { "a\n", ".", ".", "\n" }, "a\r\n.\r\n", false },
		{ { "a\n", ".", "\r", "\r" }, "a\r\n.\r\n\r\n", false },
		{ { "a\r", ".", "\n" }, "a\r\n.\r\n", false },
		{ { "a\r", "\n", "." }, "a\r\n", true },
		{ { ".\r" }, "", true },
	};
	char out[64];
	size_t i, j, n, taken;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scan s = { .dot_ends = true };

		n = 0;
		for (j = 0; j < 4 && cases[i].pieces[j] != NULL; j++)
			n += scan_octets(&s, cases[i].pieces[j],
			    strlen(cases[i].pieces[j]), out + n, &taken);
		if (!s.ended)
			n += scan_end(&s, out + n);
		out[n] = '\0';
		assert_string_equal(out, cases[i].out);
		assert_int_equal(s.ended, cases[i].ended);
	}
}

static void
test_stuffing(void **state)
{
	char p[LEN_MAX], want[2 * LEN_MAX], got[2 * LEN_MAX];
	size_t len, n, i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		len = random_input(p);
		n = model_stuff(p, len, want);
		assert_int_equal(stuff_pieces(p, len, got, no_cut), n);
		assert_memory_equal(got, want, n);
		assert_int_equal(stuff_pieces(p, len, got, random_cut), n);
		assert_memory_equal(got, want, n);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_model),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_waiting_dot),
		cmocka_unit_test(test_stuffing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
