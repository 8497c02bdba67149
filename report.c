#include "report.h"
#include "buffer.h"
#include "fields.h"
#include "log.h"
#include "proof.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * A message that would have been queued, and then nothing would have failed,
 * but could not be kept.
 */
static bool
has_failed_to_queue(const struct report *r)
{
	size_t i;
	bool any = false;

	assert(r->nlegs == 0 || r->legs != NULL);
	for (i = 0; i < r->nlegs; i++)
		any = any || (r->legs[i].keep_failure != NULL &&
		    r->legs[i].retry);
	assert(!any || r->outcome != NULL);
	for (i = 0; any && i < r->outcome->n; i++)
		any = r->outcome->results[i].verdict <= VERDICT_QUEUED ||
		    keep_may_retry(&r->outcome->results[i]);
	return any;
}

int
report_status(const struct report *r)
{
	if (has_failed_to_queue(r))
		return EX_CANTCREAT;
	return r->outcome != NULL ? outcome_status(r->outcome) :
	    r->failure != NULL ? failure_status(r->failure->kind) : EX_OK;
}

static const struct failure *
decisive(const struct report *r)
{
	return r->outcome != NULL ? outcome_gravest(r->outcome) : r->failure;
}

/* How many got it, when it is not the same for all. */
static void
put_count(struct buffer *line, const struct outcome *o)
{
	const char *before = "";
	size_t v, n;

	if (outcome_count(o, o->results[0].verdict) == o->n)
		return;
	if (outcome_count(o, VERDICT_NOT_SENT) > 0) {
		buffer_printf(line, " [of %zu recipients %zu accepted; "
		    "nothing was sent, as was asked]", o->n,
		    outcome_count(o, VERDICT_NOT_SENT));
		return;
	}
	buffer_printf(line, " [of %zu recipients ", o->n);
	for (v = VERDICT_SENT; v < VERDICTS; v++) {
		n = outcome_count(o, (enum verdict)v);
		if (n > 0)
			buffer_printf(line, "%s%zu %s", before, n,
			    verdict_word((enum verdict)v));
		if (n > 0)
			before = ", ";
	}
	buffer_printf(line, "]");
}

/* Where and when is not said twice: from where both texts differ. */
static const char *
rest_of(const char *text, const char *first)
{
	const char *p, *rest = text;

	for (p = text; *p != '\0' && *p == *first; p++, first++)
		if (p > text && *p == ' ' && p[-1] == ':')
			rest = p + 1;
	return rest;
}

/* The other reasons, when recipients failed in different ways. */
static void
put_others(struct buffer *line, const struct outcome *o,
    const struct failure *first)
{
	size_t i, shown = 0;

	for (i = 0; i < o->n && shown < 3; i++) {
		if (o->results[i].verdict == VERDICT_QUEUED ||
		    o->results[i].why == NULL || o->results[i].why == first ||
		    (i > 0 && o->results[i].why == o->results[i - 1].why))
			continue;
		buffer_printf(line, "; %s", rest_of(o->results[i].why->text,
		    first->text));
		shown++;
	}
}

/*
 * Of our names that is the one that is in everybody's PATH.  The configuration
 * has the account, and perhaps where the message is kept; an option that has
 * changed the account is not kept with the message.
 */
static void
put_kept(struct buffer *line, const char *path, const struct report *r)
{
	const char *id = strrchr(path, '/') + 1, *random = strchr(id, '-');
	const char *config = r->config != NULL ? r->config : "";
	char file[1024];

	(void)printable(file, sizeof file, config, strlen(config));
	buffer_printf(line, " (kept as %s; to try again: sendoff%s%s -qI %s%s)",
	    path, *file != '\0' ? " -C " : "", file, random != NULL ?
	    random + 1 : id, r->changed ? "; its options are not kept" : "");
}

static void
to_stderr(const struct report *r)
{
	const struct failure *why = decisive(r);
	struct buffer line = { 0 };
	size_t i;

	if (why == NULL)
		return;
	buffer_printf(&line, "%s: %s", r->program, why->text);
	if (r->outcome != NULL) {
		put_others(&line, r->outcome, why);
		put_count(&line, r->outcome);
	}
	for (i = 0; i < r->nlegs; i++)
		if (r->legs[i].kept != NULL)
			put_kept(&line, r->legs[i].kept->path, r);
	buffer_printf(&line, "\n");
	for (i = 0; i < r->nlegs; i++)
		if (r->legs[i].kept != NULL &&
		    r->legs[i].kept->passed_over != NULL)
			buffer_printf(&line, "%s: it is not kept where it "
			    "should be: %s\n", r->program,
			    r->legs[i].kept->passed_over);
	for (i = 0; i < r->nlegs; i++)
		if (r->legs[i].keep_failure != NULL)
			buffer_printf(&line, "%s: the message could not be "
			    "kept: %s\n", r->program,
			    r->legs[i].keep_failure->text);
	(void)fwrite(buffer_data(&line), 1, buffer_len(&line), stderr);
	buffer_free(&line);
}

static void
connection(const struct fields *o, const char *server,
    const struct net_facts *net, const struct smtp_facts *facts)
{
	fields_text(o, "server", server);
	fields_text(o, "host", net->host);
	fields_text(o, "address", net->address);
	if (net->address != NULL)
		proof_tls(o, &facts->tls, facts->mechanism);
	fields_text(o, "mechanism", facts->mechanism);
	fields_text(o, "converted", facts->converted);
	fields_number(o, "greeting-ms", facts->greeting_ms);
	fields_number(o, "tls-ms", facts->tls_ms);
	fields_number(o, "auth-ms", facts->auth_ms);
}

static void
last_connection(const struct fields *o, const struct session *s)
{
	if (s->server != NULL)
		connection(o, s->server, &s->net, &s->facts);
}

static void
sender(const struct fields *o, const struct peer *p)
{
	if (p == NULL || !p->known)
		return;
	fields_text(o, "peer", p->login);
	fields_number(o, "peer-uid", p->uid);
	if (p->pid > 0)
		fields_number(o, "peer-pid", p->pid);
}

/* Under the names of the settings. */
static void
terms(const struct fields *o, const struct leg *l)
{
	const struct terms *t = &l->envelope.terms;

	if (t->hold_for != 0)
		fields_number(o, "hold-for", t->hold_for);
	if (t->hold_until != 0)
		fields_text(o, "hold-until", terms_utc(t->hold_until, o->pool));
	if (t->by_mode != 0)
		fields_text(o, "deliver-by", terms_by(t, o->pool));
	if (t->has_priority)
		fields_number(o, "priority", t->priority);
}

static void
account(const struct fields *o, const struct leg *l)
{
	if (l->account != NULL)
		fields_text(o, "account", l->account->name);
	fields_text(o, "from", l->envelope.sender);
	terms(o, l);
}

static void
kept(const struct fields *o, const struct report_leg *l)
{
	if (l->queued != NULL)
		fields_text(o, "queued", l->queued->path);
	if (l->kept != NULL) {
		fields_text(o, "state", l->kept->state);
		fields_text(o, "kept", l->kept->path);
	}
	if (l->keep_failure != NULL)
		fields_text(o, "keep-error", l->keep_failure->text);
}

static void
one_recipient(const struct fields *o, const char *path,
    const struct result *result)
{
	const struct failure *why = result->why;

	fields_text(o, o->json ? "address" : "to", path);
	fields_text(o, o->json ? "outcome" : "result", verdict_word(result->verdict));
	fields_text(o, "reply", result->reply);
	if (why != NULL) {
		fields_text(o, "kind", failure_word(why->kind));
		if (o->json && why->reply > 0)
			fields_number(o, "code", why->reply);
		if (o->json && *why->enhanced != '\0')
			fields_text(o, "enhanced", why->enhanced);
		fields_text(o, "reason", why->text);
	}
}

/* What TLS lacks is told also where it was not wanted enough to fail. */
static void
reason(const struct fields *o, const struct failure *why,
    const struct smtp_facts *facts)
{
	const char *result = facts != NULL ? facts->tls.result : NULL;

	if (why != NULL)
		fields_text(o, "kind", failure_word(why->kind));
	fields_text(o, "tls-result", why != NULL && why->tls_result != NULL ?
	    why->tls_result : result);
	if (why != NULL)
		fields_text(o, "error", why->text);
}

/* Ten thousand recipients are counted, not named. */
static void
counted(const struct fields *o, const struct report_leg *l)
{
	size_t i, n = l->outcome->n;

	if (n > 1) {
		fields_number(o, "recipients", (long long)n);
		fields_number(o, "sent", (long long)outcome_count(l->outcome,
		    VERDICT_SENT));
	}
	for (i = 0; i < n && i < 20; i++)
		one_recipient(o, l->leg->envelope.recipients[i].path,
		    &l->outcome->results[i]);
}

static void
totals(const struct fields *o, const struct report *r, int status)
{
	if (r->octets > 0)
		fields_number(o, "octets", (long long)r->octets);
	fields_number(o, "ms", r->total_ms);
	fields_number(o, "status", status);
}

static void
trial(const struct fields *o, const struct report *r)
{
	fields_text(o, "quit-after", r->quit_after);
	if (r->talk)
		fields_text(o, "talk", "yes");
}

struct list {
	const struct recipient *who;
	const struct outcome *outcome;
	const struct report *legs;	/* NULL: there is one */
};

/* With several legs each person says whose server it was. */
static void
member(const struct fields *o, const void *all, size_t i)
{
	const struct list *list = all;
	const struct report *legs = list->legs;
	const struct report_leg *l;

	one_recipient(o, list->who[i].path, &list->outcome->results[i]);
	if (legs == NULL)
		return;
	l = &legs->legs[legs->plan->leg_of[i]];
	account(o, l->leg);
	fields_text(o, "server", l->session->server);
	kept(o, l);
}

static void
recipients(const struct fields *o, const struct list *list)
{
	fields_list(o, "recipients", list, list->outcome->n, member);
}

/* What has come of it; what ended the run, where it came to no outcome. */
static const struct failure *
reason_of(const struct report *r, const struct report_leg *l)
{
	return r->outcome != NULL ? outcome_gravest(l->outcome) : r->failure;
}

/* --- the servers, when there are several -------------------------------------- */

struct tried {
	const struct leg *leg;
	const char *server;
	const struct net_facts *net;
	const struct smtp_facts *facts;
	const struct failure *why;
};

/* Of a leg, in order, the last one last; how many there are then. */
static size_t
add_tried(const struct report *r, const struct report_leg *l,
    struct tried *all, size_t n)
{
	const struct session *s = l->session;
	const struct session_left *left;

	for (left = s->left; left != NULL; left = left->next, n++)
		if (all != NULL)
			all[n] = (struct tried){ l->leg, left->server,
			    &left->net, &left->facts, left->why };
	if (s->server == NULL)
		return n;
	if (all != NULL)
		all[n] = (struct tried){ l->leg, s->server, &s->net,
		    &s->facts, reason_of(r, l) };
	return n + 1;
}

static void
server(const struct fields *o, const void *all, size_t i)
{
	const struct tried *t = (const struct tried *)all + i;

	if (t->leg->account != NULL)
		fields_text(o, "account", t->leg->account->name);
	connection(o, t->server, t->net, t->facts);
	reason(o, t->why, t->facts);
	proof_chain(o, t->facts->tls.chain);
}

static void
servers(const struct fields *o, const struct report *r)
{
	struct tried *all;
	size_t i, n = 0;

	for (i = 0; i < r->nlegs; i++)
		n = add_tried(r, &r->legs[i], NULL, n);
	if (n < 2)
		return;
	all = pool_array(o->pool, n, sizeof *all);
	for (n = i = 0; i < r->nlegs; i++)
		n = add_tried(r, &r->legs[i], all, n);
	fields_list(o, "servers", all, n, server);
}

/* --- one line, one object ------------------------------------------------------ */

/* A leg's line in the log, or the run's when it came to none. */
static void
log_fields(const struct fields *o, const struct report *r,
    const struct report_leg *l)
{
	if (l == NULL) {
		totals(o, r, report_status(r));
		reason(o, r->failure, NULL);
		return;
	}
	fields_text(o, "id", r->plan->id);
	sender(o, r->peer);
	account(o, l->leg);
	fields_text(o, "message-id", r->plan->message_id);
	last_connection(o, l->session);
	trial(o, r);
	totals(o, r, r->outcome != NULL ? outcome_status(l->outcome) :
	    report_status(r));
	reason(o, reason_of(r, l), &l->session->facts);
	kept(o, l);
	if (o->json)
		recipients(o, &(struct list){ l->leg->envelope.recipients,
		    l->outcome, NULL });
	else
		counted(o, l);
}

static void
json_fields(const struct fields *o, const struct report *r)
{
	if (r->nlegs > 0) {
		fields_text(o, "id", r->plan->id);
		account(o, r->legs[0].leg);
		fields_text(o, "message-id", r->plan->message_id);
		last_connection(o, r->legs[0].session);
	}
	trial(o, r);
	totals(o, r, report_status(r));
	reason(o, decisive(r), r->nlegs > 0 ? &r->legs[0].session->facts :
	    NULL);
	if (r->nlegs > 0)
		proof_chain(o, r->legs[0].session->facts.tls.chain);
	servers(o, r);
	if (r->outcome != NULL) {
		kept(o, &r->legs[0]);
		recipients(o, &(struct list){ r->plan->people.recipients,
		    r->outcome, r->nlegs > 1 ? r : NULL });
	}
}

static char *
line_of(struct buffer *b, bool json, struct pool *pool)
{
	char *line;

	if (json)
		buffer_put(b, "}", 1);
	line = pool_octets(pool, buffer_data(b), buffer_len(b));
	buffer_free(b);
	return line;
}

static void
to_log(const struct report *r, const struct report_leg *l, struct pool *pool)
{
	struct buffer b = { 0 };
	struct fields o = { &b, log_is_json(), pool };
	int status = l != NULL && r->outcome != NULL ?
	    outcome_status(l->outcome) : report_status(r);

	if (o.json)
		buffer_put(&b, "{", 1);
	log_fields(&o, r, l);
	log_line(status == EX_OK ? LEVEL_INFO : LEVEL_ERROR,
	    line_of(&b, o.json, pool));
}

int
report_failure(const char *program, const struct failure *why)
{
	(void)fprintf(stderr, "%s: %s\n", program, why->text);
	return failure_status(why->kind);
}

int
report_output(const char *program)
{
	bool lost = ferror(stdout) != 0;	/* for a reason long gone */

	if (fflush(stdout) == 0 && !lost)
		return EX_OK;
	(void)fprintf(stderr, "%s: standard output cannot be written%s%s\n",
	    program, lost ? "" : ": ", lost ? "" : strerror(errno));
	return failure_status(FAILURE_INPUT);
}

static void
to_stdout(const struct report *r, struct pool *pool)
{
	struct buffer b = { 0 };
	struct fields o = { &b, true, pool };

	buffer_put(&b, "{", 1);
	json_fields(&o, r);
	(void)puts(line_of(&b, true, pool));
	(void)report_output(r->program);	/* of no weight to the mail */
}

int
report_out_of_memory(const char *program, const char *id,
    const size_t n[VERDICTS])
{
	size_t done = n[VERDICT_SENT] + n[VERDICT_QUEUED];
	size_t unknown = n[VERDICT_UNKNOWN], rest = n[VERDICT_OPEN] +
	    n[VERDICT_REFUSED] + n[VERDICT_DEFERRED];

	log_note(LEVEL_ERROR, "out of memory, so there is no line with the "
	    "result: id=%s sent=%zu queued=%zu unknown=%zu others=%zu", id,
	    n[VERDICT_SENT], n[VERDICT_QUEUED], unknown, rest);
	if (unknown + rest == 0)
		return EX_OK;
	(void)dprintf(STDERR_FILENO, "%s: out of memory", program);
	if (done + unknown > 0)
		(void)dprintf(STDERR_FILENO, "; %zu of %zu recipients have the "
		    "message", done, done + unknown + rest);
	if (unknown > 0)
		(void)dprintf(STDERR_FILENO, ", of %zu it is unknown: ask "
		    "there before sending it again", unknown);
	(void)dprintf(STDERR_FILENO, "\n");
	return failure_status(unknown > 0 ? FAILURE_UNKNOWN : FAILURE_LOCAL);
}

/* A person has asked for it, and must not take silence for mail sent. */
static void
tell_trial(const struct report *r)
{
	if (r->quit_after == NULL || r->talk || report_status(r) != EX_OK)
		return;
	(void)printf("nothing was sent: the session ended after \"%s\", as "
	    "was asked\n", r->quit_after);
	(void)report_output(r->program);
}

void
report_result(const struct report *r, struct pool *pool)
{
	size_t i;

	for (i = 0; i < r->nlegs; i++)
		to_log(r, &r->legs[i], pool);
	if (r->nlegs == 0)
		to_log(r, NULL, pool);
	if (!r->silent)
		to_stderr(r);
	if (r->json)
		to_stdout(r, pool);
	else
		tell_trial(r);
}
