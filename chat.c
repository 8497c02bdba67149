#include "chat.h"
#include "signals.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static milliseconds
patience(const struct chat *c)
{
	return c->patience == 0 ? -1 : clock_now() +
	    (milliseconds)c->patience * 1000;
}

/*
 * False when the caller does not read, and a signal has come or it was waited
 * for long enough.
 */
static bool
wait_for_reader(const struct chat *c)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return signals_poll(&pfd, 1, signals_caught() != 0 ? 0 :
	    patience(c)) > 0;
}

/*
 * RFC 5321 section 4.5.3.2.7.  A signal that has ended this wait would not end
 * the next one.
 */
static bool
wait_for_caller(struct chat *c)
{
	struct pollfd pfd = { .fd = c->in.fd, .events = POLLIN };
	int ready = c->patience == 0 ? 1 : signals_poll(&pfd, 1, patience(c));

	if (ready == 0) {
		buffer_printf(&c->out, "421 4.4.2 nothing was said for %d "
		    "seconds\r\n", c->patience);
		c->over = true;
	}
	return ready > 0;
}

/*
 * A pipe that can be written takes PIPE_BUF octets at once; more would wait
 * where no signal ends it.
 */
void
chat_flush(struct chat *c)
{
	size_t len;
	ssize_t n;

	while ((len = buffer_len(&c->out)) > 0) {
		n = -1;
		if (wait_for_reader(c))
			n = write(STDOUT_FILENO, buffer_data(&c->out),
			    len < PIPE_BUF ? len : PIPE_BUF);
		else
			errno = EPIPE;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			c->over = true;
			buffer_free(&c->out);
			return;
		}
		buffer_take(&c->out, (size_t)n);
	}
}

/* Replies first: before it has heard them, the caller may say nothing. */
static bool
more(struct chat *c)
{
	chat_flush(c);
	return !c->over && wait_for_caller(c) &&
	    input_more(&c->in, &c->why) && !c->in.eof;
}

bool
chat_line(struct chat *c, size_t max, size_t *len, size_t *end)
{
	size_t seen = 0, n;
	const char *p, *nl;

	for (;;) {
		p = buffer_data(&c->in.octets);
		n = buffer_len(&c->in.octets);
		nl = n > seen ? memchr(p + seen, '\n', n - seen) : NULL;
		if (nl == NULL) {
			seen = n;
			if (n > max) {
				buffer_printf(&c->out, "421 4.5.2 the line "
				    "is too long\r\n");
				return false;
			}
			if (!more(c))
				return false;
			continue;
		}
		*end = (size_t)(nl + 1 - p);
		*len = *end - 1;
		if (c->lines == LINES_UNKNOWN)
			c->lines = *len > 0 && nl[-1] == '\r' ? LINES_CRLF :
			    LINES_LF;
		if (c->lines == LINES_LF)
			return true;
		if (*len > 0 && nl[-1] == '\r') {
			--*len;
			return true;
		}
		seen = *end;		/* a bare LF is no end here */
	}
}

/*
 * What stands at the start of a line, as far as it has been read: 0 wait for
 * more, -1 the end of the data (of *len octets), else the octets to pass over.
 */
static int
line_start(const struct chat *c, size_t *len)
{
	const char *end = c->lines == LINES_CRLF ? ".\r\n" : ".\n";
	size_t want = strlen(end), have = buffer_len(&c->in.octets);
	const char *p = buffer_data(&c->in.octets);

	*len = want;
	if (have == 0)
		return 0;
	if (have < want && memcmp(p, end, have) == 0)
		return 0;
	return have >= want && memcmp(p, end, want) == 0 ? -1 : 1;
}

bool
chat_data(struct chat *c, chat_sink *sink, void *context)
{
	bool at_start = true;
	char last = '\0';
	const char *p, *nl;
	size_t n, len;
	int what;

	for (;;) {
		while (at_start && (what = line_start(c, &len)) <= 0) {
			if (what < 0) {
				buffer_take(&c->in.octets, len);
				return true;
			}
			if (!more(c))
				return false;
		}
		if (buffer_len(&c->in.octets) == 0 && !more(c))
			return false;
		p = buffer_data(&c->in.octets);
		if (at_start && *p == '.') {	/* RFC 5321 section 4.5.2 */
			buffer_take(&c->in.octets, 1);
			at_start = false;
			last = '\0';
			continue;
		}
		n = buffer_len(&c->in.octets);
		nl = memchr(p, '\n', n);
		if (nl != NULL)
			n = (size_t)(nl + 1 - p);
		at_start = nl != NULL && (c->lines == LINES_LF ||
		    (n > 1 ? p[n - 2] : last) == '\r');
		last = p[n - 1];
		sink(context, p, n);
		buffer_take(&c->in.octets, n);
	}
}

bool
chat_octets(struct chat *c, uint64_t octets, chat_sink *sink, void *context)
{
	size_t n;

	for (; octets > 0; octets -= n) {
		if (buffer_len(&c->in.octets) == 0 && !more(c))
			return false;
		n = buffer_len(&c->in.octets);
		if (n > octets)
			n = (size_t)octets;
		sink(context, buffer_data(&c->in.octets), n);
		buffer_take(&c->in.octets, n);
	}
	return true;
}
