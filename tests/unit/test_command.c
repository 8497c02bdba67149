#include "command.h"
#include "path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* "path size 8bit utf8 requiretls ret envid terms", or the enhanced code, or "!". */
static const struct {
	const char *text, *want;
} mails[] = {
	{ "FROM:<a@b>", "<a@b> 0 0 0 0 - -" },
	{ "from:<a@b>", "<a@b> 0 0 0 0 - -" },
	{ " FROM: <a@b>", "<a@b> 0 0 0 0 - -" },
	{ "FROM:<>", "<> 0 0 0 0 - -" },
	{ "FROM:a@b SIZE=1", "<a@b> 1 0 0 0 - -" },
	{ "FROM:<@r,@s:a@b>", "<a@b> 0 0 0 0 - -" },
	{ "FROM:<\"a> b\"@c> SIZE=999999999999999999",
	    "<\"a> b\"@c> 999999999999999999 0 0 0 - -" },
	{ "FROM:<\"a\\\"> b\"@c>", "<\"a\\\"> b\"@c> 0 0 0 0 - -" },
	{ "FROM:<a@b> BODY=8bitmime SMTPUTF8 REQUIRETLS ret=hdrs ENVID=a+2Bb",
	    "<a@b> 0 1 1 1 HDRS a+2Bb" },
	{ "FROM:<a@b> BODY=7BIT RET=FULL", "<a@b> 0 0 0 0 FULL -" },
	{ "FROM:<a@b>  SIZE=1\tSMTPUTF8 ", "<a@b> 1 0 1 0 - -" },
	{ "FROM:<a@b> BY=60;R SIZE=1 MT-PRIORITY=3 HOLDFOR=9",
	    "<a@b> 1 0 0 0 - - BY=60;R HOLDFOR=9 MT-PRIORITY=3" },
	{ "FROM:<a@b> holduntil=2026-12-01T08:00:00z",
	    "<a@b> 0 0 0 0 - - HOLDUNTIL=2026-12-01T08:00:00Z" },
	{ "FROM:<a@b> BY=0;R", "5.5.4" },
	{ "FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2026-12-01T08:00:00Z", "5.5.4" },
	{ "FROM:<a@b> MT-PRIORITY=1 MT-PRIORITY=1", "5.5.4" },
	{ "FROM:<root>", "<root> 0 0 0 0 - -" },
	{ "", "5.5.4" },
	{ "TO:<a@b>", "5.5.4" },
	{ "FROM:", "5.5.4" },
	{ "FROM: SIZE=1", "<SIZE=1> 0 0 0 0 - -" },
	{ "FROM:<a@b", "5.5.4" },
	{ "FROM:<a@b>SIZE=1", "5.5.4" },
	{ "FROM:<a@>", "!" },
	{ "FROM:<a@b> SIZE=", "5.5.4" },
	{ "FROM:<a@b> SIZE=-1", "5.5.4" },
	{ "FROM:<a@b> SIZE=1x", "5.5.4" },
	{ "FROM:<a@b> SIZE=1999999999999999999", "5.5.4" },
	{ "FROM:<a@b> BODY=BINARYMIME", "5.5.4" },
	{ "FROM:<a@b> BODY", "5.5.4" },
	{ "FROM:<a@b> RET=ALL", "5.5.4" },
	{ "FROM:<a@b> RET=FULL RET=HDRS", "5.5.4" },
	{ "FROM:<a@b> ENVID=a ENVID=a", "5.5.4" },
	{ "FROM:<a@b> ENVID=", "5.5.4" },
	{ "FROM:<a@b> ENVID=a=b", "5.5.4" },
	{ "FROM:<a@b> ENVID=a+b", "5.5.4" },
	{ "FROM:<a@b> ENVID=a+2b", "5.5.4" },
	{ "FROM:<a@b> ENVID=\xc3\xbc", "5.5.4" },
	{ "FROM:<a@b> ENVID=~", "<a@b> 0 0 0 0 - ~" },
	{ "FROM:<a@b> SMTPUTF8=1", "5.5.4" },
	{ "FROM:<a@b> AUTH=<>", "5.5.4" },
	{ "FROM:<a@b> X", "5.5.4" },
};

static void
test_mail(void **state)
{
	struct mail_command m;
	struct failure why;
	struct pool *pool;
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof mails / sizeof *mails; i++) {
		pool = pool_new();
		if (command_mail(mails[i].text, &m, pool, &why))
			got = pool_printf(pool, "<%s> %llu %d %d %d %s %s%s",
			    path_of(&m.sender, pool),
			    (unsigned long long)m.size, m.body_8bit,
			    m.smtputf8, m.requiretls,
			    m.ret != NULL ? m.ret : "-",
			    m.envid != NULL ? m.envid : "-",
			    terms_parameters(&m.terms, pool));
		else
			got = *why.enhanced != '\0' ? why.enhanced : "!";
		assert_string_equal(got, mails[i].want);
		pool_free(pool);
	}
}

static const struct {
	const char *text, *want;
} rcpts[] = {
	{ "TO:<a@b>", "<a@b> - -" },
	{ "to: a@b", "<a@b> - -" },
	{ "TO:<postmaster>", "<postmaster> - -" },
	{ "TO:<a@b> NOTIFY=never", "<a@b> NEVER -" },
	{ "TO:<a@b> NOTIFY=success,Delay ORCPT=rfc822;x+40y",
	    "<a@b> SUCCESS,DELAY rfc822;x+40y" },
	{ "TO:<>", "!" },
	{ "TO:<a b>", "!" },
	{ "TO:<a@b,c@d>", "!" },
	{ "TO:<a@b> NOTIFY=NEVER,SUCCESS", "5.5.4" },
	{ "TO:<a@b> NOTIFY=", "5.5.4" },
	{ "TO:<a@b> NOTIFY=,SUCCESS", "5.5.4" },
	{ "TO:<a@b> NOTIFY=SUCCESS,", "5.5.4" },
	{ "TO:<a@b> NOTIFY=DELAY NOTIFY=NEVER", "5.5.4" },
	{ "TO:<a@b> ORCPT=rfc822;a ORCPT=rfc822;b", "5.5.4" },
	{ "TO:<a@b> ORCPT=x", "5.5.4" },
	{ "TO:<a@b> ORCPT=rfc822;a+zz", "5.5.4" },
	{ "TO:<a@b> SIZE=1", "5.5.4" },
};

static void
test_rcpt(void **state)
{
	struct rcpt_command r;
	struct failure why;
	struct pool *pool;
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rcpts / sizeof *rcpts; i++) {
		pool = pool_new();
		if (command_rcpt(rcpts[i].text, &r, pool, &why))
			got = pool_printf(pool, "<%s> %s %s",
			    path_of(&r.to, pool),
			    r.notify != NULL ? r.notify : "-",
			    r.orcpt != NULL ? r.orcpt : "-");
		else
			got = *why.enhanced != '\0' ? why.enhanced : "!";
		assert_string_equal(got, rcpts[i].want);
		pool_free(pool);
	}
}

static void
test_bdat(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t octets;
		bool last;
	} cases[] = {
		{ "1", true, 1, false },
		{ " 0 last", true, 0, true },
		{ "10 LAST", true, 10, true },
		{ "999999999999999999", true, 999999999999999999, false },
		{ "9999999999999999999", false, 0, false },
		{ "", false, 0, false },
		{ "LAST", false, 0, false },
		{ "-1", false, 0, false },
		{ "1x", false, 0, false },
		{ "1 FIRST", false, 0, false },
		{ "1 LAST x", false, 0, false },
		{ "x LAST", false, 0, false },
	};
	struct failure why;
	uint64_t octets;
	bool last;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(command_bdat(cases[i].text, &octets, &last,
		    &why), cases[i].ok);
		if (!cases[i].ok)
			continue;
		assert_int_equal(octets, cases[i].octets);
		assert_int_equal(last, cases[i].last);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_bdat),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
