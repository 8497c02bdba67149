/*
 * Which story it is: a message (submit.h), or one of the smaller ones.
 */
#include "accounts.h"
#include "caller.h"
#include "check.h"
#include "config.h"
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
#include "sandbox.h"
#include "serve.h"
#include "session.h"
#include "submit.h"
#include "tls.h"
#include "trial.h"
#include "usage.h"

#include <stdio.h>
#include <sysexits.h>

struct run {
	struct pool *pool;
	struct options options;
	struct caller caller;
	struct config config;
	struct privilege privilege;
	const char *program;
	milliseconds begun;
};

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
	if (!memory_forget(m, r->options.account, &n, &why))
		return report_failure(r->program, &why);
	if (n == 0 && accounts_named(&r->config, r->options.account) == NULL) {
		(void)fail(&why, FAILURE_USAGE, "%s: there is no kept message "
		    "of this id (mailq lists them), and no such account",
		    r->options.account);
		return report_failure(r->program, &why);
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
	[MODE_SERVE]	= serve,	[MODE_CHECK]	= check_configuration,
	[MODE_CERTIFICATE] = check_certificate,
	[MODE_NOTHING]	= NULL,
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

	if (!privilege_drop(&r.privilege, &why))
		return report_failure(r.program, &why);
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
