#include "submit.h"
#include "accounts.h"
#include "compose.h"
#include "confine.h"
#include "errand.h"
#include "explain.h"
#include "helper.h"
#include "keep.h"
#include "log.h"
#include "message.h"
#include "plan.h"
#include "progress.h"
#include "report.h"
#include "session.h"

#include <string.h>

/* A leg of the plan while it is done, and what is left of it. */
struct part {
	struct errand errand;
	struct session session;
	struct kept queued, kept;
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
	struct part *parts;		/* parallel to the plan's legs */
	unsigned nkept;			/* files */
	struct outcome outcome;		/* of all the people */
	struct report report;
	size_t part;			/* which is being done */
	bool at_risk;			/* the server can have all of it, and
					   has not been heard */
	struct progress progress;
	milliseconds begun;
};

/* Ended before there were recipients: nothing to keep, one thing to say. */
static int
end_early(struct submission *s, const struct failure *why)
{
	struct report told = s->report;

	told.failure = why;
	told.total_ms = clock_now() - s->begun;
	accounts_log(s->choice.account, s->options);
	report_result(&told, s->pool);
	return failure_status(why->kind);
}

/* A person who watches, and can give the same file again, needs no copy. */
static bool
wants_keeping(const struct submission *s)
{
	return s->options->keep || !s->options->sendoff ||
	    !s->caller->stderr_terminal ||
	    (s->caller->stdin_terminal && !compose_is_made(s->options));
}

static bool
keep(struct submission *s, struct part *p, const char *state,
    const bool *which, struct kept *kept)
{
	const struct errand *e = &p->errand;
	const struct leftover l = { .account = e->leg->account,
	    .envelope = &e->leg->envelope, .message = s->message,
	    .outcome = &e->outcome, .which = which, .state = state,
	    .caller = s->caller, .pool = s->pool, .id = s->nkept == 0 ?
	    s->plan.id : pool_printf(s->pool, "%s-%u", s->plan.id,
	    s->nkept + 1) };

	if (!keep_message(&l, kept, &p->keep_failure))
		return false;
	s->nkept++;
	return true;
}

/* What the account's timer will try again is as good as done (P1). */
static void
queue_retried(struct submission *s, struct part *p, struct report_leg *told)
{
	struct outcome *o = &p->errand.outcome;
	bool *which = pool_array(s->pool, o->n, sizeof *which), any = false;
	size_t i;

	for (i = 0; i < o->n; i++) {
		which[i] = keep_may_retry(&o->results[i]);
		any = any || which[i];
	}
	if (!any || !keep(s, p, "queued", which, &p->queued))
		return;
	told->queued = &p->queued;
	for (i = 0; i < o->n; i++)
		if (which[i])
			outcome_queued(o, i);
}

static void
keep_left(struct submission *s, struct part *p, struct report_leg *told)
{
	const struct outcome *o = &p->errand.outcome;
	bool *which = pool_array(s->pool, o->n, sizeof *which), any = false;
	size_t i;

	for (i = 0; i < o->n; i++) {
		which[i] = o->results[i].verdict > VERDICT_QUEUED;
		any = any || which[i];
	}
	if (any && keep(s, p, keep_state(o), which, &p->kept))
		told->kept = &p->kept;
	else if (any)
		told->keep_failure = &p->keep_failure;
}

/*
 * Another run has the configuration, and not what this command line makes of
 * it: what is said to the server, and when, is in the envelope.
 */
static bool
is_as_configured(const struct options *o)
{
	static const char *const kept[] = {
		"retry", "retry-for", "keep-limit", "notify", "log",
		"log-format", "sandbox", "name", "deliver-by", "hold-for",
		"priority"
	};
	size_t i, j, n = sizeof kept / sizeof *kept;

	for (i = 0; i < o->noverrides; i++) {
		for (j = 0; j < n; j++)
			if (strcmp(o->overrides[i].name, kept[j]) == 0)
				break;
		if (j == n)
			return false;
	}
	return true;
}

static void
keep_rest(struct submission *s, struct part *p, struct report_leg *told)
{
	const struct account *a = p->errand.leg->account;
	const char *keep_value = a == NULL ? NULL : a->values[SET_KEEP];

	if (!wants_keeping(s) || (keep_value != NULL &&
	    strcmp(keep_value, "never") == 0))
		return;
	told->retry = a != NULL && s->options->config == NULL &&
	    !s->report.changed && strcmp(config_value(a, SET_RETRY), "yes") == 0;
	if (told->retry)
		queue_retried(s, p, told);
	keep_left(s, p, told);
}

static bool
before_end(void *context, struct failure *why)
{
	struct submission *s = context;

	(void)why;
	s->at_risk = true;
	return true;
}

static void
after_end(void *context)
{
	struct submission *s = context;

	s->at_risk = false;
}

static void
sent(void *context, uint64_t done, uint64_t total)
{
	struct submission *s = context;

	progress_at(&s->progress, done, total);
}

static void
hide(void *context)
{
	struct submission *s = context;

	progress_hide(&s->progress);
}

/* A person who watches, and has said so. */
static bool
wants_progress(const struct submission *s)
{
	return s->caller->stderr_terminal && (s->options->progress ||
	    s->options->verbose > 0);
}

/* What is not sent is kept. */
static void
do_part(struct submission *s, struct part *p, struct report_leg *told,
    const struct failure *trouble)
{
	const struct watch watch = { before_end, after_end,
	    wants_progress(s) ? sent : NULL, s };
	struct errand *e = &p->errand;
	size_t i;

	e->watch = &watch;
	e->message = s->message;
	e->session = &p->session;
	e->pool = e->session_pool = s->pool;
	log_cover(hide, s);
	errand_do(e, s->options, s->caller, trouble);
	session_end(&p->session);
	log_cover(NULL, NULL);
	hide(s);
	keep_rest(s, p, told);
	e->watch = NULL;
	told->leg = e->leg;
	told->outcome = &e->outcome;
	told->session = &p->session;
	for (i = 0; i < e->outcome.n; i++)
		outcome_copy(&s->outcome, e->leg->whole[i],
		    &e->outcome.results[i]);
}

/* With a broken configuration no server is spoken to. */
static void
confine_to(struct submission *s)
{
	confine(&(struct confine){ .caller = s->caller, .config = s->config,
	    .n = s->plan.nlegs, .accounts = plan_accounts(&s->plan, s->pool),
	    .keeps = wants_keeping(s),
	    .spools = message_size(s->message) > SPOOL_MEMORY / 4 });
}

/* Passwords of accounts that no leg from this one on logs in with. */
static void
forget_secrets(struct submission *s, size_t from)
{
	size_t a, i;

	for (a = 0; a < s->config->n; a++) {
		for (i = from; i < s->plan.nlegs; i++)
			if (s->plan.legs[i].account == &s->config->accounts[a])
				break;
		if (i >= s->plan.nlegs)
			config_forget(&s->config->accounts[a]);
	}
}

/* Of each verdict, so far. */
static void
count(const struct submission *s, size_t n[VERDICTS])
{
	const struct outcome *now = s->part < s->plan.nlegs ?
	    &s->parts[s->part].errand.outcome : NULL;
	size_t i, v;

	for (v = 0; v < VERDICTS; v++)
		n[v] = outcome_count(&s->outcome, (enum verdict)v);
	for (i = 0; now != NULL && i < now->n; i++) {
		n[VERDICT_OPEN]--;
		n[now->results[i].verdict]++;
	}
	if (s->at_risk) {
		n[VERDICT_UNKNOWN] += n[VERDICT_OPEN];
		n[VERDICT_OPEN] = 0;
	}
}

/*
 * Memory ends, perhaps behind the server's 250: who hears only that would send
 * the message once more.
 */
static int
last_word(const void *context)
{
	const struct submission *s = context;
	size_t n[VERDICTS];

	count(s, n);
	return report_out_of_memory(s->report.program, s->plan.id, n);
}

static int
deliver(struct submission *s, const struct failure *config_failure)
{
	struct report *r = &s->report;
	size_t i, n = s->plan.nlegs;

	outcome_init(&s->outcome, s->plan.people.n, s->pool);
	s->parts = pool_array(s->pool, n, sizeof *s->parts);
	r->legs = pool_array(s->pool, n, sizeof *r->legs);
	r->nlegs = n;
	accounts_log(s->choice.account, s->options);
	forget_secrets(s, 0);
	if (config_failure == NULL)
		confine_to(s);
	pool_last_word(last_word, s);
	for (i = 0; i < n; i++) {
		s->part = i;
		s->parts[i].errand.leg = &s->plan.legs[i];
		do_part(s, &s->parts[i], &r->legs[i], config_failure);
		forget_secrets(s, i + 1);
	}
	s->part = n;
	r->plan = &s->plan;
	r->outcome = &s->outcome;
	r->octets = message_size(s->message);
	r->total_ms = clock_now() - s->begun;
	report_result(r, s->pool);
	pool_last_word(NULL, NULL);
	return report_status(r);
}

static int
explain_it(struct submission *s, const struct failure *config_failure)
{
	struct explain e = { .options = s->options, .caller = s->caller,
	    .config = s->config, .choice = &s->choice, .plan = &s->plan,
	    .message = s->message, .trouble = config_failure,
	    .pool = s->pool, .program = s->report.program };

	accounts_log(s->choice.account, s->options);
	return explain(&e);
}

static int
decide(struct submission *s)
{
	struct failure why = { 0 }, config_failure = { 0 };
	bool ok = plan_choose(s->config, s->options, s->message, s->caller,
	    &s->choice, &config_failure);

	if (config_failure.kind == FAILURE_USAGE)
		return end_early(s, &config_failure);
	if (!plan_make(&s->plan, s->config, s->options, s->message, s->caller,
	    &s->choice, &why))
		return end_early(s, &why);
	if (s->options->mode == MODE_EXPLAIN)
		return explain_it(s, ok ? NULL : &config_failure);
	return deliver(s, ok ? NULL : &config_failure);
}

int
submit_message(const struct options *o, const struct caller *c,
    struct config *config, const char *program, milliseconds begun)
{
	struct submission s = { .options = o, .caller = c, .config = config,
	    .pool = config->pool, .begun = begun,
	    .report = { .program = program, .config = o->config,
	    .changed = !is_as_configured(o), .json = o->json } };
	struct failure why = { 0 };
	int status;

	if (o->nrecipients == 0 && !o->from_header) {
		(void)fail(&why, FAILURE_USAGE, "there are no recipients "
		    "(usage: %s [-i] [-t] [-f sender] [recipient ...] < "
		    "message)", program);
		return end_early(&s, &why);
	}
	if (!compose_message(o, c, s.pool, &s.message, &why))
		status = end_early(&s, &why);
	else
		status = decide(&s);
	helper_end(config);
	message_free(s.message);
	return status;
}
