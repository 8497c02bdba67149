#include "downgrade.h"
#include "buffer.h"
#include "folded.h"
#include "idn.h"
#include "mime.h"
#include "token.h"
#include "utf8.h"
#include "words.h"

#include <ctype.h>
#include <string.h>

enum {
	LINE_MAX_OCTETS = 998,		/* RFC 5322 section 2.1.1 */
	WORD_TOO_LONG = 900		/* to be left for a line of its own */
};

enum form { TEXT, MAILBOXES, PARAMETERS };

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
	return longest_line(f->text, f->len) > LINE_MAX_OCTETS;
}

bool
downgrade_is_needed(const struct field *f)
{
	return utf8_beyond(f->text, f->len) ||
	    memchr(f->text, '\0', f->len) != NULL ||
	    downgrade_is_too_long(f);
}

/* --- words ---------------------------------------------------------------- */

enum kind { PLAIN, ENCODED, BEYOND };

/* A word between blanks. */
struct word {
	enum kind kind;
	const char *blank;		/* what stands before it */
	size_t nblank;
	const char *raw;		/* as it stands there */
	size_t nraw;
	const char *text;		/* what it means, when it is BEYOND */
};

struct words {
	struct word *list;
	size_t n;
	struct pool *pool;
};

static struct word *
add_word(struct words *w, const char *blank, const char *raw, size_t nraw)
{
	struct word *word;

	w->list = pool_grow(w->pool, w->list, &w->n, sizeof *w->list);
	word = &w->list[w->n - 1];
	*word = (struct word){ .blank = blank,
	    .nblank = (size_t)(raw - blank), .raw = raw, .nraw = nraw };
	if (utf8_beyond(raw, nraw) || nraw > WORD_TOO_LONG)
		word->kind = BEYOND;
	else if (words_is_encoded(raw, nraw))
		word->kind = ENCODED;
	return word;
}

/*
 * Words that must be encoded stand together in one text with the blanks
 * between them.  A blank between two encoded words is not shown (RFC 2047
 * section 6.2), so the one before a word that was encoded already is taken
 * in.  The index behind the last of them.
 */
static size_t
put_run(struct folded *out, const struct words *w, size_t i)
{
	const struct word *first = &w->list[i];
	struct buffer text = { 0 };

	for (; i < w->n && w->list[i].kind == BEYOND; i++) {
		if (&w->list[i] != first)
			buffer_put(&text, w->list[i].blank,
			    w->list[i].nblank);
		buffer_put(&text, w->list[i].text, strlen(w->list[i].text));
	}
	if (i < w->n && w->list[i].kind == ENCODED)
		buffer_put(&text, w->list[i].blank, w->list[i].nblank);
	folded_encoded(out, first->blank, first->nblank, buffer_data(&text),
	    buffer_len(&text));
	buffer_free(&text);
	return i;
}

static void
put_words(struct folded *out, const struct words *w)
{
	const struct word *word;
	size_t i = 0;

	while (i < w->n) {
		word = &w->list[i];
		if (word->kind == BEYOND) {
			i = put_run(out, w, i);
			continue;
		}
		folded_put(out, word->blank, word->nblank, word->raw,
		    word->nraw);
		out->encoded = word->kind == ENCODED;
		i++;
	}
}

static void
put_text(struct folded *out, const char *value, struct pool *pool)
{
	struct words w = { .pool = pool };
	const char *blank = value;
	struct word *word;
	size_t n;

	while (*blank != '\0') {
		value = blank + strspn(blank, " \t");
		n = strcspn(value, " \t");
		if (n == 0)
			break;
		word = add_word(&w, blank, value, n);
		word->text = pool_octets(pool, value, n);
		blank = value + n;
	}
	put_words(out, &w);
}

/* --- mailboxes ------------------------------------------------------------ */

struct mailboxes {
	struct folded *out;
	const char *value;
	const struct token *tokens;
	size_t at;
	bool in_group;
	struct pool *pool;
};

static bool
is_special(const struct token *t, char c)
{
	return t->kind == TOKEN_SPECIAL && t->special == c;
}

/* What stands between this token and the one before. */
static const char *
blank_before(const struct mailboxes *m, size_t i)
{
	return m->value + (i > 0 ? m->tokens[i - 1].end : 0);
}

/* Where the run of words, dots and comments from i on ends. */
static size_t
run_end(const struct mailboxes *m, size_t i)
{
	while (m->tokens[i].kind != TOKEN_END &&
	    (m->tokens[i].kind != TOKEN_SPECIAL ||
	    is_special(&m->tokens[i], '.')))
		i++;
	return i;
}

/* Where an address ends that begins at i. */
static size_t
address_end(const struct mailboxes *m, size_t i)
{
	while (m->tokens[i].kind != TOKEN_END &&
	    !is_special(&m->tokens[i], ',') &&
	    !is_special(&m->tokens[i], ';') &&
	    !is_special(&m->tokens[i], '>') &&
	    m->tokens[i].kind != TOKEN_COMMENT)
		i++;
	return i;
}

static void
put_comment(struct mailboxes *m, size_t i)
{
	const struct token *t = &m->tokens[i];
	const char *blank = blank_before(m, i);
	const char *raw = m->value + t->start;
	size_t nblank = (size_t)(raw - blank);

	m->at = i + 1;
	if (!utf8_beyond(raw, t->end - t->start)) {
		folded_put(m->out, blank, nblank, raw, t->end - t->start);
		return;
	}
	folded_open(m->out, blank, nblank, "(");
	folded_encoded(m->out, "", 0, t->text, strlen(t->text));
	folded_glue(m->out, ")");
}

/* Words without a blank between them are one. */
static size_t
phrase_word(struct mailboxes *m, struct words *w, size_t i, size_t end)
{
	const struct token *first = &m->tokens[i], *t = first;
	const char *raw = m->value + first->start;
	struct buffer text = { 0 };
	struct word *word;
	size_t start = i;

	do {
		t = &m->tokens[i++];
		if (t->kind == TOKEN_SPECIAL)
			buffer_put(&text, &t->special, 1);
		else
			buffer_put(&text, t->text, strlen(t->text));
	} while (i < end && !m->tokens[i].blank &&
	    m->tokens[i].kind != TOKEN_COMMENT);
	word = add_word(w, blank_before(m, start), raw,
	    t->end - first->start);
	if (first->kind == TOKEN_QUOTED && word->kind == ENCODED)
		word->kind = PLAIN;
	word->text = pool_octets(m->pool, buffer_data(&text),
	    buffer_len(&text));
	buffer_free(&text);
	return i;
}

/* A display name, or the name of a group. */
static void
put_phrase(struct mailboxes *m, size_t end)
{
	struct words w = { .pool = m->pool };

	while (m->at < end) {
		if (m->tokens[m->at].kind != TOKEN_COMMENT) {
			m->at = phrase_word(m, &w, m->at, end);
			continue;
		}
		put_words(m->out, &w);
		w.n = 0;
		put_comment(m, m->at);
	}
	put_words(m->out, &w);
}

struct spec {
	size_t at_sign;			/* token, or that of the end */
	bool beyond;			/* cannot be said in ASCII */
	const char *ascii;		/* domain, or NULL: as it stands */
};

static bool
any_beyond(const struct mailboxes *m, size_t i, size_t end)
{
	return i < end && utf8_beyond(m->value + m->tokens[i].start,
	    m->tokens[end - 1].end - m->tokens[i].start);
}

static struct spec
spec_of(const struct mailboxes *m, size_t i, size_t end)
{
	struct spec s = { .at_sign = end };
	size_t j;
	const char *domain;

	for (j = i; j < end; j++)
		if (is_special(&m->tokens[j], '@'))
			s.at_sign = j;
	if (s.at_sign == end || s.at_sign + 1 >= end)
		return s;
	if (any_beyond(m, s.at_sign + 1, end)) {
		domain = m->value + m->tokens[s.at_sign + 1].start;
		s.ascii = idn_ascii(pool_octets(m->pool, domain,
		    m->tokens[end - 1].end -
		    m->tokens[s.at_sign + 1].start), m->pool);
	}
	s.beyond = any_beyond(m, i, s.at_sign) ||
	    (s.ascii == NULL && any_beyond(m, s.at_sign + 1, end));
	return s;
}

/* The address is shown and cannot be written to (RFC 6857 section 3.1.7). */
static void
put_lost(struct mailboxes *m, size_t i, size_t end, const char *blank)
{
	const char *text = m->value + m->tokens[i].start;

	folded_encoded(m->out, blank, strlen(blank), text,
	    m->tokens[end - 1].end - m->tokens[i].start);
	if (m->in_group)
		folded_put(m->out, " ", 1, "<address@invalid>", 17);
	else
		folded_put(m->out, " ", 1, ":;", 2);
}

/* The tokens from i to end, an addr-spec; around it perhaps "<" and ">". */
static void
put_address(struct mailboxes *m, size_t i, size_t end, bool angle)
{
	const struct spec s = spec_of(m, i, end);
	const struct token *t = m->tokens;
	const char *blank = blank_before(m, angle ? i - 1 : i);
	size_t from = t[angle ? i - 1 : i].start;
	size_t to = t[angle ? end : end - 1].end;
	const char *text = m->value + from;

	if (s.beyond) {
		put_lost(m, i, end, text > blank || m->out->any ? " " : "");
		return;
	}
	if (s.ascii != NULL)
		text = pool_printf(m->pool, "%.*s%s%s",
		    (int)(t[s.at_sign].end - from), text, s.ascii,
		    angle ? ">" : "");
	else
		text = pool_octets(m->pool, text, to - from);
	folded_put(m->out, blank, (size_t)(m->value + from - blank), text,
	    strlen(text));
}

/* "<" addr-spec ">", as far as it is one. */
static void
put_angle(struct mailboxes *m)
{
	size_t i = m->at + 1, end = i;

	while (m->tokens[end].kind != TOKEN_END &&
	    !is_special(&m->tokens[end], '>'))
		end++;
	if (end > i && is_special(&m->tokens[end], '>')) {
		put_address(m, i, end, true);
		m->at = end + 1;
		return;
	}
	folded_put(m->out, " ", 1, "<", 1);
	m->at = i;
}

static void
put_special(struct mailboxes *m)
{
	const struct token *t = &m->tokens[m->at++];

	folded_glue(m->out, (char[]){ t->special, '\0' });
	if (t->special == ':' || t->special == ';')
		m->in_group = t->special == ':';
}

/* The next thing of the list. */
static void
put_item(struct mailboxes *m)
{
	const struct token *t = &m->tokens[m->at];
	size_t end;

	if (t->kind == TOKEN_COMMENT) {
		put_comment(m, m->at);
		return;
	}
	if (t->kind == TOKEN_SPECIAL && t->special != '.') {
		if (t->special == '<')
			put_angle(m);
		else
			put_special(m);
		return;
	}
	end = run_end(m, m->at);
	if (!is_special(&m->tokens[end], '@')) {
		put_phrase(m, end);
		return;
	}
	end = address_end(m, m->at);
	put_address(m, m->at, end, false);
	m->at = end;
}

static void
put_mailboxes(struct folded *out, const char *value, struct pool *pool)
{
	const char *wrong;
	struct mailboxes m = { .out = out, .value = value, .pool = pool,
	    .tokens = token_list(value, pool, &wrong) };

	if (m.tokens == NULL) {
		put_text(out, value, pool);
		return;
	}
	while (m.tokens[m.at].kind != TOKEN_END)
		put_item(&m);
}

bool
downgrade_loses(const struct field *f, struct pool *pool)
{
	const char *wrong;
	struct mailboxes m = { .value = field_value(f, pool), .pool = pool };
	size_t i, start = 0;

	if (form_of(f) != MAILBOXES || !utf8_beyond(f->text, f->len))
		return false;
	m.tokens = token_list(m.value, pool, &wrong);
	for (i = 0; m.tokens != NULL && m.tokens[i].kind != TOKEN_END; i++) {
		if (m.tokens[i].kind != TOKEN_SPECIAL ||
		    is_special(&m.tokens[i], '.'))
			continue;
		if (is_special(&m.tokens[i], '@') && spec_of(&m, start,
		    address_end(&m, start)).beyond)
			return true;
		start = i + 1;
	}
	return false;
}

/* --- parameters ----------------------------------------------------------- */

/* RFC 2231 section 7: what may stand there as it is. */
static bool
is_attribute_char(char c)
{
	return (isalnum((unsigned char)c) && (unsigned char)c < 0x80) ||
	    (c != '\0' && strchr("!#$&+-.^_`{|}~", c) != NULL);
}

static void
put_percent(struct buffer *b, const char *p, size_t len, bool all)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (is_attribute_char(p[i]) ||
		    (!all && (unsigned char)p[i] < 0x80))
			buffer_put(b, p + i, 1);
		else
			buffer_printf(b, "%%%02X", (unsigned char)p[i]);
}

/* name*=charset''value, or name*0*=, name*1*= and so on, a line for each. */
static void
put_extended(struct folded *out, const struct mime_parameter *p, bool last)
{
	size_t room = WORDS_LINE - 24 - (strlen(p->name) < 40 ?
	    strlen(p->name) : 0), left = strlen(p->value), n, i = 0;
	bool whole = 3 * left + strlen(p->name) + 20 < WORDS_LINE;
	const char *value = p->value;
	struct buffer b = { 0 };

	do {
		n = whole || 3 * left <= room ? left : room / 3;
		buffer_put(&b, p->name, strlen(p->name));
		if (!whole)
			buffer_printf(&b, "*%zu", i);
		buffer_printf(&b, "*=%s%s", i == 0 ? words_charset(p->value,
		    strlen(p->value)) : "", i == 0 ? "''" : "");
		put_percent(&b, value, n, true);
		value += n;
		left -= n;
		if (left > 0 || !last)
			buffer_put(&b, ";", 1);
		folded_put(out, " ", 1, buffer_data(&b), buffer_len(&b));
		buffer_free(&b);
		i++;
	} while (left > 0);
}

/* What is no parameter, or is written as RFC 2231 has it but for octets. */
static void
put_masked(struct folded *out, const char *p, size_t len, bool last,
    bool percent)
{
	struct buffer b = { 0 };
	size_t i;

	for (i = 0; i < len; i++) {
		if ((unsigned char)p[i] < 0x80)
			buffer_put(&b, p + i, 1);
		else if (percent)
			put_percent(&b, p + i, 1, false);
		else
			buffer_put(&b, "?", 1);
	}
	if (!last)
		buffer_put(&b, ";", 1);
	folded_put(out, out->any ? " " : "", out->any, buffer_data(&b),
	    buffer_len(&b));
	buffer_free(&b);
}

static void
put_parameters(struct folded *out, const char *value, struct pool *pool)
{
	struct mime_parameter *list;
	size_t n, first, i, len;
	bool star;

	list = mime_parameters(value, &n, &first, pool);
	put_masked(out, value, first, n == 0, false);
	for (i = 0; i < n; i++) {
		len = list[i].end - list[i].start;
		star = strchr(list[i].name, '*') != NULL;
		if (*list[i].name != '\0' && !star &&
		    !utf8_beyond_ascii(list[i].name) &&
		    (utf8_beyond_ascii(list[i].value) ||
		    len > WORD_TOO_LONG))
			put_extended(out, &list[i], i + 1 == n);
		else
			put_masked(out, value + list[i].start, len,
			    i + 1 == n, star);
	}
}

/* --- all of it ------------------------------------------------------------ */

bool
downgrade_field(const struct field *f, const char **text, struct pool *pool,
    struct failure *why)
{
	static void (*const put[])(struct folded *, const char *,
	    struct pool *) = { [TEXT] = put_text,
	    [MAILBOXES] = put_mailboxes, [PARAMETERS] = put_parameters };
	struct folded out = { 0 };
	char *done;
	size_t n;

	folded_begin(&out, f->text, f->name_len);
	put[form_of(f)](&out, field_value(f, pool), pool);
	folded_glue(&out, "\r\n");
	n = buffer_len(&out.text);
	done = pool_octets(pool, buffer_data(&out.text), n);
	buffer_free(&out.text);
	*text = done;
	return longest_line(done, n) <= LINE_MAX_OCTETS ||
	    fail(why, FAILURE_MESSAGE, "the field %.*s of the header has a "
	    "line of %zu octets that cannot be folded; mail carries at most "
	    "%d", (int)f->name_len, f->text, longest_line(done, n),
	    LINE_MAX_OCTETS);
}
