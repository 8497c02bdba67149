#include "socks.h"
#include "buffer.h"
#include "log.h"
#include "signals.h"
#include "vault.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	VERSION_5 = 5, LOGIN_VERSION = 1, CONNECT = 1,
	METHOD_NONE = 0, METHOD_PASSWORD = 2, METHOD_REFUSED = 0xff,
	TO_IPV4 = 1, TO_NAME = 3, TO_IPV6 = 4,
	TEXT_MAX = 255,
	REPLY_HEAD = 4
};

struct socks {
	int fd;
	const struct endpoint *endpoint;
	const struct socks_params *params;
};

static bool
proxy_fail(const struct socks *s, struct failure *why, enum failure_kind kind,
    const char *text)
{
	const struct proxy *proxy = s->params->proxy;
	struct pool *pool = pool_new();

	(void)fail(why, kind, "%s: the proxy %s %s", url_host_port(
	    s->endpoint->host, s->endpoint->port, pool), url_host_port(
	    proxy->host, proxy->port, pool), text);
	pool_free(pool);
	return false;
}

static bool
wait_for(const struct socks *s, short events, struct failure *why)
{
	struct pollfd pfd = { .fd = s->fd, .events = events };
	int ready = signals_poll(&pfd, 1, s->params->deadline);

	if (ready > 0)
		return true;
	return ready == 0 ? proxy_fail(s, why, FAILURE_CONNECT,
	    "does not answer in time") :
	    proxy_fail(s, why, FAILURE_INTERRUPTED, "was not waited for: "
	    "ended by a signal");
}

/* Says all of them, or hears just as many: what follows is the server's. */
static bool
move(const struct socks *s, unsigned char *p, size_t len, bool say,
    struct failure *why)
{
	ssize_t n;

	while (len > 0) {
		if (!wait_for(s, say ? POLLOUT : POLLIN, why))
			return false;
		n = say ? send(s->fd, p, len, MSG_NOSIGNAL) :
		    recv(s->fd, p, len, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return proxy_fail(s, why, FAILURE_CONNECT,
			    "has cut the connection");
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool
say(const struct socks *s, unsigned char *p, size_t len, struct failure *why)
{
	return move(s, p, len, true, why);
}

static bool
hear(const struct socks *s, unsigned char *p, size_t len,
    struct failure *why)
{
	return move(s, p, len, false, why);
}

/* RFC 1929. */
static bool
login(const struct socks *s, struct failure *why)
{
	const struct socks_params *p = s->params;
	struct buffer request = BUFFER_SECRET;
	size_t user = strlen(p->proxy->user);
	unsigned char reply[2];
	bool ok;

	if (user > TEXT_MAX || p->password_len > TEXT_MAX)
		return proxy_fail(s, why, FAILURE_CONFIG, "takes user names "
		    "and passwords of at most 255 octets");
	buffer_put(&request, &(char){ LOGIN_VERSION }, 1);
	buffer_put(&request, &(char){ (char)user }, 1);
	buffer_put(&request, p->proxy->user, user);
	/* cppcheck-suppress internalAstError; it cannot read the literal */
	buffer_put(&request, &(char){ (char)p->password_len }, 1);
	buffer_put(&request, p->password, p->password_len);
	ok = say(s, (unsigned char *)buffer_data(&request),
	    buffer_len(&request), why);
	buffer_wipe(&request);
	vault_sweep();
	ok = ok && hear(s, reply, sizeof reply, why);
	return ok && (reply[1] == 0 || proxy_fail(s, why, FAILURE_AUTH,
	    "refuses the login (are its user and its password in ~/.netrc "
	    "right?)"));
}

static bool
greet(const struct socks *s, struct failure *why)
{
	bool has_user = s->params->proxy->user != NULL;
	unsigned char request[] = { VERSION_5, has_user ? 2 : 1,
	    METHOD_NONE, METHOD_PASSWORD };
	unsigned char reply[2];

	if (!say(s, request, has_user ? 4 : 3, why) ||
	    !hear(s, reply, sizeof reply, why))
		return false;
	if (reply[0] != VERSION_5)
		return proxy_fail(s, why, FAILURE_PROTOCOL, "does not speak "
		    "SOCKS5");
	if (reply[1] == METHOD_NONE)
		return true;
	if (reply[1] == METHOD_PASSWORD && has_user)
		return login(s, why);
	return proxy_fail(s, why, FAILURE_CONFIG, has_user ? "takes no login "
	    "by user name and password" : "wants a login; write "
	    "socks5://user@host and its password into ~/.netrc");
}

static size_t
put_address(unsigned char *p, const char *host)
{
	size_t n = strlen(host);

	if (inet_pton(AF_INET, host, p + 1) == 1) {
		p[0] = TO_IPV4;
		return 1 + sizeof(struct in_addr);
	}
	if (inet_pton(AF_INET6, host, p + 1) == 1) {
		p[0] = TO_IPV6;
		return 1 + sizeof(struct in6_addr);
	}
	p[0] = TO_NAME;
	p[1] = (unsigned char)n;
	memcpy(p + 2, host, n);
	return 2 + n;
}

static const char *
reply_text(unsigned code)
{
	static const char *const texts[] = {
		NULL, "cannot connect and does not say why",
		"does not allow this connection",
		"says that the network is unreachable",
		"says that the server is unreachable or its name unknown",
		"says that the server refuses the connection",
		"says that the server does not answer in time",
		"does not know how to connect", "does not know such addresses",
	};

	return code < sizeof texts / sizeof *texts ? texts[code] :
	    "has failed for a reason of its own";
}

/* The address that it has bound is of no interest, but has to be taken. */
static bool
take_bound(const struct socks *s, unsigned type, struct failure *why)
{
	unsigned char octets[TEXT_MAX + 2];
	size_t len = type == TO_IPV4 ? 4 : type == TO_IPV6 ? 16 : 0;

	if (type == TO_NAME) {
		if (!hear(s, octets, 1, why))
			return false;
		len = octets[0];
	} else if (len == 0) {
		return proxy_fail(s, why, FAILURE_PROTOCOL, "makes no sense");
	}
	return hear(s, octets, len + 2, why);
}

static bool
ask(const struct socks *s, struct failure *why)
{
	const struct endpoint *e = s->endpoint;
	unsigned char p[3 + 2 + TEXT_MAX + 2] = { VERSION_5, CONNECT, 0 };
	unsigned char reply[REPLY_HEAD];
	unsigned port = (unsigned)atoi(e->port);
	size_t n = 3;

	if (strlen(e->host) > TEXT_MAX)
		return proxy_fail(s, why, FAILURE_CONFIG, "takes names of at "
		    "most 255 octets");
	n += put_address(p + n, e->host);
	p[n++] = (unsigned char)(port >> 8);
	p[n++] = (unsigned char)port;
	if (!say(s, p, n, why) || !hear(s, reply, sizeof reply, why))
		return false;
	if (reply[0] != VERSION_5)
		return proxy_fail(s, why, FAILURE_PROTOCOL, "makes no sense");
	if (reply[1] != 0)
		return proxy_fail(s, why, FAILURE_CONNECT,
		    reply_text(reply[1]));
	return take_bound(s, reply[3], why);
}

bool
socks_connect(int fd, const struct socks_params *params,
    const struct endpoint *e, struct failure *why)
{
	const struct socks s = { fd, e, params };

	log_detail("asking the proxy to connect to %s, port %s", e->host,
	    e->port);
	return greet(&s, why) && ask(&s, why);
}
