#include "resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

enum {
	SECONDS_MIN = 5, SECONDS_NAMED = 10, SECONDS_MAX = 30,
	PORT_DNS = 53
};

/* 0: it is none. */
static long
port_number(const char *port)
{
	char *end;
	long number;

	if (port == NULL)
		return PORT_DNS;
	number = strtol(port, &end, 10);
	return *end == '\0' && strspn(port, "0123456789") > 0 ? number : 0;
}

static bool
server_at(const char *text, size_t len, const char *port,
    struct resolver_server *s)
{
	struct sockaddr_in *four = (void *)&s->address;
	struct sockaddr_in6 *six = (void *)&s->address;
	char address[INET6_ADDRSTRLEN];
	long number = port_number(port);

	*s = (struct resolver_server){ 0 };
	if (len >= sizeof address || number < 1 || number > 65535)
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((in_port_t)number);
		s->len = sizeof *four;
	} else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((in_port_t)number);
		s->len = sizeof *six;
	}
	return s->len > 0;
}

/* "address", "address:port", "[address]", "[address]:port". */
static bool
parse_resolver(const char *text, struct resolver_server *s)
{
	const char *end = strchr(text, ']'), *colon = strchr(text, ':');

	if (*text == '[')
		return end != NULL && (end[1] == '\0' || end[1] == ':') &&
		    server_at(text + 1, (size_t)(end - text) - 1,
		    end[1] == ':' ? end + 2 : NULL, s);
	if (colon == NULL || strchr(colon + 1, ':') != NULL)
		return server_at(text, strlen(text), NULL, s);
	return server_at(text, (size_t)(colon - text), colon + 1, s);
}

static bool
is_loopback(const struct resolver_server *s)
{
	const struct sockaddr_in *four = (const void *)&s->address;
	const struct sockaddr_in6 *six = (const void *)&s->address;

	if (s->address.ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* IPv6 servers stand in an extension of the resolver's state. */
static bool
server_of(struct __res_state *res, int i, struct resolver_server *s)
{
	const struct sockaddr_in *four = &res->nsaddr_list[i];
	const struct sockaddr_in6 *six = res->_u._ext.nsaddrs[i];

	*s = (struct resolver_server){ 0 };
	if (four->sin_family == AF_INET) {
		memcpy(&s->address, four, sizeof *four);
		s->len = sizeof *four;
	} else if (six != NULL && six->sin6_family == AF_INET6) {
		memcpy(&s->address, six, sizeof *six);
		s->len = sizeof *six;
	}
	return s->len > 0;
}

static void
of_system(struct resolver *r)
{
	struct __res_state res = { 0 };
	bool loopback = true;
	int i;

	r->seconds = SECONDS_MIN;
	if (res_ninit(&res) != 0)
		return;
	for (i = 0; i < res.nscount && r->n < RESOLVER_SERVERS_MAX; i++) {
		if (!server_of(&res, i, &r->servers[r->n]))
			continue;
		loopback = loopback && is_loopback(&r->servers[r->n]);
		r->n++;
	}
	r->trusted = r->n > 0 && (loopback ||
	    (res.options & RES_TRUSTAD) != 0);
	r->seconds = res.retrans * res.retry;
	if (r->seconds < SECONDS_MIN)
		r->seconds = SECONDS_MIN;
	if (r->seconds > SECONDS_MAX)
		r->seconds = SECONDS_MAX;
	res_nclose(&res);
}

void
resolver_find(struct resolver *r, const char *named)
{
	*r = (struct resolver){ .seconds = SECONDS_NAMED };
	if (named == NULL) {
		of_system(r);
	} else if (parse_resolver(named, &r->servers[0])) {
		r->n = 1;
		r->trusted = true;
	}
}

bool
resolver_check(const char *resolver, struct failure *why)
{
	struct resolver_server s;

	if (parse_resolver(resolver, &s))
		return true;
	return fail(why, FAILURE_CONFIG, "\"%s\" is no resolver's address, as "
	    "in 127.0.0.1, 192.0.2.1:5353 or [2001:db8::1]:53", resolver);
}
