#include "address.h"
#include "buffer.h"
#include "token.h"
#include "utf8.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/*
 * The text is taken apart into tokens, the tokens into mailboxes.  Nothing
 * recurses, so no depth of groups can exhaust the stack.
 */
struct parser {
	struct token *tokens;
	size_t at;
	const char *whole;		/* for error texts */
	struct pool *pool;
	struct failure *why;
	struct mailbox *list;
	size_t count;
	const char *comment;		/* the last one passed */
};

static bool
bad(struct parser *p, const char *what)
{
	return fail(p->why, FAILURE_ADDRESS, "\"%.200s\" is no address: %s",
	    p->whole, what);
}

static const struct token *
look(const struct parser *p)
{
	return &p->tokens[p->at];
}

static bool
at_special(const struct parser *p, char c)
{
	return look(p)->kind == TOKEN_SPECIAL && look(p)->special == c;
}

static bool
take_special(struct parser *p, char c)
{
	if (!at_special(p, c))
		return false;
	p->at++;
	return true;
}

static bool
at_word(const struct parser *p)
{
	return look(p)->kind == TOKEN_WORD || look(p)->kind == TOKEN_QUOTED;
}

/* Comments may stand anywhere; the last one may be a name (RFC 822 habit). */
static void
skip_comments(struct parser *p)
{
	for (; look(p)->kind == TOKEN_COMMENT; p->at++)
		p->comment = look(p)->text;
}

static const char *
pooled(struct parser *p, struct buffer *text)
{
	char *out = pool_octets(p->pool, buffer_data(text), buffer_len(text));

	buffer_free(text);
	return out;
}

/*
 * word *("." word), where blanks and comments may stand around the dots
 * (obs-local-part).  Dots at the ends and in a row are kept: they exist.
 */
static const char *
dotted(struct parser *p, bool domain)
{
	struct buffer text = { 0 };
	bool dot = true;

	for (;;) {
		skip_comments(p);
		if (at_special(p, '.')) {
			buffer_put(&text, ".", 1);
			dot = true;
			p->at++;
		} else if (dot && (look(p)->kind == TOKEN_WORD ||
		    (look(p)->kind == TOKEN_QUOTED && !domain))) {
			buffer_put(&text, look(p)->text,
			    strlen(look(p)->text));
			dot = false;
			p->at++;
		} else {
			break;
		}
	}
	return pooled(p, &text);
}

/* Letters, digits, hyphens, underscores in labels; UTF-8 as it is. */
static bool
is_domain(const char *s)
{
	if (*s == '\0' || *s == '.')
		return false;
	for (; *s != '\0'; s++)
		if ((!isalnum((unsigned char)*s) && *s != '-' && *s != '_' &&
		    *s != '.' && (unsigned char)*s < 0x80) ||
		    (*s == '.' && (s[1] == '.' || s[1] == '\0')))
			return false;
	return true;
}

static bool
check(struct parser *p, struct mailbox *m)
{
	if (strlen(m->local) + (m->domain != NULL ? strlen(m->domain) : 0) >
	    ADDRESS_MAX - 2)
		return bad(p, "it is too long");
	if (utf8_has_control(m->local) ||
	    (m->domain != NULL && utf8_has_control(m->domain)))
		return bad(p, "it holds control characters");
	if (!utf8_is(m->local) || (m->domain != NULL && !utf8_is(m->domain)))
		return bad(p, "it is not UTF-8");
	return true;
}

/* Behind "@": a literal or a domain, of which a last dot is dropped. */
static bool
domain(struct parser *p, struct mailbox *m)
{
	const char *text;
	size_t n;

	skip_comments(p);
	if (look(p)->kind == TOKEN_LITERAL) {
		text = look(p)->text;
		p->at++;
		if (*text == '\0' || strpbrk(text, "[]\\<> ") != NULL)
			return bad(p, "this is no address literal");
		m->domain = pool_printf(p->pool, "[%s]", text);
		return true;
	}
	text = dotted(p, true);
	n = strlen(text);
	if (n > 1 && text[n - 1] == '.')
		text = pool_octets(p->pool, text, n - 1);
	if (!is_domain(text))
		return bad(p, *text == '\0' ? "its domain is missing" :
		    "its domain is no domain");
	m->domain = text;
	return true;
}

static bool
addr_spec(struct parser *p, struct mailbox *m)
{
	bool quoted;

	skip_comments(p);
	quoted = look(p)->kind == TOKEN_QUOTED;
	m->local = dotted(p, false);
	if (*m->local == '\0' && !quoted)
		return bad(p, "its local part is missing");
	return !take_special(p, '@') || domain(p, m);
}

/* "@a,@b:" before the addr-spec, obsolete since RFC 2822, says nothing. */
static bool
route(struct parser *p)
{
	struct mailbox dropped = { 0 };
	bool any = false;

	for (; at_special(p, '@') || at_special(p, ','); any = true) {
		if (take_special(p, '@') && !domain(p, &dropped))
			return false;
		(void)take_special(p, ',');
		skip_comments(p);
	}
	return !any || take_special(p, ':') || bad(p, "a \":\" is missing "
	    "behind its route");
}

static bool
angle(struct parser *p, struct mailbox *m)
{
	skip_comments(p);
	if (!route(p) || !addr_spec(p, m))
		return false;
	skip_comments(p);
	if (!take_special(p, '>'))
		return bad(p, "a \">\" is missing");
	return true;
}

/* Words, and the dots that the obsolete phrase allows, up to what follows. */
static const char *
phrase(struct parser *p)
{
	struct buffer text = { 0 };
	const struct token *t;

	for (;; p->at++) {
		skip_comments(p);
		t = look(p);
		if (!at_special(p, '.') && !at_word(p))
			break;
		if (t->blank && buffer_len(&text) > 0)
			buffer_put(&text, " ", 1);
		buffer_put(&text, at_word(p) ? t->text : ".",
		    at_word(p) ? strlen(t->text) : 1);
	}
	return buffer_len(&text) > 0 ? pooled(p, &text) : NULL;
}

/* What stands behind the words decides what the words are. */
static char
ahead(const struct parser *p)
{
	size_t i = p->at;
	const struct token *t;

	for (;; i++) {
		t = &p->tokens[i];
		if (t->kind == TOKEN_SPECIAL && t->special != '.')
			return t->special;
		if (t->kind == TOKEN_END || t->kind == TOKEN_LITERAL)
			return '\0';
	}
}

static bool
keep(struct parser *p, const struct mailbox *m)
{
	p->list = pool_grow(p->pool, p->list, &p->count, sizeof *p->list);
	p->list[p->count - 1] = *m;
	return check(p, &p->list[p->count - 1]);
}

static bool
mailbox(struct parser *p, struct mailbox *m)
{
	const char *name = NULL;

	*m = (struct mailbox){ 0 };
	p->comment = NULL;
	m->start = look(p)->start;
	skip_comments(p);
	if (ahead(p) == '<') {
		name = phrase(p);
		p->at++;
		if (!angle(p, m))
			return false;
	} else if (!addr_spec(p, m)) {
		return false;
	}
	skip_comments(p);
	m->end = p->tokens[p->at - 1].end;
	if (name == NULL && p->comment != NULL)
		name = pool_string(p->pool, p->comment);
	m->name = name;
	return true;
}

static bool
at_separator(const struct parser *p)
{
	return look(p)->kind == TOKEN_END || at_special(p, ',') ||
	    at_special(p, ';');
}

/*
 * One item and what follows it.  Whole addresses with nothing but blanks
 * between are several; bare words could be a name, so those are not guessed.
 */
static bool
item(struct parser *p, bool in_group)
{
	struct mailbox m;
	bool more, chain = false;

	do {
		if (!mailbox(p, &m))
			return false;
		more = !at_separator(p);
		if (((more || chain) && m.domain == NULL) ||
		    (more && (!look(p)->blank || in_group)))
			return bad(p, "a comma or an \"@\" is missing");
		chain = more;
		m.guessed = more || (!in_group && at_special(p, ';'));
		if (!keep(p, &m))
			return false;
	} while (more);
	return true;
}

static bool
list(struct parser *p)
{
	bool in_group = false;

	for (;;) {
		skip_comments(p);
		if (look(p)->kind == TOKEN_END)
			return !in_group || bad(p, "the group lacks its "
			    "\";\"");
		if (take_special(p, ','))
			continue;
		if (take_special(p, ';')) {
			in_group = false;
			continue;
		}
		if (!in_group && ahead(p) == ':') {
			(void)phrase(p);
			p->at++;
			in_group = true;
			continue;
		}
		if (!item(p, in_group))
			return false;
	}
}

bool
address_list(const char *text, struct pool *pool, struct mailbox **out,
    size_t *n, struct failure *why)
{
	struct parser p = { .whole = text, .pool = pool, .why = why };
	struct pool *scratch = pool_new();	/* much more than what is kept */
	const char *wrong = NULL;
	bool ok;

	p.tokens = token_list(text, scratch, &wrong);
	ok = p.tokens != NULL ? list(&p) : bad(&p, wrong);
	pool_free(scratch);
	if (ok) {
		*out = p.list;
		*n = p.count;
	}
	return ok;
}

bool
address_sender(const char *text, struct pool *pool, struct mailbox *out,
    struct failure *why)
{
	const char *p = text + strspn(text, " \t");
	struct mailbox *found;
	size_t n;

	if (*p == '\0' || (strncmp(p, "<>", 2) == 0 &&
	    p[2 + strspn(p + 2, " \t")] == '\0')) {
		*out = (struct mailbox){ .local = "" };
		return true;
	}
	if (!address_list(text, pool, &found, &n, why))
		return false;
	if (n != 1)
		return fail(why, FAILURE_ADDRESS, "\"%.200s\" is not one "
		    "address but %zu", text, n);
	*out = *found;
	return true;
}

