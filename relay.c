#include "relay.h"
#include "accounts.h"
#include "log.h"
#include "message.h"
#include "path.h"
#include "plan.h"
#include "report.h"
#include "resolve.h"
#include "session.h"
#include "transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a header may grow by before the size that MAIL told is a lie. */
enum { SIZE_ALLOWANCE = 4096 };

/* One account's server, and its part of the present transaction. */
struct lane {
	const struct account *account;
	struct session session;
	bool routed;
	bool mail;			/* MAIL was accepted there */
	struct leg leg;
	struct outcome outcome;
};

struct relay {
	const struct options *options;
	const struct caller *caller;
	struct config *config;
	const char *program;
	bool ready;			/* the configuration is read */
	struct failure broken;		/* or cannot be */
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
answer(struct answer *a, int code, const char *text)
{
	a->code = code;
	(void)printable(a->text, sizeof a->text, text, strlen(text));
	return code / 100 == 2;
}

static bool
answer_reply(struct answer *a, const struct reply *reply)
{
	return answer(a, reply->code, reply->text);
}

/*
 * Words of the server are passed on as they are.  What only our side or
 * another day can mend is a 4yz, so that the caller keeps the message.
 */
static bool
answer_failure(struct answer *a, const struct failure *why)
{
	char text[sizeof a->text];
	bool again = failure_is_temporary(why->kind) ||
	    why->kind == FAILURE_CONFIG || why->kind == FAILURE_AUTH ||
	    why->kind == FAILURE_PERMISSION || why->kind == FAILURE_PROTOCOL;
	const char *code = why->kind == FAILURE_USAGE ? "501 5.5.4" :
	    why->kind == FAILURE_ADDRESS ? "553 5.1.3" :
	    again ? "451 4.3.0" : "554 5.0.0";

	if (why->said > 0 && why->reply >= 400)
		return answer(a, why->reply, why->text + why->said);
	if (*why->enhanced != '\0' && why->enhanced[0] == code[0])
		(void)snprintf(text, sizeof text, "%.3s %s %.1100s", code,
		    why->enhanced, why->text);
	else
		(void)snprintf(text, sizeof text, "%s %.1100s", code,
		    why->text);
	return answer(a, atoi(code), text);
}

struct relay *
relay_new(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	struct relay *r = pool_alloc(config->pool, sizeof *r);

	r->options = o;
	r->caller = c;
	r->config = config;
	r->program = program;
	r->ready = accounts_load(config, o, c, &r->broken);
	r->pool = pool_new();
	return r;
}

void
relay_reset(struct relay *r)
{
	size_t i;

	for (i = 0; i < r->nlanes; i++) {
		r->lanes[i]->mail = false;
		r->lanes[i]->leg = (struct leg){ 0 };
	}
	r->mail = false;
	pool_free(r->pool);
	r->pool = pool_new();
}

void
relay_free(struct relay *r)
{
	size_t i;

	if (r == NULL)
		return;
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

static bool
route(struct relay *r, struct lane *l, struct failure *why)
{
	struct route route;

	if (!l->routed) {
		if (!route_make(&route, l->account, r->options, r->caller,
		    r->config->pool, why))
			return false;
		session_init(&l->session, &route, r->caller, r->config->pool);
		l->routed = true;
	}
	return !l->leg.envelope.requiretls ||
	    route_requires_tls(&l->session.route, why);
}

/*
 * MAIL on the lane's connection, which is made when there is none.  One that
 * has died since the last transaction is made again.
 */
static bool
say_mail(struct relay *r, struct lane *l, const struct demands *demands,
    struct answer *a)
{
	struct session *s = &l->session;
	bool reused = s->open;
	struct failure why;
	struct reply reply;
	size_t at = 0;

	for (;; reused = false, session_close(s), at = 0) {
		s->begun = clock_now();
		if (!s->open && !session_open(s, &at, &why))
			return answer_failure(a, &why);
		if (transaction_mail(&s->smtp, &l->leg.envelope, demands,
		    &reply, &why)) {
			l->mail = reply_is_success(&reply);
			if (reply.code == 421 && reused)
				continue;
			return answer_reply(a, &reply);
		}
		if (s->smtp.talk.in_step)
			return answer_failure(a, &why);
		if (!reused)
			break;
	}
	session_close(s);
	(void)r;
	return answer_failure(a, &why);
}

static struct demands
claimed(const struct mail_command *m)
{
	return (struct demands){ m->size, m->body_8bit, m->smtputf8 };
}

/* Makes the lane's envelope and says MAIL there. */
static bool
begin(struct relay *r, struct lane *l, struct answer *a)
{
	struct planning g = { .options = &r->asked, .caller = r->caller,
	    .pool = r->pool };
	const struct mail_command *m = &r->command;
	struct demands demands = claimed(m);
	struct envelope *e = &l->leg.envelope;
	struct failure why;

	l->leg = (struct leg){ .account = l->account };
	e->ret = m->ret;
	e->envid = m->envid;
	e->requiretls = m->requiretls || r->options->require_tls ||
	    strcmp(config_value(l->account, SET_REQUIRE_TLS), "yes") == 0;
	if (!plan_sender(&g, &l->leg, &why) || !route(r, l, &why))
		return answer_failure(a, &why);
	return say_mail(r, l, &demands, a);
}

bool
relay_mail(struct relay *r, const char *text, struct answer *a)
{
	struct failure why;
	const char *sender;

	relay_reset(r);
	r->begun = clock_now();
	if (!r->ready)
		return answer_failure(a, &r->broken);
	if (!command_mail(text, &r->command, r->pool, &why))
		return answer_failure(a, &why);
	sender = path_of(&r->command.sender, r->pool);
	r->asked = *r->options;
	r->asked.sender = *sender != '\0' ? sender : "<>";
	if (!accounts_choose(r->config, r->options, r->command.sender.domain !=
	    NULL ? sender : NULL, &r->choice, &why))
		return answer_failure(a, &why);
	accounts_log(r->choice.account, r->options);
	resolve_init(&r->resolver, r->choice.account, r->caller,
	    r->options->no_aliases, r->pool);
	r->mail = begin(r, lane_of(r, r->choice.account), a);
	return r->mail;
}

static void
add(struct relay *r, struct lane *l, const struct recipient *who)
{
	struct envelope *e = &l->leg.envelope;

	e->recipients = pool_grow(r->pool, e->recipients, &e->n,
	    sizeof *e->recipients);
	e->recipients[e->n - 1] = *who;
}

/* One address behind the caller's RCPT, on the lane that it belongs to. */
static bool
say_rcpt(struct relay *r, const struct recipient *who, struct answer *a)
{
	struct lane *l = lane_of(r, accounts_of_recipient(r->config,
	    &r->choice, who->path));
	struct failure why;
	struct reply reply;

	if (!l->mail && !begin(r, l, a))
		return false;
	if (!transaction_rcpt(&l->session.smtp, &l->leg.envelope, who, &reply,
	    &why)) {
		if (!l->session.smtp.talk.in_step)
			l->mail = false;
		return answer_failure(a, &why);
	}
	if (reply.code == 421) {
		l->mail = false;
		session_close(&l->session);
	}
	if (reply_is_success(&reply))
		add(r, l, who);
	return answer_reply(a, &reply);
}

bool
relay_rcpt(struct relay *r, const char *text, struct answer *a)
{
	struct rcpt_command command;
	struct recipient who;
	struct mailbox *list;
	struct failure why;
	size_t n, i;

	if (!command_rcpt(text, &command, r->pool, &why) ||
	    !resolve_mailbox(&r->resolver, &command.to, &list, &n, &why))
		return answer_failure(a, &why);
	for (i = 0; i < n; i++) {
		who = (struct recipient){
		    .path = path_of(&list[i], r->pool),
		    .key = path_key(&list[i], r->pool), .utf8 = list[i].utf8,
		    .notify = command.notify, .orcpt = command.orcpt,
		    .orcpt_given = command.orcpt != NULL };
		if (!say_rcpt(r, &who, a))
			return false;
	}
	return n > 0 || answer(a, 550, "550 5.1.1 nobody is behind this name");
}

/* Is what MAIL said of the message less than the truth? */
static bool
was_untrue(const struct relay *r, const struct demands *truth)
{
	return (truth->body_8bit && !r->command.body_8bit) ||
	    (truth->header_8bit && !r->command.smtputf8) ||
	    (r->command.size > 0 &&
	    truth->size > r->command.size + SIZE_ALLOWANCE);
}

/* The transaction again, with the truth; recipients that it loses fail. */
static bool
begin_anew(struct relay *r, struct lane *l, const struct demands *truth,
    struct failure *why)
{
	struct envelope *e = &l->leg.envelope;
	struct reply reply;
	struct answer a;
	size_t i;

	if (!say_mail(r, l, truth, &a))
		return fail(why, a.code / 100 == 4 ? FAILURE_DEFERRED :
		    FAILURE_REFUSED, "%s", a.text);
	for (i = 0; i < e->n; i++) {
		if (!transaction_rcpt(&l->session.smtp, e, &e->recipients[i],
		    &reply, why))
			return false;
		if (!reply_is_success(&reply))
			return dialogue_refused(&l->session.smtp.talk, &reply,
			    FAILURE_REFUSED, why);
	}
	return true;
}

static void
pass_on(struct relay *r, struct lane *l, struct message *m)
{
	struct demands truth;
	struct failure why;

	message_compose(m, l->leg.prologue, l->leg.instead);
	truth = demands_of(m);
	if (!l->mail)
		(void)fail(&why, FAILURE_LOST, "the connection to the server "
		    "was lost");
	if (l->mail && plan_message(m, &why) && (!was_untrue(r, &truth) ||
	    begin_anew(r, l, &truth, &why)))
		transaction_data(&l->session.smtp, &l->leg.envelope, m,
		    &l->outcome);
	if (l->outcome.open > 0)
		outcome_rest_failed(&l->outcome, &why);
	if (!l->session.smtp.talk.in_step || l->session.smtp.talk.closing)
		session_close(&l->session);
}

/* Each server's part has a line in the log. */
static void
report(struct relay *r, const struct message *m, const char *message_id)
{
	struct report_leg legs = { 0 };
	struct plan plan = { .id = plan_id(r->pool), .message_id = message_id,
	    .account = r->choice.account };
	struct report told = { .program = r->program, .plan = &plan,
	    .legs = &legs, .nlegs = 1, .octets = message_size(m),
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
			reply = r->lanes[i]->outcome.results[0].reply;
	}
	return gravest != NULL ? answer_failure(a, gravest) :
	    answer(a, atoi(reply), reply);
}

bool
relay_data(struct relay *r, struct input *in, struct answer *a)
{
	struct planning g = { .options = &r->asked, .caller = r->caller,
	    .pool = r->pool };
	const char *message_id;
	struct message *m;
	struct failure why;
	struct lane *l;
	bool ok;
	size_t i;

	if (!message_read(in, false, r->caller->temporary, r->pool, &m, &why))
		return answer_failure(a, &why);
	g.message = m;
	message_id = plan_missing(&g, r->choice.account);
	for (i = 0; i < r->nlanes; i++) {
		l = r->lanes[i];
		if (l->leg.envelope.n == 0)
			continue;
		outcome_init(&l->outcome, l->leg.envelope.n, r->pool);
		plan_header(&g, &l->leg);
		pass_on(r, l, m);
	}
	report(r, m, message_id);
	ok = verdict(r, a);
	message_free(m);
	relay_reset(r);
	return ok;
}
