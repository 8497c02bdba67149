#include "refusal.h"

#include <string.h>

bool
refusal_is_of_order(const struct reply *reply)
{
	return reply->code == 503;
}

/* RFC 3463: 5.3.4 for everybody, 5.2.3 for one mailbox. */
static bool
is_too_large(const struct reply *reply)
{
	return reply->code == 552 && (strcmp(reply->enhanced, "5.3.4") == 0 ||
	    strcmp(reply->enhanced, "5.2.3") == 0);
}

enum failure_kind
refusal_mail_kind(const struct reply *reply)
{
	return is_too_large(reply) ? FAILURE_DATA :
	    refusal_is_of_order(reply) ? FAILURE_DEFERRED : FAILURE_REFUSED;
}

enum failure_kind
refusal_rcpt_kind(const struct reply *reply)
{
	if (is_too_large(reply))
		return FAILURE_DATA;
	return reply->code == 552 || refusal_is_of_order(reply) ?
	    FAILURE_DEFERRED : strncmp(reply->enhanced, "5.1.", 4) == 0 ?
	    FAILURE_NOUSER : FAILURE_REFUSED;
}

/*
 * RFC 5321 section 4.5.3.1.10: 552 to RCPT means 452, unless it is about the
 * size of the message or their mailbox (RFC 3463: x.1.x, x.2.x).
 */
bool
refusal_is_too_many(const struct reply *reply)
{
	return (reply->code == 452 || reply->code == 552) &&
	    !is_too_large(reply) &&
	    strncmp(reply->enhanced + 1, ".1.", 3) != 0 &&
	    strncmp(reply->enhanced + 1, ".2.", 3) != 0;
}

static const char *
out_of_step(const struct reply *reply)
{
	return refusal_is_of_order(reply) ? "the server is out of step, which "
	    "is no verdict on the mail (-v shows the dialogue, for whoever "
	    "runs it): " : "";
}

/*
 * Servers have many words for it: 530 (RFC 4954 section 6), 5.7.x, and 503 at
 * smtp.qq.com, Yandex and qmail's.  5.7.x of a socket of this machine where
 * nobody can log in is about whom the kernel has named.
 */
static bool
may_want_login(const struct smtp *s, const struct reply *reply)
{
	return reply->code == 530 || refusal_is_of_order(reply) ||
	    (reply_is_permanent(reply) &&
	    strncmp(reply->enhanced, "5.7.", 4) == 0 &&
	    (s->params->path_kind != PATH_UNIX || *s->can.mechanisms != '\0'));
}

static const char *
without_login(const struct smtp *s, const struct reply *reply)
{
	if (!s->params->login && !s->params->lmtp && may_want_login(s, reply))
		return "nobody has logged in (if it wants that: \"user\", "
		    "\"password\", no \"auth none\"): ";
	return out_of_step(reply);
}

void
refusal_of_data(struct smtp *s, const struct reply *reply,
    enum failure_kind permanent, struct failure *why)
{
	bool of_order = refusal_is_of_order(reply);

	(void)dialogue_refused(&s->talk, reply, of_order ? FAILURE_DEFERRED :
	    permanent, why);
	if (!of_order)
		return;
	(void)stream_fail(s->talk.stream, why, why->kind, "%sserver said %s",
	    out_of_step(reply), reply->text);
	dialogue_quote(why, reply);
}

void
refusal_named(struct smtp *s, const char *path, const struct reply *reply,
    enum failure_kind permanent, struct failure *why)
{
	enum failure_kind kind;

	refusal_of_data(s, reply, permanent, why);
	kind = why->kind;
	(void)stream_fail(s->talk.stream, why, kind, kind ==
	    FAILURE_PROTOCOL ? "<%s>: server answered with what does not "
	    "belong here: %s%s" : "<%s>: %sserver said %s", path, kind ==
	    FAILURE_PROTOCOL ? "" : without_login(s, reply), reply->text);
	dialogue_quote(why, reply);
	why->of_mail = kind != FAILURE_PROTOCOL;
}
