/* A host's addresses. */
#include "locate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct pool *pool;
static struct place place;
static struct failure why;

/* An address has one family alone: nothing to wait for, nothing misspelt. */
static void
is_of_another_family(void **state)
{
	static const struct {
		const char *host;
		int family;
	} cases[] = { { "127.0.0.1", AF_INET6 }, { "::1", AF_INET } };
	struct locate_params params = { .dane = DANE_OFF };
	struct endpoint e = { .port = "465" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		e.host = cases[i].host;
		params.family = AF_UNSPEC;
		assert_true(locate(NULL, &e, &params, pool, &place, &why));
		assert_int_equal(place.n, 1);
		params.family = cases[i].family;
		assert_false(locate(NULL, &e, &params, pool, &place, &why));
		assert_int_equal(why.kind, FAILURE_RESOLVE_NONE);
		assert_non_null(strstr(why.text, e.host));
		assert_non_null(strstr(why.text, "(-4 or -6)"));
	}
}

static int
fresh(void **state)
{
	(void)state;
	pool = pool_new();
	return 0;
}

static int
done(void **state)
{
	(void)state;
	pool_free(pool);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(is_of_another_family),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
