#include "options.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS = 16 };

static bool
parse(const char *const *words, struct options *o, struct pool *pool,
    struct failure *why)
{
	char *argv[WORDS + 1] = { 0 };
	int argc = 0;

	while (words[argc] != NULL) {
		argv[argc] = pool_string(pool, words[argc]);
		argc++;
	}
	return options_parse(o, argc, argv, pool, why);
}

/* What callers pass, and who the recipients are then; NULL: EX_USAGE. */
static const struct {
	const char *words[WORDS];
	const char *recipients;
} calls[] = {
	{ { "/usr/sbin/sendmail", "-FCronDaemon", "-i", "-B8BITMIME", "-oem",
	    "root@x" }, "root@x" },
	{ { "sendmail", "-i", "-B", "8BITMIME", "a@b" }, "a@b" },
	{ { "sendmail", "-oem", "-oi", "-f", "me@x", "-N", "never", "-R",
	    "hdrs", "--", "a@b", "-c@d" }, "a@b -c@d" },
	{ { "sendmail", "-t", "-i", "-oi", "-fme@x", "-t" }, "" },
	{ { "sendmail", "-ti" }, "" },
	{ { "sendmail", "-F", "", "-f", "me@x", "a@b" }, "a@b" },
	{ { "sendmail", "-X", "/tmp/x", "-C", "/etc/passwd", "-D", "/tmp/y",
	    "a@b" }, "a@b" },
	{ { "sendmail", "-odb", "-oep", "-om", "-m", "-h", "3", "-L", "tag",
	    "a@b" }, "a@b" },
	{ { "-sendmail", "a@b,c@d" }, "a@b,c@d" },
	{ { "sendmail", "a@b", "-t" }, NULL },
	{ { "sendmail", "-f" }, NULL },
	{ { "sendmail", "-k", "a@b" }, NULL },
	{ { "sendmail", "--server", "smtps://evil", "a@b" }, NULL },
	{ { "sendmail", "-bd" }, NULL },
	{ { "sendmail", "-bD" }, NULL },
	{ { "sendmail", "-b" }, NULL },
	{ { "sendmail", "-bpx" }, NULL },
	{ { "sendmail", "-qI" }, NULL },
	{ { "sendmail", "-qI", "" }, NULL },
	{ { "smtpd" }, NULL },
	{ { "sendoff", "--no-such-option" }, NULL },
	{ { "sendoff", "--password", "x" }, NULL },
	{ { "sendoff", "--password-command=x" }, NULL },
	{ { "sendoff", "--server", "smtps://x", "--json", "a@b" }, "a@b" },
	{ { "sendoff", "--server" }, NULL },
	{ { "sendoff", "--show" }, NULL },
	{ { "sendoff", "--resend" }, NULL },
	{ { "sendoff", "--queue=x" }, NULL },
	{ { "sendmail", "--queue" }, NULL },
	{ { "sendmail", "--resend", "2026" }, NULL },
	{ { "sendmail", "--show=2026" }, NULL },
	{ { "sendmail", "--forget=2026" }, NULL },
};

static void
understands_callers(void **state)
{
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;
	const char *all;
	size_t i, j;
	bool ok;

	(void)state;
	for (i = 0; i < sizeof calls / sizeof *calls; i++) {
		ok = parse(calls[i].words, &o, pool, &why);
		if (ok != (calls[i].recipients != NULL))
			fail_msg("call %zu: %s", i, ok ? "taken" : why.text);
		if (!ok) {
			assert_int_equal(why.kind, FAILURE_USAGE);
			continue;
		}
		all = "";
		for (j = 0; j < o.nrecipients; j++)
			all = pool_printf(pool, "%s%s%s", all, j > 0 ? " " :
			    "", o.recipients[j]);
		assert_string_equal(all, calls[i].recipients);
	}
	pool_free(pool);
}

/* What is asked for besides a message. */
static void
chooses_modes(void **state)
{
	static const struct {
		const char *words[WORDS];
		enum mode mode;
	} cases[] = {
		{ { "sendmail", "-bm", "a@b" }, MODE_SUBMIT },
		{ { "sendmail", "-bs" }, MODE_SERVE },
		{ { "sendmail", "-bs", "-odb", "-oem", "-om" }, MODE_SERVE },
		{ { "sendmail", "-bp" }, MODE_LIST },
		{ { "/usr/bin/mailq", "-v" }, MODE_LIST },
		{ { "sendmail", "-bi" }, MODE_ALIASES },
		{ { "sendmail", "-I" }, MODE_ALIASES },
		{ { "newaliases" }, MODE_ALIASES },
		{ { "sendmail", "-bv", "root" }, MODE_VERIFY },
		{ { "sendmail", "-q" }, MODE_RETRY },
		{ { "sendmail", "-q15m" }, MODE_RETRY },
		{ { "sendmail", "-qf" }, MODE_RETRY },
		{ { "runq" }, MODE_RETRY },
		{ { "sendmail", "-bV" }, MODE_VERSION },
		{ { "sendmail", "-d0.1", "-bv" }, MODE_VERIFY },
		{ { "sendmail", "-d0.1" }, MODE_VERSION },
		{ { "sendmail", "-d" }, MODE_SUBMIT },
		{ { "sendmail", "-d8.99", "a@b" }, MODE_SUBMIT },
		{ { "sendmail", "--version" }, MODE_VERSION },
		{ { "sendmail", "-bh" }, MODE_NOTHING },
		{ { "sendmail", "-bH" }, MODE_NOTHING },
		{ { "hoststat" }, MODE_NOTHING },
		{ { "purgestat" }, MODE_NOTHING },
		{ { "sendoff", "--queue" }, MODE_LIST },
		{ { "sendoff", "--queue", "--json" }, MODE_LIST },
		{ { "sendoff", "--json", "-bp" }, MODE_LIST },
		{ { "sendoff", "--show", "2026" }, MODE_SHOW },
		{ { "sendoff", "--resend=2026" }, MODE_RETRY },
		{ { "sendoff", "--forget", "2026" }, MODE_FORGET },
	};
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(parse(cases[i].words, &o, pool, &why));
		if (o.mode != cases[i].mode)
			fail_msg("case %zu: mode %d", i, (int)o.mode);
	}
	pool_free(pool);
}

/* What may be private comes by its name alone. */
static void
takes_traces(void **state)
{
	static const struct {
		const char *words[WORDS];
		int verbose;
		bool logins, data;
	} cases[] = {
		{ { "sendoff", "-v", "-vvv", "--verbose" }, 5, false, false },
		{ { "sendoff", "--trace=protocol" }, 1, false, false },
		{ { "sendoff", "--trace", "auth" }, 1, true, false },
		{ { "sendoff", "--trace=data", "-v" }, 2, false, true },
		{ { "sendoff", "-vv", "--trace=auth,data" }, 2, true, true },
		{ { "sendoff", "--trace=data", "--trace=protocol,auth" }, 1,
		    true, true },
		{ { "sendoff", "-bs", "--trace=protocol" }, 1, false, false },
	};
	static const char *const bad[][WORDS] = {
		{ "sendoff", "--trace=" }, { "sendoff", "--trace" },
		{ "sendoff", "--trace=auth," }, { "sendoff", "--trace=all" },
		{ "sendoff", "--trace=authdata" }, { "sendoff", "--trace=a" },
		{ "sendoff", "-bs", "--trace=auth" },
		{ "sendoff", "--trace=data", "-bs" },
		{ "sendmail", "--trace=protocol" },
	};
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(parse(cases[i].words, &o, pool, &why));
		assert_int_equal(o.verbose, cases[i].verbose);
		assert_int_equal(o.trace_logins, cases[i].logins);
		assert_int_equal(o.trace_data, cases[i].data);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(parse(bad[i], &o, pool, &why));
		assert_int_equal(why.kind, FAILURE_USAGE);
	}
	pool_free(pool);
}

static void
selects_kept_messages(void **state)
{
	static const char *const words[] = { "sendmail", "-qI", "2026", "-qRx@y",
	    "-q!Sroot", NULL };
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;

	(void)state;
	assert_true(parse(words, &o, pool, &why));
	assert_int_equal(o.nselections, 3);
	assert_int_equal(o.selections[0].what, 'I');
	assert_string_equal(o.selections[0].text, "2026");
	assert_int_equal(o.selections[1].what, 'R');
	assert_string_equal(o.selections[1].text, "x@y");
	assert_false(o.selections[1].turned);
	assert_int_equal(o.selections[2].what, 'S');
	assert_true(o.selections[2].turned);
	pool_free(pool);
}

/* The options of sendoff name one message, by the whole of its id. */
static void
names_kept_messages(void **state)
{
	static const char *const show[] = { "sendoff", "--show", "2026", NULL };
	static const char *const forget[] = { "sendoff", "--forget=2026", NULL };
	static const char *const resend[] = { "sendoff", "--resend", "2026",
	    "--resend=2027", NULL };
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;

	(void)state;
	assert_true(parse(show, &o, pool, &why));
	assert_string_equal(o.id, "2026");
	assert_int_equal(o.nselections, 0);
	assert_true(parse(forget, &o, pool, &why));
	assert_string_equal(o.account, "2026");
	assert_true(parse(resend, &o, pool, &why));
	assert_int_equal(o.nselections, 2);
	assert_int_equal(o.selections[0].what, '=');
	assert_string_equal(o.selections[0].text, "2026");
	assert_false(o.selections[0].turned);
	assert_string_equal(o.selections[1].text, "2027");
	pool_free(pool);
}

static void
takes_values(void **state)
{
	static const char *const words[] = { "sendmail", "-fone@x", "-f",
	    "two@x", "-FMe", "-tiv", "-Nfailure,DELAY", "-RFULL", "-Vid",
	    "-Orequiretls=YES", "-Osmtputf8=no", "-Ltag", "-n", NULL };
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;

	(void)state;
	assert_true(parse(words, &o, pool, &why));
	assert_string_equal(o.sender, "two@x");
	assert_string_equal(o.full_name, "Me");
	assert_true(o.from_header && o.keep_dots && o.verbose == 1);
	assert_string_equal(o.notify, "FAILURE,DELAY");
	assert_string_equal(o.ret, "FULL");
	assert_string_equal(o.envid, "id");
	assert_true(o.require_tls);
	assert_int_equal(o.smtputf8, SMTPUTF8_NEVER);
	assert_string_equal(o.tag, "tag");
	assert_true(o.no_aliases);
	pool_free(pool);
}

/* Scripts pass on a variable that is not set. */
static void
takes_nothing(void **state)
{
	static const char *const words[] = { "sendmail", "-Vid", "-V", "",
	    "-F", "", "-N", "", "a@b", NULL };
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;

	(void)state;
	assert_true(parse(words, &o, pool, &why));
	assert_null(o.envid);
	assert_null(o.full_name);
	assert_null(o.notify);
	pool_free(pool);
}

static void
weakens_nothing(void **state)
{
	static const char *const words[] = { "sendmail", "-C/x", "-X/y",
	    "-Orequiretls=no", "-OQueueDirectory=/z", "-f", "", "a@b", NULL };
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;

	(void)state;
	assert_true(parse(words, &o, pool, &why));
	assert_null(o.config);
	assert_false(o.require_tls);
	assert_string_equal(o.ignored, "-C -X -O");
	assert_string_equal(o.sender, "");
	pool_free(pool);
}

static void
holds_a_message(void **state)
{
	static const struct {
		const char *words[WORDS];
		long long until;	/* 0: refused */
	} cases[] = {
		{ { "sendoff", "--hold-until", "1970-01-02 00:00:00Z", "a@b" },
		    86400 },
		{ { "sendoff", "--hold-until=1970-01-01T00:00:00Z", "a@b" },
		    1 },
		{ { "sendoff", "--hold-until=1970-01-02 00:00:00Z", "-bs" },
		    86400 },
		{ { "sendoff", "--hold-until=1970-01-02 00:00:00Z", "-q" },
		    0 },
		{ { "sendoff", "--hold-until=tomorrow", "a@b" }, 0 },
		{ { "sendoff", "--hold-until" }, 0 },
		{ { "sendoff", "--hold-for", "1h", "--hold-until",
		    "1970-01-02 00:00:00Z", "a@b" }, 0 },
		{ { "sendmail", "--hold-until=1970-01-02 00:00:00Z", "a@b" },
		    0 },
	};
	struct pool *pool = pool_new();
	struct options o;
	struct failure why;
	size_t i;
	bool ok;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		ok = parse(cases[i].words, &o, pool, &why);
		if (ok != (cases[i].until != 0))
			fail_msg("case %zu: %s", i, ok ? "taken" : why.text);
		if (ok)
			assert_true(o.hold_until == cases[i].until);
		else
			assert_int_equal(why.kind, FAILURE_USAGE);
	}
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands_callers),
		cmocka_unit_test(chooses_modes),
		cmocka_unit_test(takes_traces),
		cmocka_unit_test(selects_kept_messages),
		cmocka_unit_test(names_kept_messages),
		cmocka_unit_test(takes_values),
		cmocka_unit_test(takes_nothing),
		cmocka_unit_test(weakens_nothing),
		cmocka_unit_test(holds_a_message),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
