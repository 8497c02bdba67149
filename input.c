#include "input.h"
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { READ_ROOM = 64 * 1024 };		/* the nearer caches hold it */

static bool
wait_for(int fd, struct failure *why)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (signals_poll(&pfd, 1, -1) >= 0)
		return true;
	return fail(why, FAILURE_INTERRUPTED, "ended by signal %d while "
	    "reading standard input; nothing was sent", signals_caught());
}

static bool
read_some(struct input *in, struct failure *why)
{
	char *room = buffer_room(&in->octets, READ_ROOM);
	ssize_t n;

	do {
		if (!wait_for(in->fd, why))
			return false;
		n = read(in->fd, room, READ_ROOM);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0 && errno == EBADF)
		return fail(why, FAILURE_NOINPUT, "standard input is closed, "
		    "so there is no message; give it one: ... < message");
	if (n < 0)
		return fail_errno(why, FAILURE_INPUT, "nothing was sent, for "
		    "standard input cannot be read to its end");
	in->eof = n == 0;
	buffer_added(&in->octets, (size_t)n);
	return true;
}

bool
input_more(struct input *in, struct failure *why)
{
	return in->more != NULL ? in->more(in, why) : read_some(in, why);
}

bool
input_line(struct input *in, size_t max, size_t *len, size_t *end,
    struct failure *why)
{
	size_t seen = 0, n;
	const char *p, *nl;

	for (;;) {
		p = buffer_data(&in->octets);
		n = buffer_len(&in->octets);
		nl = n > seen ? memchr(p + seen, '\n', n - seen) : NULL;
		if ((nl != NULL ? (size_t)(nl - p) : n) > max)
			return fail(why, FAILURE_MESSAGE, "a line has more "
			    "than %zu octets", max);
		if (nl != NULL || in->eof)
			break;
		seen = n;
		if (!input_more(in, why))
			return false;
	}
	*len = nl != NULL ? (size_t)(nl - p) : n;
	*end = nl != NULL ? *len + 1 : n;
	return true;
}

bool
input_has_line(const struct input *in)
{
	size_t n = buffer_len(&in->octets);

	return n > 0 && memchr(buffer_data(&in->octets), '\n', n) != NULL;
}
