#include "answer.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

enum { NAME_ROOM = 1025, SRV_FIXED = 6 };

static char *
lower(struct pool *pool, const char *name)
{
	char *copy = pool_string(pool, name), *p;

	for (p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static bool
is_question(ns_msg *msg, const struct dns_question *q)
{
	ns_rr rr;

	return ns_msg_count(*msg, ns_s_qd) == 1 &&
	    ns_parserr(msg, ns_s_qd, 0, &rr) == 0 &&
	    strcasecmp(ns_rr_name(rr), q->name) == 0 &&
	    ns_rr_type(rr) == (ns_type)q->type && ns_rr_class(rr) == ns_c_in;
}

/*
 * The name at p, lower case, when it ends just at end and is made of what
 * host names are made of (and "_"); else NULL.
 */
static char *
target(ns_msg *msg, const unsigned char *p, const unsigned char *end,
    struct pool *pool)
{
	char name[NAME_ROOM], *copy;
	int n = dn_expand(ns_msg_base(*msg), ns_msg_end(*msg), p, name,
	    sizeof name);

	if (n < 0 || p + n != end)
		return NULL;
	copy = lower(pool, name);
	if (copy[strspn(copy, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] !=
	    '\0')
		return NULL;
	return copy;
}

static bool
named(ns_msg *msg, const ns_rr *rr, size_t fixed, struct dns_record *r,
    struct pool *pool)
{
	const unsigned char *p = ns_rr_rdata(*rr);

	if (ns_rr_rdlen(*rr) <= fixed)
		return false;
	if (fixed == SRV_FIXED) {
		r->priority = ns_get16(p);
		r->weight = ns_get16(p + 2);
		r->port = ns_get16(p + 4);
	}
	r->target = target(msg, p + fixed, p + ns_rr_rdlen(*rr), pool);
	return r->target != NULL;
}

static bool
octets(const ns_rr *rr, size_t wanted, struct dns_record *r,
    struct pool *pool)
{
	r->len = ns_rr_rdlen(*rr);
	r->data = (const unsigned char *)pool_octets(pool,
	    (const char *)ns_rr_rdata(*rr), r->len);
	return wanted == 0 || r->len == wanted;
}

static bool
record(ns_msg *msg, const ns_rr *rr, enum dns_type type, struct dns_record *r,
    struct pool *pool)
{
	*r = (struct dns_record){ 0 };
	switch (type) {
	case DNS_A:
		return octets(rr, 4, r, pool);
	case DNS_AAAA:
		return octets(rr, 16, r, pool);
	case DNS_TLSA:
		return octets(rr, 0, r, pool);
	case DNS_SRV:
		return named(msg, rr, SRV_FIXED, r, pool);
	case DNS_CNAME:
		return named(msg, rr, 0, r, pool);
	}
	return false;
}

/* The CNAME of name among the answers; NULL when there is none. */
static const char *
alias_of(ns_msg *msg, const char *name, struct pool *pool)
{
	struct dns_record r;
	ns_rr rr;
	int i;

	for (i = 0; i < ns_msg_count(*msg, ns_s_an); i++)
		if (ns_parserr(msg, ns_s_an, i, &rr) == 0 &&
		    ns_rr_class(rr) == ns_c_in && ns_rr_type(rr) ==
		    ns_t_cname && strcasecmp(ns_rr_name(rr), name) == 0)
			return record(msg, &rr, DNS_CNAME, &r, pool) ?
			    r.target : NULL;
	return NULL;
}

/* False for a chain without an end. */
static bool
follow(ns_msg *msg, struct dns_question *q, struct pool *pool)
{
	const char *next;
	int links;

	q->canonical = lower(pool, q->name);
	if (q->type == DNS_CNAME)
		return true;
	for (links = 0; links < ANSWER_CHAIN_MAX; links++) {
		next = alias_of(msg, q->canonical, pool);
		if (next == NULL)
			return true;
		q->canonical = next;
	}
	return false;
}

static void
collect(ns_msg *msg, struct dns_question *q, struct pool *pool)
{
	bool malformed = false;
	struct dns_record r;
	ns_rr rr;
	int i;

	for (i = 0; i < ns_msg_count(*msg, ns_s_an) &&
	    q->n < ANSWER_RECORDS_MAX; i++) {
		if (ns_parserr(msg, ns_s_an, i, &rr) != 0) {
			malformed = true;
			continue;
		}
		if (ns_rr_class(rr) != ns_c_in ||
		    ns_rr_type(rr) != (ns_type)q->type ||
		    strcasecmp(ns_rr_name(rr), q->canonical) != 0)
			continue;
		if (record(msg, &rr, q->type, &r, pool)) {
			q->records = pool_grow(pool, q->records, &q->n,
			    sizeof *q->records);
			q->records[q->n - 1] = r;
		} else {
			malformed = true;
		}
	}
	q->state = q->n > 0 ? DNS_FOUND : malformed ? DNS_GARBAGE :
	    DNS_NO_DATA;
}

static enum answer_again
garbage(struct dns_question *q)
{
	q->state = DNS_GARBAGE;
	q->authenticated = false;
	return ANSWER_IS_DONE;
}

static enum answer_again
understood(ns_msg *msg, struct dns_question *q, struct pool *pool)
{
	bool whole = follow(msg, q, pool);

	switch (ns_msg_getflag(*msg, ns_f_rcode)) {
	case ns_r_noerror:
		if (!whole)
			return garbage(q);
		collect(msg, q, pool);
		break;
	case ns_r_nxdomain:
		q->state = DNS_NO_NAME;
		break;
	case ns_r_servfail:
		q->state = DNS_SERVER_FAILED;
		break;
	default:
		q->state = DNS_REFUSED;
	}
	if (q->state > DNS_NO_NAME)
		q->authenticated = false;
	return ANSWER_IS_DONE;
}

/* Code and question are enough to know that another way is to be tried. */
static bool
knows_no_edns(ns_msg *msg)
{
	int code = ns_msg_getflag(*msg, ns_f_rcode);

	return code == ns_r_formerr || code == ns_r_notimpl;
}

enum answer_again
answer_parse(struct dns_question *q, const unsigned char *packet, size_t len,
    unsigned id, bool trusted, struct pool *pool)
{
	ns_msg msg;

	q->records = NULL;
	q->n = 0;
	q->authenticated = false;
	q->canonical = q->name;
	if (len < NS_HFIXEDSZ || len > NS_MAXMSG || ns_get16(packet) != id ||
	    (packet[2] & 0x80) == 0)
		return ANSWER_IS_FOREIGN;
	if ((packet[2] & 0x02) != 0)		/* TC: the rest may be cut */
		return ANSWER_BY_TCP;
	if (ns_initparse(packet, (int)len, &msg) != 0)
		return garbage(q);
	if (knows_no_edns(&msg))
		return ANSWER_WITHOUT_EDNS;
	if (!is_question(&msg, q))
		return ANSWER_IS_FOREIGN;
	q->authenticated = trusted && ns_msg_getflag(msg, ns_f_ad) != 0;
	return understood(&msg, q, pool);
}
