#include "relay.h"
#include "accounts.h"
#include "lane.h"
#include "log.h"
#include "message.h"
#include "path.h"
#include "report.h"
#include "resolve.h"
#include "utf8.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct relay {
	const struct options *options;
	const struct caller *caller;
	const struct peer *peer;
	struct config *config;
	const char *program;
	const struct failure *broken;	/* NULL: the configuration is whole */
	struct lane **lanes;
	size_t nlanes;
	struct pool *pool;		/* of the transaction */
	bool mail;
	struct mail_command command;
	struct options asked;		/* the options with its sender */
	struct choice choice;
	struct resolver resolver;
	milliseconds begun;
};

static bool
answer(struct answer *a, enum failure_kind kind, const char *text)
{
	a->kind = kind;
	a->code = atoi(text);
	(void)printable(a->text, sizeof a->text, text, strlen(text));
	return kind == FAILURE_NONE;
}

static bool
answer_reply(struct answer *a, const struct reply *reply)
{
	return answer(a, FAILURE_NONE, reply->text);
}

/*
 * When nobody knows whether the server has the message, no reply of SMTP says
 * so: 421 ends the dialogue.
 */
static const char *
code_of(const struct failure *why)
{
	switch (why->kind) {
	case FAILURE_USAGE:
		return "501 5.5.4";
	case FAILURE_EXTENSION:			/* 5.6: of the content */
		return strncmp(why->enhanced, "5.6.", 4) != 0 ? "555 5.5.4" :
		    "554 5.0.0";
	case FAILURE_ADDRESS:
		return "553 5.1.3";
	case FAILURE_DATA:
		return "552 5.3.4";
	case FAILURE_BARRED:
		return "550 5.7.1";
	case FAILURE_UNKNOWN:
		return "421 4.4.2";
	case FAILURE_CONFIG:
	case FAILURE_AUTH:
	case FAILURE_PERMISSION:
	case FAILURE_PROTOCOL:
		return "451 4.3.0";
	default:
		return failure_is_temporary(why->kind) ? "451 4.3.0" :
		    "554 5.0.0";
	}
}

/* Our own words, under the code that fits them. */
static bool
answer_ours(struct answer *a, const struct failure *why)
{
	char text[sizeof a->text];
	const char *code = code_of(why);

	if (*why->enhanced != '\0' && why->enhanced[0] == code[0])
		(void)snprintf(text, sizeof text, "%.3s %s %.1100s", code,
		    why->enhanced, why->text);
	else
		(void)snprintf(text, sizeof text, "%s %.1100s", code,
		    why->text);
	return answer(a, why->kind, text);
}

/*
 * Words of the server are passed on as they are, but for its 421: that
 * connection ends, the caller's does not.  What only our side or another day
 * can mend is a 4yz, so that the caller keeps the message; so is 503, for it is
 * our commands that are out of order there.
 */
static bool
answer_failure(struct answer *a, const struct failure *why)
{
	if (why->said == 0 || why->reply < 400 || why->reply == 503)
		return answer_ours(a, why);
	(void)answer(a, why->kind, why->text + why->said);
	if (a->code == 421)
		(void)memcpy(a->text, "451", 3);
	a->code = atoi(a->text);
	return false;
}

struct relay *
relay_new(const struct options *o, const struct caller *c,
    const struct peer *peer, struct config *config,
    const struct failure *broken, const char *program)
{
	struct relay *r = pool_alloc(config->pool, sizeof *r);

	r->options = o;
	r->caller = c;
	r->peer = peer;
	r->config = config;
	r->program = program;
	r->broken = broken;
	r->pool = pool_new();
	return r;
}

/* What was learnt of the data stays until the next one. */
static void
end_transaction(struct relay *r)
{
	size_t i;

	for (i = 0; i < r->nlanes; i++)
		lane_reset(r->lanes[i]);
	r->mail = false;
}

void
relay_reset(struct relay *r)
{
	end_transaction(r);
	pool_free(r->pool);
	r->pool = pool_new();
}

void
relay_free(struct relay *r)
{
	size_t i;

	if (r == NULL)
		return;
	end_transaction(r);
	for (i = 0; i < r->nlanes; i++)
		session_end(&r->lanes[i]->session);
	pool_free(r->pool);
}

bool
relay_has_mail(const struct relay *r)
{
	return r->mail;
}

size_t
relay_recipients(const struct relay *r)
{
	size_t i, n = 0;

	for (i = 0; i < r->nlanes; i++)
		n += r->lanes[i]->leg.envelope.n;
	return n;
}

static struct lane *
lane_of(struct relay *r, const struct account *a)
{
	struct lane *l;
	size_t i;

	for (i = 0; i < r->nlanes; i++)
		if (r->lanes[i]->account == a)
			return r->lanes[i];
	l = pool_alloc(r->config->pool, sizeof *l);
	l->account = a;
	r->lanes = pool_grow(r->config->pool, r->lanes, &r->nlanes,
	    sizeof *r->lanes);
	r->lanes[r->nlanes - 1] = l;
	return l;
}

/* A server that is the socket of this service would call it without end. */
static bool
is_elsewhere(const struct relay *r, const struct route *route,
    struct failure *why)
{
	const struct account *a = route->account;
	size_t i;

	for (i = 0; r->peer->socket != NULL && i < route->nendpoints; i++)
		if (route->endpoints[i].path != NULL &&
		    strcmp(route->endpoints[i].path, r->peer->socket) == 0)
			return fail(why, FAILURE_CONFIG, "the server of %s is "
			    "this service itself", a->called);
	return true;
}

static bool
route(struct relay *r, struct lane *l, struct failure *why)
{
	struct route route;

	if (!l->routed) {
		if (!route_make(&route, l->account, r->options, r->caller,
		    r->config->pool, why) || !is_elsewhere(r, &route, why))
			return false;
		session_init(&l->session, &route, r->caller, r->config->pool);
		l->routed = true;
	}
	return !l->leg.envelope.requiretls ||
	    route_requires_tls(&l->session.route, why);
}

/*
 * What the caller says goes before what the account asks for.
 */
static bool
terms(const struct relay *r, const struct planning *g, struct leg *l,
    struct failure *why)
{
	struct terms *t = &l->envelope.terms;

	if (!plan_terms(g, l, why))
		return false;
	terms_prefer(t, &r->command.terms);
	return t->hold_until == 0 || t->hold_until > time(NULL) ||
	    fail(why, FAILURE_USAGE, "HOLDUNTIL is past");
}

/* Makes the lane's envelope and says MAIL there. */
static bool
begin(struct relay *r, struct lane *l, struct reply *reply,
    struct failure *why)
{
	struct planning g = { .options = &r->asked, .caller = r->caller,
	    .pool = r->pool };
	const struct mail_command *m = &r->command;
	const struct demands claimed = { m->size, m->body_8bit, m->smtputf8 };
	struct envelope *e = &l->leg.envelope;

	l->leg = (struct leg){ .account = l->account };
	e->ret = m->ret;
	e->envid = m->envid;
	e->smtputf8_always = m->smtputf8;
	e->requiretls = m->requiretls || r->options->require_tls ||
	    strcmp(config_value(l->account, SET_REQUIRE_TLS), "yes") == 0;
	return terms(r, &g, &l->leg, why) &&
	    plan_sender(&g, &l->leg, why) && route(r, l, why) &&
	    lane_mail(l, &claimed, r->pool, reply, why);
}

/* An account that the command line has made up is made once. */
static bool
choose(struct relay *r, const char *sender, struct failure *why)
{
	if (r->config->n == 0 && r->choice.account != NULL)
		return true;
	return accounts_choose(r->config, &r->asked, sender, &r->choice, why);
}

static bool
start(struct relay *r, const char *text, struct reply *reply,
    struct failure *why)
{
	const char *sender;

	if (!command_mail(text, &r->command, r->pool, why))
		return false;
	sender = path_of(&r->command.sender, r->pool);
	r->asked = *r->options;
	r->asked.sender = *sender != '\0' ? sender : "<>";
	if (!choose(r, r->command.sender.domain != NULL ? sender : NULL, why))
		return false;
	accounts_log(r->choice.account, r->options);
	resolve_init(&r->resolver, r->choice.account, r->caller,
	    r->options->no_aliases, r->pool);
	return begin(r, lane_of(r, r->choice.account), reply, why);
}

/* What the caller is told and cannot mend, the administrator must know. */
static bool
refuse(const struct relay *r, const struct failure *why, struct answer *a)
{
	(void)answer_failure(a, why);
	if (why->kind == FAILURE_BARRED || (r->peer->remote && why->said == 0))
		log_note(LEVEL_WARNING, "%s, process %ld, is told: %s",
		    r->peer->name, (long)r->peer->pid, a->text);
	return false;
}

bool
relay_mail(struct relay *r, const char *text, struct answer *a)
{
	struct failure why;
	struct reply reply;

	relay_reset(r);
	r->begun = clock_now();
	if (r->broken != NULL)
		return refuse(r, r->broken, a);
	r->mail = start(r, text, &reply, &why);
	return r->mail ? answer_reply(a, &reply) : refuse(r, &why, a);
}

/*
 * One address behind the caller's RCPT, on the lane that it belongs to.  Who
 * is named twice gets one copy.
 */
static bool
say_rcpt(struct relay *r, const struct recipient *who, struct answer *a)
{
	struct lane *l = lane_of(r, accounts_of_recipient(r->config,
	    &r->choice, who->path));
	size_t n = l->leg.envelope.n;
	struct failure why;
	struct reply reply;

	if (keys_find(&l->named, who->key, &n)) {
		(void)answer(a, FAILURE_NONE, "250 2.1.5 named already");
	} else {
		if ((!l->mail && n == 0 && !begin(r, l, &reply, &why)) ||
		    !lane_rcpt(l, who, &reply, &why))
			return refuse(r, &why, a);
		(void)answer_reply(a, &reply);
	}
	return true;
}

/*
 * One reply for all of them: when one behind an alias is refused, RCPT is,
 * and nobody gets anything by it.
 */
static bool
say_all(struct relay *r, const struct rcpt_command *command,
    const struct mailbox *list, size_t n, struct answer *a)
{
	struct recipient who;
	size_t i;

	for (i = 0; i < r->nlanes; i++)
		r->lanes[i]->before = r->lanes[i]->leg.envelope.n;
	for (i = 0; i < n; i++) {
		who = (struct recipient){
		    .path = path_of(&list[i], r->pool),
		    .key = path_key(&list[i], r->pool),
		    .notify = command->notify, .orcpt = command->orcpt,
		    .orcpt_given = command->orcpt != NULL };
		who.utf8 = utf8_beyond_ascii(who.path);
		if (!say_rcpt(r, &who, a))
			break;
	}
	if (i == n)
		return true;
	for (i = 0; i < r->nlanes; i++)
		lane_take_back(r->lanes[i]);
	return false;
}

bool
relay_rcpt(struct relay *r, const char *text, struct answer *a)
{
	struct rcpt_command command;
	struct mailbox *list;
	struct failure why;
	size_t n;

	if (!command_rcpt(text, &command, r->pool, &why) ||
	    !resolve_mailbox(&r->resolver, &command.to, &list, &n, &why))
		return refuse(r, &why, a);
	if (n == 0)
		return answer(a, FAILURE_NOUSER, "550 5.1.1 nobody is behind "
		    "this name");
	return say_all(r, &command, list, n, a);
}

/* Each server's part has a line in the log. */
static void
report(struct relay *r, const struct message *m, const char *message_id)
{
	struct report_leg legs = { 0 };
	struct plan plan = { .id = plan_id(r->pool), .message_id = message_id,
	    .account = r->choice.account };
	struct report told = { .program = r->program, .plan = &plan,
	    .peer = r->peer->remote ? r->peer : NULL, .legs = &legs,
	    .nlegs = 1, .octets = message_size(m),
	    .total_ms = clock_now() - r->begun, .silent = true };
	size_t i;

	for (i = 0; i < r->nlanes; i++) {
		if (r->lanes[i]->leg.envelope.n == 0)
			continue;
		legs.leg = &r->lanes[i]->leg;
		legs.outcome = &r->lanes[i]->outcome;
		legs.session = &r->lanes[i]->session;
		told.outcome = legs.outcome;
		report_result(&told, r->pool);
	}
}

/*
 * One reply cannot say that some have the message and others do not.  Whoever
 * sends it again must not send it to all.
 */
static bool
divided(struct answer *a, const char *reply, const struct failure *gravest)
{
	struct failure why;

	(void)fail(&why, FAILURE_UNKNOWN, "some recipients have the message "
	    "(%.200s), others do not: %s", reply, gravest->text);
	return answer_failure(a, &why);
}

/*
 * The server's to those who have the message, in our words where memory for it
 * was lacking; NULL when nobody has it.
 */
static const char *
acceptance(const struct outcome *o)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (o->results[i].verdict == VERDICT_SENT)
			return o->results[i].reply != NULL ?
			    o->results[i].reply : "250 2.0.0 accepted";
	return NULL;
}

/* The gravest failure of all lanes, else the first server's success. */
static bool
verdict(const struct relay *r, struct answer *a)
{
	const struct failure *why, *gravest = NULL;
	const char *reply = NULL;
	size_t i;

	for (i = 0; i < r->nlanes; i++) {
		if (r->lanes[i]->leg.envelope.n == 0)
			continue;
		why = outcome_gravest(&r->lanes[i]->outcome);
		if (why != NULL && (gravest == NULL ||
		    outcome_verdict(why) > outcome_verdict(gravest)))
			gravest = why;
		if (reply == NULL)
			reply = acceptance(&r->lanes[i]->outcome);
	}
	if (gravest != NULL)
		return reply != NULL ? divided(a, reply, gravest) :
		    answer_failure(a, gravest);
	assert(reply != NULL);
	return answer(a, FAILURE_NONE, reply);
}

static bool
pass_on(struct relay *r, struct message *m, struct answer *a)
{
	struct planning g = { .options = &r->asked, .caller = r->caller,
	    .pool = r->pool, .message = m };
	const char *message_id = plan_missing(&g, r->choice.account);
	size_t i;

	for (i = 0; i < r->nlanes; i++) {
		if (r->lanes[i]->leg.envelope.n == 0)
			continue;
		plan_header(&g, &r->lanes[i]->leg);
		lane_data(r->lanes[i], m);
	}
	report(r, m, message_id);
	return verdict(r, a);
}

bool
relay_data(struct relay *r, struct input *in, struct answer *a)
{
	struct message *m = NULL;
	struct failure why;
	bool ok;

	ok = message_read(in, false, r->caller->temporary, r->pool, &m, &why) ?
	    pass_on(r, m, a) : answer_failure(a, &why);
	message_free(m);
	end_transaction(r);
	return ok;
}
