#include "resolve.h"
#include "file.h"
#include "log.h"
#include "path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char system_file[] = SYSCONFDIR "/aliases";

void
resolve_init(struct resolver *r, const struct account *a,
    const struct caller *c, bool no_aliases, struct pool *pool)
{
	*r = (struct resolver){ .account = a, .caller = c,
	    .no_aliases = no_aliases, .pool = pool };
}

static const char *
setting(const struct resolver *r, enum setting s)
{
	return r->account != NULL ? r->account->values[s] : NULL;
}

/* The account's, else the system's when there is one. */
static const char *
aliases_file(const struct resolver *r)
{
	const char *file = setting(r, SET_ALIASES);

	return file != NULL ? file : system_file;
}

/* An included list may be read only when none but root can write it. */
static FILE *
open_include(const char *name, bool *root_owned)
{
	FILE *f = file_stream(name);
	struct stat st;

	*root_owned = f != NULL && fstat(fileno(f), &st) == 0 &&
	    st.st_uid == 0 && (st.st_mode & 022) == 0;
	return f;
}

/* Who can write them decides who gets the mail of every local name. */
static bool
read_believed(struct aliases *a, FILE *f, const char *file,
    struct failure *why)
{
	const char *doubt = file_doubt(fileno(f));

	if (doubt != NULL)
		return fail(why, FAILURE_CONFIG, "the aliases in %s are not "
		    "believed: %s; mend it with: chmod go-w %s, or chown",
		    file, doubt, file);
	aliases_read(a, f, file, open_include);
	return true;
}

static bool
read_aliases(struct aliases *a, const char *file, struct pool *pool,
    struct failure *why)
{
	FILE *f = file_stream(file);
	bool ok;

	aliases_init(a, pool);
	if (f == NULL && errno == ENOENT && file == system_file)
		return true;
	if (f == NULL)
		return fail(why, file_blame(errno), "the aliases %s cannot be "
		    "read: %s (\"aliases none\" does without)", file,
		    file_error(errno));
	ok = read_believed(a, f, file, why);
	(void)fclose(f);
	return ok;
}

/* Of an account before it that has the same file. */
static const struct aliases *
read_already(const struct config *config, size_t n, const char *file)
{
	struct resolver r = { .loaded = false };
	size_t i;

	for (i = 0; i < n; i++) {
		r.account = &config->accounts[i];
		if (strcmp(aliases_file(&r), file) == 0)
			return r.account->aliases;
	}
	return NULL;
}

void
resolve_prepare(struct config *config)
{
	struct resolver r = { .loaded = false };
	struct aliases *a;
	struct failure ignored;
	const char *file;
	size_t i;

	for (i = 0; i < config->n; i++) {
		r.account = &config->accounts[i];
		file = aliases_file(&r);
		config->accounts[i].aliases = read_already(config, i, file);
		if (r.account->aliases != NULL || strcmp(file, "none") == 0)
			continue;
		a = pool_alloc(config->pool, sizeof *a);
		if (read_aliases(a, file, config->pool, &ignored))
			config->accounts[i].aliases = a;
	}
}

bool
resolve_load(struct resolver *r, struct failure *why)
{
	const char *file = aliases_file(r);

	if (r->loaded || strcmp(file, "none") == 0)
		return true;
	if (r->account != NULL && r->account->aliases != NULL)
		r->aliases = *r->account->aliases;
	else if (!read_aliases(&r->aliases, file, r->pool, why))
		return false;
	r->loaded = true;
	if (r->aliases.nerrors > 0)
		log_note(LEVEL_WARNING, "%s (newaliases shows every error in "
		    "this file)", r->aliases.errors[0]);
	return true;
}

/* "X.Y" can be a full name of this host only when the host is called "X". */
static bool
is_this_host(const struct caller *c, const char *domain, struct pool *pool)
{
	size_t n = strcspn(c->hostname, ".");
	const char *fqdn;

	if (strcasecmp(domain, c->hostname) == 0)
		return true;
	if (strncasecmp(domain, c->hostname, n) != 0 ||
	    (domain[n] != '\0' && domain[n] != '.'))
		return false;
	if (domain[n] == '\0')
		return true;
	fqdn = caller_fqdn(c, pool);
	return fqdn != NULL && strcasecmp(domain, fqdn) == 0;
}

/* A host that has the name of its mail domain is not local by that name. */
static bool
is_mail_domain(const struct resolver *r, const char *ascii)
{
	const char *from = setting(r, SET_FROM);
	const char *own = setting(r, SET_DOMAIN);
	const char *at = from != NULL ? strrchr(from, '@') : NULL;

	return (own != NULL &&
	    strcasecmp(path_ascii(own, r->pool), ascii) == 0) ||
	    (at != NULL && strcasecmp(path_ascii(at + 1, r->pool), ascii) == 0);
}

bool
resolve_is_local(const struct resolver *r, const struct mailbox *m)
{
	const char *ascii;

	if (m->domain == NULL)
		return true;
	ascii = path_ascii(m->domain, r->pool);
	if (strcasecmp(ascii, "localhost") == 0 ||
	    strcasecmp(ascii, "localhost.localdomain") == 0)
		return true;
	return is_this_host(r->caller, ascii, r->pool) &&
	    !is_mail_domain(r, ascii);
}

static bool
is_local(const struct mailbox *m, const void *resolver)
{
	return resolve_is_local(resolver, m);
}

/*
 * Behind a unix socket is this same host, which knows its own names: they are
 * left to it, unless the account says what they are.
 */
static bool
leaves_names(const struct resolver *r)
{
	const struct account *a = r->account;
	size_t i;

	for (i = 0; a != NULL && i < a->nservers; i++)
		if (a->servers[i].path == NULL || a->servers[i].lmtp)
			return false;
	return a != NULL && a->nservers > 0 && setting(r, SET_DOMAIN) == NULL;
}

/* Where the names go that no alias and no default-recipient takes. */
static bool
qualify(const struct resolver *r, struct mailbox *m, struct failure *why)
{
	const char *domain = setting(r, SET_DOMAIN);
	const char *ascii = m->domain != NULL ?
	    path_ascii(m->domain, r->pool) : "";

	if (strchr(ascii, '.') != NULL &&
	    strcasecmp(ascii, "localhost.localdomain") != 0)
		return true;
	if (leaves_names(r)) {
		m->domain = NULL;
		return true;
	}
	m->domain = domain != NULL ? domain : r->caller->mailname;
	return m->domain != NULL || fail(why, FAILURE_CONFIG, "\"%s\" is a "
	    "local name and nothing says who gets its mail; write "
	    "\"default-recipient me@example.org\" into the account, or "
	    "\"domain\", or an alias into %s", m->local,
	    strcmp(aliases_file(r), "none") != 0 ?
	    aliases_file(r) : "a file that \"aliases\" names");
}

static bool
settle(struct resolver *r, const struct mailbox *m, struct mailbox **out,
    size_t *n, struct failure *why)
{
	const char *fallback = setting(r, SET_DEFAULT_RECIPIENT);
	struct mailbox *list = NULL, last = *m;
	size_t count = 0, i;

	if (resolve_is_local(r, m) && fallback != NULL) {
		if (!address_list(fallback, r->pool, &list, &count, why))
			return false;
	} else {
		if (resolve_is_local(r, m) && !qualify(r, &last, why))
			return false;
		list = &last;
		count = 1;
	}
	for (i = 0; i < count; i++) {
		*out = pool_grow(r->pool, *out, n, sizeof **out);
		(*out)[*n - 1] = list[i];
	}
	return true;
}

bool
resolve_mailbox(struct resolver *r, const struct mailbox *m,
    struct mailbox **out, size_t *n, struct failure *why)
{
	struct mailbox *list = NULL;
	size_t count = 0, i;
	bool found = false;

	*out = NULL;
	*n = 0;
	if (resolve_is_local(r, m) && !r->no_aliases && r->account != NULL) {
		if (!resolve_load(r, why) || !aliases_expand(&r->aliases,
		    m->local, is_local, r, r->pool, &list, &count, &found,
		    why))
			return false;
	}
	if (!found)
		return settle(r, m, out, n, why);
	for (i = 0; i < count; i++)
		if (!settle(r, &list[i], out, n, why))
			return false;
	return true;
}

const char *
resolve_domain(const struct resolver *r)
{
	const char *domain = setting(r, SET_DOMAIN);

	if (domain == NULL && !leaves_names(r))
		domain = r->caller->mailname;
	if (domain == NULL)
		domain = caller_fqdn(r->caller, r->pool);
	return domain != NULL ? domain : r->caller->hostname;
}
