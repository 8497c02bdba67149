#include "compose.h"
#include "attach.h"
#include "crypto.h"
#include "encode.h"
#include "file.h"
#include "signals.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 48 * 1024 };

/* A file that the command line names. */
struct source {
	int fd;
	const char *option;
	const char *name;
};

/* The message that was given, and what it becomes, piece by piece. */
struct composing {
	const struct options *options;
	const struct caller *caller;
	struct pool *pool;
	bool own;			/* its text is --body's or --test's */
	struct message *given;
	uint64_t at;			/* octets of its body that are out */
	bool begun;			/* the header is out */
	const char *boundary;		/* NULL: there are no attachments */
	size_t file;			/* the attachment whose turn it is */
	struct source source;		/* of it; name NULL: not open */
	struct encode encode;
};

bool
compose_is_made(const struct options *o)
{
	const struct writing *w = &o->writing;

	return w->body != NULL || w->data != NULL || w->test ||
	    (o->mode == MODE_TRIAL && w->nfiles > 0);
}

/* --- files ----------------------------------------------------------------- */

static bool
cannot(const struct source *s, const char *reason, struct failure *why)
{
	return fail(why, FAILURE_NOINPUT, "--%s: %s: %s; nothing was sent",
	    s->option, s->name, reason);
}

/* "-" is standard input.  What is attached must have an end. */
static bool
open_source(struct source *s, const char *option, const char *name,
    struct failure *why)
{
	bool attached = strcmp(option, "attach") == 0;

	*s = (struct source){ .option = option, .name = name };
	if (!attached && strcmp(name, "-") == 0) {
		s->fd = dup(STDIN_FILENO);
		return s->fd >= 0 || cannot(s, strerror(errno), why);
	}
	s->fd = attached ? file_open(name) : file_open_any(name);
	return s->fd >= 0 || cannot(s, file_error(errno), why);
}

static void
close_source(struct source *s)
{
	if (s->name != NULL)
		(void)close(s->fd);
	s->name = NULL;
}

/* *n is 0 at the end. */
static bool
read_source(const struct source *s, char *p, size_t room, size_t *n,
    struct failure *why)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	ssize_t got;

	do {
		if (signals_poll(&pfd, 1, -1) < 0)
			return fail(why, FAILURE_INTERRUPTED, "ended by signal "
			    "%d while reading %s; nothing was sent",
			    signals_caught(), s->name);
		got = read(s->fd, p, room);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0)
		return cannot(s, strerror(errno), why);
	*n = (size_t)got;
	return true;
}

static bool
more_of_source(struct input *in, struct failure *why)
{
	size_t n;

	if (!read_source(in->context, buffer_room(&in->octets, PIECE), PIECE,
	    &n, why))
		return false;
	buffer_added(&in->octets, n);
	in->eof = n == 0;
	return true;
}

/* --- what is given --------------------------------------------------------- */

static bool
read_standard_input(struct composing *c, struct failure *why)
{
	struct input in = { .fd = STDIN_FILENO };
	bool ok;

	if (c->caller->stdin_closed)
		return fail(why, FAILURE_NOINPUT, "standard input is closed, "
		    "so there is no message; give it one: %s ... < message",
		    c->options->sendoff ? "sendoff" : "sendmail");
	ok = message_read(&in, !c->options->keep_dots, c->caller->temporary,
	    c->pool, &c->given, why);
	buffer_free(&in.octets);
	return ok;
}

/* Behind a blank line what is read is text, whatever it looks like. */
static bool
read_named(struct composing *c, const char *option, const char *name,
    const char *before, struct failure *why)
{
	struct source source;
	struct input in = { .more = more_of_source, .context = &source };
	bool ok;

	if (!open_source(&source, option, name, why))
		return false;
	buffer_put(&in.octets, before, strlen(before));
	ok = message_read(&in, false, c->caller->temporary, c->pool, &c->given,
	    why);
	buffer_free(&in.octets);
	close_source(&source);
	return ok;
}

static bool
read_text(struct composing *c, const char *text, struct failure *why)
{
	struct input in = { .eof = true };
	bool ok;

	buffer_printf(&in.octets, "\n%s", text);
	ok = message_read(&in, false, NULL, c->pool, &c->given, why);
	buffer_free(&in.octets);
	return ok;
}

static const char *
host(const struct composing *c)
{
	return c->caller->fqdn != NULL ? c->caller->fqdn : c->caller->hostname;
}

static const char *
test_text(const struct composing *c)
{
	return pool_printf(c->pool, "This is a test message: somebody wants "
	    "to know whether it arrives.\n\nsendoff %s has sent it for %s at "
	    "%s,\n%s.\n", VERSION, c->caller->login, host(c),
	    header_date(time(NULL), c->pool));
}

static bool
read_data(struct composing *c, const char *name, struct failure *why)
{
	if (!read_named(c, "data", name, "", why))
		return false;
	if (buffer_len(&c->given->header) > 0 ||
	    spool_size(c->given->body) > 0 || strcmp(name, "-") == 0)
		return true;
	message_free(c->given);
	return fail(why, FAILURE_USAGE, "--data: %s: there is nothing in it",
	    name);
}

static bool
read_given(struct composing *c, struct failure *why)
{
	const struct writing *w = &c->options->writing;
	const char *body = w->body;

	if (w->data != NULL)
		return read_data(c, w->data, why);
	if (!compose_is_made(c->options))
		return read_standard_input(c, why);
	c->own = true;
	if (body == NULL)
		return read_text(c, w->test ? test_text(c) : "", why);
	if (body[0] == '@' && body[1] != '@')
		return read_named(c, "body", body + 1, "\n", why);
	return read_text(c, body + (body[0] == '@'), why);
}

/* --- the header ------------------------------------------------------------ */

/* Is it the field that a --header is about? */
static bool
is_named(const struct writing *w, const struct field *f)
{
	size_t i;

	for (i = 0; i < w->nfields; i++)
		if (strncasecmp(w->fields[i], f->text, f->name_len) == 0 &&
		    header_name(w->fields[i], strlen(w->fields[i])) ==
		    f->name_len)
			return true;
	return false;
}

static bool
has_name(const struct composing *c, const char *name)
{
	const struct field f = { .text = name, .name_len = strlen(name) };

	return is_named(&c->options->writing, &f) ||
	    message_field(c->given, name) != NULL;
}

static const char *
charset_of(bool beyond, const struct utf8_check *check)
{
	return !beyond ? "us-ascii" : check->bad || check->wanted > 0 ?
	    "unknown-8bit" : "utf-8";
}

/* In one pass, where there is a question. */
static bool
charset_of_body(const struct composing *c, const char **charset,
    struct failure *why)
{
	struct utf8_check check = { 0 };
	char block[16 * 1024];
	uint64_t at;
	size_t n = 1;

	for (at = 0; c->given->body_8bit && n > 0; at += n) {
		if (!spool_read(c->given->body, at, block, sizeof block, &n,
		    why))
			return false;
		utf8_check(&check, block, n);
	}
	*charset = charset_of(c->given->body_8bit, &check);
	return true;
}

/* A recipient with a line end in it is told as an error later. */
static void
put_to(const struct composing *c, struct buffer *out)
{
	const struct options *o = c->options;
	size_t i;

	for (i = 0; i < o->nrecipients; i++)
		if (utf8_has_control(o->recipients[i]))
			return;
	for (i = 0; i < o->nrecipients; i++)
		buffer_printf(out, "%s%s%s\r\n", i == 0 ? "To: " : " ",
		    o->recipients[i], i + 1 < o->nrecipients ? "," : "");
}

/* What a message of our own text has, but for what --header says. */
static bool
put_own_fields(const struct composing *c, struct buffer *out,
    struct failure *why)
{
	const char *charset;

	if (!charset_of_body(c, &charset, why))
		return false;
	if (!has_name(c, "To") && !has_name(c, "Cc"))
		put_to(c, out);
	if (c->options->writing.test && !has_name(c, "Subject"))
		buffer_printf(out, "Subject: test from %s, %s\r\n", host(c),
		    header_date(time(NULL), c->pool));
	if (!has_name(c, "MIME-Version"))
		buffer_printf(out, "MIME-Version: 1.0\r\n");
	if (!has_name(c, "Content-Type"))
		buffer_printf(out, "Content-Type: text/plain; charset=%s\r\n",
		    charset);
	if (!has_name(c, "Content-Transfer-Encoding") && c->given->body_8bit)
		buffer_printf(out, "Content-Transfer-Encoding: 8bit\r\n");
	return true;
}

/* "Name:" alone is only taken out. */
static void
put_named_fields(const struct writing *w, struct buffer *out)
{
	const char *colon;
	size_t i;

	for (i = 0; i < w->nfields; i++) {
		colon = strchr(w->fields[i], ':');
		if (colon[1 + strspn(colon + 1, " \t")] != '\0')
			buffer_printf(out, "%s\r\n", w->fields[i]);
	}
}

/* The header as it would be without attachments. */
static bool
edit(const struct composing *c, struct buffer *out, struct failure *why)
{
	const struct writing *w = &c->options->writing;
	const struct message *m = c->given;
	size_t i;

	for (i = 0; i < m->nfields; i++)
		if (!is_named(w, &m->fields[i]))
			buffer_put(out, m->fields[i].text, m->fields[i].len);
	if (c->own && !put_own_fields(c, out, why))
		return false;
	put_named_fields(w, out);
	return true;
}

static bool
is_of_content(const struct field *f)
{
	return f->name_len > 8 && strncasecmp(f->text, "Content-", 8) == 0;
}

static void
put_fields(struct buffer *out, const struct field *fields, size_t n,
    bool of_content)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_of_content(&fields[i]) == of_content)
			buffer_put(out, fields[i].text, fields[i].len);
}

/* What the fields of the content are about is the first part. */
static void
wrap(struct composing *c, const struct buffer *header, struct buffer *out)
{
	struct field *fields = NULL;
	size_t n = 0;

	header_split(buffer_data(header), buffer_len(header), &fields, &n,
	    c->pool);
	put_fields(out, fields, n, false);
	if (!has_name(c, "MIME-Version") && !c->own)
		buffer_printf(out, "MIME-Version: 1.0\r\n");
	buffer_printf(out, "Content-Type: multipart/mixed;\r\n boundary=\"%s\""
	    "\r\n%s\r\n--%s\r\n", c->boundary, c->given->body_8bit ?
	    "Content-Transfer-Encoding: 8bit\r\n" : "", c->boundary);
	put_fields(out, fields, n, true);
}

static bool
put_header(struct composing *c, struct buffer *out, struct failure *why)
{
	struct buffer header = { 0 };
	bool ok = edit(c, &header, why);

	if (ok && c->boundary != NULL)
		wrap(c, &header, out);
	else
		buffer_put(out, buffer_data(&header), buffer_len(&header));
	buffer_put(out, "\r\n", 2);
	buffer_free(&header);
	c->begun = true;
	return ok;
}

/* --- the attachments ------------------------------------------------------- */

/*
 * 128 bits of chance, drawn when all but the files is fixed; base64 has
 * neither "=_" nor "-".
 */
static const char *
new_boundary(struct pool *pool)
{
	unsigned char octets[16];
	char hex[2 * sizeof octets + 1];

	crypto_random(octets, sizeof octets);
	crypto_hex(hex, octets, sizeof octets);
	return pool_printf(pool, "=_%s", hex);
}

/* Of a file of a text type, which is read once for it. */
static bool
charset_of_file(const struct source *s, const char **charset,
    struct failure *why)
{
	struct utf8_check check = { 0 };
	char block[16 * 1024];
	bool beyond = false;
	size_t n = 0;

	do {
		if (!read_source(s, block, sizeof block, &n, why))
			return false;
		beyond = beyond || utf8_beyond(block, n);
		utf8_check(&check, block, n);
	} while (n > 0);
	*charset = charset_of(beyond, &check);
	return lseek(s->fd, 0, SEEK_SET) == 0 || cannot(s, strerror(errno),
	    why);
}

static bool
begin_file(struct composing *c, struct buffer *out, struct failure *why)
{
	const char *name = c->options->writing.files[c->file];
	const char *charset = NULL;

	if (!open_source(&c->source, "attach", name, why) ||
	    (attach_is_text(attach_type(name)) &&
	    !charset_of_file(&c->source, &charset, why)))
		return false;
	c->encode = (struct encode){ .how = ENCODE_BASE64 };
	buffer_printf(out, "\r\n--%s\r\n", c->boundary);
	attach_header(out, name, charset, c->pool);
	return true;
}

static bool
put_file(struct composing *c, struct buffer *out, struct failure *why)
{
	char block[PIECE];
	size_t n = 0;

	if (c->source.name == NULL && !begin_file(c, out, why))
		return false;
	if (!read_source(&c->source, block, sizeof block, &n, why))
		return false;
	encode_octets(&c->encode, block, n, out);
	if (n > 0)
		return true;
	encode_end(&c->encode, out);
	close_source(&c->source);
	c->file++;
	return true;
}

/* --- the whole ------------------------------------------------------------- */

static bool
put_body(struct composing *c, struct buffer *out, struct failure *why)
{
	size_t n;

	if (!spool_read(c->given->body, c->at, buffer_room(out, PIECE), PIECE,
	    &n, why))
		return false;
	buffer_added(out, n);
	c->at += n;
	return true;
}

/* An input for message_read(): the next piece. */
static bool
more(struct input *in, struct failure *why)
{
	struct composing *c = in->context;

	if (!c->begun)
		return put_header(c, &in->octets, why);
	if (c->at < spool_size(c->given->body))
		return put_body(c, &in->octets, why);
	if (c->file < c->options->writing.nfiles)
		return put_file(c, &in->octets, why);
	if (c->boundary != NULL)
		buffer_printf(&in->octets, "\r\n--%s--\r\n", c->boundary);
	in->eof = true;
	return true;
}

static bool
make(struct composing *c, struct message **made, struct failure *why)
{
	struct input in = { .more = more, .context = c };
	bool ok;

	if (c->options->writing.nfiles > 0)
		c->boundary = new_boundary(c->pool);
	ok = message_read(&in, false, c->caller->temporary, c->pool, made,
	    why);
	buffer_free(&in.octets);
	close_source(&c->source);
	return ok;
}

bool
compose_message(const struct options *o, const struct caller *caller,
    struct pool *pool, struct message **out, struct failure *why)
{
	struct composing c = { .options = o, .caller = caller, .pool = pool };
	bool ok;

	if (!read_given(&c, why))
		return false;
	*out = c.given;
	if (!c.own && o->writing.nfields == 0 && o->writing.nfiles == 0)
		return true;
	*out = NULL;
	ok = make(&c, out, why);
	message_free(c.given);
	return ok;
}
