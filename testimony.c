#include "testimony.h"
#include "advice.h"
#include "fields.h"
#include "proof.h"

#include <stdio.h>

static void
open_list(const struct fields *o, const char *name, char bracket)
{
	fields_key(o, name);
	buffer_put(o->b, &bracket, 1);
}

static void
shut(const struct fields *o, const char *bracket)
{
	buffer_put(o->b, bracket, 1);
}

static void
records(const struct fields *o, const void *all, size_t i)
{
	const struct found_records *r = (const struct found_records *)all + i;

	fields_text(o, "name", r->name);
	fields_text(o, "type", r->type);
	fields_truth(o, "found", r->found);
	if (!r->found)
		fields_text(o, "state", r->state);
	fields_truth(o, "dnssec", r->authenticated);
	fields_number(o, "ms", r->ms);
	fields_texts(o, "values", r->values, r->n);
}

static void
address(const struct fields *o, const void *all, size_t i)
{
	const struct found_address *a = (const struct found_address *)all + i;

	fields_text(o, "address", a->address);
	fields_truth(o, "reached", a->why == NULL);
	fields_number(o, "ms", a->ms);
	fields_text(o, "error", a->why);
}

static void
step(const struct fields *o, const void *all, size_t i)
{
	const struct found_step *s = (const struct found_step *)all + i;

	fields_text(o, "step", s->name);
	fields_number(o, "ms", s->ms);
	fields_text(o, "reply", s->said);
}

static void
verdict(const struct fields *o, const char *name,
    const struct trust_verdict *v)
{
	open_list(o, name, '{');
	fields_truth(o, "verified", v->by != NULL);
	fields_text(o, "by", v->by);
	fields_text(o, "result", v->result);
	fields_text(o, "error", v->objection);
	shut(o, "}");
}

static void
tls(const struct fields *o, const struct found_server *s)
{
	const struct tls_facts *t = &s->tls;

	if (t->version == NULL || t->chain == NULL)
		return;
	open_list(o, "tls", '{');
	fields_text(o, "version", t->version);
	fields_text(o, "cipher", t->cipher);
	fields_text(o, "suite", t->suite);
	fields_text(o, "group", t->group);
	fields_text(o, "alpn", t->alpn);
	fields_text(o, "binding", t->binding);
	fields_truth(o, "verified", t->verified);
	fields_text(o, "verified-by", t->verified_by);
	verdict(o, "pkix", &t->found.pkix);
	if (t->found.dane.by != NULL || t->found.dane.objection != NULL)
		verdict(o, "dane", &t->found.dane);
	fields_text(o, "tlsa", s->tlsa);
	proof_chain(o, t->chain);
	shut(o, "}");
}

static void
extension(const struct fields *o, const void *all, size_t i)
{
	const struct advice_extension *x =
	    (const struct advice_extension *)all + i;

	fields_text(o, "name", x->name);
	fields_truth(o, "offered", x->offered);
	fields_text(o, "meaning", x->meaning);
}

static void
server(const struct fields *o, const void *all, size_t i)
{
	const struct found_server *s = (const struct found_server *)all + i;
	struct advice_extension extensions[ADVICE_EXTENSIONS];

	fields_text(o, "server", s->endpoint->text);
	fields_list(o, "dns", s->records, s->nrecords, records);
	fields_list(o, "addresses", s->addresses, s->naddresses, address);
	fields_list(o, "steps", s->steps, s->nsteps, step);
	if (s->before.heard)
		fields_texts(o, "keywords-before-tls", s->before.keywords,
		    s->before.n);
	if (s->within.heard) {
		fields_texts(o, "keywords", s->within.keywords, s->within.n);
		advice_extensions(&s->within.can, extensions, o->pool);
		fields_list(o, "extensions", extensions, ADVICE_EXTENSIONS,
		    extension);
	}
	tls(o, s);
	if (s->why.kind != FAILURE_NONE)
		fields_text(o, "error", s->why.text);
}

static void
mechanism(const struct fields *o, const void *all, size_t i)
{
	const struct found_mechanism *m =
	    (const struct found_mechanism *)all + i;

	fields_text(o, "name", m->name);
	fields_truth(o, "before-tls", m->before);
	fields_truth(o, "offered", m->within);
	fields_text(o, "verdict", m->verdict);
}

static void
recipient(const struct fields *o, const void *all, size_t i)
{
	const struct found_recipient *r =
	    (const struct found_recipient *)all + i;

	fields_text(o, "address", r->path);
	fields_truth(o, "accepted", r->accepted);
	fields_text(o, "reply", r->reply);
	fields_text(o, "reason", r->why);
}

static void
login(const struct fields *o, const struct findings *f)
{
	open_list(o, "login", '{');
	fields_truth(o, "done", f->mechanism != NULL);
	fields_text(o, "user", f->user);
	fields_text(o, "mechanism", f->mechanism);
	fields_text(o, "not-tried", f->no_login);
	fields_number(o, "ms", f->login_ms);
	fields_list(o, "mechanisms", f->mechanisms, f->nmechanisms, mechanism);
	shut(o, "}");
}

void
testify(const struct findings *f, struct pool *pool)
{
	struct buffer b = { 0 };
	const struct fields o = { &b, true, pool };

	shut(&o, "{");
	fields_text(&o, "account", f->account->name);
	fields_text(&o, "domain", f->domain);
	fields_truth(&o, "resolver-trusted", f->resolver_trusted);
	fields_list(&o, "srv", f->services, f->nservices, records);
	fields_list(&o, "servers", f->servers, f->nservers, server);
	login(&o, f);
	if (f->sender != NULL) {
		fields_text(&o, "sender", f->sender);
		fields_text(&o, "sender-reply", f->sender_reply);
		fields_list(&o, "recipients", f->recipients, f->nrecipients,
		    recipient);
	}
	fields_texts(&o, "advice", f->advice, f->nadvice);
	fields_number(&o, "status", f->status);
	if (f->why.kind != FAILURE_NONE) {
		fields_text(&o, "kind", failure_word(f->why.kind));
		fields_text(&o, "tls-result", f->why.tls_result);
		fields_text(&o, "error", f->why.text);
	}
	shut(&o, "}");
	buffer_put(&b, "", 1);
	(void)puts(buffer_data(&b));
	buffer_free(&b);
}
