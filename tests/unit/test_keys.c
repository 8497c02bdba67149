#include "keys.h"

#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MANY = 2000 };

static void
test_found_again(void **state)
{
	struct pool *pool = pool_new();
	struct keys keys = { 0 };
	size_t i, number;

	(void)state;
	assert_false(keys_find(&keys, "", &number));
	for (i = 0; i < MANY; i++)
		keys_add(&keys, pool_printf(pool, "r%zu", i), i, pool);
	for (i = 0; i < MANY; i++) {
		assert_true(keys_find(&keys, pool_printf(pool, "r%zu", i),
		    &number));
		assert_int_equal(number, i);
	}
	number = 7;
	assert_false(keys_find(&keys, "r", &number));
	assert_false(keys_find(&keys, "R1", &number));
	assert_int_equal(number, 7);
	keys_free(&keys);
	pool_free(pool);
}

static void
test_forgotten(void **state)
{
	struct pool *pool = pool_new();
	struct keys keys = { 0 };
	size_t i, number;

	(void)state;
	for (i = 0; i < MANY; i++)
		keys_add(&keys, pool_printf(pool, "r%zu", i), i, pool);
	for (i = 0; i < MANY; i += 2)
		keys_remove(&keys, pool_printf(pool, "r%zu", i));
	keys_remove(&keys, "was never there");
	for (i = 0; i < MANY; i++)
		assert_true(keys_find(&keys, pool_printf(pool, "r%zu", i),
		    &number) == (i % 2 == 1));
	keys_add(&keys, "r0", 8, pool);
	assert_true(keys_find(&keys, "r0", &number));
	assert_int_equal(number, 8);
	keys_free(&keys);
	assert_false(keys_find(&keys, "r1", &number));
	keys_free(&keys);
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_again),
		cmocka_unit_test(test_forgotten),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
