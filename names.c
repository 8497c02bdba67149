#include "names.h"
#include "accounts.h"
#include "address.h"
#include "path.h"
#include "report.h"
#include "resolve.h"

#include <stdio.h>
#include <string.h>

struct names {
	const struct options *options;
	struct config *config;
	struct choice choice;
	struct resolver resolver;
	int status;
};

static bool
begin(struct names *v, const struct caller *c, struct failure *why)
{
	const struct options *o = v->options;

	if (!accounts_load(v->config, o, c, why) ||
	    !accounts_choose(v->config, o, o->sender, &v->choice, why))
		return false;
	accounts_log(v->choice.account, o);
	resolve_init(&v->resolver, v->choice.account, c, o->no_aliases,
	    v->config->pool);
	return true;
}

int
names_check(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	struct names v = { .options = o, .config = config };
	struct failure why;
	size_t i;

	if (!begin(&v, c, &why))	/* the system's file needs no account */
		resolve_init(&v.resolver, NULL, c, false, config->pool);
	if (!resolve_load(&v.resolver, &why))
		return report_failure(program, &why);
	for (i = 0; i < v.resolver.aliases.nerrors; i++)
		(void)fprintf(stderr, "%s\n", v.resolver.aliases.errors[i]);
	return failure_status(v.resolver.aliases.nerrors == 0 ? FAILURE_NONE :
	    FAILURE_CONFIG);
}

static void
print(const struct names *v, const char *asked, const struct mailbox *m)
{
	struct pool *pool = v->config->pool;
	const char *path = path_of(m, pool);
	const struct account *a = accounts_of_recipient(v->config, &v->choice,
	    path);
	const char *server = a->values[SET_SERVER];

	(void)printf("%s... goes to <%s> by %s (%s%s)\n", asked, path,
	    a->line > 0 ? pool_printf(pool, "the account \"%s\"", a->name) :
	    a->called, server != NULL ? server :
	    a->values[SET_FROM] != NULL ? "SRV records of " : "no server",
	    server != NULL || a->values[SET_FROM] == NULL ? "" :
	    strrchr(a->values[SET_FROM], '@') + 1);
}

static void
verify_one(struct names *v, const struct mailbox *m)
{
	const char *asked = path_of(m, v->config->pool);
	struct mailbox *list;
	struct failure why;
	size_t n, i;

	if (!resolve_mailbox(&v->resolver, m, &list, &n, &why)) {
		(void)printf("%s... goes nowhere: %s\n", asked, why.text);
		v->status = failure_status(why.kind);
		return;
	}
	for (i = 0; i < n; i++)
		print(v, asked, &list[i]);
}

static void
verify(struct names *v, const char *argument)
{
	struct mailbox *list = NULL;
	struct failure why;
	char shown[sizeof why.text];
	size_t n = 0, i;

	if (!address_list(argument, v->config->pool, &list, &n, &why)) {
		(void)printable(shown, sizeof shown, argument,
		    strlen(argument));
		(void)printf("%s... goes nowhere: %s\n", shown, why.text);
		v->status = failure_status(why.kind);
		return;
	}
	for (i = 0; i < n; i++)
		verify_one(v, &list[i]);
}

int
names_verify(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	struct names v = { .options = o, .config = config };
	struct failure why;
	size_t i;
	int status;

	if (o->nrecipients == 0) {
		(void)fail(&why, FAILURE_USAGE, "-bv wants recipients");
		return report_failure(program, &why);
	}
	if (!begin(&v, c, &why))
		return report_failure(program, &why);
	for (i = 0; i < o->nrecipients; i++)
		verify(&v, o->recipients[i]);
	status = report_output(program);
	return status != 0 ? status : v.status;
}
