#include "discover.h"
#include "crypto.h"
#include "log.h"

#include <string.h>
#include <strings.h>

enum { ENDPOINTS_MAX = 32 };

struct found {
	const char *domain;
	struct pool *pool;
	struct endpoint *endpoints;
	size_t n;
};

/* From 0 to n, both included; the bias of the remainder does no harm. */
static unsigned
by_chance(unsigned n)
{
	unsigned x;

	crypto_random(&x, sizeof x);
	return x % (n + 1);
}

static void
swap(struct dns_record *a, struct dns_record *b)
{
	struct dns_record r = *a;

	*a = *b;
	*b = r;
}

/* RFC 2782, "Weight": records of weight 0 stand first and win seldom. */
static size_t
pick(const struct dns_record *r, size_t n, unsigned (*chance)(unsigned))
{
	unsigned sum = 0, drawn, running = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += r[i].weight;
	drawn = chance(sum);
	for (i = 0; i < n; i++)
		if (r[i].weight == 0 && drawn == 0)
			return i;
	for (i = 0; i < n; i++) {
		running += r[i].weight;
		if (r[i].weight > 0 && running >= drawn)
			return i;
	}
	return 0;
}

static size_t
same_priority(const struct dns_record *r, size_t n)
{
	size_t i = 1;

	while (i < n && r[i].priority == r[0].priority)
		i++;
	return i;
}

void
discover_order(struct dns_record *r, size_t n, unsigned (*chance)(unsigned n))
{
	size_t i, j, group;

	for (i = 0; i < n; i++)
		for (j = i + 1; j < n; j++)
			if (r[j].priority < r[i].priority)
				swap(&r[i], &r[j]);
	for (i = 0; i < n; i++) {
		group = same_priority(&r[i], n - i);
		swap(&r[i], &r[i + pick(&r[i], group, chance)]);
	}
}

static void
add(struct found *f, const struct dns_question *q, enum security security)
{
	struct endpoint *e;
	size_t i;

	discover_order(q->records, q->n, by_chance);
	for (i = 0; i < q->n && f->n < ENDPOINTS_MAX; i++) {
		if (*q->records[i].target == '\0' || q->records[i].port == 0)
			continue;
		f->endpoints = pool_grow(f->pool, f->endpoints, &f->n,
		    sizeof *e);
		e = &f->endpoints[f->n - 1];
		e->security = security;
		e->host = q->records[i].target;
		e->port = pool_printf(f->pool, "%u", q->records[i].port);
		e->domain = f->domain;
		e->authentic = q->authenticated;
		e->text = pool_printf(f->pool, "%s://%s:%s", security ==
		    SECURITY_IMPLICIT ? "smtps" : "smtp", e->host, e->port);
	}
}

static bool
cannot_ask(const struct dns *dns, const char *domain,
    const struct dns_question *q, struct failure *why)
{
	(void)fail(why, FAILURE_RESOLVE_TEMPORARY, "%s: its servers cannot be "
	    "looked up now: SRV records of %s: %s", domain, q->name,
	    dns_state_text(q->state));
	if (q->state == DNS_SERVER_FAILED)
		why->tls_result = "dnssec-invalid";
	dns_name_resolver(dns, q, why);
	return false;
}

static bool
none_found(const char *domain, const struct dns_question *q,
    struct failure *why)
{
	if (q[0].state == DNS_FOUND || q[1].state == DNS_FOUND)
		return fail(why, FAILURE_RESOLVE_NONE, "%s says in its SRV "
		    "records that it offers no submission; if you know a "
		    "server, add a line like: server smtps://mail.%s", domain,
		    domain);
	return fail(why, FAILURE_CONFIG, "no server is named, and %s publishes "
	    "none (SRV records _submissions._tcp and _submission._tcp); add a "
	    "line like: server smtps://mail.%s, or the option --server",
	    domain, domain);
}

bool
discover(struct dns *dns, const char *domain, struct pool *pool,
    struct endpoint **endpoints, size_t *n, struct failure *why)
{
	struct found f = { .domain = url_ascii(domain, pool), .pool = pool };
	struct dns_question q[2] = { { .type = DNS_SRV }, { .type = DNS_SRV } };
	size_t i;

	if (f.domain == NULL)
		return fail(why, FAILURE_CONFIG, "%s is no domain that could "
		    "name its servers; add a line like: server "
		    "smtps://mail.example.org", domain);
	q[0].name = pool_printf(pool, "_submissions._tcp.%s", f.domain);
	q[1].name = pool_printf(pool, "_submission._tcp.%s", f.domain);
	if (!dns_ask(dns, q, 2, pool, why))
		return false;
	add(&f, &q[0], SECURITY_IMPLICIT);
	for (i = 0; i < 2 && f.n == 0; i++)
		if (dns_is_temporary(q[i].state))
			return cannot_ask(dns, domain, &q[i], why);
	add(&f, &q[1], SECURITY_STARTTLS);
	if (f.n == 0)
		return none_found(domain, q, why);
	log_detail("%s has %zu servers, the first is %s%s", domain, f.n,
	    f.endpoints[0].text, f.endpoints[0].authentic ? ", authenticated" :
	    "");
	*endpoints = f.endpoints;
	*n = f.n;
	return true;
}

static bool
lies_within(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	return h >= d && strcasecmp(host + h - d, domain) == 0 &&
	    (h == d || host[h - d - 1] == '.');
}

void
discover_wanted(const struct endpoint *e, struct certificate_wanted *w,
    struct pool *pool)
{
	*w = (struct certificate_wanted){ .srv_id = pool_printf(pool, "_%s.%s",
	    e->security == SECURITY_IMPLICIT ? "submissions" : "submission",
	    e->domain) };
	if (e->authentic || lies_within(e->host, e->domain))
		w->names[w->nnames++] = e->host;
	else
		w->remedy = pool_printf(pool, "an SRV record without DNSSEC "
		    "leads from %s to %s; if that is the right server, add the "
		    "line: server %s", e->domain, e->host, e->text);
	w->names[w->nnames++] = e->domain;
}
