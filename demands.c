#include "demands.h"

#include <inttypes.h>
#include <string.h>

struct demands
demands_of(const struct message *m)
{
	return (struct demands){ message_size(m), m->body_8bit,
	    m->header_8bit };
}

static bool
unmet(const struct smtp *s, enum failure_kind kind, const char *enhanced,
    const char *what, struct failure *why)
{
	(void)stream_fail(s->talk.stream, why, kind, "%s", what);
	(void)strcpy(why->enhanced, enhanced);
	return false;
}

static bool
has_room(const struct demands *d, const struct smtp *s, struct failure *why)
{
	if (!s->can.size || s->can.size_max == 0 || d->size <= s->can.size_max)
		return true;
	(void)stream_fail(s->talk.stream, why, FAILURE_DATA, "the message "
	    "has %" PRIu64 " octets, the server takes at most %" PRIu64,
	    d->size, s->can.size_max);
	(void)strcpy(why->enhanced, "5.3.4");
	return false;
}

/* Section 4.2.1: only inside verified TLS, and only when offered. */
static bool
has_requiretls(const struct smtp *s, struct failure *why)
{
	if (!s->facts->tls.verified && s->params->path_kind != PATH_UNIX)
		return unmet(s, FAILURE_REQUIRETLS, "5.7.10", "the message "
		    "requires TLS all the way and cannot go here: TLS is not "
		    "verified on this connection (5.7.10)", why);
	if (!s->can.requiretls)
		return unmet(s, FAILURE_REQUIRETLS, "5.7.30", "the message "
		    "requires TLS all the way and cannot go here: the server "
		    "does not offer REQUIRETLS (5.7.30)", why);
	return true;
}

bool
demands_met_utf8(bool utf8, const char *path, const struct smtp *s,
    struct failure *why)
{
	if (!utf8 || s->can.smtputf8)
		return true;
	(void)stream_fail(s->talk.stream, why, FAILURE_EXTENSION, "the address "
	    "%s needs SMTPUTF8, which the server does not offer", path);
	(void)strcpy(why->enhanced, "5.6.7");
	return false;
}

bool
demands_met(const struct demands *d, const struct envelope *e,
    const struct smtp *s, struct failure *why)
{
	if (!demands_met_utf8(e->sender_utf8, e->sender, s, why) ||
	    (e->requiretls && !has_requiretls(s, why)) ||
	    !has_room(d, s, why))
		return false;
	if (d->header_8bit && !e->smtputf8_never && !s->can.smtputf8)
		return unmet(s, FAILURE_EXTENSION, "5.6.7", "the header has "
		    "characters beyond ASCII and the server does not offer "
		    "SMTPUTF8", why);
	if (d->body_8bit && !s->can.eightbitmime)
		return unmet(s, FAILURE_EXTENSION, "5.6.3", "the message has "
		    "8-bit content and the server does not offer 8BITMIME",
		    why);
	return true;
}
