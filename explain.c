#include "explain.h"
#include "changes.h"
#include "confine.h"
#include "demands.h"
#include "helper.h"
#include "outcome.h"
#include "report.h"
#include "session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is known of a server. */
struct known {
	struct smtp smtp;		/* its capabilities */
	struct smtp_params params;
	struct smtp_facts facts;
	const char *since;		/* a day; NULL: nothing is known */
};

__attribute__((format(printf, 2, 3)))
static void
text(const char *label, const char *fmt, ...)
{
	char line[2048], clean[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	(void)printable(clean, sizeof clean, line, strlen(line));
	(void)printf("  %-10s%s\n", label, clean);
}

/* --- who, and by whom ------------------------------------------------------ */

static void
show_servers(const struct explain *e, const struct account *a)
{
	const char *from = a->values[SET_FROM];
	size_t i;

	for (i = 0; i < a->nservers; i++)
		text(i == 0 ? "server" : "", "%s", a->servers[i].text);
	if (a->nservers == 0 && from != NULL && strchr(from, '@') != NULL)
		text("server", "those that %s names in the DNS (SRV)%s",
		    strrchr(from, '@') + 1, e->options->live ? "" :
		    "; --probe shows them");
}

static void
show_account(const struct explain *e, const struct leg *l)
{
	const struct account *a = l->account;
	const char *why;

	(void)printf("Account\n");
	if (a == NULL) {
		text("none", "%s", e->trouble != NULL ? e->trouble->text :
		    "there is no configuration");
		return;
	}
	why = a == e->choice->account ? e->choice->why : "its \"match\" fits "
	    "the recipients";
	if (a->line > 0)
		text("name", "%s (%s:%zu): %s", a->name, a->file, a->line, why);
	else
		text("name", "%s: %s", a->called, why);
	show_servers(e, a);
}

/* Commands as this server would hear them. */
static void
show_envelope(const struct leg *l, const struct smtp *s,
    const struct demands *d)
{
	const struct recipient *r;
	struct buffer line = { 0 };
	size_t i;

	(void)printf("\nEnvelope\n");
	demands_put_mail(d, &l->envelope, NULL, l->envelope.n, s, &line);
	changes_line(" ", buffer_data(&line), buffer_len(&line));
	for (i = 0; i < l->envelope.n; i++) {
		r = &l->envelope.recipients[i];
		buffer_free(&line);
		demands_put_rcpt(&l->envelope, r, s, &line);
		if (r->named != NULL)
			buffer_printf(&line, "  (\"%s\" stands for it)",
			    r->named);
		if (r->trouble != NULL)
			buffer_printf(&line, "  (cannot be sent: %s)",
			    r->trouble->text);
		changes_line(" ", buffer_data(&line), buffer_len(&line));
	}
	buffer_free(&line);
}

/* --- what is changed -------------------------------------------------------- */

static void
show_header(const struct explain *e)
{
	const struct message *m = e->message;
	size_t n = 0, same;
	struct field *fields = message_head(m, &n, e->pool);

	(void)printf("\nHeader\n");
	if (m->mbox)
		changes_line("-", "From ... (an mbox line)", 23);
	same = changes_header(m->fields, m->nfields, fields, n);
	(void)printf("  = %zu field%s as before\n", same, same == 1 ? "" : "s");
}

static void
show_message(const struct message *m)
{
	(void)printf("\nMessage\n");
	text("size", "%" PRIu64 " octets, with CRLF at each line's end",
	    message_size(m));
	text("content", "%s; the longest line has %zu octets%s", m->body_8bit ?
	    "8-bit" : "ASCII", m->longest, m->body_nul ? "; it has a NUL" : "");
	if (m->header_8bit)
		text("header", "beyond ASCII");
	if (m->ended_by_dot)
		text("end", "a line with a lone dot%s (-i reads on)",
		    m->more_after_dot ? "; what stands behind it is not sent" :
		    "");
}

/* What is known, "if it offers no X", and what comes of it. */
static void
show_fit(const struct explain *e, const char *when, const struct message *fit)
{
	const struct message *m = e->message;
	size_t before = 0, after = 0;
	struct field *old, *new;

	if (fit == m) {
		(void)printf("  = %s: the message goes as it is\n", when);
		return;
	}
	(void)printf("  * %s: %s converted\n", when, strchr(fit->converted,
	    ',') != NULL ? "header and body are" : strcmp(fit->converted,
	    "body") == 0 ? "the body is" : "the header is");
	old = message_head(m, &before, e->pool);
	new = message_head(fit, &after, e->pool);
	(void)changes_header(old, before, new, after);
	changes_parts(m, fit, e->pool);
}

/* Of a server that nobody has asked: what it would be without each. */
static void
suppose(const struct explain *e, const struct envelope *envelope,
    const struct known *known)
{
	static const struct {
		const char *when;
		bool utf8, eight;
	} cases[] = {
		{ "with 8BITMIME and SMTPUTF8", true, true },
		{ "with 8BITMIME alone", false, true },
		{ "with neither", false, false },
	};
	struct known k = *known;
	const struct message *fit;
	struct failure why;
	size_t i;

	k.smtp.facts = &k.facts;
	(void)printf("  ? what the server offers is not known (--explain=live "
	    "asks it)\n");
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		k.smtp.can.smtputf8 = cases[i].utf8;
		k.smtp.can.eightbitmime = cases[i].eight;
		fit = e->message;
		if (demands_fit(&k.smtp, envelope, e->message, &fit, e->pool,
		    &why))
			show_fit(e, cases[i].when, fit);
		else
			text("* failed", "%s: %s", cases[i].when, why.text);
		convert_end(e->message, fit);
	}
}

/* --- what becomes of it ------------------------------------------------------ */

static void
settle(const struct leg *l, const struct demands *d, const struct known *k,
    struct outcome *o)
{
	const struct envelope *envelope = &l->envelope;
	const struct recipient *r;
	struct failure why;
	size_t i;

	if (!demands_met(d, envelope, &k->smtp, &why))
		outcome_rest_failed(o, &why);
	for (i = 0; i < envelope->n; i++) {
		r = &envelope->recipients[i];
		if (o->results[i].verdict != VERDICT_OPEN)
			continue;
		if (!demands_met_utf8(r->utf8, r->path, &k->smtp, &why))
			outcome_failed(o, i, &why);
		else
			outcome_sent(o, i, "");
	}
}

static void
show_verdict(const struct outcome *o)
{
	const struct failure *why = outcome_gravest(o);
	size_t good = outcome_count(o, VERDICT_SENT);

	(void)printf("\nVerdict\n");
	if (why == NULL)
		text("yes", "it could be sent to %zu recipient%s", o->n,
		    o->n == 1 ? "" : "s");
	else if (o->n == 1)
		text("no", "exit status %d: %s", outcome_status(o), why->text);
	else
		text("no", "of %zu recipients %zu could be sent it; exit "
		    "status %d: %s", o->n, good, outcome_status(o), why->text);
}

/* --- what the server offers --------------------------------------------------- */

static void
ask_nobody(const struct explain *e, const struct leg *l, struct known *k)
{
	const struct account *a = l->account;
	const char *server = a == NULL || a->nservers == 0 ? "the server" :
	    a->servers[0].text;
	const struct sight *seen = NULL;

	if (a != NULL && a->nservers > 0)
		seen = memory_of(memory_open(session_memory(e->caller,
		    e->pool), e->pool), a->name, server);
	k->params.path_kind = a != NULL && a->nservers > 0 &&
	    a->servers[0].path != NULL ? PATH_UNIX : PATH_NETWORK;
	k->facts.tls.verified = a == NULL || a->nservers == 0 ||
	    url_is_verified(&a->servers[0]);
	k->smtp = (struct smtp){ .pool = e->pool, .params = &k->params,
	    .facts = &k->facts, .talk = { .stream = stream_new(-1, server) } };
	if (seen != NULL && seen->offers != NULL) {
		k->since = seen->day;
		capabilities_read(&k->smtp.can, seen->offers);
	}
}

/* Everything that a message might ask for is supposed to be there. */
static void
suppose_all(struct capabilities *can)
{
	*can = (struct capabilities){ .extended = true, .smtputf8 = true,
	    .eightbitmime = true, .dsn = true, .requiretls = true,
	    .size = true, .deliverby = true, .futurerelease = true,
	    .hold_max = UINT64_MAX, .mt_priority = true,
	    .hold_until_max = (time_t)INT64_MAX };
}

/* when NULL: nothing is known, and everything supposed. */
static void
judge(const struct explain *e, const struct leg *l, struct known *k,
    const char *when, struct outcome *o)
{
	const struct message *fit = e->message;
	struct demands d;
	struct failure why;
	bool fits = demands_fit(&k->smtp, &l->envelope, e->message, &fit,
	    e->pool, &why);

	d = demands_of(fit);
	show_envelope(l, &k->smtp, &d);
	show_header(e);
	show_message(e->message);
	(void)printf("\nConversion\n");
	if (when == NULL)
		suppose(e, &l->envelope, k);
	else if (fits)
		show_fit(e, when, fit);
	else
		text("* failed", "%s: %s", when, why.text);
	if (!fits)
		outcome_rest_failed(o, &why);
	settle(l, &d, k, o);
	convert_end(e->message, fit);
}

static void
explain_known(const struct explain *e, const struct leg *l, struct outcome *o)
{
	struct known k = { .since = NULL };

	ask_nobody(e, l, &k);
	if (k.since == NULL)
		suppose_all(&k.smtp.can);
	judge(e, l, &k, k.since == NULL ? NULL : pool_printf(e->pool,
	    "by what the server has offered (%s)", k.since), o);
	stream_free(k.smtp.talk.stream);
}

/* As far as a submission would go before MAIL. */
static void
explain_live(const struct explain *e, const struct leg *l, struct outcome *o)
{
	struct route route;
	struct session s;
	struct known k = { .since = NULL };
	struct failure why = { 0 };
	size_t at = 0;

	if (!route_make(&route, l->account, e->options, e->caller, e->pool,
	    &why)) {
		outcome_rest_failed(o, &why);
		explain_known(e, l, o);
		return;
	}
	session_init(&s, &route, e->caller, e->pool);
	if (session_open(&s, &at, &why)) {
		k.smtp = s.smtp;
		k.facts = s.facts;
		k.params = s.route.smtp;
		k.smtp.facts = &k.facts;
		k.smtp.params = &k.params;
		judge(e, l, &k, pool_printf(e->pool, "by what %s offers now",
		    s.server), o);
	} else {
		outcome_rest_failed(o, &why);
		explain_known(e, l, o);
	}
	session_end(&s);
}

static void
explain_leg(const struct explain *e, const struct leg *l, struct outcome *all)
{
	struct outcome o;
	struct failure bad;
	size_t i;

	outcome_begin(&o, &l->envelope, e->pool);
	if (e->trouble != NULL)
		outcome_rest_failed(&o, e->trouble);
	else if (!plan_message(e->message, &bad))
		outcome_rest_failed(&o, &bad);
	show_account(e, l);
	message_compose(e->message, l->prologue, l->instead);
	if (e->options->live && e->trouble == NULL)
		explain_live(e, l, &o);
	else
		explain_known(e, l, &o);
	show_verdict(&o);
	for (i = 0; i < o.n; i++)
		outcome_copy(all, l->whole[i], &o.results[i]);
}

int
explain(struct explain *e)
{
	const struct plan *p = e->plan;
	const struct failure *why;
	struct outcome all;
	int output;
	size_t i;

	if (e->options->live && e->trouble == NULL)
		confine(&(struct confine){ .caller = e->caller,
		    .config = e->config, .n = p->nlegs,
		    .accounts = plan_accounts(p, e->pool),
		    .spools = message_size(e->message) > SPOOL_MEMORY / 4 });
	outcome_init(&all, p->people.n, e->pool);
	for (i = 0; i < p->nlegs; i++) {
		if (i > 0)
			(void)printf("\n\n");
		explain_leg(e, &p->legs[i], &all);
	}
	helper_end(e->config);
	output = report_output(e->program);
	why = outcome_gravest(&all);
	if (why == NULL)
		return output;
	(void)report_failure(e->program, why);
	return outcome_status(&all);
}
