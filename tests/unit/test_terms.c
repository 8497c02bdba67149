/* Durations, times, parameters of MAIL; and time that runs on. */
#include "terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
test_durations(void **state)
{
	static const struct {
		const char *text;
		long seconds;		/* 0: refused */
	} cases[] = {
		{ "90", 90 },		{ "90s", 90 },
		{ "15m", 900 },		{ "2h", 7200 },
		{ "2H", 7200 },		{ "3d", 259200 },
		{ "1w", 604800 },	{ "007", 7 },
		{ "999999999", 999999999 },
		{ "1653w", 999734400 },	{ "1654w", 0 },
		{ "1000000000", 0 },	{ "0", 0 },
		{ "0h", 0 },		{ "", 0 },
		{ "h", 0 },		{ "-1", 0 },
		{ "+1", 0 },		{ " 1", 0 },
		{ "1 h", 0 },		{ "1hh", 0 },
		{ "1h30m", 0 },		{ "1y", 0 },
		{ "1.5h", 0 },		{ "99999999999999999999", 0 },
	};
	long seconds;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		seconds = 0;
		assert_int_equal(terms_duration(cases[i].text, &seconds),
		    cases[i].seconds != 0);
		if (cases[i].seconds != 0)
			assert_int_equal(seconds, cases[i].seconds);
	}
}

static void
test_deliver_by(void **state)
{
	static const struct {
		const char *text, *want;	/* NULL: refused */
	} cases[] = {
		{ "1h", "3600;N" },
		{ "1h notify", "3600;N" },
		{ "1h return", "3600;R" },
		{ "1h,trace", "3600;NT" },
		{ " 90 ,\tTrace, Return ", "90;RT" },
		{ "", NULL },
		{ "return", NULL },
		{ "0 return", NULL },
		{ "1h notify return", NULL },
		{ "1h return return", NULL },
		{ "1h trace trace", NULL },
		{ "1h never", NULL },
		{ "1h return;", NULL },
		{ "999999999999999999h", NULL },
	};
	struct pool *pool = pool_new();
	struct terms t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		t = (struct terms){ 0 };
		assert_int_equal(terms_deliver_by(cases[i].text, &t),
		    cases[i].want != NULL);
		if (cases[i].want != NULL)
			assert_string_equal(terms_by(&t, pool),
			    cases[i].want);
	}
	pool_free(pool);
}

/* In Berlin 02:30 is missing on 28 March 2027 and comes twice on 31 October. */
static void
test_times(void **state)
{
	static const struct {
		const char *text, *want;	/* NULL: refused */
	} cases[] = {
		{ "2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z" },
		{ "2026-12-01t08:00:00z", "2026-12-01T08:00:00Z" },
		{ "2026-12-01T08:00Z", "2026-12-01T08:00:00Z" },
		{ "2026-12-01 08:00:00+01:00", "2026-12-01T07:00:00Z" },
		{ "2026-12-01T23:00:00-05:30", "2026-12-02T04:30:00Z" },
		{ "2026-12-01T08:00:00.000Z", "2026-12-01T08:00:00Z" },
		{ "2026-12-01T08:00:00.001Z", "2026-12-01T08:00:01Z" },
		{ "2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z" },
		{ "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z" },
		{ "2026-12-01 08:00", "2026-12-01T07:00:00Z" },
		{ "2026-12-01T08:00", "2026-12-01T07:00:00Z" },
		{ "2026-12-01T08:00:30", "2026-12-01T07:00:30Z" },
		{ "2026-07-01 08:00", "2026-07-01T06:00:00Z" },
		{ "2027-03-28 01:59", "2027-03-28T00:59:00Z" },
		{ "2027-03-28 02:30", NULL },
		{ "2027-03-28 03:00", "2027-03-28T01:00:00Z" },
		{ "2027-10-31 02:30", "2027-10-31T01:30:00Z" },
		{ "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z" },
		{ "0852-12-01T08:00:00Z", "0852-12-01T08:00:00Z" },
		{ "0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z" },
		{ "0000-01-01T00:00:00+00:01", NULL },
		{ "9999-12-31T23:59:59.5Z", NULL },
		{ "9999-12-31T23:59:59-00:01", NULL },
		{ "", NULL },
		{ "08:00", NULL },
		{ "2026-12-01", NULL },
		{ "2026-12-01 8:00", NULL },
		{ "2026-12-01  08:00", NULL },
		{ "2026-12-01 08:00 ", NULL },
		{ "26-12-01T08:00:00Z", NULL },
		{ "2026-13-01T08:00:00Z", NULL },
		{ "2026-00-01T08:00:00Z", NULL },
		{ "2026-02-29T08:00:00Z", NULL },
		{ "2026-12-00T08:00:00Z", NULL },
		{ "2026-12-01T24:00:00Z", NULL },
		{ "2026-12-01T08:60:00Z", NULL },
		{ "2026-12-01T08:00:61Z", NULL },
		{ "2026-12-01T08:00:00.Z", NULL },
		{ "2026-12-01T08:00:00+0100", NULL },
		{ "2026-12-01T08:00:00+01", NULL },
		{ "2026-12-01T08:00:00+24:00", NULL },
		{ "2026-12-01T08:00:00CET", NULL },
		{ "2026-12-01T08:00:00ZZ", NULL },
		{ "tomorrow", NULL },
	};
	struct pool *pool = pool_new();
	time_t t;
	size_t i;

	(void)state;
	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (terms_time(cases[i].text, &t) !=
		    (cases[i].want != NULL))
			fail_msg("%s", cases[i].text);
		if (cases[i].want != NULL)
			assert_string_equal(terms_utc(t, pool),
			    cases[i].want);
	}
	pool_free(pool);
}

/* RFC 3339 has seconds, a zone, and no blank. */
static void
test_date_times(void **state)
{
	time_t t;

	(void)state;
	assert_true(terms_date_time("1970-01-01T01:00:01+01:00", &t));
	assert_int_equal(t, 1);
	assert_false(terms_date_time("2026-12-01T08:00Z", &t));
	assert_false(terms_date_time("2026-12-01T08:00:00", &t));
	assert_false(terms_date_time("2026-12-01 08:00:00Z", &t));
}

/* "NAME=value NAME=value" to what is said of them; NULL: refused. */
static const struct {
	const char *text, *want;
} parameters[] = {
	{ "BY=3600;R", " BY=3600;R" },
	{ "by=+3600;rt", " BY=3600;RT" },
	{ "BY=0;N", " BY=0;N" },
	{ "BY=-120;Nt", " BY=-120;NT" },
	{ "BY=-999999999;N", " BY=-999999999;N" },
	{ "BY=0;R", NULL },
	{ "BY=-1;R", NULL },
	{ "BY=1000000000;N", NULL },
	{ "BY=3600", NULL },
	{ "BY=3600;", NULL },
	{ "BY=3600;T", NULL },
	{ "BY=3600;NR", NULL },
	{ "BY=3600;RTT", NULL },
	{ "BY=;R", NULL },
	{ "BY=--1;N", NULL },
	{ "BY=", NULL },
	{ "BY", NULL },
	{ "BY=1;N BY=1;N", NULL },
	{ "HOLDFOR=1", " HOLDFOR=1" },
	{ "holdfor=999999999", " HOLDFOR=999999999" },
	{ "HOLDFOR=0", NULL },
	{ "HOLDFOR=1000000000", NULL },
	{ "HOLDFOR=-1", NULL },
	{ "HOLDFOR=15m", NULL },
	{ "HOLDFOR", NULL },
	{ "HOLDUNTIL=2026-12-01T08:00:00+01:00",
	    " HOLDUNTIL=2026-12-01T07:00:00Z" },
	{ "HOLDUNTIL=2026-12-01T08:00:00", NULL },
	{ "HOLDUNTIL=1970-01-01T00:00:00Z", NULL },
	{ "HOLDUNTIL=", NULL },
	{ "HOLDFOR=1 HOLDUNTIL=2026-12-01T08:00:00Z", NULL },
	{ "HOLDUNTIL=2026-12-01T08:00:00Z HOLDFOR=1", NULL },
	{ "HOLDFOR=1 HOLDFOR=1", NULL },
	{ "MT-PRIORITY=9", " MT-PRIORITY=9" },
	{ "mt-priority=-9", " MT-PRIORITY=-9" },
	{ "MT-PRIORITY=0", " MT-PRIORITY=0" },
	{ "MT-PRIORITY=-0", NULL },
	{ "MT-PRIORITY=+1", NULL },
	{ "MT-PRIORITY=10", NULL },
	{ "MT-PRIORITY=", NULL },
	{ "MT-PRIORITY=-", NULL },
	{ "MT-PRIORITY=1 MT-PRIORITY=1", NULL },
	{ "MT-PRIORITY=3 HOLDFOR=60 BY=120;R",
	    " BY=120;R HOLDFOR=60 MT-PRIORITY=3" },
	{ "SIZE=1", NULL },
};

static bool
take_all(const char *text, struct terms *t, struct pool *pool)
{
	char *name, *value, *end;
	bool ok = true;

	*t = (struct terms){ 0 };
	for (name = pool_string(pool, text); ok && name != NULL; name = end) {
		end = strchr(name, ' ');
		if (end != NULL)
			*end++ = '\0';
		value = strchr(name, '=');
		if (value != NULL)
			*value++ = '\0';
		ok = terms_take(t, name, value);
	}
	return ok;
}

static void
test_parameters(void **state)
{
	struct pool *pool = pool_new();
	struct terms t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		if (take_all(parameters[i].text, &t, pool) !=
		    (parameters[i].want != NULL))
			fail_msg("%s", parameters[i].text);
		if (parameters[i].want != NULL)
			assert_string_equal(terms_parameters(&t, pool),
			    parameters[i].want);
	}
	pool_free(pool);
}

static void
test_preferred(void **state)
{
	struct pool *pool = pool_new();
	struct terms a, b;

	(void)state;
	assert_true(take_all("BY=1;R HOLDFOR=2 MT-PRIORITY=3", &a, pool));
	b = (struct terms){ 0 };
	terms_prefer(&a, &b);
	assert_string_equal(terms_parameters(&a, pool),
	    " BY=1;R HOLDFOR=2 MT-PRIORITY=3");
	assert_true(take_all("BY=-4;NT HOLDUNTIL=2026-12-01T08:00:00Z "
	    "MT-PRIORITY=0", &b, pool));
	terms_prefer(&a, &b);
	assert_string_equal(terms_parameters(&a, pool), " BY=-4;NT "
	    "HOLDUNTIL=2026-12-01T08:00:00Z MT-PRIORITY=0");
	pool_free(pool);
}

/* 1000 seconds after the epoch it was submitted. */
static void
test_time_runs(void **state)
{
	static const struct {
		const char *text;
		time_t now;
		const char *want;
		bool over;
	} cases[] = {
		{ "MT-PRIORITY=1", 5000, " MT-PRIORITY=1", false },
		{ "BY=600;R", 1000, " BY=600;R", false },
		{ "BY=600;R", 1599, " BY=1;R", false },
		{ "BY=600;R", 1600, " BY=0;R", true },
		{ "BY=600;R", 3000, " BY=-1400;R", true },
		{ "BY=600;NT", 3000, " BY=-1400;NT", false },
		{ "BY=-999999990;N", 3000, " BY=-999999999;N", false },
		{ "BY=600;R", 500, " BY=600;R", false },
		{ "HOLDFOR=600", 1000, " HOLDUNTIL=1970-01-01T00:26:40Z",
		    false },
		{ "HOLDFOR=600", 1599, " HOLDUNTIL=1970-01-01T00:26:40Z",
		    false },
		{ "HOLDFOR=600", 1600, "", false },
		{ "HOLDUNTIL=1970-01-01T00:26:40Z", 1599,
		    " HOLDUNTIL=1970-01-01T00:26:40Z", false },
		{ "HOLDUNTIL=1970-01-01T00:26:40Z", 1600, "", false },
	};
	struct pool *pool = pool_new();
	struct terms t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(take_all(cases[i].text, &t, pool));
		t.since = 1000;
		assert_int_equal(terms_count_from(&t, cases[i].now),
		    !cases[i].over);
		assert_int_equal(t.since, cases[i].now);
		assert_string_equal(terms_parameters(&t, pool),
		    cases[i].want);
	}
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_deliver_by),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_date_times),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_preferred),
		cmocka_unit_test(test_time_runs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
