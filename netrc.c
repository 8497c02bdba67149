#include "netrc.h"

#include <string.h>
#include <strings.h>

struct scan {
	const char *p, *end;
	struct buffer word;		/* terminated */
};

struct entry {
	bool applies;			/* to the host */
	bool other_login;
	bool has_password;
	struct buffer password;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_line(struct scan *s)
{
	while (s->p < s->end && *s->p != '\n')
		s->p++;
}

static void
take_octet(struct scan *s)
{
	if (*s->p == '\\' && s->p + 1 < s->end)
		s->p++;
	buffer_put(&s->word, s->p++, 1);
}

/* A quotation that nobody closes ends with its line. */
static void
quoted(struct scan *s)
{
	s->p++;
	while (s->p < s->end && *s->p != '"' && *s->p != '\n')
		take_octet(s);
	if (s->p < s->end && *s->p == '"')
		s->p++;
}

/* The next word into s->word, or false at the end. */
static bool
next(struct scan *s)
{
	buffer_take(&s->word, buffer_len(&s->word));
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
	if (s->p == s->end)
		return false;
	if (*s->p == '"')
		quoted(s);
	else
		while (s->p < s->end && !is_blank(*s->p))
			take_octet(s);
	buffer_put(&s->word, "", 1);
	return true;
}

/* Only where a keyword may stand: a password may begin with '#'. */
static bool
next_keyword(struct scan *s)
{
	for (;;) {
		while (s->p < s->end && is_blank(*s->p))
			s->p++;
		if (s->p == s->end || *s->p != '#')
			return next(s);
		skip_line(s);
	}
}

/* "macdef name" and all lines up to an empty one. */
static void
skip_macro(struct scan *s)
{
	const char *start;

	do {
		skip_line(s);
		start = s->p < s->end ? ++s->p : s->p;
		while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' ||
		    *s->p == '\r'))
			s->p++;
	} while (s->p < s->end && *s->p != '\n' && start != s->end);
}

static bool
is_word(const struct scan *s, const char *word)
{
	return strcmp(buffer_data(&s->word), word) == 0;
}

static bool
finish(struct entry *e, struct buffer *secret)
{
	bool found = e->applies && !e->other_login && e->has_password;

	if (found)
		buffer_put(secret, buffer_data(&e->password),
		    buffer_len(&e->password));
	buffer_wipe(&e->password);
	*e = (struct entry){ .password = BUFFER_SECRET };
	return found;
}

static void
value(struct scan *s, struct entry *e, const char *user)
{
	if (is_word(s, "login")) {
		if (next(s))
			e->other_login = !is_word(s, user);
	} else if (is_word(s, "password")) {
		if (!next(s))
			return;
		buffer_wipe(&e->password);
		buffer_put(&e->password, buffer_data(&s->word),
		    buffer_len(&s->word) - 1);
		e->has_password = true;
	} else if (is_word(s, "account")) {
		(void)next(s);
	} else if (is_word(s, "macdef")) {
		skip_macro(s);
	}
}

bool
netrc_find(const char *text, size_t len, const char *host, const char *user,
    struct buffer *secret)
{
	struct scan s = { .p = text, .end = text + len,
	    .word = BUFFER_SECRET };
	struct entry e = { .password = BUFFER_SECRET };
	bool found = false;

	while (!found && next_keyword(&s)) {
		if (is_word(&s, "default")) {
			found = finish(&e, secret);
			e.applies = true;
		} else if (is_word(&s, "machine")) {
			found = finish(&e, secret);
			e.applies = next(&s) &&
			    strcasecmp(buffer_data(&s.word), host) == 0;
		} else {
			value(&s, &e, user);
		}
	}
	if (!found)
		found = finish(&e, secret);
	buffer_wipe(&e.password);
	buffer_wipe(&s.word);
	return found;
}
