#include "stream.h"
#include "buffer.h"
#include "pool.h"
#include "signals.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_ROOM = 16384,
	LINE_ROOM = 64 * 1024,		/* no line is as long */
	INPUT_MAX = 4 * 1024 * 1024	/* replies nobody has taken yet */
};

struct stream {
	int fd;
	char *peer;
	struct transport transport;
	struct buffer in;
	struct buffer out;
	const char *doing;
	int seconds;
	milliseconds deadline;
	milliseconds session;
	bool ended;			/* nothing more will be read */
	bool broken;			/* nothing more can be written */
	bool secret;			/* what is queued, or has been sent */
	bool marked;
	size_t before_mark;		/* octets of out */
	struct failure first;		/* why, if ended or broken */
};

static enum transport_state
socket_read(void *context, char *p, size_t room, size_t *done,
    struct failure *why)
{
	const struct stream *s = context;
	ssize_t n;

	do
		n = recv(s->fd, p, room, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return TRANSPORT_WANT_READ;
	if (n < 0) {
		(void)fail_errno(why, FAILURE_LOST, "connection lost");
		return TRANSPORT_FAILED;
	}
	*done = (size_t)n;
	return n == 0 ? TRANSPORT_END : TRANSPORT_DONE;
}

static enum transport_state
socket_write(void *context, const char *p, size_t len, size_t *done,
    struct failure *why)
{
	const struct stream *s = context;
	ssize_t n;

	do
		n = send(s->fd, p, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return TRANSPORT_WANT_WRITE;
	if (n < 0) {
		(void)fail_errno(why, FAILURE_LOST, "connection lost");
		return TRANSPORT_FAILED;
	}
	*done = (size_t)n;
	return TRANSPORT_DONE;
}

struct stream *
stream_new(int fd, const char *peer)
{
	struct stream *s = pool_malloc(sizeof *s);

	*s = (struct stream){ .fd = fd, .session = -1, .deadline = -1,
	    .doing = "connecting" };
	s->peer = pool_malloc(strlen(peer) + 1);
	(void)strcpy(s->peer, peer);
	s->transport = (struct transport){ socket_read, socket_write, s };
	return s;
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	(void)close(s->fd);
	buffer_wipe(&s->in);
	buffer_wipe(&s->out);
	free(s->peer);
	free(s);
}

int
stream_fd(const struct stream *s)
{
	return s->fd;
}

const char *
stream_peer(const struct stream *s)
{
	return s->peer;
}

void
stream_session(struct stream *s, milliseconds deadline)
{
	s->session = deadline;
}

void
stream_step(struct stream *s, const char *doing, int seconds)
{
	s->doing = doing;
	s->seconds = seconds;
	s->deadline = clock_now() + (milliseconds)seconds * 1000;
}

bool
stream_fail(const struct stream *s, struct failure *why,
    enum failure_kind kind, const char *fmt, ...)
{
	char text[sizeof why->text];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return fail(why, kind, "%s: %s: %s", s->peer, s->doing, text);
}

/* Keeps the first error with peer and step in front. */
static void
remember(struct stream *s, const struct failure *why)
{
	if (s->first.kind != FAILURE_NONE)
		return;
	(void)stream_fail(s, &s->first, why->kind, "%s", why->text);
	s->first.tls_result = why->tls_result;
}

static bool
too_late(const struct stream *s, struct failure *why)
{
	if (s->session >= 0 && s->session < s->deadline)
		return stream_fail(s, why, FAILURE_TIMEOUT, "the time for the "
		    "whole session is over");
	return stream_fail(s, why, FAILURE_TIMEOUT, "timed out after %d "
	    "second%s", s->seconds, s->seconds == 1 ? "" : "s");
}

static milliseconds
nearest(const struct stream *s)
{
	return s->session >= 0 && s->session < s->deadline ? s->session :
	    s->deadline;
}

static bool
wait_for(struct stream *s, short events, struct failure *why)
{
	struct pollfd pfd = { .fd = s->fd, .events = events };
	int ready = signals_poll(&pfd, 1, nearest(s));

	if (ready > 0)
		return true;
	if (ready == 0)
		return too_late(s, why);
	return stream_fail(s, why, FAILURE_INTERRUPTED,
	    "ended by signal %d", signals_caught());
}

bool
stream_wait(struct stream *s, enum transport_state state, struct failure *why)
{
	return wait_for(s, state == TRANSPORT_WANT_WRITE ? POLLOUT : POLLIN,
	    why);
}

/* Reads once without waiting; what happened is the transport's answer. */
static enum transport_state
take_in(struct stream *s)
{
	struct failure why;
	enum transport_state state;
	size_t n = 0;

	if (s->ended)
		return TRANSPORT_END;
	if (buffer_len(&s->in) > INPUT_MAX) {
		(void)fail(&why, FAILURE_PROTOCOL, "the server says more than "
		    "it was asked");
		state = TRANSPORT_FAILED;
	} else {
		state = s->transport.read(s->transport.context,
		    buffer_room(&s->in, READ_ROOM), READ_ROOM, &n, &why);
	}
	if (state == TRANSPORT_DONE)
		buffer_added(&s->in, n);
	if (state == TRANSPORT_END)
		(void)fail(&why, FAILURE_LOST, "the server has closed the "
		    "connection");
	if (state == TRANSPORT_END || state == TRANSPORT_FAILED) {
		s->ended = true;
		remember(s, &why);
	}
	return state;
}

bool
stream_switch(struct stream *s, const struct transport *transport,
    struct failure *why)
{
	assert(buffer_len(&s->out) == 0);
	if (buffer_len(&s->in) > 0)
		return stream_fail(s, why, FAILURE_PROTOCOL, "the server sent "
		    "%zu octets before TLS that belong to nothing (an attack "
		    "on STARTTLS looks like this; smtps:// has no such step)",
		    buffer_len(&s->in));
	s->transport = *transport;
	return true;
}

/*
 * A deadline is looked at before each wait and, so that a drip cannot keep
 * us, before each read.
 */
static bool
more_input(struct stream *s, struct failure *why)
{
	enum transport_state state;

	if (clock_now() >= nearest(s))
		return too_late(s, why);
	state = take_in(s);
	if (state == TRANSPORT_WANT_READ || state == TRANSPORT_WANT_WRITE)
		return stream_wait(s, state, why);
	if (state == TRANSPORT_DONE)
		return true;
	*why = s->first;
	return false;
}

bool
stream_line(struct stream *s, size_t max, const char **line, size_t *len,
    struct failure *why)
{
	const char *p, *end = NULL;
	size_t n, seen = 0;

	while (end == NULL) {
		p = buffer_data(&s->in);
		n = buffer_len(&s->in);
		if (n > seen)
			end = memchr(p + seen, '\n', n - seen);
		seen = n;
		if ((end != NULL ? (size_t)(end - p) : n) > max)
			return stream_fail(s, why, FAILURE_PROTOCOL, "a line of "
			    "the server is longer than %zu octets", max);
		if (end == NULL && !more_input(s, why))
			return false;
	}
	*line = p;
	*len = (size_t)(end - p);
	if (*len > 0 && p[*len - 1] == '\r')
		(*len)--;
	buffer_take(&s->in, (size_t)(end - p) + 1);
	return true;
}

bool
stream_has_input(struct stream *s)
{
	return buffer_len(&s->in) > 0 || take_in(s) == TRANSPORT_DONE;
}

static bool
holds_line(const struct stream *s)
{
	size_t len = buffer_len(&s->in);

	return len > LINE_ROOM ||
	    (len > 0 && memchr(buffer_data(&s->in), '\n', len) != NULL);
}

bool
stream_has_line(struct stream *s)
{
	while (!holds_line(s))
		if (take_in(s) != TRANSPORT_DONE)
			return false;
	return true;
}

bool
stream_has_ended(const struct stream *s)
{
	return s->ended;
}

void
stream_put(struct stream *s, const char *p, size_t len)
{
	if (!s->broken)
		buffer_put(&s->out, p, len);
}

void
stream_put_secret(struct stream *s, const char *p, size_t len)
{
	s->secret = true;
	stream_put(s, p, len);
}

void
stream_wipe_taken(struct stream *s)
{
	buffer_wipe_taken(&s->in);
}

size_t
stream_queued(const struct stream *s)
{
	return buffer_len(&s->out);
}

char *
stream_room(struct stream *s, size_t n)
{
	return buffer_room(&s->out, n);
}

void
stream_added(struct stream *s, size_t n)
{
	if (!s->broken)
		buffer_added(&s->out, n);
}

/*
 * A server that sees the end has its last say and leaves; one that waits for
 * what could not be written (out of buffers, say) would keep us waiting too.
 */
static void
stop_writing(struct stream *s, const struct failure *why)
{
	s->broken = true;
	remember(s, why);
	(void)shutdown(s->fd, SHUT_WR);
}

/*
 * Waits until more can be sent.  Replies that arrive meanwhile are taken in;
 * when reading is over the wait is for writing alone, and when it has ended in
 * nonsense there is no sense in either.
 */
static bool
make_way(struct stream *s, enum transport_state state, struct failure *why)
{
	short events = state == TRANSPORT_WANT_READ ? 0 : POLLOUT;

	if (take_in(s) == TRANSPORT_DONE)
		return true;
	if (s->ended && s->first.kind == FAILURE_PROTOCOL) {
		stop_writing(s, &s->first);
		return true;
	}
	if (!s->ended || state == TRANSPORT_WANT_READ)
		events |= POLLIN;
	return wait_for(s, events, why);
}

static void
sent(struct stream *s, size_t n)
{
	buffer_take(&s->out, n);
	s->before_mark -= n < s->before_mark ? n : s->before_mark;
}

bool
stream_flush(struct stream *s, struct failure *why)
{
	enum transport_state state;
	struct failure reason;
	size_t n = 0;

	while (buffer_len(&s->out) > 0 && !s->broken) {
		if (clock_now() >= nearest(s))
			return too_late(s, why);
		state = s->transport.write(s->transport.context,
		    buffer_data(&s->out), buffer_len(&s->out), &n, &reason);
		if (state == TRANSPORT_DONE) {
			sent(s, n);
		} else if (state == TRANSPORT_FAILED) {
			stop_writing(s, &reason);
		} else if (!make_way(s, state, why)) {
			return false;
		}
	}
	if (s->secret)
		buffer_wipe(&s->out);
	s->secret = false;
	return true;
}

void
stream_mark(struct stream *s)
{
	s->marked = !s->broken;
	s->before_mark = buffer_len(&s->out);
}

bool
stream_has_sent(const struct stream *s)
{
	return s->marked && s->before_mark == 0;
}

bool
stream_is_broken(const struct stream *s)
{
	return s->broken;
}
