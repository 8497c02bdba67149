/* Who calls: what of the environment counts, and what must not. */
#define _GNU_SOURCE			/* unshare(), sethostname() */
#include "caller.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* Whether a resolver may be trusted with DNSSEC is the system's to say. */
static void
resolver_options(void **state)
{
	struct pool *pool = pool_new();
	struct caller c;

	(void)state;
	assert_int_equal(setenv("RES_OPTIONS", "trust-ad", 1), 0);
	caller_read(&c, false, NULL, pool);
	assert_null(getenv("RES_OPTIONS"));
	pool_free(pool);
}

static void
state_home(void **state)
{
	struct pool *pool = pool_new();
	struct caller c;

	(void)state;
	assert_int_equal(setenv("XDG_STATE_HOME", "/a/state", 1), 0);
	caller_read(&c, false, NULL, pool);
	assert_string_equal(c.state_home, "/a/state");
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
	assert_int_equal(setenv("HOME", "/", 1), 0);
	caller_read(&c, false, NULL, pool);
	if (getuid() == 0)		/* whose "/" is */
		assert_string_equal(c.state_home, "//.local/state");
	else
		assert_non_null(c.state_home);
	pool_free(pool);
}

/* A host and an /etc of our own, which root can have. */
static bool
is_alone(void)
{
	return unshare(CLONE_NEWUTS | CLONE_NEWNS) == 0 && mount("none", "/",
	    NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("none", "/etc",
	    "tmpfs", 0, NULL) == 0;
}

static void
host_names(void **state)
{
	static const struct {
		const char *host, *fqdn, *file, *mailname;
	} cases[] = {
		{ "a.example", "a.example", "b.example\n", "b.example" },
		{ "a", NULL, "b\n", NULL },
		{ "a.", NULL, "", NULL },
		{ "my_pc.lan", NULL, "b.example c\n", "b.example" },
		{ "a b.example", NULL, "b c.example\n", NULL },
		{ "a.example\n250", NULL, "b_c.example", NULL },
	};
	struct pool *pool = pool_new();
	struct caller c;
	FILE *f;
	size_t i;

	(void)state;
	if (!is_alone())
		skip();
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(sethostname(cases[i].host,
		    strlen(cases[i].host)), 0);
		f = fopen("/etc/mailname", "w");
		assert_non_null(f);
		assert_true(fputs(cases[i].file, f) >= 0 && fclose(f) == 0);
		caller_read(&c, false, NULL, pool);
		assert_string_equal(c.fqdn != NULL ? c.fqdn : "none",
		    cases[i].fqdn != NULL ? cases[i].fqdn : "none");
		assert_string_equal(c.mailname != NULL ? c.mailname : "none",
		    cases[i].mailname != NULL ? cases[i].mailname : "none");
	}
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolver_options),
		cmocka_unit_test(state_home),
		cmocka_unit_test(host_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
