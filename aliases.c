#include "aliases.h"
#include "buffer.h"
#include "file.h"
#include "keys.h"
#include "path.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reading {
	struct aliases *aliases;
	aliases_open *open;		/* NULL: nothing is included */
	const char *file;		/* this one, or the included one */
	size_t number;			/* of the line that was read last */
	size_t line;			/* of what is looked at */
	size_t octets;			/* so far, of all files */
	const char *broken;		/* why reading ended, or NULL */
	struct alias entry;		/* members: what ails its lines */
	struct buffer text;		/* of the entry, with its newlines */
};

void
aliases_init(struct aliases *a, struct pool *pool)
{
	*a = (struct aliases){ .pool = pool };
}

static void
add(struct reading *r, struct alias *a, struct alias_member m)
{
	a->members = pool_grow(r->aliases->pool, a->members, &a->n, sizeof m);
	a->members[a->n - 1] = m;
}

/* An error, and the failure of whoever expands the alias, if there is one. */
static void __attribute__((format(printf, 4, 5)))
wrong(struct reading *r, struct alias *a, enum failure_kind kind,
    const char *fmt, ...)
{
	struct aliases *all = r->aliases;
	struct failure why;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = pool_vprintf(all->pool, fmt, ap);
	va_end(ap);
	(void)fail(&why, kind, "%s:%zu: %s", r->file, r->line, text);
	text = pool_string(all->pool, why.text);
	all->errors = pool_grow(all->pool, all->errors, &all->nerrors,
	    sizeof *all->errors);
	all->errors[all->nerrors - 1] = text;
	if (a != NULL)
		add(r, a, (struct alias_member){ .wrong = text, .kind = kind });
}

/* The next line, without its end; *ill is what ails it, or NULL. */
static bool
next_line(struct reading *r, FILE *f, char *line, const char **ill)
{
	size_t n = 0;
	int c = EOF;

	*ill = NULL;
	while (r->octets++ < ALIASES_FILE_MAX && (c = getc_unlocked(f)) != EOF &&
	    c != '\n') {
		if (c == '\0')
			*ill = "the line has a NUL in it";
		else if (n == ALIASES_LINE_MAX)
			*ill = "the line is too long";
		else
			line[n++] = (char)c;
	}
	r->line = ++r->number;
	if (r->octets > ALIASES_FILE_MAX)
		r->broken = "it is too long";
	else if (ferror(f))
		r->broken = strerror(errno);
	if (r->broken != NULL || (c == EOF && n == 0 && *ill == NULL))
		return false;
	if (n > 0 && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return true;
}

/*
 * Octets up to a separator that is in no quotes, comment or brackets.  Outside
 * of these a backslash is no escape but the mark of \name.
 */
static size_t
item(const char *s, char separator)
{
	const char *p = s;
	bool quoted = false;
	int depth = 0;

	for (; *p != '\0' && (quoted || depth > 0 || *p != separator); p++) {
		if (*p == '\\' && p[1] != '\0' && (quoted || depth > 0))
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && (*p == '(' || *p == '<'))
			depth++;
		else if (!quoted && (*p == ')' || *p == '>') && depth > 0)
			depth--;
	}
	return (size_t)(p - s);
}

/* A copy of the octets up to end, without the blanks and newlines there. */
static char *
trimmed(const char *p, const char *end, struct pool *pool)
{
	char *s, *c;

	while (end > p && strchr(" \t\n", end[-1]) != NULL)
		end--;
	s = pool_octets(pool, p, (size_t)(end - p));
	for (c = s; (c = strchr(c, '\n')) != NULL; c++)
		*c = ' ';
	return s;
}

/* Moves on to end; the lines that this passes are counted. */
static const char *
pass(struct reading *r, const char *p, const char *end)
{
	for (; p < end; p++)
		r->line += *p == '\n';
	return p;
}

/* NOLINTBEGIN(misc-no-recursion): what is included includes nothing. */
static void	add_members(struct reading *, struct alias *, const char *);

static void
read_include(struct reading *r, struct alias *a, const char *file, FILE *f)
{
	struct reading inner = { .aliases = r->aliases, .file = file,
	    .octets = r->octets };
	char line[ALIASES_LINE_MAX + 1];
	const char *ill;

	while (next_line(&inner, f, line, &ill)) {
		if (ill != NULL)
			wrong(&inner, a, FAILURE_CONFIG, "%s", ill);
		else if (line[strspn(line, " \t")] != '#')
			add_members(&inner, a, line);
	}
	if (inner.broken != NULL)
		wrong(r, a, FAILURE_CONFIG, "%s cannot be read: %s", file,
		    inner.broken);
	r->octets = inner.octets;
}

static void
include(struct reading *r, struct alias *a, const char *file)
{
	enum failure_kind kind = FAILURE_CONFIG;
	const char *reason = NULL;
	bool safe = false;
	FILE *f = NULL;

	if (*file != '/')
		reason = "its name does not begin with \"/\"";
	else if (r->open == NULL)
		reason = "no file is included here";
	else if ((f = r->open(file, &safe)) == NULL) {
		kind = file_blame(errno);
		reason = file_error(errno);
	} else if (!safe)
		reason = "others than root can write it";
	if (reason != NULL)
		wrong(r, a, kind, "\"%.200s\" is not read: %s", file, reason);
	else
		read_include(r, a, file, f);
	if (f != NULL)
		(void)fclose(f);
}

static void
add_special(struct reading *r, struct alias *a, const char *member)
{
	if (strncasecmp(member, ":include:", 9) == 0)
		include(r, a, member + 9 + strspn(member + 9, " \t"));
	else
		wrong(r, a, FAILURE_ADDRESS, "%s names \"%.200s\", but mail "
		    "goes to addresses only: %s", a->name, member,
		    *member == ':' ? "there are no other fates here" :
		    "no command is run and no file is written");
}

/* "|command" in quotes is one all the same, so local parts are looked at. */
static void
add_member(struct reading *r, struct alias *a, const char *member)
{
	struct alias_member m = { .final = *member == '\\' };
	struct mailbox *list = NULL;
	struct failure why;
	size_t i;

	if (strchr("|/:", *member) != NULL) {
		add_special(r, a, member);
		return;
	}
	if (!address_list(member + m.final, r->aliases->pool, &list, &m.n,
	    &why)) {
		wrong(r, a, FAILURE_ADDRESS, "%s", why.text);
		return;
	}
	for (i = 0; i < m.n && (list[i].domain != NULL ||
	    strchr("|/:", *list[i].local) == NULL); i++)	/* or "" */
		;
	m.list = list;
	if (m.n > 0 && i == m.n)
		add(r, a, m);
	else if (m.n == 1 && *list[0].local != '\0')
		add_special(r, a, list[0].local);
	else
		wrong(r, a, FAILURE_ADDRESS, "\"%.200s\" is no list of "
		    "addresses", member);
}

static void
add_members(struct reading *r, struct alias *a, const char *text)
{
	const char *member, *end;

	for (;; text++) {
		text = pass(r, text, text + strspn(text, " \t\n"));
		end = text + item(text, ',');
		member = trimmed(text, end, r->aliases->pool);
		if (*member != '\0')
			add_member(r, a, member);
		text = pass(r, text, end);
		if (*text == '\0')
			return;
	}
}
/* NOLINTEND(misc-no-recursion) */

/* The local name before the colon; NULL: it is none. */
static const char *
name_of(struct reading *r, const char *text, const char *colon)
{
	struct pool *pool = r->aliases->pool;
	struct mailbox *list = NULL;
	struct failure why;
	size_t n = 0;

	if (*colon == ':' && address_list(trimmed(text, colon, pool), pool,
	    &list, &n, &why) && n == 1 && list[0].domain == NULL &&
	    *list[0].local != '\0')
		return list[0].local;
	wrong(r, NULL, FAILURE_CONFIG, "this is no alias: it wants a local "
	    "name, in quotes when it has blanks, \":\" and addresses");
	return NULL;
}

static void
entry(struct reading *r, struct alias *a, const char *text)
{
	struct aliases *all = r->aliases;
	const char *colon = text + item(text, ':');

	r->line = a->line;
	a->name = name_of(r, text, colon);
	if (a->name == NULL)
		return;
	if (a->n == 0)
		add_members(r, a, pass(r, text, colon + 1));
	r->line = a->line;
	if (a->n == 0)
		wrong(r, a, FAILURE_CONFIG, "nobody stands behind %s",
		    a->name);
	all->list = pool_grow(all->pool, all->list, &all->n, sizeof *a);
	all->list[all->n - 1] = *a;
}

static void
end_entry(struct reading *r)
{
	if (buffer_len(&r->text) > 0) {
		buffer_put(&r->text, "", 1);
		entry(r, &r->entry, buffer_data(&r->text));
	}
	buffer_take(&r->text, buffer_len(&r->text));
	r->entry = (struct alias){ .line = r->number };
	r->line = r->number;
}

/* A blank line or a comment does not end an entry, only the next one does. */
static void
take_line(struct reading *r, const char *line, const char *ill)
{
	size_t blanks = strspn(line, " \t"), len = strlen(line);
	bool idle = line[blanks] == '\0' || line[blanks] == '#';

	if (!idle && blanks == 0)
		end_entry(r);
	else if (buffer_len(&r->text) > 0)
		buffer_put(&r->text, "\n", 1);
	else if (!idle) {
		wrong(r, NULL, FAILURE_CONFIG, "this line continues nothing");
		return;
	}
	if (ill == NULL && buffer_len(&r->text) + len > ALIASES_ENTRY_MAX)
		ill = idle ? NULL : "the entry is too long";
	else if (!idle)
		buffer_put(&r->text, line, len);
	if (ill != NULL)
		wrong(r, idle ? NULL : &r->entry, FAILURE_CONFIG, "%s", ill);
}

static int
by_name(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

static int
by_name_and_line(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;
	int order = by_name(a, b);

	return order != 0 ? order : x->line < y->line ? -1 : 1;
}

/* The first of each name stays. */
static void
sort(struct reading *r)
{
	struct aliases *a = r->aliases;
	struct alias *last = a->list, *next;

	if (a->n == 0)
		return;
	qsort(a->list, a->n, sizeof *a->list, by_name_and_line);
	for (next = last + 1; next < a->list + a->n; next++) {
		if (by_name(last, next) != 0) {
			*++last = *next;
			continue;
		}
		r->line = next->line;
		wrong(r, NULL, FAILURE_CONFIG, "there is an alias %s already, "
		    "in line %zu", next->name, last->line);
	}
	a->n = (size_t)(last + 1 - a->list);
}

void
aliases_read(struct aliases *a, FILE *f, const char *file, aliases_open *open)
{
	struct reading r = { .aliases = a, .open = open, .file = file };
	char line[ALIASES_LINE_MAX + 1];
	const char *ill;

	a->file = file;
	while (next_line(&r, f, line, &ill))
		take_line(&r, line, ill);
	end_entry(&r);
	buffer_free(&r.text);
	if (r.broken != NULL) {
		wrong(&r, NULL, FAILURE_CONFIG, "the file cannot be read from "
		    "here on: %s", r.broken);
		a->broken = a->errors[a->nerrors - 1];
	}
	sort(&r);
}

/* A mailbox on its way, and who led to it, so that loops are seen. */
struct step {
	struct mailbox mailbox;
	bool final;
	const struct alias *from;
	const struct step *parent;
	int depth;
	struct step *next;		/* in the order of the text */
};

struct expansion {
	const struct aliases *aliases;
	struct pool *pool;
	struct step *todo;
	size_t steps;			/* done and to do */
	struct mailbox *out;
	struct keys named;		/* in out */
	size_t n;
	struct failure *why;
};

static const struct alias *
find(const struct aliases *a, const char *local)
{
	const char *names[] = { local, "default", "*" };
	const struct alias *found = NULL;
	struct alias key = { 0 };
	size_t i;

	for (i = 0; a->n > 0 && found == NULL && i < 3; i++) {
		key.name = names[i];
		found = bsearch(&key, a->list, a->n, sizeof key, by_name);
	}
	return found;
}

static bool
leads_back(const struct step *s, const struct alias *a)
{
	while (s != NULL && s->from != a)
		s = s->parent;
	return s != NULL;
}

/* The members of an alias take the place of its name. */
static bool
push(struct expansion *x, const struct alias *a, const struct step *parent)
{
	int depth = parent == NULL ? 1 : parent->depth + 1;
	const struct alias_member *m;
	struct step **at = &x->todo, *s;
	size_t i;

	for (m = a->members; m < a->members + a->n; m++) {
		if (m->wrong != NULL)
			return fail(x->why, m->kind, "%s", m->wrong);
		for (i = 0; i < m->n; i++) {
			if (depth > ALIASES_DEPTH_MAX ||
			    x->steps++ >= ALIASES_MEMBERS_MAX)
				return fail(x->why, FAILURE_CONFIG, "%s:%zu: "
				    "the alias %s %s", x->aliases->file,
				    a->line, a->name,
				    depth > ALIASES_DEPTH_MAX ?
				    "leads on too deeply" :
				    "has too many members");
			s = pool_alloc(x->pool, sizeof *s);
			*s = (struct step){ m->list[i], m->final, a, parent,
			    depth, *at };
			*at = s;
			at = &s->next;
		}
	}
	return true;
}

static void
put(struct expansion *x, const struct mailbox *m)
{
	const char *key = path_key(m, x->pool);
	size_t first;

	if (keys_find(&x->named, key, &first))
		return;
	keys_add(&x->named, key, x->n, x->pool);
	x->out = pool_grow(x->pool, x->out, &x->n, sizeof *m);
	x->out[x->n - 1] = *m;
}

struct locality {
	bool (*is_local)(const struct mailbox *, const void *);
	const void *context;
};

static bool
walk(struct expansion *x, const struct locality *l)
{
	const struct alias *a;
	struct mailbox m;
	struct step *s;

	while ((s = x->todo) != NULL) {
		x->todo = s->next;
		m = s->mailbox;
		a = NULL;
		if (!s->final && strchr("|/:", *m.local) == NULL &&
		    (m.domain == NULL || l->is_local(&m, l->context)))
			a = find(x->aliases, m.local);
		if (a == NULL || leads_back(s, a)) {
			m.domain = a == NULL ? m.domain : NULL;
			put(x, &m);
		} else if (!push(x, a, s)) {
			return false;
		}
	}
	return true;
}

bool
aliases_expand(const struct aliases *aliases, const char *local,
    bool (*is_local)(const struct mailbox *, const void *),
    const void *context, struct pool *pool, struct mailbox **out, size_t *n,
    bool *found, struct failure *why)
{
	struct expansion x = { .aliases = aliases, .pool = pool, .why = why };
	const struct locality locality = { is_local, context };
	const struct alias *a = find(aliases, local);
	bool ok;

	*out = NULL;
	*n = 0;
	*found = a != NULL;
	if (aliases->broken != NULL)
		return fail(why, FAILURE_CONFIG, "%s", aliases->broken);
	ok = (a == NULL || push(&x, a, NULL)) && walk(&x, &locality);
	keys_free(&x.named);
	if (ok) {
		*out = x.out;
		*n = x.n;
	}
	return ok;
}
