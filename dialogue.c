#define _GNU_SOURCE			/* memmem(), memrchr() */
#include "dialogue.h"
#include "crypto.h"
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* RFC 5321 section 4.5.3.2 where it names a time. */
static const struct {
	const char *doing;
	int seconds;
} steps[] = {
	[STEP_GREETING]	= { "awaiting the greeting",		300 },
	[STEP_EHLO]	= { "EHLO",				300 },
	[STEP_HELO]	= { "HELO",				300 },
	[STEP_STARTTLS]	= { "STARTTLS",				120 },
	[STEP_TLS]	= { "TLS handshake",			60 },
	[STEP_AUTH]	= { "AUTH",				120 },
	[STEP_MAIL]	= { "naming the sender",		300 },
	[STEP_RCPT]	= { "naming a recipient",		300 },
	[STEP_DATA]	= { "DATA",				120 },
	[STEP_BLOCK]	= { "sending the message",		180 },
	[STEP_DOT]	= { "awaiting the final reply",		600 },
	[STEP_BDAT]	= { "awaiting the reply to the data",	600 },
	[STEP_RSET]	= { "RSET",				120 },
	[STEP_QUIT]	= { "QUIT",				5 },
	[STEP_TALK]	= { "talking to the server",		300 },
};

void
dialogue_step(struct dialogue *d, enum step step)
{
	int seconds = steps[step].seconds;

	if (d->timeout_reply > 0 && step != STEP_QUIT)
		seconds = d->timeout_reply;
	stream_step(d->stream, steps[step].doing, seconds);
}

void
dialogue_say(struct dialogue *d, const char *fmt, ...)
{
	struct buffer line = { 0 };
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = buffer_room(&line, (size_t)n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	log_trace('C', text, (size_t)n);
	stream_put(d->stream, text, (size_t)n);
	stream_put(d->stream, "\r\n", 2);
	buffer_free(&line);
}

void
dialogue_hide_octets(struct dialogue *d, const char *secret, size_t len)
{
	if (len < 4)			/* "=" and the like are no secret */
		return;
	buffer_put(&d->secrets, secret, len);
	buffer_put(&d->secrets, "", 1);
}

/*
 * What of the base64 is the password's alone, when `before' octets modulo
 * three stand before it: not a digit that has bits of a neighbour.
 */
static void
hide_coded(struct dialogue *d, const char *password, size_t len, size_t before)
{
	struct buffer plain = BUFFER_SECRET, coded = BUFFER_SECRET;
	size_t first = before == 0 ? 0 : before + 1;
	size_t end = (before + len) * 8 / 6;

	buffer_put(&plain, "\0\0", before);
	buffer_put(&plain, password, len);
	crypto_base64(&coded, buffer_data(&plain), buffer_len(&plain));
	if (end > first)
		dialogue_hide_octets(d, buffer_data(&coded) + first,
		    end - first);
	buffer_wipe(&plain);
	buffer_wipe(&coded);
}

void
dialogue_hide(struct dialogue *d, const char *password, size_t len)
{
	size_t before;

	dialogue_hide_octets(d, password, len);
	for (before = 0; before < 3; before++)
		hide_coded(d, password, len, before);
}

/* It shrinks in its place. */
static bool
strike(struct buffer *line, const char *secret, size_t n)
{
	char *at, *p = buffer_data(line);
	size_t len = buffer_len(line);
	bool found = false;

	while (len >= n && (at = memmem(p, len, secret, n)) != NULL) {
		len -= (size_t)(at - p) + n;
		memcpy(at, "***", 3);
		memmove(at + 3, at + n, len);
		p = at + 3;
		line->end -= n - 3;
		found = true;
	}
	return found;
}

/*
 * Every secret in the line becomes "***", the last one first: a response has
 * the password in it.  True when there was one.
 */
static bool
mask(const struct dialogue *d, struct buffer *line)
{
	const char *secrets = buffer_data(&d->secrets), *nul;
	size_t end = buffer_len(&d->secrets), start;
	bool found = false;

	for (; end > 0; end = start) {
		nul = memrchr(secrets, '\0', end - 1);
		start = nul == NULL ? 0 : (size_t)(nul - secrets) + 1;
		found |= strike(line, secrets + start, end - 1 - start);
	}
	return found;
}

/* RFC 4954 section 4: "=" is an empty initial response. */
static void
say_response(struct dialogue *d, const char *command, const char *response,
    size_t len, const struct buffer *shown)
{
	struct buffer line = { 0 };
	const char *none = *command != '\0' ? "=" : "";

	buffer_printf(&line, "%s%s", command, *command != '\0' ? " " : "");
	stream_put(d->stream, buffer_data(&line), buffer_len(&line));
	if (len > 0)
		buffer_put(&line, buffer_data(shown), buffer_len(shown));
	else
		buffer_put(&line, none, strlen(none));
	log_trace('C', buffer_data(&line), buffer_len(&line));
	buffer_wipe(&line);
	if (len > 0)
		stream_put_secret(d->stream, response, len);
	else
		stream_put(d->stream, none, strlen(none));
	stream_put(d->stream, "\r\n", 2);
}

void
dialogue_say_secret(struct dialogue *d, const char *command,
    const char *secret, size_t len)
{
	struct buffer shown = { 0 };

	dialogue_hide_octets(d, secret, len);
	buffer_put(&shown, "***", 3);
	say_response(d, command, secret, len, &shown);
	buffer_free(&shown);
}

void
dialogue_say_open(struct dialogue *d, const char *command,
    const char *response, size_t len)
{
	struct buffer shown = { 0 };

	buffer_put(&shown, response, len);
	(void)mask(d, &shown);
	say_response(d, command, response, len, &shown);
	buffer_wipe(&shown);
}

void
dialogue_remark(struct dialogue *d, struct buffer *text)
{
	(void)mask(d, text);
	log_trace('#', buffer_data(text), buffer_len(text));
	buffer_wipe(text);
}

bool
dialogue_tells(const struct dialogue *d, const char *text)
{
	struct buffer copy = { 0 };
	bool found;

	buffer_put(&copy, text, strlen(text));
	found = mask(d, &copy);
	buffer_wipe(&copy);
	return found;
}

static bool
broken(struct dialogue *d, const struct failure *reason, struct failure *why)
{
	d->in_step = false;
	return stream_fail(d->stream, why, reason->kind, "%s", reason->text);
}

bool
dialogue_line(struct dialogue *d, struct buffer *shown, struct failure *why)
{
	const char *line;
	size_t len;

	if (!stream_line(d->stream, REPLY_LINE_MAX, &line, &len, why))
		return false;
	buffer_put(shown, line, len);
	d->masked = mask(d, shown);
	if (d->masked)
		stream_wipe_taken(d->stream);
	return true;
}

/*
 * SCRAM's "v=..." in base64.  Whoever has it, the challenge and the user's name
 * can try passwords until one makes it, as with the proof.
 */
static bool
is_signature(const char *text, size_t len)
{
	return len > 2 && memcmp(text, "dj", 2) == 0 && text[2] >= '0' &&
	    text[2] <= '3';
}

static void
trace_heard(const struct dialogue *d, const struct buffer *line)
{
	const char *p = buffer_data(line);
	size_t len = buffer_len(line);
	char shown[] = "334 ***";

	if (d->veil != VEIL_NONE && len > 4 && (is_signature(p + 4, len - 4) ||
	    (d->veil == VEIL_CHALLENGES && memcmp(p, "334", 3) == 0))) {
		memcpy(shown, p, 4);	/* the code, and what parts it */
		log_trace('S', shown, strlen(shown));
	} else {
		log_trace('S', p, len);
	}
}

bool
dialogue_hear(struct dialogue *d, struct reply *reply,
    void (*each)(void *, const char *, size_t), void *context,
    struct failure *why)
{
	struct buffer shown = { 0 };
	enum reply_state state;
	struct failure reason;
	const char *text;
	size_t n;

	*reply = (struct reply){ 0 };
	d->in_step = false;
	if (!stream_flush(d->stream, why))
		return false;
	do {
		if (!dialogue_line(d, &shown, why))
			return false;
		trace_heard(d, &shown);
		state = reply_add(reply, buffer_data(&shown),
		    buffer_len(&shown), &text, &n, &reason);
		if (each != NULL && state != REPLY_BROKEN)
			each(context, text, n);
		buffer_wipe(&shown);
	} while (state == REPLY_MORE);
	if (state == REPLY_BROKEN)
		return broken(d, &reason, why);
	d->closing = d->closing || reply->code == 421;
	d->in_step = true;
	return true;
}

void
dialogue_quote(struct failure *why, const struct reply *reply)
{
	const char *said = strstr(why->text, "server said ");

	why->reply = reply->code;
	why->said = said == NULL ? 0 :
	    (size_t)(said + strlen("server said ") - why->text);
	(void)strcpy(why->enhanced, reply->enhanced);
}

bool
dialogue_refused(struct dialogue *d, const struct reply *reply,
    enum failure_kind permanent, struct failure *why)
{
	enum failure_kind kind = FAILURE_PROTOCOL;

	if (reply_is_temporary(reply))
		kind = FAILURE_DEFERRED;
	else if (reply_is_permanent(reply))
		kind = permanent;
	(void)stream_fail(d->stream, why, kind, kind == FAILURE_PROTOCOL ?
	    "server answered with what does not belong here: %s" :
	    "server said %s", reply->text);
	dialogue_quote(why, reply);
	d->in_step = d->in_step && reply->code / 100 != 3;
	return false;
}

bool
dialogue_is_quiet(struct dialogue *d, struct failure *why)
{
	struct reply reply;

	if (!stream_has_input(d->stream))
		return true;
	if (!dialogue_hear(d, &reply, NULL, NULL, why))
		return false;
	d->in_step = false;
	if (reply.code == 421)
		return dialogue_refused(d, &reply, FAILURE_DEFERRED, why);
	return stream_fail(d->stream, why, FAILURE_PROTOCOL, "the server "
	    "speaks before it was asked: %s", reply.text);
}

void
dialogue_wipe(struct dialogue *d)
{
	buffer_wipe(&d->secrets);
}
