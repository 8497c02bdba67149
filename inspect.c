#include "inspect.h"
#include "crypto.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

enum { PATIENCE = 10 };			/* seconds for an address */

static const char *
type_name(enum dns_type type)
{
	return type == DNS_A ? "A" : type == DNS_AAAA ? "AAAA" :
	    type == DNS_SRV ? "SRV" : type == DNS_TLSA ? "TLSA" : "CNAME";
}

static const char *
tlsa_value(const struct dns_record *r, struct pool *pool)
{
	char *hex;

	if (r->len < 3)
		return "(damaged)";
	hex = pool_alloc(pool, 2 * (r->len - 3) + 1);
	crypto_hex(hex, r->data + 3, r->len - 3);
	return pool_printf(pool, "%u %u %u %s", r->data[0], r->data[1],
	    r->data[2], hex);
}

static const char *
value_of(const struct dns_question *q, const struct dns_record *r,
    struct pool *pool)
{
	char text[INET6_ADDRSTRLEN] = "?";

	switch (q->type) {
	case DNS_A:
		(void)inet_ntop(AF_INET, r->data, text, sizeof text);
		return pool_string(pool, text);
	case DNS_AAAA:
		(void)inet_ntop(AF_INET6, r->data, text, sizeof text);
		return pool_string(pool, text);
	case DNS_SRV:
		return pool_printf(pool, "%u %u %u %s", r->priority,
		    r->weight, r->port, *r->target != '\0' ? r->target : ".");
	case DNS_TLSA:
		return tlsa_value(r, pool);
	default:
		return r->target;
	}
}

/* Asks, and notes what came; the answer is put there for the caller, too. */
static void
ask(struct session *s, struct dns_question *q, struct found_records **all,
    size_t *n)
{
	milliseconds begun = clock_now();
	struct found_records *r;
	struct failure ignored;
	size_t i;

	*all = pool_grow(s->pool, *all, n, sizeof **all);
	r = &(*all)[*n - 1];
	*r = (struct found_records){ .name = q->name,
	    .type = type_name(q->type), .state = "ended by a signal" };
	if (!dns_ask(session_dns(s), q, 1, s->pool, &ignored))
		return;
	r->ms = clock_now() - begun;
	r->found = q->state == DNS_FOUND;
	r->state = dns_state_text(q->state);
	r->authenticated = q->authenticated;
	r->n = r->found ? q->n : 0;
	r->values = pool_array(s->pool, r->n, sizeof *r->values);
	for (i = 0; i < r->n; i++)
		r->values[i] = value_of(q, &q->records[i], s->pool);
}

void
inspect_services(struct session *s, const char *domain, struct findings *f)
{
	static const char *const services[] = { "_submissions", "_submission" };
	const char *ascii = url_ascii(domain, s->pool);
	struct dns_question q;
	size_t i;

	for (i = 0; ascii != NULL && i < 2; i++) {
		q = (struct dns_question){ .type = DNS_SRV, .name =
		    pool_printf(s->pool, "%s._tcp.%s", services[i], ascii) };
		ask(s, &q, &f->services, &f->nservices);
	}
}

static bool
is_asked_for(const struct session *s, const struct endpoint *e)
{
	return e->path == NULL && s->route.net.proxy == NULL &&
	    !url_is_address(e->host) && strchr(e->host, '.') != NULL &&
	    url_ascii(e->host, s->pool) != NULL;
}

static void
ask_tlsa(struct session *s, struct found_server *f, const char *base)
{
	struct dns_question q = { .type = DNS_TLSA, .name = pool_printf(s->pool,
	    "_%s._tcp.%s", f->endpoint->port, base) };

	ask(s, &q, &f->records, &f->nrecords);
	f->tlsa_exists = f->tlsa_exists || q.state == DNS_FOUND;
	f->zone_signed = f->zone_signed || q.authenticated;
}

static void
ask_all(struct session *s, struct found_server *f)
{
	const char *name = url_ascii(f->endpoint->host, s->pool);
	struct dns_question alias = { .name = name, .type = DNS_CNAME };
	struct dns_question six = { .name = name, .type = DNS_AAAA };
	struct dns_question four = { .name = name, .type = DNS_A };
	const char *end = name;

	ask(s, &six, &f->records, &f->nrecords);
	ask(s, &four, &f->records, &f->nrecords);
	if (six.state == DNS_FOUND || four.state == DNS_FOUND)
		end = six.state == DNS_FOUND ? six.canonical : four.canonical;
	if (strcmp(end, name) != 0) {
		ask(s, &alias, &f->records, &f->nrecords);
		ask_tlsa(s, f, end);
	}
	ask_tlsa(s, f, name);
}

static void
try_address(struct session *s, struct found_server *f,
    const struct place *one, struct found_address *a)
{
	struct net_params params = s->route.net;
	milliseconds begun = clock_now();
	struct net_facts facts;
	struct stream *stream;
	struct failure why;

	if (params.timeout_connect > PATIENCE)
		params.timeout_connect = PATIENCE;
	if (net_connect(f->endpoint, one, &params, s->pool, &stream, &facts,
	    &why)) {
		a->address = facts.address;
		stream_free(stream);
	} else {
		a->why = pool_string(s->pool, why.text);
		a->address = net_numeric(&one->addresses[0], s->pool);
	}
	a->ms = clock_now() - begun;
}

/* Each by itself; those that can be reached are what is left of the place. */
static size_t
try_addresses(struct session *s, struct found_server *f)
{
	struct place one = f->place;
	size_t i, n = f->place.n, reached = 0;

	f->addresses = pool_array(s->pool, n, sizeof *f->addresses);
	f->naddresses = n;
	for (i = 0; i < n; i++) {
		one.addresses[0] = f->place.addresses[i];
		one.n = 1;
		try_address(s, f, &one, &f->addresses[i]);
		if (f->addresses[i].why == NULL)
			f->place.addresses[reached++] = one.addresses[0];
	}
	return reached;
}

bool
inspect_place(struct session *s, struct found_server *f)
{
	size_t reached;

	if (is_asked_for(s, f->endpoint))
		ask_all(s, f);
	if (!session_place(s, f->endpoint, &f->place, &f->why))
		return false;
	if (f->endpoint->path != NULL)
		return true;
	reached = try_addresses(s, f);
	if (reached == 0)
		return fail(&f->why, FAILURE_CONNECT, "%s cannot be reached "
		    "at any of its addresses", url_host_port(
		    f->endpoint->host, f->endpoint->port, s->pool));
	f->place.n = reached;
	return true;
}

struct looking {
	struct found_server *found;
	struct pool *pool;
};

static struct found_hello *
hello_now(struct found_server *f)
{
	return f->within.heard || f->tls.version != NULL ||
	    f->endpoint->security == SECURITY_IMPLICIT ? &f->within :
	    &f->before;
}

static void
done(void *context, enum step step, milliseconds ms, const struct reply *reply)
{
	static const char *const names[] = { [STEP_GREETING] = "greeting",
	    [STEP_EHLO] = "EHLO", [STEP_HELO] = "HELO",
	    [STEP_STARTTLS] = "STARTTLS", [STEP_TLS] = "TLS" };
	const struct looking *l = context;
	struct found_server *f = l->found;

	if (step == STEP_TLS)
		f->tls.version = "TLS";	/* the rest comes at the end */
	if (step == STEP_EHLO)
		hello_now(f)->heard = reply->code == 250;
	if (f->nsteps >= STEPS_MAX)
		return;
	f->steps[f->nsteps++] = (struct found_step){ names[step], ms,
	    reply == NULL ? NULL : pool_octets(l->pool, reply->text,
	    reply->len) };
}

static void
keyword(void *context, const char *text, size_t len)
{
	const struct looking *l = context;
	struct found_hello *h = hello_now(l->found);

	if (h->n >= 100)
		return;
	capabilities_line(&h->can, text, len);
	h->keywords = pool_grow(l->pool, h->keywords, &h->n,
	    sizeof *h->keywords);
	h->keywords[h->n - 1] = pool_octets(l->pool, text, len);
}

/* TLSA 3 1 1: the key outlives certificates (RFC 7671 section 5.1). */
static void
make_tlsa(struct found_server *f, struct pool *pool)
{
	const struct chain *chain = f->tls.chain;

	if (chain != NULL && chain->n > 0 && *chain->links[0].pin != '\0' &&
	    f->endpoint->host != NULL &&
	    !url_is_address(f->endpoint->host))
		f->tlsa = pool_printf(pool, "_%s._tcp.%s. IN TLSA 3 1 1 %s",
		    f->endpoint->port, f->place.base, chain->links[0].pin);
}

bool
inspect_dialogue(struct session *s, struct found_server *f)
{
	struct looking l = { f, s->pool };
	const struct smtp_watch watch = { done, keyword, &l };
	bool ok = session_look(s, f->endpoint, &f->place, &watch, &f->why);

	f->tls = s->facts.tls;
	if (f->tls.version == NULL && f->before.heard) {
		f->within = f->before;
		f->before = (struct found_hello){ 0 };
	}
	make_tlsa(f, s->pool);
	session_close(s);
	return ok;
}
