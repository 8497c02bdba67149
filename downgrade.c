#include "downgrade.h"
#include "buffer.h"
#include "folded.h"
#include "mailboxes.h"
#include "mime.h"
#include "parameters.h"
#include "phrases.h"
#include "utf8.h"

#include <string.h>

enum form {
	TEXT,
	MAILBOXES,
	PARAMETERS,
	TOKENS				/* has comments, but no other text */
};

static enum form
form_of(const struct field *f)
{
	static const struct {
		const char *name;
		enum form form;
	} forms[] = {
		{ "From", MAILBOXES },		{ "Sender", MAILBOXES },
		{ "Reply-To", MAILBOXES },	{ "To", MAILBOXES },
		{ "Cc", MAILBOXES },		{ "Bcc", MAILBOXES },
		{ "Resent-From", MAILBOXES },	{ "Resent-Sender", MAILBOXES },
		{ "Resent-Reply-To", MAILBOXES }, { "Resent-To", MAILBOXES },
		{ "Resent-Cc", MAILBOXES },	{ "Resent-Bcc", MAILBOXES },
		{ "Return-Path", MAILBOXES },	{ "Errors-To", MAILBOXES },
		{ "Disposition-Notification-To", MAILBOXES },
		{ "Return-Receipt-To", MAILBOXES },
		{ "Mail-Followup-To", MAILBOXES },
		{ "Mail-Reply-To", MAILBOXES },
		{ "Content-Type", PARAMETERS },
		{ "Content-Disposition", PARAMETERS },
		{ "Date", TOKENS },		{ "Resent-Date", TOKENS },
		{ "Message-ID", TOKENS },	{ "Resent-Message-ID", TOKENS },
		{ "References", TOKENS },	{ "In-Reply-To", TOKENS },
		{ "Received", TOKENS },		{ "MIME-Version", TOKENS },
		{ "Content-ID", TOKENS },
		{ "Content-Transfer-Encoding", TOKENS },
	};
	size_t i;

	for (i = 0; i < sizeof forms / sizeof *forms; i++)
		if (field_is(f, forms[i].name))
			return forms[i].form;
	return TEXT;
}

static size_t
longest_line(const char *p, size_t len)
{
	size_t longest = 0, n;
	const char *nl;

	for (; len > 0; p += n, len -= n) {
		nl = memchr(p, '\n', len);
		n = nl != NULL ? (size_t)(nl + 1 - p) : len;
		if (n > longest)
			longest = n;
	}
	return longest < 2 ? 0 : longest - 2;
}

bool
downgrade_is_too_long(const struct field *f)
{
	return longest_line(f->text, f->len) > FOLDED_LINE_MAX;
}

bool
downgrade_is_needed(const struct field *f)
{
	return utf8_beyond(f->text, f->len) ||
	    memchr(f->text, '\0', f->len) != NULL ||
	    downgrade_is_too_long(f);
}

static bool
loses_boundary(const struct field *f, struct pool *pool)
{
	struct mime m;

	mime_read(&m, f, 1, false, pool);
	return m.boundary != NULL && utf8_beyond_ascii(m.boundary);
}

bool
downgrade_loses(const struct field *f, struct pool *pool)
{
	if (!utf8_beyond(f->text, f->len))
		return false;
	return form_of(f) == MAILBOXES ?
	    mailboxes_lose(field_value(f, pool), pool) :
	    loses_boundary(f, pool);
}

/* The octets of its longest line. */
static size_t
finish(struct folded *out, const char **text, struct pool *pool)
{
	size_t n;

	folded_end(out);
	n = buffer_len(&out->text);
	*text = pool_octets(pool, buffer_data(&out->text), n);
	buffer_free(&out->text);
	return longest_line(*text, n);
}

bool
downgrade_field(const struct field *f, const char **text, struct pool *pool,
    struct failure *why)
{
	static void (*const put[])(struct folded *, const char *,
	    struct pool *) = { [TEXT] = phrase_text,
	    [MAILBOXES] = mailboxes_put, [PARAMETERS] = parameters_put,
	    [TOKENS] = mailboxes_put_tokens };
	struct folded out;
	size_t n;

	folded_begin(&out, f->text, f->name_len);
	put[form_of(f)](&out, field_value(f, pool), pool);
	n = finish(&out, text, pool);
	return n <= FOLDED_LINE_MAX || fail(why, FAILURE_MESSAGE, "the field "
	    "%.*s of the header has a line of %zu octets that cannot be "
	    "folded; mail carries at most %d", (int)f->name_len, f->text, n,
	    FOLDED_LINE_MAX);
}

bool
downgrade_fold(const struct field *f, const char **text, struct pool *pool)
{
	const char *blank = field_value(f, pool), *word;
	struct folded out;
	size_t n;

	folded_begin(&out, f->text, f->name_len);
	for (; *blank != '\0'; blank = word + n) {
		word = blank + strspn(blank, " \t");
		n = strcspn(word, " \t");
		folded_put(&out, blank, (size_t)(word - blank), word, n);
	}
	return finish(&out, text, pool) <= FOLDED_LINE_MAX;
}
