#include "trial.h"
#include "accounts.h"
#include "asking.h"
#include "compose.h"
#include "confine.h"
#include "helper.h"
#include "plan.h"
#include "report.h"
#include "session.h"
#include "talk.h"

#include <string.h>

struct trial {
	const struct options *options;
	const struct caller *caller;
	struct config *config;
	struct pool *pool;
	struct message *message;	/* empty when none was given */
	struct choice choice;
	struct plan plan;
	struct outcome outcome;		/* of all the people */
	struct report report;
	struct failure failure;		/* when there are no people */
	milliseconds begun;
};

/* One account's server, tried. */
struct attempt {
	const struct leg *leg;
	struct session session;
	struct outcome outcome;		/* parallel to the leg's recipients */
};

static int
end_early(struct trial *t, const struct failure *why)
{
	t->report.failure = why;
	t->report.total_ms = clock_now() - t->begun;
	accounts_log(t->choice.account, t->options);
	report_result(&t->report, t->pool);
	return failure_status(why->kind);
}

/* Standard input may be the person's, or have no end. */
static bool
read_message(struct trial *t, struct failure *why)
{
	if (compose_is_made(t->options))
		return compose_message(t->options, t->caller, t->pool,
		    &t->message, why);
	return message_none(&t->message, t->pool, why);
}

/* --- one session ----------------------------------------------------------- */

/* What comes before the login needs no secret, and nobody is asked for it. */
static bool
open_session(struct trial *t, struct attempt *a, struct failure *why)
{
	enum stage last = t->options->last;
	struct route route;
	size_t at = 0;

	if (!route_make(&route, a->leg->account, t->options, t->caller,
	    t->pool, why))
		return false;
	route.smtp.last = last;
	if (last != STAGE_ALL && last < STAGE_AUTH)
		route.smtp.login = false;
	session_init(&a->session, &route, t->caller, t->pool);
	return session_open(&a->session, &at, why);
}

static bool
say_mail(struct trial *t, struct attempt *a, struct failure *why)
{
	struct demands demands = { 0 };
	struct reply reply;

	message_compose(t->message, a->leg->prologue, a->leg->instead);
	if (compose_is_made(t->options))
		demands = demands_of(t->message);
	return asking_mail(&a->session.smtp, &a->leg->envelope, &demands,
	    &reply, why);
}

/* Each by itself: a person wants to see who is refused. */
static bool
say_rcpt(struct attempt *a, struct failure *why)
{
	const struct envelope *e = &a->leg->envelope;
	struct reply reply;
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < e->n; i++)
		ok = asking_rcpt(&a->session.smtp, e, &a->outcome, i, &reply,
		    why);
	return ok;
}

static bool
go(struct trial *t, struct attempt *a, struct failure *why)
{
	enum stage last = t->options->last;

	return open_session(t, a, why) &&
	    (last < STAGE_MAIL || say_mail(t, a, why)) &&
	    (last < STAGE_RCPT || say_rcpt(a, why)) &&
	    (!t->options->talk || talk(&a->session.smtp, t->caller, why));
}

/* Whatever failed is each recipient's verdict, as in a submission. */
static void
try_leg(struct trial *t, struct attempt *a, struct report_leg *told)
{
	struct failure why = { 0 };
	size_t i;

	outcome_begin(&a->outcome, &a->leg->envelope, t->pool);
	if (!go(t, a, &why)) {
		outcome_rest_failed(&a->outcome, &why);
		t->failure = why;
	}
	session_end(&a->session);
	*told = (struct report_leg){ .leg = a->leg, .outcome = &a->outcome,
	    .session = &a->session };
	for (i = 0; i < a->outcome.n; i++) {
		if (a->outcome.results[i].verdict == VERDICT_OPEN)
			outcome_not_sent(&a->outcome, i, NULL);
		outcome_copy(&t->outcome, a->leg->whole[i],
		    &a->outcome.results[i]);
	}
}

/* --- the whole --------------------------------------------------------------- */

static int
try_all(struct trial *t)
{
	struct report *r = &t->report;
	size_t i, n = t->plan.nlegs;
	struct attempt *attempts = pool_array(t->pool, n, sizeof *attempts);

	outcome_init(&t->outcome, t->plan.people.n, t->pool);
	r->legs = pool_array(t->pool, n, sizeof *r->legs);
	r->nlegs = n;
	r->plan = &t->plan;
	accounts_log(t->choice.account, t->options);
	confine(&(struct confine){ .caller = t->caller, .config = t->config,
	    .n = n, .accounts = plan_accounts(&t->plan, t->pool) });
	for (i = 0; i < n; i++) {
		attempts[i].leg = &t->plan.legs[i];
		try_leg(t, &attempts[i], &r->legs[i]);
	}
	if (!compose_is_made(t->options))
		t->plan.message_id = NULL;
	/* who talks may have sent anything to anybody */
	if (t->outcome.n > 0 && !r->talk)
		r->outcome = &t->outcome;
	else if (t->failure.kind != FAILURE_NONE)
		r->failure = &t->failure;
	r->total_ms = clock_now() - t->begun;
	report_result(r, t->pool);
	return report_status(r);
}

static bool
plan(struct trial *t, struct failure *why)
{
	const struct options *o = t->options;

	if (!plan_choose(t->config, o, t->message, t->caller, &t->choice, why))
		return false;
	if (o->nrecipients == 0 && !o->from_header)
		return plan_session(&t->plan, t->config, o, t->message,
		    t->caller, &t->choice, why);
	if (!plan_make(&t->plan, t->config, o, t->message, t->caller,
	    &t->choice, why))
		return false;
	return t->plan.nlegs == 1 || !o->talk || fail(why, FAILURE_USAGE,
	    "these recipients belong to more than one account, and --talk is "
	    "with one server; name it with --account");
}

static bool
begin(struct trial *t, struct failure *why)
{
	const struct options *o = t->options;

	if (o->last == STAGE_RCPT && o->nrecipients == 0 && !o->from_header)
		return fail(why, FAILURE_USAGE, "--quit-after rcpt wants "
		    "recipients to name");
	if (o->talk && compose_is_made(o) && o->last < STAGE_MAIL)
		return fail(why, FAILURE_USAGE, "--talk sends what is typed, "
		    "and no message of --body, --data, --attach or --test");
	return read_message(t, why) && plan(t, why);
}

int
trial_run(const struct options *o, const struct caller *c,
    struct config *config, const char *program, milliseconds begun)
{
	struct trial t = { .options = o, .caller = c, .config = config,
	    .pool = config->pool, .begun = begun,
	    .report = { .program = program, .json = o->json,
	    .talk = o->talk } };
	struct failure why = { 0 };
	int status;

	if (o->last != STAGE_ALL)
		t.report.quit_after = stage_word(o->last);
	status = begin(&t, &why) ? try_all(&t) : end_early(&t, &why);
	helper_end(config);
	message_free(t.message);
	return status;
}
