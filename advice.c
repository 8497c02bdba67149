#include "advice.h"
#include "buffer.h"
#include "sasl.h"

#include <inttypes.h>
#include <string.h>

enum {
	SOON = 14,			/* days */
	RENEWED_AT = 3			/* a third of its life is left */
};

static const char *
size_meaning(const struct capabilities *can, struct pool *pool)
{
	if (!can->size)
		return "a message that is too large is found out only when it "
		    "has been sent";
	if (can->size_max == 0)
		return "no limit is told";
	return pool_printf(pool, "a message of more than %" PRIu64 " octets "
	    "(%" PRIu64 " MB) is refused before it is sent", can->size_max,
	    can->size_max / 1000000);
}

static const char *
limits_meaning(const struct capabilities *can, struct pool *pool)
{
	struct buffer b = { 0 };
	char *text;

	if (can->rcptmax > 0)
		buffer_printf(&b, ", %u recipients in a mail", can->rcptmax);
	if (can->mailmax > 0)
		buffer_printf(&b, ", %u mails in a connection", can->mailmax);
	if (can->rcptdomainmax > 0)
		buffer_printf(&b, ", %u domains in a connection",
		    can->rcptdomainmax);
	text = buffer_len(&b) == 0 ? pool_string(pool, "none that matter") :
	    pool_printf(pool, "at most %.*s; the rest goes in another",
	    (int)buffer_len(&b) - 2, buffer_data(&b) + 2);
	buffer_free(&b);
	return can->limits ? text : "whether there are limits is found out "
	    "by meeting them";
}

void
advice_extensions(const struct capabilities *can,
    struct advice_extension out[ADVICE_EXTENSIONS], struct pool *pool)
{
	const struct advice_extension all[ADVICE_EXTENSIONS] = {
		{ "PIPELINING", can->pipelining, can->pipelining ?
		    "sender and recipients travel together" :
		    "each command waits for the reply to the one before" },
		{ "CHUNKING", can->chunking, can->chunking ?
		    "the message goes as it is, in the same flight when it is "
		    "small" : "the message waits for 354, dots are doubled" },
		{ "SIZE", can->size, size_meaning(can, pool) },
		{ "8BITMIME", can->eightbitmime, can->eightbitmime ?
		    "8-bit text goes as it is" : "8-bit text becomes "
		    "quoted-printable, 8-bit parts base64; a signed one fails" },
		{ "SMTPUTF8", can->smtputf8, can->smtputf8 ?
		    "addresses like jos\xc3\xa9@example.org can be named" :
		    "an address with letters beyond ASCII before the @ is "
		    "refused (5.6.7)" },
		{ "DSN", can->dsn, can->dsn ? "-N, -R and -V are passed on" :
		    "-N, -R and -V have no effect" },
		{ "REQUIRETLS", can->requiretls, can->requiretls ?
		    "--require-tls holds on the whole way" :
		    "a message with --require-tls is refused (5.7.30)" },
		{ "ENHANCEDSTATUSCODES", can->enhancedstatuscodes,
		    can->enhancedstatuscodes ? "a refusal has its reason as a "
		    "code" : "a refusal has only its words" },
		{ "LIMITS", can->limits, limits_meaning(can, pool) },
		{ "DELIVERBY", can->deliverby, can->deliverby ?
		    "--deliver-by is passed on" :
		    "--deliver-by is refused" },
		{ "FUTURERELEASE", can->futurerelease, can->futurerelease ?
		    "--hold-for and --hold-until are passed on" :
		    "--hold-for and --hold-until are refused" },
		{ "MT-PRIORITY", can->mt_priority, can->mt_priority ?
		    "--priority is passed on" : "--priority is refused" },
	};

	memcpy(out, all, sizeof all);
}

static void
add(struct findings *f, const char *text, struct pool *pool)
{
	f->advice = pool_grow(pool, f->advice, &f->nadvice,
	    sizeof *f->advice);
	f->advice[f->nadvice - 1] = text;
}

static const struct found_records *
records(const struct found_server *s, const char *type)
{
	size_t i;

	for (i = 0; i < s->nrecords; i++)
		if (strcmp(s->records[i].type, type) == 0)
			return &s->records[i];
	return NULL;
}

static void
of_addresses(struct findings *f, const struct found_server *s,
    struct pool *pool)
{
	const struct found_records *six = records(s, "AAAA");
	const struct found_records *four = records(s, "A");
	size_t i, lost = 0;

	if (six != NULL && four != NULL && !six->found && four->found)
		add(f, "no AAAA record: who has only IPv6 cannot reach it",
		    pool);
	if (six != NULL && four != NULL && six->found && !four->found)
		add(f, "no A record: who has only IPv4 cannot reach it", pool);
	for (i = 0; i < s->naddresses; i++)
		lost += s->addresses[i].why != NULL;
	if (lost > 0 && lost < s->naddresses)
		add(f, pool_printf(pool, "%zu of %zu addresses cannot be "
		    "reached from here: each costs who tries it first a "
		    "quarter of a second or more", lost, s->naddresses), pool);
}

static void
of_starttls(struct findings *f, const struct found_server *s,
    struct pool *pool)
{
	const char *early = s->before.can.mechanisms;

	if (!s->before.heard)
		return;
	if (*early != '\0')
		add(f, pool_printf(pool, "announces %s before TLS: a client "
		    "that does not insist on TLS shows the password, or what "
		    "it can be guessed from, to who listens; offer AUTH only "
		    "within TLS", capabilities_offer(&s->before.can, "PLAIN") ?
		    "PLAIN" : early), pool);
	if (!s->before.can.starttls && s->tls.version != NULL)
		add(f, "does STARTTLS but does not announce it: most clients "
		    "will not ask, or somebody on the way has struck it out",
		    pool);
}

/* Some live for days, so that few days of these are left is as it should be. */
static bool
ends_soon(const struct chain_link *l)
{
	long days = chain_days(l->until);

	return days >= 0 && days <= SOON &&
	    l->until - time(NULL) < (l->until - l->from) / RENEWED_AT;
}

static void
of_dates(struct findings *f, const struct chain *chain, struct pool *pool)
{
	const struct chain_link *l;
	size_t i;
	long days;

	for (i = 0; i < chain->n; i++) {
		l = &chain->links[i];
		if (!ends_soon(l))
			continue;
		days = chain_days(l->until);
		add(f, pool_printf(pool, "the certificate of %s ends in %ld "
		    "day%s: renew it", *l->subject != '\0' ? l->subject :
		    l->names, days, days == 1 ? "" : "s"), pool);
	}
}

static void
of_dane(struct findings *f, const struct found_server *s, struct pool *pool)
{
	const struct tls_facts *t = &s->tls;

	if (s->tlsa == NULL || s->nrecords == 0)
		return;
	if (s->place.dane.n > 0 && t->found.dane.by == NULL)
		add(f, pool_printf(pool, "the TLSA records do not match the "
		    "certificate, so who verifies by DANE sends nothing; here "
		    "is the record that would: %s", s->tlsa), pool);
	else if (s->tlsa_exists && !s->zone_signed)
		add(f, f->resolver_trusted ? "the TLSA records count for "
		    "nothing: the zone is not signed (DNSSEC)" : "there are "
		    "TLSA records, but no resolver here may be trusted with "
		    "DNSSEC (\"resolver\", or options trust-ad in "
		    "resolv.conf)", pool);
	else if (s->zone_signed && !s->tlsa_exists)
		add(f, pool_printf(pool, "the zone is signed, so this record "
		    "would let clients verify the server by DANE: %s",
		    s->tlsa), pool);
}

static void
of_tls(struct findings *f, const struct found_server *s, struct pool *pool)
{
	const struct tls_facts *t = &s->tls;

	if (t->version == NULL) {
		if (s->endpoint->path == NULL && !url_is_verified(s->endpoint)
		    && s->within.can.starttls)
			add(f, "offers STARTTLS, which this URL does not use: "
			    "write smtp:// or smtps://", pool);
		return;
	}
	if (strcmp(t->version, "TLS1.3") != 0)
		add(f, pool_printf(pool, "speaks %s and not TLS 1.3",
		    t->version), pool);
	if (t->chain != NULL) {
		of_dates(f, t->chain, pool);
		if (t->found.pkix.by != NULL && t->chain->n == 1)
			add(f, "sends one certificate and no issuer's: clients "
			    "that do not know the issuer cannot verify it",
			    pool);
	}
	of_dane(f, s, pool);
}

static void
of_login(struct findings *f, const struct found_server *s, struct pool *pool)
{
	const struct capabilities *can = &s->within.can;
	const struct sasl_policy any = { .has_password = true };
	const char *best = sasl_strongest(&any, can->mechanisms);

	if (best == NULL || strncmp(best, "SCRAM-", 6) == 0) {
		if (best != NULL && s->tls.binding != NULL &&
		    strstr(best, "-PLUS") == NULL)
			add(f, pool_printf(pool, "offers %s but not %s-PLUS, "
			    "which would notice somebody within the TLS",
			    best, best), pool);
		return;
	}
	add(f, pool_printf(pool, "offers no SCRAM: with %s it %s; "
	    "SCRAM-SHA-256 shows it neither the password nor what could be "
	    "guessed from", best, strcmp(best, "CRAM-MD5") == 0 ?
	    "must have the password in the clear" : "sees the password"),
	    pool);
}

void
advise(struct findings *f, struct pool *pool)
{
	const struct found_server *s = findings_server(f);

	if (s == NULL)
		return;
	of_addresses(f, s, pool);
	if (!s->within.heard && s->tls.version == NULL)
		return;
	of_starttls(f, s, pool);
	of_tls(f, s, pool);
	of_login(f, s, pool);
}
