#include "mailboxes.h"
#include "buffer.h"
#include "idn.h"
#include "phrases.h"
#include "token.h"
#include "utf8.h"

#include <string.h>

/* --- tokens --------------------------------------------------------------- */

struct list {
	struct folded *out;
	const char *value;
	const struct token *tokens;
	size_t at;
	bool in_group;
	bool no_end;			/* no ">" is left */
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

	if (!utf8_beyond(raw, len) && len <= PHRASE_WORD_MAX) {
		folded_put(l->out, blank, nblank, raw, len);
		return;
	}
	folded_open(l->out, blank, nblank);
	if (strlen(t->text) == len - 2 && strpbrk(t->text, "()") == NULL)
		phrase_text(l->out, t->text, l->pool);
	else
		folded_encoded(l->out, "", 0, t->text, strlen(t->text));
	folded_close(l->out);
}

/*
 * To the next blank, comment or "<": there is no way to say it in ASCII, and
 * who refers to it masks it alike.  No token of MIME may have a "?".
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
			text[i] = '_';
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
		phrase_text(out, value, pool);
		return;
	}
	while (l.tokens[l.at].kind != TOKEN_END) {
		if (l.tokens[l.at].kind == TOKEN_COMMENT)
			put_comment(&l);
		else
			each(&l);
	}
}

void
mailboxes_put_tokens(struct folded *out, const char *value, struct pool *pool)
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
phrase_word(struct list *l, struct phrase *w, size_t i, size_t end)
{
	const struct token *first = &l->tokens[i], *t;
	const char *raw = l->value + first->start;
	struct buffer text = { 0 };
	struct phrase_word *word;
	size_t start = i;

	do {
		t = &l->tokens[i++];
		if (t->kind == TOKEN_SPECIAL)
			buffer_put(&text, &t->special, 1);
		else
			buffer_put(&text, t->text, strlen(t->text));
	} while (i < end && !l->tokens[i].blank &&
	    l->tokens[i].kind != TOKEN_COMMENT);
	word = phrase_add(w, blank_before(l, start), raw,
	    t->end - first->start);
	if (first->kind == TOKEN_QUOTED && word->kind == PHRASE_ENCODED)
		word->kind = PHRASE_PLAIN;
	word->text = pool_octets(l->pool, buffer_data(&text),
	    buffer_len(&text));
	buffer_free(&text);
	return i;
}

/* A display name, or the name of a group. */
static void
put_phrase(struct list *l, size_t end)
{
	struct phrase w = { .pool = l->pool };

	while (l->at < end) {
		if (l->tokens[l->at].kind != TOKEN_COMMENT) {
			l->at = phrase_word(l, &w, l->at, end);
			continue;
		}
		phrase_put(l->out, &w);
		w.n = 0;
		put_comment(l);
	}
	phrase_put(l->out, &w);
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

	while (!l->no_end && l->tokens[end].kind != TOKEN_END &&
	    !is_special(&l->tokens[end], '>'))
		end++;
	l->no_end = l->tokens[end].kind == TOKEN_END || l->no_end;
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

void
mailboxes_put(struct folded *out, const char *value, struct pool *pool)
{
	put_list(out, value, put_item, pool);
}

bool
mailboxes_lose(const char *value, struct pool *pool)
{
	const char *wrong;
	struct list l = { .value = value, .pool = pool };
	bool address;
	size_t i, end;

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
