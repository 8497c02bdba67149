#include "outcome.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void
settle(struct outcome *o, size_t i, enum failure_kind kind)
{
	struct failure why = { .kind = kind };

	if (kind == FAILURE_NONE)
		outcome_sent(o, i, "250 ok");
	else
		outcome_failed(o, i, &why);
}

/* product section 6: unknown, deferred, refused, sent; 69, 65, 67 */
static void
test_gravest(void **state)
{
	static const struct {
		enum failure_kind a, b;
		enum failure_kind gravest;
		int status;
	} cases[] = {
		{ FAILURE_NONE, FAILURE_NONE, FAILURE_NONE, 0 },
		{ FAILURE_NONE, FAILURE_NOUSER, FAILURE_NOUSER, 67 },
		{ FAILURE_NOUSER, FAILURE_NOUSER, FAILURE_NOUSER, 67 },
		{ FAILURE_NOUSER, FAILURE_REFUSED, FAILURE_REFUSED, 69 },
		{ FAILURE_NOUSER, FAILURE_DATA, FAILURE_DATA, 65 },
		{ FAILURE_DATA, FAILURE_REFUSED, FAILURE_REFUSED, 69 },
		{ FAILURE_DEFERRED, FAILURE_REFUSED, FAILURE_DEFERRED, 75 },
		{ FAILURE_NONE, FAILURE_LOST, FAILURE_LOST, 75 },
		{ FAILURE_DEFERRED, FAILURE_UNKNOWN, FAILURE_UNKNOWN, 75 },
		{ FAILURE_REFUSED, FAILURE_UNKNOWN, FAILURE_UNKNOWN, 75 },
		{ FAILURE_NONE, FAILURE_AUTH, FAILURE_AUTH, 77 },
	};
	struct pool *pool = pool_new();
	struct outcome o;
	size_t i, turn;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (turn = 0; turn < 2; turn++) {
			outcome_init(&o, 2, pool);
			settle(&o, turn, cases[i].a);
			settle(&o, 1 - turn, cases[i].b);
			assert_int_equal(o.open, 0);
			assert_int_equal(outcome_status(&o), cases[i].status);
			if (cases[i].gravest == FAILURE_NONE)
				assert_null(outcome_gravest(&o));
			else
				assert_int_equal(outcome_gravest(&o)->kind,
				    cases[i].gravest);
		}
	}
	pool_free(pool);
}

static void
test_verdicts(void **state)
{
	static const struct {
		enum failure_kind kind;
		enum verdict verdict;
	} cases[] = {
		{ FAILURE_UNKNOWN, VERDICT_UNKNOWN },
		{ FAILURE_DEFERRED, VERDICT_DEFERRED },
		{ FAILURE_CONNECT, VERDICT_DEFERRED },
		{ FAILURE_TLS_UNTRUSTED, VERDICT_DEFERRED },
		{ FAILURE_REFUSED, VERDICT_REFUSED },
		{ FAILURE_TLS_MISSING, VERDICT_REFUSED },
		{ FAILURE_NOUSER, VERDICT_REFUSED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(outcome_verdict(&(struct failure){
		    .kind = cases[i].kind }), cases[i].verdict);
	assert_string_equal(verdict_word(VERDICT_SENT), "sent");
	assert_string_equal(verdict_word(VERDICT_QUEUED), "queued");
	assert_string_equal(verdict_word(VERDICT_REFUSED), "refused");
	assert_string_equal(verdict_word(VERDICT_DEFERRED), "deferred");
	assert_string_equal(verdict_word(VERDICT_UNKNOWN), "unknown");
}

/* What is queued is as good as sent, and another one's failure counts. */
static void
test_queued(void **state)
{
	static const struct {
		enum failure_kind other;
		int status;
	} cases[] = {
		{ FAILURE_NONE, 0 },		{ FAILURE_NOUSER, 67 },
		{ FAILURE_DATA, 65 },		{ FAILURE_REFUSED, 69 },
		{ FAILURE_UNKNOWN, 75 },	{ FAILURE_LOST, 75 },
		{ FAILURE_AUTH, 77 },
	};
	struct pool *pool = pool_new();
	struct outcome o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		outcome_init(&o, 2, pool);
		settle(&o, 0, FAILURE_DEFERRED);
		settle(&o, 1, cases[i].other);
		outcome_queued(&o, 0);
		assert_int_equal(o.results[0].why->kind, FAILURE_DEFERRED);
		assert_int_equal(outcome_count(&o, VERDICT_QUEUED), 1);
		assert_int_equal(outcome_status(&o), cases[i].status);
		assert_ptr_equal(outcome_gravest(&o), o.results[1].why);
	}
	pool_free(pool);
}

/* Only who is open still fails; what was told is copied. */
static void
test_rest(void **state)
{
	struct pool *pool = pool_new();
	struct failure why = { .kind = FAILURE_LOST, .text = "first" };
	char reply[] = "250 ok";
	struct outcome o;

	(void)state;
	outcome_init(&o, 4, pool);
	assert_int_equal(o.open, 4);
	outcome_sent(&o, 1, reply);
	settle(&o, 2, FAILURE_NOUSER);
	assert_int_equal(o.open, 2);
	outcome_rest_failed(&o, &why);
	memset(reply, 'x', 3);
	memset(why.text, 'x', 3);
	assert_int_equal(o.open, 0);
	assert_string_equal(o.results[0].why->text, "first");
	assert_string_equal(o.results[3].why->text, "first");
	assert_string_equal(o.results[1].reply, "250 ok");
	assert_null(o.results[1].why);
	assert_int_equal(o.results[2].why->kind, FAILURE_NOUSER);
	assert_int_equal(outcome_count(&o, VERDICT_SENT), 1);
	assert_int_equal(outcome_count(&o, VERDICT_REFUSED), 1);
	assert_int_equal(outcome_count(&o, VERDICT_DEFERRED), 2);
	assert_int_equal(outcome_count(&o, VERDICT_OPEN), 0);
	pool_free(pool);
}

/* Ten thousand who share a reason share its text. */
static void
test_shared(void **state)
{
	struct pool *pool = pool_new();
	struct failure a, b;
	struct outcome o;

	(void)state;
	outcome_init(&o, 8, pool);
	(void)(fail)(&a, FAILURE_DEFERRED, "later");
	(void)(fail)(&b, FAILURE_DEFERRED, "later");
	outcome_failed(&o, 0, &a);
	outcome_sent(&o, 1, "250 ok");
	outcome_failed(&o, 2, &b);
	outcome_sent(&o, 5, "250 ok");
	assert_ptr_equal(o.results[0].why, o.results[2].why);
	assert_ptr_equal(o.results[1].reply, o.results[5].reply);
	b.reply = 451;
	outcome_failed(&o, 3, &b);
	assert_int_equal(o.results[0].why->reply, 0);
	assert_int_equal(o.results[3].why->reply, 451);
	outcome_sent(&o, 4, "250 as 1");
	assert_string_equal(o.results[4].reply, "250 as 1");
	outcome_rest_failed(&o, &b);
	assert_ptr_equal(o.results[6].why, o.results[7].why);
	assert_int_equal(o.open, 0);
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gravest),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_queued),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_shared),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
