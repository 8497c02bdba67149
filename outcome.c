#include "outcome.h"

#include <assert.h>
#include <string.h>
#include <sysexits.h>

static const char *const words[] = {
	[VERDICT_OPEN]		= "open",
	[VERDICT_SENT]		= "sent",
	[VERDICT_NOT_SENT]	= "not sent",
	[VERDICT_QUEUED]	= "queued",
	[VERDICT_REFUSED]	= "refused",
	[VERDICT_DEFERRED]	= "deferred",
	[VERDICT_UNKNOWN]	= "unknown",
};

const char *
verdict_word(enum verdict verdict)
{
	return words[verdict];
}

void
outcome_init(struct outcome *o, size_t recipients, struct pool *pool)
{
	struct result *results = pool_array(pool, recipients, sizeof *results);

	*o = (struct outcome){ .results = results, .n = recipients,
	    .open = recipients, .pool = pool };
}

void
outcome_begin(struct outcome *o, const struct envelope *e, struct pool *pool)
{
	size_t i;

	outcome_init(o, e->n, pool);
	for (i = 0; i < e->n; i++)
		if (e->recipients[i].trouble != NULL)
			outcome_failed(o, i, e->recipients[i].trouble);
}

enum verdict
outcome_verdict(const struct failure *why)
{
	if (why->kind == FAILURE_UNKNOWN)
		return VERDICT_UNKNOWN;
	return failure_is_temporary(why->kind) ? VERDICT_DEFERRED :
	    VERDICT_REFUSED;
}

static void
settle(struct outcome *o, size_t i, enum verdict verdict)
{
	assert(i < o->n && o->results[i].verdict == VERDICT_OPEN);
	o->results[i].verdict = verdict;
	o->open--;
}

void
outcome_copy(struct outcome *o, size_t i, const struct result *result)
{
	settle(o, i, result->verdict);
	o->results[i] = *result;
}

/*
 * Ten thousand recipients that share a reply share its copy.  That there is no
 * room for one must not hide what became of the others.
 */
static void
settle_by(struct outcome *o, size_t i, enum verdict verdict,
    const char *reply)
{
	settle(o, i, verdict);
	if (o->last_reply == NULL || strcmp(o->last_reply, reply) != 0)
		o->last_reply = pool_string_or_none(o->pool, reply);
	o->results[i].reply = o->last_reply;
}

void
outcome_sent(struct outcome *o, size_t i, const char *reply)
{
	settle_by(o, i, VERDICT_SENT, reply);
}

void
outcome_not_sent(struct outcome *o, size_t i, const char *reply)
{
	if (reply != NULL)
		settle_by(o, i, VERDICT_NOT_SENT, reply);
	else
		settle(o, i, VERDICT_NOT_SENT);
}

static bool
is_same(const struct failure *a, const struct failure *b)
{
	return a->kind == b->kind && a->reply == b->reply &&
	    a->of_mail == b->of_mail && a->said == b->said &&
	    a->tls_result == b->tls_result &&
	    strcmp(a->enhanced, b->enhanced) == 0 &&
	    strcmp(a->text, b->text) == 0;
}

static const struct failure *
copy(struct outcome *o, const struct failure *why)
{
	if (o->last_why == NULL || !is_same(o->last_why, why))
		o->last_why = failure_keep(why, o->pool);
	return o->last_why;
}

void
outcome_failed(struct outcome *o, size_t i, const struct failure *why)
{
	settle(o, i, outcome_verdict(why));
	o->results[i].why = copy(o, why);
}

void
outcome_rest_failed(struct outcome *o, const struct failure *why)
{
	const struct failure *shared = o->open > 0 ? copy(o, why) : NULL;
	size_t i;

	for (i = 0; i < o->n; i++) {
		if (o->results[i].verdict != VERDICT_OPEN)
			continue;
		settle(o, i, outcome_verdict(why));
		o->results[i].why = shared;
	}
}

void
outcome_queued(struct outcome *o, size_t i)
{
	assert(o->results[i].verdict == VERDICT_DEFERRED);
	o->results[i].verdict = VERDICT_QUEUED;
}

size_t
outcome_count(const struct outcome *o, enum verdict verdict)
{
	size_t i, n = 0;

	for (i = 0; i < o->n; i++)
		n += o->results[i].verdict == verdict;
	return n;
}

/* Among refusals the first of 69, 65, 67; others (77, 78 ...) before these. */
static int
rank(const struct result *r)
{
	if (r->verdict == VERDICT_UNKNOWN)
		return 9;
	if (r->verdict == VERDICT_DEFERRED)
		return failure_status(r->why->kind) == EX_TEMPFAIL ? 8 : 7;
	switch (failure_status(r->why->kind)) {
	case EX_UNAVAILABLE:
		return 3;
	case EX_DATAERR:
		return 2;
	case EX_NOUSER:
		return 1;
	default:
		return 4;
	}
}

const struct failure *
outcome_gravest(const struct outcome *o)
{
	const struct result *r, *gravest = NULL;

	for (r = o->results; r < o->results + o->n; r++) {
		if (r->verdict == VERDICT_SENT ||
		    r->verdict == VERDICT_QUEUED || r->why == NULL)
			continue;
		if (gravest == NULL || rank(r) > rank(gravest))
			gravest = r;
	}
	return gravest == NULL ? NULL : gravest->why;
}

int
outcome_status(const struct outcome *o)
{
	const struct failure *why = outcome_gravest(o);

	assert(o->open == 0);
	return why == NULL ? EX_OK : failure_status(why->kind);
}
