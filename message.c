#include "message.h"
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_ROOM = 256 * 1024 };

struct reader {
	int fd;
	bool dot_ends;
	struct message *m;
	struct buffer in;		/* read and not yet understood */
	bool eof;
	bool done;			/* by a lone dot */
	bool at_start;			/* of a body line */
	size_t line;			/* octets of it so far */
};

/* A descriptor may be non-blocking (node's sockets): then it is waited for. */
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
read_more(struct reader *r, struct failure *why)
{
	char *room = buffer_room(&r->in, READ_ROOM);
	ssize_t n;

	do {
		if (!wait_for(r->fd, why))
			return false;
		n = read(r->fd, room, READ_ROOM);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0 && errno == EBADF)
		return fail(why, FAILURE_NOINPUT, "standard input is closed, "
		    "there is no message to send");
	if (n < 0)
		return fail_errno(why, FAILURE_INPUT, "standard input cannot "
		    "be read");
	r->eof = n == 0;
	buffer_added(&r->in, (size_t)n);
	return true;
}

static bool
has_8bit(const char *p, size_t len)
{
	unsigned char any = 0;
	size_t i;

	for (i = 0; i < len; i++)
		any |= (unsigned char)p[i];
	return (any & 0x80) != 0;
}

/* Without its LF and the CR before it, is it a dot alone? */
static bool
is_lone_dot(const char *p, size_t len)
{
	return (len == 1 || (len == 2 && p[1] == '\r')) && p[0] == '.';
}

static void
finish_by_dot(struct reader *r)
{
	struct pollfd pfd = { .fd = r->fd, .events = POLLIN };
	char c;

	r->done = true;
	r->m->ended_by_dot = true;
	r->m->more_after_dot = buffer_len(&r->in) > 0 ||
	    (!r->eof && poll(&pfd, 1, 0) > 0 && read(r->fd, &c, 1) > 0);
}

/*
 * Sees that a whole line waits in r->in, of *len octets without its LF and
 * *end with it.  At the end of input what is left is a line; *end is 0 when
 * nothing is.
 */
static bool
peek_line(struct reader *r, size_t *len, size_t *end, struct failure *why)
{
	size_t seen = 0, n;
	const char *p, *nl;

	for (;;) {
		p = buffer_data(&r->in);
		n = buffer_len(&r->in);
		nl = n > seen ? memchr(p + seen, '\n', n - seen) : NULL;
		if (nl != NULL || r->eof)
			break;
		if (n > MESSAGE_HEADER_MAX)
			return fail(why, FAILURE_MESSAGE, "the header has more "
			    "than %d octets", MESSAGE_HEADER_MAX);
		seen = n;
		if (!read_more(r, why))
			return false;
	}
	*len = nl != NULL ? (size_t)(nl - p) : n;
	*end = nl != NULL ? *len + 1 : n;
	return true;
}

/* Bare CR becomes a blank; the line gets CRLF; its facts are noted. */
static void
add_header_line(struct reader *r, const char *p, size_t len)
{
	struct message *m = r->m;
	char *copy;
	size_t i;

	if (len > 0 && p[len - 1] == '\r')
		len--;
	m->header_8bit = m->header_8bit || has_8bit(p, len);
	m->header_nul = m->header_nul || memchr(p, '\0', len) != NULL;
	m->dots = m->dots || (len > 0 && p[0] == '.');
	if (len > m->longest)
		m->longest = len;
	copy = buffer_room(&m->header, len + 2);
	memcpy(copy, p, len);
	for (i = 0; i < len; i++)
		if (copy[i] == '\r')
			copy[i] = ' ';
	memcpy(copy + len, "\r\n", 2);
	buffer_added(&m->header, len + 2);
}

/* mbox's "From " and its quoted form, which some filters leave on top. */
static bool
is_from_line(const char *p, size_t len)
{
	return (len >= 5 && memcmp(p, "From ", 5) == 0) ||
	    (len >= 6 && memcmp(p, ">From ", 6) == 0);
}

static bool
is_continuation(const struct reader *r, const char *p, size_t len)
{
	return buffer_len(&r->m->header) > 0 && len > 0 &&
	    (*p == ' ' || *p == '\t');
}

/* The blank line is the separator; any other line that ends it is body. */
static bool
read_header(struct reader *r, struct failure *why)
{
	bool first = true;
	size_t len = 0, end = 0, dot;
	const char *p;

	while (peek_line(r, &len, &end, why)) {
		p = buffer_data(&r->in);
		if (end == 0)
			return true;
		if (r->dot_ends && is_lone_dot(p, len)) {
			buffer_take(&r->in, end);
			finish_by_dot(r);
			return true;
		}
		if (len == 0 || (len == 1 && *p == '\r')) {
			buffer_take(&r->in, end);
			return true;
		}
		dot = r->dot_ends && len > 1 && p[0] == '.' && p[1] == '.';
		if (header_name(p, len) > 0 || is_continuation(r, p, len))
			add_header_line(r, p + dot, len - dot);
		else if (!first || !is_from_line(p, len))
			return true;
		first = false;
		buffer_take(&r->in, end);
		if (buffer_len(&r->m->header) > MESSAGE_HEADER_MAX)
			return fail(why, FAILURE_MESSAGE, "the header has more "
			    "than %d octets", MESSAGE_HEADER_MAX);
	}
	return false;
}

static void
split_fields(struct message *m, struct pool *pool)
{
	const char *p = buffer_data(&m->header), *end, *nl;
	struct field *f = NULL;

	for (end = p + buffer_len(&m->header); p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (f == NULL || (*p != ' ' && *p != '\t')) {
			m->fields = pool_grow(pool, m->fields, &m->nfields,
			    sizeof *f);
			f = &m->fields[m->nfields - 1];
			f->text = p;
			f->name_len = header_name(p, (size_t)(nl - p));
			f->body = (size_t)((const char *)memchr(p, ':',
			    (size_t)(nl - p)) - p) + 1;
		}
		f->len = (size_t)(nl + 1 - f->text);
	}
}

static bool
body_put(struct reader *r, const char *p, size_t len, struct failure *why)
{
	struct message *m = r->m;

	if (len == 0)
		return true;
	r->at_start = false;
	r->line += len;
	if (r->line > m->longest)
		m->longest = r->line;
	m->body_8bit = m->body_8bit || has_8bit(p, len);
	m->body_nul = m->body_nul || memchr(p, '\0', len) != NULL;
	return spool_put(m->body, p, len, why);
}

static bool
body_end_line(struct reader *r, struct failure *why)
{
	r->line = 0;
	r->at_start = true;
	return spool_put(r->m->body, "\r\n", 2, why);
}

/* Part of a line that may hold bare CRs, each of which ends a line. */
static bool
body_part(struct reader *r, const char *p, size_t len, struct failure *why)
{
	const char *cr;

	while ((cr = memchr(p, '\r', len)) != NULL) {
		if (!body_put(r, p, (size_t)(cr - p), why) ||
		    !body_end_line(r, why))
			return false;
		r->m->dots = r->m->dots || (cr + 1 < p + len && cr[1] == '.');
		len -= (size_t)(cr + 1 - p);
		p = cr + 1;
	}
	return body_put(r, p, len, why);
}

/*
 * The start of a line: a dot may end the input or stand for another.  *skip
 * octets are passed over.
 */
static void
body_start(struct reader *r, const char *p, size_t len, size_t *skip)
{
	*skip = 0;
	r->at_start = false;
	if (len == 0 || *p != '.')
		return;
	if (r->dot_ends && len > 1 && p[1] == '.')
		*skip = 1;
	r->m->dots = true;
}

/*
 * One line, or as much of one as has been read.  A CR at the very end of what
 * was read waits for the octet behind it, as does a dot at its start.
 */
static bool
body_line(struct reader *r, bool *hungry, struct failure *why)
{
	const char *p = buffer_data(&r->in), *nl;
	size_t n = buffer_len(&r->in), len, skip = 0;

	nl = memchr(p, '\n', n);
	len = nl != NULL ? (size_t)(nl - p) : n;
	*hungry = nl == NULL && !r->eof &&
	    (p[n - 1] == '\r' || (r->at_start && n < 3));
	if (*hungry)
		return true;
	if (r->at_start && r->dot_ends && is_lone_dot(p, len) &&
	    (nl != NULL || r->eof)) {
		buffer_take(&r->in, nl != NULL ? len + 1 : n);
		finish_by_dot(r);
		return true;
	}
	if (r->at_start)
		body_start(r, p, len, &skip);
	if (nl != NULL && len > skip && p[len - 1] == '\r')
		len--;
	if (!body_part(r, p + skip, len - skip, why))
		return false;
	buffer_take(&r->in, nl != NULL ? (size_t)(nl + 1 - p) : n);
	return nl == NULL || body_end_line(r, why);
}

static bool
body_chunk(struct reader *r, struct failure *why)
{
	bool hungry = false;

	while (!r->done && !hungry && buffer_len(&r->in) > 0)
		if (!body_line(r, &hungry, why))
			return false;
	return true;
}

static bool
read_body(struct reader *r, struct failure *why)
{
	r->at_start = true;
	while (!r->done) {
		if (!body_chunk(r, why))
			return false;
		if (r->done || r->eof)
			break;
		if (!read_more(r, why))
			return false;
	}
	if (!r->at_start && !body_end_line(r, why))
		return false;
	return spool_end(r->m->body, why);
}

bool
message_read(int fd, bool dot_ends, const char *directory, struct pool *pool,
    struct message **out, struct failure *why)
{
	struct message *m = pool_alloc(pool, sizeof *m);
	struct reader r = { .fd = fd, .dot_ends = dot_ends, .m = m };
	bool ok;

	m->body = spool_new(directory);
	ok = read_header(&r, why) && (r.done || read_body(&r, why));
	buffer_free(&r.in);
	if (!ok) {
		message_free(m);
		return false;
	}
	if (buffer_len(&m->header) > 0)
		split_fields(m, pool);
	*out = m;
	return true;
}

void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	spool_free(m->body);
	buffer_free(&m->header);
	buffer_free(&m->head);
}

const struct field *
message_field(const struct message *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->nfields; i++)
		if (field_is(&m->fields[i], name))
			return &m->fields[i];
	return NULL;
}

void
message_compose(struct message *m, const char *prologue,
    bool (*keep)(const struct field *))
{
	size_t i;

	buffer_free(&m->head);
	buffer_put(&m->head, prologue, strlen(prologue));
	for (i = 0; i < m->nfields; i++)
		if (keep(&m->fields[i]))
			buffer_put(&m->head, m->fields[i].text,
			    m->fields[i].len);
	buffer_put(&m->head, "\r\n", 2);
}

uint64_t
message_size(const struct message *m)
{
	return buffer_len(&m->head) + spool_size(m->body);
}

size_t
message_stuffing(const char *p, size_t len, bool *at_start, bool *dot)
{
	const char *nl = memchr(p, '\n', len);

	*dot = *at_start && *p == '.';
	*at_start = nl != NULL;
	return nl != NULL ? (size_t)(nl + 1 - p) : len;
}

bool
message_octets(const struct message *m, uint64_t offset, char *p, size_t room,
    size_t *n, struct failure *why)
{
	size_t head = buffer_len(&m->head);

	if (offset >= head)
		return spool_read(m->body, offset - head, p, room, n, why);
	*n = head - offset < room ? (size_t)(head - offset) : room;
	memcpy(p, buffer_data(&m->head) + offset, *n);
	return true;
}
