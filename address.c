#include "address.h"
#include "buffer.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/*
 * The text is taken apart into tokens, the tokens into mailboxes.  Nothing
 * recurses, so no depth of comments or groups can exhaust the stack.
 */
enum token_kind { WORD, QUOTED, LITERAL, SPECIAL, COMMENT, END };

struct token {
	enum token_kind kind;
	char special;			/* of SPECIAL */
	bool blank;			/* stands behind white space */
	const char *text;		/* without quotes and escapes */
};

struct parser {
	struct token *tokens;
	size_t n;
	size_t at;
	const char *whole;		/* for error texts */
	struct pool *pool;
	struct failure *why;
	struct mailbox *list;
	size_t count;
	const char *comment;		/* the last one passed */
};

static bool
is_atext(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
bad(struct parser *p, const char *what)
{
	return fail(p->why, FAILURE_ADDRESS, "\"%.200s\" is no address: %s",
	    p->whole, what);
}

static struct token *
add(struct parser *p, enum token_kind kind, bool blank)
{
	struct token *t;

	p->tokens = pool_grow(p->pool, p->tokens, &p->n, sizeof *t);
	t = &p->tokens[p->n - 1];
	t->kind = kind;
	t->blank = blank;
	return t;
}

/*
 * The octets from an opening character to behind its closing one; comments
 * nest, a backslash takes the next octet along.  0 when there is no end.
 */
static size_t
extent(const char *s, char close)
{
	const char *start = s;
	char open = *s;
	size_t depth = 1;

	for (s++; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		else if (*s == close && --depth == 0)
			return (size_t)(s + 1 - start);
		else if (*s == open && open != close)
			depth++;
	}
	return 0;
}

static char *
unescaped(const char *s, size_t len, struct pool *pool)
{
	char *out = pool_alloc(pool, len + 1), *o = out;
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] == '\\' && i + 1 < len)
			i++;
		*o++ = s[i];
	}
	return out;
}

static size_t
token_enclosed(struct parser *p, const char *s, bool blank)
{
	static const struct {
		char open, close;
		enum token_kind kind;
		const char *missing;
	} pairs[] = {
		{ '"', '"', QUOTED, "a quotation mark is missing" },
		{ '(', ')', COMMENT, "a \")\" is missing" },
		{ '[', ']', LITERAL, "a \"]\" is missing" },
	};
	size_t i = *s == '"' ? 0 : *s == '(' ? 1 : 2;
	size_t n = extent(s, pairs[i].close);

	if (n == 0)
		(void)bad(p, pairs[i].missing);
	else
		add(p, pairs[i].kind, blank)->text = unescaped(s + 1, n - 2,
		    p->pool);
	return n;
}

static bool
tokenise(struct parser *p, const char *s)
{
	struct token *t;
	bool blank = false;
	size_t n;

	while (*s != '\0') {
		if (*s == ' ' || *s == '\t') {
			blank = true;
			s++;
			continue;
		}
		if (strchr("\"([", *s) != NULL) {
			if ((n = token_enclosed(p, s, blank)) == 0)
				return false;
			s += n;
		} else if (is_atext(*s)) {
			for (n = 0; is_atext(s[n]); n++)
				;
			t = add(p, WORD, blank);
			t->text = pool_octets(p->pool, s, n);
			s += n;
		} else if (strchr("<>@,;:.", *s) != NULL) {
			t = add(p, SPECIAL, blank);
			t->special = *s++;
		} else {
			return bad(p, "a character in it must be quoted");
		}
		blank = false;
	}
	(void)add(p, END, blank);
	return true;
}

static const struct token *
look(const struct parser *p)
{
	return &p->tokens[p->at];
}

static bool
at_special(const struct parser *p, char c)
{
	return look(p)->kind == SPECIAL && look(p)->special == c;
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
	return look(p)->kind == WORD || look(p)->kind == QUOTED;
}

/* Comments may stand anywhere; the last one may be a name (RFC 822 habit). */
static void
skip_comments(struct parser *p)
{
	for (; look(p)->kind == COMMENT; p->at++)
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
		} else if (dot && (look(p)->kind == WORD ||
		    (look(p)->kind == QUOTED && !domain))) {
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

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if (iscntrl((unsigned char)*s))
			return true;
	return false;
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

/* RFC 3629, so that nothing else is ever called UTF-8 to a server. */
static bool
is_utf8(const char *s)
{
	char shown[4 * ADDRESS_MAX + 16];

	return printable(shown, sizeof shown, s, strlen(s)) &&
	    strlen(shown) == strlen(s);
}

static bool
has_8bit(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return true;
	return false;
}

static bool
check(struct parser *p, struct mailbox *m)
{
	if (strlen(m->local) + (m->domain != NULL ? strlen(m->domain) : 0) >
	    ADDRESS_MAX - 2)
		return bad(p, "it is too long");
	if (has_control(m->local) ||
	    (m->domain != NULL && has_control(m->domain)))
		return bad(p, "it holds control characters");
	m->utf8 = has_8bit(m->local) ||
	    (m->domain != NULL && has_8bit(m->domain));
	if (m->utf8 && (!is_utf8(m->local) ||
	    (m->domain != NULL && !is_utf8(m->domain))))
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
	if (look(p)->kind == LITERAL) {
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
	quoted = look(p)->kind == QUOTED;
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

	while (at_special(p, '@') || at_special(p, ',')) {
		if (take_special(p, ',')) {
			skip_comments(p);
			continue;
		}
		p->at++;
		if (!domain(p, &dropped))
			return false;
		skip_comments(p);
		if (take_special(p, ':'))
			return true;
	}
	return true;
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
		if (t->kind == SPECIAL && t->special != '.')
			return t->special;
		if (t->kind == END || t->kind == LITERAL)
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
	m->name = name != NULL ? name : p->comment;
	return true;
}

static bool
at_separator(const struct parser *p)
{
	return look(p)->kind == END || at_special(p, ',') ||
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
		if (look(p)->kind == END)
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

	if (!tokenise(&p, text) || !list(&p))
		return false;
	*out = p.list;
	*n = p.count;
	return true;
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

/* RFC 5321 section 4.1.2: Dot-string, else Quoted-string. */
static bool
is_dot_string(const char *s)
{
	if (*s == '\0' || *s == '.')
		return false;
	for (; *s != '\0'; s++)
		if (!is_atext(*s) &&
		    (*s != '.' || s[1] == '.' || s[1] == '\0'))
			return false;
	return true;
}

char *
address_path(const struct mailbox *m, struct pool *pool)
{
	char *local, *o;
	const char *s;

	if (*m->local == '\0' && m->domain == NULL)
		return pool_string(pool, "");
	if (is_dot_string(m->local)) {
		local = pool_string(pool, m->local);
	} else {
		local = o = pool_alloc(pool, 2 * strlen(m->local) + 3);
		*o++ = '"';
		for (s = m->local; *s != '\0'; s++) {
			if (*s == '"' || *s == '\\')
				*o++ = '\\';
			*o++ = *s;
		}
		*o = '"';
	}
	return m->domain == NULL ? local :
	    pool_printf(pool, "%s@%s", local, m->domain);
}

char *
address_xtext(const char *s, struct pool *pool)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = pool_alloc(pool, 3 * strlen(s) + 1), *o = out;
	unsigned char c;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if (c > ' ' && c < 0x7f && c != '+' && c != '=') {
			*o++ = *s;
			continue;
		}
		*o++ = '+';
		*o++ = hex[c >> 4];
		*o++ = hex[c & 15];
	}
	return out;
}

/* "*" goes back to the last star when what follows it does not fit. */
static bool
glob(const char *pattern, const char *s)
{
	const char *star = NULL, *retry = NULL;

	while (*s != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (tolower((unsigned char)*pattern) ==
		    tolower((unsigned char)*s)) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

bool
address_matches(const char *pattern, const char *address)
{
	const char *at = strrchr(address, '@');

	if (strchr(pattern, '@') != NULL)
		return glob(pattern, address);
	return at != NULL && glob(pattern, at + 1);
}
