#include "convert.h"
#include "downgrade.h"
#include "encode.h"
#include "parts.h"
#include "relabel.h"
#include "utf8.h"

#include <string.h>
#include <strings.h>

enum {
	BLOCK_ROOM = 32 * 1024,
	FIELDS_MAX = 1024 * 1024	/* octets of a message/delivery-status */
};

struct conversion {
	const struct message *from;
	const struct convert_offer *offer;
	struct message *to;
	struct parts parts;
	bool header;			/* fields beyond ASCII are encoded */
	bool seven;			/* and so is content */
	char stand_in;			/* that makes no delimiter of a line */
	struct buffer out;		/* of the body, not yet spooled */
	uint64_t at;			/* of the old body: all before is done */
	struct pool *pool;
};

/* --- what there is to do -------------------------------------------------- */

/* Can the header go out in UTF-8, and must it? */
static bool
stays_utf8(const struct message *m, const struct convert_offer *offer,
    const struct field *fields, size_t n, struct pool *pool)
{
	bool loses = false;
	size_t i;

	if (!offer->smtputf8)
		return false;
	for (i = 0; i < n && !loses; i++)
		loses = relabel_is_utf8(&fields[i]) &&
		    downgrade_loses(&fields[i], pool);
	return offer->smtputf8_anyway || loses || message_is_signed(m, pool);
}

static bool
header_must_change(struct conversion *c)
{
	size_t n, i;
	struct field *fields;

	if (!c->from->header_8bit && c->from->longest <= MESSAGE_LINE_MAX)
		return false;
	fields = message_head(c->from, &n, c->pool);
	c->header = c->from->header_8bit &&
	    !stays_utf8(c->from, c->offer, fields, n, c->pool);
	for (i = 0; i < n; i++)
		if (relabel_must_change(&fields[i], c->header))
			return true;
	return false;
}

static bool
needs_encoding(const struct conversion *c, const struct part_facts *f)
{
	return f->nul || f->longest > MESSAGE_LINE_MAX ||
	    (c->seven && f->beyond);
}

static bool
body_must_change(struct conversion *c, bool *must, struct failure *why)
{
	const struct message *m = c->from;
	const struct entity *e;
	size_t i;

	*must = false;
	c->seven = m->body_8bit && !c->offer->eightbitmime;
	if (!c->seven && !m->body_nul && m->longest <= MESSAGE_LINE_MAX)
		return true;
	if (!parts_find(&c->parts, m, c->pool, why))
		return false;
	for (i = 0; i < c->parts.n && !*must; i++) {
		e = &c->parts.list[i];
		*must = needs_encoding(c, &e->facts) ||
		    (i > 0 && needs_encoding(c, &e->header_facts));
	}
	return true;
}

static bool
is_signed(const struct conversion *c, bool body, struct failure *why)
{
	const struct message *m = c->from;
	bool mere = m->body_nul || m->longest > MESSAGE_LINE_MAX;

	(void)fail(why, mere ? FAILURE_MESSAGE : FAILURE_EXTENSION, "the "
	    "message is signed, so it must not be changed, and cannot be sent "
	    "as it is: %s", mere ? "it has a NUL or a line of more than 998 "
	    "octets" : body ? "it has 8-bit content and the server does not "
	    "offer 8BITMIME; sign it after it was encoded" : "its header has "
	    "characters beyond ASCII and the server does not offer SMTPUTF8; "
	    "sign it after it was encoded");
	(void)strcpy(why->enhanced, mere ? "5.6.0" : body ? "5.6.3" : "5.6.7");
	return false;
}

/* --- the new body --------------------------------------------------------- */

static bool
spool_out(struct conversion *c, bool all, struct failure *why)
{
	struct buffer *b = &c->out;

	if (buffer_len(b) < (all ? 1 : BLOCK_ROOM))
		return true;
	if (!spool_put(c->to->body, buffer_data(b), buffer_len(b), why))
		return false;
	buffer_take(b, buffer_len(b));
	return true;
}

/* Calls each() for the octets of the old body from c->at to end. */
static bool
through(struct conversion *c, uint64_t end, void *context,
    void (*each)(struct conversion *, void *, const char *, size_t),
    struct failure *why)
{
	uint64_t head = buffer_len(&c->from->head);
	char block[BLOCK_ROOM];
	size_t n, room;

	for (; c->at < end; c->at += n) {
		room = end - c->at < sizeof block ? (size_t)(end - c->at) :
		    sizeof block;
		if (!message_octets(c->from, head + c->at, block, room, &n,
		    why))
			return false;
		if (n == 0)
			return fail(why, FAILURE_INPUT, "the spooled message "
			    "has become shorter");
		each(c, context, block, n);
		if (!spool_out(c, false, why))
			return false;
	}
	return true;
}

static void
copy(struct conversion *c, void *context, const char *p, size_t len)
{
	(void)context;
	buffer_put(&c->out, p, len);
}

static void
encoded(struct conversion *c, void *context, const char *p, size_t len)
{
	encode_octets(context, p, len, &c->out);
}

static void
gather(struct conversion *c, void *context, const char *p, size_t len)
{
	(void)c;
	buffer_put(context, p, len);
}

/* Of the text around the parts, as far as it has come. */
struct around {
	size_t column;			/* of the line */
	bool dashes;			/* it begins with "--" */
	char held;			/* the last octet that a line may have, */
	bool holds;			/* while what follows is not known */
};

/* What no line can be a delimiter with; '\0' when there is none. */
static char
in_no_boundary(const struct parts *parts)
{
	const char *boundary;
	bool taken[256] = { false };
	size_t i;
	int c;

	for (i = 0; i < parts->n; i++)
		for (boundary = parts->list[i].boundary; boundary != NULL &&
		    *boundary != '\0'; boundary++)
			taken[(unsigned char)*boundary] = true;
	if (!taken['?'])
		return '?';
	for (c = '!'; c <= '~' && taken[c]; c++)
		continue;
	return c <= '~' ? (char)c : '\0';
}

static void
put_held(struct conversion *c, struct around *a, char octet)
{
	if (a->holds)
		buffer_put(&c->out, &octet, 1);
	a->holds = false;
}

/* A line becomes two, and neither a delimiter that the whole was not. */
static void
cut(struct conversion *c, struct around *a)
{
	char held = a->held;
	bool dashes = a->holds && a->dashes;

	put_held(c, a, dashes ? c->stand_in : held);
	buffer_put(&c->out, "\r\n ", 3);
	if (dashes)
		buffer_put(&c->out, &held, 1);
	a->column = 2U + dashes;
	a->dashes = false;
}

static void
put_around(struct conversion *c, struct around *a, char octet)
{
	bool blank = octet == ' ' || octet == '\t';

	a->column = octet == '\n' ? 0 : a->column + 1;
	if (a->column <= 2)
		a->dashes = octet == '-' && (a->column == 1 || a->dashes);
	if (a->dashes && blank && a->column > MESSAGE_LINE_MAX)
		return;			/* behind a delimiter it says nothing */
	if (a->column > MESSAGE_LINE_MAX && octet != '\r')
		cut(c, a);
	put_held(c, a, a->held);
	a->holds = a->column == MESSAGE_LINE_MAX;
	if (a->holds)
		a->held = octet;
	else
		buffer_put(&c->out, &octet, 1);
}

static char
stand_in(const struct conversion *c, const struct around *a)
{
	return a->dashes && a->column > 1 ? c->stand_in : '?';
}

/*
 * What stands around the parts says nothing to a reader: no encoding is
 * needed for it, nor is there any.
 */
static void
mask(struct conversion *c, void *context, const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		put_around(c, context, p[i] == '\0' || (c->seven &&
		    (unsigned char)p[i] >= 0x80) ? stand_in(c, context) : p[i]);
}

static bool
around(struct conversion *c, uint64_t end, struct failure *why)
{
	struct around a = { .column = 0 };
	bool ok = through(c, end, &a, mask, why);

	put_held(c, &a, a.held);
	return ok;
}

static bool
is_in_digest(const struct conversion *c, const struct entity *e)
{
	const struct entity *list = c->parts.list;

	return e != list && list[e->parent].is_digest;
}

/* Whole lines of an entity's header, without the blank one at its end. */
static bool
convert_header(struct conversion *c, const struct entity *e,
    const char *text, size_t len, struct buffer *out, struct failure *why)
{
	struct relabel r = { .entity = e, .beyond = c->header,
	    .seven = c->seven };

	if (e != NULL) {
		r.in_digest = is_in_digest(c, e);
		r.is_message = e == c->parts.list ||
		    c->parts.list[e->parent].kind == MIME_MESSAGE;
		r.beyond = e == c->parts.list ? c->header : c->seven;
		r.encode = e->kind < MIME_MULTIPART &&
		    needs_encoding(c, &e->facts);
	}
	return relabel(&r, text, len, out, why);
}

/* --- content -------------------------------------------------------------- */

static bool
part_is_signed(struct failure *why)
{
	return fail(why, FAILURE_MESSAGE, "a part of the message is signed, "
	    "so it must not be changed, and it cannot be sent as it is (8-bit "
	    "content, NUL, or lines of over 998 octets)");
}

static bool
can_encode(const struct entity *e, struct failure *why)
{
	if (e->kind == MIME_FRAGMENT)
		return fail(why, FAILURE_MESSAGE, "message/partial cannot be "
		    "converted, and it cannot be sent as it is (8-bit "
		    "content, NUL, or lines of over 998 octets)");
	if (e->encoding == MIME_UNKNOWN)
		return fail(why, FAILURE_MESSAGE, "a part of the message has "
		    "a Content-Transfer-Encoding that is not known, and it "
		    "cannot be sent as it is (8-bit content, NUL, or lines of "
		    "over 998 octets)");
	return true;
}

static bool
encode_content(struct conversion *c, const struct entity *e,
    struct failure *why)
{
	struct encode how = { .how = e->encoding == MIME_QUOTED_PRINTABLE ?
	    ENCODE_QP_AGAIN : e->encoding == MIME_BASE64 ?
	    ENCODE_BASE64_AGAIN : e->kind == MIME_TEXT ? ENCODE_QP :
	    ENCODE_BASE64 };
	uint64_t size = spool_size(c->from->body);

	if (!through(c, e->end, &how, encoded, why))
		return false;
	encode_end(&how, &c->out);
	if (e->end == size && how.column > 0)
		buffer_put(&c->out, "\r\n", 2);
	return true;
}

/* A field of a delivery status, or a line that is none. */
static bool
put_status_line(struct conversion *c, const char *p, size_t len,
    struct failure *why)
{
	struct around a = { .column = 0 };

	if (header_name(p, len) > 0)
		return convert_header(c, NULL, p, len, &c->out, why);
	mask(c, &a, p, len);
	put_held(c, &a, a.held);
	return true;
}

/* RFC 3464: blocks of fields, which have no encoding but that of fields. */
static bool
convert_fields(struct conversion *c, const struct entity *e,
    struct failure *why)
{
	bool header = c->header, ok;
	struct buffer text = { 0 };
	const char *p, *end, *nl;
	size_t n;

	if (e->end - e->body > FIELDS_MAX)
		return fail(why, FAILURE_MESSAGE, "a report within the "
		    "message is too long to be converted");
	ok = through(c, e->end, &text, gather, why);
	buffer_put(&text, "\r\n", 2);
	c->header = c->seven;
	p = buffer_data(&text);
	for (end = p + buffer_len(&text); ok && p < end; p += n) {
		nl = memchr(p, '\n', (size_t)(end - p));
		while (nl + 1 < end && (nl[1] == ' ' || nl[1] == '\t') &&
		    header_name(p, (size_t)(nl - p)) > 0)
			nl = memchr(nl + 1, '\n', (size_t)(end - nl) - 1);
		n = (size_t)(nl + 1 - p);
		ok = put_status_line(c, p, n, why);
	}
	c->header = header;
	if (ok)
		c->out.end -= 2;
	buffer_free(&text);
	return ok;
}

static bool
convert_content(struct conversion *c, const struct entity *e,
    struct failure *why)
{
	bool encode = needs_encoding(c, &e->facts);

	if (encode && e->in_signed)
		return part_is_signed(why);
	if (e->kind == MIME_MULTIPART || e->kind == MIME_MESSAGE)
		return true;
	if (!encode)
		return through(c, e->end, NULL, copy, why);
	if (!can_encode(e, why))
		return false;
	return e->kind == MIME_FIELDS ? convert_fields(c, e, why) :
	    encode_content(c, e, why);
}

/*
 * One that runs into its content without a blank line gets one, for the
 * content may no longer be the same; one that a delimiter cuts short does not.
 */
static bool
convert_part_header(struct conversion *c, const struct entity *e,
    struct failure *why)
{
	struct buffer text = { 0 };
	size_t blank = e->header_open ? 0 : 2;
	bool ok;

	if (e->in_signed)
		return needs_encoding(c, &e->header_facts) ?
		    part_is_signed(why) : through(c, e->body, NULL, copy, why);
	ok = through(c, e->body, &text, gather, why) &&
	    convert_header(c, e, buffer_data(&text),
	    buffer_len(&text) - blank, &c->out, why);
	if (!e->header_open || e->end > e->body)
		buffer_put(&c->out, "\r\n", 2);
	buffer_free(&text);
	return ok;
}

static bool
convert_body(struct conversion *c, struct failure *why)
{
	const struct entity *e = c->parts.list;
	size_t i;

	c->to->body = spool_new(spool_room_of(c->from->body));
	c->stand_in = in_no_boundary(&c->parts);
	if (c->stand_in == '\0')
		return fail(why, FAILURE_MESSAGE, "the boundaries of the "
		    "message leave no octet to put for what cannot be sent");
	if (!convert_content(c, e, why))
		return false;
	for (i = 1; i < c->parts.n; i++) {
		e = &c->parts.list[i];
		if (!around(c, e->header, why) ||
		    !convert_part_header(c, e, why) ||
		    !convert_content(c, e, why))
			return false;
	}
	return around(c, spool_size(c->from->body), why) &&
	    spool_out(c, true, why) && spool_end(c->to->body, why);
}

/* The facts that are no longer those of the original. */
static void
settle(struct conversion *c, bool body)
{
	struct message *m = c->to;

	buffer_put(&m->head, "\r\n", 2);
	m->header_8bit = utf8_beyond(buffer_data(&m->head),
	    buffer_len(&m->head));
	m->longest = 0;
	if (!body)
		return;
	m->body_8bit = m->body_8bit && !c->seven;
	m->body_nul = false;
	m->dots = true;
}

static bool
convert(struct conversion *c, bool body, struct failure *why)
{
	const struct buffer *head = &c->from->head;
	const struct entity *root = body ? c->parts.list : NULL;
	bool ok;

	c->to = pool_alloc(c->pool, sizeof *c->to);
	*c->to = *c->from;
	c->to->head = (struct buffer){ 0 };
	ok = convert_header(c, root, buffer_data(head), buffer_len(head) - 2,
	    &c->to->head, why) && (!body || convert_body(c, why));
	buffer_free(&c->out);
	if (ok)
		settle(c, body);
	else
		convert_end(c->from, c->to);
	return ok;
}

bool
convert_message(const struct message *m, const struct convert_offer *offer,
    const struct message **out, struct pool *pool, struct failure *why)
{
	struct conversion c = { .from = m, .offer = offer, .pool = pool };
	bool header = header_must_change(&c), body;

	*out = m;
	if (!body_must_change(&c, &body, why))
		return false;
	if (!header && !body)
		return true;
	if (message_is_signed(m, pool))
		return is_signed(&c, body, why);
	if (!convert(&c, body, why))
		return false;
	c.to->converted = !body ? "header" : header ? "header,body" : "body";
	*out = c.to;
	return true;
}

void
convert_end(const struct message *original, const struct message *m)
{
	struct buffer head;

	if (m == NULL || m == original)
		return;
	head = m->head;
	buffer_free(&head);
	if (m->body != original->body)
		spool_free(m->body);
}
