#include "token.h"

#include <ctype.h>
#include <string.h>

struct list {
	const char *source;
	struct token *tokens;
	size_t n;
	struct pool *pool;
};

bool
token_is_atext(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

bool
token_is_dotted(const char *s)
{
	if (*s == '\0' || *s == '.')
		return false;
	for (; *s != '\0'; s++)
		if (!token_is_atext(*s) &&
		    (*s != '.' || s[1] == '.' || s[1] == '\0'))
			return false;
	return true;
}

char *
token_quoted(const char *s, struct pool *pool)
{
	char *out = pool_alloc(pool, 2 * strlen(s) + 3), *o = out;

	*o++ = '"';
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			*o++ = '\\';
		*o++ = *s;
	}
	*o = '"';
	return out;
}

/* len octets at p become the next token; its text is set by who knows it. */
static struct token *
add(struct list *l, enum token_kind kind, const char *p, size_t len)
{
	struct token *t;

	l->tokens = pool_grow(l->pool, l->tokens, &l->n, sizeof *t);
	t = &l->tokens[l->n - 1];
	t->kind = kind;
	t->start = (size_t)(p - l->source);
	t->end = t->start + len;
	t->blank = p > l->source && strchr(" \t", p[-1]) != NULL;
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

/* The octets taken, or 0. */
static size_t
enclosed(struct list *l, const char *s, const char **wrong)
{
	static const struct {
		char close;
		enum token_kind kind;
		const char *missing;
	} pairs[] = {
		{ '"', TOKEN_QUOTED, "a quotation mark is missing" },
		{ ')', TOKEN_COMMENT, "a \")\" is missing" },
		{ ']', TOKEN_LITERAL, "a \"]\" is missing" },
	};
	size_t i = *s == '"' ? 0 : *s == '(' ? 1 : 2;
	size_t n = extent(s, pairs[i].close);

	if (n == 0)
		*wrong = pairs[i].missing;
	else
		add(l, pairs[i].kind, s, n)->text = unescaped(s + 1, n - 2,
		    l->pool);
	return n;
}

static size_t
word(struct list *l, const char *s)
{
	size_t n = 0;

	while (token_is_atext(s[n]))
		n++;
	add(l, TOKEN_WORD, s, n)->text = pool_octets(l->pool, s, n);
	return n;
}

struct token *
token_list(const char *text, struct pool *pool, const char **wrong)
{
	struct list l = { .source = text, .pool = pool };
	const char *s = text;
	size_t n;

	for (s += strspn(s, " \t"); *s != '\0'; s += strspn(s, " \t")) {
		if (strchr("\"([", *s) != NULL) {
			if ((n = enclosed(&l, s, wrong)) == 0)
				return NULL;
			s += n;
		} else if (token_is_atext(*s)) {
			s += word(&l, s);
		} else if (strchr("<>@,;:.", *s) != NULL) {
			add(&l, TOKEN_SPECIAL, s, 1)->special = *s;
			s++;
		} else {
			*wrong = "a character in it must be quoted";
			return NULL;
		}
	}
	(void)add(&l, TOKEN_END, s, 0);
	return l.tokens;
}
