#include "transaction.h"
#include "data.h"
#include "log.h"
#include "refusal.h"

#include <string.h>

enum { WINDOW = 16 * 1024 };		/* octets of commands, at a time */

/* Says the line, and frees it. */
static void
say(struct smtp *s, struct buffer *line)
{
	dialogue_say(&s->talk, "%.*s", (int)buffer_len(line),
	    buffer_data(line));
	buffer_free(line);
}

static void
say_mail(struct transaction *t)
{
	struct buffer line = { 0 };

	t->s->mails++;
	demands_put_mail(&t->demands, t->envelope, t->who, t->n, t->s, &line);
	say(t->s, &line);
}

static void
say_rcpt(struct smtp *s, const struct envelope *e, const struct recipient *r)
{
	struct buffer line = { 0 };

	demands_put_rcpt(e, r, s, &line);
	say(s, &line);
}

static bool
may_pipeline(const struct transaction *t)
{
	return t->s->can.pipelining;
}

/*
 * QUIT may close a group (RFC 2920 section 3.1), unless another transaction
 * may have to follow for recipients that did not fit.
 */
void
transaction_end_data(struct transaction *t)
{
	t->data_queued = true;
	stream_mark(t->talk->stream);
	if (!t->last || !may_pipeline(t) || t->n_put_off > 0 ||
	    (t->in_flight && t->n > 1))
		return;
	dialogue_say(t->talk, "QUIT");
	t->talk->closing = true;
}

/* The first reason counts. */
static void
end(struct transaction *t, const struct failure *why)
{
	if (t->over)
		return;
	t->over = true;
	t->end = *why;
}

void
transaction_settle_failed(struct transaction *t, struct failure *why)
{
	size_t i;

	t->judged = true;
	why->of_mail = why->kind != FAILURE_PROTOCOL;
	for (i = 0; i < t->n; i++)
		if (t->is_accepted[i])
			outcome_failed(t->outcome, t->who[i], why);
}

/* Of a RCPT that was not answered nobody knows, either. */
static void
settle_unknown(struct transaction *t, const struct failure *cause)
{
	struct failure why;
	size_t i;

	(void)fail(&why, FAILURE_UNKNOWN, "%s; the message had been sent in "
	    "full, so it is unknown whether the server has it: ask there "
	    "before sending it again", cause->text);
	why.tls_result = cause->tls_result;
	for (i = 0; i < t->named; i++)
		if (t->put_off[i] == NULL &&
		    t->outcome->results[t->who[i]].verdict == VERDICT_OPEN)
			outcome_failed(t->outcome, t->who[i], &why);
}

/*
 * Once the last octet may have left, only the server knows whether it has
 * taken the message; silence is then no longer a mere loss.
 */
void
transaction_lost(struct transaction *t, const struct failure *cause)
{
	if (t->data_queued && !t->refused && stream_has_sent(t->talk->stream))
		settle_unknown(t, cause);
	end(t, cause);
}

void
transaction_failed(struct transaction *t, const struct failure *why)
{
	t->talk->in_step = false;
	end(t, why);
}

bool
transaction_hear_any(struct transaction *t, enum step step,
    struct reply *reply)
{
	struct failure why;

	dialogue_step(t->talk, step);
	if (dialogue_hear(t->talk, reply, NULL, NULL, &why))
		return true;
	transaction_lost(t, &why);
	return false;
}

bool
transaction_hear(struct transaction *t, enum step step, struct reply *reply)
{
	struct failure why;

	if (!transaction_hear_any(t, step, reply))
		return false;
	if (reply->code != 421 && (reply->code / 100 != 3 || step == STEP_DATA))
		return true;
	(void)dialogue_refused(t->talk, reply, FAILURE_DEFERRED, &why);
	if (reply->code == 421)
		end(t, &why);
	else				/* what follows is in doubt as well */
		transaction_lost(t, &why);
	return false;
}

/* 4yz is what servers say after so many mails; 503, of the connection. */
static bool
hear_mail(struct transaction *t)
{
	struct reply reply;
	struct failure why;

	if (!transaction_hear(t, STEP_MAIL, &reply))
		return false;
	if (reply_is_success(&reply))
		return true;
	refusal_named(t->s, t->envelope->sender, &reply,
	    refusal_mail_kind(&reply), &why);
	t->refused = true;
	t->worn = reply_is_temporary(&reply) || refusal_is_of_order(&reply);
	end(t, &why);
	return true;
}

/* Who did not fit may fit into a transaction of their own. */
static void
settle_rcpt(struct transaction *t, size_t i, struct reply *reply)
{
	const char *path = t->envelope->recipients[t->who[i]].path;
	struct failure named;

	if (reply_is_success(reply)) {
		t->is_accepted[i] = true;
		t->accepted++;
		return;
	}
	refusal_named(t->s, path, reply, refusal_rcpt_kind(reply), &named);
	if (!refusal_is_too_many(reply)) {
		outcome_failed(t->outcome, t->who[i], &named);
		return;
	}
	t->put_off[i] = failure_keep(&named, t->s->pool);
	t->n_put_off++;
	t->full = t->full || strcmp(reply->enhanced + 1, ".5.3") == 0;
}

/* After a refused MAIL they are only heard. */
static bool
hear_rcpt(struct transaction *t, size_t i)
{
	struct reply reply;

	if (!transaction_hear(t, STEP_RCPT, &reply))
		return false;
	if (!t->refused)
		settle_rcpt(t, i, &reply);
	return true;
}

/* Behind the data anything else leaves open whether the server has them. */
static bool
is_verdict(const struct reply *reply)
{
	return reply->code != 421 && (reply_is_success(reply) ||
	    reply_is_temporary(reply) || reply_is_permanent(reply));
}

/* The verdict on the data, for all that were accepted. */
void
transaction_settle(struct transaction *t, const struct reply *reply)
{
	struct failure why;
	size_t i;

	if (reply_is_success(reply)) {
		t->judged = true;
		for (i = 0; i < t->n; i++)
			if (t->is_accepted[i])
				outcome_sent(t->outcome, t->who[i],
				    reply->text);
		return;
	}
	refusal_of_data(t->s, reply, FAILURE_DATA, &why);
	if (is_verdict(reply))
		transaction_settle_failed(t, &why);
	else
		transaction_lost(t, &why);
}

/* The same of LMTP, for one of them. */
void
transaction_settle_one(struct transaction *t, size_t i,
    const struct reply *reply)
{
	const char *path = t->envelope->recipients[t->who[i]].path;
	struct failure why;

	if (!is_verdict(reply)) {
		(void)dialogue_refused(t->talk, reply, FAILURE_DATA, &why);
		transaction_lost(t, &why);
		return;
	}
	t->judged = true;
	if (reply_is_success(reply)) {
		outcome_sent(t->outcome, t->who[i], reply->text);
		return;
	}
	refusal_named(t->s, path, reply, FAILURE_DATA, &why);
	outcome_failed(t->outcome, t->who[i], &why);
}

/* In the order of the commands: MAIL's first. */
static bool
hear_next(struct transaction *t)
{
	size_t i = t->heard++;

	return i == 0 ? hear_mail(t) : hear_rcpt(t, i - 1);
}

bool
transaction_flush(struct transaction *t, enum step step)
{
	struct failure why;

	dialogue_step(t->talk, step);
	if (stream_flush(t->talk->stream, &why))
		return true;
	t->talk->in_step = false;
	transaction_lost(t, &why);
	return false;
}

static bool
flush(struct transaction *t)
{
	return transaction_flush(t, t->heard == 0 ? STEP_MAIL : STEP_RCPT);
}

/*
 * What is queued goes out in a time of its own, for a server may need a while
 * for each recipient; replies that have come meanwhile do not pile up.
 */
static bool
send_window(struct transaction *t)
{
	if (!flush(t))
		return false;
	while (t->heard <= t->named && stream_has_line(t->talk->stream))
		if (!hear_next(t))
			return false;
	return true;
}

static void
name_next(struct transaction *t)
{
	say_rcpt(t->s, t->envelope,
	    &t->envelope->recipients[t->who[t->named++]]);
}

static bool
say_data(struct transaction *t)
{
	struct failure why;

	if (data_say(t, &why))
		return true;
	transaction_failed(t, &why);
	return false;
}

/* All in one group, then the replies in their order. */
static bool
pipelined(struct transaction *t)
{
	bool whole;

	say_mail(t);
	while (t->named < t->n && !t->refused && !t->full) {
		name_next(t);
		if (stream_queued(t->talk->stream) >= WINDOW &&
		    !send_window(t))
			return false;
	}
	whole = !t->refused;
	if ((whole && !say_data(t)) || !flush(t))
		return false;
	while (t->heard <= t->named)
		if (!hear_next(t))
			return false;
	return whole;
}

/* Before a command that stands alone: false when it is over. */
static bool
is_quiet(struct transaction *t)
{
	struct failure why;

	if (dialogue_is_quiet(t->talk, &why))
		return true;
	transaction_lost(t, &why);
	return false;
}

/* A window of one: a refused MAIL ends it, and so does having nobody left. */
static bool
one_by_one(struct transaction *t)
{
	say_mail(t);
	if (!hear_next(t) || t->refused)
		return false;
	while (t->named < t->n && !t->full) {
		if (!is_quiet(t))
			return false;
		name_next(t);
		if (!hear_next(t))
			return false;
	}
	return t->accepted > 0 && is_quiet(t) && say_data(t);
}

static bool
reset(struct transaction *t, struct failure *why)
{
	struct reply reply;

	if (!t->s->needs_reset)
		return true;
	dialogue_step(t->talk, STEP_RSET);
	dialogue_say(t->talk, "RSET");
	if (!dialogue_hear(t->talk, &reply, NULL, NULL, why))
		return false;
	return reply_is_success(&reply) ||
	    dialogue_refused(t->talk, &reply, FAILURE_REFUSED, why);
}

/* After a refused RSET the connection is to blame. */
static bool
may_begin(struct transaction *t)
{
	struct failure why;

	dialogue_step(t->talk, STEP_MAIL);
	if (demands_met(&t->demands, t->envelope, t->s, &why) &&
	    dialogue_is_quiet(t->talk, &why) && reset(t, &why))
		return true;
	t->worn = why.reply != 0;
	end(t, &why);
	return false;
}

/* Out of step, or about to close: what follows needs another connection. */
static void
look_back(struct transaction *t)
{
	struct failure why;

	if (t->talk->in_step && !t->talk->closing)
		return;
	(void)stream_fail(t->talk->stream, &why, FAILURE_LOST, "the server "
	    "takes no more on this connection");
	end(t, &why);
}

void
transaction_run(struct transaction *t)
{
	bool go_on;

	t->in_flight = data_fits_flight(t);
	if (!may_begin(t))
		return;
	t->s->needs_reset = true;
	go_on = may_pipeline(t) ? pipelined(t) : one_by_one(t);
	if (go_on)
		data_send(t);
	if (!t->over)
		look_back(t);
}

bool
transaction_mail(struct smtp *s, const struct envelope *envelope,
    const struct demands *demands, struct reply *reply, struct failure *why)
{
	struct transaction t = { .s = s, .talk = &s->talk,
	    .envelope = envelope, .demands = *demands, .n = envelope->n };

	dialogue_step(t.talk, STEP_MAIL);
	if (!demands_met(demands, envelope, s, why) ||
	    !dialogue_is_quiet(t.talk, why) || !reset(&t, why))
		return false;
	s->needs_reset = true;
	demands_note_dsn(envelope, s);
	say_mail(&t);
	dialogue_step(t.talk, STEP_MAIL);
	return dialogue_hear(t.talk, reply, NULL, NULL, why);
}

bool
transaction_rcpt(struct smtp *s, const struct envelope *envelope,
    const struct recipient *r, struct reply *reply, struct failure *why)
{
	dialogue_step(&s->talk, STEP_RCPT);
	if (!demands_met_utf8(r->utf8, r->path, s, why) ||
	    !dialogue_is_quiet(&s->talk, why))
		return false;
	say_rcpt(s, envelope, r);
	return dialogue_hear(&s->talk, reply, NULL, NULL, why);
}

/* All were named and accepted. */
static void
begin_data(struct transaction *t)
{
	size_t *who = pool_array(t->s->pool, t->n, sizeof *who), i;

	t->is_accepted = pool_array(t->s->pool, t->n, sizeof *t->is_accepted);
	t->put_off = pool_array(t->s->pool, t->n, sizeof *t->put_off);
	for (i = 0; i < t->n; i++) {
		who[i] = i;
		t->is_accepted[i] = true;
	}
	t->who = who;
}

void
transaction_data(struct smtp *s, const struct envelope *envelope,
    const struct message *message, struct outcome *outcome)
{
	struct transaction t = { .s = s, .talk = &s->talk,
	    .envelope = envelope, .message = message, .outcome = outcome,
	    .n = envelope->n, .named = envelope->n, .accepted = envelope->n };

	begin_data(&t);
	if (is_quiet(&t) && say_data(&t))
		data_send(&t);
	if (outcome->open > 0)
		outcome_rest_failed(outcome, &t.end);
}
