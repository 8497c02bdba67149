#include "errand.h"
#include "demands.h"
#include "log.h"

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

/* The message as the server of this connection can take it. */
static bool
send_fitting(struct errand *e, struct mailing *m, struct failure *why)
{
	struct smtp *smtp = &e->session->smtp;
	bool done = true;

	dialogue_step(&smtp->talk, STEP_MAIL);
	if (demands_fit(smtp, m->envelope, e->message, &m->message, e->pool,
	    why))
		done = mailing_send(m, smtp, why);
	else
		outcome_rest_failed(m->outcome, why);
	convert_end(e->message, m->message);
	m->message = e->message;
	return done;
}

/* A connection of an errand before this one, when it can be gone on with. */
static bool
is_ready(struct errand *e, struct mailing *m)
{
	struct session *s = e->session;

	if (!s->open)
		return false;
	m->used = session_is_alive(s) && !smtp_is_spent(&s->smtp) &&
	    s->smtp.can.rcptdomainmax == 0;
	if (m->used)
		session_begin_again(s, e->pool);
	else
		session_close(s);
	return m->used;
}

/*
 * To one server, on as many connections as it takes.  False, with the reason,
 * when those who are open were not to be reached any more.
 */
static bool
send_to(struct errand *e, size_t *at, struct failure *why)
{
	struct session *s = e->session;
	struct mailing m;
	bool done = false;

	mailing_init(&m, &e->leg->envelope, e->message, &e->outcome, e->pool);
	m.more_follow = e->more_follow;
	m.watch = e->watch;
	e->unreachable = true;
	while (!done && (is_ready(e, &m) || session_open(s, at, why))) {
		e->unreachable = false;
		*at = s->at;
		done = send_fitting(e, &m, why);
		if (!done || !e->more_follow || !session_is_alive(s))
			session_close(s);
		if (!done)
			log_note(LEVEL_INFO, "going on with a new connection "
			    "after: %s", why->text);
	}
	return done;
}

static void
send_leg(struct errand *e, struct failure *why)
{
	const struct route *route = &e->session->route;
	size_t at;

	e->session->begun = clock_now();
	for (at = 0; send_to(e, &at, why); at++) {
		if (at + 1 == route->nendpoints || !may_begin_anew(e))
			return;
		failure_copy(why, outcome_gravest(&e->outcome));
		session_leave(e->session, at + 1, why);
		session_close(e->session);
		outcome_begin(&e->outcome, &e->leg->envelope, e->pool);
	}
	outcome_rest_failed(&e->outcome, why);
}

/* A session knows its route from its first errand on. */
static bool
prepare(struct errand *e, const struct options *o, const struct caller *c,
    struct failure *why)
{
	struct route route;

	if (!plan_message(e->message, why))
		return false;
	if (e->session->route.account == NULL) {
		if (!route_make(&route, e->leg->account, o, c,
		    e->session_pool, why))
			return false;
		session_init(e->session, &route, c, e->session_pool);
	}
	return !e->leg->envelope.requiretls ||
	    route_requires_tls(&e->session->route, why);
}

void
errand_do(struct errand *e, const struct options *o, const struct caller *c,
    const struct failure *trouble)
{
	struct failure why = { 0 };

	outcome_begin(&e->outcome, &e->leg->envelope, e->pool);
	e->session->facts.converted = NULL;	/* of the one before */
	e->session->left = NULL;
	message_compose(e->message, e->leg->prologue, e->leg->instead);
	if (trouble != NULL)
		outcome_rest_failed(&e->outcome, trouble);
	else if (e->outcome.open > 0 && prepare(e, o, c, &why))
		send_leg(e, &why);
	if (e->outcome.open > 0)
		outcome_rest_failed(&e->outcome, &why);
}
