/* Options, configuration, message and caller in; who, whence and how out. */
#define _GNU_SOURCE			/* memfd_create() */
#include "plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORDS = 10 };

static const struct caller joe = {
	.uid = 1000, .login = "joe", .full_name = "Joe D\xc3\xb6",
	.home = "/home/joe", .hostname = "h", .fqdn = "h.example.net"
};

/* Everything that a plan needs, and the plan. */
struct desk {
	struct pool *pool;
	struct config config;
	struct options options;
	struct message *message;
	struct choice choice;
	struct plan plan;
	struct failure why;
};

static struct message *
message(const char *text, struct pool *pool)
{
	struct input in = { .fd = memfd_create("message", MFD_CLOEXEC) };
	struct message *m;
	struct failure why;

	assert_true(in.fd >= 0);
	assert_int_equal(write(in.fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(in.fd, 0, SEEK_SET), 0);
	assert_true(message_read(&in, true, NULL, pool, &m, &why));
	(void)close(in.fd);
	buffer_free(&in.octets);
	return m;
}

static void
read_config(struct config *c, const char *text)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(f);
	config_read(c, f, "f", false, NULL);
	(void)fclose(f);
	assert_int_equal(c->nerrors, 0);
}

static void
parse(struct desk *d, const char *const *words)
{
	char *argv[WORDS + 2] = { 0 };
	int argc = 1;

	argv[0] = pool_string(d->pool, "sendoff");
	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = pool_string(d->pool, words[argc - 1]);
	assert_true(options_parse(&d->options, argc, argv, d->pool, &d->why));
}

static bool
make(struct desk *d, const char *config, const char *const *words,
    const char *text)
{
	const char *sender;

	*d = (struct desk){ .pool = pool_new() };
	d->config.pool = d->pool;
	parse(d, words);
	d->message = message(text, d->pool);
	if (config != NULL) {
		read_config(&d->config, config);
		sender = d->options.sender != NULL ? d->options.sender :
		    plan_header_sender(d->message, d->pool);
		assert_true(accounts_choose(&d->config, &d->options, sender,
		    &d->choice, &d->why));
	}
	return plan_make(&d->plan, &d->config, &d->options, d->message, &joe,
	    &d->choice, &d->why);
}

static void
clear(struct desk *d)
{
	message_free(d->message);
	pool_free(d->pool);
}

/* "account sender: rcpt rcpt; account ...", "*" behind those in UTF-8. */
static const char *
envelopes(const struct desk *d)
{
	const struct leg *l;
	const char *out = "";
	size_t i, j;

	for (i = 0; i < d->plan.nlegs; i++) {
		l = &d->plan.legs[i];
		out = pool_printf(d->pool, "%s%s%s <%s>%s:", out, i > 0 ? "; "
		    : "", l->account != NULL ? l->account->name : "-",
		    l->envelope.sender, l->envelope.sender_utf8 ? "*" : "");
		for (j = 0; j < l->envelope.n; j++)
			out = pool_printf(d->pool, "%s %s%s%s", out,
			    l->envelope.recipients[j].path,
			    l->envelope.recipients[j].utf8 ? "*" : "",
			    l->envelope.recipients[j].trouble != NULL ? "!" :
			    "");
	}
	return out;
}

#define ONE "aliases none\nfrom me@example.org\n"
#define U "b\u00fccher.example"
#define A "xn--bcher-kva.example"
#define IDN(domain) "aliases none\naccount a\nfrom a@a.example\naccount b\n" \
	    "from b@" domain "\nmatch *." domain "\n"
#define TWO "aliases none\naccount a\nfrom a@a.example\nmatch x@y.example\n" \
	    "account b\nfrom b@b.example\nmatch *@b.example *.b.example\n"

static const struct {
	const char *config;
	const char *words[WORDS];
	const char *message;
	const char *want;
} plans[] = {
	{ ONE, { "a@x" }, "\n", "default <me@example.org>: a@x" },
	{ ONE, { "a@x,b@x", "A@X", "a@X" }, "\n",
	    "default <me@example.org>: a@x b@x A@X" },
	{ ONE, { "-f", "f@x", "a@x" }, "\n", "default <f@x>: a@x" },
	{ ONE, { "-f", "<>", "a@x" }, "\n", "default <>: a@x" },
	{ ONE, { "-f", "joe", "a@x" }, "\n", "default <me@example.org>: a@x" },
	{ ONE, { "-f", "joe@h.example.net", "a@x" }, "\n",
	    "default <me@example.org>: a@x" },
	{ ONE, { "-f", "joe@h.example.com", "a@x" }, "\n",
	    "default <joe@h.example.com>: a@x" },
	{ ONE, { "root", "a@x" }, "\n",
	    "default <me@example.org>: root! a@x" },
	{ ONE "domain d.example\n", { "root", "joe@localhost" }, "\n",
	    "default <me@example.org>: root@d.example joe@d.example" },
	{ ONE "domain d.example\n", { "joe@h.example.net", "joe@h" }, "\n",
	    "default <me@example.org>: joe@h.example.net joe@d.example" },
	{ ONE "default-recipient r@x\n", { "joe@h.example.net", "joe@h",
	    "k" }, "\n", "default <me@example.org>: r@x" },
	{ "aliases none\nfrom me@h.example.net\ndefault-recipient r@x\n",
	    { "joe@h.example.net" }, "\n",
	    "default <me@h.example.net>: joe@h.example.net" },
	{ ONE, { "-t", "z@x" }, "Cc: a@x\nTo: b@x\nBcc: c@x\n\n",
	    "default <me@example.org>: z@x a@x b@x c@x" },
	{ ONE, { "z@x" }, "Bcc: c@x\n\n", "default <me@example.org>: z@x" },
	{ ONE, { "-t" }, "To: a@x\nResent-Cc: b@x\nResent-To: c@x\n\n",
	    "default <me@example.org>: b@x c@x" },
	{ TWO, { "q@q" }, "\n", "a <a@a.example>: q@q" },
	{ TWO, { "q@q", "r@s.b.example" }, "\n",
	    "a <a@a.example>: q@q; b <b@b.example>: r@s.b.example" },
	{ TWO, { "r@s.b.example", "q@q", "x@y.example" }, "\n",
	    "b <b@b.example>: r@s.b.example; a <a@a.example>: q@q "
	    "x@y.example" },
	{ TWO, { "-f", "b@b.example", "q@q", "x@y.example" }, "\n",
	    "b <b@b.example>: q@q x@y.example" },
	{ TWO, { "q@q" }, "From: c@b.example\n\n", "b <b@b.example>: q@q" },
	{ TWO, { "--account", "b", "x@y.example" }, "\n",
	    "b <b@b.example>: x@y.example" },
	{ TWO, { "--server", "smtps://s", "r@b.example" }, "\n",
	    "a <a@a.example>: r@b.example" },
	{ ONE "allow-from *@ok.example\n", { "-f", "x@ok.example", "a@x" },
	    "\n", "default <x@ok.example>: a@x" },
	{ ONE "allow-from *@ok.example\n", { "-f", "x@no.example", "a@x" },
	    "\n", "default <me@example.org>: a@x" },
	{ NULL, { "root", "a@x" }, "\n", "- <joe@h.example.net>: root a@x" },

	/* Domains beyond ASCII are said as A-labels and compared as such. */
	{ ONE, { "a@" U, "a@" A, "a@x", "m\u00fc@" U, "m\u00fc@" A }, "\n",
	    "default <me@example.org>: a@" A " a@x m\u00fc@" U "*" },
	{ ONE, { "-f", "me@" U, "a@x" }, "\n", "default <me@" A ">: a@x" },
	{ ONE, { "-f", "m\u00fc@" U, "a@x" }, "\n",
	    "default <m\u00fc@" U ">*: a@x" },
	{ ONE, { "-f", "me@\U0001f600", "a@x" }, "\n",
	    "default <me@\U0001f600>*: a@x" },
	{ ONE "domain " U "\n", { "root", "\uff4cocalhost", "k@\uff48" }, "\n",
	    "default <me@example.org>: root@" A " \uff4cocalhost@" U "* k@" A },
	{ ONE "default-recipient r@" U "\n", { "root@local\uff48ost" }, "\n",
	    "default <me@example.org>: r@" A },
	{ ONE "allow-from *@" U "\n", { "-f", "x@" A, "a@x" }, "\n",
	    "default <x@" A ">: a@x" },
	{ ONE "allow-from *@" A "\n", { "-f", "x@" U, "a@x" }, "\n",
	    "default <x@" A ">: a@x" },
	{ ONE "allow-from *@\u00fc.example\n", { "-f", "x@" U, "a@x" }, "\n",
	    "default <me@example.org>: a@x" },
	{ IDN(U), { "-f", "b@" U, "q@q" }, "\n", "b <b@" A ">: q@q" },
	{ IDN(U), { "-f", "b@" A, "q@q" }, "\n", "b <b@" A ">: q@q" },
	{ IDN(A), { "-f", "B@" U, "q@q" }, "\n", "b <B@" A ">: q@q" },
	{ IDN(U), { "q@q" }, "From: b@" A "\n\n", "b <b@" A ">: q@q" },
	{ IDN(A), { "q@q" }, "From: b@" U "\n\n", "b <b@" A ">: q@q" },
	{ IDN(U), { "q@x." A, "r@x." U, "r@" U }, "\n", "b <b@" A ">: q@x." A
	    " r@x." A "; a <a@a.example>: r@" A },
	{ IDN(A), { "\u00fc@x." U }, "\n", "b <b@" A ">: \u00fc@x." U "*" },
};

static void
test_envelopes(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof plans / sizeof *plans; i++) {
		assert_true(make(&d, plans[i].config, plans[i].words,
		    plans[i].message));
		assert_string_equal(envelopes(&d), plans[i].want);
		clear(&d);
	}
}

static const struct {
	const char *words[WORDS];
	const char *message;
	enum failure_kind kind;
	const char *text;
} refused[] = {
	{ { "a@" }, "\n", FAILURE_ADDRESS, "\"a@\" is no address: its domain "
	    "is missing" },
	{ { "-t" }, "Cc: a@x, (\n\n", FAILURE_ADDRESS, "Cc: \"a@x, (\" is no "
	    "address: a \")\" is missing" },
	{ { "-t" }, "Subject: x\n\n", FAILURE_USAGE, "there are no "
	    "recipients, neither in To, Cc and Bcc nor on the command line" },
	{ { "," }, "\n", FAILURE_USAGE, "there are no recipients (-t takes "
	    "them from the header)" },
	{ { "-f", "a b", "a@x" }, "\n", FAILURE_ADDRESS, "-f: \"a b\" is no "
	    "address: a comma or an \"@\" is missing" },
	{ { "-f", "a@x,b@x", "a@x" }, "\n", FAILURE_ADDRESS, "-f: \"a@x,b@x\" is "
	    "not one address but 2" },
};

static void
test_refused(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_false(make(&d, ONE, refused[i].words,
		    refused[i].message));
		assert_int_equal(d.why.kind, refused[i].kind);
		assert_string_equal(d.why.text, refused[i].text);
		clear(&d);
	}
}

/* The prologue without Date and Message-ID, which are never the same. */
static const char *
steady(const struct desk *d)
{
	const char *p = d->plan.legs[0].prologue, *out = "", *end;

	for (; *p != '\0'; p = end) {
		end = strchr(p, '\n') + 1;
		out = pool_printf(d->pool, "%s%.*s", out,
		    strncmp(p, "Date: ", 6) == 0 ? 5 :
		    strncmp(p, "Message-ID: ", 12) == 0 ? 11 :
		    (int)(end - p), p);
	}
	return out;
}

static const struct {
	const char *config;
	const char *words[WORDS];
	const char *message;
	const char *want;
} prologues[] = {
	{ ONE, { "a@x" }, "\n", "Date:Message-ID:From: =?UTF-8?Q?Joe_D=C3=B6?= "
	    "<me@example.org>\r\nTo: undisclosed-recipients:;\r\n" },
	{ ONE "name \"A. B.\"\n", { "a@x" }, "To: x\nDate: x\n\n",
	    "Message-ID:From: \"A. B.\" <me@example.org>\r\n" },
	{ ONE "name N\n", { "-F", "F", "a@x" },
	    "Cc: x\nDate: x\nMessage-ID: <x>\n\n",
	    "From: F <me@example.org>\r\n" },
	{ ONE "require-tls no\n", { "a@x" },
	    "To: x\nDate: x\nMessage-ID: <x>\nFrom: x@y\n\n",
	    "TLS-Required: No\r\n" },
	{ ONE "require-tls no\n", { "--require-tls", "a@x" },
	    "To: x\nDate: x\nMessage-ID: <x>\nFrom: x@y\n\n", "" },
	{ "aliases none\nname N\n", { "-f", "f@x", "a@x" },
	    "To: x\nDate: x\nMessage-ID: <x>\n\n", "From: N <f@x>\r\n" },
	{ "aliases none\nname N\nfrom me@" U "\n", { "a@x" },
	    "To: x\nDate: x\nMessage-ID: <x>\n\n", "From: N <me@" A ">\r\n" },
};

static void
test_prologues(void **state)
{
	struct desk d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof prologues / sizeof *prologues; i++) {
		assert_true(make(&d, prologues[i].config, prologues[i].words,
		    prologues[i].message));
		assert_string_equal(steady(&d), prologues[i].want);
		clear(&d);
	}
}

/* Whatever the account's domain is, a Message-ID is ASCII. */
static void
test_message_ids(void **state)
{
	static const struct { const char *from, *domain; } ids[] = {
		{ "me@example.org", "@example.org>" },
		{ "me@" U, "@" A ">" },
		{ "m\u00fc@" U, "@" A ">" },
		{ "me@\U0001f600.example", "@h.example.net>" },
		{ "me@[192.0.2.1]", "@[192.0.2.1]>" },
	};
	const char *const words[] = { "a@x", NULL };
	char config[64];
	struct desk d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof ids / sizeof *ids; i++) {
		(void)snprintf(config, sizeof config, "aliases none\nfrom "
		    "%s\n", ids[i].from);
		assert_true(make(&d, config, words, "\n"));
		assert_string_equal(strchr(d.plan.message_id, '@'),
		    ids[i].domain);
		clear(&d);
	}
}

/* The header as it goes out, behind the prologue. */
static const char *
header(const struct desk *d)
{
	const struct message *m = d->message;
	const char *out = "";
	size_t i;

	for (i = 0; i < m->nfields; i++)
		out = pool_printf(d->pool, "%s%s", out,
		    d->plan.legs[0].instead[i] != NULL ?
		    d->plan.legs[0].instead[i] : pool_octets(d->pool,
		    m->fields[i].text, m->fields[i].len));
	return out;
}

#define LOCAL ONE "domain d.example\n"

static const struct {
	const char *config, *in, *out;
} headers[] = {
	{ LOCAL, "From: root (Cron Daemon)\n\n",
	    "From: Cron Daemon <me@example.org>\r\n" },
	{ LOCAL, "from:root\n\n", "from: me@example.org\r\n" },
	{ LOCAL, "From: J\xc3\xbcrg <joe@h>\n\n",
	    "From: =?UTF-8?Q?J=C3=BCrg?= <me@example.org>\r\n" },
	{ LOCAL, "From: a, b@x\n\n", "From: me@example.org, b@x\r\n" },
	{ LOCAL, "From: a@x\n\n", "From: a@x\r\n" },
	{ LOCAL, "Resent-From: a\n\n", "Resent-From: me@example.org\r\n" },
	{ LOCAL "rewrite-from always\n", "From: A <a@x>\nSender: b@x\n\n",
	    "From: A <me@example.org>\r\nSender: b@x\r\n" },
	{ LOCAL "rewrite-from never\n", "From: joe@localhost\n\n",
	    "From: joe@localhost\r\n" },
	{ LOCAL "rewrite-from never\n", "From: joe\n\n",
	    "From: joe@d.example\r\n" },
	{ LOCAL, "To: \"a b\", c@x\nCc: (d) e\n\n",
	    "To: \"a b\"@d.example, c@x\r\nCc: (d) e@d.example\r\n" },
	{ LOCAL, "To: G: a, b;, c\n\n",
	    "To: G: a@d.example, b@d.example;, c@d.example\r\n" },
	{ LOCAL, "To: a@x,\n b\n\n", "To: a@x, b@d.example\r\n" },
	{ LOCAL, "To: a@x,\n\tb@x\n\n", "To: a@x,\r\n\tb@x\r\n" },
	{ LOCAL, "Bcc: a\nReturn-Path: <a>\nContent-Length: 3\nX: y\n"
	    "Resent-bcc: b\n\n", "X: y\r\n" },
	{ LOCAL, "DKIM-Signature: x\nBcc: q\nFrom: root\n\n",
	    "DKIM-Signature: x\r\nFrom: root\r\n" },
	{ LOCAL, "To: no address at all\n\n", "To: no address at all\r\n" },
	{ ONE, "To: root\n\n", "To: root@h.example.net\r\n" },
	{ NULL, "From: root\n\n", "From: root@h.example.net\r\n" },
};

static void
test_headers(void **state)
{
	static const char *const words[] = { "a@x", NULL };
	struct desk d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof headers / sizeof *headers; i++) {
		assert_true(make(&d, headers[i].config, words,
		    headers[i].in));
		assert_string_equal(header(&d), headers[i].out);
		clear(&d);
	}
}

static void
test_parameters(void **state)
{
	static const char *const words[] = { "-Nnever", "-Rhdrs", "-Va+b",
	    "--require-tls", "-Osmtputf8=yes", "a+b@x", NULL };
	const struct envelope *e;
	struct desk d;

	(void)state;
	assert_true(make(&d, ONE, words, "\n"));
	e = &d.plan.legs[0].envelope;
	assert_string_equal(e->notify, "NEVER");
	assert_string_equal(e->ret, "HDRS");
	assert_string_equal(e->envid, "a+2Bb");
	assert_string_equal(e->recipients[0].orcpt, "rfc822;a+2Bb@x");
	assert_true(e->requiretls && e->smtputf8_always);
	assert_false(e->smtputf8_never);
	clear(&d);
}

/* Command line before account; "none" is neither. */
static void
test_terms(void **state)
{
	static const char config[] = ONE "hold-for 15m\ndeliver-by 1h return\n"
	    "priority 4\n";
	static const struct {
		const char *config;
		const char *words[WORDS];
		const char *want;
	} cases[] = {
		{ ONE, { "a@x" }, "" },
		{ config, { "a@x" },
		    " BY=3600;R HOLDFOR=900 MT-PRIORITY=4" },
		{ config, { "--hold-until=2099-01-01T00:00:00Z",
		    "--deliver-by=1d", "--priority=0", "a@x" },
		    " BY=86400;N HOLDUNTIL=2099-01-01T00:00:00Z "
		    "MT-PRIORITY=0" },
		{ config, { "--hold-for=none", "--deliver-by=NONE",
		    "--priority=none", "a@x" }, "" },
		{ NULL, { "--hold-for=1m", "--auth=nonsense", "--priority=-2",
		    "a@x" }, " HOLDFOR=60 MT-PRIORITY=-2" },
	};
	struct desk d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(make(&d, cases[i].config, cases[i].words, "\n"));
		assert_string_equal(terms_parameters(
		    &d.plan.legs[0].envelope.terms, d.pool), cases[i].want);
		clear(&d);
	}
}

static void
test_bad_terms(void **state)
{
	static const struct {
		const char *config;
		const char *words[WORDS];
	} cases[] = {
		{ ONE, { "--hold-until=2020-01-01T00:00:00Z", "a@x" } },
		{ NULL, { "--hold-for=never", "a@x" } },
	};
	struct desk d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_false(make(&d, cases[i].config, cases[i].words, "\n"));
		assert_int_equal(d.why.kind, FAILURE_USAGE);
		clear(&d);
	}
}

static void
test_message(void **state)
{
	struct message m = { .longest = MESSAGE_LINE_MAX + 1,
	    .body_nul = true };
	struct failure why;

	(void)state;
	assert_true(plan_message(&m, &why));	/* convert.h has a way */
	m = (struct message){ .header_nul = true };
	assert_false(plan_message(&m, &why));
	assert_int_equal(why.kind, FAILURE_MESSAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_envelopes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_message_ids),
		cmocka_unit_test(test_prologues),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_bad_terms),
		cmocka_unit_test(test_message),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
