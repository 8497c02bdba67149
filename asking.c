#include "asking.h"
#include "refusal.h"
#include "transaction.h"

#include <string.h>

bool
asking_mail(struct smtp *s, const struct envelope *e,
    const struct demands *demands, struct reply *reply, struct failure *why)
{
	memset(reply, 0, sizeof *reply);
	if (!transaction_mail(s, e, demands, reply, why)) {
		reply->code = 0;
		return false;
	}
	if (reply_is_success(reply))
		return true;
	refusal_named(s, e->sender, reply, refusal_mail_kind(reply), why);
	return false;
}

static void
settle(struct smtp *s, const struct recipient *to, struct outcome *o,
    size_t i, const struct reply *reply)
{
	struct failure why;

	if (reply_is_success(reply)) {
		outcome_not_sent(o, i, reply->text);
		return;
	}
	refusal_named(s, to->path, reply, refusal_rcpt_kind(reply), &why);
	outcome_failed(o, i, &why);
}

bool
asking_rcpt(struct smtp *s, const struct envelope *e, struct outcome *o,
    size_t i, struct reply *reply, struct failure *why)
{
	const struct recipient *to = &e->recipients[i];

	memset(reply, 0, sizeof *reply);
	if (o->results[i].verdict != VERDICT_OPEN)
		return true;
	dialogue_step(&s->talk, STEP_RCPT);
	if (!demands_met_utf8(to->utf8, to->path, s, why)) {
		outcome_failed(o, i, why);
		return true;
	}
	if (!transaction_rcpt(s, e, to, reply, why)) {
		reply->code = 0;
		return false;
	}
	if (s->talk.closing)
		return dialogue_refused(&s->talk, reply, FAILURE_REFUSED, why);
	settle(s, to, o, i, reply);
	return true;
}
