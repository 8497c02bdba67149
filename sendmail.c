/*
 * Which story it is: a message (submit.h), or one of the smaller ones.
 */
#include "accounts.h"
#include "caller.h"
#include "config.h"
#include "identity.h"
#include "import.h"
#include "log.h"
#include "mailq.h"
#include "memory.h"
#include "names.h"
#include "options.h"
#include "pool.h"
#include "probe.h"
#include "privilege.h"
#include "queue.h"
#include "report.h"
#include "route.h"
#include "sandbox.h"
#include "serve.h"
#include "session.h"
#include "submit.h"
#include "tls.h"
#include "trial.h"
#include "url.h"
#include "usage.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

struct run {
	struct pool *pool;
	struct options options;
	struct caller caller;
	struct config config;
	struct privilege privilege;
	const char *program;
	milliseconds begun;
};

/* A command may hold one, and whoever may not read the file runs it not. */
static bool
is_secret(const struct account *a, enum setting s)
{
	return config_is_secret(s) || (a->handed &&
	    (s == SET_PASSWORD_COMMAND || s == SET_OAUTH_COMMAND));
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
		    "--print-certificate\n", facts.pin, a->name);
	else
		(void)printf("    # %s\n", why.text);
}

/* No line of the account has them. */
static void
print_found(const struct account *a)
{
	const char *from = a->values[SET_FROM];
	const char *at = from != NULL ? strrchr(from, '@') : NULL;

	if (a->nservers == 0 && at != NULL)
		(void)printf("    # its server: one that %s names in the DNS "
		    "(SRV); sendoff --account %s --probe shows it\n", at + 1,
		    a->name);
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
	print_found(a);
	print_identity(a, pool);
}

/* --check: every error, then the configuration as it is in effect. */
static int
check_configuration(struct run *r)
{
	struct failure why = { 0 };
	bool ok = accounts_load(&r->config, &r->options, &r->caller, &why);
	size_t i;

	for (i = 0; i < r->config.nerrors; i++)
		(void)fprintf(stderr, "%s\n", r->config.errors[i]);
	if (!ok && r->config.nerrors == 0)
		(void)fprintf(stderr, "%s: %s\n", r->program, why.text);
	for (i = 0; ok && i < r->config.n; i++)
		print_account(&r->config.accounts[i], r->pool);
	return ok ? report_output(r->program) : failure_status(why.kind);
}

static bool
find_certificate(struct run *r, struct identity_facts *facts,
    struct failure *why)
{
	struct choice c;
	struct identity id;

	if (!accounts_load(&r->config, &r->options, &r->caller, why) ||
	    !accounts_choose(&r->config, &r->options, r->options.sender, &c,
	    why))
		return false;
	if (c.account == NULL || !config_has_identity(c.account))
		return fail(why, FAILURE_CONFIG, "the account \"%s\" has no "
		    "client certificate; add client-key-ed25519, or "
		    "client-certificate and client-key", c.account != NULL ?
		    c.account->name : "default");
	id = route_identity(c.account);
	return identity_describe(&id, facts, r->pool, why);
}

static int
print_certificate(struct run *r)
{
	struct identity_facts facts = { .pem = "" };
	struct failure why;

	if (!find_certificate(r, &facts, &why)) {
		(void)fprintf(stderr, "%s: %s\n", r->program, why.text);
		return failure_status(why.kind);
	}
	(void)fputs(facts.pem, stdout);
	return report_output(r->program);
}

/* A kept message, or what an account's servers have offered (memory.h). */
static int
forget(struct run *r)
{
	struct failure why = { 0 };
	bool found = false;
	struct memory *m;
	size_t n = 0;
	int status = mailq_forget(&r->options, &r->caller, &r->config,
	    r->program, &found);

	if (found)
		return status;
	m = memory_open(session_memory(&r->caller, r->pool), r->pool);
	if (!memory_forget(m, r->options.account, &n, &why)) {
		(void)fprintf(stderr, "%s: %s\n", r->program, why.text);
		return failure_status(why.kind);
	}
	if (n == 0 && accounts_named(&r->config, r->options.account) == NULL) {
		(void)fprintf(stderr, "%s: %s: there is no kept message of "
		    "this id (mailq lists them), and no such account\n",
		    r->program, r->options.account);
		return EX_USAGE;
	}
	(void)printf("what the servers of the account \"%s\" have offered is "
	    "forgotten (%zu)\n", r->options.account, n);
	(void)report_output(r->program);
	return EX_OK;
}

static int
print_version(const struct run *r)
{
	char sandbox[SANDBOX_TEXT];

	(void)printf("sendoff %s, GnuTLS %s\n", VERSION, tls_library());
	if (r->options.verbose > 0) {
		sandbox_kernel(sandbox);
		(void)printf("sandbox: %s\n", sandbox);
	}
	return report_output(r->program);
}

static int
help(struct run *r)
{
	(void)fputs(usage_text(), stdout);
	return report_output(r->program);
}

/* The smaller ones that are told what a message is told. */
typedef int story(const struct options *, const struct caller *,
    struct config *, const char *program);

static story *const stories[] = {
	[MODE_LIST]	= mailq_list,	[MODE_SHOW]	= mailq_show,
	[MODE_RETRY]	= queue_run,	[MODE_ALIASES]	= names_check,
	[MODE_VERIFY]	= names_verify,	[MODE_PROBE]	= probe,
	[MODE_SERVE]	= serve,	[MODE_NOTHING]	= NULL,
};

static int
act(struct run *r)
{
	story *small = stories[r->options.mode];

	if (small != NULL)
		return small(&r->options, &r->caller, &r->config, r->program);
	switch (r->options.mode) {
	case MODE_VERSION:
		return print_version(r);
	case MODE_HELP:
		return help(r);
	case MODE_CHECK:
		return check_configuration(r);
	case MODE_CERTIFICATE:
		return print_certificate(r);
	case MODE_FORGET:
		return forget(r);
	case MODE_IMPORT:
		return import_configuration(&r->options, &r->caller,
		    r->program);
	case MODE_NOTHING:
		return EX_OK;
	case MODE_TRIAL:
		return trial_run(&r->options, &r->caller, &r->config,
		    r->program, r->begun);
	default:
		return submit_message(&r->options, &r->caller, &r->config,
		    r->program, r->begun);
	}
}

static int
run(struct run *r, int argc, char **argv)
{
	struct failure why = { 0 };
	struct report report = { .program = r->program, .failure = &why };

	if (!options_parse(&r->options, argc, argv, r->pool, &why)) {
		accounts_log(NULL, &r->options);
		report_result(&report, r->pool);
		return report_status(&report);
	}
	log_trace_level(r->options.verbose);
	log_trace_also(r->options.trace_logins, r->options.trace_data);
	return act(r);
}

int
main(int argc, char **argv)
{
	bool sendoff = argc > 0 && options_is_sendoff(argv[0]);
	bool closed = caller_begin(!sendoff);
	struct run r = { .pool = pool_new(), .begun = clock_now(),
	    .program = sendoff ? "sendoff" : "sendmail" };
	struct failure why;
	int status;

	if (!privilege_drop(&r.privilege, &why)) {
		(void)fprintf(stderr, "%s: %s\n", r.program, why.text);
		return failure_status(why.kind);
	}
	r.config.pool = r.pool;
	r.config.handed = &r.privilege;
	caller_read(&r.caller, closed, r.privilege.environment, r.pool);
	status = run(&r, argc, argv);
	privilege_end(&r.privilege);
	config_forget_all(&r.config);
	log_close();
	pool_free(r.pool);
	return status;
}
