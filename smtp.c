#include "smtp.h"
#include "log.h"
#include "login.h"

#include <string.h>

/*
 * Who expects a greeting at a port for TLS waits in vain; at the socket of a
 * service that cannot start there is none either.
 */
static void
doubt_port(const struct smtp *s, struct failure *why)
{
	if (why->kind == FAILURE_PROTOCOL)
		fail_more(why, " (is it the right port?)");
	else if (why->kind == FAILURE_LOST && s->params->path_kind == PATH_UNIX)
		fail_more(why, " (why may stand in the log of the service: "
		    "journalctl -u 'sendoff@*')");
	else if ((why->kind == FAILURE_LOST || why->kind == FAILURE_TIMEOUT) &&
	    s->params->security != SECURITY_IMPLICIT && s->params->path_kind !=
	    PATH_UNIX)
		fail_more(why, " (if it is a port for TLS from the first octet "
		    "on, as 465, write smtps://)");
}

/* reply NULL: the step has none. */
static void
tell_done(const struct smtp *s, enum step step, milliseconds begun,
    const struct reply *reply)
{
	const struct smtp_watch *w = s->params->watch;

	if (w != NULL)
		w->done(w->context, step, clock_now() - begun, reply);
}

static bool
greeting(struct smtp *s, struct failure *why)
{
	milliseconds begun = clock_now();
	struct reply reply;

	dialogue_step(&s->talk, STEP_GREETING);
	if (!dialogue_hear(&s->talk, &reply, NULL, NULL, why)) {
		doubt_port(s, why);
		return false;
	}
	tell_done(s, STEP_GREETING, begun, &reply);
	s->greeted = true;
	return reply.code == 220 ||
	    dialogue_refused(&s->talk, &reply, FAILURE_REFUSED, why);
}

struct keywords {
	struct capabilities *can;
	const struct smtp_watch *watch;
	bool first;			/* names the server, is no keyword */
};

static void
keyword(void *context, const char *text, size_t len)
{
	struct keywords *k = context;

	if (!k->first)
		capabilities_line(k->can, text, len);
	if (!k->first && k->watch != NULL)
		k->watch->keyword(k->watch->context, text, len);
	k->first = false;
}

/* RFC 5321 section 4.1.1.1: an old server does not know EHLO. */
static bool
helo(struct smtp *s, struct failure *why)
{
	milliseconds begun = clock_now();
	struct reply reply;

	dialogue_step(&s->talk, STEP_HELO);
	dialogue_say(&s->talk, "HELO %s", s->params->hello);
	if (!dialogue_hear(&s->talk, &reply, NULL, NULL, why))
		return false;
	tell_done(s, STEP_HELO, begun, &reply);
	return reply.code == 250 ||
	    dialogue_refused(&s->talk, &reply, FAILURE_REFUSED, why);
}

static bool
knows_no_ehlo(const struct smtp *s, const struct reply *reply)
{
	return !s->talked && !s->params->lmtp && (reply->code == 500 ||
	    reply->code == 501 || reply->code == 502 || reply->code == 504);
}

/* What was learnt before is forgotten (RFC 3207 section 4.2). */
static bool
hello(struct smtp *s, struct failure *why)
{
	struct keywords k = { &s->can, s->params->watch, true };
	milliseconds begun = clock_now();
	struct reply reply;

	s->can = (struct capabilities){ 0 };
	dialogue_step(&s->talk, STEP_EHLO);
	if (!dialogue_is_quiet(&s->talk, why))
		return false;
	dialogue_say(&s->talk, "%s %s", s->params->lmtp ? "LHLO" : "EHLO",
	    s->params->hello);
	if (!dialogue_hear(&s->talk, &reply, keyword, &k, why))
		return false;
	tell_done(s, STEP_EHLO, begun, &reply);
	if (reply.code == 250) {
		s->talked = true;
		s->can.extended = true;
		if (s->params->lmtp)	/* DATA has the clearer replies */
			s->can.chunking = false;
		return true;
	}
	s->can = (struct capabilities){ 0 };
	if (knows_no_ehlo(s, &reply))
		return helo(s, why);
	return dialogue_refused(&s->talk, &reply, FAILURE_REFUSED, why);
}

bool
smtp_secure(struct smtp *s, struct failure *why)
{
	milliseconds begun = clock_now();
	bool ok;

	dialogue_step(&s->talk, STEP_TLS);
	log_trace('T', "", 0);
	s->talk.in_step = false;
	ok = tls_begin(s->talk.stream, &s->params->tls, s->pool, &s->tls,
	    &s->facts->tls, why);
	s->talk.in_step = ok;
	s->facts->tls_ms = clock_now() - begun;
	if (ok)
		tell_done(s, STEP_TLS, begun, NULL);
	return ok;
}

/* Opportunistic TLS goes on without, and says so. */
static bool
lacks_tls(const struct smtp *s)
{
	s->facts->tls.result = "starttls-not-supported";
	return true;
}

/*
 * A server that must offer STARTTLS is asked for it also when it does not
 * announce it: someone on the way may have struck the line out.
 */
static bool
starttls(struct smtp *s, bool *done, struct failure *why)
{
	bool required = s->params->security == SECURITY_STARTTLS;
	milliseconds begun = clock_now();
	struct reply reply;

	*done = false;
	if (!s->can.starttls && !required)
		return lacks_tls(s);
	dialogue_step(&s->talk, STEP_STARTTLS);
	dialogue_say(&s->talk, "STARTTLS");
	if (!dialogue_hear(&s->talk, &reply, NULL, NULL, why))
		return false;
	tell_done(s, STEP_STARTTLS, begun, &reply);
	if (reply.code == 220) {
		*done = true;
		return smtp_secure(s, why);
	}
	if (!required && !s->talk.closing)
		return lacks_tls(s);
	(void)dialogue_refused(&s->talk, &reply, FAILURE_TLS_MISSING, why);
	if (why->kind == FAILURE_TLS_MISSING)
		(void)stream_fail(s->talk.stream, why, why->kind, "nothing is "
		    "sent without TLS (if the server has port 465, write "
		    "smtps://): server said %s", reply.text);
	dialogue_quote(why, &reply);
	why->tls_result = "starttls-not-supported";
	return false;
}

/* Why EXTERNAL may not be offered, behind what is. */
static const char *
anonymous(const struct tls_facts *tls)
{
	if (tls->unfit)
		return "; it knows no key of the kind that the client "
		    "certificate has (an ECDSA or RSA key will do)";
	return tls->asked_for_certificate ? NULL : "; it has asked for no "
	    "client certificate, so none is of use there (a password may do)";
}

static bool
login(struct smtp *s, struct failure *why)
{
	const struct tls_facts *tls = &s->facts->tls;
	struct sasl_channel channel = {
		.anonymous = anonymous(tls),
		.tls = tls->version != NULL,
		.binding = tls->binding,
		.data = tls->binding_data,
		.data_len = tls->binding_len,
		.offers_plus = sasl_offers_plus(s->can.mechanisms),
		.host = s->params->host,
		.port = s->params->port
	};
	milliseconds begun = clock_now();
	struct failure reason;
	const char *mechanism;
	bool ok;

	dialogue_step(&s->talk, STEP_AUTH);
	if (!s->params->login)
		return s->params->last != STAGE_AUTH || stream_fail(
		    s->talk.stream, why, FAILURE_NO_MECHANISM, "there is no "
		    "login on this connection to end after; the account has "
		    "\"auth none\", or none for a unix socket");
	mechanism = sasl_choose(&s->params->sasl, &channel, s->can.mechanisms,
	    &reason);
	if (mechanism == NULL)
		return stream_fail(s->talk.stream, why, reason.kind, "%s",
		    reason.text);
	s->facts->mechanism = mechanism;
	ok = login_try(s, &channel, why);
	s->facts->auth_ms = clock_now() - begun;
	return ok;
}

static bool
is_weaker(struct smtp *s, enum failure_kind kind, const char *now,
    const char *then, struct failure *why)
{
	(void)stream_fail(s->talk.stream, why, kind, "the server offers %s "
	    "now and has offered %s (%s); either it was changed or somebody on "
	    "the way weakens it, so nothing was sent; if it is right: %s",
	    now, then, s->params->seen->day, s->params->accept);
	if (kind == FAILURE_TLS_MISSING)
		why->tls_result = "validation-failure";
	return false;
}

/* What was offered once and is no longer may have been struck out. */
static bool
compare(struct smtp *s, struct failure *why)
{
	const struct sight *seen = s->params->seen;
	const struct tls_facts *tls = &s->facts->tls;
	const char *now = s->facts->strongest;

	if (seen == NULL)
		return true;
	dialogue_step(&s->talk, STEP_EHLO);
	if (seen->tls != NULL && tls->verified && s->params->tls.priority ==
	    NULL && strcmp(tls->version, seen->tls) < 0)
		return is_weaker(s, FAILURE_TLS_MISSING, tls->version,
		    seen->tls, why);
	if (s->params->login && sasl_is_for(&s->params->sasl,
	    seen->mechanism) && sasl_is_weaker(now, seen->mechanism))
		return is_weaker(s, FAILURE_NO_MECHANISM, now != NULL ? now :
		    "no login", seen->mechanism, why);
	return true;
}

static bool
ends(struct smtp *s, enum stage stage)
{
	s->stopped = s->params->last == stage;
	return s->stopped;
}

static bool
has_no_tls(struct smtp *s, struct failure *why)
{
	dialogue_step(&s->talk, STEP_TLS);
	return stream_fail(s->talk.stream, why, FAILURE_TLS_MISSING, "there "
	    "is no TLS on this connection to end after; write smtps:// or "
	    "smtp:// as the scheme of the server");
}

/* Ends with false for a failure, and where it is to end. */
static bool
story(struct smtp *s, struct failure *why)
{
	enum security security = s->params->security;
	bool done = false;

	if (ends(s, STAGE_CONNECT) || (security == SECURITY_IMPLICIT &&
	    (!smtp_secure(s, why) || ends(s, STAGE_TLS))))
		return false;
	if (!greeting(s, why) || ends(s, STAGE_GREETING) || !hello(s, why) ||
	    ends(s, STAGE_FIRST_EHLO))
		return false;
	if ((security == SECURITY_STARTTLS ||
	    security == SECURITY_OPPORTUNISTIC) && !starttls(s, &done, why))
		return false;
	if (s->params->last == STAGE_TLS && !done)
		return has_no_tls(s, why);
	if ((done && (ends(s, STAGE_TLS) || !hello(s, why))) ||
	    ends(s, STAGE_EHLO))
		return false;
	s->facts->strongest = sasl_strongest(&s->params->sasl,
	    s->can.mechanisms);
	return compare(s, why) && login(s, why);
}

bool
smtp_is_safe(const struct smtp *s, struct failure *why)
{
	const struct smtp_params *p = s->params;

	if (p->path_kind != PATH_NETWORK || (p->tls.verify &&
	    (p->security == SECURITY_IMPLICIT ||
	    p->security == SECURITY_STARTTLS)))
		return true;
	return stream_fail(s->talk.stream, why, FAILURE_CONFIG, "the %s would "
	    "not be safe on this connection; write smtps:// or smtp:// as the "
	    "scheme of the server", p->sasl.has_token ? "token" : "password");
}

bool
smtp_begin(struct smtp *s, struct stream *stream,
    const struct smtp_params *params, struct pool *pool,
    struct smtp_facts *facts, struct failure *why)
{
	milliseconds begun = clock_now();
	bool ok;

	*facts = (struct smtp_facts){ 0 };
	*s = (struct smtp){ .talk = { .stream = stream,
	    .timeout_reply = params->timeout_reply,
	    .secrets = BUFFER_SECRET }, .params = params,
	    .facts = facts, .pool = pool };
	if (params->login)
		login_hide(s);		/* known from before */
	dialogue_step(&s->talk, STEP_GREETING);
	ok = (!params->login || smtp_is_safe(s, why)) &&
	    (story(s, why) || s->stopped);
	facts->greeting_ms = clock_now() - begun - facts->tls_ms -
	    facts->auth_ms;
	return ok;
}

bool
smtp_is_spent(const struct smtp *s)
{
	return s->can.mailmax > 0 && s->mails >= s->can.mailmax;
}

/* QUIT is said without waiting for 221: nothing depends on it. */
void
smtp_end(struct smtp *s)
{
	struct failure ignored;

	if (s->talk.in_step && !s->talk.closing && s->greeted) {
		dialogue_step(&s->talk, STEP_QUIT);
		dialogue_say(&s->talk, "QUIT");
		(void)stream_flush(s->talk.stream, &ignored);
	}
	tls_end(s->tls, s->talk.in_step);
	s->tls = NULL;
	dialogue_wipe(&s->talk);
}
