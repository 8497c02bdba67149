#include "check.h"
#include "accounts.h"
#include "identity.h"
#include "report.h"
#include "route.h"
#include "url.h"

#include <stdio.h>
#include <string.h>

/* A command may hold one, and whoever may not read the file runs it not. */
static bool
is_secret(const struct account *a, enum setting s)
{
	return config_is_secret(s) || (a->handed &&
	    (s == SET_PASSWORD_COMMAND || s == SET_OAUTH_COMMAND));
}

/* The account's name as a shell takes it. */
static const char *
typed(const char *name, struct pool *pool)
{
	return strchr(name, ' ') == NULL ? name :
	    pool_printf(pool, "\"%s\"", name);
}

/* What the server has to know, of whom a certificate tells it. */
static void
print_identity(const struct account *a, struct pool *pool)
{
	const struct identity id = route_identity(a);
	struct identity_facts facts;
	struct failure why;

	if (!config_has_identity(a))
		return;
	if (identity_describe(&id, &facts, pool, &why))
		(void)printf("    # its public key is sha256:%s\n"
		    "    # its certificate: sendoff --account %s "
		    "--print-certificate\n", facts.pin, typed(a->name, pool));
	else
		(void)printf("    # %s\n", why.text);
}

/* No line of the account has them. */
static void
print_found(const struct account *a, struct pool *pool)
{
	const char *from = a->values[SET_FROM];
	const char *at = from != NULL ? strrchr(from, '@') : NULL;

	if (a->nservers == 0 && at != NULL)
		(void)printf("    # its server: one that %s names in the DNS "
		    "(SRV); sendoff --account %s --probe shows it\n", at + 1,
		    typed(a->name, pool));
}

static void
print_account(const struct account *a, struct pool *pool)
{
	int s;

	(void)printf("account %s\t# %s:%zu\n", a->name, a->file, a->line);
	for (s = 0; s < SETTINGS; s++) {
		const char *value = config_value(a, (enum setting)s);

		if (value != NULL)
			(void)printf("    %-20s %s\n",
			    config_name((enum setting)s),
			    is_secret(a, (enum setting)s) ? "***" :
			    url_shown(value, pool));
	}
	print_found(a, pool);
	print_identity(a, pool);
}

int
check_configuration(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	struct failure why = { 0 };
	bool ok = accounts_load(config, o, c, &why);
	size_t i;

	for (i = 0; i < config->nerrors; i++)
		(void)fprintf(stderr, "%s\n", config->errors[i]);
	if (!ok && config->nerrors == 0)
		return report_failure(program, &why);
	for (i = 0; ok && i < config->n; i++)
		print_account(&config->accounts[i], config->pool);
	return ok ? report_output(program) : failure_status(why.kind);
}

static bool
find_certificate(struct config *config, const struct options *o,
    const struct caller *c, struct identity_facts *facts, struct failure *why)
{
	struct choice choice;
	struct identity id;

	if (!accounts_load(config, o, c, why) ||
	    !accounts_choose(config, o, o->sender, &choice, why))
		return false;
	if (!config_has_identity(choice.account))
		return fail(why, FAILURE_CONFIG, "%s has no client "
		    "certificate; add client-key-ed25519, or "
		    "client-certificate and client-key", choice.account->called);
	id = route_identity(choice.account);
	return identity_describe(&id, facts, config->pool, why);
}

int
check_certificate(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	struct identity_facts facts = { .pem = "" };
	struct failure why;

	if (!find_certificate(config, o, c, &facts, &why))
		return report_failure(program, &why);
	(void)fputs(facts.pem, stdout);
	return report_output(program);
}
