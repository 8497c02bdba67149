#include "proof.h"
#include "terms.h"

#include <string.h>

static bool
is_bound(const char *mechanism)
{
	size_t n = mechanism != NULL ? strlen(mechanism) : 0;

	return n > 5 && strcmp(mechanism + n - 5, "-PLUS") == 0;
}

/* No TLS is one thing, TLS that did not come about another. */
static const char *
state(const struct tls_facts *t)
{
	return t->version != NULL ? t->version : t->refused ? "untrusted" :
	    t->begun ? "failed" : "none";
}

void
proof_tls(const struct fields *o, const struct tls_facts *t,
    const char *mechanism)
{
	const struct trust_findings *found = &t->found;

	fields_text(o, "tls", state(t));
	fields_text(o, "cipher", t->cipher);
	fields_text(o, "suite", t->suite);
	fields_text(o, "group", t->group);
	fields_text(o, "alpn", t->alpn);
	if (t->version != NULL || t->refused || found->names != NULL)
		fields_text(o, "verified", t->verified ? "yes" : "no");
	fields_text(o, "verified-by", t->verified_by);
	fields_text(o, "tls-objection", t->objection);
	fields_text(o, "pkix", trust_word(&found->pkix));
	fields_text(o, "dane", trust_word(&found->dane));
	if (*found->pin != '\0')
		fields_text(o, "pin", pool_printf(o->pool, "sha256:%s",
		    found->pin));
	if (found->names != NULL)
		fields_text(o, "valid-until", terms_utc(found->until,
		    o->pool));
	if (is_bound(mechanism))
		fields_text(o, "binding", t->binding);
}

static void
certificate(const struct fields *o, const void *all, size_t i)
{
	const struct chain_link *l = (const struct chain_link *)all + i;

	fields_text(o, "subject", l->subject);
	fields_text(o, "issuer", l->issuer);
	fields_text(o, "names", l->names);
	fields_text(o, "key", l->key);
	fields_text(o, "from", terms_utc(l->from, o->pool));
	fields_text(o, "until", terms_utc(l->until, o->pool));
	fields_number(o, "days-left", chain_days(l->until));
	fields_text(o, "pin", pool_printf(o->pool, "sha256:%s", l->pin));
	fields_text(o, "fingerprint", l->fingerprint);
}

void
proof_chain(const struct fields *o, const struct chain *chain)
{
	if (chain != NULL)
		fields_list(o, "chain", chain->links, chain->n, certificate);
}
