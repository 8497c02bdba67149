#include "accounts.h"
#include "address.h"
#include "path.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

static const char system_file[] = SYSCONFDIR "/sendoff.conf";

const char *
accounts_user_file(const struct caller *c, struct pool *pool)
{
	if (c->config_home != NULL)
		return pool_printf(pool, "%s/sendoff.conf", c->config_home);
	if (c->home == NULL)
		return NULL;
	return pool_printf(pool, "%s/.config/sendoff.conf", c->home);
}

/* "e": no child inherits it. */
static FILE *
open_file(const char *name)
{
	return fopen(name, "re");
}

static void
read_file(struct config *config, const char *name, bool system, int *error)
{
	FILE *f = open_file(name);

	*error = f == NULL ? errno : 0;
	if (f == NULL)
		return;
	config_read(config, f, name, system, open_file);
	(void)fclose(f);
}

static bool
told(const struct config *config, struct failure *why)
{
	if (config->nerrors == 0)
		return true;
	if (config->nerrors == 1)
		return fail(why, FAILURE_CONFIG, "%s", config->errors[0]);
	return fail(why, FAILURE_CONFIG, "%s (and %zu more; \"sendoff "
	    "--check\" shows all)", config->errors[0], config->nerrors - 1);
}

/* --server and --from on the command line are an account as well. */
static bool
names_server(const struct options *o)
{
	size_t i;

	for (i = 0; i < o->noverrides; i++)
		if (strcmp(o->overrides[i].name, "server") == 0)
			return true;
	return false;
}

static bool
none_found(const struct config *config, const char *user, int user_error,
    int system_error, struct failure *why)
{
	(void)config;
	if (user != NULL && user_error != ENOENT && user_error != 0)
		return fail(why, FAILURE_CONFIG, "%s cannot be read: %s", user,
		    strerror(user_error));
	if (system_error == EACCES)
		return fail(why, FAILURE_CONFIG, "%s may not be read by you; "
		    "ask its owner, or write your own account into %s",
		    system_file, user != NULL ? user : "~/.config/sendoff.conf");
	return fail(why, FAILURE_CONFIG, "there is no account: write \"from\", "
	    "\"server\" and \"password\" into %s or %s", user != NULL ? user :
	    "~/.config/sendoff.conf", system_file);
}

bool
accounts_load(struct config *config, const struct options *o,
    const struct caller *c, struct failure *why)
{
	const char *user = accounts_user_file(c, config->pool);
	int user_error = ENOENT, system_error = ENOENT;

	if (o->config != NULL) {
		read_file(config, o->config, false, &user_error);
		if (user_error != 0)
			return fail(why, FAILURE_CONFIG, "%s cannot be read: "
			    "%s", o->config, strerror(user_error));
		return told(config, why);
	}
	if (user != NULL)
		read_file(config, user, false, &user_error);
	read_file(config, system_file, true, &system_error);
	if (!told(config, why))
		return false;
	if (config->n > 0 || names_server(o))
		return true;
	return none_found(config, user, user_error, system_error, why);
}

static bool
fits(const struct account *a, const char *sender)
{
	const char *p = a->values[SET_MATCH];
	char pattern[512];
	size_t len;

	for (; p != NULL && *p != '\0'; p += len + strspn(p + len, " ")) {
		len = strcspn(p, " ");
		if (len >= sizeof pattern)
			continue;
		memcpy(pattern, p, len);
		pattern[len] = '\0';
		if (path_matches(pattern, sender))
			return true;
	}
	return a->values[SET_FROM] != NULL &&
	    strcasecmp(a->values[SET_FROM], sender) == 0;
}

static const struct account *
find(const struct config *config, const char *name, const char *sender)
{
	size_t i;

	for (i = 0; i < config->n; i++)
		if (name != NULL ? strcmp(config->accounts[i].name, name) == 0 :
		    sender != NULL && fits(&config->accounts[i], sender))
			return &config->accounts[i];
	return name == NULL && config->n > 0 ? &config->accounts[0] : NULL;
}

bool
accounts_choose(const struct config *config, const struct options *o,
    const char *sender, struct account **out, struct failure *why)
{
	const struct account *chosen = find(config, o->account, sender);
	struct account *a = pool_alloc(config->pool, sizeof *a);
	size_t i;

	if (chosen == NULL && o->account != NULL)
		return fail(why, FAILURE_CONFIG, "there is no account \"%s\"",
		    o->account);
	if (chosen != NULL)
		*a = *chosen;
	else
		*a = (struct account){ .name = "command line", .file = "-" };
	for (i = 0; i < o->noverrides; i++)
		if (!config_override(a, o->overrides[i].name,
		    o->overrides[i].value, config->pool, why))
			return false;
	*out = a;
	return true;
}
