#include "data.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	BLOCK_ROOM = 64 * 1024,		/* of the message, at a time */
	INLINE_MAX = 64 * 1024,		/* travels with MAIL and RCPT */
	CHUNK_MAX = 1024 * 1024		/* of a BDAT that does not */
};

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

bool
data_fits_flight(const struct transaction *t)
{
	return t->s->can.chunking && t->s->can.pipelining &&
	    message_size(t->message) <= INLINE_MAX;
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
	dialogue_say(t->talk, "BDAT %" PRIu64 " LAST", size);
	trace_data(size);
	if (!put_octets(t, 0, size, why))
		return false;
	transaction_say_quit(t);
	return true;
}

/* RFC 2033 section 4.2: one reply for each whose RCPT was accepted. */
static void
hear_each_verdict(struct transaction *t)
{
	struct reply reply;
	struct failure why;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (!t->is_accepted[i])
			continue;
		dialogue_step(t->talk, STEP_DOT);
		if (!dialogue_hear(t->talk, &reply, NULL, NULL, &why)) {
			transaction_lost(t, &why);
			return;
		}
		transaction_settle_one(t, i, &reply);
	}
	t->s->needs_reset = false;
}

static void
hear_verdict(struct transaction *t, enum step step)
{
	struct reply reply;
	struct failure why;

	if (t->s->params->lmtp) {
		hear_each_verdict(t);
		return;
	}
	dialogue_step(t->talk, step);
	if (!dialogue_hear(t->talk, &reply, NULL, NULL, &why)) {
		transaction_lost(t, &why);
		return;
	}
	t->s->needs_reset = false;
	if (t->accepted > 0)
		transaction_settle(t, &reply);
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
			transaction_settle(t, &reply);
			return;
		}
		(void)stream_fail(t->talk->stream, &why, FAILURE_PROTOCOL,
		    "the server answers before the end of the message: %s",
		    reply.text);
	}
	transaction_lost(t, &why);
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
		transaction_lost(t, why);
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

/* Lines that begin with a dot get a second one. */
static void
put_stuffed(struct transaction *t, const char *p, size_t len, bool *at_start)
{
	size_t n;
	bool dot;

	if (!t->message->dots) {
		stream_put(t->talk->stream, p, len);
		return;
	}
	for (; len > 0; p += n, len -= n) {
		n = message_stuffing(p, len, at_start, &dot);
		if (dot)
			stream_put(t->talk->stream, ".", 1);
		stream_put(t->talk->stream, p, n);
	}
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
			transaction_failed(t, &why);
			return;
		}
		put_stuffed(t, block, n, &at_start);
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
	transaction_say_quit(t);
	dialogue_step(t->talk, STEP_BLOCK);
	if (!stream_flush(t->talk->stream, &why)) {
		t->talk->in_step = false;
		transaction_lost(t, &why);
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

	if (!transaction_hear(t, STEP_DATA, &reply))
		return;
	if (reply.code == 354) {
		if (t->accepted > 0)
			send_data(t);
		if (t->accepted == 0 || t->talk->in_step)
			end_data(t);
		return;
	}
	if (reply_is_success(&reply))
		t->talk->in_step = false;
	if (t->accepted == 0)
		return;
	(void)dialogue_refused(t->talk, &reply, FAILURE_REFUSED, &why);
	transaction_settle_failed(t, &why);
}

static bool
send_chunk(struct transaction *t, uint64_t offset, uint64_t len, bool last)
{
	struct failure why;
	struct reply reply;

	dialogue_say(t->talk, "BDAT %" PRIu64 "%s", len, last ? " LAST" : "");
	trace_data(len);
	if (!put_octets(t, offset, len, &why)) {
		transaction_failed(t, &why);
		return false;
	}
	if (last)
		transaction_say_quit(t);
	dialogue_step(t->talk, STEP_BLOCK);
	if (!stream_flush(t->talk->stream, &why)) {
		t->talk->in_step = false;
		transaction_lost(t, &why);
		return false;
	}
	t->data_sent = last && stream_all_sent(t->talk->stream);
	if (last) {
		hear_verdict(t, STEP_BDAT);
		return false;
	}
	if (!transaction_hear(t, STEP_BDAT, &reply))
		return false;
	if (!reply_is_success(&reply))
		transaction_settle(t, &reply);
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
