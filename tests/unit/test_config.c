#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { ERRORS_MAX = 4 };

static void
read_text(struct config *c, const char *text, config_open *open)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(f);
	config_read(c, f, "f", false, open);
	(void)fclose(f);
}

/* What is wrong is told with line and column, all of it. */
static const struct {
	const char *text;
	const char *errors[ERRORS_MAX];
} bad[] = {
	{ "from a@b.c\n", { NULL } },
	{ "  from   a@b.c   # comment\n\n#from x\n", { NULL } },
	{ "from", { "f:1:1: from has no value" } },
	{ "from a@b.c d\n", { "f:1:12: from has one value; put it in quotes "
	    "when it holds blanks" } },
	{ "from a@b.c\nfrom a@b.c\n", { "f:2:1: from is set twice" } },
	{ "from me\n", { "f:1:6: \"me\" is no whole address, as in "
	    "me@example.org" } },
	{ "form a@b.c\n", { "f:1:1: there is no setting \"form\"; is \"from\" "
	    "meant?" } },
	{ "zzzzzzzzz a\n", { "f:1:1: there is no setting \"zzzzzzzzz\"" } },
	{ "name \"a\nname 'b\n", { "f:1:6: this quotation mark is never "
	    "closed", "f:2:6: this quotation mark is never closed" } },
	{ "name \"a\"b\n", { "f:1:6: there must be a blank behind the closing "
	    "quotation mark" } },
	{ "name \"a\\n\"\n", { "f:1:8: within \"...\" a backslash stands "
	    "before \" or \\ only; use '...' for text as it is" } },
	{ "name \"\"\n", { "f:1:6: name has no value" } },
	{ "account\n", { "f:1:1: \"account\" wants one name" } },
	{ "account a b\n", { "f:1:1: \"account\" wants one name" } },
	{ "account a\naccount b\naccount a\n", { "f:3:9: there is an account "
	    "\"a\" already, in line 1" } },
	{ "timeout-reply 1s\n", { "f:1:15: timeout-reply is a number of "
	    "seconds, not \"1s\"" } },
	{ "timeout-reply 12345678\n", { "f:1:15: timeout-reply is a number of "
	    "seconds, not \"12345678\"" } },
	{ "tls-minimum 1.1\n", { "f:1:13: tls-minimum is one of 1.2 1.3 , not "
	    "\"1.1\"" } },
	{ "rewrite-from NEVER\nrewrite-from no", { "f:2:1: rewrite-from is "
	    "set twice", "f:2:14: rewrite-from is one of local always never "
	    ", not \"no\"" } },
	{ "default-recipient a@b.c d\n", { "f:1:19: \"a@b.c d\" is no "
	    "address: a comma or an \"@\" is missing" } },
	{ "default-recipient a@b.c d@e.f\n", { NULL } },
	{ "default-recipient root\n", { "f:1:19: \"root\" is no whole address, "
	    "as in me@example.org" } },
	{ "domain a@b\n", { "f:1:8: \"a@b\" is no domain" } },
	{ "domain [1.2.3.4]\n", { "f:1:8: \"[1.2.3.4]\" is no domain" } },
	{ "domain b.example\nmatch *@a b.c\nallow-from *\n", { NULL } },
	{ "auth plain login\n", { NULL } },
	{ "auth-minimum none\n", { "f:1:14: \"NONE\" is no mechanism known "
	    "here (EXTERNAL, SCRAM-SHA-256-PLUS, SCRAM-SHA-256, "
	    "SCRAM-SHA-1-PLUS, SCRAM-SHA-1, CRAM-MD5, PLAIN, LOGIN)" } },
	{ "name a\001b\n", { "f:1:6: name must not hold control characters" } },
	{ "server\n", { "f:1:1: server has no value" } },
	{ "include a\n", { "f:1:9: files include each other too deeply" } },
	{ "include\n", { "f:1:1: \"include\" wants one file" } },
};

static void
tells_every_error(void **state)
{
	struct pool *pool;
	struct config c;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		pool = pool_new();
		c = (struct config){ .pool = pool };
		read_text(&c, bad[i].text, NULL);
		for (n = 0; n < ERRORS_MAX && bad[i].errors[n] != NULL; n++) {
			assert_true(n < c.nerrors);
			assert_string_equal(c.errors[n], bad[i].errors[n]);
		}
		if (n != c.nerrors)
			fail_msg("case %zu: %s", i, c.errors[n]);
		pool_free(pool);
	}
}

static void
refuses_long_lines_and_nul(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	char text[9000];
	FILE *f;

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "name a\0b\n", 9);
	text[sizeof text - 1] = '\n';
	f = fmemopen(text, sizeof text, "r");
	assert_non_null(f);
	config_read(&c, f, "f", false, NULL);
	(void)fclose(f);
	assert_int_equal(c.nerrors, 2);
	assert_string_equal(c.errors[0], "f:1:7: the line has a NUL in it");
	assert_string_equal(c.errors[1], "f:2:8192: the line has more than "
	    "8192 octets");
	pool_free(pool);
}

static void
gives_values(void **state)
{
	static const char text[] =
	    "timeout-reply 7\nname \"J. \\\"Q\\\" D\"\nserver smtps://all\n"
	    "account one\nfrom a@b.c\nauth plain scram-sha-1\n"
	    "account two\r\nname 'it\\n'\nserver smtp://x smtps://y\n"
	    "server smtp+plain://localhost\nmatch a@b *.c\n";
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	const struct account *a;

	(void)state;
	read_text(&c, text, NULL);
	assert_int_equal(c.nerrors, 0);
	assert_int_equal(c.n, 2);
	a = &c.accounts[0];
	assert_string_equal(a->name, "one");
	assert_int_equal(a->line, 4);
	assert_false(a->system);
	assert_string_equal(config_value(a, SET_NAME), "J. \"Q\" D");
	assert_string_equal(config_value(a, SET_AUTH), "PLAIN SCRAM-SHA-1");
	assert_int_equal(a->nservers, 1);
	assert_string_equal(a->servers[0].host, "all");
	assert_int_equal(config_number(a, SET_TIMEOUT_REPLY), 7);
	assert_int_equal(config_number(a, SET_TIMEOUT_CONNECT), 30);
	assert_null(config_value(a, SET_PASSWORD));
	a = &c.accounts[1];
	assert_string_equal(config_value(a, SET_NAME), "it\\n");
	assert_string_equal(config_value(a, SET_MATCH), "a@b *.c");
	assert_string_equal(config_value(a, SET_AUTH), "auto");
	assert_int_equal(a->nservers, 3);
	assert_string_equal(a->servers[1].host, "y");
	assert_int_equal(a->servers[2].security, SECURITY_NONE);
	assert_null(a->values[SET_FROM]);
	pool_free(pool);
}

static void
one_account_without_its_line(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };

	(void)state;
	read_text(&c, "# nothing\n", NULL);
	assert_int_equal(c.n, 0);
	read_text(&c, "from a@b.c\n", NULL);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.accounts[0].name, "default");
	read_text(&c, "account default\n", NULL);	/* another file's */
	assert_int_equal(c.n, 2);
	assert_int_equal(c.nerrors, 0);
	pool_free(pool);
}

static FILE *
open_other(const char *name)
{
	static char one[] = "name included\naccount two\n", self[] =
	    "include self\n";

	return strcmp(name, "one") == 0 ? fmemopen(one, strlen(one), "r") :
	    strcmp(name, "self") == 0 ? fmemopen(self, strlen(self), "r") :
	    NULL;
}

static void
includes(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };

	(void)state;
	read_text(&c, "account a\ninclude one\nfrom b@c.d\ninclude self\n"
	    "include none\n", open_other);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.accounts[0].values[SET_NAME], "included");
	assert_string_equal(c.accounts[1].values[SET_FROM], "b@c.d");
	assert_int_equal(c.nerrors, 2);
	assert_string_equal(c.errors[0], "self:1:9: files include each other "
	    "too deeply");
	assert_memory_equal(c.errors[1], "f:5:9: none cannot be read: ", 28);
	pool_free(pool);
}

static void
options_override(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	struct failure why;
	struct account *a;

	(void)state;
	read_text(&c, "from a@b.c\nserver smtps://x smtps://y\n", NULL);
	a = &c.accounts[0];
	assert_true(config_override(a, "server", "smtp://z", pool, &why));
	assert_int_equal(a->nservers, 1);
	assert_string_equal(a->values[SET_SERVER], "smtp://z:587");
	assert_true(config_override(a, "auth", "plain", pool, &why));
	assert_string_equal(a->values[SET_AUTH], "PLAIN");
	assert_false(config_override(a, "auth", "x", pool, &why));
	assert_int_equal(why.kind, FAILURE_USAGE);
	assert_memory_equal(why.text, "--auth: \"X\" is no mechanism", 27);
	assert_false(config_override(a, "password", "x", pool, &why));
	assert_int_equal(why.kind, FAILURE_USAGE);
	assert_false(config_override(a, "password-command", "x", pool, &why));
	assert_false(config_has_option("password"));
	assert_false(config_has_option("password-command"));
	assert_false(config_has_option("nothing"));
	assert_true(config_has_option("ca-file"));
	assert_true(config_is_secret(SET_PASSWORD));
	assert_false(config_is_secret(SET_USER));
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_every_error),
		cmocka_unit_test(refuses_long_lines_and_nul),
		cmocka_unit_test(gives_values),
		cmocka_unit_test(one_account_without_its_line),
		cmocka_unit_test(includes),
		cmocka_unit_test(options_override),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
