#include "transaction.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	BLOCK_ROOM = 64 * 1024,		/* of the message, at a time */
	INLINE_MAX = 64 * 1024,		/* travels with MAIL and RCPT */
	CHUNK_MAX = 1024 * 1024		/* of a BDAT that does not */
};

struct transaction {
	struct smtp *s;
	struct dialogue *talk;
	const struct envelope *envelope;
	const struct message *message;
	struct outcome *outcome;
	size_t *who;			/* indices of those who are named */
	size_t n;
	size_t accepted;		/* by their RCPT */
	bool *is_accepted;		/* parallel to who */
	const struct failure **put_off;	/* who did not fit, why; likewise */
	size_t n_put_off;
	bool taken;			/* the server took the data */
	bool last;
	bool in_flight;			/* BDAT travels behind RCPT */
	bool data_sent;			/* all of it has been handed over */
};

static bool
over_size(const struct transaction *t, struct failure *why)
{
	uint64_t size = message_size(t->message), max = t->s->can.size_max;

	if (!t->s->can.size || max == 0 || size <= max)
		return false;
	(void)stream_fail(t->talk->stream, why, FAILURE_DATA, "the message "
	    "has %" PRIu64 " octets, the server takes at most %" PRIu64, size,
	    max);
	(void)strcpy(why->enhanced, "5.3.4");
	return true;
}

/* RFC 8689 section 4.2.1: only inside verified TLS, and only when offered. */
static bool
lacks_requiretls(const struct transaction *t, struct failure *why)
{
	const struct smtp *s = t->s;
	const char *missing = NULL;

	if (!t->envelope->requiretls)
		return false;
	if (!s->facts->tls.verified && s->params->path_kind != PATH_UNIX)
		missing = "TLS is not verified on this connection";
	else if (!s->can.requiretls)
		missing = "the server does not offer REQUIRETLS";
	if (missing == NULL)
		return false;
	(void)stream_fail(t->talk->stream, why, FAILURE_REQUIRETLS, "the "
	    "message requires TLS all the way and cannot go here: %s (5.7.30)",
	    missing);
	(void)strcpy(why->enhanced, "5.7.30");
	return true;
}

/* Until there are conversions, another server or another day may do. */
static bool
lacks_8bit(const struct transaction *t, struct failure *why)
{
	const struct message *m = t->message;

	if (m->header_8bit && !t->s->can.smtputf8) {
		(void)stream_fail(t->talk->stream, why, FAILURE_DEFERRED,
		    "the header has characters beyond ASCII and the server "
		    "does not offer SMTPUTF8");
		(void)strcpy(why->enhanced, "5.6.7");
		return true;
	}
	if (m->body_8bit && !t->s->can.eightbitmime) {
		(void)stream_fail(t->talk->stream, why, FAILURE_DEFERRED,
		    "the message has 8-bit content and the server does not "
		    "offer 8BITMIME");
		(void)strcpy(why->enhanced, "5.6.3");
		return true;
	}
	return false;
}

static bool
lacks_smtputf8(const struct transaction *t, const char *path,
    struct failure *why)
{
	(void)stream_fail(t->talk->stream, why, FAILURE_DEFERRED, "the address "
	    "%s needs SMTPUTF8, which the server does not offer", path);
	(void)strcpy(why->enhanced, "5.6.7");
	return true;
}

/* Recipients that this server cannot be told fail on their own. */
static void
choose_recipients(struct transaction *t)
{
	const struct envelope *e = t->envelope;
	struct failure why;
	size_t i;

	t->who = pool_array(t->s->pool, e->n, sizeof *t->who);
	t->is_accepted = pool_array(t->s->pool, e->n, sizeof *t->is_accepted);
	t->put_off = pool_array(t->s->pool, e->n, sizeof *t->put_off);
	dialogue_step(t->talk, STEP_RCPT);
	for (i = 0; i < e->n; i++) {
		if (t->outcome->results[i].verdict != VERDICT_OPEN)
			continue;
		if (e->recipients[i].utf8 && !t->s->can.smtputf8) {
			(void)lacks_smtputf8(t, e->recipients[i].path, &why);
			outcome_failed(t->outcome, i, &why);
			continue;
		}
		t->who[t->n++] = i;
	}
}

static bool
is_possible(const struct transaction *t, struct failure *why)
{
	if (t->envelope->sender_utf8 && !t->s->can.smtputf8)
		return !lacks_smtputf8(t, t->envelope->sender, why);
	return !lacks_requiretls(t, why) && !over_size(t, why) &&
	    !lacks_8bit(t, why);
}

static bool
needs_smtputf8(const struct transaction *t)
{
	size_t i;

	if (t->envelope->sender_utf8 || t->message->header_8bit)
		return true;
	for (i = 0; i < t->n; i++)
		if (t->envelope->recipients[t->who[i]].utf8)
			return true;
	return false;
}

static void
say_mail(struct transaction *t)
{
	const struct capabilities *can = &t->s->can;
	const struct envelope *e = t->envelope;
	struct buffer line = { 0 };

	buffer_printf(&line, "MAIL FROM:<%s>", e->sender);
	if (can->size)
		buffer_printf(&line, " SIZE=%" PRIu64,
		    message_size(t->message));
	if (can->eightbitmime &&
	    (t->message->body_8bit || t->message->header_8bit))
		buffer_printf(&line, " BODY=8BITMIME");
	if (needs_smtputf8(t))
		buffer_printf(&line, " SMTPUTF8");
	if (e->requiretls)
		buffer_printf(&line, " REQUIRETLS");
	if (can->dsn && e->ret != NULL)
		buffer_printf(&line, " RET=%s", e->ret);
	if (can->dsn && e->envid != NULL)
		buffer_printf(&line, " ENVID=%s", e->envid);
	dialogue_say(t->talk, "%.*s", (int)buffer_len(&line),
	    buffer_data(&line));
	buffer_free(&line);
}

static void
say_rcpt(struct transaction *t, size_t i)
{
	const struct envelope *e = t->envelope;
	const struct recipient *r = &e->recipients[t->who[i]];
	bool dsn = t->s->can.dsn && e->notify != NULL;

	dialogue_say(t->talk, "RCPT TO:<%s>%s%s%s%s", r->path,
	    dsn ? " NOTIFY=" : "", dsn ? e->notify : "",
	    dsn && r->orcpt != NULL ? " ORCPT=" : "",
	    dsn && r->orcpt != NULL ? r->orcpt : "");
}

static void
trace_data(uint64_t octets)
{
	char text[64];

	(void)snprintf(text, sizeof text, "%" PRIu64 " octets", octets);
	log_trace('D', text, strlen(text));
}

/* Queues len octets of the message from offset on, as they are. */
static bool
put_octets(struct transaction *t, uint64_t offset, uint64_t len,
    struct failure *why)
{
	char block[BLOCK_ROOM];
	size_t n, room;

	for (; len > 0; offset += n, len -= n) {
		room = len < sizeof block ? (size_t)len : sizeof block;
		if (!message_octets(t->message, offset, block, room, &n, why))
			return false;
		if (n == 0)
			return fail(why, FAILURE_INPUT, "the spooled message "
			    "has become shorter");
		stream_put(t->talk->stream, block, n);
	}
	return true;
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
static void
say_quit(struct transaction *t)
{
	if (!t->last || !may_pipeline(t) || t->n_put_off > 0 ||
	    (t->in_flight && t->n > 1))
		return;
	dialogue_say(t->talk, "QUIT");
	t->talk->closing = true;
}

/* DATA is the last of its group; a small BDAT brings its octets along. */
static bool
say_data(struct transaction *t, struct failure *why)
{
	uint64_t size = message_size(t->message);

	if (!t->in_flight) {
		if (!t->s->can.chunking)
			dialogue_say(t->talk, "DATA");
		return true;
	}
	dialogue_say(t->talk, "BDAT %" PRIu64 " LAST", size);
	trace_data(size);
	if (!put_octets(t, 0, size, why))
		return false;
	say_quit(t);
	return true;
}

static void
settle_accepted(struct transaction *t, const struct failure *why)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->is_accepted[i])
			outcome_failed(t->outcome, t->who[i], why);
}

/* Who was put off and gets no further transaction. */
static void
settle_put_off(struct transaction *t)
{
	size_t i;

	for (i = 0; i < t->n && t->n_put_off > 0; i++) {
		if (t->put_off[i] == NULL)
			continue;
		outcome_failed(t->outcome, t->who[i], t->put_off[i]);
		t->put_off[i] = NULL;
		t->n_put_off--;
	}
}

static void
rest_failed(struct transaction *t, const struct failure *why)
{
	settle_put_off(t);
	outcome_rest_failed(t->outcome, why);
}

/*
 * Once the last octet may have left, only the server knows whether it has
 * taken the message; silence is then no longer a mere loss.
 */
static void
lost(struct transaction *t, const struct failure *cause)
{
	struct failure why = *cause;

	if (t->data_sent) {
		(void)fail(&why, FAILURE_UNKNOWN, "%s; the message had been "
		    "sent in full, so it is unknown whether the server has "
		    "it: ask there before sending it again", cause->text);
		why.tls_result = cause->tls_result;
	}
	rest_failed(t, &why);
}

/*
 * A reply to what was said before the data.  False ends the story: the
 * connection is gone, is about to go (421), or is out of step (3yz).
 */
static bool
hear(struct transaction *t, enum step step, struct reply *reply)
{
	struct failure why;

	dialogue_step(t->talk, step);
	if (!dialogue_hear(t->talk, reply, NULL, NULL, &why)) {
		lost(t, &why);
		return false;
	}
	if (reply->code != 421 && (reply->code / 100 != 3 || step == STEP_DATA))
		return true;
	(void)dialogue_refused(t->talk, reply, FAILURE_DEFERRED, &why);
	rest_failed(t, &why);
	return false;
}

static bool
hear_mail(struct transaction *t)
{
	enum failure_kind permanent = FAILURE_REFUSED;
	struct reply reply;
	struct failure why;

	if (!hear(t, STEP_MAIL, &reply))
		return false;
	if (reply_is_success(&reply))
		return true;
	if (reply.code == 552 && strcmp(reply.enhanced, "5.3.4") == 0)
		permanent = FAILURE_DATA;
	(void)dialogue_refused(t->talk, &reply, permanent, &why);
	why.of_mail = true;
	rest_failed(t, &why);
	return true;
}

static void
put_off(struct transaction *t, size_t i, const struct failure *why)
{
	struct failure *mine = pool_alloc(t->s->pool, sizeof *mine);

	*mine = *why;
	t->put_off[i] = mine;
	t->n_put_off++;
}

/*
 * RFC 5321 section 4.5.3.1.10: 552 to RCPT means 452, and who did not fit may
 * fit into a transaction of their own.
 */
static void
settle_rcpt(struct transaction *t, size_t i, struct reply *reply)
{
	const char *path = t->envelope->recipients[t->who[i]].path;
	enum failure_kind kind = FAILURE_REFUSED;
	struct failure why, named;

	if (reply_is_success(reply)) {
		t->is_accepted[i] = true;
		t->accepted++;
		return;
	}
	if (strncmp(reply->enhanced, "5.1.", 4) == 0)
		kind = FAILURE_NOUSER;
	if (reply->code == 552)
		kind = FAILURE_DEFERRED;	/* as 452 */
	(void)dialogue_refused(t->talk, reply, kind, &why);
	named = why;
	(void)stream_fail(t->talk->stream, &named, why.kind, "<%s>: server "
	    "said %s", path, reply->text);
	named.reply = why.reply;
	named.of_mail = true;
	(void)strcpy(named.enhanced, why.enhanced);
	if (reply->code == 452 || reply->code == 552)
		put_off(t, i, &named);
	else
		outcome_failed(t->outcome, t->who[i], &named);
}

/* Those whom a refused MAIL has settled are only heard. */
static bool
hear_rcpt(struct transaction *t, size_t i)
{
	struct reply reply;

	if (!hear(t, STEP_RCPT, &reply))
		return false;
	if (t->outcome->results[t->who[i]].verdict == VERDICT_OPEN)
		settle_rcpt(t, i, &reply);
	return true;
}

/* The verdict on the data, for all that were accepted. */
static void
settle_data(struct transaction *t, const struct reply *reply)
{
	struct failure why;
	size_t i;

	if (reply_is_success(reply)) {
		t->taken = true;
		for (i = 0; i < t->n; i++)
			if (t->is_accepted[i])
				outcome_sent(t->outcome, t->who[i],
				    reply->text);
		return;
	}
	(void)dialogue_refused(t->talk, reply, FAILURE_DATA, &why);
	why.of_mail = true;
	if (reply->code == 421 || (!reply_is_temporary(reply) &&
	    !reply_is_permanent(reply)))
		lost(t, &why);
	else
		settle_accepted(t, &why);
}

static void
hear_verdict(struct transaction *t, enum step step)
{
	struct reply reply;
	struct failure why;

	dialogue_step(t->talk, step);
	if (!dialogue_hear(t->talk, &reply, NULL, NULL, &why)) {
		lost(t, &why);
		return;
	}
	t->s->needs_reset = false;
	if (t->accepted > 0)
		settle_data(t, &reply);
}

/* A verdict on data that are not complete can only be a refusal. */
static void
hear_early(struct transaction *t)
{
	struct reply reply;
	struct failure why;

	dialogue_step(t->talk, STEP_BLOCK);
	if (dialogue_hear(t->talk, &reply, NULL, NULL, &why)) {
		if (!reply_is_success(&reply)) {
			settle_data(t, &reply);
			return;
		}
		(void)stream_fail(t->talk->stream, &why, FAILURE_PROTOCOL,
		    "the server answers before the end of the message: %s",
		    reply.text);
	}
	lost(t, &why);
}

/*
 * Sends what is queued; between blocks the server's early verdict is looked
 * for.  False: there is no sense in going on.
 */
static bool
send_block(struct transaction *t, struct failure *why)
{
	dialogue_step(t->talk, STEP_BLOCK);
	if (!stream_flush(t->talk->stream, why)) {
		t->talk->in_step = false;
		lost(t, why);
		return false;
	}
	if (stream_is_broken(t->talk->stream) ||
	    stream_has_input(t->talk->stream)) {
		hear_early(t);
		t->talk->in_step = false;
		return false;
	}
	return true;
}

/* RFC 5321 section 4.5.2: a dot at the start of a line is doubled. */
static void
put_stuffed(struct transaction *t, const char *p, size_t len, bool *at_start)
{
	const char *nl;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		if (*at_start && *p == '.')
			stream_put(t->talk->stream, ".", 1);
		nl = memchr(p, '\n', len);
		n = nl != NULL ? (size_t)(nl + 1 - p) : len;
		stream_put(t->talk->stream, p, n);
		*at_start = nl != NULL;
	}
}

static void
cannot_go_on(struct transaction *t, const struct failure *why)
{
	t->talk->in_step = false;
	rest_failed(t, why);
}

static void
send_data(struct transaction *t)
{
	uint64_t offset, size = message_size(t->message);
	char block[BLOCK_ROOM];
	bool at_start = true;
	struct failure why;
	size_t n;

	trace_data(size);
	for (offset = 0; offset < size; offset += n) {
		if (!message_octets(t->message, offset, block, sizeof block,
		    &n, &why)) {
			cannot_go_on(t, &why);
			return;
		}
		if (t->message->dots)
			put_stuffed(t, block, n, &at_start);
		else
			stream_put(t->talk->stream, block, n);
		if (offset + n < size && !send_block(t, &why))
			return;
	}
}

/* The dot, QUIT with it where that may be, and the verdict. */
static void
end_data(struct transaction *t)
{
	struct failure why;

	if (t->accepted > 0)		/* "D" stands for it in the trace */
		stream_put(t->talk->stream, ".\r\n", 3);
	else
		dialogue_say(t->talk, ".");
	say_quit(t);
	dialogue_step(t->talk, STEP_BLOCK);
	if (!stream_flush(t->talk->stream, &why)) {
		t->talk->in_step = false;
		lost(t, &why);
		return;
	}
	t->data_sent = stream_all_sent(t->talk->stream);
	hear_verdict(t, STEP_DOT);
}

/* RFC 2920: 354 although nobody is left is ended by the dot alone. */
static void
hear_data(struct transaction *t)
{
	struct reply reply;
	struct failure why;

	if (!hear(t, STEP_DATA, &reply))
		return;
	if (reply.code == 354) {
		if (t->accepted > 0)
			send_data(t);
		if (t->accepted == 0 || t->outcome->open > 0)
			end_data(t);
		return;
	}
	if (reply_is_success(&reply))
		t->talk->in_step = false;
	if (t->accepted == 0)
		return;
	(void)dialogue_refused(t->talk, &reply, FAILURE_REFUSED, &why);
	why.of_mail = true;
	settle_accepted(t, &why);
}

static bool
send_chunk(struct transaction *t, uint64_t offset, uint64_t len, bool last)
{
	struct failure why;
	struct reply reply;

	dialogue_say(t->talk, "BDAT %" PRIu64 "%s", len, last ? " LAST" : "");
	trace_data(len);
	if (!put_octets(t, offset, len, &why)) {
		cannot_go_on(t, &why);
		return false;
	}
	if (last)
		say_quit(t);
	dialogue_step(t->talk, STEP_BLOCK);
	if (!stream_flush(t->talk->stream, &why)) {
		t->talk->in_step = false;
		lost(t, &why);
		return false;
	}
	t->data_sent = last && stream_all_sent(t->talk->stream);
	if (last) {
		hear_verdict(t, STEP_BDAT);
		return false;
	}
	if (!hear(t, STEP_BDAT, &reply))
		return false;
	if (!reply_is_success(&reply))
		settle_data(t, &reply);
	return reply_is_success(&reply);
}

/* RFC 3030: chunks with their replies, when all is too large for one flight. */
static void
send_chunks(struct transaction *t)
{
	uint64_t offset = 0, size = message_size(t->message), len;

	do {
		len = size - offset < CHUNK_MAX ? size - offset : CHUNK_MAX;
		if (!send_chunk(t, offset, len, offset + len == size))
			return;
		offset += len;
	} while (offset < size);
}

/* Everything up to the data in one group, then its replies in their order. */
static bool
pipelined(struct transaction *t)
{
	struct failure why;
	size_t i;

	say_mail(t);
	for (i = 0; i < t->n; i++)
		say_rcpt(t, i);
	if (!say_data(t, &why)) {
		cannot_go_on(t, &why);
		return false;
	}
	dialogue_step(t->talk, STEP_MAIL);
	if (!stream_flush(t->talk->stream, &why)) {
		t->talk->in_step = false;
		lost(t, &why);
		return false;
	}
	t->data_sent = t->in_flight && stream_all_sent(t->talk->stream);
	if (!hear_mail(t))
		return false;
	for (i = 0; i < t->n; i++)
		if (!hear_rcpt(t, i))
			return false;
	return true;
}

/* A window of one: a refused MAIL ends it, and so does having nobody left. */
static bool
one_by_one(struct transaction *t)
{
	struct failure why;
	size_t i;

	say_mail(t);
	if (!hear_mail(t) || t->outcome->open == 0)
		return false;
	for (i = 0; i < t->n; i++) {
		if (!dialogue_is_quiet(t->talk, &why)) {
			lost(t, &why);
			return false;
		}
		say_rcpt(t, i);
		if (!hear_rcpt(t, i))
			return false;
	}
	if (t->accepted > 0 && !dialogue_is_quiet(t->talk, &why)) {
		lost(t, &why);
		return false;
	}
	return t->accepted > 0 && say_data(t, &why);
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

static void
converse(struct transaction *t)
{
	bool go_on;

	t->s->needs_reset = true;
	go_on = may_pipeline(t) ? pipelined(t) : one_by_one(t);
	if (!go_on)
		return;
	if (t->in_flight)
		hear_verdict(t, STEP_BDAT);
	else if (!t->s->can.chunking)
		hear_data(t);
	else if (t->accepted > 0)
		send_chunks(t);
}

/* One transaction for all that are open; true when it moved some mail. */
static bool
transact(struct transaction *t, struct failure *why)
{
	t->in_flight = t->s->can.chunking && t->s->can.pipelining &&
	    message_size(t->message) <= INLINE_MAX;
	dialogue_step(t->talk, STEP_MAIL);
	if (!is_possible(t, why) || !dialogue_is_quiet(t->talk, why) ||
	    !reset(t, why)) {
		outcome_rest_failed(t->outcome, why);
		return false;
	}
	choose_recipients(t);
	if (t->n > 0)
		converse(t);
	if (t->taken && t->talk->in_step && !t->talk->closing)
		return true;
	settle_put_off(t);
	return false;
}

void
transaction_send(struct smtp *s, const struct envelope *envelope,
    const struct message *message, struct outcome *outcome, bool last)
{
	struct transaction t;
	struct failure why;

	do
		t = (struct transaction){ .s = s, .talk = &s->talk,
		    .envelope = envelope, .message = message,
		    .outcome = outcome, .last = last };
	while (transact(&t, &why) && outcome->open > 0);
}
