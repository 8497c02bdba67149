#include "convert.h"
#include "downgrade.h"
#include "encode.h"
#include "parts.h"
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
	struct buffer out;		/* of the body, not yet spooled */
	uint64_t at;			/* of the old body: all before is done */
	struct pool *pool;
};

/* --- what there is to do -------------------------------------------------- */

static bool
is_utf8(const struct field *f)
{
	struct utf8_check check = { 0 };

	utf8_check(&check, f->text, f->len);
	return !check.bad && check.wanted == 0;
}

/* The fields of the header as message_compose() has made it. */
static struct field *
fields_of(const struct message *m, size_t *n, struct pool *pool)
{
	struct field *fields = NULL;

	*n = 0;
	header_split(buffer_data(&m->head), buffer_len(&m->head) - 2,
	    &fields, n, pool);
	return fields;
}

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
		loses = is_utf8(&fields[i]) &&
		    downgrade_loses(&fields[i], pool);
	return offer->smtputf8_anyway || loses || message_is_signed(m, pool);
}

/* Must a field be made anew?  Not beyond: what is UTF-8 may stay. */
static bool
must_change(const struct field *f, bool beyond)
{
	return downgrade_is_needed(f) && (beyond || !is_utf8(f) ||
	    memchr(f->text, '\0', f->len) != NULL ||
	    downgrade_is_too_long(f));
}

static bool
header_must_change(struct conversion *c)
{
	size_t n, i;
	struct field *fields;

	if (!c->from->header_8bit && c->from->longest <= MESSAGE_LINE_MAX)
		return false;
	fields = fields_of(c->from, &n, c->pool);
	c->header = c->from->header_8bit &&
	    !stays_utf8(c->from, c->offer, fields, n, c->pool);
	for (i = 0; i < n; i++)
		if (must_change(&fields[i], c->header))
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
	    "offer 8BITMIME" : "its header has characters beyond ASCII and "
	    "the server does not offer SMTPUTF8");
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

/*
 * What stands around the parts says nothing to a reader: no encoding is
 * needed for it, nor is there any.  The blank keeps a line that is made from
 * being a delimiter.
 */
static void
mask(struct conversion *c, void *context, const char *p, size_t len)
{
	size_t *column = context, i;
	char octet;

	for (i = 0; i < len; i++) {
		octet = p[i] == '\0' || (c->seven &&
		    (unsigned char)p[i] >= 0x80) ? '?' : p[i];
		*column = octet == '\n' ? 0 : *column + 1;
		if (*column > MESSAGE_LINE_MAX && octet != '\r') {
			buffer_put(&c->out, "\r\n ", 3);
			*column = 2;
		}
		buffer_put(&c->out, &octet, 1);
	}
}

static bool
around(struct conversion *c, uint64_t end, struct failure *why)
{
	size_t column = 0;

	return through(c, end, &column, mask, why);
}

/* --- headers -------------------------------------------------------------- */

/* What becomes of an entity's header. */
struct header_plan {
	const struct entity *entity;
	struct mime mime;
	const char *encoding;		/* that it is to name, or NULL */
	bool encode;			/* its content is encoded anew */
	bool is_message;		/* not a part's */
	bool beyond;			/* octets beyond ASCII must go */
	bool type_done, encoding_done;
	struct pool *pool;
	struct buffer *out;
};

static bool
is_again(const struct entity *e)
{
	return e->encoding == MIME_QUOTED_PRINTABLE ||
	    e->encoding == MIME_BASE64;
}

/* The encoding that the content gets, or the label that fits it. */
static void
plan_encoding(const struct conversion *c, struct header_plan *p)
{
	const struct entity *e = p->entity;

	if (p->encode && !is_again(e))
		p->encoding = e->kind == MIME_TEXT ? "quoted-printable" :
		    "base64";
	else if (c->seven && (e->encoding == MIME_8BIT ||
	    e->encoding == MIME_BINARY))
		p->encoding = "7bit";
	else if (e->encoding == MIME_BINARY)
		p->encoding = "8bit";
}

static const char *
charset_of(const struct part_facts *f)
{
	return !f->beyond ? "us-ascii" : f->not_utf8 ? "unknown-8bit" :
	    "UTF-8";
}

/* The charset to be named where none is; of HTML its own text may tell. */
static const char *
missing_charset(const struct header_plan *p, const char *type)
{
	const struct entity *e = p->entity;

	if (!p->encode || e->kind != MIME_TEXT || p->mime.charset != NULL ||
	    is_again(e) || !e->facts.beyond || (e->facts.not_utf8 &&
	    strncasecmp(type, "text/plain", 10) != 0))
		return NULL;
	return charset_of(&e->facts);
}

/* A type that means nothing, or a multipart that has no parts, is text. */
static bool
is_meaningless(const struct header_plan *p)
{
	return p->encode && (!p->mime.has_type ||
	    (p->entity->kind == MIME_TEXT && p->mime.kind != MIME_TEXT));
}

static void
put_plain_type(struct header_plan *p)
{
	buffer_printf(p->out, "Content-Type: text/plain; charset=%s\r\n",
	    charset_of(&p->entity->facts));
	p->type_done = true;
}

static bool
put_field(struct header_plan *p, const struct field *f, struct failure *why)
{
	bool stays = !p->beyond && utf8_beyond(f->text, f->len) && is_utf8(f);
	const char *text;

	if (!must_change(f, p->beyond)) {
		buffer_put(p->out, f->text, f->len);
		return true;
	}
	if (!(stays && downgrade_fold(f, &text, p->pool)) &&
	    !downgrade_field(f, &text, p->pool, why))
		return false;
	buffer_put(p->out, text, strlen(text));
	return true;
}

/* Behind the last parameter, and the ";" that may stand there already. */
static void
add_charset(struct buffer *out, const char *charset)
{
	while (strchr("\r\n\t ;", out->data[out->end - 1]) != NULL)
		out->end--;
	buffer_printf(out, ";\r\n charset=%s\r\n", charset);
}

static bool
put_type(struct header_plan *p, const struct field *f, struct failure *why)
{
	const char *charset = missing_charset(p, field_value(f, p->pool));

	if (p->type_done)
		return p->encode || put_field(p, f, why);
	if (is_meaningless(p)) {
		put_plain_type(p);
		return true;
	}
	p->type_done = true;
	if (!put_field(p, f, why))
		return false;
	if (charset != NULL)
		add_charset(p->out, charset);
	return true;
}

static void
put_encoding(struct header_plan *p)
{
	if (!p->encoding_done)
		buffer_printf(p->out, "Content-Transfer-Encoding: %s\r\n",
		    p->encoding);
	p->encoding_done = true;
}

static bool
put_fields(struct header_plan *p, const struct field *fields, size_t n,
    struct failure *why)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < n && ok; i++) {
		if (field_is(&fields[i], "Content-Type"))
			ok = put_type(p, &fields[i], why);
		else if (p->encoding != NULL && field_is(&fields[i],
		    "Content-Transfer-Encoding"))
			put_encoding(p);
		else
			ok = put_field(p, &fields[i], why);
	}
	if (!ok || p->encoding == NULL)
		return ok;
	if (p->is_message && !p->mime.has_version)
		buffer_printf(p->out, "MIME-Version: 1.0\r\n");
	if (p->encode && !p->type_done && !is_again(p->entity) &&
	    p->entity->kind == MIME_TEXT)
		put_plain_type(p);
	put_encoding(p);
	return true;
}

static bool
is_in_digest(const struct conversion *c, const struct entity *e)
{
	const struct entity *list = c->parts.list;

	return e != list && list[e->parent].is_digest;
}

/* The delimiters in the body must stay those that the header names. */
static bool
keeps_boundary(const struct conversion *c, const struct header_plan *p,
    struct failure *why)
{
	const char *boundary = p->mime.boundary;
	enum mime_kind kind = p->entity != NULL ? p->entity->kind :
	    p->mime.kind;

	return kind != MIME_MULTIPART || boundary == NULL ||
	    !utf8_beyond_ascii(boundary) || (!p->beyond && !c->seven &&
	    utf8_is(boundary)) || fail(why, FAILURE_MESSAGE, "a boundary of "
	    "the message has octets beyond ASCII, so it cannot be converted");
}

/* Whole lines of an entity's header, without the blank one at its end. */
static bool
convert_header(struct conversion *c, const struct entity *e,
    const char *text, size_t len, struct buffer *out, struct failure *why)
{
	struct header_plan p = { .entity = e, .pool = pool_new(), .out = out,
	    .beyond = c->header };
	struct field *fields = NULL;
	size_t n = 0;
	bool ok;

	header_split(text, len, &fields, &n, p.pool);
	mime_read(&p.mime, fields, n, e != NULL && is_in_digest(c, e),
	    p.pool);
	if (e != NULL) {
		p.is_message = e == c->parts.list ||
		    c->parts.list[e->parent].kind == MIME_MESSAGE;
		p.beyond = e == c->parts.list ? c->header : c->seven;
		p.encode = e->kind < MIME_MULTIPART &&
		    needs_encoding(c, &e->facts);
		plan_encoding(c, &p);
	}
	ok = keeps_boundary(c, &p, why) && put_fields(&p, fields, n, why);
	pool_free(p.pool);
	return ok;
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
	size_t column = 0;

	if (header_name(p, len) > 0)
		return convert_header(c, NULL, p, len, &c->out, why);
	mask(c, &column, p, len);
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

	c->to->body = spool_new(spool_directory(c->from->body));
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
