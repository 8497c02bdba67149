#include "data.h"
#include "log.h"
#include "refusal.h"
#include "scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	BLOCK_ROOM = 128 * 1024,	/* of the message, at a time */
	STUFF_ROOM = 64 * 1024,		/* the same where dots are doubled */
	INLINE_MAX = 64 * 1024,		/* travels with MAIL and RCPT */
	CHUNK_MAX = 1024 * 1024,	/* of a BDAT that does not */
	WINDOW = 32,			/* of them unanswered */
	OWED_MAX = 256 * 1024		/* of a refused one, still sent */
};

/* BDAT on its way. */
struct chunks {
	uint64_t offset;		/* of the next octet to send */
	uint64_t left;			/* of the chunk that was announced */
	unsigned unanswered;		/* chunks that were sent whole */
};

/* Data begin, or a chunk of them: they are counted, or shown as they go. */
static void
trace_data(struct transaction *t, uint64_t octets)
{
	char text[64];

	if (log_traces_data()) {
		if (t->carbon == NULL)
			t->carbon = pool_alloc(t->s->pool, sizeof *t->carbon);
		return;
	}
	(void)snprintf(text, sizeof text, "%" PRIu64 " octets", octets);
	log_trace('D', text, strlen(text));
}

static void
trace_end(struct transaction *t)
{
	if (t->carbon != NULL)
		carbon_end(t->carbon);
}

/* Lines are shown as a reader gets them, and as a transcript has them. */
static void
trace_dots(const struct transaction *t)
{
	char text[96];

	if (t->carbon == NULL || t->carbon->dotted == 0)
		return;
	(void)snprintf(text, sizeof text, "%" PRIu64 " lines begin with a dot "
	    "and have gone with two", t->carbon->dotted);
	log_trace('#', text, strlen(text));
}

/* Up to room octets of the message, which go out next; some at least. */
static bool
read_block(const struct transaction *t, uint64_t offset, char *p, size_t room,
    size_t *n, struct failure *why)
{
	if (!message_octets(t->message, offset, p, room, n, why))
		return false;
	if (t->carbon != NULL)
		carbon_octets(t->carbon, p, *n);
	return *n > 0 || fail(why, FAILURE_INPUT, "the spooled message has "
	    "become shorter");
}

/* Queues up to max octets of the message as they are. */
static bool
put_block(struct transaction *t, uint64_t offset, uint64_t max, size_t *n,
    struct failure *why)
{
	size_t room = max < BLOCK_ROOM ? (size_t)max : BLOCK_ROOM;
	char *out = stream_room(t->talk->stream, room);

	if (!read_block(t, offset, out, room, n, why))
		return false;
	stream_added(t->talk->stream, *n);
	return true;
}

/* Queues len octets of the message from offset on. */
static bool
put_octets(struct transaction *t, uint64_t offset, uint64_t len,
    struct failure *why)
{
	size_t n;

	for (; len > 0; offset += n, len -= n)
		if (!put_block(t, offset, len, &n, why))
			return false;
	return true;
}

static void
tell_sent(const struct transaction *t, uint64_t done)
{
	if (t->watch != NULL && t->watch->sent != NULL)
		t->watch->sent(t->watch->context, done,
		    message_size(t->message));
}

bool
data_fits_flight(const struct transaction *t)
{
	return t->s->can.chunking && t->s->can.pipelining &&
	    message_size(t->message) <= INLINE_MAX;
}

/* Who must know it before the server can have all of the message does. */
static bool
is_known(const struct transaction *t, struct failure *why)
{
	return t->watch == NULL || t->watch->before(t->watch->context, why);
}

bool
data_say(struct transaction *t, struct failure *why)
{
	uint64_t size = message_size(t->message);

	if (!t->in_flight) {
		if (!t->s->can.chunking)
			dialogue_say(t->talk, "DATA");
		return true;
	}
	if (!is_known(t, why))
		return false;
	dialogue_say(t->talk, "BDAT %" PRIu64 " LAST", size);
	trace_data(t, size);
	if (!put_octets(t, 0, size, why))
		return false;
	trace_end(t);
	transaction_end_data(t);
	return true;
}

/*
 * RFC 2033 section 4.2: one reply for each whose RCPT was accepted.  After one
 * that is no verdict (3yz) nothing is known of the others.
 */
static void
hear_each_verdict(struct transaction *t)
{
	struct reply reply;
	size_t i;

	for (i = 0; i < t->n && !t->over; i++) {
		if (!t->is_accepted[i])
			continue;
		if (!transaction_hear_any(t, STEP_DOT, &reply))
			return;
		transaction_settle_one(t, i, &reply);
	}
	t->s->needs_reset = false;
}

static void
hear_verdict(struct transaction *t, enum step step)
{
	struct reply reply;

	if (t->s->params->lmtp) {
		hear_each_verdict(t);
		return;
	}
	if (!transaction_hear_any(t, step, &reply))
		return;
	/* A BDAT that is out of place leaves anything: RFC 3030 section 2. */
	t->s->needs_reset = t->accepted == 0;
	if (t->accepted > 0)
		transaction_settle(t, &reply);
}

/* A verdict on data that are not complete can only be a refusal. */
static void
hear_early(struct transaction *t)
{
	struct reply reply;
	struct failure why;

	if (!transaction_hear_any(t, STEP_BLOCK, &reply))
		return;
	if (!reply_is_success(&reply)) {
		transaction_settle(t, &reply);
		return;
	}
	(void)stream_fail(t->talk->stream, &why, FAILURE_PROTOCOL, "the "
	    "server answers before the end of the message: %s", reply.text);
	transaction_lost(t, &why);
}

static bool
hand_over(struct transaction *t)
{
	return transaction_flush(t, STEP_BLOCK);
}

/* Between blocks: has the server spoken, or is it gone? */
static bool
is_interrupted(const struct transaction *t)
{
	return stream_is_broken(t->talk->stream) ||
	    stream_has_input(t->talk->stream);
}

/* False: the verdict has come early, there is no sense in going on. */
static bool
may_go_on(struct transaction *t)
{
	if (!is_interrupted(t))
		return true;
	hear_early(t);
	t->talk->in_step = false;
	return false;
}

static bool
send_block(struct transaction *t)
{
	return hand_over(t) && may_go_on(t);
}

/* As put_block(); lines that begin with a dot get a second one. */
static bool
put_stuffed(struct transaction *t, uint64_t offset, bool *at_start, size_t *n,
    struct failure *why)
{
	char *out = stream_room(t->talk->stream, 3UL * STUFF_ROOM + SCAN_SLACK);
	char *block = out + 2UL * STUFF_ROOM + SCAN_SLACK;

	if (!read_block(t, offset, block, STUFF_ROOM, n, why))
		return false;
	stream_added(t->talk->stream, scan_stuff(block, *n, at_start, out));
	return true;
}

static void
send_blocks(struct transaction *t)
{
	uint64_t offset, size = message_size(t->message);
	bool at_start = true, ok;
	struct failure why;
	size_t n;

	for (offset = 0; offset < size; offset += n) {
		ok = t->message->dots ?
		    put_stuffed(t, offset, &at_start, &n, &why) :
		    put_block(t, offset, size - offset, &n, &why);
		if (!ok) {
			transaction_failed(t, &why);
			return;
		}
		if (offset + n < size && !send_block(t))
			return;
		tell_sent(t, offset + n);
	}
}

static void
send_data(struct transaction *t)
{
	trace_data(t, message_size(t->message));
	send_blocks(t);
	trace_end(t);
	trace_dots(t);
}

/* The dot, QUIT with it where that may be, and the verdict. */
static void
end_data(struct transaction *t)
{
	struct failure why;

	if (t->accepted > 0 && !may_go_on(t))
		return;
	if (t->accepted > 0 && !is_known(t, &why)) {
		transaction_failed(t, &why);
		return;
	}
	if (t->accepted > 0)		/* "D" stands for it in the trace */
		stream_put(t->talk->stream, ".\r\n", 3);
	else
		dialogue_say(t->talk, ".");
	transaction_end_data(t);
	if (hand_over(t))
		hear_verdict(t, STEP_DOT);
}

/* RFC 2920: 354 although nobody is left is ended by the dot alone. */
static void
hear_data(struct transaction *t)
{
	struct reply reply;
	struct failure why;

	if (!transaction_hear(t, STEP_DATA, &reply))
		return;
	if (reply.code == 354) {
		if (t->accepted > 0)
			send_data(t);
		if (t->accepted == 0 || t->talk->in_step)
			end_data(t);
		return;
	}
	refusal_of_data(t->s, &reply, FAILURE_REFUSED, &why);
	if (why.kind == FAILURE_PROTOCOL)	/* does it wait for data? */
		t->talk->in_step = false;
	if (t->accepted > 0)
		transaction_settle_failed(t, &why);
}

/* The reply to the oldest chunk; false ends the story, which is settled. */
static bool
hear_chunk(struct transaction *t, struct chunks *c)
{
	struct reply reply;

	if (!transaction_hear(t, STEP_BDAT, &reply))
		return false;
	c->unanswered--;
	if (!reply_is_success(&reply))
		transaction_settle(t, &reply);
	return reply_is_success(&reply);
}

static bool
hear_chunks(struct transaction *t, struct chunks *c, unsigned most)
{
	while (c->unanswered > most)
		if (!hear_chunk(t, c))
			return false;
	return true;
}

/*
 * As send_block(); what the server says belongs to a chunk that it has whole,
 * as long as there is one without a reply.
 */
static bool
send_piece(struct transaction *t, struct chunks *c)
{
	if (c->unanswered == 0)
		return send_block(t);
	if (!hand_over(t))
		return false;
	while (c->unanswered > 0 && is_interrupted(t))
		if (!hear_chunk(t, c))
			return false;
	return c->unanswered > 0 || send_block(t);
}

static bool
put_piece(struct transaction *t, struct chunks *c)
{
	struct failure why;
	size_t n;

	if (!put_block(t, c->offset, c->left, &n, &why)) {
		transaction_failed(t, &why);
		return false;
	}
	c->offset += n;
	c->left -= n;
	tell_sent(t, c->offset);
	return true;
}

/* Its last octets are queued. */
static bool
send_chunk(struct transaction *t, struct chunks *c, uint64_t len, bool last)
{
	dialogue_say(t->talk, "BDAT %" PRIu64 "%s", len, last ? " LAST" : "");
	trace_data(t, len);
	for (c->left = len; c->left > 0;)
		if (!put_piece(t, c) || (c->left > 0 && !send_piece(t, c)))
			return false;
	trace_end(t);
	c->unanswered++;
	return true;
}

/*
 * After a refusal: what was announced is owed, and whole chunks have replies.
 * When much is owed a new connection is cheaper than this one.
 */
static void
abandon(struct transaction *t, struct chunks *c)
{
	struct reply reply;
	struct failure why;

	if (!t->talk->in_step || t->talk->closing)
		return;
	t->talk->in_step = c->left <= OWED_MAX;
	c->unanswered += c->left > 0;
	while (t->talk->in_step && c->left > 0)
		if (!put_piece(t, c) || !hand_over(t))
			return;
	trace_end(t);
	for (; t->talk->in_step && c->unanswered > 0; c->unanswered--) {
		dialogue_step(t->talk, STEP_BDAT);
		(void)dialogue_hear(t->talk, &reply, NULL, NULL, &why);
	}
}

static void
send_last(struct transaction *t, struct chunks *c, uint64_t len)
{
	struct failure why;

	if (!may_go_on(t))
		return;
	if (!is_known(t, &why)) {
		transaction_failed(t, &why);
		return;
	}
	if (!send_chunk(t, c, len, true))
		return;
	transaction_end_data(t);
	if (hand_over(t))
		hear_verdict(t, STEP_BDAT);
}

/*
 * RFC 3030 section 4.2: chunks need not wait for each other's replies.  The
 * last one waits for all: only a server that has taken everything before can
 * take the message, so silence is never ambiguous sooner.
 */
static void
send_chunks(struct transaction *t)
{
	unsigned window = t->s->can.pipelining ? WINDOW : 1;
	uint64_t size = message_size(t->message);
	struct chunks c = { 0 };

	while (size - c.offset > CHUNK_MAX) {
		if (!send_chunk(t, &c, CHUNK_MAX, false) ||
		    !send_piece(t, &c) ||
		    !hear_chunks(t, &c, window - 1)) {
			abandon(t, &c);
			return;
		}
	}
	if (hear_chunks(t, &c, 0))
		send_last(t, &c, size - c.offset);
	else
		abandon(t, &c);
}

void
data_send(struct transaction *t)
{
	if (t->in_flight)
		hear_verdict(t, STEP_BDAT);
	else if (!t->s->can.chunking)
		hear_data(t);
	else if (t->accepted > 0)
		send_chunks(t);
}
