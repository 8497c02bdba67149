/*
 * The story of a run: understand the call, read the message, decide, submit,
 * keep what is left, answer.
 */
#include "accounts.h"
#include "caller.h"
#include "config.h"
#include "keep.h"
#include "log.h"
#include "message.h"
#include "net.h"
#include "options.h"
#include "outcome.h"
#include "plan.h"
#include "pool.h"
#include "report.h"
#include "secret.h"
#include "signals.h"
#include "smtp.h"
#include "transaction.h"

#include <locale.h>
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
	struct message *message;
	struct account *account;
	struct plan plan;
	struct outcome outcome;
	struct buffer secret;
	struct net_facts net;
	struct smtp_facts smtp;
	struct report report;
	milliseconds begun;
};

static int
level_of(const char *word)
{
	static const char *const words[] = {
		"error", "warning", "info", "debug"
	};
	int i;

	for (i = 0; i < 4; i++)
		if (word != NULL && strcasecmp(words[i], word) == 0)
			return i;
	return LEVEL_INFO;
}

static void
begin_log(const struct run *r)
{
	const struct account *a = r->account;
	bool json = a != NULL &&
	    strcasecmp(config_value(a, SET_LOG_FORMAT), "json") == 0;

	log_open(a != NULL ? config_value(a, SET_LOG) : "syslog", json,
	    (enum log_level)level_of(r->options.log_level));
}

/* Ended before there were recipients: nothing to keep, one thing to say. */
static int
end_early(struct run *r, const struct failure *why)
{
	r->report.failure = why;
	r->report.total_ms = clock_now() - r->begun;
	begin_log(r);
	report_result(&r->report, r->pool);
	return failure_status(why->kind);
}

/*
 * One server.  False: nothing of the message has gone there, and another may
 * be tried; then *why says what happened.
 */
static bool
try_endpoint(struct run *r, const struct endpoint *e, struct failure *why)
{
	struct smtp_params params = r->plan.smtp;
	const char *tls_name = r->account->values[SET_TLS_NAME];
	struct stream *stream;
	struct smtp smtp;
	bool ok;

	r->report.server = e->text;
	r->smtp = (struct smtp_facts){ 0 };
	if (!net_connect(e, &r->plan.net, r->pool, &stream, &r->net, why))
		return false;
	stream_session(stream, r->begun +
	    (milliseconds)r->plan.timeout_session * 1000);
	params.security = e->security;
	params.path_kind = r->net.is_unix ? PATH_UNIX :
	    r->net.loopback ? PATH_LOOPBACK : PATH_NETWORK;
	params.tls.name = tls_name != NULL ? tls_name : e->host;
	params.tls.verify = e->security == SECURITY_IMPLICIT ||
	    e->security == SECURITY_STARTTLS;
	if (e->user != NULL)
		params.user = e->user;
	if (r->plan.hello_literal)
		params.hello = r->net.local;
	ok = smtp_begin(&smtp, stream, &params, r->pool, &r->smtp, why);
	if (ok)
		transaction_send(&smtp, &r->plan.envelope, r->message,
		    &r->outcome, true);
	smtp_end(&smtp);
	stream_free(stream);
	return ok;
}

/* What another server could do better: not a login, not a policy. */
static bool
try_another(const struct failure *why)
{
	switch (why->kind) {
	case FAILURE_CONNECT:
	case FAILURE_RESOLVE_NONE:
	case FAILURE_RESOLVE_TEMPORARY:
	case FAILURE_LOST:
	case FAILURE_TIMEOUT:
	case FAILURE_DEFERRED:
	case FAILURE_REFUSED:
	case FAILURE_PROTOCOL:
		return signals_caught() == 0;
	default:
		return false;
	}
}

/* All deferred by a 421 or a lost connection, and nothing can have arrived. */
static bool
may_begin_anew(const struct run *r)
{
	const struct failure *why = outcome_gravest(&r->outcome);

	return why != NULL && why->reply == 421 &&
	    outcome_count(&r->outcome, VERDICT_DEFERRED) == r->outcome.n;
}

static void
submit(struct run *r)
{
	struct failure why = { 0 };
	size_t i, n = r->plan.nendpoints;

	for (i = 0; i < n; i++) {
		if (i > 0)
			log_note(LEVEL_WARNING, "going on to %s after: %s",
			    r->plan.endpoints[i].text, why.text);
		if (try_endpoint(r, &r->plan.endpoints[i], &why)) {
			if (i + 1 == n || !may_begin_anew(r))
				return;
			why = *outcome_gravest(&r->outcome);
			outcome_init(&r->outcome, r->outcome.n, r->pool);
		} else if (!try_another(&why)) {
			break;
		}
	}
	outcome_rest_failed(&r->outcome, &why);
}

/* An account without a password may still log in by its certificate. */
static bool
fetch_secret(struct run *r, struct failure *why)
{
	struct smtp_params *p = &r->plan.smtp;
	bool found = false;

	if (!p->login)
		return true;
	if (!secret_fetch(r->account, &r->caller, &r->secret, &found, why))
		return false;
	p->sasl.has_password = found;
	p->password = found ? buffer_data(&r->secret) : NULL;
	p->password_len = found ? buffer_len(&r->secret) : 0;
	if (found || p->sasl.has_certificate)
		return true;
	return fail(why, FAILURE_CONFIG, "the account \"%s\" (%s:%zu) has no "
	    "password (or write \"auth none\" if its server needs no login)",
	    r->account->name, r->account->file, r->account->line);
}

/* A person who watches, and can give the same file again, needs no copy. */
static bool
wants_keeping(const struct run *r)
{
	return r->options.keep || !r->options.sendoff ||
	    !r->caller.stderr_terminal || r->caller.stdin_terminal;
}

static void
keep_rest(struct run *r, struct kept *kept, struct failure *why)
{
	const char *keep = r->account == NULL ? NULL :
	    r->account->values[SET_KEEP];

	if (outcome_count(&r->outcome, VERDICT_SENT) == r->outcome.n ||
	    !wants_keeping(r) ||
	    (keep != NULL && strcmp(keep, "never") == 0))
		return;
	if (keep_message(r->plan.id, r->account, &r->plan.envelope,
	    r->message, &r->outcome, &r->caller, r->pool, kept, why))
		r->report.kept = kept;
	else
		r->report.keep_failure = why;
}

static int
finish(struct run *r)
{
	struct kept kept = { 0 };
	struct failure why = { 0 };

	keep_rest(r, &kept, &why);
	r->report.plan = &r->plan;
	r->report.outcome = &r->outcome;
	r->report.octets = message_size(r->message);
	r->report.total_ms = clock_now() - r->begun;
	report_result(&r->report, r->pool);
	return report_status(&r->report);
}

/*
 * From here on the message is ours to lose: whatever fails now is the outcome
 * of each recipient, and what is not sent is kept.
 */
static int
deliver(struct run *r, const struct failure *config_failure)
{
	struct failure why = { 0 };
	bool ok = config_failure == NULL;

	outcome_init(&r->outcome, r->plan.envelope.n, r->pool);
	message_compose(r->message, r->plan.prologue, plan_keeps);
	begin_log(r);
	if (!ok)
		why = *config_failure;
	if (ok && plan_message(r->message, &why) &&
	    plan_session(&r->plan, &r->options, &r->caller, r->pool, &why) &&
	    fetch_secret(r, &why))
		submit(r);
	if (r->outcome.open > 0)
		outcome_rest_failed(&r->outcome, &why);
	buffer_wipe(&r->secret);
	return finish(r);
}

static bool
choose_account(struct run *r, struct failure *why)
{
	const char *sender = r->options.sender;

	if (sender == NULL || *sender == '\0' || *sender == '<')
		sender = plan_header_sender(r->message, r->pool);
	return accounts_load(&r->config, &r->options, &r->caller, why) &&
	    accounts_choose(&r->config, &r->options, sender, &r->account, why);
}

static int
submit_message(struct run *r)
{
	struct failure why = { 0 }, config_failure = { 0 };
	int status;
	bool ok;

	if (r->options.nrecipients == 0 && !r->options.from_header) {
		(void)fail(&why, FAILURE_USAGE, "there are no recipients "
		    "(usage: %s [-i] [-t] [-f sender] [recipient ...] < "
		    "message)", r->report.program);
		return end_early(r, &why);
	}
	if (r->caller.stdin_closed)
		(void)fail(&why, FAILURE_NOINPUT, "standard input is closed, "
		    "there is no message to send");
	if (r->caller.stdin_closed || !message_read(STDIN_FILENO,
	    !r->options.keep_dots, r->caller.temporary, r->pool, &r->message,
	    &why))
		return end_early(r, &why);
	ok = choose_account(r, &config_failure);
	if (config_failure.kind == FAILURE_USAGE ||
	    !plan_envelope(&r->plan, &r->options, r->message, &r->caller,
	    r->account, r->pool, &why))
		status = end_early(r, config_failure.kind == FAILURE_USAGE ?
		    &config_failure : &why);
	else
		status = deliver(r, ok ? NULL : &config_failure);
	message_free(r->message);
	return status;
}

static void
print_account(const struct account *a)
{
	int s;

	(void)printf("account %s\t# %s:%zu\n", a->name, a->file, a->line);
	for (s = 0; s < SETTINGS; s++) {
		const char *value = config_value(a, (enum setting)s);

		if (value != NULL)
			(void)printf("    %-20s %s\n",
			    config_name((enum setting)s),
			    config_is_secret((enum setting)s) ? "***" : value);
	}
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
		(void)fprintf(stderr, "%s: %s\n", r->report.program, why.text);
	for (i = 0; ok && i < r->config.n; i++)
		print_account(&r->config.accounts[i]);
	return ok ? EX_OK : failure_status(why.kind);
}

static int
act(struct run *r)
{
	switch (r->options.mode) {
	case MODE_VERSION:
		(void)printf("sendoff %s, GnuTLS %s\n", VERSION,
		    tls_library());
		return EX_OK;
	case MODE_HELP:
		(void)fputs(options_help(), stdout);
		return EX_OK;
	case MODE_CHECK:
		return check_configuration(r);
	case MODE_NOTHING:
		return EX_OK;
	default:
		return submit_message(r);
	}
}

static int
run(struct run *r, int argc, char **argv)
{
	struct failure why = { 0 };

	if (!options_parse(&r->options, argc, argv, r->pool, &why))
		return end_early(r, &why);
	log_trace_level(r->options.verbose);
	r->report.json = r->options.json;
	return act(r);
}

int
main(int argc, char **argv)
{
	bool sendoff = argc > 0 && options_is_sendoff(argv[0]);
	bool closed = caller_begin(!sendoff);
	struct run r = { .pool = pool_new(), .begun = clock_now() };
	int status;

	(void)setlocale(LC_CTYPE, "");
	r.config.pool = r.pool;
	r.report.program = sendoff ? "sendoff" : "sendmail";
	r.report.net = &r.net;
	r.report.smtp = &r.smtp;
	caller_read(&r.caller, closed, r.pool);
	status = run(&r, argc, argv);
	log_close();
	pool_free(r.pool);
	return status;
}
