#include "accounts.h"
#include "bound.h"
#include "file.h"
#include "handed.h"
#include "log.h"
#include "path.h"
#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

/* Where the user's file is looked for; NULL without a home. */
static const char *
user_file(const struct caller *c, struct pool *pool)
{
	if (c->config_home != NULL)
		return pool_printf(pool, "%s/sendoff.conf", c->config_home);
	if (c->home == NULL)
		return NULL;
	return pool_printf(pool, "%s/.config/sendoff.conf", c->home);
}

static bool
has_handed(const struct config *config)
{
	return config->handed != NULL && buffer_len(&config->handed->text) > 0;
}

static void
drop_handed(struct config *config)
{
	if (config->handed != NULL)
		privilege_end(config->handed);
}

static void
read_file(struct config *config, const char *name, enum origin origin,
    int *error)
{
	FILE *f = config->chosen ? file_stream_any(name) : file_stream(name);

	*error = f == NULL ? errno : 0;
	if (f == NULL)
		return;
	config_read(config, f, name, origin, file_stream);
	(void)fclose(f);
}

/* No more of it is left behind than the accounts hold. */
static void
read_handed(struct config *config, int *error)
{
	FILE *f = fmemopen(buffer_data(&config->handed->text),
	    buffer_len(&config->handed->text), "r");

	*error = f == NULL ? errno : 0;
	if (f == NULL)
		return;
	(void)setvbuf(f, NULL, _IONBF, 0);
	config_read(config, f, privilege_file, CONFIG_HANDED, file_stream);
	(void)fclose(f);
}

/* Then nobody knows what stands in it, and other accounts do not serve. */
static bool
is_scarce(int error)
{
	return file_blame(error) == FAILURE_LOCAL;
}

/* The system's file: by the caller's own rights, if they go so far. */
static void
read_system(struct config *config, int *error)
{
	read_file(config, privilege_file, CONFIG_SYSTEMS, error);
	if (*error == EACCES && has_handed(config))
		read_handed(config, error);
	else if (*error == EACCES && config->handed != NULL &&
	    is_scarce(config->handed->error))
		*error = config->handed->error;
	drop_handed(config);
}

static bool
unreadable(const char *file, int error, struct failure *why)
{
	return fail(why, file_blame(error), "%s cannot be read: %s", file,
	    file_error(error));
}

static bool
told(const struct config *config, struct failure *why)
{
	enum failure_kind kind = config->scarce ? FAILURE_LOCAL :
	    FAILURE_CONFIG;

	if (config->nerrors == 0)
		return true;
	if (config->nerrors == 1)
		return fail(why, kind, "%s", config->errors[0]);
	return fail(why, kind, "%s (and %zu more; \"sendoff --check\" shows "
	    "all)", config->errors[0], config->nerrors - 1);
}

static bool
none_found(const struct config *config, const char *user, int user_error,
    int system_error, struct failure *why)
{
	const char *objection = config->handed == NULL ? NULL :
	    config->handed->objection;

	if (user != NULL && user_error != ENOENT && user_error != 0)
		return unreadable(user, user_error, why);
	if (system_error == EACCES)
		return fail(why, FAILURE_CONFIG, "%s may not be read by you%s"
		    "%s; ask its owner, or write your own account into %s",
		    privilege_file, objection != NULL ? ", and is not read "
		    "for you: " : "", objection != NULL ? objection : "",
		    user != NULL ? user : "~/.config/sendoff.conf");
	if (system_error != ENOENT && system_error != 0)
		return unreadable(privilege_file, system_error, why);
	return fail(why, FAILURE_CONFIG, "there is no account: write \"from\", "
	    "\"server\" and \"password\" into %s or %s", user != NULL ? user :
	    "~/.config/sendoff.conf", privilege_file);
}

void
accounts_bar(struct config *config, const struct peer *peer)
{
	struct account *a;
	const char *users;
	size_t i;

	for (i = 0; i < config->n; i++) {
		a = &config->accounts[i];
		users = a->values[SET_ALLOW_USER];
		a->barred = users == NULL || peer_is_among(peer, users,
		    config->pool) ? NULL : peer->name;
	}
}

static bool
load(struct config *config, const struct options *o,
    const struct caller *c, struct failure *why)
{
	const char *user = user_file(c, config->pool);
	int user_error = ENOENT, system_error = ENOENT;

	config->chosen = o->config != NULL;
	if (o->config != NULL) {
		drop_handed(config);
		read_file(config, o->config, CONFIG_USERS, &user_error);
		if (user_error != 0)
			return unreadable(o->config, user_error, why);
		return told(config, why);
	}
	if (user != NULL)
		read_file(config, user, CONFIG_USERS, &user_error);
	read_system(config, &system_error);
	if (!told(config, why) ||
	    (is_scarce(user_error) && !unreadable(user, user_error, why)) ||
	    (is_scarce(system_error) &&
	    !unreadable(privilege_file, system_error, why)))
		return false;
	/* --server or --from, whose domain may name one, is an account too. */
	if (config->n > 0 || options_setting(o, "server") != NULL ||
	    options_setting(o, "from") != NULL)
		return true;
	return none_found(config, user, user_error, system_error, why);
}

bool
accounts_load(struct config *config, const struct options *o,
    const struct caller *c, struct failure *why)
{
	bool ok = load(config, o, c, why);
	struct peer self;
	size_t i;

	for (i = 0; i < config->n; i++)
		if (config->accounts[i].values[SET_ALLOW_USER] != NULL)
			break;
	if (i == config->n)
		return ok;
	peer_self(&self, config->pool);
	accounts_bar(config, &self);
	return ok;
}

static bool
fits(const struct account *a, const char *address, struct pool *pool)
{
	return a->values[SET_MATCH] != NULL &&
	    path_matches_any(a->values[SET_MATCH], address, pool);
}

static bool
is_from(const struct account *a, const char *sender, struct pool *pool)
{
	return a->values[SET_FROM] != NULL &&
	    strcasecmp(path_ascii(a->values[SET_FROM], pool),
	    path_ascii(sender, pool)) == 0;
}

static struct account *
named(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->n; i++)
		if (strcmp(config->accounts[i].name, name) == 0)
			return &config->accounts[i];
	return NULL;
}

typedef bool account_test(const struct account *, const char *, struct pool *);

/* The first that the address means; a barred one when it means no other. */
static struct account *
first(const struct config *config, account_test *test, const char *address)
{
	struct account *a, *barred = NULL;
	size_t i;

	for (i = 0; i < config->n; i++) {
		a = &config->accounts[i];
		if (test != NULL && !test(a, address, config->pool))
			continue;
		if (a->barred == NULL)
			return a;
		if (barred == NULL)
			barred = a;
	}
	return barred;
}

/* The account that the sender means, or NULL; *why it is, or there is none. */
static struct account *
of_sender(const struct config *config, const char *sender, const char **why)
{
	struct account *a;

	*why = "no sender is named, and it is the first";
	if (sender == NULL)
		return NULL;
	*why = "its \"from\" is the sender";
	a = first(config, is_from, sender);
	if (a != NULL)
		return a;
	a = first(config, fits, sender);
	*why = a != NULL ? "its \"match\" fits the sender" : "no \"from\" or "
	    "\"match\" fits the sender, and it is the first";
	return a;
}

static bool
change(struct config *config, struct account *a, const struct options *o,
    struct failure *why)
{
	size_t i;

	for (i = 0; i < o->noverrides; i++)
		if (!config_override(a, o->overrides[i].name,
		    o->overrides[i].value, config->pool, why))
			return false;
	return true;
}

/* The command line's changes may cost an account its secret. */
static bool
override(struct config *config, const struct options *o, struct failure *why)
{
	struct account own;
	size_t i;

	for (i = 0; i < config->n; i++) {
		own = config->accounts[i];
		if (!change(config, &config->accounts[i], o, why))
			return false;
		bound_apply(&own, &config->accounts[i]);
		handed_lost(&config->accounts[i]);
	}
	return true;
}

/* What the command line says is an account when there is no other. */
static struct account *
add_account(struct config *config)
{
	struct account *a;

	config->accounts = pool_grow(config->pool, config->accounts,
	    &config->n, sizeof *a);
	a = &config->accounts[config->n - 1];
	*a = (struct account){ .name = "command-line", .file = "-",
	    .called = "the command line" };
	return a;
}

static bool
choose(struct config *config, const struct options *o,
    const char *sender, struct choice *choice, struct failure *why)
{
	struct account *a;

	if (!override(config, o, why))
		return false;
	choice->why = "--account names it";
	a = o->account != NULL ? named(config, o->account) :
	    of_sender(config, sender, &choice->why);
	choice->pinned = a != NULL ||
	    options_setting(o, "server") != NULL;
	if (o->account != NULL && a == NULL)
		return fail(why, FAILURE_CONFIG, "there is no account "
		    "\"%s\"; those that there are: sendoff --check",
		    o->account);
	if (a == NULL)
		a = first(config, NULL, NULL);
	if (a == NULL) {
		a = add_account(config);
		choice->why = "the configuration has no account";
		if (!change(config, a, o, why))
			return false;
	}
	choice->account = a;
	return true;
}

bool
accounts_choose(struct config *config, const struct options *o,
    const char *sender, struct choice *choice, struct failure *why)
{
	return choose(config, o, sender, choice, why) &&
	    handed_use(config, choice->account, why) &&
	    (!o->trace_logins || handed_may_show(config, why));
}

void
accounts_prepare(struct config *config, const struct options *o)
{
	struct choice ignored;
	struct failure told_later;

	(void)choose(config, o, NULL, &ignored, &told_later);
}

const struct account *
accounts_of_recipient(const struct config *config, const struct choice *choice,
    const char *address)
{
	const struct account *a = choice->pinned ? NULL :
	    first(config, fits, address);

	return a != NULL ? a : choice->account;
}

void
accounts_log(const struct account *a, const struct options *o)
{
	bool json = a != NULL &&
	    strcasecmp(config_value(a, SET_LOG_FORMAT), "json") == 0;

	log_open(a != NULL ? config_value(a, SET_LOG) : "syslog", json,
	    o->log_level, o->tag);
}

const struct account *
accounts_named(const struct config *config, const char *name)
{
	return name == NULL ? NULL : named(config, name);
}
