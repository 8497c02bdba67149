/* Addresses as SMTP has them, compared, and held against patterns. */
#include "path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct mailbox
mailbox(const char *text, struct pool *pool)
{
	struct mailbox m;
	struct failure why;

	if (!address_sender(text, pool, &m, &why))
		fail_msg("%s", why.text);
	return m;
}

static const struct {
	const char *text, *path;
} paths[] = {
	{ "a@Example.ORG", "a@Example.ORG" },
	{ "a@b\u00fccher.example", "a@xn--bcher-kva.example" },
	{ "a@B\u00dcCHER.Example.", "a@xn--bcher-kva.example" },
	{ "a@b\u00fccher\u3002example", "a@xn--bcher-kva.example" },
	{ "\"a b\"@b\u00fccher.example", "\"a b\"@xn--bcher-kva.example" },
	{ "a@xn--bcher-kva.example", "a@xn--bcher-kva.example" },
	{ "a@_x.b\u00fccher", "a@_x.xn--bcher-kva" },

	/* A local part that needs SMTPUTF8: nothing is gained. */
	{ "m\u00fcller@b\u00fccher.example", "m\u00fcller@b\u00fccher.example" },
	{ "m\u00fcller@example.org", "m\u00fcller@example.org" },
	{ "m\u00fcller@xn--bcher-kva.example",
	    "m\u00fcller@xn--bcher-kva.example" },

	/* No A-labels: perhaps the server knows better. */
	{ "a@\U0001f600.example", "a@\U0001f600.example" },
	{ "a@" A63 "\u00fc.example", "a@" A63 "\u00fc.example" },
	{ "a@[\u00fc]", "a@[\u00fc]" },
};

static void
says_paths(void **state)
{
	struct pool *pool = pool_new();
	struct mailbox m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof paths / sizeof *paths; i++) {
		m = mailbox(paths[i].text, pool);
		assert_string_equal(path_of(&m, pool), paths[i].path);
	}
	pool_free(pool);
}

/* A path is never longer than what is taken for an address. */
static void
says_long_paths(void **state)
{
	char local[ADDRESS_MAX + 1] = "";
	struct pool *pool = pool_new();
	struct mailbox m;
	const char *path;
	size_t n;

	(void)state;
	for (n = ADDRESS_MAX - 20; n <= ADDRESS_MAX - 2 - 5; n++) {
		memset(local, 'a', n);
		m = mailbox(pool_printf(pool, "%s@\u00fc.de", local), pool);
		path = path_of(&m, pool);
		(void)mailbox(path, pool);
		assert_int_equal(strstr(path, "xn--tda.de") != NULL,
		    n + strlen("xn--tda.de") <= ADDRESS_MAX - 2);
	}
	pool_free(pool);
}

static bool
are_same(const char *a, const char *b, struct pool *pool)
{
	struct mailbox one = mailbox(a, pool), other = mailbox(b, pool);

	return strcmp(path_key(&one, pool), path_key(&other, pool)) == 0;
}

static void
knows_the_same(void **state)
{
	static const struct { const char *a, *b; bool same; } pairs[] = {
		{ "bob@b\u00fccher.example", "bob@xn--bcher-kva.example", 1 },
		{ "bob@b\u00fccher.example", "bob@XN--BCHER-KVA.Example", 1 },
		{ "bob@b\u00fccher.example", "bob@bu\u0308cher.example", 1 },
		{ "bob@b\u00fccher.example", "bob@b\u00fccher\uff0eexample", 1 },
		{ "bob@b\u00fccher.example", "\"bob\"@B\u00dccher.example", 1 },
		{ "\u00fc@b\u00fccher.example", "\u00fc@xn--bcher-kva.example",
		    1 },
		{ "bob@b\u00fccher.example", "Bob@b\u00fccher.example", 0 },
		{ "bob@b\u00fccher.example", "bob@bucher.example", 0 },
		{ "bob@fa\u00df.de", "bob@fass.de", 0 },
		{ "a@\U0001f600.Example", "a@\U0001f600.example", 1 },
		{ "a@[192.0.2.1]", "a@[192.0.2.1]", 1 },
		{ "a", "a@x", 0 },
	};
	struct pool *pool = pool_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (are_same(pairs[i].a, pairs[i].b, pool) != pairs[i].same)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
	pool_free(pool);
}

static const struct {
	const char *pattern, *address;
	bool fits;
} patterns[] = {
	{ "*@example.org", "A@EXAMPLE.org", true },
	{ "a*c@x", "abbc@x", true },
	{ "example.org", "a@example.org", true },
	{ "example.org", "a@b.example.org", false },
	{ "*.example.org", "a@b.example.org", true },
	{ "a@x", "b@x", false },
	{ "example.org", "root", false },

	{ "*@b\u00fccher.example", "a@b\u00fccher.example", true },
	{ "*@b\u00fccher.example", "a@xn--bcher-kva.example", true },
	{ "*@xn--bcher-kva.example", "a@b\u00fccher.example", true },
	{ "*@XN--bcher-kva.example", "a@B\u00dcCHER.EXAMPLE", true },
	{ "b\u00fccher.example", "a@xn--bcher-kva.example", true },
	{ "xn--bcher-kva.example", "a@b\u00fccher.example", true },
	{ "*.b\u00fccher.example", "a@b.xn--bcher-kva.example", true },
	{ "*.b\u00fccher.example", "a@xn--bcher-kva.example", false },
	{ "b\u00fccher.*", "a@xn--bcher-kva.example", true },
	{ "*@*.b\u00fccher.*", "a@\u00fc.b\u00fccher.example", true },
	{ "*@b\u00fccher\u3002example", "a@b\u00fccher.example", true },
	{ "m\u00fcller@*", "m\u00fcller@b\u00fccher.example", true },
	{ "m\u00fcller@b\u00fccher.example",
	    "m\u00fcller@xn--bcher-kva.example", true },
	{ "m\u00fcller@x", "xn--mller-kva@x", false },
	{ "\"a@b\u00fccher.example\"@x", "\"a@xn--bcher-kva.example\"@x",
	    false },
	{ "*@\U0001f600.example", "a@\U0001f600.example", true },
	{ ".b\u00fccher.", ".", false },
	{ "*", "m\u00fcller@b\u00fccher.example", true },
};

static void
matches_patterns(void **state)
{
	struct pool *pool = pool_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (path_matches(patterns[i].pattern, patterns[i].address,
		    pool) != patterns[i].fits)
			fail_msg("%s and %s", patterns[i].pattern,
			    patterns[i].address);
	assert_true(path_matches_any("a@x *@b\u00fccher.example b@x",
	    "q@xn--bcher-kva.example", pool));
	assert_false(path_matches_any("", "q@x", pool));
	pool_free(pool);
}

/* As long as an address may be, and longer by its stars. */
static void
matches_long_patterns(void **state)
{
	static const size_t lengths[] = { 1, 510, 511, 512, 513, ADDRESS_MAX,
	    4000 };
	struct pool *pool = pool_new();
	char *stars, *a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		a = pool_alloc(pool, lengths[i] + 1);
		memset(a, 'a', lengths[i]);
		stars = pool_string(pool, a);
		memset(stars, '*', lengths[i]);
		a = pool_printf(pool, "%s@x", a);
		assert_true(path_matches_any(pool_printf(pool, "b@x %s c@x", a),
		    a, pool));
		assert_false(path_matches_any(pool_printf(pool, "%sb", a), a,
		    pool));
		assert_true(path_matches_any(pool_printf(pool, "b@x %s@x",
		    stars), "q@x", pool));
	}
	pool_free(pool);
}

static void
converts_label_by_label(void **state)
{
	struct pool *pool = pool_new();

	(void)state;
	assert_string_equal(path_ascii("a@.\u00fc..*\u00fc.B.", pool),
	    "a@.xn--tda..*\u00fc.b.");
	assert_string_equal(path_ascii("A@B.c", pool), "A@B.c");
	assert_string_equal(path_ascii("", pool), "");
	pool_free(pool);
}

static void
writes_xtext(void **state)
{
	struct pool *pool = pool_new();

	(void)state;
	assert_string_equal(path_xtext("a+b=c d@x", pool),
	    "a+2Bb+3Dc+20d@x");
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_paths),
		cmocka_unit_test(says_long_paths),
		cmocka_unit_test(knows_the_same),
		cmocka_unit_test(matches_patterns),
		cmocka_unit_test(matches_long_patterns),
		cmocka_unit_test(converts_label_by_label),
		cmocka_unit_test(writes_xtext),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
