#include "lane.h"
#include "refusal.h"
#include "signals.h"
#include "transaction.h"

#include <string.h>

/* What a header may grow by before the size that MAIL told is a lie. */
enum { SIZE_ALLOWANCE = 4096 };

void
lane_reset(struct lane *l)
{
	l->leg = (struct leg){ 0 };
	keys_free(&l->named);
	l->mail = false;
	l->stale = false;
	l->before = 0;
}

/* Late replies to what was said there must not be heard as others. */
static void
close_unless_alive(struct lane *l)
{
	if (session_is_alive(&l->session))
		return;
	session_close(&l->session);
	l->mail = false;
}

/*
 * MAILMAX, or RCPTDOMAINMAX: nobody knows yet to which domains the next mail
 * goes (RFC 9422).
 */
static bool
is_used_up(const struct session *s)
{
	return s->open && (smtp_is_spent(&s->smtp) ||
	    (s->smtp.can.rcptdomainmax > 0 && s->smtp.mails > 0));
}

/*
 * *worn: the connection may be to blame (the end of its life, RSET refused,
 * 4yz as servers say after so many mails), and a new one is worth its while.
 */
static bool
say_mail(struct lane *l, struct reply *reply, bool *worn, struct failure *why)
{
	struct smtp *smtp = &l->session.smtp;
	bool heard = transaction_mail(smtp, &l->leg.envelope, &l->said, reply,
	    why);

	if (heard && reply_is_success(reply))
		return true;
	*worn = heard ? reply_is_temporary(reply) || refusal_is_of_order(reply)
	    : why->reply != 0;
	if (heard)
		(void)dialogue_refused(&smtp->talk, reply,
		    refusal_mail_kind(reply), why);
	*worn = *worn || !smtp->talk.in_step || smtp->talk.closing;
	return false;
}

static void
forget_fit(struct lane *l)
{
	convert_end(l->whole, l->fit);
	l->fit = NULL;
}

/* What MAIL says of the data is the truth where it has come already. */
static bool
fit(struct lane *l, struct failure *why)
{
	struct smtp *smtp = &l->session.smtp;

	if (l->whole == NULL)
		return true;
	forget_fit(l);
	dialogue_step(&smtp->talk, STEP_MAIL);
	if (!demands_fit(smtp, &l->leg.envelope, l->whole, &l->fit, l->pool,
	    why))
		return false;
	l->said = demands_of(l->fit);
	return true;
}

bool
lane_mail(struct lane *l, const struct demands *demands, struct pool *pool,
    struct reply *reply, struct failure *why)
{
	struct session *s = &l->session;
	bool used, worn;
	size_t at;

	l->said = *demands;
	l->pool = pool;
	l->stale = false;
	close_unless_alive(l);
	if (is_used_up(s))
		session_close(s);
	do {
		used = s->open;
		at = 0;
		s->begun = clock_now();
		if (!s->open && !session_open(s, &at, why))
			return false;
		session_begin_again(s, pool);
		if (!fit(l, why))
			return false;
		l->mail = say_mail(l, reply, &worn, why);
		if (l->mail)
			return true;
		if (used && worn)
			session_close(s);
		close_unless_alive(l);
	} while (used && worn && signals_caught() == 0);
	return false;
}

static bool
say_rcpt(struct lane *l, const struct recipient *who, struct reply *reply,
    struct failure *why)
{
	struct smtp *smtp = &l->session.smtp;

	if (!transaction_rcpt(smtp, &l->leg.envelope, who, reply, why))
		return false;
	return reply_is_success(reply) || dialogue_refused(&smtp->talk, reply,
	    refusal_rcpt_kind(reply), why);
}

/* The server's transaction again, as far as it had come. */
static bool
say_again(struct lane *l, const struct demands *demands, struct failure *why)
{
	const struct envelope *e = &l->leg.envelope;
	struct reply reply;
	size_t i;

	if (!lane_mail(l, demands, l->pool, &reply, why))
		return false;
	for (i = 0; i < e->n && l->mail; i++)
		l->mail = say_rcpt(l, &e->recipients[i], &reply, why);
	if (!l->mail)
		close_unless_alive(l);
	return l->mail;
}

bool
lane_rcpt(struct lane *l, const struct recipient *who, struct reply *reply,
    struct failure *why)
{
	struct envelope *e = &l->leg.envelope;
	bool ok;

	close_unless_alive(l);
	if (!l->mail && !say_again(l, &l->said, why))
		return false;
	ok = say_rcpt(l, who, reply, why);
	if (ok) {
		e->recipients = pool_grow(l->pool, e->recipients, &e->n,
		    sizeof *e->recipients);
		e->recipients[e->n - 1] = *who;
		keys_add(&l->named, who->key, e->n - 1, l->pool);
	}
	return ok;
}

/*
 * SMTP has no command for it: the server keeps them until its transaction is
 * said again, which is put off until the data.
 */
void
lane_take_back(struct lane *l)
{
	struct envelope *e = &l->leg.envelope;

	l->stale = l->stale || e->n > l->before;
	for (; e->n > l->before; e->n--)
		keys_remove(&l->named, e->recipients[e->n - 1].key);
}

/* Is what MAIL said of the message less than the truth? */
static bool
was_untrue(const struct demands *said, const struct demands *truth)
{
	return (truth->body_8bit && !said->body_8bit) ||
	    (truth->header_8bit && !said->header_8bit) ||
	    (said->size > 0 && truth->size > said->size + SIZE_ALLOWANCE);
}

static bool
make_ready(struct lane *l, struct failure *why)
{
	struct demands said = l->said;

	if (signals_caught() != 0)
		return fail(why, FAILURE_INTERRUPTED, "ended by signal %d",
		    signals_caught());
	if (!plan_message(l->whole, why))
		return false;
	close_unless_alive(l);
	if (!l->mail || l->stale)
		return say_again(l, &said, why);
	return fit(l, why) && (!was_untrue(&said, &l->said) ||
	    say_again(l, &l->said, why));
}

void
lane_data(struct lane *l, struct message *m)
{
	const struct envelope *e = &l->leg.envelope;
	struct failure why;

	outcome_init(&l->outcome, e->n, l->pool);
	message_compose(m, l->leg.prologue, l->leg.instead);
	l->whole = m;
	if (make_ready(l, &why))
		transaction_data(&l->session.smtp, e, l->fit, &l->outcome);
	else
		outcome_rest_failed(&l->outcome, &why);
	forget_fit(l);
	l->whole = NULL;
	close_unless_alive(l);
}
