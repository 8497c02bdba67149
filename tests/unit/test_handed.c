/* Accounts that the caller may not read: apart from his, and wiped in time. */
#include "handed.h"
#include "bound.h"
#include "privilege.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define KEY	"client-key-ed25519 " \
		"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\n"

static void
read_text(struct config *c, const char *text, enum origin origin)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(f);
	config_read(c, f, "/f", origin, NULL);
	(void)fclose(f);
}

static void
begin(struct config *c)
{
	*c = (struct config){ .pool = pool_new() };
	read_text(c, "account mine\nserver s\npassword m\n", CONFIG_USERS);
	read_text(c, "password hidden\naccount one\nserver s\n" KEY
	    "account two\nserver t\n" KEY
	    "account three\nserver s\npassword other\n" KEY, CONFIG_HANDED);
	assert_int_equal(c->nerrors, 0);
	assert_int_equal(c->n, 4);
	assert_true(handed_are_mixed(c));
	assert_true(c->accounts[1].handed && c->accounts[1].system);
	assert_false(c->accounts[0].handed);
}

static void
his_own_first(void **state)
{
	struct failure why;
	struct config c;
	size_t i;

	(void)state;
	begin(&c);
	assert_true(handed_use(&c, &c.accounts[0], &why));
	for (i = 1; i < c.n; i++) {
		assert_null(c.accounts[i].values[SET_PASSWORD]);
		assert_null(c.accounts[i].password.data);
		assert_null(c.accounts[i].values[SET_CLIENT_KEY_ED25519]);
		assert_null(c.accounts[i].seed.data);
	}
	assert_string_equal(c.accounts[0].values[SET_PASSWORD], "m");
	assert_false(handed_use(&c, &c.accounts[2], &why));
	assert_int_equal(why.kind, FAILURE_CONFIG);
	assert_false(handed_may(&c.accounts[1], &why));
	assert_true(handed_use(&c, &c.accounts[0], &why));
	pool_free(c.pool);
}

static void
the_systems_first(void **state)
{
	struct failure why;
	struct config c;

	(void)state;
	begin(&c);
	assert_true(handed_use(&c, &c.accounts[1], &why));
	assert_string_equal(c.accounts[1].values[SET_PASSWORD], "hidden");
	assert_true(handed_use(&c, &c.accounts[2], &why));
	assert_false(handed_use(&c, &c.accounts[0], &why));
	assert_false(handed_may(&c.accounts[0], &why));
	pool_free(c.pool);
}

static void
his_alone(void **state)
{
	struct config c = { .pool = pool_new() };
	struct failure why;

	(void)state;
	read_text(&c, "account a\nserver s\naccount b\nserver s\n", CONFIG_USERS);
	read_text(&c, "account c\nserver s\npassword p\n", CONFIG_SYSTEMS);
	assert_false(handed_are_mixed(&c));
	assert_true(handed_use(&c, &c.accounts[0], &why));
	assert_true(handed_use(&c, &c.accounts[2], &why));
	assert_true(handed_use(&c, &c.accounts[1], &why));
	assert_string_equal(c.accounts[2].values[SET_PASSWORD], "p");
	pool_free(c.pool);
}

/* Of a login by an account that was lent no more is shown than of another's. */
static void
shown(void **state)
{
	struct privilege lent = { .lent = true }, roots = { .lent = false };
	struct failure why = { 0 };
	struct config c;

	(void)state;
	begin(&c);
	c.handed = &lent;
	assert_true(handed_use(&c, &c.accounts[1], &why));
	assert_false(handed_may_show(&c, &why));
	assert_int_equal(why.kind, FAILURE_USAGE);
	assert_non_null(strstr(why.text, "\"one\" (/f:2)"));
	c.handed = &roots;
	assert_true(handed_may_show(&c, &why));
	pool_free(c.pool);
	begin(&c);
	c.handed = &lent;
	assert_true(handed_use(&c, &c.accounts[0], &why));
	assert_true(handed_may_show(&c, &why));
	pool_free(c.pool);
	c = (struct config){ .pool = pool_new() };
	assert_true(handed_may_show(&c, &why));
	pool_free(c.pool);
}

/* Two have the same one, each a copy: who loses it keeps none. */
static void
lost(void **state)
{
	struct failure why;
	struct account own;
	struct config c;
	size_t i;

	(void)state;
	begin(&c);
	for (i = 1; i < 3; i++) {
		own = c.accounts[i];
		assert_string_equal(own.values[SET_PASSWORD], "hidden");
		assert_true(config_override(&c.accounts[i], "server", "evil",
		    c.pool, &why));
		bound_apply(&own, &c.accounts[i]);
		handed_lost(&c.accounts[i]);
		assert_null(c.accounts[i].password.data);
		assert_null(c.accounts[i].seed.data);
	}
	assert_non_null(c.accounts[3].seed.data);
	assert_string_equal(c.accounts[3].values[SET_PASSWORD], "other");
	config_forget_all(&c);
	pool_free(c.pool);
}

/* Its errors say where, and not what. */
static void
errors(void **state)
{
	static const char *const lines[] = {
		"hidden x", "\"hidden\" y", "'hidden", "dane hidden",
		"ca-file hidden", "include hidden", "server smtps://a:hidden@b",
		"password hidden\npassword hidden", "account hidden hidden",
		"client-key-ed25519 hidden"
	};
	struct config c = { .pool = pool_new() };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lines / sizeof *lines; i++)
		read_text(&c, lines[i], CONFIG_HANDED);
	assert_true(c.nerrors >= i);
	for (i = 0; i < c.nerrors; i++) {
		assert_null(strstr(c.errors[i], "hidden"));
		assert_memory_equal(c.errors[i], "/f:", 3);
	}
	pool_free(c.pool);
}

/* The folder that the caller is in has no say in the system's files. */
static void
names_from_the_root_on(void **state)
{
	static const struct {
		const char *line;
		bool fits;
	} cases[] = {
		{ "ca-file ca.pem", false },	{ "ca-file /ca.pem", true },
		{ "ca-file none", true },	{ "log ./log", false },
		{ "log syslog", true },		{ "keep never", true },
		{ "keep nevermore", false },	{ "aliases none", true },
		{ "include x", false },		{ "password-file x", false },
		{ "client-key pkcs11:x", true }, { "client-key key", false },
	};
	struct config c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		c = (struct config){ .pool = pool_new() };
		read_text(&c, cases[i].line, CONFIG_SYSTEMS);
		assert_int_equal(c.nerrors == 0, cases[i].fits);
		pool_free(c.pool);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(his_own_first),
		cmocka_unit_test(the_systems_first),
		cmocka_unit_test(his_alone),
		cmocka_unit_test(shown),
		cmocka_unit_test(lost),
		cmocka_unit_test(errors),
		cmocka_unit_test(names_from_the_root_on),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
