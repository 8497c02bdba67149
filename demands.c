#include "demands.h"
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct demands
demands_of(const struct message *m)
{
	return (struct demands){ message_size(m), m->body_8bit,
	    m->header_8bit };
}

__attribute__((format(printf, 5, 6)))
static bool
unmet(const struct smtp *s, struct failure *why, enum failure_kind kind,
    const char *enhanced, const char *fmt, ...)
{
	char text[sizeof why->text];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)stream_fail(s->talk.stream, why, kind, "%s", text);
	(void)strcpy(why->enhanced, enhanced);
	return false;
}

static bool
has_room(const struct demands *d, const struct smtp *s, struct failure *why)
{
	if (!s->can.size || s->can.size_max == 0 || d->size <= s->can.size_max)
		return true;
	return unmet(s, why, FAILURE_DATA, "5.3.4", "the message has %" PRIu64
	    " octets, the server takes at most %" PRIu64 "; make it smaller, "
	    "or use another server", d->size, s->can.size_max);
}

/* RFC 8689 section 4.2.1: only inside verified TLS, and only when offered. */
static bool
has_requiretls(const struct smtp *s, struct failure *why)
{
	if (!s->facts->tls.verified && s->params->path_kind != PATH_UNIX)
		return unmet(s, why, FAILURE_REQUIRETLS, "5.7.10", "the "
		    "message requires TLS all the way and cannot go here: TLS "
		    "is not verified on this connection (5.7.10)");
	if (!s->can.requiretls)
		return unmet(s, why, FAILURE_REQUIRETLS, "5.7.30", "the "
		    "message requires TLS all the way and cannot go here: the "
		    "server does not offer REQUIRETLS (5.7.30); without "
		    "--require-tls (\"require-tls\") it would");
	return true;
}

bool
demands_met_utf8(bool utf8, const char *path, const struct smtp *s,
    struct failure *why)
{
	if (!utf8 || s->can.smtputf8)
		return true;
	return unmet(s, why, FAILURE_EXTENSION, "5.6.7", "the address %s needs "
	    "SMTPUTF8, which the server does not offer; ask for one in ASCII, "
	    "or use another server", path);
}

static bool
lacks(const struct smtp *s, const char *extension, const char *option,
    struct failure *why)
{
	return unmet(s, why, FAILURE_EXTENSION, "5.3.3", "%s was asked for and "
	    "the server does not offer %s; nothing was sent: leave out %s, or "
	    "use a server that offers it", option, extension, option);
}

static bool
has_deliverby(const struct terms *t, const struct smtp *s,
    struct failure *why)
{
	if (t->by_mode == 0)
		return true;
	if (!s->can.deliverby)
		return lacks(s, "DELIVERBY", "--deliver-by", why);
	return t->by_mode != 'R' || (uint64_t)t->by >= s->can.by_min ||
	    unmet(s, why, FAILURE_EXTENSION, "5.5.4", "--deliver-by with "
	    "\"return\" asks for %ld seconds, the server wants at least %"
	    PRIu64 "; nothing was sent", t->by, s->can.by_min);
}

static bool
has_futurerelease(const struct terms *t, const struct smtp *s,
    struct failure *why)
{
	const char *option = t->hold_for != 0 ? "--hold-for" : "--hold-until";

	if (t->hold_for == 0 && t->hold_until == 0)
		return true;
	if (!s->can.futurerelease)
		return lacks(s, "FUTURERELEASE", option, why);
	if ((uint64_t)t->hold_for > s->can.hold_max)
		return unmet(s, why, FAILURE_EXTENSION, "5.5.4", "--hold-for "
		    "asks for %ld seconds, the server holds a message for at "
		    "most %" PRIu64 "; nothing was sent", t->hold_for,
		    s->can.hold_max);
	return t->hold_until <= s->can.hold_until_max || unmet(s, why,
	    FAILURE_EXTENSION, "5.5.4", "--hold-until asks for %s, the server "
	    "holds a message until %s at most; nothing was sent",
	    terms_utc(t->hold_until, s->pool),
	    terms_utc(s->can.hold_until_max, s->pool));
}

/* Nobody can get it in time when it has to be returned while it is held. */
static bool
are_consistent(const struct terms *t, struct failure *why)
{
	long long held = t->hold_until != 0 ?
	    (long long)t->hold_until - time(NULL) : t->hold_for;

	return t->by_mode != 'R' || held < t->by || fail(why, FAILURE_USAGE,
	    "the message is to be held for %lld seconds (--hold-for, "
	    "--hold-until), and returned after %ld (--deliver-by)", held,
	    t->by);
}

/* 0 is the priority that every message has (RFC 6710 section 4.1). */
static bool
has_terms(const struct terms *t, const struct smtp *s, struct failure *why)
{
	if (!are_consistent(t, why) || !has_deliverby(t, s, why) ||
	    !has_futurerelease(t, s, why))
		return false;
	return t->priority == 0 || s->can.mt_priority ||
	    lacks(s, "MT-PRIORITY", "--priority", why);
}

static bool
has_utf8(const struct envelope *e)
{
	bool any = e->sender_utf8 || e->smtputf8_always;
	size_t i;

	for (i = 0; i < e->n && !any; i++)
		any = e->recipients[i].utf8;
	return any;
}

bool
demands_fit(const struct smtp *s, const struct envelope *e,
    const struct message *m, const struct message **fit, struct pool *pool,
    struct failure *why)
{
	bool smtputf8 = s->can.smtputf8 && !e->smtputf8_never;
	const struct convert_offer offer = { .smtputf8 = smtputf8,
	    .smtputf8_anyway = smtputf8 && has_utf8(e),
	    .eightbitmime = s->can.eightbitmime };
	struct failure reason;

	if (convert_message(m, &offer, fit, pool, &reason)) {
		s->facts->converted = (*fit)->converted;
		return true;
	}
	(void)stream_fail(s->talk.stream, why, reason.kind, "%s", reason.text);
	(void)strcpy(why->enhanced, reason.enhanced);
	return false;
}

bool
demands_met(const struct demands *d, const struct envelope *e,
    const struct smtp *s, struct failure *why)
{
	return demands_met_utf8(e->sender_utf8, e->sender, s, why) &&
	    (!e->requiretls || has_requiretls(s, why)) &&
	    has_terms(&e->terms, s, why) && has_room(d, s, why);
}

/* who: of the envelope's; NULL: all of them. */
static bool
needs_smtputf8(const struct demands *d, const struct envelope *e,
    const size_t *who, size_t n, const struct smtp *s)
{
	size_t i;

	if (e->smtputf8_never)
		return false;
	if (e->sender_utf8)
		return true;
	if (!s->can.smtputf8)		/* who needs it is not named there */
		return false;
	if (d->header_8bit || e->smtputf8_always)
		return true;
	for (i = 0; i < n; i++)
		if (e->recipients[who != NULL ? who[i] : i].utf8)
			return true;
	return false;
}

/* Notifications are a wish: without DSN the mail goes all the same. */
void
demands_note_dsn(const struct envelope *e, const struct smtp *s)
{
	size_t i;
	bool wanted = e->ret != NULL || e->envid != NULL || e->notify != NULL;

	for (i = 0; i < e->n && !wanted; i++)
		wanted = e->recipients[i].notify != NULL;
	if (wanted && !s->can.dsn)
		log_note(LEVEL_WARNING, "the server does not offer DSN: no "
		    "notifications were asked of it");
}

void
demands_put_mail(const struct demands *d, const struct envelope *e,
    const size_t *who, size_t n, const struct smtp *s, struct buffer *line)
{
	const struct capabilities *can = &s->can;
	struct terms terms = e->terms;

	terms.has_priority = terms.has_priority && can->mt_priority;
	buffer_printf(line, "MAIL FROM:<%s>", e->sender);
	if (can->size && d->size > 0)
		buffer_printf(line, " SIZE=%" PRIu64, d->size);
	if (can->eightbitmime && (d->body_8bit || d->header_8bit))
		buffer_printf(line, " BODY=8BITMIME");
	if (needs_smtputf8(d, e, who, n, s))
		buffer_printf(line, " SMTPUTF8");
	if (e->requiretls)
		buffer_printf(line, " REQUIRETLS");
	if (can->dsn && e->ret != NULL)
		buffer_printf(line, " RET=%s", e->ret);
	if (can->dsn && e->envid != NULL)
		buffer_printf(line, " ENVID=%s", e->envid);
	buffer_printf(line, "%s", terms_parameters(&terms, s->pool));
}

void
demands_put_rcpt(const struct envelope *e, const struct recipient *r,
    const struct smtp *s, struct buffer *line)
{
	const char *notify = r->notify != NULL ? r->notify : e->notify;
	bool dsn = s->can.dsn && notify != NULL;
	bool orcpt = s->can.dsn && r->orcpt != NULL &&
	    (dsn || r->orcpt_given);

	buffer_printf(line, "RCPT TO:<%s>%s%s%s%s", r->path,
	    dsn ? " NOTIFY=" : "", dsn ? notify : "",
	    orcpt ? " ORCPT=" : "", orcpt ? r->orcpt : "");
}
