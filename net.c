#define _GNU_SOURCE			/* AI_IDN, EAI_NODATA */
#include "net.h"
#include "log.h"
#include "signals.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Connects within the deadline; the descriptor, or -1 with errno. */
static int
open_socket(const struct sockaddr *address, socklen_t len, int seconds)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0), error = 0;
	socklen_t size = sizeof error;
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int ready;

	if (fd < 0)
		return -1;
	if (connect(fd, address, len) == 0)
		return fd;
	if (errno == EINPROGRESS) {
		ready = signals_poll(&pfd, 1, clock_now() +
		    (milliseconds)seconds * 1000);
		if (ready == 0)
			errno = ETIMEDOUT;
		else if (ready > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR,
		    &error, &size) == 0 && error == 0)
			return fd;
		else if (ready > 0)
			errno = error;
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

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

static bool
connect_unix(const struct endpoint *e, const struct net_params *params,
    struct pool *pool, struct stream **stream, struct net_facts *facts,
    struct failure *why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	(void)strcpy(un.sun_path, e->path);
	fd = open_socket((const struct sockaddr *)&un, sizeof un,
	    params->timeout_connect);
	if (fd < 0)
		return fail_errno(why, FAILURE_CONNECT, "the server's socket "
		    "%s cannot be reached", e->path);
	*facts = (struct net_facts){ .host = e->path,
	    .address = pool_string(pool, e->path), .local = "localhost",
	    .is_unix = true };
	*stream = stream_new(fd, e->path);
	return true;
}

static bool
cannot_resolve(const struct endpoint *e, int error, struct failure *why)
{
	if (error == EAI_NONAME || error == EAI_NODATA)
		return fail(why, FAILURE_RESOLVE_NONE, "%s: there is no host "
		    "of this name (is the server in the configuration spelt "
		    "right?)", e->host);
	return fail(why, FAILURE_RESOLVE_TEMPORARY, "%s: the name cannot be "
	    "looked up now: %s", e->host, error == EAI_SYSTEM ?
	    strerror(errno) : gai_strerror(error));
}

static bool
connect_first(const struct addrinfo *list, const struct endpoint *e,
    const struct net_params *params, struct pool *pool,
    struct stream **stream, struct net_facts *facts, struct failure *why)
{
	const struct addrinfo *ai;
	const char *tried = "", *address;
	int fd, on = 1;

	for (ai = list; ai != NULL; ai = ai->ai_next) {
		address = numeric(ai->ai_addr, pool);
		log_detail("connecting to %s, port %s", address, e->port);
		fd = open_socket(ai->ai_addr, ai->ai_addrlen,
		    params->timeout_connect);
		if (fd < 0) {
			tried = pool_printf(pool, "%s%s%s: %s", tried,
			    *tried != '\0' ? "; " : "", address,
			    strerror(errno));
			if (signals_caught() != 0)
				break;
			continue;
		}
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		*facts = (struct net_facts){ .host = e->host,
		    .address = address, .local = literal(fd, pool),
		    .loopback = is_loopback(ai->ai_addr) };
		*stream = stream_new(fd, strcmp(e->host, address) == 0 ?
		    pool_printf(pool, "%s:%s", address, e->port) :
		    pool_printf(pool, "%s[%s]:%s", e->host, address, e->port));
		return true;
	}
	return fail(why, signals_caught() != 0 ? FAILURE_INTERRUPTED :
	    FAILURE_CONNECT, "%s:%s cannot be reached (%s)", e->host, e->port,
	    tried);
}

bool
net_connect(const struct endpoint *e, const struct net_params *params,
    struct pool *pool, struct stream **stream, struct net_facts *facts,
    struct failure *why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_family = params->family, .ai_flags = AI_IDN }, *list = NULL;
	bool ok;
	int error;

	*stream = NULL;
	*facts = (struct net_facts){ .host = e->host };
	if (e->path != NULL)
		return connect_unix(e, params, pool, stream, facts, why);
	error = getaddrinfo(e->host, e->port, &hints, &list);
	if (error != 0)
		return cannot_resolve(e, error, why);
	ok = connect_first(list, e, params, pool, stream, facts, why);
	freeaddrinfo(list);
	return ok;
}
