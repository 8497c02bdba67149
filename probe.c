#include "probe.h"
#include "accounts.h"
#include "advice.h"
#include "asking.h"
#include "confine.h"
#include "exhibit.h"
#include "findings.h"
#include "helper.h"
#include "inspect.h"
#include "outcome.h"
#include "plan.h"
#include "report.h"
#include "session.h"
#include "testimony.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SERVERS_MAX = 8 };

struct run {
	const struct options *options;
	const struct caller *caller;
	struct config *config;
	struct pool *pool;
	struct message *message;	/* there is none: an empty one */
	struct plan plan;		/* with the recipients, if any */
	struct route route;
	struct session look;		/* that verifies nothing */
	struct session session;		/* as a submission has it */
	bool unsafe;			/* no secret may be shown in it */
	struct findings found;
	struct exhibit exhibit;
};

/* What a submission to these recipients would say; else to nobody. */
static bool
make_plan(struct run *r, const struct choice *choice, struct failure *why)
{
	const struct options *o = r->options;

	if (!o->probe_rcpt)
		return plan_session(&r->plan, r->config, o, r->message,
		    r->caller, choice, why);
	if (!plan_make(&r->plan, r->config, o, r->message, r->caller, choice,
	    why))
		return false;
	return r->plan.nlegs == 1 || fail(why, FAILURE_USAGE, "these "
	    "recipients belong to more than one account, and a probe is of "
	    "one; name it with --account");
}

static bool
begin(struct run *r, struct failure *why)
{
	const struct options *o = r->options;
	struct choice choice;
	struct confine c = { .caller = r->caller, .config = r->config,
	    .n = 1, .accounts = &r->found.account };

	if (!message_none(&r->message, r->pool, why) || !plan_choose(r->config,
	    o, r->message, r->caller, &choice, why) ||
	    !make_plan(r, &choice, why) || !route_make(&r->route,
	    r->plan.legs[0].account, o, r->caller, r->pool, why))
		return false;
	r->found.account = r->plan.legs[0].account;
	accounts_log(choice.account, o);
	confine(&c);
	session_init(&r->look, &r->route, r->caller, r->pool);
	return true;
}

/* The domain is asked by the probe, too, to show what the DNS has. */
static bool
find_servers(struct run *r)
{
	struct findings *f = &r->found;
	const char *from = f->account->values[SET_FROM];

	if (r->route.nendpoints == 0 && r->route.net.proxy == NULL &&
	    from != NULL && strchr(from, '@') != NULL) {
		f->domain = strrchr(from, '@') + 1;
		inspect_services(&r->look, f->domain, f);
	}
	f->asked_dns = f->domain != NULL;
	exhibit_services(&r->exhibit, f);
	return session_find(&r->look, &f->why);
}

static bool
look_at(struct run *r, const struct endpoint *e)
{
	struct findings *f = &r->found;
	struct found_server *s;
	bool ok;

	f->servers = pool_grow(r->pool, f->servers, &f->nservers, sizeof *s);
	s = &f->servers[f->nservers - 1];
	*s = (struct found_server){ .endpoint = e };
	ok = inspect_place(&r->look, s);
	f->asked_dns = f->asked_dns || s->nrecords > 0;
	f->resolver_trusted = f->asked_dns &&
	    dns_is_trusted(session_dns(&r->look));
	exhibit_place(&r->exhibit, f);
	if (!ok)
		return false;
	ok = inspect_dialogue(&r->look, s);
	exhibit_dialogue(&r->exhibit, f);
	return ok;
}

/* Until one can be talked to; the others are tried as a submission would. */
static void
look_around(struct run *r)
{
	const struct route *route = &r->look.route;
	size_t i;

	for (i = 0; i < route->nendpoints && i < SERVERS_MAX; i++)
		if (look_at(r, &route->endpoints[i]))
			return;
}

/* Is there nothing to log in with, which is no fault of the server? */
static bool
has_no_secret(const struct session *s, const struct failure *why)
{
	return why->kind == FAILURE_CONFIG && !s->has_secret &&
	    s->net.address == NULL;
}

static bool
open_session(struct run *r, bool login)
{
	struct session *s = &r->session;
	size_t at = 0;

	session_init(s, &r->look.route, r->caller, r->pool);
	s->route.smtp = r->route.smtp;
	s->login = s->route.smtp.login = login;
	return session_open(s, &at, &r->found.why);
}

static const char *
user_of(const struct run *r)
{
	const struct found_server *s = findings_server(&r->found);

	return s != NULL && s->endpoint->user != NULL ? s->endpoint->user :
	    r->route.smtp.user;
}

/* As a submission does it; without a secret, as far as one can go. */
static void
log_in(struct run *r)
{
	struct findings *f = &r->found;
	milliseconds begun = clock_now();
	bool login = r->route.smtp.login, ok;

	f->user = user_of(r);
	if (!login)
		f->no_login = "\"auth none\"";
	else if (f->user == NULL && !config_has_identity(r->route.account))
		f->no_login = "nobody is named that could log in (as in "
		    "smtps://alice@mail.example.org)";
	login = f->no_login == NULL;
	ok = open_session(r, login);
	if (!ok && login && has_no_secret(&r->session, &f->why)) {
		f->no_login = pool_string(r->pool, f->why.text);
		f->why = (struct failure){ .kind = FAILURE_NONE };
		session_end(&r->session);
		login = false;
		ok = open_session(r, false);
	}
	f->login_ms = clock_now() - begun;
	if (ok && login)
		f->mechanism = r->session.facts.mechanism;
	if (ok && login && f->mechanism == NULL)
		f->no_login = "this server needs none";
	if (ok)
		f->why = (struct failure){ .kind = FAILURE_NONE };
	/* without the secret nobody has asked */
	r->unsafe = ok && !login && r->route.smtp.login && f->user != NULL &&
	    !smtp_is_safe(&r->session.smtp, &f->why);
}

/* What a submission could use; without a secret, if it had a password. */
static struct sasl_policy
policy_of(const struct run *r)
{
	struct sasl_policy p = r->session.route.smtp.sasl;

	p.has_token = p.has_token ||
	    r->found.account->values[SET_OAUTH_COMMAND] != NULL;
	p.has_password = !p.has_token;
	return p;
}

static void
judge_mechanisms(struct run *r, const struct found_server *s)
{
	const struct tls_facts *tls = &s->tls;
	const struct sasl_channel channel = { .tls = tls->version != NULL,
	    .binding = tls->binding };
	struct sasl_policy policy = policy_of(r);
	struct found_mechanism *m;
	struct failure ignored;
	const char *chosen = sasl_choose(&policy, &channel,
	    s->within.can.mechanisms, &ignored);
	size_t i;

	for (i = 0; i < r->found.nmechanisms; i++) {
		m = &r->found.mechanisms[i];
		if (!m->within)
			m->verdict = "is offered only before TLS";
		else if (chosen != NULL && strcmp(m->name, chosen) == 0)
			m->verdict = r->found.mechanism != NULL ? "was used" :
			    r->unsafe ? "would be used in TLS" :
			    "would be used";
		else
			m->verdict = sasl_why_not(&policy, &channel, m->name);
		if (m->verdict == NULL)
			m->verdict = pool_printf(r->pool, "comes after %s",
			    chosen != NULL ? chosen : "none");
	}
}

static void
list_mechanisms(struct run *r, const char *offered, bool within)
{
	struct findings *f = &r->found;
	struct found_mechanism *m;
	size_t i, len;

	for (; *offered != '\0'; offered += len + strspn(offered + len, " ")) {
		len = strcspn(offered, " ");
		for (i = 0; i < f->nmechanisms; i++)
			if (strlen(f->mechanisms[i].name) == len && memcmp(
			    f->mechanisms[i].name, offered, len) == 0)
				break;
		if (i == f->nmechanisms) {
			f->mechanisms = pool_grow(r->pool, f->mechanisms,
			    &f->nmechanisms, sizeof *m);
			f->mechanisms[i] = (struct found_mechanism){
			    .name = pool_octets(r->pool, offered, len) };
		}
		m = &f->mechanisms[i];
		m->within = m->within || within;
		m->before = m->before || !within;
	}
}

/* NULL when the server was not asked. */
static const char *
text_of(const struct run *r, const struct reply *reply)
{
	return reply->code == 0 ? NULL : pool_octets(r->pool, reply->text,
	    reply->len);
}

static bool
ask_sender(struct run *r, const struct envelope *e, struct failure *why)
{
	const struct demands nothing = { 0 };
	struct reply reply;
	bool ok = asking_mail(&r->session.smtp, e, &nothing, &reply, why);

	r->found.sender_reply = text_of(r, &reply);
	return ok;
}

/* One after the other, so that each reply is seen to be its own. */
static bool
ask_recipient(struct run *r, const struct envelope *e, struct outcome *o,
    size_t i, struct failure *why)
{
	struct found_recipient *who = &r->found.recipients[i];
	struct reply reply;
	bool ok = asking_rcpt(&r->session.smtp, e, o, i, &reply, why);

	who->reply = text_of(r, &reply);
	who->accepted = who->reply != NULL && reply_is_success(&reply);
	return ok;
}

static void
take_leave(struct run *r)
{
	struct dialogue *talk = &r->session.smtp.talk;
	struct failure ignored;
	struct reply reply;

	dialogue_step(talk, STEP_RSET);
	dialogue_say(talk, "RSET");
	(void)dialogue_hear(talk, &reply, NULL, NULL, &ignored);
}

static void
ask_all(struct run *r, const struct envelope *e, struct outcome *o)
{
	struct failure why = { 0 };
	bool ok = ask_sender(r, e, &why);
	size_t i;

	for (i = 0; ok && i < e->n; i++)
		ok = ask_recipient(r, e, o, i, &why);
	if (!ok)
		outcome_rest_failed(o, &why);
	else
		take_leave(r);
}

static void
ask_recipients(struct run *r)
{
	const struct envelope *e = &r->plan.legs[0].envelope;
	struct findings *f = &r->found;
	const struct failure *gravest;
	struct outcome outcome;
	size_t i;

	f->sender = e->sender;
	f->nrecipients = e->n;
	f->recipients = pool_array(r->pool, e->n, sizeof *f->recipients);
	outcome_begin(&outcome, e, r->pool);
	ask_all(r, e, &outcome);
	for (i = 0; i < e->n; i++) {
		f->recipients[i].path = e->recipients[i].path;
		if (outcome.results[i].why != NULL)
			f->recipients[i].why = outcome.results[i].why->text;
	}
	gravest = outcome_gravest(&outcome);
	if (gravest != NULL)
		failure_copy(&f->why, gravest);
}

/* What the account, or the command line, asks of every server (demands.h). */
static void
compare_demands(struct run *r)
{
	const struct demands nothing = { 0 };
	struct smtp *smtp = &r->session.smtp;

	dialogue_step(&smtp->talk, STEP_MAIL);
	(void)demands_met(&nothing, &r->plan.legs[0].envelope, smtp,
	    &r->found.why);
}

static void
go_on(struct run *r)
{
	struct findings *f = &r->found;
	const struct found_server *s;

	if (!find_servers(r))
		return;
	look_around(r);
	s = findings_server(f);
	assert(s != NULL);		/* session_find() has found one */
	f->why = s->why;
	if (s->why.kind != FAILURE_NONE)
		return;
	log_in(r);
	if (f->why.kind == FAILURE_NONE && !r->options->probe_rcpt)
		compare_demands(r);
	list_mechanisms(r, s->within.can.mechanisms, true);
	list_mechanisms(r, s->before.can.mechanisms, false);
	judge_mechanisms(r, s);
	exhibit_login(&r->exhibit, f);
	if (f->why.kind == FAILURE_NONE && r->options->probe_rcpt) {
		ask_recipients(r);
		exhibit_recipients(&r->exhibit, f);
	}
	session_end(&r->session);
}

int
probe(const struct options *o, const struct caller *c, struct config *config,
    const char *program)
{
	struct run r = { .options = o, .caller = c, .config = config,
	    .pool = config->pool };
	struct failure why = { 0 };
	struct findings *f = &r.found;
	int output;
	bool ok;

	exhibit_begin(&r.exhibit, !o->json, isatty(STDOUT_FILENO) == 1 &&
	    !c->no_colour, r.pool);
	ok = begin(&r, &why);
	if (ok)
		go_on(&r);
	session_end(&r.look);
	helper_end(config);
	message_free(r.message);
	if (!ok)
		return report_failure(program, &why);
	f->status = failure_status(f->why.kind);
	advise(f, r.pool);
	exhibit_end(&r.exhibit, f);
	if (o->json)
		testify(f, r.pool);
	output = report_output(program);
	if (f->why.kind != FAILURE_NONE)
		return report_failure(program, &f->why);
	return output;
}
