#include "maincf.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { DEEP = 8, EXPANSIONS_MAX = 200, VALUE_OCTETS_MAX = 4000 };

static void
add(struct draft *d, struct maincf_table *table, const char *key,
    const char *value, size_t line)
{
	table->entry = pool_grow(d->pool, table->entry, &table->n,
	    sizeof *table->entry);
	table->entry[table->n - 1] = (struct maincf_entry){ key, value,
	    d->file, line };
}

const struct maincf_entry *
maincf_look_up(const struct maincf_table *table, const char *key)
{
	size_t i;

	for (i = table->n; i > 0; i--)	/* the last one counts */
		if (strcasecmp(table->entry[i - 1].key, key) == 0)
			return &table->entry[i - 1];
	return NULL;
}

/* The next statement: lines that begin with a blank go on with it. */
static char *
whole(struct draft *d, char **text, size_t *line)
{
	struct buffer all = BUFFER_SECRET;
	bool begun = false, goes_on;
	char *more;

	while (**text != '\0') {
		goes_on = **text == ' ' || **text == '\t';
		if (begun && !goes_on && **text != '#' &&
		    **text != '\n')
			break;
		more = draft_line(d, text);
		if (*more == '\0' || *more == '#')
			continue;
		if (!begun)
			*line = d->line;
		begun = true;
		buffer_printf(&all, "%s%s", buffer_len(&all) == 0 ? "" : " ",
		    more);
	}
	more = !begun ? NULL : pool_octets(d->pool, buffer_data(&all),
	    buffer_len(&all));
	buffer_wipe(&all);
	return more;
}

struct expansion {
	const struct maincf_table *table;
	struct buffer out;
	struct pool *pool;
	int left;			/* names that may still be put in */
};

/* NOLINTBEGIN(misc-no-recursion): as often as EXPANSIONS_MAX. */
static void	expand(struct expansion *, const char *, int deep);

/* "$name", "${name}" or "$(name)"; behind it. */
static const char *
expand_one(struct expansion *x, const char *p, int deep)
{
	bool bracket = p[1] == '{' || p[1] == '(';
	const char *name = p + 1 + bracket, *end = name;
	const struct maincf_entry *e;

	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	e = maincf_look_up(x->table, pool_octets(x->pool, name,
	    (size_t)(end - name)));
	if (end == name || e == NULL || x->left == 0 || deep == DEEP ||
	    (bracket && *end != '}' && *end != ')')) {
		buffer_put(&x->out, p, 1);	/* as it is */
		return p + 1;
	}
	x->left--;
	expand(x, e->value, deep + 1);
	return end + bracket;
}

static void
expand(struct expansion *x, const char *p, int deep)
{
	while (*p != '\0' && buffer_len(&x->out) < VALUE_OCTETS_MAX) {
		if (*p == '$') {
			p = expand_one(x, p, deep);
		} else {
			buffer_put(&x->out, p, 1);
			p++;
		}
	}
}
/* NOLINTEND(misc-no-recursion) */

static const char *
expanded(struct draft *d, const struct maincf_table *table, const char *value)
{
	struct expansion x = { .table = table, .pool = d->pool,
	    .left = EXPANSIONS_MAX };
	const char *text;

	expand(&x, value, 0);
	text = pool_octets(d->pool, buffer_data(&x.out), buffer_len(&x.out));
	buffer_free(&x.out);
	return text;
}

static void
statement(struct draft *d, struct maincf_table *table, char *text, size_t line)
{
	char *value = strchr(text, '=');

	if (value == NULL) {
		d->line = line;
		draft_error(d, "this is no \"name = value\"");
		return;
	}
	*value++ = '\0';
	add(d, table, draft_trim(text), draft_trim(value), line);
}

static void
take(struct draft *d, const struct maincf_entry *e,
    const struct draft_rows *rows, const struct maincf_table *all,
    struct draft_taken *taken)
{
	size_t row = draft_find(rows, e->key), n = strlen(e->key);

	d->line = e->line;
	if (row < rows->n)
		taken[row] = (struct draft_taken){ expanded(d, all, e->value),
		    e->file, e->line };
	else if (strncmp(e->key, "smtp_", 5) != 0)
		;			/* about other things than sending */
	else if (n > 8 && strcmp(e->key + n - 8, "_timeout") == 0)
		draft_note(d, NULL, "%s has no counterpart: the times are "
		    "those of RFC 5321; timeout-reply is one for each step",
		    e->key);
	else
		draft_unknown(d, NULL, e->key);
}

void
maincf_read(struct draft *d, char *text, const struct draft_rows *rows,
    struct draft_taken *taken)
{
	struct maincf_table all = { 0 };
	size_t line = 0, i;
	char *whole_line;

	while ((whole_line = whole(d, &text, &line)) != NULL)
		statement(d, &all, whole_line, line);
	for (i = 0; i < all.n; i++)
		take(d, &all.entry[i], rows, &all, taken);
}

static void
read_text(struct draft *d, const char *file, char *text,
    struct maincf_table *table)
{
	const char *before = d->file;
	size_t at = d->line, line = 0, n;
	char *entry;

	d->file = file;
	d->line = 0;
	while ((entry = whole(d, &text, &line)) != NULL) {
		n = strcspn(entry, " \t");
		if (entry[n] != '\0')
			entry[n++] = '\0';
		add(d, table, entry, draft_trim(entry + n), line);
	}
	d->file = before;
	d->line = at;
}

/* Is there only what postmap(1) has made of it? */
static bool
is_made(struct draft *d, const char *path)
{
	static const char *const suffixes[] = { "db", "lmdb", "cdb" };
	struct buffer b = BUFFER_SECRET;
	bool found = false;
	size_t i;

	for (i = 0; i < 3 && !found; i++) {
		found = d->open != NULL && d->open(d->context,
		    pool_printf(d->pool, "%s.%s", path, suffixes[i]), &b);
		buffer_wipe(&b);
	}
	return found;
}

static void
read_map(struct draft *d, const char *map, struct maincf_table *table)
{
	static const char texts[] = " hash btree lmdb cdb dbm sdbm texthash ";
	const char *path = strchr(map, ':');
	char *text;

	if (path == NULL || strstr(texts, pool_printf(d->pool, " %.*s ",
	    (int)(path - map), map)) == NULL) {
		draft_note(d, NULL, "this kind of table is not read; write "
		    "\"user\" and \"password\" yourself");
		return;
	}
	path++;
	if (draft_beside(d, path, false, &text))
		read_text(d, path, text, table);
	else if (is_made(d, path))
		draft_note(d, NULL, "the text of %s is gone; \"postmap -s "
		    "%s\" prints it: write that to %s and import again", map,
		    map, path);
	else
		draft_note(d, NULL, "%s cannot be read here", path);
}

void
maincf_table(struct draft *d, const char *maps, struct maincf_table *table)
{
	char *map, *rest;

	if (maps == NULL)
		return;
	for (map = strtok_r(pool_string(d->pool, maps), ", \t", &rest);
	    map != NULL; map = strtok_r(NULL, ", \t", &rest))
		read_map(d, map, table);
}
