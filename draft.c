#include "draft.h"
#include "file.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VALUE_OCTETS_MAX = 2000, VALUE_WORDS_MAX = 60 };

/* Nothing that would have to be quoted, or that is likely to be a secret. */
static bool
is_name(const char *s, size_t most)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@+");

	return n > 0 && n <= most && s[n] == '\0';
}

static bool
has_account(const struct draft *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->accounts[i]->name, name) == 0)
			return true;
	return false;
}

struct draft_account *
draft_account(struct draft *d, const char *name)
{
	struct draft_account *a = pool_alloc(d->pool, sizeof *a);
	size_t i = 2;

	if (d->n == DRAFT_ACCOUNTS_MAX) {
		draft_error(d, "these are more than %d accounts", (int)d->n);
		return a;
	}
	a->name = is_name(name, 100) ? pool_string(d->pool, name) : "account";
	while (has_account(d, a->name))
		a->name = pool_printf(d->pool, "%s-%zu", is_name(name, 100) ?
		    name : "account", i++);
	d->accounts = pool_grow(d->pool, d->accounts, &d->n,
	    sizeof(struct draft_account *));
	d->accounts[d->n - 1] = a;
	return a;
}

void
draft_first(struct draft *d, const struct draft_account *a)
{
	struct draft_account *moved;
	size_t i = 0;

	while (i < d->n && d->accounts[i] != a)
		i++;
	if (i >= d->n)
		return;
	moved = d->accounts[i];
	for (; i > 0; i--)
		d->accounts[i] = d->accounts[i - 1];
	d->accounts[0] = moved;
}

static bool
has_note(const struct draft_notes *notes, const char *text)
{
	size_t i;

	for (i = 0; i < notes->n; i++)
		if (strcmp(notes->text[i], text) == 0)
			return true;
	return false;
}

static void
add_note(struct draft *d, struct draft_notes *notes, const char *text)
{
	if (notes->n == DRAFT_NOTES_MAX || has_note(notes, text))
		return;
	notes->text = pool_grow(d->pool, notes->text, &notes->n,
	    sizeof *notes->text);
	notes->text[notes->n - 1] = text;
}

/* "file:line: what", as one printable line. */
__attribute__((format(printf, 2, 0)))
static const char *
placed(const struct draft *d, const char *fmt, va_list ap)
{
	const char *what = pool_vprintf(d->pool, fmt, ap), *raw;
	char text[1200];

	raw = d->line == 0 ? pool_printf(d->pool, "%s: %s", d->file, what) :
	    pool_printf(d->pool, "%s:%zu: %s", d->file, d->line, what);
	(void)printable(text, sizeof text, raw, strlen(raw));
	return pool_string(d->pool, text);
}

void
draft_note(struct draft *d, struct draft_account *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_note(d, a != NULL ? &a->notes : &d->notes, placed(d, fmt, ap));
	va_end(ap);
}

/* A comment that one account has is not told of the others again. */
__attribute__((format(printf, 3, 4)))
static void
note_once(struct draft *d, struct draft_account *a, const char *fmt, ...)
{
	const char *text;
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	text = placed(d, fmt, ap);
	va_end(ap);
	for (i = 0; i < d->n; i++)
		if (has_note(&d->accounts[i]->notes, text))
			return;
	add_note(d, &a->notes, text);
}

void
draft_error(struct draft *d, const char *fmt, ...)
{
	va_list ap;

	if (d->nerrors == DRAFT_NOTES_MAX)
		return;
	d->errors = pool_grow(d->pool, d->errors, &d->nerrors,
	    sizeof *d->errors);
	va_start(ap, fmt);
	d->errors[d->nerrors - 1] = placed(d, fmt, ap);
	va_end(ap);
}

/* With one blank between them. */
static const char *
words_of(const char *value, size_t *n, struct pool *pool)
{
	char *words = pool_string(pool, value), *out = words;
	size_t len;

	for (*n = 0; *(value += strspn(value, " \t")) != '\0'; ++*n) {
		if (*n > 0)
			*out++ = ' ';
		len = strcspn(value, " \t");
		memcpy(out, value, len);
		out += len;
		value += len;
	}
	*out = '\0';
	return words;
}

static const char *
objection(const struct draft_account *a, enum setting s, const char *value,
    size_t words)
{
	if (strlen(value) > VALUE_OCTETS_MAX)
		return "the value is too long";
	if (words > VALUE_WORDS_MAX)
		return "these are too many values";
	return setting_rival(a->values, s);
}

void
draft_set(struct draft *d, struct draft_account *a, enum setting s,
    const char *value)
{
	const char *name = setting_kind(s)->name, *ill;
	struct failure why;
	size_t words = 1;

	if (value != NULL && setting_takes_several(s))
		value = words_of(value, &words, d->pool);
	if (value == NULL || *value == '\0')
		return;
	if (setting_kind(s)->shape == FILE_NAME && value[0] == '~' &&
	    value[1] == '/' && d->home != NULL)
		value = pool_printf(d->pool, "%s%s", d->home, value + 1);
	if (setting_kind(s)->shape == FILE_NAME && *value != '/' &&
	    strchr(value, '/') != NULL && strchr(value, ':') == NULL)
		draft_note(d, a, "the file of %s is relative to the folder "
		    "where sendoff is called; write it from \"/\" on",
		    name);
	ill = objection(a, s, value, words);
	if (ill == NULL && !setting_check(s, &value, d->pool, &why))
		ill = s == SET_PASSWORD ? "it cannot stand in a "
		    "configuration; write it into a file, and here "
		    "password-file" : pool_string(d->pool, why.text);
	if (ill == NULL)
		a->values[s] = pool_string(d->pool, value);
	else
		draft_note(d, a, "would be %s, but %s", name, ill);
}

struct draft_server *
draft_server(struct draft *d, struct draft_account *a)
{
	struct draft_server *s;

	a->servers = pool_grow(d->pool, a->servers, &a->nservers, sizeof *s);
	s = &a->servers[a->nservers - 1];
	s->file = d->file;
	s->line = d->line;
	return s;
}

const char *
draft_port(const char *port)
{
	static const struct {
		const char *service, *port;
	} known[] = {
		{ "smtp", "25" },	{ "submission", "587" },
		{ "smtps", "465" },	{ "submissions", "465" },
	};
	size_t i;

	for (i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].service, port) == 0)
			return known[i].port;
	return port;
}

void
draft_host(struct draft *d, struct draft_server *s, const char *text,
    const char *port)
{
	size_t n = *text == '[' ? strcspn(text, "]") : 0;
	const char *behind;

	n += strcspn(text + n, ": \t");
	behind = text + n + strspn(text + n, ": \t");
	s->host = pool_octets(d->pool, text, n);
	s->port = *behind == '\0' ? port : draft_port(behind);
}

size_t
draft_find(const struct draft_rows *rows, const char *name)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if ((rows->any_case ? strcasecmp(rows->row[i].name, name) :
		    strcmp(rows->row[i].name, name)) == 0)
			break;
	return i;
}

bool
draft_took_any(const struct draft_rows *rows, const struct draft_taken *taken)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (taken[i].text != NULL)
			return true;
	return false;
}

void
draft_take(struct draft *d, const struct draft_rows *rows,
    struct draft_taken *taken, const char *name, const char *value)
{
	size_t row = draft_find(rows, name);

	if (row == rows->n)
		draft_unknown(d, NULL, name);
	else
		taken[row] = (struct draft_taken){ value != NULL ? value :
		    "", d->file, d->line };
}

void
draft_unknown(struct draft *d, struct draft_account *a, const char *name)
{
	if (is_name(name, 60))
		draft_note(d, a, "%s: no setting of %s that is known here",
		    name, d->program);
	else
		draft_note(d, a, "this is no setting of %s that is known here",
		    d->program);
}

void
draft_at(struct draft *d, const struct draft_taken *t)
{
	if (t->text == NULL)
		return;
	d->file = t->file;
	d->line = t->line;
}

const char *
draft_given(const struct draft_taken *t)
{
	return t->text != NULL && *t->text != '\0' ? t->text : NULL;
}

bool
draft_is(const struct draft_taken *t, const char *word)
{
	return t->text != NULL && strcasecmp(t->text, word) == 0;
}

void
draft_rows(struct draft *d, struct draft_account *a,
    const struct draft_rows *rows, const struct draft_taken *taken)
{
	const struct draft_row *row;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		row = &rows->row[i];
		draft_at(d, &taken[i]);
		if (taken[i].text == NULL)
			continue;
		if (row->why != NULL)
			note_once(d, a, "%s has no counterpart: %s",
			    row->name, row->why);
		else if (row->setting < SETTINGS)
			draft_set(d, a, row->setting, taken[i].text);
	}
}

char *
draft_trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r\f\v");
	for (n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

char *
draft_rest(char *line)
{
	char *rest = line + strcspn(line, " \t");

	if (*rest != '\0')
		*rest++ = '\0';
	return draft_trim(rest);
}

char *
draft_line(struct draft *d, char **text)
{
	char *line = *text, *end;

	if (*line == '\0')
		return NULL;
	end = line + strcspn(line, "\n");
	*text = *end == '\0' ? end : end + 1;
	*end = '\0';
	d->line++;
	return draft_trim(line);
}

char *
draft_statement(struct draft *d, char **text)
{
	char *line;

	do
		line = draft_line(d, text);
	while (line != NULL && (*line == '\0' || *line == '#'));
	return line;
}

const char *
draft_sibling(const struct draft *d, const char *name)
{
	const char *slash = strrchr(d->file, '/');

	return slash == NULL ? name : pool_printf(d->pool, "%.*s/%s",
	    (int)(slash - d->file), d->file, name);
}

/* Quotation marks and backslashes are taken out of it. */
static bool
shell_word(char **from, char **word)
{
	char *p = *from, *out = p, quote = '\0';

	*word = p;
	for (; *p != '\0' && (quote != '\0' || (*p != ' ' && *p != '\t'));
	    p++) {
		if (quote == '\0' && (*p == '"' || *p == '\''))
			quote = *p;
		else if (quote != '\0' && *p == quote)
			quote = '\0';
		else if (*p == '\\' && quote != '\'' && p[1] != '\0')
			*out++ = *++p;
		else
			*out++ = *p;
	}
	*from = *p == '\0' ? p : p + 1;
	*out = '\0';
	return quote == '\0';
}

size_t
draft_words(struct draft *d, char *line, char **words, size_t most)
{
	size_t n = 0;

	while (*(line += strspn(line, " \t")) != '\0') {
		if (n == most || !shell_word(&line, &words[n])) {
			draft_error(d, n == most ? "there are too many words" :
			    "a quotation mark is never closed");
			return 0;
		}
		n++;
	}
	return n;
}

bool
draft_beside(struct draft *d, const char *name, bool must, char **text)
{
	struct buffer b = BUFFER_SECRET;
	bool ok = d->open != NULL && d->open(d->context, name, &b);

	if (ok && memchr(buffer_data(&b), '\0', buffer_len(&b)) != NULL) {
		draft_error(d, "%s is no text", name);
		ok = false;
	} else if (ok) {
		*text = pool_octets(d->pool, buffer_data(&b), buffer_len(&b));
	} else if (must || (errno != ENOENT && errno != ENOTDIR)) {
		draft_note(d, NULL, "%s cannot be read: %s", name,
		    file_error(errno));
	}
	buffer_wipe(&b);
	return ok;
}

const char *
draft_first_line(struct draft *d, const char *name, bool must)
{
	char *text, *line;

	if (!draft_beside(d, name, must, &text))
		return NULL;
	line = draft_trim(pool_octets(d->pool, text, strcspn(text, "\n")));
	return *line != '\0' ? line : NULL;
}

bool
draft_mechanism(const char *theirs, const char **ours)
{
	static const struct {
		const char *theirs, *ours;
	} names[] = {
		{ "plain", "PLAIN" },		{ "login", "LOGIN" },
		{ "cram-md5", "CRAM-MD5" },	{ "external", "EXTERNAL" },
		{ "scram-sha-1", "SCRAM-SHA-1-PLUS SCRAM-SHA-1" },
		{ "scram-sha-1-plus", "SCRAM-SHA-1-PLUS" },
		{ "scram-sha-256", "SCRAM-SHA-256-PLUS SCRAM-SHA-256" },
		{ "scram-sha-256-plus", "SCRAM-SHA-256-PLUS" },
		{ "oauthbearer", "OAUTHBEARER" }, { "xoauth2", "XOAUTH2" },
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(names[i].theirs, theirs) == 0) {
			*ours = names[i].ours;
			return true;
		}
	return false;
}

void
draft_auth(struct draft *d, struct draft_account *a, const char *theirs,
    const char *what)
{
	const char *ours;

	if (draft_mechanism(theirs, &ours))
		draft_set(d, a, SET_AUTH, ours);
	else
		draft_note(d, a, "%s; the best that the server offers is "
		    "taken", what);
}

bool
draft_is_token(const struct draft_taken *auth)
{
	return draft_is(auth, "oauthbearer") || draft_is(auth, "xoauth2");
}

void
draft_password(struct draft *d, struct draft_account *a,
    const struct draft_taken *auth, const char *password)
{
	if (draft_is_token(auth))
		draft_note(d, a, "a token is got by oauth-command, which "
		    "prints it; see sendoff-oauth(7)");
	else
		draft_set(d, a, SET_PASSWORD, password);
}

void
draft_digest(struct draft *d, struct draft_account *a,
    const struct draft_taken *t, const char *name)
{
	draft_at(d, t);
	if (draft_given(t) != NULL)
		draft_note(d, a, "%s is the digest of the certificate; a pin "
		    "is that of its key, which a new certificate may keep.",
		    name);
}
