#include "aliases.h"
#include "buffer.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reading {
	struct aliases *aliases;
	aliases_open *open;
	size_t line;			/* where the entry begins */
};

void
aliases_init(struct aliases *a, struct pool *pool)
{
	*a = (struct aliases){ .pool = pool };
}

static void	error(struct reading *, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));

static void
error(struct reading *r, const char *fmt, ...)
{
	struct aliases *a = r->aliases;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = pool_vprintf(a->pool, fmt, ap);
	va_end(ap);
	a->errors = pool_grow(a->pool, a->errors, &a->nerrors,
	    sizeof *a->errors);
	a->errors[a->nerrors - 1] = pool_printf(a->pool, "%s:%zu: %s",
	    a->file, r->line, text);
}

static char *
lowered(const char *p, size_t len, struct pool *pool)
{
	char *s = pool_octets(pool, p, len), *c;

	for (c = s; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return s;
}

/* Octets up to a separator that is in no quotes, comment or brackets. */
static size_t
item(const char *s, char separator)
{
	const char *p = s;
	bool quoted = false;
	int depth = 0;

	for (; *p != '\0' && (quoted || depth > 0 || *p != separator); p++) {
		if (*p == '\\' && p[1] != '\0')
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

/* Without blanks around it. */
static char *
trimmed(const char *p, size_t len, struct pool *pool)
{
	while (len > 0 && strchr(" \t\r\n", p[len - 1]) != NULL)
		len--;
	while (len > 0 && strchr(" \t", *p) != NULL) {
		p++;
		len--;
	}
	return pool_octets(pool, p, len);
}

/* "|command" within quotes is one, so the quotation mark is looked through. */
static bool
is_refused(const char *member)
{
	member += *member == '"';
	return *member == '|' || *member == '/' || *member == ':';
}

static bool
is_include(const char *member)
{
	member += *member == '"';
	return strncasecmp(member, ":include:", 9) == 0;
}

static void
add_member(struct reading *r, struct alias *a, const char *member)
{
	struct aliases *all = r->aliases;
	struct mailbox *list;
	struct failure why;
	size_t n;

	if (is_refused(member))
		error(r, "%s: mail goes to addresses only; no command is run "
		    "and no file is written", member);
	else if (member[0] != '\\' && !address_list(member, all->pool, &list,
	    &n, &why))
		error(r, "%s", why.text);
	a->members = pool_grow(all->pool, a->members, &a->n,
	    sizeof *a->members);
	a->members[a->n - 1] = member;
}

static void	add_members(struct reading *, struct alias *, const char *,
		    bool may_include);

/* A line for each address or list of them. */
static void
read_include(struct reading *r, struct alias *a, FILE *f)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, f)) > 0)
		if (len <= ALIASES_LINE_MAX && memchr(line, '\0',
		    (size_t)len) == NULL && *line != '#')
			add_members(r, a, line, false);
	free(line);
}

static void
include(struct reading *r, struct alias *a, char *member)
{
	char *name = member + 9;
	bool safe = false;
	FILE *f;

	if (*member == '"') {
		name++;
		name[strcspn(name, "\"")] = '\0';
	}
	f = r->open == NULL ? NULL : r->open(name, &safe);
	if (f == NULL)
		error(r, "%s cannot be read: %s", name, strerror(errno));
	else if (!safe)
		error(r, "%s is not read: others than root can write it",
		    name);
	else
		read_include(r, a, f);
	if (f != NULL)
		(void)fclose(f);
}

static void
add_members(struct reading *r, struct alias *a, const char *text,
    bool may_include)
{
	char *member;
	size_t len;

	for (;; text += len + 1) {
		len = item(text, ',');
		member = trimmed(text, len, r->aliases->pool);
		if (is_include(member) && may_include)
			include(r, a, member);
		else if (*member != '\0')
			add_member(r, a, member);
		if (text[len] == '\0')
			return;
	}
}

static void
entry(struct reading *r, const char *text)
{
	struct aliases *all = r->aliases;
	struct alias a = { .line = r->line };
	size_t len = item(text, ':'), before = all->nerrors;
	char *name = trimmed(text, len, all->pool);

	if (text[len] != ':' || *name == '\0') {
		error(r, "this is no alias: it wants a name, \":\" and "
		    "addresses");
		return;
	}
	len = strlen(name);
	if (*name == '"' && len > 1 && name[len - 1] == '"') {
		name[len - 1] = '\0';
		name++;
	}
	a.name = lowered(name, strlen(name), all->pool);
	add_members(r, &a, strchr(text + item(text, ':'), ':') + 1, true);
	if (a.n == 0 && all->nerrors == before)
		error(r, "nobody stands behind %s", a.name);
	all->list = pool_grow(all->pool, all->list, &all->n,
	    sizeof *all->list);
	all->list[all->n - 1] = a;
}

static int
compare(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : x->line < y->line ? -1 : 1;
}

static void
sort(struct reading *r)
{
	struct aliases *a = r->aliases;
	size_t i;

	if (a->n > 1)
		qsort(a->list, a->n, sizeof *a->list, compare);
	for (i = 1; i < a->n; i++) {
		if (strcmp(a->list[i - 1].name, a->list[i].name) != 0)
			continue;
		r->line = a->list[i].line;
		error(r, "there is an alias %s already, in line %zu",
		    a->list[i].name, a->list[i - 1].line);
	}
}

static void
end_entry(struct reading *r, struct buffer *text)
{
	if (buffer_len(text) > 0) {
		buffer_put(text, "", 1);
		entry(r, buffer_data(text));
	}
	buffer_free(text);
}

/* A blank line or a comment does not end an entry, only the next one does. */
static void
take_line(struct reading *r, struct buffer *text, const char *line,
    size_t len, size_t number)
{
	const char *p = line + strspn(line, " \t");

	if (memchr(line, '\0', len) != NULL ||
	    buffer_len(text) + len > ALIASES_LINE_MAX) {
		r->line = number;
		error(r, "the line is too long or has a NUL in it");
		return;
	}
	if (*p == '\0' || *p == '#' || *p == '\r' || *p == '\n')
		return;
	if (p == line) {
		end_entry(r, text);
		r->line = number;
	} else if (buffer_len(text) == 0) {
		r->line = number;
		error(r, "this line continues nothing");
		return;
	}
	buffer_put(text, line, strcspn(line, "\r\n"));
	buffer_put(text, " ", 1);
}

void
aliases_read(struct aliases *a, FILE *f, const char *file, aliases_open *open)
{
	struct reading r = { .aliases = a, .open = open };
	struct buffer text = { 0 };
	char *line = NULL;
	size_t room = 0, number;
	ssize_t len;

	a->file = file;
	for (number = 1; (len = getline(&line, &room, f)) > 0; number++)
		take_line(&r, &text, line, (size_t)len, number);
	end_entry(&r, &text);
	free(line);
	sort(&r);
}

static const struct alias *
find(const struct aliases *a, const char *name)
{
	size_t low = 0, high = a->n, middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = strcmp(name, a->list[middle].name);
		if (order == 0)
			return &a->list[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* --- expansion ------------------------------------------------------------ */

/* A name on its way: who led to it, so that loops are seen. */
struct step {
	struct mailbox mailbox;
	const struct alias *from;
	const struct step *parent;
	int depth;
	bool final;
};

struct expansion {
	const struct aliases *aliases;
	bool (*is_local)(const struct mailbox *, const void *);
	const void *context;
	struct pool *pool;
	const struct step **steps;	/* a list of work, first to last */
	size_t n;
	struct mailbox *out;
	size_t nout;
	struct failure *why;
};

static bool
too_much(const struct expansion *x, const struct alias *a, const char *what)
{
	return fail(x->why, FAILURE_CONFIG, "%s:%zu: the alias %s %s",
	    x->aliases->file, a->line, a->name, what);
}

static const struct alias *
lookup(const struct aliases *a, const char *local, struct pool *pool)
{
	const struct alias *found = find(a, lowered(local, strlen(local),
	    pool));

	if (found == NULL)
		found = find(a, "default");
	return found != NULL ? found : find(a, "*");
}

static bool
leads_back(const struct step *s, const struct alias *a)
{
	for (; s != NULL; s = s->parent)
		if (s->from == a)
			return true;
	return false;
}

static bool
push(struct expansion *x, const struct alias *a, const struct step *parent,
    const struct mailbox *m, bool final)
{
	struct step *s;

	if (x->n >= ALIASES_MEMBERS_MAX)
		return too_much(x, a, "has too many members");
	s = pool_alloc(x->pool, sizeof *s);
	*s = (struct step){ .mailbox = *m, .from = a, .parent = parent,
	    .depth = parent == NULL ? 1 : parent->depth + 1, .final = final };
	if (s->depth > ALIASES_DEPTH_MAX)
		return too_much(x, a, "leads on too deeply");
	x->steps = pool_grow(x->pool, x->steps, &x->n, sizeof *x->steps);
	x->steps[x->n - 1] = s;
	return true;
}

static bool
push_member(struct expansion *x, const struct alias *a,
    const struct step *parent, const char *member)
{
	struct mailbox *list = NULL;
	struct failure reason;
	bool final = *member == '\\';
	size_t n = 0, i;

	if (is_refused(member))
		return fail(x->why, FAILURE_ADDRESS, "%s:%zu: %s names \"%s\", "
		    "but mail goes to addresses only: no command is run and "
		    "no file is written", x->aliases->file, a->line, a->name,
		    member);
	if (!address_list(member + final, x->pool, &list, &n, &reason))
		return fail(x->why, reason.kind, "%s:%zu: %s",
		    x->aliases->file, a->line, reason.text);
	for (i = 0; i < n; i++)
		if (!push(x, a, parent, &list[i], final))
			return false;
	return true;
}

static bool
push_alias(struct expansion *x, const struct alias *a,
    const struct step *parent)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (!push_member(x, a, parent, a->members[i]))
			return false;
	return true;
}

static void
put(struct expansion *x, const struct mailbox *m)
{
	x->out = pool_grow(x->pool, x->out, &x->nout, sizeof *x->out);
	x->out[x->nout - 1] = *m;
}

static bool
follow(struct expansion *x, const struct step *s)
{
	const struct alias *a = NULL;
	struct mailbox m = s->mailbox;
	bool local = m.domain == NULL || x->is_local(&m, x->context);

	if (local && !s->final)
		a = lookup(x->aliases, m.local, x->pool);
	if (a != NULL && !leads_back(s, a))
		return push_alias(x, a, s);
	if (a != NULL)
		m.domain = NULL;
	put(x, &m);
	return true;
}

bool
aliases_expand(const struct aliases *aliases, const char *local,
    bool (*is_local)(const struct mailbox *, const void *),
    const void *context, struct pool *pool, struct mailbox **out, size_t *n,
    bool *found, struct failure *why)
{
	const struct alias *first = lookup(aliases, local, pool);
	struct expansion x = { .aliases = aliases, .is_local = is_local,
	    .context = context, .pool = pool, .why = why };
	size_t i;

	*found = first != NULL;
	if (first == NULL)
		return true;
	if (!push_alias(&x, first, NULL))
		return false;
	for (i = 0; i < x.n; i++)
		if (!follow(&x, x.steps[i]))
			return false;
	*out = x.out;
	*n = x.nout;
	return true;
}
