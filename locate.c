#define _GNU_SOURCE			/* EAI_NODATA */
#include "locate.h"
#include "log.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct search {
	struct dns *dns;
	const struct endpoint *endpoint;
	const struct locate_params *params;
	struct pool *pool;
	struct place *place;
	bool wants_dane;
	struct dns_question questions[3];
	size_t n;
	const struct dns_question *four, *six, *tlsa;	/* NULL: not asked */
};

static in_port_t
port_of(const struct endpoint *e)
{
	return htons((in_port_t)atoi(e->port));
}

static void
add(struct place *place, const void *address, size_t len)
{
	if (place->n == ADDRESSES_MAX)
		return;
	memcpy(&place->addresses[place->n].address, address, len);
	place->addresses[place->n++].len = (socklen_t)len;
}

static void
add_record(struct search *s, const struct dns_record *r)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
	    .sin_port = port_of(s->endpoint) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
	    .sin6_port = port_of(s->endpoint) };

	if (r->len == sizeof four.sin_addr) {
		memcpy(&four.sin_addr, r->data, r->len);
		add(s->place, &four, sizeof four);
	} else {
		memcpy(&six.sin6_addr, r->data, r->len);
		add(s->place, &six, sizeof six);
	}
}

/* RFC 8305 section 4: families by turns, IPv6 first. */
static void
take_addresses(struct search *s)
{
	size_t i, n4 = s->four != NULL ? s->four->n : 0,
	    n6 = s->six != NULL ? s->six->n : 0;

	for (i = 0; i < n4 || i < n6; i++) {
		if (i < n6)
			add_record(s, &s->six->records[i]);
		if (i < n4)
			add_record(s, &s->four->records[i]);
	}
}

static bool
cannot_resolve(const struct search *s, int error, struct failure *why)
{
	const char *host = s->endpoint->host;

	if (error == EAI_NONAME || error == EAI_NODATA)
		return fail(why, FAILURE_RESOLVE_NONE, "%s: there is no host "
		    "of this name (is the server in the configuration spelt "
		    "right?)", host);
	if (error == EAI_ADDRFAMILY)
		return fail(why, FAILURE_RESOLVE_NONE, "%s: it has no address "
		    "of the family that is asked for (-4 or -6)", host);
	return fail(why, FAILURE_RESOLVE_TEMPORARY, "%s: the name cannot be "
	    "looked up now: %s", host, error == EAI_SYSTEM ? strerror(errno) :
	    gai_strerror(error));
}

static void
take_family(struct place *place, const struct addrinfo *list, int family,
    size_t nth)
{
	for (; list != NULL; list = list->ai_next)
		if (list->ai_family == family && nth-- == 0) {
			add(place, list->ai_addr, list->ai_addrlen);
			return;
		}
}

/* The resolver of the system has sorted them (RFC 6724). */
static bool
ask_system(struct search *s, struct failure *why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_family = s->params->family }, *list = NULL;
	int error = getaddrinfo(s->place->name, s->endpoint->port, &hints,
	    &list), first;
	size_t i;

	if (error != 0)
		return cannot_resolve(s, error, why);
	first = list->ai_family;
	for (i = 0; i < ADDRESSES_MAX; i++) {
		take_family(s->place, list, first, i);
		take_family(s->place, list, first == AF_INET ? AF_INET6 :
		    AF_INET, i);
	}
	freeaddrinfo(list);
	return s->place->n > 0 || cannot_resolve(s, EAI_NONAME, why);
}

static bool
line_names(char *line, const char *name)
{
	char *word, *rest = NULL;

	line[strcspn(line, "#\n")] = '\0';
	word = strtok_r(line, " \t\r", &rest);
	while (word != NULL && (word = strtok_r(NULL, " \t\r", &rest)) != NULL)
		if (strcasecmp(word, name) == 0)
			return true;
	return false;
}

static bool
is_in_hosts(const char *name)
{
	FILE *f = fopen("/etc/hosts", "re");
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	while (f != NULL && !found && getline(&line, &room, f) > 0)
		found = line_names(line, name);
	free(line);
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* Has the DNS anything to do with such names (RFC 6761, RFC 6762)? */
static bool
is_local_name(const char *name)
{
	size_t n = strlen(name);

	return strchr(name, '.') == NULL ||
	    (n > 6 && strcmp(name + n - 6, ".local") == 0) ||
	    (n > 10 && strcmp(name + n - 10, ".localhost") == 0);
}

static struct dns_question *
question(struct search *s, enum dns_type type, const char *name)
{
	struct dns_question *q = &s->questions[s->n++];

	*q = (struct dns_question){ .name = name, .type = type,
	    .dependent = type == DNS_TLSA };
	return q;
}

static const char *
tlsa_name(const struct search *s, const char *base)
{
	return pool_printf(s->pool, "_%s._tcp.%s", s->endpoint->port, base);
}

static bool
cannot_be_had(const struct search *s, const char *what,
    const struct dns_question *q, struct failure *why)
{
	s->place->dane.absent = "dnssec-invalid";
	if (s->params->dane == DANE_TELL)
		return true;
	(void)fail(why, FAILURE_RESOLVE_TEMPORARY, "the %s of %s cannot be had "
	    "(%s), and without it the server cannot be told from another; "
	    "\"dane off\" does without", what, q->name,
	    dns_state_text(q->state));
	why->tls_result = "dnssec-invalid";
	return false;
}

static bool
take_tlsa(struct search *s, const struct dns_question *q, const char *base,
    struct failure *why)
{
	if (dns_is_temporary(q->state))
		return cannot_be_had(s, "TLSA record", q, why);
	if (q->state != DNS_FOUND || !q->authenticated)
		return true;
	dane_make(&s->place->dane, q, s->endpoint->domain != NULL, s->pool);
	s->place->base = base;
	if (s->place->dane.n == 0 && s->params->dane != DANE_TELL)
		log_note(LEVEL_WARNING, "no TLSA record of %s is of a kind "
		    "that counts; the certificate is verified without",
		    q->name);
	return true;
}

static bool
ask_tlsa(struct search *s, const char *base, struct failure *why)
{
	struct dns_question q = { .name = tlsa_name(s, base),
	    .type = DNS_TLSA };

	return dns_ask(s->dns, &q, 1, s->pool, why) &&
	    take_tlsa(s, &q, base, why);
}

static const struct dns_question *
found_one(const struct search *s)
{
	if (s->six != NULL && s->six->state == DNS_FOUND)
		return s->six;
	return s->four != NULL && s->four->state == DNS_FOUND ? s->four : NULL;
}

/* All addresses that will be tried must be. */
static bool
are_authenticated(const struct search *s)
{
	return (s->four == NULL || s->four->state != DNS_FOUND ||
	    s->four->authenticated) && (s->six == NULL ||
	    s->six->state != DNS_FOUND || s->six->authenticated);
}

/* The end of an authenticated chain of aliases comes before the name itself. */
static bool
tlsa_of_end(struct search *s, const char *end, struct failure *why)
{
	return ask_tlsa(s, end, why) && (s->place->dane.owner != NULL ||
	    take_tlsa(s, s->tlsa, s->place->name, why));
}

/*
 * RFC 7672 section 2.2.2: the name counts also when only its own alias is
 * authenticated.  Who hides that could hide the TLSA records.
 */
static bool
tlsa_of_alias(struct search *s, struct failure *why)
{
	struct dns_question alias = { .name = s->place->name,
	    .type = DNS_CNAME };

	if (!dns_ask(s->dns, &alias, 1, s->pool, why))
		return false;
	if (dns_is_temporary(alias.state))
		return cannot_be_had(s, "alias", &alias, why);
	return alias.state != DNS_FOUND || !alias.authenticated ||
	    ask_tlsa(s, s->place->name, why);
}

static bool
find_dane(struct search *s, struct failure *why)
{
	const struct dns_question *q = found_one(s);

	if (!s->wants_dane || q == NULL)
		return true;
	if (strcmp(q->canonical, s->place->name) == 0)
		return !are_authenticated(s) ||
		    take_tlsa(s, s->tlsa, s->place->name, why);
	return are_authenticated(s) ? tlsa_of_end(s, q->canonical, why) :
	    tlsa_of_alias(s, why);
}

static bool
no_address(const struct search *s, struct failure *why)
{
	const struct dns_question *q = s->six == NULL ||
	    (s->four != NULL && s->four->state >= s->six->state) ? s->four :
	    s->six;

	assert(q != NULL);
	(void)fail(why, FAILURE_RESOLVE_TEMPORARY, "%s: the name cannot be "
	    "looked up now: %s", s->endpoint->host, dns_state_text(q->state));
	if (q->state == DNS_SERVER_FAILED)
		why->tls_result = "dnssec-invalid";
	dns_name_resolver(s->dns, q, why);
	return false;
}

/* Is nothing to be hoped for from the DNS, but perhaps from elsewhere? */
static bool
is_unknown_to_dns(const struct search *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->questions[i].type != DNS_TLSA &&
		    s->questions[i].state != DNS_NO_NAME &&
		    s->questions[i].state != DNS_NO_DATA &&
		    s->questions[i].state != DNS_NO_SERVER)
			return false;
	return true;
}

static bool
ask_dns(struct search *s, struct failure *why)
{
	if (s->params->family != AF_INET)
		s->six = question(s, DNS_AAAA, s->place->name);
	if (s->params->family != AF_INET6)
		s->four = question(s, DNS_A, s->place->name);
	if (s->wants_dane) {
		s->tlsa = question(s, DNS_TLSA,
		    tlsa_name(s, s->place->name));
		s->place->dane.absent = "none";
	}
	if (!dns_ask(s->dns, s->questions, s->n, s->pool, why))
		return false;
	take_addresses(s);
	if (s->place->n == 0)
		return is_unknown_to_dns(s) ? ask_system(s, why) :
		    no_address(s, why);
	return find_dane(s, why);
}

/*
 * What the administrator has written down needs no proof, nor does it need a
 * resolver.
 */
static bool
from_hosts(struct search *s, struct failure *why)
{
	struct dns_question q = { .name = tlsa_name(s, s->place->name),
	    .type = DNS_TLSA };

	if (!ask_system(s, why))
		return false;
	if (!s->wants_dane)
		return true;
	s->place->dane.absent = "none";
	return dns_ask(s->dns, &q, 1, s->pool, why) &&
	    (q.state == DNS_NO_SERVER ||
	    take_tlsa(s, &q, s->place->name, why));
}

static bool
required(const struct search *s, struct failure *why)
{
	if (s->params->dane < DANE_REQUIRE || s->place->dane.n > 0)
		return true;
	(void)fail(why, FAILURE_TLS_UNTRUSTED, "%s: \"dane %s\", but %s",
	    s->endpoint->host, s->params->dane == DANE_BOTH ? "both" :
	    "require", s->place->dane.owner != NULL ?
	    "none of its TLSA records is of a kind that counts" :
	    !dns_is_trusted(s->dns) ? "no resolver here may be trusted with "
	    "DNSSEC (name one with \"resolver\", or write \"options trust-ad\" "
	    "into resolv.conf)" : s->endpoint->domain != NULL &&
	    !s->endpoint->authentic ? "the SRV record that names it is not "
	    "authenticated by DNSSEC" : "the DNS has no authenticated TLSA "
	    "records for it; without them \"dane auto\" does");
	why->tls_result = s->place->dane.owner != NULL ? "tlsa-invalid" :
	    "dane-required";
	return false;
}

static bool
by_name(struct search *s, struct failure *why)
{
	if (is_local_name(s->place->name))
		return ask_system(s, why);
	if (is_in_hosts(s->place->name))
		return from_hosts(s, why);
	return ask_dns(s, why);
}

bool
locate(struct dns *dns, const struct endpoint *e,
    const struct locate_params *params, struct pool *pool,
    struct place *place, struct failure *why)
{
	struct search s = { .dns = dns, .endpoint = e, .params = params,
	    .pool = pool, .place = place };
	bool ok;

	*place = (struct place){ .n = 0 };
	place->name = url_is_address(e->host) ? e->host :
	    url_ascii(e->host, pool);
	if (place->name == NULL)
		return cannot_resolve(&s, EAI_NONAME, why);
	place->base = place->name;
	s.wants_dane = params->dane != DANE_OFF && dns_is_trusted(dns) &&
	    (e->domain == NULL || e->authentic);
	ok = url_is_address(e->host) ? ask_system(&s, why) : by_name(&s, why);
	return ok && required(&s, why);
}
