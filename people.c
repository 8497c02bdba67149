#include "people.h"
#include "address.h"
#include "keys.h"
#include "log.h"
#include "path.h"
#include "utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct naming {
	struct people *people;
	struct resolver *resolver;
	bool dsn;			/* notifications are asked for */
	struct pool *pool;
	struct pool *scratch;		/* of the list that is taken apart */
};

/* Ten thousand of them cost no more than what is kept of each. */
static void
add(struct naming *g, const struct mailbox *m, const struct failure *trouble)
{
	struct people *p = g->people;
	struct recipient *r;
	const char *key, *orcpt;

	p->recipients = pool_grow(g->pool, p->recipients, &p->n, sizeof *r);
	r = &p->recipients[p->n - 1];
	r->path = pool_string(g->pool, path_of(m, g->scratch));
	key = path_key(m, g->scratch);
	r->key = strcmp(key, r->path) == 0 ? r->path :
	    pool_string(g->pool, key);
	r->utf8 = utf8_beyond_ascii(r->path);
	orcpt = g->dsn && !r->utf8 ? path_orcpt(r->path, g->scratch) : NULL;
	r->orcpt = orcpt != NULL ? pool_string(g->pool, orcpt) : NULL;
	if (trouble != NULL) {
		struct failure *mine = pool_alloc(g->pool, sizeof *mine);

		*mine = *trouble;
		r->trouble = mine;
	}
}

/* Who stands for the last n of them. */
static void
note_name(struct naming *g, const struct mailbox *m, size_t n)
{
	struct people *p = g->people;
	const char *name = path_of(m, g->scratch);
	size_t i;

	if (n == 1 && strcmp(p->recipients[p->n - 1].path, name) == 0)
		return;
	name = pool_string(g->pool, name);
	for (i = p->n - n; i < p->n; i++)
		p->recipients[i].named = name;
}

/* Without a configuration nobody can be resolved: they stay as they are. */
static void
add_resolved(struct naming *g, const struct mailbox *m)
{
	struct mailbox *list = NULL;
	struct failure why;
	size_t n = 0, i;

	if (m->guessed)
		log_note(LEVEL_WARNING, "addresses were set off by something "
		    "else than a comma behind <%s>", path_of(m, g->pool));
	if (g->resolver->account == NULL) {
		add(g, m, NULL);
		return;
	}
	if (!resolve_mailbox(g->resolver, m, &list, &n, &why)) {
		add(g, m, &why);
		return;
	}
	for (i = 0; i < n; i++)
		add(g, &list[i], NULL);
	if (n != 1 || &list[0] != m)
		note_name(g, m, n);
}

static bool
add_list(struct naming *g, const char *text, const char *where,
    struct failure *why)
{
	struct mailbox *list = NULL;
	struct failure reason;
	size_t n = 0, i;
	bool ok;

	g->scratch = pool_new();
	ok = address_list(text, g->scratch, &list, &n, &reason);
	for (i = 0; i < n && ok; i++)
		add_resolved(g, &list[i]);
	pool_free(g->scratch);
	return ok || fail(why, reason.kind, "%s%s%s", where,
	    *where != '\0' ? ": " : "", reason.text);
}

static bool
is_resent(const struct field *f)
{
	return f->name_len > 7 && strncasecmp(f->text, "Resent-", 7) == 0;
}

static const char *
small_name(const struct field *f, struct pool *pool)
{
	char *name = pool_octets(pool, f->text, f->name_len), *p;

	for (p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

/*
 * The topmost Resent block is [*first, *end): each of its fields stands in it
 * once, so one that comes again belongs to an older block.
 */
static bool
resent_block(const struct message *m, size_t *first, size_t *end)
{
	struct pool *scratch = pool_new();
	struct keys seen = { 0 };
	const char *name;
	size_t at;

	for (*first = 0; *first < m->nfields; ++*first)
		if (is_resent(&m->fields[*first]))
			break;
	for (*end = *first; *end < m->nfields; ++*end) {
		if (!is_resent(&m->fields[*end]))
			break;
		name = small_name(&m->fields[*end], scratch);
		if (keys_find(&seen, name, &at))
			break;
		keys_add(&seen, name, *end, scratch);
	}
	keys_free(&seen);
	pool_free(scratch);
	return *first < m->nfields;
}

static bool
names_recipients(const struct field *f, bool resent)
{
	static const char *const names[2][3] = {
		{ "To", "Cc", "Bcc" },
		{ "Resent-To", "Resent-Cc", "Resent-Bcc" }
	};

	return field_is(f, names[resent][0]) || field_is(f, names[resent][1]) ||
	    field_is(f, names[resent][2]);
}

static bool
header_recipients(struct naming *g, const struct message *m,
    struct failure *why)
{
	size_t i, first = 0, end = m->nfields;
	bool resent = false;
	const struct field *f;

	if (resent_block(m, &first, &end))
		for (i = first; i < end; i++)
			resent = resent || names_recipients(&m->fields[i],
			    true);
	if (!resent) {
		first = 0;
		end = m->nfields;
	}
	for (i = first; i < end; i++) {
		f = &m->fields[i];
		if (names_recipients(f, resent) &&
		    !add_list(g, field_value(f, g->pool), pool_octets(g->pool,
		    f->text, f->name_len), why))
			return false;
	}
	return true;
}

/* Equal keys stand together, the one named first before the others. */
static int
compare(const void *a, const void *b)
{
	const struct recipient *x = *(const struct recipient *const *)a;
	const struct recipient *y = *(const struct recipient *const *)b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : x < y ? -1 : 1;
}

/* Who is named twice gets one copy; the first place counts. */
static void
remove_doubles(struct people *p, struct pool *pool)
{
	struct recipient **sorted = pool_array(pool, p->n, sizeof *sorted);
	size_t i, kept = 0;

	for (i = 0; i < p->n; i++)
		sorted[i] = &p->recipients[i];
	qsort(sorted, p->n, sizeof *sorted, compare);
	for (i = p->n; i-- > 1;)
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
			sorted[i]->path = NULL;
	for (i = 0; i < p->n; i++)
		if (p->recipients[i].path != NULL)
			p->recipients[kept++] = p->recipients[i];
	p->n = kept;
}

bool
people_named(struct people *p, const struct options *o,
    const struct message *m, struct resolver *resolver, struct failure *why)
{
	struct naming g = { .people = p, .resolver = resolver,
	    .dsn = o->notify != NULL, .pool = resolver->pool };
	size_t i;

	*p = (struct people){ 0 };
	for (i = 0; i < o->nrecipients; i++)
		if (!add_list(&g, o->recipients[i], "", why))
			return false;
	if (o->from_header && !header_recipients(&g, m, why))
		return false;
	if (p->n == 0)
		return fail(why, FAILURE_USAGE, o->from_header ? "there are no "
		    "recipients, neither in To, Cc and Bcc nor on the command "
		    "line" : "there are no recipients (-t takes them from the "
		    "header)");
	remove_doubles(p, g.pool);
	return true;
}
