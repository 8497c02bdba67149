#include "submit.h"
#include "accounts.h"
#include "demands.h"
#include "keep.h"
#include "log.h"
#include "mailing.h"
#include "message.h"
#include "plan.h"
#include "report.h"
#include "session.h"

#include <string.h>
#include <unistd.h>

/* A leg of the plan while it is done. */
struct errand {
	const struct leg *leg;
	struct session session;
	struct outcome outcome;
	struct kept kept;
	struct failure keep_failure;
};

struct submission {
	const struct options *options;
	const struct caller *caller;
	struct config *config;
	struct pool *pool;
	struct choice choice;
	struct message *message;
	struct plan plan;
	struct errand *errands;		/* parallel to the plan's legs */
	struct outcome outcome;		/* of all the people */
	struct report report;
	milliseconds begun;
};

/* Ended before there were recipients: nothing to keep, one thing to say. */
static int
end_early(struct submission *s, const struct failure *why)
{
	s->report.failure = why;
	s->report.total_ms = clock_now() - s->begun;
	accounts_log(s->choice.account, s->options);
	report_result(&s->report, s->pool);
	return failure_status(why->kind);
}

/*
 * All deferred by a 421, or REQUIRETLS (RFC 8689 section 4.2.1) or another
 * extension is not to be had there: nothing can have arrived.
 */
static bool
may_begin_anew(const struct errand *e)
{
	const struct failure *why = outcome_gravest(&e->outcome);

	if (why == NULL)
		return false;
	if (why->kind == FAILURE_REQUIRETLS || why->kind == FAILURE_EXTENSION)
		return outcome_count(&e->outcome, VERDICT_REFUSED) ==
		    e->outcome.n;
	return why->reply == 421 &&
	    outcome_count(&e->outcome, VERDICT_DEFERRED) == e->outcome.n;
}

/* Who cannot be told to any server has failed before there is one. */
static void
begin_outcome(struct errand *e, struct pool *pool)
{
	const struct envelope *envelope = &e->leg->envelope;
	size_t i;

	outcome_init(&e->outcome, envelope->n, pool);
	for (i = 0; i < envelope->n; i++)
		if (envelope->recipients[i].trouble != NULL)
			outcome_failed(&e->outcome, i,
			    envelope->recipients[i].trouble);
}

/* The message as the server of this connection can take it. */
static bool
send_fitting(struct submission *s, struct errand *e, struct mailing *m,
    struct failure *why)
{
	struct smtp *smtp = &e->session.smtp;
	bool done = true;

	dialogue_step(&smtp->talk, STEP_MAIL);
	if (demands_fit(smtp, m->envelope, s->message, &m->message, s->pool,
	    why))
		done = mailing_send(m, smtp, why);
	else
		outcome_rest_failed(m->outcome, why);
	convert_end(s->message, m->message);
	m->message = s->message;
	return done;
}

/*
 * To one server, on as many connections as it takes.  False, with the reason,
 * when those who are open were not to be reached any more.
 */
static bool
send_to(struct submission *s, struct errand *e, size_t *at,
    struct failure *why)
{
	struct mailing m;
	bool done = false;

	mailing_init(&m, &e->leg->envelope, s->message, &e->outcome, s->pool);
	while (!done && session_open(&e->session, at, why)) {
		done = send_fitting(s, e, &m, why);
		session_close(&e->session);
		if (!done)
			log_note(LEVEL_INFO, "going on with a new connection "
			    "after: %s", why->text);
	}
	return done;
}

static void
send_leg(struct submission *s, struct errand *e, struct failure *why)
{
	size_t at;

	for (at = 0; send_to(s, e, &at, why); at++) {
		if (at + 1 == e->session.route.nendpoints ||
		    !may_begin_anew(e))
			return;
		failure_copy(why, outcome_gravest(&e->outcome));
		log_note(LEVEL_WARNING, "going on to %s after: %s",
		    e->session.route.endpoints[at + 1].text, why->text);
		begin_outcome(e, s->pool);
	}
	outcome_rest_failed(&e->outcome, why);
}

static bool
prepare(struct submission *s, struct errand *e, struct failure *why)
{
	struct route route;

	if (!plan_message(s->message, why) || !route_make(&route,
	    e->leg->account, s->options, s->caller, s->pool, why) ||
	    (e->leg->envelope.requiretls && !route_requires_tls(&route, why)))
		return false;
	session_init(&e->session, &route, s->caller, s->pool);
	return true;
}

/* A person who watches, and can give the same file again, needs no copy. */
static bool
wants_keeping(const struct submission *s)
{
	return s->options->keep || !s->options->sendoff ||
	    !s->caller->stderr_terminal || s->caller->stdin_terminal;
}

static void
keep_rest(struct submission *s, struct errand *e, struct report_leg *told)
{
	const struct account *a = e->leg->account;
	const char *keep = a == NULL ? NULL : a->values[SET_KEEP];
	size_t i = (size_t)(e - s->errands);
	const char *id = i == 0 ? s->plan.id :
	    pool_printf(s->pool, "%s-%zu", s->plan.id, i + 1);

	if (outcome_count(&e->outcome, VERDICT_SENT) == e->outcome.n ||
	    !wants_keeping(s) || (keep != NULL && strcmp(keep, "never") == 0))
		return;
	if (keep_message(id, a, &e->leg->envelope, s->message, &e->outcome,
	    s->caller, s->pool, &e->kept, &e->keep_failure))
		told->kept = &e->kept;
	else
		told->keep_failure = &e->keep_failure;
}

/*
 * From here on the message is ours to lose: whatever fails now is the outcome
 * of each recipient, and what is not sent is kept.
 */
static void
do_errand(struct submission *s, struct errand *e, struct report_leg *told,
    const struct failure *config_failure)
{
	struct failure why = { 0 };
	size_t i;

	begin_outcome(e, s->pool);
	message_compose(s->message, e->leg->prologue, e->leg->instead);
	if (config_failure != NULL)
		outcome_rest_failed(&e->outcome, config_failure);
	else if (e->outcome.open > 0 && prepare(s, e, &why))
		send_leg(s, e, &why);
	if (e->outcome.open > 0)
		outcome_rest_failed(&e->outcome, &why);
	session_end(&e->session);
	keep_rest(s, e, told);
	told->leg = e->leg;
	told->outcome = &e->outcome;
	told->session = &e->session;
	for (i = 0; i < e->outcome.n; i++)
		outcome_copy(&s->outcome, e->leg->whole[i],
		    &e->outcome.results[i]);
}

static int
deliver(struct submission *s, const struct failure *config_failure)
{
	struct report *r = &s->report;
	size_t i, n = s->plan.nlegs;

	outcome_init(&s->outcome, s->plan.people.n, s->pool);
	s->errands = pool_array(s->pool, n, sizeof *s->errands);
	r->legs = pool_array(s->pool, n, sizeof *r->legs);
	r->nlegs = n;
	accounts_log(s->choice.account, s->options);
	for (i = 0; i < n; i++) {
		s->errands[i].leg = &s->plan.legs[i];
		do_errand(s, &s->errands[i], &r->legs[i], config_failure);
	}
	r->plan = &s->plan;
	r->outcome = &s->outcome;
	r->octets = message_size(s->message);
	r->total_ms = clock_now() - s->begun;
	report_result(r, s->pool);
	return report_status(r);
}

static bool
choose_account(struct submission *s, struct failure *why)
{
	const char *sender = s->options->sender;

	if (sender == NULL || *sender == '\0' || *sender == '<')
		sender = plan_header_sender(s->message, s->pool);
	return accounts_load(s->config, s->options, s->caller, why) &&
	    accounts_choose(s->config, s->options, sender, &s->choice, why);
}

static int
decide(struct submission *s)
{
	struct failure why = { 0 }, config_failure = { 0 };
	bool ok = choose_account(s, &config_failure);

	if (config_failure.kind == FAILURE_USAGE)
		return end_early(s, &config_failure);
	if (!plan_make(&s->plan, s->config, s->options, s->message, s->caller,
	    &s->choice, &why))
		return end_early(s, &why);
	return deliver(s, ok ? NULL : &config_failure);
}

int
submit_message(const struct options *o, const struct caller *c,
    struct config *config, const char *program, milliseconds begun)
{
	struct submission s = { .options = o, .caller = c, .config = config,
	    .pool = config->pool, .begun = begun,
	    .report = { .program = program, .json = o->json } };
	struct input in = { .fd = STDIN_FILENO };
	struct failure why = { 0 };
	int status;

	if (o->nrecipients == 0 && !o->from_header) {
		(void)fail(&why, FAILURE_USAGE, "there are no recipients "
		    "(usage: %s [-i] [-t] [-f sender] [recipient ...] < "
		    "message)", program);
		return end_early(&s, &why);
	}
	if (c->stdin_closed)
		(void)fail(&why, FAILURE_NOINPUT, "standard input is closed, "
		    "there is no message to send");
	if (c->stdin_closed || !message_read(&in, !o->keep_dots,
	    c->temporary, s.pool, &s.message, &why))
		status = end_early(&s, &why);
	else
		status = decide(&s);
	buffer_free(&in.octets);
	message_free(s.message);
	return status;
}
