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

enum { WORD_TOO_LONG = 900 };		/* to be left for a line of its own */

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

/* --- tokens --------------------------------------------------------------- */

struct list {
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
blank_before(const struct list *l, size_t i)
{
	return l->value + (i > 0 ? l->tokens[i - 1].end : 0);
}

/* Word by word, unless a backslash or a comment within needs its other half. */
static void
put_comment(struct list *l)
{
	const struct token *t = &l->tokens[l->at];
	const char *blank = blank_before(l, l->at++);
	const char *raw = l->value + t->start;
	size_t nblank = (size_t)(raw - blank), len = t->end - t->start;

	if (!utf8_beyond(raw, len) && len <= WORD_TOO_LONG) {
		folded_put(l->out, blank, nblank, raw, len);
		return;
	}
	folded_open(l->out, blank, nblank);
	if (strlen(t->text) == len - 2 && strpbrk(t->text, "()") == NULL)
		put_text(l->out, t->text, l->pool);
	else
		folded_encoded(l->out, "", 0, t->text, strlen(t->text));
	folded_close(l->out);
}

/*
 * To the next blank, comment or "<": there is no way to say it in ASCII, and
 * who refers to it masks it alike.
 */
static void
put_masked_tokens(struct list *l)
{
	const struct token *t = &l->tokens[l->at];
	const char *blank = blank_before(l, l->at), *raw = l->value + t->start;
	size_t nblank = (size_t)(raw - blank), len, i;
	char *text;

	do
		t = &l->tokens[++l->at];
	while (t->kind != TOKEN_END && t->kind != TOKEN_COMMENT && !t->blank &&
	    !is_special(t, '<'));
	len = l->tokens[l->at - 1].end - (size_t)(raw - l->value);
	text = pool_octets(l->pool, raw, len);
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			text[i] = '?';
	folded_put(l->out, blank, nblank, text, len);
}

/* Calls each() for the things of a list; what is none is mere text. */
static void
put_list(struct folded *out, const char *value, void (*each)(struct list *),
    struct pool *pool)
{
	const char *wrong;
	struct list l = { .out = out, .value = value, .pool = pool,
	    .tokens = token_list(value, pool, &wrong) };

	if (l.tokens == NULL) {
		put_text(out, value, pool);
		return;
	}
	while (l.tokens[l.at].kind != TOKEN_END) {
		if (l.tokens[l.at].kind == TOKEN_COMMENT)
			put_comment(&l);
		else
			each(&l);
	}
}

static void
put_tokens(struct folded *out, const char *value, struct pool *pool)
{
	put_list(out, value, put_masked_tokens, pool);
}

/* --- mailboxes ------------------------------------------------------------ */

/*
 * Where what begins with a word at i ends: an address (words, "@", words) or
 * a name, which may have comments, and an "@" that should have been quoted.
 */
static size_t
item_end(const struct list *l, size_t i, bool *address)
{
	const struct token *t;
	size_t end;

	*address = false;
	for (end = i;; end++) {
		t = &l->tokens[end];
		*address = *address || is_special(t, '@');
		if (t->kind == TOKEN_END || (*address &&
		    t->kind == TOKEN_COMMENT) || (t->kind == TOKEN_SPECIAL &&
		    t->special != '.' && t->special != '@'))
			break;
	}
	while (t->kind == TOKEN_COMMENT)
		t++;
	*address = *address && !is_special(t, '<');
	return end;
}

/* Words without a blank between them are one. */
static size_t
phrase_word(struct list *l, struct words *w, size_t i, size_t end)
{
	const struct token *first = &l->tokens[i], *t = first;
	const char *raw = l->value + first->start;
	struct buffer text = { 0 };
	struct word *word;
	size_t start = i;

	do {
		t = &l->tokens[i++];
		if (t->kind == TOKEN_SPECIAL)
			buffer_put(&text, &t->special, 1);
		else
			buffer_put(&text, t->text, strlen(t->text));
	} while (i < end && !l->tokens[i].blank &&
	    l->tokens[i].kind != TOKEN_COMMENT);
	word = add_word(w, blank_before(l, start), raw,
	    t->end - first->start);
	if (first->kind == TOKEN_QUOTED && word->kind == ENCODED)
		word->kind = PLAIN;
	word->text = pool_octets(l->pool, buffer_data(&text),
	    buffer_len(&text));
	buffer_free(&text);
	return i;
}

/* A display name, or the name of a group. */
static void
put_phrase(struct list *l, size_t end)
{
	struct words w = { .pool = l->pool };

	while (l->at < end) {
		if (l->tokens[l->at].kind != TOKEN_COMMENT) {
			l->at = phrase_word(l, &w, l->at, end);
			continue;
		}
		put_words(l->out, &w);
		w.n = 0;
		put_comment(l);
	}
	put_words(l->out, &w);
}

struct spec {
	size_t at_sign;			/* token, or that of the end */
	bool beyond;			/* cannot be said in ASCII */
	const char *ascii;		/* domain, or NULL: as it stands */
};

static bool
any_beyond(const struct list *l, size_t i, size_t end)
{
	return i < end && utf8_beyond(l->value + l->tokens[i].start,
	    l->tokens[end - 1].end - l->tokens[i].start);
}

static struct spec
spec_of(const struct list *l, size_t i, size_t end)
{
	struct spec s = { .at_sign = end };
	const char *domain;
	size_t j;

	for (j = i; j < end; j++)
		if (is_special(&l->tokens[j], '@'))
			s.at_sign = j;
	s.beyond = any_beyond(l, i, s.at_sign);
	if (!any_beyond(l, s.at_sign + 1, end))
		return s;
	domain = l->value + l->tokens[s.at_sign + 1].start;
	s.ascii = idn_ascii(pool_octets(l->pool, domain, (size_t)(l->value +
	    l->tokens[end - 1].end - domain)), l->pool);
	s.beyond = s.beyond || s.ascii == NULL;
	return s;
}

/* The address is shown and cannot be written to (RFC 6857 section 3.1.7). */
static void
put_lost(struct list *l, size_t i, size_t end)
{
	const char *text = l->value + l->tokens[i].start;

	folded_encoded(l->out, " ", 1, text,
	    l->tokens[end - 1].end - l->tokens[i].start);
	if (l->in_group)
		folded_put(l->out, " ", 1, "<address@invalid>", 17);
	else
		folded_put(l->out, " ", 1, ":;", 2);
}

/* The tokens from i to end, an addr-spec; around it perhaps "<" and ">". */
static void
put_address(struct list *l, size_t i, size_t end, bool angle)
{
	const struct spec s = spec_of(l, i, end);
	const struct token *t = l->tokens;
	const char *blank = blank_before(l, i - angle);
	const char *text = l->value + t[i - angle].start;
	size_t nblank = (size_t)(text - blank);

	if (s.beyond) {
		put_lost(l, i, end);
		return;
	}
	if (s.ascii != NULL)
		text = pool_printf(l->pool, "%.*s%s%s", (int)(l->value +
		    t[s.at_sign].end - text), text, s.ascii, angle ? ">" : "");
	else
		text = pool_octets(l->pool, text, (size_t)(l->value +
		    t[end - !angle].end - text));
	folded_put(l->out, blank, nblank, text, strlen(text));
}

/* "<" addr-spec ">", as far as it is one. */
static void
put_angle(struct list *l)
{
	size_t i = l->at + 1, end = i;

	while (l->tokens[end].kind != TOKEN_END &&
	    !is_special(&l->tokens[end], '>'))
		end++;
	if (end > i && is_special(&l->tokens[end], '>')) {
		put_address(l, i, end, true);
		l->at = end + 1;
		return;
	}
	folded_put(l->out, " ", 1, "<", 1);
	l->at = i;
}

static void
put_special(struct list *l)
{
	char c = l->tokens[l->at++].special;

	folded_special(l->out, c);
	if (c == ':' || c == ';')
		l->in_group = c == ':';
}

/* The next thing of the list. */
static void
put_item(struct list *l)
{
	const struct token *t = &l->tokens[l->at];
	bool address;
	size_t end;

	if (is_special(t, '<')) {
		put_angle(l);
		return;
	}
	if (t->kind == TOKEN_SPECIAL && t->special != '.') {
		put_special(l);
		return;
	}
	end = item_end(l, l->at, &address);
	if (!address) {
		put_phrase(l, end);
		return;
	}
	put_address(l, l->at, end, false);
	l->at = end;
}

static void
put_mailboxes(struct folded *out, const char *value, struct pool *pool)
{
	put_list(out, value, put_item, pool);
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
	const char *wrong;
	struct list l = { .value = field_value(f, pool), .pool = pool };
	bool address;
	size_t i, end;

	if (!utf8_beyond(f->text, f->len))
		return false;
	if (form_of(f) != MAILBOXES)
		return loses_boundary(f, pool);
	l.tokens = token_list(l.value, pool, &wrong);
	for (i = 0; l.tokens != NULL && l.tokens[i].kind != TOKEN_END;
	    i = end) {
		end = i + 1;
		if (l.tokens[i].kind == TOKEN_COMMENT ||
		    l.tokens[i].kind == TOKEN_SPECIAL)
			continue;
		end = item_end(&l, i, &address);
		if (address && spec_of(&l, i, end).beyond)
			return true;
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
put_percent(struct buffer *b, const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (is_attribute_char(p[i]))
			buffer_put(b, p + i, 1);
		else
			buffer_printf(b, "%%%02X", (unsigned char)p[i]);
}

/* How much of the value a line of room octets holds; no character is cut. */
static size_t
segment(const char *value, size_t left, size_t room)
{
	size_t n = room / 3, back = 0;

	if (left <= n)
		return left;
	while (back < 3 && ((unsigned char)value[n - back] & 0xc0) == 0x80)
		back++;
	return n - back;
}

/* name*=charset''value, or name*0*=, name*1*= and so on, a line for each. */
static void
put_extended(struct folded *out, const struct mime_parameter *p, bool last)
{
	size_t name = strlen(p->name), left = strlen(p->value), n, i = 0;
	size_t room = WORDS_LINE - 24 - (name < 40 ? name : 0);
	bool whole = 3 * left + name + 20 < WORDS_LINE;
	const char *value = p->value;
	struct buffer b = { 0 };

	do {
		n = whole ? left : segment(value, left, room);
		buffer_put(&b, p->name, name);
		if (!whole)
			buffer_printf(&b, "*%zu", i);
		buffer_printf(&b, "*=%s%s", i == 0 ? words_charset(p->value,
		    strlen(p->value)) : "", i == 0 ? "''" : "");
		put_percent(&b, value, n);
		value += n;
		left -= n;
		if (left > 0 || !last)
			buffer_put(&b, ";", 1);
		folded_put(out, " ", 1, buffer_data(&b), buffer_len(&b));
		buffer_free(&b);
		i++;
	} while (left > 0);
}

/*
 * What is no parameter, or is written as RFC 2231 has it but for octets.  A
 * token may have "_", but no "?".
 */
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
			put_percent(&b, p + i, 1);
		else
			buffer_put(&b, "_", 1);
	}
	if (!last)
		buffer_put(&b, ";", 1);
	folded_put(out, " ", 1, buffer_data(&b), buffer_len(&b));
	buffer_free(&b);
}

/* Is it said as RFC 2231 has it as well, for readers that know that? */
static bool
has_extended(const struct mime_parameter *list, size_t n, const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < n; i++)
		if (strncmp(list[i].name, name, len) == 0 &&
		    list[i].name[len] == '*')
			return true;
	return false;
}

static bool
must_extend(const struct mime_parameter *p)
{
	return (utf8_beyond_ascii(p->value) ||
	    p->end - p->start > WORD_TOO_LONG) && *p->name != '\0' &&
	    strchr(p->name, '*') == NULL && !utf8_beyond_ascii(p->name);
}

/* How many are left: none that is empty, none that would be said twice. */
static size_t
drop_useless(struct mime_parameter *list, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++)
		if (list[i].end > list[i].start && (!must_extend(&list[i]) ||
		    !has_extended(list, n, list[i].name)))
			list[kept++] = list[i];
	return kept;
}

static void
put_parameters(struct folded *out, const char *value, struct pool *pool)
{
	struct mime_parameter *list;
	size_t n, first, i;

	list = mime_parameters(value, &n, &first, pool);
	n = drop_useless(list, n);
	put_masked(out, value, first, n == 0, false);
	for (i = 0; i < n; i++) {
		if (must_extend(&list[i]))
			put_extended(out, &list[i], i + 1 == n);
		else
			put_masked(out, value + list[i].start,
			    list[i].end - list[i].start, i + 1 == n,
			    strchr(list[i].name, '*') != NULL);
	}
}

/* --- all of it ------------------------------------------------------------ */

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
	    struct pool *) = { [TEXT] = put_text,
	    [MAILBOXES] = put_mailboxes, [PARAMETERS] = put_parameters,
	    [TOKENS] = put_tokens };
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
