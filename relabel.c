#include "relabel.h"
#include "downgrade.h"
#include "utf8.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

bool
relabel_is_utf8(const struct field *f)
{
	struct utf8_check check = { 0 };

	utf8_check(&check, f->text, f->len);
	return !check.bad && check.wanted == 0;
}

bool
relabel_must_change(const struct field *f, bool beyond)
{
	return downgrade_is_needed(f) && (beyond || !relabel_is_utf8(f) ||
	    memchr(f->text, '\0', f->len) != NULL ||
	    downgrade_is_too_long(f));
}

/* Is the content encoded already, so that it is only wrapped anew? */
static bool
is_again(const struct entity *e)
{
	return e->encoding == MIME_QUOTED_PRINTABLE ||
	    e->encoding == MIME_BASE64;
}

/* Where something is encoded or labelled, there is an entity. */
static const struct entity *
content(const struct relabel *p)
{
	assert(p->entity != NULL);
	return p->entity;
}

/* The encoding that the content gets, or the label that fits it. */
static void
plan_encoding(struct relabel *p)
{
	const struct entity *e = content(p);

	if (p->encode && !is_again(e))
		p->encoding = e->kind == MIME_TEXT ? "quoted-printable" :
		    "base64";
	else if (p->seven && (e->encoding == MIME_8BIT ||
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
missing_charset(const struct relabel *p, const char *type)
{
	const struct entity *e;

	if (!p->encode || p->mime.charset != NULL)
		return NULL;
	e = content(p);
	if (e->kind != MIME_TEXT || is_again(e) || !e->facts.beyond ||
	    (e->facts.not_utf8 && strncasecmp(type, "text/plain", 10) != 0))
		return NULL;
	return charset_of(&e->facts);
}

/* A type that means nothing, or a multipart that has no parts, is text. */
static bool
is_meaningless(const struct relabel *p)
{
	return p->encode && (!p->mime.has_type ||
	    (content(p)->kind == MIME_TEXT && p->mime.kind != MIME_TEXT));
}

static void
put_plain_type(struct relabel *p)
{
	buffer_printf(p->out, "Content-Type: text/plain; charset=%s\r\n",
	    charset_of(&content(p)->facts));
	p->type_done = true;
}

static bool
put_field(struct relabel *p, const struct field *f, struct failure *why)
{
	bool stays = !p->beyond && utf8_beyond(f->text, f->len) &&
	    relabel_is_utf8(f);
	const char *text;

	if (!relabel_must_change(f, p->beyond)) {
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
put_type(struct relabel *p, const struct field *f, struct failure *why)
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
put_encoding(struct relabel *p)
{
	if (!p->encoding_done)
		buffer_printf(p->out, "Content-Transfer-Encoding: %s\r\n",
		    p->encoding);
	p->encoding_done = true;
}

static bool
put_fields(struct relabel *p, const struct field *fields, size_t n,
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
	if (p->encode && !p->type_done && !is_again(content(p)) &&
	    content(p)->kind == MIME_TEXT)
		put_plain_type(p);
	put_encoding(p);
	return true;
}

/* The delimiters in the body must stay those that the header names. */
static bool
keeps_boundary(const struct relabel *p, struct failure *why)
{
	const char *boundary = p->mime.boundary;
	enum mime_kind kind = p->entity != NULL ? p->entity->kind :
	    p->mime.kind;

	return kind != MIME_MULTIPART || boundary == NULL ||
	    !utf8_beyond_ascii(boundary) || (!p->beyond && !p->seven &&
	    utf8_is(boundary)) || fail(why, FAILURE_MESSAGE, "a boundary of "
	    "the message has octets beyond ASCII, so it cannot be converted");
}

bool
relabel(struct relabel *p, const char *text, size_t len, struct buffer *out,
    struct failure *why)
{
	struct field *fields = NULL;
	size_t n = 0;
	bool ok;

	p->pool = pool_new();
	p->out = out;
	header_split(text, len, &fields, &n, p->pool);
	mime_read(&p->mime, fields, n, p->in_digest, p->pool);
	if (p->entity != NULL)
		plan_encoding(p);
	ok = keeps_boundary(p, why) && put_fields(p, fields, n, why);
	pool_free(p->pool);
	return ok;
}
