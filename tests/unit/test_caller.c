/* Who calls: what of the environment counts, and what must not. */
#include "caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolver_options),
		cmocka_unit_test(state_home),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
