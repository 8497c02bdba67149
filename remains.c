#include "remains.h"
#include "keep.h"
#include "limit.h"

#include <string.h>
#include <unistd.h>

enum { ID_MAX = 128 };			/* it grows, and names a file */

/*
 * Only a server's 5yz to MAIL, RCPT or the data is final; whatever failed
 * before that heals without the message changing (product, section 6).
 */
static bool
stays_queued(const struct attempt *a, const struct result *r)
{
	return strcmp(a->state, "queued") == 0 &&
	    !limit_is_over(a->choice.account, a->stored.record.created) &&
	    r->verdict > VERDICT_QUEUED && r->verdict != VERDICT_UNKNOWN &&
	    (r->verdict != VERDICT_REFUSED || !r->why->of_mail);
}

static bool
has_expired(const struct attempt *a)
{
	return strcmp(a->state, "queued") == 0 &&
	    limit_is_over(a->choice.account, a->stored.record.created);
}

/* Of those who are neither served nor tried again. */
static struct outcome
final(const struct attempt *a, const struct outcome *o)
{
	struct outcome rest = *o;
	size_t i;

	rest.results = pool_array(a->pool, o->n, sizeof *rest.results);
	for (i = 0, rest.n = 0; i < o->n; i++)
		if (o->results[i].verdict != VERDICT_SENT &&
		    !stays_queued(a, &o->results[i]))
			rest.results[rest.n++] = o->results[i];
	return rest;
}

static const char *
final_state(const struct attempt *a, const struct outcome *o)
{
	const struct outcome rest = final(a, o);

	return has_expired(a) && outcome_count(&rest, VERDICT_UNKNOWN) == 0 ?
	    "refused" : keep_state(&rest);
}

const struct failure *
remains_reason(const struct attempt *a)
{
	const struct outcome rest = final(a, &a->all);

	return outcome_gravest(rest.n > 0 ? &rest : &a->all);
}

/* What the next run must know. */
static void
note_attempt(struct attempt *a, const char *state)
{
	const struct failure *why = remains_reason(a);
	struct record *r = &a->stored.record;

	r->untold = strcmp(a->state, "queued") == 0 &&
	    strcmp(state, "refused") == 0;
	r->state = state;
	r->status = failure_status(why->kind);
	r->reason = r->untold && has_expired(a) ? pool_printf(a->pool,
	    "given up after %u attempts: %s", r->attempts, why->text) :
	    why->text;
	r->locked_out = why->kind == FAILURE_AUTH;
	r->next = strcmp(state, "queued") == 0 ?
	    keep_next(r->attempts, r->tried) : 0;
}

/* Some of lot number n go to a file of their own. */
static bool
keep_some(struct attempt *a, size_t n, bool queued, struct failure *why)
{
	const struct lot *l = a->lots[n];
	const struct outcome *o = &l->errand.outcome;
	bool *which = pool_array(a->pool, o->n, sizeof *which), any = false;
	struct record was = a->stored.record;
	char *folder = pool_string(a->pool, a->stored.path);
	struct leftover left = { .account = l->leg.account,
	    .envelope = &l->leg.envelope, .message = a->message,
	    .outcome = o, .which = which, .was = &was, .folder = folder,
	    .caller = a->ways->caller, .pool = a->pool };
	struct kept kept;
	size_t i;

	*strrchr(folder, '/') = '\0';
	was.locked_out = false;
	for (i = 0; i < o->n; i++) {
		which[i] = o->results[i].verdict != VERDICT_SENT &&
		    stays_queued(a, &o->results[i]) == queued;
		any = any || which[i];
		was.locked_out = was.locked_out || (which[i] &&
		    o->results[i].why->kind == FAILURE_AUTH);
	}
	left.state = queued ? "queued" : final_state(a, o);
	was.untold = strcmp(a->state, "queued") == 0 &&
	    strcmp(left.state, "refused") == 0;
	left.id = strlen(was.id) > ID_MAX ? plan_id(a->pool) :
	    pool_printf(a->pool, "%s-%u%c%zu", was.id, was.attempts,
	    queued ? 'q' : 'r', n);
	message_compose(a->message, l->leg.prologue, l->leg.instead);
	return !any || keep_message(&left, &kept, why);
}

/*
 * What is left is no longer of one kind: files of their own for each, while
 * this one says "unknown", which nothing sends by itself.
 */
static bool
divide(struct attempt *a, struct failure *why)
{
	size_t i;

	a->stored.record.state = "unknown";
	if (!attempt_settle(a, why))
		return false;
	for (i = 0; i < a->nlots; i++)
		if (!keep_some(a, i, true, why) ||
		    !keep_some(a, i, false, why))
			return false;
	return unlink(a->stored.path) == 0 || fail_errno(why, FAILURE_KEEP,
	    "%s", a->stored.path);
}

/* Are all that are left of one kind, and each RCPT theirs alone? */
static bool
is_uniform(const struct attempt *a, size_t queued, size_t left)
{
	size_t i;

	for (i = 0; i < a->stored.n; i++)
		if (a->got[i] > 0 && !attempt_is_done(a, i))
			return false;
	return queued == 0 || queued == left;
}

bool
remains_settle(struct attempt *a, const char **state, struct failure *why)
{
	size_t i, queued = 0, left = 0;

	*state = NULL;
	for (i = 0; i < a->all.n; i++) {
		left += a->all.results[i].verdict != VERDICT_SENT;
		queued += a->all.results[i].verdict != VERDICT_SENT &&
		    stays_queued(a, &a->all.results[i]);
	}
	if (left == 0)
		return unlink(a->stored.path) == 0 || fail_errno(why,
		    FAILURE_KEEP, "%s was sent, but cannot be removed",
		    a->stored.path);
	*state = a->spoilt ? "unknown" : queued == left ? "queued" :
	    final_state(a, &a->all);
	if (!a->spoilt && !is_uniform(a, queued, left))
		return divide(a, why);
	note_attempt(a, *state);
	return attempt_settle(a, why);
}
