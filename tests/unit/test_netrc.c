/* Passwords of ~/.netrc, in the layouts that people and programs write. */
#include "netrc.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct netrc_case {
	const char *text;
	const char *host, *user;
	const char *password;		/* NULL: there is none */
};

static void
check_octets(const struct netrc_case *c, const char *text, size_t len)
{
	struct buffer secret = { 0 };
	bool found = netrc_find(text, len, c->host, c->user, &secret);
	size_t n = buffer_len(&secret);

	if (found != (c->password != NULL))
		fail_msg("%s in: %s", found ? "found" : "not found", c->text);
	assert_int_equal(n, c->password != NULL ? strlen(c->password) : 0);
	if (c->password != NULL && n > 0 &&
	    memcmp(buffer_data(&secret), c->password, n) != 0)
		fail_msg("got %.*s from: %s", (int)n, buffer_data(&secret),
		    c->text);
	buffer_wipe(&secret);
}

/* Not terminated: who reads beyond it is seen by ASan. */
static void
check(const struct netrc_case *c)
{
	size_t len = strlen(c->text);
	char *copy = malloc(len + 1), *text = copy + 1;

	assert_non_null(copy);
	memcpy(text, c->text, len);
	check_octets(c, text, len);
	free(copy);
}

static void
check_all(const struct netrc_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check(&cases[i]);
}

#define CHECK(cases) check_all(cases, sizeof cases / sizeof *cases)

static void
test_layouts(void **state)
{
	static const struct netrc_case cases[] = {
		{ "machine mx login me password pw", "mx", "me", "pw" },
		{ "machine mx login me password pw\n", "mx", "me", "pw" },
		{ "machine mx\nlogin me\npassword pw\n", "mx", "me", "pw" },
		{ "machine\nmx\nlogin\nme\npassword\npw", "mx", "me", "pw" },
		{ "\tmachine   mx\r\n\tlogin me\r\n\tpassword pw\r\n", "mx",
		    "me", "pw" },
		{ "machine mx password pw login me", "mx", "me", "pw" },
		{ "machine mx login me account a password pw", "mx", "me",
		    "pw" },
		{ "machine mx account password login me password pw", "mx",
		    "me", "pw" },
		{ "machine mx login me password a,b", "mx", "me", "a,b" },
		{ "machine mx port 465 login me password pw", "mx", "me",
		    "pw" },
		{ "machine mx login me password one password two", "mx", "me",
		    "two" },
		{ "machine mx login me password p\303\266", "mx", "me",
		    "p\303\266" },
	};

	(void)state;
	CHECK(cases);
}

static void
test_hosts(void **state)
{
	static const char two[] =
	    "machine a.example login me password of-a\n"
	    "machine b.example login me password of-b\n"
	    "machine b.example login you password of-you\n";
	const struct netrc_case cases[] = {
		{ two, "a.example", "me", "of-a" },
		{ two, "b.example", "me", "of-b" },
		{ two, "b.example", "you", "of-you" },
		{ two, "a.example", "you", NULL },
		{ two, "c.example", "me", NULL },
		{ two, "example", "me", NULL },
		{ two, "b.example.org", "me", NULL },
		{ two, "B.Example", "me", "of-b" },
		{ "machine MX.EXAMPLE login me password pw", "mx.example",
		    "me", "pw" },
		{ "machine 192.0.2.1 login me password pw", "192.0.2.1", "me",
		    "pw" },
		{ "machine ::1 login me password pw", "::1", "me", "pw" },
		{ "machine mx login me password one\n"
		    "machine mx login me password two\n", "mx", "me", "one" },
	};

	(void)state;
	CHECK(cases);
}

static void
test_logins(void **state)
{
	static const struct netrc_case cases[] = {
		{ "machine mx login you password pw", "mx", "me", NULL },
		{ "machine mx login Me password pw", "mx", "me", NULL },
		{ "machine mx password pw login you", "mx", "me", NULL },
		{ "machine mx password pw", "mx", "me", "pw" },
		{ "machine mx login you password no machine mx password pw",
		    "mx", "me", "pw" },
		{ "machine mx login me\nmachine mx password pw", "mx", "me",
		    "pw" },
		{ "machine mx login me", "mx", "me", NULL },
		{ "machine mx login me@example.org password pw", "mx",
		    "me@example.org", "pw" },
		{ "machine mx login me@example.org password pw", "mx", "me",
		    NULL },
		{ "machine mx login machine password default", "mx",
		    "machine", "default" },
		{ "machine default login me password login", "default", "me",
		    "login" },
		{ "machine mx login me password pw", "mx", "", NULL },
		{ "machine mx password pw", "mx", "", "pw" },
	};

	(void)state;
	CHECK(cases);
}

static void
test_default(void **state)
{
	static const char file[] = "machine a login me password of-a\n"
	    "default login me password of-all\n";
	const struct netrc_case cases[] = {
		{ file, "a", "me", "of-a" },
		{ file, "b", "me", "of-all" },
		{ file, "b", "you", NULL },
		{ "default password pw", "a", "me", "pw" },
		{ "default login me", "a", "me", NULL },
		{ "default login me password pw\n"
		    "machine a login me password late", "a", "me", "pw" },
		{ "machine a login you password no\n"
		    "default login me password pw", "a", "me", "pw" },
		{ "machine default login me password pw", "a", "me", NULL },
	};

	(void)state;
	CHECK(cases);
}

static void
test_quoted(void **state)
{
	static const struct netrc_case cases[] = {
		{ "machine mx login me password \"a b\"", "mx", "me", "a b" },
		{ "machine mx login me password \"a\\\"b\"", "mx", "me",
		    "a\"b" },
		{ "machine mx login me password \"a\\\\b\"", "mx", "me",
		    "a\\b" },
		{ "machine mx login me password a\\ b", "mx", "me", "a b" },
		{ "machine mx login me password a\\\\b", "mx", "me", "a\\b" },
		{ "machine mx login me password \\\"a\\\"", "mx", "me",
		    "\"a\"" },
		{ "machine mx login me password a\"b", "mx", "me", "a\"b" },
		{ "machine \"mx\" login \"me\" password \"pw\"", "mx", "me",
		    "pw" },
		{ "machine mx login \"m e\" password pw", "mx", "m e", "pw" },
		{ "machine mx login me password \"\"", "mx", "me", "" },
		{ "machine mx login me password \" # \"", "mx", "me", " # " },
		/* A quotation that nobody closes spoils its line alone. */
		{ "machine a login me password \"x y\n"
		    "machine b login me password pw\n", "a", "me", "x y" },
		{ "machine a login me password \"x y\n"
		    "machine b login me password pw\n", "b", "me", "pw" },
	};

	(void)state;
	CHECK(cases);
}

static void
test_comments(void **state)
{
	static const struct netrc_case cases[] = {
		{ "# machine mx login me password no\n"
		    "machine mx login me password pw", "mx", "me", "pw" },
		{ "machine mx # login you\nlogin me # password no\n"
		    "password pw # and so on", "mx", "me", "pw" },
		{ "#\n#machine\n\n #x\nmachine mx password pw", "mx", "me",
		    "pw" },
		{ "# machine mx password pw", "mx", "me", NULL },
		/* What stands where a value is wanted is one. */
		{ "machine mx login me password #pw\nmachine b", "mx", "me",
		    "#pw" },
		{ "machine mx login #me password pw", "mx", "#me", "pw" },
		{ "machine mx login me password p#w", "mx", "me", "p#w" },
	};

	(void)state;
	CHECK(cases);
}

static void
test_macros(void **state)
{
	static const char inside[] = "machine a login me password of-a\n"
	    "macdef init\n"
	    "cd /\n"
	    "machine b login me password stolen\n"
	    "\n"
	    "machine b login me password of-b\n";
	const struct netrc_case cases[] = {
		{ inside, "a", "me", "of-a" },
		{ inside, "b", "me", "of-b" },
		{ "macdef init\nmachine mx password no\n", "mx", "me", NULL },
		{ "macdef init\nmachine mx password no", "mx", "me", NULL },
		{ "macdef init\n", "mx", "me", NULL },
		{ "macdef init", "mx", "me", NULL },
		{ "macdef", "mx", "me", NULL },
		{ "macdef init\n\nmachine mx password pw", "mx", "me", "pw" },
		{ "macdef a\nx\n\nmacdef b\nmachine mx password no\n\n"
		    "machine mx password pw", "mx", "me", "pw" },
		{ "macdef init\r\nmachine mx password no\r\n\r\n"
		    "machine mx password pw\r\n", "mx", "me", "pw" },
		{ "machine mx login me\nmacdef init\npassword no\n\n"
		    "password pw\n", "mx", "me", "pw" },
		{ "machine mx login me password pw\nmacdef init\nx", "mx",
		    "me", "pw" },
	};

	(void)state;
	CHECK(cases);
}

static void
test_cut(void **state)
{
	static const struct netrc_case cases[] = {
		{ "", "mx", "me", NULL },
		{ "\n", "mx", "me", NULL },
		{ " \t\r\n", "mx", "me", NULL },
		{ "#", "mx", "me", NULL },
		{ "\"", "mx", "me", NULL },
		{ "\\", "mx", "me", NULL },
		{ "machine", "mx", "me", NULL },
		{ "machine mx", "mx", "me", NULL },
		{ "machine mx login", "mx", "me", NULL },
		{ "machine mx login me password", "mx", "me", NULL },
		{ "machine mx login me password ", "mx", "me", NULL },
		{ "machine mx login me password pw account", "mx", "me",
		    "pw" },
		{ "machine mx login me password pw login", "mx", "me", "pw" },
		{ "machine mx login me password \"pw", "mx", "me", "pw" },
		{ "machine mx login me password pw\\", "mx", "me", "pw\\" },
		{ "machine mx login me password \"pw\\", "mx", "me", "pw\\" },
		{ "login me password pw", "mx", "me", NULL },
		{ "default", "mx", "me", NULL },
	};

	(void)state;
	CHECK(cases);
}

/* It is not cut there: who asked must see that it is no password. */
static void
test_nul(void **state)
{
	static const char text[] = "machine mx login me password p\0w\n";
	struct buffer secret = { 0 };

	(void)state;
	assert_true(netrc_find(text, sizeof text - 1, "mx", "me", &secret));
	assert_int_equal(buffer_len(&secret), 3);
	assert_memory_equal(buffer_data(&secret), "p\0w", 3);
	buffer_wipe(&secret);
}

static void
test_appended(void **state)
{
	static const char text[] = "machine mx login me password pw\n";
	struct buffer secret = { 0 };

	(void)state;
	buffer_put(&secret, "x", 1);
	assert_false(netrc_find(text, sizeof text - 1, "b", "me", &secret));
	assert_int_equal(buffer_len(&secret), 1);
	assert_true(netrc_find(text, sizeof text - 1, "mx", "me", &secret));
	assert_int_equal(buffer_len(&secret), 3);
	assert_memory_equal(buffer_data(&secret), "xpw", 3);
	buffer_wipe(&secret);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_macros),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_appended),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
