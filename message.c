#include "message.h"
#include "scan.h"
#include "utf8.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { PIECE_MAX = 64 * 1024 };		/* of the body at a time */

struct reader {
	struct input *in;
	bool dot_ends;
	struct message *m;
	bool done;			/* by a lone dot */
};

/* Without its LF and the CR before it, is it a dot alone? */
static bool
is_lone_dot(const char *p, size_t len)
{
	return (len == 1 || (len == 2 && p[1] == '\r')) && p[0] == '.';
}

static void
finish_by_dot(struct reader *r)
{
	struct pollfd pfd = { .fd = r->in->fd, .events = POLLIN };
	char c;

	r->done = true;
	r->m->ended_by_dot = true;
	r->m->more_after_dot = buffer_len(&r->in->octets) > 0 ||
	    (!r->in->eof && poll(&pfd, 1, 0) > 0 && read(r->in->fd, &c, 1) > 0);
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
	m->header_8bit = m->header_8bit || utf8_beyond(p, len);
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

/* What waits has no end yet: text, or a header as no server takes it. */
static bool
is_text(const struct reader *r, struct failure *why)
{
	const char *p = buffer_data(&r->in->octets);
	size_t len = buffer_len(&r->in->octets);

	return (header_name(p, len) == 0 && !is_continuation(r, p, len)) ||
	    fail(why, FAILURE_MESSAGE, "a line of the header has more than %d "
	    "octets; where text begins, a blank line has to stand before it",
	    MESSAGE_HEADER_MAX);
}

/* The blank line is the separator; any other line that ends it is body. */
static bool
read_header(struct reader *r, struct failure *why)
{
	bool first = true;
	size_t len = 0, end = 0, dot;
	const char *p;

	while (input_line(r->in, MESSAGE_HEADER_MAX, &len, &end, why)) {
		p = buffer_data(&r->in->octets);
		if (end == 0)
			return true;
		if (r->dot_ends && is_lone_dot(p, len)) {
			buffer_take(&r->in->octets, end);
			finish_by_dot(r);
			return true;
		}
		if (len == 0 || (len == 1 && *p == '\r')) {
			buffer_take(&r->in->octets, end);
			return true;
		}
		dot = r->dot_ends && len > 1 && p[0] == '.' && p[1] == '.';
		if (header_name(p, len) > 0 || is_continuation(r, p, len))
			add_header_line(r, p + dot, len - dot);
		else if (first && is_from_line(p, len))
			r->m->mbox = true;
		else
			return true;
		first = false;
		buffer_take(&r->in->octets, end);
		if (buffer_len(&r->m->header) > MESSAGE_HEADER_MAX)
			return fail(why, FAILURE_MESSAGE, "the header has more "
			    "than %d octets; where text begins, a blank line "
			    "has to stand before it", MESSAGE_HEADER_MAX);
	}
	return why->kind == FAILURE_MESSAGE && is_text(r, why);
}

/* Some of what waits, brought into form where it is kept. */
static bool
body_piece(struct reader *r, struct scan *scan, struct failure *why)
{
	size_t len = buffer_len(&r->in->octets), taken, n;
	char *out;

	if (len > PIECE_MAX)
		len = PIECE_MAX;
	out = spool_room(r->m->body, 2 * len + SCAN_SLACK);
	n = scan_octets(scan, buffer_data(&r->in->octets), len, out, &taken);
	buffer_take(&r->in->octets, taken);
	return spool_added(r->m->body, n, why);
}

static void
note_facts(struct message *m, const struct scan *scan)
{
	m->body_8bit = scan->has_8bit;
	m->body_nul = scan->has_nul;
	m->dots = m->dots || scan->has_dots;
	if (scan->longest > m->longest)
		m->longest = scan->longest;
}

static bool
end_body(struct reader *r, struct scan *scan, struct failure *why)
{
	size_t n = 0;

	if (!scan->ended)
		n = scan_end(scan, spool_room(r->m->body, SCAN_SLACK));
	if (scan->ended)
		finish_by_dot(r);
	note_facts(r->m, scan);
	return spool_added(r->m->body, n, why) && spool_end(r->m->body, why);
}

static bool
read_body(struct reader *r, struct failure *why)
{
	struct scan scan = { .dot_ends = r->dot_ends };

	while (!scan.ended) {
		if (buffer_len(&r->in->octets) > 0) {
			if (!body_piece(r, &scan, why))
				return false;
		} else if (r->in->eof) {
			break;
		} else if (!input_more(r->in, why)) {
			return false;
		}
	}
	return end_body(r, &scan, why);
}

bool
message_read(struct input *in, bool dot_ends, struct spool_room *room,
    struct pool *pool, struct message **out, struct failure *why)
{
	struct message *m = pool_alloc(pool, sizeof *m);
	struct reader r = { .in = in, .dot_ends = dot_ends, .m = m };
	bool ok;

	m->body = spool_new(room);
	ok = read_header(&r, why) && (r.done || read_body(&r, why));
	if (!ok) {
		message_free(m);
		return false;
	}
	header_split(buffer_data(&m->header), buffer_len(&m->header),
	    &m->fields, &m->nfields, pool);
	*out = m;
	return true;
}

bool
message_none(struct message **out, struct pool *pool, struct failure *why)
{
	struct input none = { .eof = true };

	return message_read(&none, false, NULL, pool, out, why);
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
    const char *const *instead)
{
	size_t i;

	buffer_free(&m->head);
	buffer_put(&m->head, prologue, strlen(prologue));
	for (i = 0; i < m->nfields; i++) {
		if (instead == NULL || instead[i] == NULL)
			buffer_put(&m->head, m->fields[i].text,
			    m->fields[i].len);
		else
			buffer_put(&m->head, instead[i], strlen(instead[i]));
	}
	buffer_put(&m->head, "\r\n", 2);
	m->header_8bit = utf8_beyond(buffer_data(&m->head),
	    buffer_len(&m->head));
}

/* A media type of the field's value, as in "multipart/signed; ...". */
static bool
is_media_type(const char *value, const char *type)
{
	size_t n = strlen(type);

	return strncasecmp(value, type, n) == 0 &&
	    (value[n] == '\0' || strchr("; \t(", value[n]) != NULL);
}

bool
message_is_signed(const struct message *m, struct pool *pool)
{
	static const char *const seals[] = {
		"DKIM-Signature", "ARC-Seal", "ARC-Message-Signature"
	};
	static const char *const types[] = {
		"multipart/signed", "application/pkcs7-mime",
		"application/x-pkcs7-mime"
	};
	const struct field *f = message_field(m, "Content-Type");
	size_t i;

	for (i = 0; i < sizeof seals / sizeof *seals; i++)
		if (message_field(m, seals[i]) != NULL)
			return true;
	for (i = 0; f != NULL && i < sizeof types / sizeof *types; i++)
		if (is_media_type(field_value(f, pool), types[i]))
			return true;
	return false;
}

struct field *
message_head(const struct message *m, size_t *n, struct pool *pool)
{
	struct field *fields = NULL;

	*n = 0;
	header_split(buffer_data(&m->head), buffer_len(&m->head) - 2,
	    &fields, n, pool);
	return fields;
}

uint64_t
message_size(const struct message *m)
{
	return buffer_len(&m->head) + spool_size(m->body);
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
