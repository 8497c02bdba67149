#include "net.h"
#include "log.h"
#include "signals.h"
#include "socks.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {					/* milliseconds */
	ATTEMPT_DELAY = 250,		/* RFC 8305 section 8 */
	UNIX_DELAY = 50
};

struct attempt {
	const struct address *address;
	int fd;				/* -1: over */
	milliseconds deadline;
};

struct race {
	const struct endpoint *endpoint;
	const struct place *place;
	const struct net_params *params;
	struct pool *pool;
	struct attempt attempts[ADDRESSES_MAX];
	size_t begun;
	milliseconds next;		/* when the next one begins */
	const struct attempt *winner;
	const char *reasons;
	int error;			/* the last of them */
};

static const char *
numeric(const struct sockaddr *address, struct pool *pool)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)
		    (const void *)address)->sin_addr, text, sizeof text);
	else if (address->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)
		    (const void *)address)->sin6_addr, text, sizeof text);
	return pool_string(pool, text);
}

const char *
net_numeric(const struct address *a, struct pool *pool)
{
	return numeric((const struct sockaddr *)&a->address, pool);
}

static bool
is_loopback(const struct sockaddr *address)
{
	const struct in6_addr *six;

	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)
		    address)->sin_addr.s_addr) >> 24 == 127;
	six = &((const struct sockaddr_in6 *)(const void *)
	    address)->sin6_addr;
	return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(six);
}

/* RFC 5321 section 4.1.3: what EHLO says when there is no name. */
static const char *
literal(int fd, struct pool *pool)
{
	struct sockaddr_storage local = { 0 };
	socklen_t len = sizeof local;
	const struct sockaddr *address = (const void *)&local;

	if (getsockname(fd, (struct sockaddr *)&local, &len) != 0)
		return "[127.0.0.1]";
	return pool_printf(pool, address->sa_family == AF_INET6 ?
	    "[IPv6:%s]" : "[%s]", numeric(address, pool));
}

/* The source's family, with any port; 0: it is of another one. */
static socklen_t
source_address(const char *source, int family, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (void *)out;
	struct sockaddr_in6 *six = (void *)out;

	*out = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	if (family == AF_INET &&
	    inet_pton(AF_INET, source, &four->sin_addr) == 1)
		return sizeof *four;
	if (family == AF_INET6 &&
	    inet_pton(AF_INET6, source, &six->sin6_addr) == 1)
		return sizeof *six;
	return 0;
}

static bool
bind_source(int fd, int family, const char *source)
{
	struct sockaddr_storage from;
	socklen_t len;

	if (source == NULL)
		return true;
	len = source_address(source, family, &from);
	errno = EAFNOSUPPORT;
	return len > 0 && bind(fd, (struct sockaddr *)&from, len) == 0;
}

/* A descriptor that is connecting or has; -1 with errno. */
static int
begin_connect(const struct sockaddr *address, socklen_t len,
    const char *source)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0), error;

	if (fd < 0)
		return -1;
	if (bind_source(fd, address->sa_family, source) &&
	    (connect(fd, address, len) == 0 || errno == EINPROGRESS))
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static const struct sockaddr *
sockaddr_of(const struct address *a)
{
	return (const struct sockaddr *)&a->address;
}

/* One attempt is over; the next need not wait. */
static void
lost(struct race *r, struct attempt *a, int error)
{
	r->reasons = pool_printf(r->pool, "%s%s%s: %s", r->reasons,
	    *r->reasons != '\0' ? "; " : "",
	    numeric(sockaddr_of(a->address), r->pool), strerror(error));
	if (a->fd >= 0)
		(void)close(a->fd);
	a->fd = -1;
	r->error = error;
	r->next = clock_now();
}

static void
begin(struct race *r)
{
	struct attempt *a = &r->attempts[r->begun];

	a->address = &r->place->addresses[r->begun++];
	log_detail("connecting to %s, port %s",
	    numeric(sockaddr_of(a->address), r->pool),
	    r->params->proxy != NULL ? r->params->proxy->port :
	    r->endpoint->port);
	a->deadline = clock_now() +
	    (milliseconds)r->params->timeout_connect * 1000;
	r->next = clock_now() + ATTEMPT_DELAY;
	a->fd = begin_connect(sockaddr_of(a->address), a->address->len,
	    r->params->source);
	if (a->fd < 0)
		lost(r, a, errno);
}

/* When something has to be done though no socket stirs; -1: all is over. */
static milliseconds
soonest(const struct race *r)
{
	milliseconds when = r->begun < r->place->n ? r->next : -1;
	size_t i;

	for (i = 0; i < r->begun; i++)
		if (r->attempts[i].fd >= 0 &&
		    (when < 0 || r->attempts[i].deadline < when))
			when = r->attempts[i].deadline;
	return when;
}

static void
look_at(struct race *r, struct attempt *a, bool ready)
{
	int error = 0;
	socklen_t size = sizeof error;

	if (a->fd < 0)
		return;
	if (ready) {
		if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error,
		    &size) != 0)
			error = errno;
		if (error == 0)
			r->winner = a;
		else
			lost(r, a, error);
	} else if (clock_now() >= a->deadline) {
		lost(r, a, ETIMEDOUT);
	}
}

static bool
await(struct race *r)
{
	struct pollfd pfds[ADDRESSES_MAX];
	size_t i;

	for (i = 0; i < r->begun; i++)
		pfds[i] = (struct pollfd){ .fd = r->attempts[i].fd,
		    .events = POLLOUT };
	if (signals_poll(pfds, (nfds_t)r->begun, soonest(r)) < 0)
		return false;
	for (i = 0; i < r->begun && r->winner == NULL; i++)
		look_at(r, &r->attempts[i], pfds[i].revents != 0);
	return true;
}

/* The winner's descriptor stays open, those of the others do not. */
static void
close_losers(struct race *r)
{
	size_t i;

	for (i = 0; i < r->begun; i++)
		if (&r->attempts[i] != r->winner && r->attempts[i].fd >= 0)
			(void)close(r->attempts[i].fd);
}

/* What the last of them may mean. */
static const char *
hint(int error, bool proxied)
{
	switch (error) {
	case ECONNREFUSED:
		return proxied ? "; does it run, and at this port?" : "; does "
		    "the server run, and is the port right? (465 is for "
		    "smtps://, 587 for smtp://)";
	case ETIMEDOUT:
		return "; is a firewall in between, or the port another?";
	case ENETUNREACH:
	case EHOSTUNREACH:
		return "; is this machine online? (-4 and -6 choose the family)";
	default:
		return "";
	}
}

static bool
run_race(struct race *r, struct failure *why)
{
	const struct proxy *proxy = r->params->proxy;
	bool ok = true;

	while (ok && r->winner == NULL && soonest(r) >= 0) {
		if (r->begun < r->place->n && clock_now() >= r->next)
			begin(r);
		else
			ok = await(r);
	}
	close_losers(r);
	if (r->winner != NULL)
		return true;
	(void)fail(why, !ok ? FAILURE_INTERRUPTED : FAILURE_CONNECT,
	    "%s%s cannot be reached (%s)", proxy != NULL ? "the proxy " : "",
	    url_host_port(proxy != NULL ? proxy->host : r->endpoint->host,
	    proxy != NULL ? proxy->port : r->endpoint->port, r->pool),
	    ok ? r->reasons : "ended by a signal");
	if (ok)
		fail_more(why, hint(r->error, proxy != NULL));
	return false;
}

/* A proxy knows names in ASCII alone. */
static bool
through_proxy(const struct race *r, struct failure *why)
{
	const struct net_params *p = r->params;
	const struct socks_params socks = { p->proxy, p->proxy_password,
	    p->proxy_password_len, clock_now() +
	    (milliseconds)p->timeout_connect * 1000 };
	struct endpoint e = *r->endpoint;
	const char *ascii;

	if (p->proxy == NULL)
		return true;
	assert(r->winner != NULL);
	ascii = url_is_address(e.host) ? NULL : url_ascii(e.host, r->pool);
	if (ascii != NULL)
		e.host = ascii;
	if (socks_connect(r->winner->fd, &socks, &e, why))
		return true;
	(void)close(r->winner->fd);
	return false;
}

static const char *
peer_text(const struct race *r, const char *address)
{
	const struct endpoint *e = r->endpoint;
	const char *server = url_host_port(e->host, e->port, r->pool);

	if (r->params->proxy != NULL)
		return pool_printf(r->pool, "%s (by the proxy %s)", server,
		    address);
	if (strcmp(e->host, address) == 0)
		return server;
	return pool_printf(r->pool, "%s[%s]:%s", e->host, address, e->port);
}

/*
 * Such a socket answers at once, or it has too many waiting (EAGAIN), which
 * no descriptor tells the end of.
 */
static int
open_unix(const char *path, milliseconds deadline)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	(void)strcpy(un.sun_path, path);
	for (;;) {
		fd = begin_connect((const struct sockaddr *)&un, sizeof un,
		    NULL);
		if (fd >= 0 || errno != EAGAIN || clock_now() >= deadline)
			return fd;
		if (signals_poll(NULL, 0, clock_now() + UNIX_DELAY) < 0)
			return -1;
	}
}

static bool
connect_unix(const struct endpoint *e, const struct net_params *params,
    struct pool *pool, struct stream **stream, struct net_facts *facts,
    struct failure *why)
{
	int fd = open_unix(e->path, clock_now() +
	    (milliseconds)params->timeout_connect * 1000);

	if (fd < 0) {
		(void)fail_errno(why, signals_caught() != 0 ?
		    FAILURE_INTERRUPTED : FAILURE_CONNECT, "the server's "
		    "socket %s cannot be reached", e->path);
		fail_more(why, "; does the server run?");
		return false;
	}
	*facts = (struct net_facts){ .host = e->path,
	    .address = pool_string(pool, e->path), .local = "localhost",
	    .is_unix = true };
	*stream = stream_new(fd, e->path);
	return true;
}

bool
net_connect(const struct endpoint *e, const struct place *place,
    const struct net_params *params, struct pool *pool,
    struct stream **stream, struct net_facts *facts, struct failure *why)
{
	struct race r = { .endpoint = e, .place = place, .params = params,
	    .pool = pool, .reasons = "", .next = clock_now() };
	const struct sockaddr *address;
	int on = 1;

	*stream = NULL;
	*facts = (struct net_facts){ .host = e->host };
	if (e->path != NULL)
		return connect_unix(e, params, pool, stream, facts, why);
	if (!run_race(&r, why) || !through_proxy(&r, why))
		return false;
	assert(r.winner != NULL);
	address = sockaddr_of(r.winner->address);
	(void)setsockopt(r.winner->fd, IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof on);
	*facts = (struct net_facts){ .host = e->host,
	    .address = numeric(address, pool),
	    .local = literal(r.winner->fd, pool),
	    .loopback = params->proxy == NULL && is_loopback(address) };
	*stream = stream_new(r.winner->fd, peer_text(&r, facts->address));
	return true;
}
