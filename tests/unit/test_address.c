#include "address.h"
#include "path.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Lists and what is understood of them: paths with one blank between. */
static const struct {
	const char *text;
	const char *paths;		/* NULL: no address */
} lists[] = {
	{ "a@b", "a@b" },
	{ "a@b, c@d", "a@b c@d" },
	{ "a@b,,c@d,", "a@b c@d" },
	{ "a@b c@d", "a@b c@d" },
	{ "a@b; root", "a@b root" },
	{ "Joe Q. Public <joe@x.org>", "joe@x.org" },
	{ "G: a@x, b@y;, c@z", "a@x b@y c@z" },
	{ "undisclosed-recipients:;", "" },
	{ "\"quoted local\"@x.org", "\"quoted local\"@x.org" },
	{ "\"a@evil.com x\"@good.com", "\"a@evil.com x\"@good.com" },
	{ "\"needless\"@x.org", "needless@x.org" },
	{ "a..b@x.org", "\"a..b\"@x.org" },
	{ "<@r1,@r2:c@x>", "c@x" },
	{ "<,@r1 (x), ,@r2 : c@x>", "c@x" },
	{ "a . b @ c . d", "a.b@c.d" },
	{ "a(x(y)z)@b", "a@b" },
	{ "a@[127.0.0.1]", "a@[127.0.0.1]" },
	{ "a@b.", "a@b" },
	{ "root (Cron Daemon)", "root" },
	{ "\xc3\xbc@\xc3\xb6.de", "\xc3\xbc@\xc3\xb6.de" },
	{ "John Smith", NULL },
	{ "a@b c", NULL },
	{ "x (unbalanced", NULL },
	{ "a@b>", NULL },
	{ "a@b\r\nRCPT TO:<c@d>", NULL },
	{ "a@b..", NULL },
	{ "a@", NULL },
	{ "@b", NULL },
	{ "<@a b@c>", NULL },
	{ "<@a>", NULL },
	{ "<,a@b>", NULL },
	{ "\xff@b", NULL },
	{ "a@b;sleep 5", NULL },
};

static char *
paths(const struct mailbox *list, size_t n, struct pool *pool)
{
	char *all = pool_string(pool, "");
	size_t i;

	for (i = 0; i < n; i++)
		all = pool_printf(pool, "%s%s%s", all, i > 0 ? " " : "",
		    path_of(&list[i], pool));
	return all;
}

static void
understands_lists(void **state)
{
	struct pool *pool = pool_new();
	struct mailbox *list;
	struct failure why;
	size_t i, n;
	bool ok;

	(void)state;
	for (i = 0; i < sizeof lists / sizeof *lists; i++) {
		list = NULL;
		n = 0;
		ok = address_list(lists[i].text, pool, &list, &n, &why);
		if (ok != (lists[i].paths != NULL))
			fail_msg("%s: %s", lists[i].text, ok ? "understood" :
			    why.text);
		if (ok)
			assert_string_equal(paths(list, n, pool),
			    lists[i].paths);
		else
			assert_int_equal(why.kind, FAILURE_ADDRESS);
	}
	pool_free(pool);
}

static void
keeps_names(void **state)
{
	struct pool *pool = pool_new();
	struct mailbox *list = NULL;
	struct failure why;
	size_t n = 0;

	(void)state;
	assert_true(address_list("\"A, B\" <a@b>, root (Cron Daemon), c@d",
	    pool, &list, &n, &why));
	assert_int_equal(n, 3);
	assert_string_equal(list[0].name, "A, B");
	assert_string_equal(list[1].name, "Cron Daemon");
	assert_null(list[1].domain);
	assert_null(list[2].name);
	pool_free(pool);
}

static void
says_what_was_guessed(void **state)
{
	struct pool *pool = pool_new();
	struct mailbox *list = NULL;
	struct failure why;
	size_t n = 0;

	(void)state;
	assert_true(address_list("a@b c@d, \xc3\xbc@e", pool, &list, &n,
	    &why));
	assert_true(list[0].guessed);
	assert_false(list[1].guessed);
	pool_free(pool);
}

static void
knows_the_null_sender(void **state)
{
	struct pool *pool = pool_new();
	struct failure why;
	struct mailbox m;

	(void)state;
	assert_true(address_sender("", pool, &m, &why));
	assert_string_equal(path_of(&m, pool), "");
	assert_true(address_sender(" <> ", pool, &m, &why));
	assert_string_equal(path_of(&m, pool), "");
	assert_true(address_sender("Me <a@b>", pool, &m, &why));
	assert_string_equal(path_of(&m, pool), "a@b");
	assert_false(address_sender("a@b, c@d", pool, &m, &why));
	pool_free(pool);
}

/* A deep or a long text costs its length, not its square or the stack. */
static void
survives_depth(void **state)
{
	static const char open[] = "(<\"[";
	struct pool *pool = pool_new();
	struct mailbox *list;
	struct failure why;
	char *text;
	size_t i, n;

	(void)state;
	for (i = 0; open[i] != '\0'; i++) {
		text = pool_alloc(pool, 100001);
		memset(text, open[i], 100000);
		assert_false(address_list(text, pool, &list, &n, &why));
	}
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands_lists),
		cmocka_unit_test(keeps_names),
		cmocka_unit_test(says_what_was_guessed),
		cmocka_unit_test(knows_the_null_sender),
		cmocka_unit_test(survives_depth),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
