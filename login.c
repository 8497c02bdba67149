#include "login.h"
#include "crypto.h"
#include "gloss.h"
#include "log.h"
#include "vault.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	COMMAND_MAX = 512,		/* RFC 5321 section 4.5.3.1.4 */
	AUTH_ROUNDS_MAX = 8
};

void
login_hide(struct smtp *s)
{
	const struct sasl_words *w = &s->params->words;

	if (w->password != NULL)
		dialogue_hide(&s->talk, w->password, w->password_len);
	if (w->prepared != w->password)
		dialogue_hide(&s->talk, w->prepared, w->prepared_len);
}

/* For a trace that shows logins: what the server has said. */
static void
tell_heard(struct smtp *s, const struct sasl *sasl, const char *challenge,
    size_t len, bool right)
{
	struct buffer octets = { 0 }, words = { 0 };
	struct gloss g = sasl_answer(sasl);

	if (crypto_unbase64(&octets, challenge, len)) {
		g.octets = buffer_data(&octets);
		g.len = buffer_len(&octets);
		gloss_heard(&g, right, &words);
	} else {
		buffer_printf(&words, "%s challenge: not base64", g.mechanism);
	}
	dialogue_remark(&s->talk, &words);
	buffer_wipe(&octets);
}

static void
tell_said(struct smtp *s, const struct gloss *g)
{
	struct buffer words = { 0 };

	gloss_said(g, &words);
	dialogue_remark(&s->talk, &words);
}

/*
 * A response, behind a command or alone.  In a trace that shows logins it is
 * whole when nothing in it is secret.  A proof is masked whoever repeats it:
 * with it the password could be guessed.
 */
static void
say(struct smtp *s, const struct sasl *sasl, const char *command,
    const struct buffer *response)
{
	struct gloss g = sasl_answer(sasl);
	struct span secret = gloss_secret(&g);
	bool told = log_traces_logins();

	if (gloss_proves(&g))
		dialogue_hide_octets(&s->talk, g.octets + secret.at,
		    secret.len);
	if (told ? secret.len == 0 : sasl_reason(sasl) != NULL)
		dialogue_say_open(&s->talk, command, buffer_data(response),
		    buffer_len(response));
	else
		dialogue_say_secret(&s->talk, command, buffer_data(response),
		    buffer_len(response));
	if (told)
		tell_said(s, &g);
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

/* Whose it is only the certificate says. */
static void
tell_unknown(struct smtp *s, const struct reply *reply, struct failure *why)
{
	(void)stream_fail(s->talk.stream, why, FAILURE_AUTH, "the server "
	    "refuses the login by the client certificate (EXTERNAL): %s (%s)",
	    reply->text, s->facts->tls.asked_for_certificate ? "does it know "
	    "this one? sendoff --print-certificate shows it" : "it has asked "
	    "for none, so it cannot know us by it; a password may do");
}

static void
tell_token(struct smtp *s, const struct sasl *sasl, const struct reply *reply,
    struct failure *why)
{
	const struct smtp_renewal *renewal = s->params->renewal;

	s->token_refused |= reply->code == 535;
	(void)stream_fail(s->talk.stream, why, FAILURE_AUTH, "the server "
	    "refuses the token of %s by %s: %s (%s%s%.200s)", s->params->user,
	    s->facts->mechanism, reply->text, reason_of(s, sasl),
	    renewal->spent ? "; log in again with what oauth-command runs: " :
	    "", renewal->spent ? renewal->command : "");
}

/*
 * RFC 4954 section 6; 538 is its predecessor's, and by 534 some ask for a
 * password of the program's own.
 */
static const char *
remedy(int code)
{
	switch (code) {
	case 500:
	case 501:
	case 504:
		return "it does not take this one; name another mechanism with "
		    "\"auth\"";
	case 534:
		return "it wants a password for this program alone, or a "
		    "stronger mechanism (\"auth\")";
	case 538:
		return "it wants TLS first; write smtps:// or smtp://";
	default:
		return "are user and password right?";
	}
}

static void
tell_refusal(struct smtp *s, const struct sasl *sasl, const struct reply *reply,
    struct failure *why)
{
	if (strcmp(s->facts->mechanism, "EXTERNAL") == 0)
		tell_unknown(s, reply, why);
	else if (s->params->renewal != NULL)
		tell_token(s, sasl, reply, why);
	else
		(void)stream_fail(s->talk.stream, why, FAILURE_AUTH, "the "
		    "server refuses the login of %s by %s: %s (%s)",
		    s->params->user, s->facts->mechanism, reply->text,
		    remedy(reply->code));
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

	if (log_traces_logins())
		tell_heard(s, sasl, challenge, len, ok);
	s->token_refused |= ok && sasl_reason(sasl) != NULL;
	if (ok) {
		say(s, sasl, "", &response);
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

/* With what is masked in it none could be answered; a token's is but a reason. */
static bool
can_answer(const struct smtp *s, const struct reply *reply,
    struct failure *why)
{
	if (reply->lines > 1)
		return stream_fail(s->talk.stream, why, FAILURE_PROTOCOL, "the "
		    "server's challenge has more than one line");
	if (s->talk.masked && !s->params->sasl.has_token)
		return stream_fail(s->talk.stream, why, FAILURE_AUTH, "the "
		    "server's challenge has the password in it, so it is not "
		    "answered; another password will do, or another mechanism "
		    "(\"auth\")");
	return true;
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
	if (!can_answer(s, &reply, why)) {
		cancel(s);
		return false;
	}
	if (buffer_len(held) == 0)
		return respond(s, sasl, buffer_data(challenge),
		    buffer_len(challenge), why);
	say(s, sasl, "", held);
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
	say(s, sasl, command, initial);
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
show(struct smtp *s, const struct sasl_channel *channel,
    struct failure *why)
{
	const struct smtp_params *p = s->params;
	struct sasl *sasl;
	bool ok;

	assert(p->path_kind != PATH_NETWORK || s->facts->tls.verified);
	s->token_refused = false;
	sasl = sasl_begin(s->facts->mechanism, p->user != NULL ? p->user : "",
	    &p->words, channel);
	s->talk.veil = p->guarded ? VEIL_CHALLENGES : VEIL_SIGNATURE;
	ok = authenticate(s, sasl, why);
	s->talk.veil = VEIL_NONE;
	if (*sasl_detail(sasl) != '\0')
		log_detail("%s: %s", s->facts->mechanism, sasl_detail(sasl));
	sasl_end(sasl);
	vault_sweep();
	return ok;
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
show_anew(struct smtp *s, const struct sasl_channel *channel,
    struct failure *why)
{
	const struct smtp_renewal *renewal = s->params->renewal;
	struct failure reason;
	bool ok = false;

	log_note(LEVEL_INFO, "a new token is asked for: %s", why->text);
	if (!renewal->renew(renewal->context, &reason))
		return none_anew(why, &reason);
	login_hide(s);
	dialogue_step(&s->talk, STEP_AUTH);	/* its time begins here */
	if (s->talk.in_step && !s->talk.closing)
		ok = show(s, channel, why);
	s->token_unheard = !ok && (s->talk.closing || !s->talk.in_step);
	return ok;
}

bool
login_try(struct smtp *s, const struct sasl_channel *channel,
    struct failure *why)
{
	const struct smtp_renewal *renewal = s->params->renewal;

	if (show(s, channel, why))
		return true;
	return s->token_refused && renewal != NULL && !renewal->spent &&
	    (why->kind == FAILURE_AUTH || why->kind == FAILURE_LOST) &&
	    show_anew(s, channel, why);
}
