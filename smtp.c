#include "smtp.h"
#include "log.h"
#include "vault.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	COMMAND_MAX = 512,		/* RFC 5321 section 4.5.3.1.4 */
	AUTH_ROUNDS_MAX = 8
};

/* Who expects a greeting at a port for TLS waits in vain. */
static void
doubt_port(const struct smtp *s, struct failure *why)
{
	if (why->kind == FAILURE_PROTOCOL)
		fail_more(why, " (is it the right port?)");
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
	struct reply reply;

	s->can = (struct capabilities){ 0 };
	dialogue_step(&s->talk, STEP_HELO);
	dialogue_say(&s->talk, "HELO %s", s->params->hello);
	if (!dialogue_hear(&s->talk, &reply, NULL, NULL, why))
		return false;
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

static bool
secure(struct smtp *s, struct failure *why)
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
		return true;
	dialogue_step(&s->talk, STEP_STARTTLS);
	dialogue_say(&s->talk, "STARTTLS");
	if (!dialogue_hear(&s->talk, &reply, NULL, NULL, why))
		return false;
	tell_done(s, STEP_STARTTLS, begun, &reply);
	if (reply.code == 220) {
		*done = true;
		return secure(s, why);
	}
	if (!required && !s->talk.closing)
		return true;
	(void)dialogue_refused(&s->talk, &reply, FAILURE_TLS_MISSING, why);
	if (why->kind == FAILURE_TLS_MISSING)
		(void)stream_fail(s->talk.stream, why, why->kind, "nothing is "
		    "sent without TLS (if the server has port 465, write "
		    "smtps://): server said %s", reply.text);
	dialogue_quote(why, &reply);
	why->tls_result = "starttls-not-supported";
	return false;
}

/* RFC 4954 section 4: "*" gives up; the server answers with 501. */
static void
cancel(struct smtp *s)
{
	struct failure ignored;
	struct reply reply;

	dialogue_say(&s->talk, "*");
	if (dialogue_hear(&s->talk, &reply, NULL, NULL, &ignored) &&
	    reply.code / 100 == 3)
		s->talk.in_step = false;
}

/* What the server says of a token; not when it says the token itself. */
static const char *
reason_of(const struct smtp *s, const struct sasl *sasl)
{
	const char *reason = sasl_reason(sasl);

	if (reason == NULL)
		return "has it expired, or is user not whose it is";
	return dialogue_tells(&s->talk, reason) ? "the server's reason tells "
	    "the secret and is not shown" : reason;
}

static void
tell_refusal(struct smtp *s, const struct sasl *sasl, const struct reply *reply,
    struct failure *why)
{
	const struct smtp_renewal *renewal = s->params->renewal;

	if (renewal == NULL || !sasl_is_for(&s->params->sasl,
	    s->facts->mechanism)) {
		(void)stream_fail(s->talk.stream, why, FAILURE_AUTH, "the "
		    "server refuses the login of %s by %s: %s (are user and "
		    "password right?)", s->params->user, s->facts->mechanism,
		    reply->text);
		return;
	}
	s->token_refused |= reply->code == 535;
	(void)stream_fail(s->talk.stream, why, FAILURE_AUTH, "the server "
	    "refuses the token of %s by %s: %s (%s%s%.200s)", s->params->user,
	    s->facts->mechanism, reply->text, reason_of(s, sasl),
	    renewal->spent ? "; log in again with what oauth-command runs: " :
	    "", renewal->spent ? renewal->command : "");
}

static bool
login_refused(struct smtp *s, const struct sasl *sasl,
    const struct reply *reply, struct failure *why)
{
	struct failure reason;

	if (!reply_is_permanent(reply)) {
		s->token_refused = false;
		return dialogue_refused(&s->talk, reply, FAILURE_AUTH, why);
	}
	(void)dialogue_refused(&s->talk, reply, FAILURE_AUTH, &reason);
	tell_refusal(s, sasl, reply, why);
	why->reply = reason.reply;
	(void)strcpy(why->enhanced, reason.enhanced);
	return false;
}

/* One challenge answered; the failure of our side ends the exchange. */
static bool
respond(struct smtp *s, struct sasl *sasl, const char *challenge, size_t len,
    struct failure *why)
{
	struct buffer response = BUFFER_SECRET;
	struct failure reason;
	bool ok = sasl_step(sasl, challenge, len, &response, &reason);

	if (ok && sasl_reason(sasl) != NULL) {
		s->token_refused = true;
		dialogue_say(&s->talk, "%.*s", (int)buffer_len(&response),
		    buffer_data(&response));
	} else if (ok) {
		dialogue_say_secret(&s->talk, "", buffer_data(&response),
		    buffer_len(&response));
	} else {
		(void)stream_fail(s->talk.stream, why, reason.kind, "%s",
		    reason.text);
		cancel(s);
	}
	buffer_wipe(&response);
	return ok;
}

static bool
believe(struct smtp *s, const struct sasl *sasl, struct failure *why)
{
	struct failure reason;

	s->token_refused = false;	/* whatever it was that it has said */
	if (sasl_is_complete(sasl, &reason))
		return true;
	return stream_fail(s->talk.stream, why, reason.kind, "%s",
	    reason.text);
}

/* A challenge may be longer than what a reply keeps for error texts. */
static void
challenge_line(void *context, const char *text, size_t len)
{
	struct buffer *challenge = context;

	buffer_put(challenge, text, len);
}

/*
 * One reply of the server, and ours to it.  *done is set by 235.  An initial
 * response that was too long for its line is the answer to the first.
 */
static bool
round_trip(struct smtp *s, struct sasl *sasl, struct buffer *held,
    struct buffer *challenge, bool *done, struct failure *why)
{
	struct reply reply;

	if (!dialogue_hear(&s->talk, &reply, challenge_line, challenge, why))
		return false;
	*done = reply.code == 235;
	if (*done)
		return believe(s, sasl, why);
	if (reply.code != 334)
		return login_refused(s, sasl, &reply, why);
	if (reply.lines > 1) {
		(void)stream_fail(s->talk.stream, why, FAILURE_PROTOCOL, "the "
		    "server's challenge has more than one line");
		cancel(s);
		return false;
	}
	if (buffer_len(held) == 0)
		return respond(s, sasl, buffer_data(challenge),
		    buffer_len(challenge), why);
	dialogue_say_secret(&s->talk, "", buffer_data(held),
	    buffer_len(held));
	buffer_wipe(held);
	return true;
}

static bool
exchange(struct smtp *s, struct sasl *sasl, struct buffer *held,
    struct failure *why)
{
	struct buffer challenge = { 0 };
	bool done = false, ok = true;
	int round;

	for (round = 0; ok && !done && round < AUTH_ROUNDS_MAX; round++) {
		ok = round_trip(s, sasl, held, &challenge, &done, why);
		buffer_free(&challenge);
	}
	if (!ok || done)
		return ok;
	s->talk.in_step = false;
	return stream_fail(s->talk.stream, why, FAILURE_PROTOCOL, "the server "
	    "finds no end of challenges");
}

/*
 * "AUTH PLAIN response", "AUTH EXTERNAL =", or the name alone: when the
 * server speaks first, or the line would be too long (RFC 4954 section 4).
 */
static void
say_auth(struct smtp *s, const struct sasl *sasl, struct buffer *initial)
{
	char command[64];
	int n = snprintf(command, sizeof command, "AUTH %s",
	    s->facts->mechanism);

	if (!sasl_speaks_first(sasl) ||
	    (size_t)n + buffer_len(initial) + 3 > COMMAND_MAX) {
		dialogue_say(&s->talk, "%s", command);
		return;
	}
	if (buffer_len(initial) == 0)
		dialogue_say(&s->talk, "%s =", command);
	else
		dialogue_say_secret(&s->talk, command, buffer_data(initial),
		    buffer_len(initial));
	buffer_wipe(initial);
}

static bool
authenticate(struct smtp *s, struct sasl *sasl, struct failure *why)
{
	struct buffer initial = BUFFER_SECRET;
	struct failure reason = { 0 };
	bool ok = true;

	if (sasl_speaks_first(sasl))
		ok = sasl_step(sasl, "", 0, &initial, &reason);
	if (ok) {
		say_auth(s, sasl, &initial);
		ok = exchange(s, sasl, &initial, why);
	} else {
		(void)stream_fail(s->talk.stream, why, reason.kind, "%s",
		    reason.text);
	}
	buffer_wipe(&initial);
	return ok;
}

/* The secret leaves us only here, and smtp_begin() has judged the path. */
static bool
login_by(struct smtp *s, const struct sasl_channel *channel,
    struct failure *why)
{
	const struct smtp_params *p = s->params;
	struct sasl *sasl;
	bool ok;

	assert(p->path_kind != PATH_NETWORK || s->facts->tls.verified);
	s->token_refused = false;
	if (!sasl_begin(&sasl, s->facts->mechanism, p->user != NULL ? p->user :
	    "", &p->words, channel, why))
		return false;
	ok = authenticate(s, sasl, why);
	if (*sasl_detail(sasl) != '\0')
		log_detail("%s: %s", s->facts->mechanism, sasl_detail(sasl));
	sasl_end(sasl);
	vault_sweep();
	return ok;
}

static void
hide_secrets(struct smtp *s)
{
	const struct sasl_words *w = &s->params->words;

	if (w->password != NULL)
		dialogue_hide(&s->talk, w->password, w->password_len);
	if (w->prepared != w->password)
		dialogue_hide(&s->talk, w->prepared, w->prepared_len);
}

/* Of both: what the server said, and why there is no other token. */
static bool
none_anew(struct failure *why, const struct failure *reason)
{
	struct failure first = *why;

	if (reason->kind == FAILURE_INTERRUPTED || why->kind != FAILURE_AUTH) {
		*why = *reason;
		return false;
	}
	(void)fail(why, first.kind, "%.900s; for a new token: %s", first.text,
	    reason->text);
	why->reply = first.reply;
	(void)strcpy(why->enhanced, first.enhanced);
	return false;
}

/*
 * The token may be one that was put by, and has expired: another is asked for
 * once, and shown in this connection while the server leaves it open.
 */
static bool
login_anew(struct smtp *s, const struct sasl_channel *channel,
    struct failure *why)
{
	const struct smtp_renewal *renewal = s->params->renewal;
	struct failure reason;
	bool ok = false;

	log_note(LEVEL_INFO, "a new token is asked for: %s", why->text);
	if (!renewal->renew(renewal->context, &reason))
		return none_anew(why, &reason);
	hide_secrets(s);
	dialogue_step(&s->talk, STEP_AUTH);	/* its time begins here */
	if (s->talk.in_step && !s->talk.closing)
		ok = login_by(s, channel, why);
	s->token_unheard = !ok && (s->talk.closing || !s->talk.in_step);
	return ok;
}

static bool
login(struct smtp *s, struct failure *why)
{
	const struct tls_facts *tls = &s->facts->tls;
	struct sasl_channel channel = {
		.tls = tls->version != NULL,
		.binding = tls->binding,
		.data = tls->binding_data,
		.data_len = tls->binding_len,
		.host = s->params->host,
		.port = s->params->port
	};
	const struct smtp_renewal *renewal = s->params->renewal;
	milliseconds begun = clock_now();
	struct failure reason;
	const char *mechanism;
	bool ok;

	if (!s->params->login)
		return true;
	dialogue_step(&s->talk, STEP_AUTH);
	mechanism = sasl_choose(&s->params->sasl, &channel, s->can.mechanisms,
	    &reason);
	if (mechanism == NULL)
		return stream_fail(s->talk.stream, why, reason.kind, "%s",
		    reason.text);
	s->facts->mechanism = mechanism;
	ok = login_by(s, &channel, why);
	if (!ok && s->token_refused && renewal != NULL && !renewal->spent &&
	    (why->kind == FAILURE_AUTH || why->kind == FAILURE_LOST))
		ok = login_anew(s, &channel, why);
	s->facts->auth_ms = clock_now() - begun;
	return ok;
}

static bool
is_weaker(struct smtp *s, enum failure_kind kind, const char *now,
    const char *then, struct failure *why)
{
	return stream_fail(s->talk.stream, why, kind, "the server offers %s "
	    "now and has offered %s (%s); either it was changed or somebody on "
	    "the way weakens it, so nothing was sent; if it is right: %s",
	    now, then, s->params->seen->day, s->params->accept);
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
story(struct smtp *s, struct failure *why)
{
	enum security security = s->params->security;
	bool done = false;

	if (security == SECURITY_IMPLICIT && !secure(s, why))
		return false;
	if (!greeting(s, why) || !hello(s, why))
		return false;
	if ((security == SECURITY_STARTTLS ||
	    security == SECURITY_OPPORTUNISTIC) && !starttls(s, &done, why))
		return false;
	if (done && !hello(s, why))
		return false;
	s->facts->strongest = sasl_strongest(&s->params->sasl,
	    s->can.mechanisms);
	return compare(s, why) && login(s, why);
}

/* A secret goes only through verified TLS, or where nobody listens. */
static bool
may_login(const struct smtp *s, struct failure *why)
{
	const struct smtp_params *p = s->params;

	if (!p->login || p->path_kind != PATH_NETWORK || (p->tls.verify &&
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
		hide_secrets(s);		/* known from before */
	dialogue_step(&s->talk, STEP_GREETING);
	ok = may_login(s, why) && story(s, why);
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

	if (s->talk.in_step && !s->talk.closing) {
		dialogue_step(&s->talk, STEP_QUIT);
		dialogue_say(&s->talk, "QUIT");
		(void)stream_flush(s->talk.stream, &ignored);
	}
	tls_end(s->tls, s->talk.in_step);
	s->tls = NULL;
	dialogue_wipe(&s->talk);
}
