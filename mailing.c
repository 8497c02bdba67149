#include "mailing.h"
#include "keys.h"

#include <stdint.h>
#include <string.h>

void
mailing_init(struct mailing *m, const struct envelope *envelope,
    const struct message *message, struct outcome *outcome, struct pool *pool)
{
	size_t i;

	*m = (struct mailing){ .envelope = envelope, .message = message,
	    .outcome = outcome, .pool = pool };
	m->queue = pool_array(pool, envelope->n, sizeof *m->queue);
	m->is_accepted = pool_array(pool, envelope->n,
	    sizeof *m->is_accepted);
	m->put_off = pool_array(pool, envelope->n, sizeof *m->put_off);
	for (i = 0; i < envelope->n; i++)
		if (outcome->results[i].verdict == VERDICT_OPEN)
			m->queue[m->end++] = i;
}

/* Domains are numbered as they first appear; their key has small letters. */
static size_t
number_domains(struct mailing *m)
{
	struct keys keys = { 0 };
	const char *domain;
	size_t i, n = 0;

	m->domain_of = pool_array(m->pool, m->envelope->n,
	    sizeof *m->domain_of);
	for (i = m->next; i < m->end; i++) {
		domain = strrchr(m->envelope->recipients[m->queue[i]].key, '@');
		if (!keys_find(&keys, domain, &m->domain_of[m->queue[i]])) {
			m->domain_of[m->queue[i]] = n;
			keys_add(&keys, domain, n++, m->pool);
		}
	}
	keys_free(&keys);
	return n;
}

/* Who shares a domain stands together, so that the fewest are told of. */
static void
group_by_domain(struct mailing *m)
{
	size_t n = number_domains(m), i, d, before = 0, count;
	size_t *at = pool_array(m->pool, n, sizeof *at);
	size_t *grouped = pool_array(m->pool, m->end, sizeof *grouped);

	for (i = m->next; i < m->end; i++)
		at[m->domain_of[m->queue[i]]]++;
	for (d = 0; d < n; d++) {
		count = at[d];
		at[d] = before;
		before += count;
	}
	for (i = m->next; i < m->end; i++)
		grouped[at[m->domain_of[m->queue[i]]]++] = m->queue[i];
	memcpy(m->queue + m->next, grouped, before * sizeof *grouped);
}

static void
begin_connection(struct mailing *m, const struct smtp *s)
{
	if (!m->begun)
		demands_note_dsn(m->envelope, s);
	m->begun = true;
	m->moved = m->used;
	m->used = false;
	m->domains = 0;
	if (s->can.rcptdomainmax > 0 && m->domain_of == NULL)
		group_by_domain(m);
}

/* Those before it have been told of, in the order of their numbers. */
static bool
is_new_domain(const struct mailing *m, size_t i)
{
	return m->domains == 0 || m->domain_of[i] > m->last_domain;
}

/* RFC 9422 section 6.3 counts the domains of a session. */
static bool
has_room(const struct mailing *m, const struct smtp *s, size_t i)
{
	return s->can.rcptdomainmax == 0 || !is_new_domain(m, i) ||
	    m->domains < s->can.rcptdomainmax;
}

static void
count_domain(struct mailing *m, const struct smtp *s, size_t i)
{
	if (s->can.rcptdomainmax == 0 || !is_new_domain(m, i))
		return;
	m->last_domain = m->domain_of[i];
	m->domains++;
}

/* How many recipients one transaction may have. */
static size_t
most(const struct mailing *m, const struct smtp *s)
{
	size_t max = m->limit > 0 ? m->limit : SIZE_MAX;

	return s->can.rcptmax > 0 && s->can.rcptmax < max ? s->can.rcptmax :
	    max;
}

/*
 * The next ones, who come to stand one after the other; who cannot be told to
 * this server fails on their own.  Returns where the others begin.
 */
static size_t
take(struct mailing *m, struct transaction *t)
{
	size_t max = most(m, t->s), i, who;
	const struct recipient *r;
	struct failure why;

	dialogue_step(t->talk, STEP_RCPT);
	t->who = m->queue + m->next;
	for (i = m->next; i < m->end && t->n < max; i++) {
		who = m->queue[i];
		r = &m->envelope->recipients[who];
		if (!demands_met_utf8(r->utf8, r->path, t->s, &why)) {
			outcome_failed(m->outcome, who, &why);
			continue;
		}
		if (!has_room(m, t->s, who))
			break;
		count_domain(m, t->s, who);
		m->queue[m->next + t->n++] = who;
	}
	memset(m->is_accepted, 0, t->n * sizeof *m->is_accepted);
	memset(m->put_off, 0, t->n * sizeof *m->put_off);
	return i;
}

/* Who was named and is not settled waits again, before the others. */
static void
requeue(struct mailing *m, const struct transaction *t, size_t others)
{
	size_t i;

	for (i = t->n; i-- > 0;)
		if (m->outcome->results[t->who[i]].verdict == VERDICT_OPEN)
			m->queue[--others] = t->who[i];
	m->next = others;
}

/* Who did not fit and gets no further transaction. */
static void
settle_put_off(struct mailing *m, const struct transaction *t)
{
	size_t i;

	for (i = 0; i < t->named; i++)
		if (t->put_off[i] != NULL)
			outcome_failed(m->outcome, t->who[i], t->put_off[i]);
}

/*
 * Is the end of the connection one that a new one mends?  This one must have
 * got mail through, or have taught how many recipients are too many.
 */
static bool
may_go_on(struct mailing *m, const struct transaction *t)
{
	bool taught = t->n_put_off > 0 && t->accepted > 0 && !m->barren;

	if (!t->worn && t->end.reply != 421 && t->end.kind != FAILURE_LOST)
		return false;
	m->barren = !m->moved;
	return m->moved || taught;
}

/* What a transaction has taught; true when the mailing may go on after it. */
static bool
conclude(struct mailing *m, const struct transaction *t, size_t others)
{
	bool go_on;

	m->moved = m->moved || t->judged || !t->over;
	go_on = !t->over || may_go_on(m, t);
	if (t->n_put_off > 0 && t->accepted > 0)
		m->limit = t->accepted;
	if (!go_on || (!t->over && t->accepted == 0))
		settle_put_off(m, t);
	requeue(m, t, others);
	return go_on;
}

static bool
is_spent(const struct mailing *m, const struct smtp *s, struct failure *why)
{
	const char *limit = smtp_is_spent(s) ? "MAILMAX" :
	    has_room(m, s, m->queue[m->next]) ? NULL : "RCPTDOMAINMAX";

	return limit != NULL && !stream_fail(s->talk.stream, why,
	    FAILURE_DEFERRED, "%s is used up on this connection", limit);
}

bool
mailing_send(struct mailing *m, struct smtp *s, struct failure *why)
{
	struct transaction t;
	size_t others;
	bool go_on = true;

	begin_connection(m, s);
	do {
		if (m->next == m->end)
			return true;
		if (is_spent(m, s, why))
			return false;
		t = (struct transaction){ .s = s, .talk = &s->talk,
		    .envelope = m->envelope, .message = m->message,
		    .demands = demands_of(m->message), .outcome = m->outcome,
		    .is_accepted = m->is_accepted, .put_off = m->put_off };
		others = take(m, &t);
		t.last = others == m->end && !m->more_follow;
		t.watch = m->watch;
		if (t.n > 0)
			transaction_run(&t);
		if (t.n > 0 && m->watch != NULL)
			m->watch->after(m->watch->context);
		go_on = conclude(m, &t, others);
	} while (!t.over);
	*why = t.end;
	if (!go_on)
		outcome_rest_failed(m->outcome, &t.end);
	return m->outcome->open == 0;
}
