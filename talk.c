#include "talk.h"
#include "buffer.h"
#include "input.h"
#include "signals.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	LINE_MAX_OCTETS = 1024 * 1024,	/* of standard input */
	PATIENCE_QUIT = 5		/* seconds for the reply to QUIT */
};

struct talk {
	struct smtp *smtp;
	struct stream *stream;
	struct input in;
	bool paced;			/* a line waits for the reply before */
	bool data;			/* within DATA, up to the lone dot */
	uint64_t chunk;			/* octets of BDAT that are to come */
	bool holds;			/* after DATA, STARTTLS: until its reply */
	bool starttls;			/* was said, and not answered yet */
	bool quit;			/* was said */
	unsigned awaited;		/* replies */
	milliseconds asked;		/* since when */
};

/* --- what the server says -------------------------------------------------- */

static bool
print(const struct buffer *line, struct failure *why)
{
	size_t room = 4 * buffer_len(line) + 1;
	char *text = pool_malloc(room);

	(void)printable(text, room, buffer_data(line), buffer_len(line));
	(void)puts(text);
	free(text);
	return fflush(stdout) == 0 || fail_errno(why, FAILURE_INPUT,
	    "standard output cannot be written");
}

/* The code of a line that ends a reply, or 0. */
static int
final_code(const struct buffer *line)
{
	const char *p = buffer_data(line);
	size_t len = buffer_len(line);
	int i, code = 0;

	if (len < 3 || (len > 3 && p[3] == '-'))
		return 0;
	for (i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)p[i]))
			return 0;
		code = 10 * code + (p[i] - '0');
	}
	return code;
}

static bool
take_reply(struct talk *t, int code, struct failure *why)
{
	bool starttls = t->starttls;

	t->smtp->greeted = true;
	t->asked = clock_now();
	if (t->awaited > 0)
		t->awaited--;
	if (t->awaited > 0)
		return true;
	t->data = t->holds && code == 354;
	t->holds = t->starttls = false;
	return !starttls || code != 220 || t->smtp->tls != NULL ||
	    smtp_secure(t->smtp, why);
}

static bool
show_line(struct talk *t, struct failure *why)
{
	struct buffer line = { 0 };
	bool ok = dialogue_line(&t->smtp->talk, &line, why) &&
	    print(&line, why);
	int code = ok ? final_code(&line) : 0;

	buffer_free(&line);
	return ok && (code == 0 || take_reply(t, code, why));
}

/* All that has come; the end of the connection is one only before QUIT. */
static bool
show(struct talk *t, struct failure *why)
{
	const char *line;
	size_t len;

	dialogue_step(&t->smtp->talk, STEP_TALK);
	while (stream_has_line(t->stream))
		if (!show_line(t, why))
			return false;
	return !stream_has_ended(t->stream) || t->quit ||
	    stream_line(t->stream, REPLY_LINE_MAX, &line, &len, why);
}

/* --- what the person says -------------------------------------------------- */

static bool
is_command(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len >= n && strncasecmp(line, name, n) == 0 &&
	    (len == n || line[n] == ' ' || line[n] == '\t');
}

/* BDAT has no reply before its octets are there (RFC 3030). */
static void
take_command(struct talk *t, const char *line, size_t len)
{
	char digits[24] = "";

	t->quit = is_command(line, len, "QUIT");
	t->starttls = is_command(line, len, "STARTTLS");
	t->holds = t->starttls || is_command(line, len, "DATA");
	if (is_command(line, len, "BDAT") && len > 5) {
		(void)snprintf(digits, sizeof digits, "%.*s", (int)(len - 5),
		    line + 5);
		t->chunk = strtoull(digits, NULL, 10);
	}
	t->awaited += t->chunk == 0;
}

static void
take_data(struct talk *t, const char *line, size_t len)
{
	uint64_t n = len + 2;

	if (t->data) {
		t->data = len != 1 || *line != '.';
		t->awaited += !t->data;
		return;
	}
	t->chunk -= n < t->chunk ? n : t->chunk;
	t->awaited += t->chunk == 0;
}

static void
say(struct talk *t, const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	stream_put(t->stream, line, len);
	stream_put(t->stream, "\r\n", 2);
	if (t->data || t->chunk > 0)
		take_data(t, line, len);
	else
		take_command(t, line, len);
	t->asked = clock_now();
}

static bool
may_speak(const struct talk *t)
{
	if (t->data || t->chunk > 0)
		return true;
	return !t->quit && (t->awaited == 0 || (!t->paced && !t->holds));
}

/* Without one from the person the session still ends in order. */
static bool
end_of_input(struct talk *t, struct failure *why)
{
	if (t->data || t->chunk > 0)
		return stream_fail(t->stream, why, FAILURE_MESSAGE, "the input "
		    "has ended within the data, so the connection was closed "
		    "and the server has no message");
	say(t, "QUIT", 4);
	return true;
}

static bool
speak(struct talk *t, struct failure *why)
{
	size_t len, end;

	while (may_speak(t) && (input_has_line(&t->in) || t->in.eof)) {
		if (!input_line(&t->in, LINE_MAX_OCTETS, &len, &end, why))
			return false;
		if (end == 0 && !end_of_input(t, why))
			return false;
		if (end > 0)
			say(t, buffer_data(&t->in.octets), len);
		buffer_take(&t->in.octets, end);
	}
	dialogue_step(&t->smtp->talk, STEP_TALK);
	return stream_flush(t->stream, why);
}

/* --- both ------------------------------------------------------------------ */

/* A person at a terminal sees that nothing comes; a file does not. */
static int
patience(const struct talk *t)
{
	int seconds = t->smtp->params->timeout_reply;

	if (t->quit)
		return PATIENCE_QUIT;
	if (!t->paced || t->awaited == 0)
		return -1;
	return seconds > 0 ? seconds : 300;
}

static bool
wait_for_either(struct talk *t, struct failure *why)
{
	bool listens = may_speak(t) && !t->in.eof;
	struct pollfd fds[] = {
		{ .fd = stream_fd(t->stream), .events = POLLIN },
		{ .fd = listens ? t->in.fd : -1, .events = POLLIN },
	};
	int seconds = patience(t);
	int n = signals_poll(fds, 2, seconds < 0 ? -1 : t->asked +
	    (milliseconds)seconds * 1000);

	if (n < 0)
		return stream_fail(t->stream, why, FAILURE_INTERRUPTED,
		    "ended by signal %d", signals_caught());
	if (n == 0)
		return t->quit || stream_fail(t->stream, why, FAILURE_TIMEOUT,
		    "no reply within %d seconds", seconds);
	if (fds[1].revents == 0)
		return true;
	if (buffer_len(&t->in.octets) > LINE_MAX_OCTETS)
		return fail(why, FAILURE_MESSAGE, "a line has more than %d "
		    "octets", LINE_MAX_OCTETS);
	return input_more(&t->in, why);
}

static bool
is_over(const struct talk *t)
{
	return t->quit && (t->awaited == 0 || stream_has_ended(t->stream) ||
	    clock_now() - t->asked >= PATIENCE_QUIT * 1000LL);
}

static void
introduce(const struct talk *t, const struct caller *c)
{
	const struct smtp_facts *f = t->smtp->facts;

	if (!c->stdin_terminal || !c->stderr_terminal)
		return;
	(void)fprintf(stderr, "# %s, %s%s%s; your lines go there, QUIT or the "
	    "end of input ends it\n", stream_peer(t->stream),
	    f->tls.version != NULL ? f->tls.version : "no TLS",
	    f->mechanism != NULL ? ", logged in by " : ", no login",
	    f->mechanism != NULL ? f->mechanism : "");
}

bool
talk(struct smtp *smtp, const struct caller *c, struct failure *why)
{
	struct talk t = { .smtp = smtp, .stream = smtp->talk.stream,
	    .in = { .fd = STDIN_FILENO }, .paced = !c->stdin_terminal,
	    .awaited = !smtp->greeted, .asked = clock_now() };
	bool ok = true;

	dialogue_step(&smtp->talk, STEP_TALK);
	stream_session(t.stream, -1);		/* people take their time */
	introduce(&t, c);
	while (ok && !is_over(&t))
		ok = show(&t, why) && (is_over(&t) || (speak(&t, why) &&
		    wait_for_either(&t, why)));
	smtp->talk.in_step = ok;
	smtp->talk.closing = true;
	buffer_free(&t.in.octets);
	return ok;
}
