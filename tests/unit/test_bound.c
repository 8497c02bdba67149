/* Account and command line in; what takes the secret away, and what stays. */
#include "bound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* NULL in withheld: nothing takes it away. */
static const struct {
	bool system;
	const char *account;
	const char *words[5];		/* of the command line, in pairs */
	const char *withheld;
} cases[] = {
	{ 0, "from a@b.c\nserver s", { "server", "t" }, "server" },
	{ 0, "from a@b.c\nserver s t", { "server", "t" }, NULL },
	{ 0, "from a@b.c\nserver s", { "server", "smtps://S:465" }, "server" },
	{ 0, "from a@b.c\nserver s", { "server", "smtps://s:465" }, NULL },
	{ 0, "from a@b.c\nserver s", { "server", "e@s" }, "server" },
	{ 0, "from a@b.c\nserver e@s", { "server", "s" }, "server" },
	{ 0, "from a@b.c\nserver e@s", { "server", "e@s" }, NULL },
	{ 0, "from a@b.c\nserver s", { "server", "smtp://s" }, "server" },
	{ 0, "from a@b.c", { "server", "b.c" }, "server" },
	{ 0, "from a@b.c", { "from", "a@d.e" }, "from" },
	{ 0, "from a@b.c\nuser me", { "from", "a@d.e" }, "from" },
	{ 0, "from a@b.c\nserver s", { "from", "x@b.c" }, "from" },
	{ 0, "from a@b.c\nserver s\nuser me", { "from", "x@b.c" }, NULL },
	{ 0, "from a@b.c\nserver s", { "from", "x@b.c", "user", "a@b.c" },
	    NULL },
	{ 0, "from a@b.c\nserver s", { "user", "a@b.c", "from", "x@b.c" },
	    NULL },
	{ 0, "server s", { "from", "x@b.c" }, "from" },
	{ 0, "from a@b.c\nserver s", { "user", "x" }, "user" },
	{ 0, "from a@b.c\nserver s\nuser x", { "user", "x" }, NULL },
	{ 0, "from a@b.c\nserver s", { "dane", "AUTO" }, NULL },
	{ 0, "from a@b.c\nserver s", { "dane", "require" }, "dane" },
	{ 0, "from a@b.c\nserver s\ndane require", { "dane", "both" },
	    "dane" },
	{ 0, "from a@b.c\nserver s", { "tls-alpn", "none" }, NULL },
	{ 0, "from a@b.c\nserver s", { "tls-alpn", "smtp" }, "tls-alpn" },
	{ 0, "from a@b.c\nserver s\ntls-alpn smtp", { "tls-alpn", "smtp h2" },
	    "tls-alpn" },
	{ 0, "from a@b.c\nserver s", { "auth", "auto" }, NULL },
	{ 0, "from a@b.c\nserver s\nauth PLAIN", { "auth", "plain" }, NULL },
	{ 0, "from a@b.c\nserver s\nauth PLAIN", { "auth", "plain login" },
	    "auth" },
	{ 0, "from a@b.c\nserver s\nca-file /a", { "ca-file", "/a" }, NULL },
	{ 0, "from a@b.c\nserver s\nca-file /a", { "ca-file", "none" },
	    "ca-file" },
	{ 0, "from a@b.c\nserver s\nallow-from *@b.c", { "allow-from", "*" },
	    NULL },
	{ 1, "from a@b.c\nserver s\nallow-from *@b.c", { "allow-from", "*" },
	    "allow-from" },
	{ 1, "from a@b.c\nserver s\nuser x\nallow-from *@b.c",
	    { "from", "x@y.z" }, "from" },
	{ 1, "from a@b.c\nserver s\nuser x", { "from", "x@y.z" }, NULL },
	{ 1, "from a@b.c\nserver s", { "hello", "x.example" }, NULL },
};

static void
begin(struct config *c, const char *text, bool system)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	*c = (struct config){ .pool = pool_new() };
	assert_non_null(f);
	config_read(c, f, "/f", system, NULL);
	(void)fclose(f);
	assert_int_equal(c->nerrors, 0);
	assert_int_equal(c->n, 1);
}

static void
change(struct config *c, const char *const *words)
{
	const struct account own = c->accounts[0];
	struct failure why;

	for (; *words != NULL; words += 2)
		assert_true(config_override(&c->accounts[0], words[0],
		    words[1], c->pool, &why));
	bound_apply(&own, &c->accounts[0]);
}

static void
what_takes_it_away(void **state)
{
	const struct account *a;
	struct config c;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)snprintf(text, sizeof text, "%s\npassword p\n",
		    cases[i].account);
		begin(&c, text, cases[i].system);
		a = &c.accounts[0];
		change(&c, cases[i].words);
		if (cases[i].withheld == NULL) {
			assert_null(a->withheld);
			assert_string_equal(a->values[SET_PASSWORD], "p");
		} else {
			assert_string_equal(a->withheld, cases[i].withheld);
			assert_null(a->values[SET_PASSWORD]);
		}
		assert_int_equal(a->deprived, cases[i].withheld != NULL);
		change(&c, cases[i].words);	/* each mail asks anew */
		assert_int_equal(a->withheld != NULL,
		    cases[i].withheld != NULL);
		pool_free(c.pool);
	}
}

static void
what_goes_and_what_stays(void **state)
{
	const struct account *a;
	struct config c;

	(void)state;
	begin(&c, "server s\npassword p\npassword-file /f\n"
	    "password-command c\nclient-certificate /c\nclient-key /k\n", 0);
	a = &c.accounts[0];
	change(&c, (const char *const[]){ "server", "t", NULL });
	assert_null(a->values[SET_PASSWORD]);
	assert_null(a->values[SET_PASSWORD_FILE]);
	assert_null(a->values[SET_PASSWORD_COMMAND]);
	assert_null(a->values[SET_CLIENT_CERTIFICATE]);
	assert_null(a->values[SET_CLIENT_KEY]);
	pool_free(c.pool);

	begin(&c, "server s\nclient-key-ed25519 "
	    "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\n", 0);
	a = &c.accounts[0];
	change(&c, (const char *const[]){ "client-certificate", "/c", NULL });
	assert_string_equal(a->withheld, "client-certificate");
	assert_null(a->values[SET_CLIENT_KEY_ED25519]);
	assert_string_equal(a->values[SET_CLIENT_CERTIFICATE], "/c");
	pool_free(c.pool);

	begin(&c, "server s\noauth-command c\n", 0);
	a = &c.accounts[0];
	change(&c, (const char *const[]){ "password-file", "/g", NULL });
	assert_null(a->withheld);
	assert_null(a->values[SET_OAUTH_COMMAND]);
	pool_free(c.pool);

	begin(&c, "server s\noauth-command c\n", 0);
	a = &c.accounts[0];
	change(&c, (const char *const[]){ "auth", "XOAUTH2", NULL });
	assert_string_equal(a->withheld, "auth");
	assert_true(a->deprived);
	assert_null(a->values[SET_OAUTH_COMMAND]);
	pool_free(c.pool);

	begin(&c, "server s\npassword p\nclient-certificate /c\n", 0);
	a = &c.accounts[0];
	change(&c, (const char *const[]){ "client-certificate", "/d",
	    "password-file", "/g", NULL });
	assert_null(a->values[SET_PASSWORD]);
	assert_string_equal(a->values[SET_PASSWORD_FILE], "/g");
	assert_string_equal(a->values[SET_CLIENT_CERTIFICATE], "/d");
	pool_free(c.pool);

	begin(&c, "server s\npassword p\npassword-command c\n", 0);
	a = &c.accounts[0];
	change(&c, (const char *const[]){ "password-file", "/g", NULL });
	assert_null(a->withheld);
	assert_null(a->values[SET_PASSWORD]);
	assert_null(a->values[SET_PASSWORD_COMMAND]);
	pool_free(c.pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_takes_it_away),
		cmocka_unit_test(what_goes_and_what_stays),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
