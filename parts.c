#include "parts.h"
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_ROOM = 64 * 1024,
	LINE_SEEN = 2048		/* octets of a line that are seen at once */
};

struct finder {
	struct parts *parts;
	const struct message *message;
	struct pool *pool;
	char block[BLOCK_ROOM];
	size_t at, len;			/* of the block */
	uint64_t offset;		/* in the body, of block[at] */
	bool eof;
	bool at_start;			/* of a line */
	size_t current;			/* entity that the line belongs to */
	bool in_header;			/* of it */
	struct buffer header;		/* of it, whole lines */
};

static struct entity *
current(struct finder *f)
{
	return &f->parts->list[f->current];
}

/* --- the body by pieces --------------------------------------------------- */

/* Sees that the start of the line is there, unless the body ends before. */
static bool
fill(struct finder *f, struct failure *why)
{
	uint64_t from = buffer_len(&f->message->head) + f->offset;
	size_t n;

	if (f->eof || f->len - f->at >= LINE_SEEN)
		return true;
	memmove(f->block, f->block + f->at, f->len - f->at);
	f->len -= f->at;
	f->at = 0;
	while (!f->eof && f->len < sizeof f->block) {
		if (!message_octets(f->message, from + f->len,
		    f->block + f->len, sizeof f->block - f->len, &n, why))
			return false;
		f->len += n;
		f->eof = n == 0;
	}
	return true;
}

/* A line with its end, or as much of a long one as is there; 0 at the end. */
static size_t
piece(const struct finder *f)
{
	const char *p = f->block + f->at;
	const char *nl = f->len > f->at ? memchr(p, '\n', f->len - f->at) :
	    NULL;

	return nl != NULL ? (size_t)(nl + 1 - p) : f->len - f->at;
}

/* --- what the octets are -------------------------------------------------- */

static void
note(struct part_facts *facts, const char *p, size_t len)
{
	bool ends = len > 0 && p[len - 1] == '\n';
	size_t n = len - (ends ? len > 1 && p[len - 2] == '\r' ? 2 : 1 : 0);

	facts->nul = facts->nul || memchr(p, '\0', len) != NULL;
	if (utf8_beyond(p, len)) {
		facts->beyond = true;
		utf8_check(&facts->check, p, len);
	} else if (facts->check.wanted > 0) {
		facts->check.bad = true;
	}
	facts->line += n;
	if (facts->line > facts->longest)
		facts->longest = facts->line;
	if (ends)
		facts->line = 0;
}

static void
end_facts(struct part_facts *facts)
{
	facts->not_utf8 = facts->check.bad || facts->check.wanted > 0;
}

/* --- entities ------------------------------------------------------------- */

static bool
begin_entity(struct finder *f, size_t parent, struct failure *why)
{
	struct parts *p = f->parts;
	struct entity *e;

	if (p->n == PARTS_MAX)
		return fail(why, FAILURE_MESSAGE, "the message has more than "
		    "%d parts, and some need a conversion that this server "
		    "makes necessary", PARTS_MAX);
	p->list = pool_grow(f->pool, p->list, &p->n, sizeof *p->list);
	e = &p->list[p->n - 1];
	*e = (struct entity){ .parent = parent, .header = f->offset,
	    .body = f->offset, .end = f->offset,
	    .depth = p->list[parent].depth + (p->n > 1),
	    .in_signed = p->list[parent].in_signed ||
	    p->list[parent].is_signed };
	f->current = p->n - 1;
	f->in_header = true;
	f->at_start = true;
	return e->depth <= PARTS_DEPTH_MAX || fail(why, FAILURE_MESSAGE,
	    "the parts of the message nest deeper than %d, and some need a "
	    "conversion that this server makes necessary", PARTS_DEPTH_MAX);
}

static void
describe(struct finder *f, struct entity *e, const char *text, size_t len)
{
	struct pool *scratch = pool_new();
	struct field *fields = NULL;
	struct mime m;
	size_t n = 0;

	header_split(text, len, &fields, &n, scratch);
	mime_read(&m, fields, n, e->parent != f->current &&
	    f->parts->list[e->parent].is_digest, scratch);
	e->kind = m.kind;
	e->is_digest = m.is_digest;
	e->is_signed = m.is_signed;
	e->encoding = m.encoding;
	if (m.boundary != NULL)
		e->boundary = pool_string(f->pool, m.boundary);
	pool_free(scratch);
}

static bool
is_encoded(const struct entity *e)
{
	return e->encoding >= MIME_QUOTED_PRINTABLE;
}

/* A message that is encoded, or a multipart without boundary, is a leaf. */
static void
settle_kind(struct entity *e)
{
	if (e->kind == MIME_MULTIPART && (e->boundary == NULL ||
	    *e->boundary == '\0'))
		e->kind = is_encoded(e) ? MIME_OTHER : MIME_TEXT;
	else if (e->kind > MIME_MULTIPART && is_encoded(e))
		e->kind = MIME_OTHER;
}

/* The header is over; what follows is content, or again a header. */
static bool
begin_body(struct finder *f, bool blank_line, struct failure *why)
{
	struct entity *e = current(f);

	describe(f, e, buffer_data(&f->header), buffer_len(&f->header));
	settle_kind(e);
	buffer_free(&f->header);
	end_facts(&e->header_facts);
	e->header_open = !blank_line;
	e->body = e->end = f->offset;
	f->in_header = false;
	return e->kind != MIME_MESSAGE || begin_entity(f, f->current, why);
}

static void
end_entity(struct entity *e, uint64_t end)
{
	e->end = end > e->body ? end : e->body;
	end_facts(&e->facts);
	if (e->kind == MIME_MULTIPART && !e->has_parts)
		e->kind = is_encoded(e) ? MIME_OTHER : MIME_TEXT;
	else if (e->kind == MIME_MULTIPART && is_encoded(e))
		e->encoding = MIME_BINARY;
}

/*
 * Ends all that are open below one of their multiparts.  A header that a
 * delimiter or the end cuts short is described all the same.
 */
static bool
end_below(struct finder *f, size_t keep, uint64_t end, struct failure *why)
{
	while (f->current != keep) {
		if (f->in_header && !begin_body(f, false, why))
			return false;
		if (f->in_header)
			continue;
		end_entity(current(f), end);
		if (f->current == current(f)->parent)
			break;
		f->current = current(f)->parent;
	}
	return true;
}

/*
 * The innermost open multipart that the line delimits, or the count.  What has
 * no part yet cannot be closed.
 */
static size_t
delimited(const struct finder *f, const char *p, size_t len, bool *last)
{
	const struct entity *list = f->parts->list;
	size_t i = f->current;

	while (len > 0 && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		len--;
	for (;; i = list[i].parent) {
		if (list[i].kind == MIME_MULTIPART && !list[i].is_closed &&
		    mime_is_delimiter(p, len, list[i].boundary, last) &&
		    (list[i].has_parts || !*last))
			return i;
		if (list[i].parent == i)
			return f->parts->n;
	}
}

/* --- lines ---------------------------------------------------------------- */

static bool
may_delimit(const char *p, size_t len)
{
	return len >= 2 && len < LINE_SEEN && memcmp(p, "--", 2) == 0 &&
	    p[len - 1] == '\n';
}

/* False in *taken: the line is no delimiter. */
static bool
take_delimiter(struct finder *f, const char *p, size_t len, bool *taken,
    struct failure *why)
{
	uint64_t end = f->offset >= 2 ? f->offset - 2 : 0;
	bool last = false;
	size_t i = may_delimit(p, len) ? delimited(f, p, len, &last) :
	    f->parts->n;

	*taken = i < f->parts->n;
	if (!*taken)
		return true;
	if (!end_below(f, i, end, why))
		return false;
	f->parts->list[i].has_parts = true;
	f->parts->list[i].is_closed = last;
	note(&f->parts->list[i].facts, p, len);
	f->offset += len;
	f->at += len;
	return last || begin_entity(f, i, why);
}

static bool
header_goes_on(const struct finder *f, const char *p, size_t len)
{
	return header_name(p, len) > 0 || (buffer_len(&f->header) > 0 &&
	    (*p == ' ' || *p == '\t'));
}

/* A line of a part's header: false in *taken when it is content. */
static bool
take_header(struct finder *f, const char *p, size_t len, bool *taken,
    struct failure *why)
{
	bool blank = len == 2 && memcmp(p, "\r\n", 2) == 0;

	*taken = blank || !f->at_start || header_goes_on(f, p, len);
	if (!*taken)
		return begin_body(f, false, why);
	if (buffer_len(&f->header) > PARTS_HEADER_MAX)
		return fail(why, FAILURE_MESSAGE, "the header of a part of "
		    "the message has more than %d octets", PARTS_HEADER_MAX);
	f->offset += len;
	f->at += len;
	if (blank && f->at_start)
		return begin_body(f, true, why);
	note(&current(f)->header_facts, p, len);
	buffer_put(&f->header, p, len);
	return true;
}

/* Where a header turns out to have ended, the line is judged once more. */
static bool
take_piece(struct finder *f, const char *p, size_t len, struct failure *why)
{
	bool ends = p[len - 1] == '\n', taken = false;

	if (f->at_start && !take_delimiter(f, p, len, &taken, why))
		return false;
	if (taken) {
		f->at_start = true;
		return true;
	}
	if (f->in_header) {
		if (!take_header(f, p, len, &taken, why))
			return false;
		if (!taken)
			return true;
	} else {
		note(&current(f)->facts, p, len);
		f->offset += len;
		f->at += len;
	}
	f->at_start = ends;
	return true;
}

static bool
begin_message(struct finder *f, struct failure *why)
{
	const struct buffer *head = &f->message->head;

	if (!begin_entity(f, 0, why))
		return false;
	buffer_put(&f->header, buffer_data(head), buffer_len(head) - 2);
	return begin_body(f, true, why);
}

static bool
find(struct finder *f, struct failure *why)
{
	size_t len;

	if (!begin_message(f, why))
		return false;
	for (;;) {
		if (!fill(f, why))
			return false;
		len = piece(f);
		if (len == 0)
			break;
		if (!take_piece(f, f->block + f->at, len, why))
			return false;
	}
	if (!end_below(f, 0, f->offset, why))
		return false;
	end_entity(&f->parts->list[0], f->offset);
	return true;
}

bool
parts_find(struct parts *parts, const struct message *message,
    struct pool *pool, struct failure *why)
{
	struct finder *f = pool_malloc(sizeof *f);
	bool ok;

	*parts = (struct parts){ 0 };
	*f = (struct finder){ .parts = parts, .message = message,
	    .pool = pool };
	ok = find(f, why);
	buffer_free(&f->header);
	free(f);
	return ok;
}
