#define _GNU_SOURCE			/* strcasestr */
#include "url.h"
#include "idn.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

static const struct {
	const char *scheme;
	enum security security;
	const char *port;
} schemes[] = {
	{ "smtps://",			SECURITY_IMPLICIT,	"465" },
	{ "smtp://",			SECURITY_STARTTLS,	"587" },
	{ "smtp+opportunistic://",	SECURITY_OPPORTUNISTIC,	"587" },
	{ "smtp+plain://",		SECURITY_NONE,		"587" },
	{ "lmtp://",			SECURITY_STARTTLS,	"24" },
};

bool
url_is_address(const char *host)
{
	unsigned char octets[16];

	return inet_pton(AF_INET, host, octets) == 1 ||
	    inet_pton(AF_INET6, host, octets) == 1;
}

bool
url_is_verified(const struct endpoint *e)
{
	return e->security == SECURITY_IMPLICIT ||
	    e->security == SECURITY_STARTTLS;
}

/* Letters, digits, hyphens, underscores and dots, or UTF-8; no empty label. */
static bool
is_host(const char *host)
{
	const unsigned char *p = (const unsigned char *)host;

	if (*p == '\0' || *p == '.' || *p == '-' || strlen(host) > 253)
		return false;
	for (; *p != '\0'; p++)
		if ((!isalnum(*p) && strchr("-_.", *p) == NULL && *p < 0x80) ||
		    (*p == '.' && p[1] == '.'))
			return false;
	return true;
}

static bool
port_parse(const char *text, const char *port, struct endpoint *e,
    struct pool *pool, struct failure *why)
{
	size_t n = strspn(port, "0123456789");

	if (n == 0 || n > 5 || port[n] != '\0' || atoi(port) < 1 ||
	    atoi(port) > 65535)
		return fail(why, FAILURE_CONFIG, "the port of \"%s\" is no "
		    "number from 1 to 65535", text);
	e->port = pool_printf(pool, "%d", atoi(port));
	return true;
}

/*
 * "host", "host:port", "[address]", "[address]:port", "address"; a "/" may
 * end it.
 */
static bool
host_parse(const char *text, const char *rest, struct endpoint *e,
    struct pool *pool, struct failure *why)
{
	size_t n = strlen(rest);
	const char *end, *port = NULL;
	bool bracket = *rest == '[';

	if (n > 0 && rest[n - 1] == '/')
		rest = pool_octets(pool, rest, n - 1);
	if (bracket) {
		end = strchr(++rest, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return fail(why, FAILURE_CONFIG, "\"%s\" lacks its "
			    "\"]\"", text);
		port = end[1] == ':' ? end + 2 : NULL;
	} else if (url_is_address(rest)) {
		end = rest + strlen(rest);
	} else {
		end = rest + strcspn(rest, ":");
		port = *end == ':' ? end + 1 : NULL;
	}
	e->host = pool_octets(pool, rest, (size_t)(end - rest));
	if (bracket ? !url_is_address(e->host) :
	    !is_host(e->host) && !url_is_address(e->host))
		return fail(why, FAILURE_CONFIG, "\"%s\" of \"%s\" is no host "
		    "name or address", e->host, text);
	return port == NULL || port_parse(text, port, e, pool, why);
}

static bool
path_parse(const char *text, const char *path, struct endpoint *e,
    struct pool *pool, struct failure *why)
{
	struct sockaddr_un un;

	if (e->security != SECURITY_STARTTLS)
		return fail(why, FAILURE_CONFIG, "\"%s\": a unix socket is "
		    "written smtp:///path or lmtp:///path", text);
	if (strlen(path) >= sizeof un.sun_path)
		return fail(why, FAILURE_CONFIG, "\"%s\": the path of a unix "
		    "socket has at most %zu octets", text,
		    sizeof un.sun_path - 1);
	e->security = SECURITY_NONE;
	e->path = pool_string(pool, path);
	e->text = pool_string(pool, text);
	return true;
}

/* "user:password@", in whatever scheme. */
static bool
has_password(const char *text)
{
	const char *rest = strstr(text, "://"), *at;

	rest = rest != NULL ? rest + 3 : text;
	at = strrchr(rest, '@');
	return at != NULL && memchr(rest, ':', (size_t)(at - rest)) != NULL;
}

static bool
user_parse(const char *text, const char **rest, struct endpoint *e,
    struct pool *pool, struct failure *why)
{
	const char *at = strrchr(*rest, '@');

	if (at == NULL)
		return true;
	if (at == *rest)
		return fail(why, FAILURE_CONFIG, "\"%s\" has an empty user "
		    "name", text);
	e->user = pool_octets(pool, *rest, (size_t)(at - *rest));
	*rest = at + 1;
	return true;
}

bool
url_parse(const char *text, struct endpoint *e, struct pool *pool,
    struct failure *why)
{
	const char *rest = text;
	size_t i, n;

	*e = (struct endpoint){ .security = SECURITY_IMPLICIT, .port = "465" };
	if (has_password(text))		/* before any text quotes it */
		return fail(why, FAILURE_CONFIG, "a URL never carries a "
		    "password; write \"user\" and \"password\" instead");
	for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		n = strlen(schemes[i].scheme);
		if (strncasecmp(text, schemes[i].scheme, n) != 0)
			continue;
		e->security = schemes[i].security;
		e->port = schemes[i].port;
		e->lmtp = *schemes[i].scheme == 'l';
		rest = text + n;
		break;
	}
	if (rest == text && strstr(text, ":/") != NULL)
		return fail(why, FAILURE_CONFIG, "\"%s\": the scheme is one of "
		    "smtps://, smtp://, smtp+opportunistic://, smtp+plain://, "
		    "lmtp:///", text);
	if (rest > text && *rest == '/')
		return path_parse(text, rest, e, pool, why);
	if (e->lmtp)
		return fail(why, FAILURE_CONFIG, "\"%s\": LMTP is spoken over a "
		    "unix socket alone, lmtp:///path", text);
	if (!user_parse(text, &rest, e, pool, why) ||
	    !host_parse(text, rest, e, pool, why))
		return false;
	e->text = pool_printf(pool, "%s%s",
	    schemes[i < sizeof schemes / sizeof *schemes ? i : 0].scheme,
	    url_host_port(e->host, e->port, pool));
	return true;
}

bool
url_parse_proxy(const char *text, struct proxy *proxy, struct pool *pool,
    struct failure *why)
{
	static const char scheme[] = "socks5://";
	struct endpoint e = { .port = "1080" };
	const char *rest = text + sizeof scheme - 1;

	if (has_password(text))
		return fail(why, FAILURE_CONFIG, "a URL never carries a "
		    "password; write the proxy's into ~/.netrc");
	if (strncasecmp(text, scheme, sizeof scheme - 1) != 0)
		return fail(why, FAILURE_CONFIG, "\"%s\" is no proxy; it is "
		    "written socks5://host:port", text);
	if (!user_parse(text, &rest, &e, pool, why) ||
	    !host_parse(text, rest, &e, pool, why))
		return false;
	*proxy = (struct proxy){ e.host, e.port, e.user };
	return true;
}

char *
url_host_port(const char *host, const char *port, struct pool *pool)
{
	return pool_printf(pool, strchr(host, ':') != NULL ? "[%s]:%s" :
	    "%s:%s", host, port);
}

char *
url_ascii(const char *host, struct pool *pool)
{
	char *ascii = idn_ascii(host, pool);

	return ascii != NULL && is_host(ascii) ? ascii : NULL;
}

bool
url_is_pkcs11(const char *text)
{
	return text != NULL && strncasecmp(text, "pkcs11:", 7) == 0;
}

static const char pin_name[] = "pin-value=";

static const char *
find_pin(const char *text)
{
	return url_is_pkcs11(text) ? strcasestr(text, pin_name) : NULL;
}

bool
url_has_pin(const char *text)
{
	return find_pin(text) != NULL;
}

size_t
url_octet(const char *p, char *octet)
{
	static const char digits[] = "0123456789abcdef";
	const char *high, *low;

	*octet = *p;
	if (*p != '%' || !isxdigit((unsigned char)p[1]) ||
	    !isxdigit((unsigned char)p[2]))
		return 1;
	high = strchr(digits, tolower((unsigned char)p[1]));
	low = strchr(digits, tolower((unsigned char)p[2]));
	*octet = (char)((high - digits) << 4 | (low - digits));
	return 3;
}

void
url_pin(const char *text, struct buffer *pin)
{
	const char *p = find_pin(text) + sizeof pin_name - 1;
	char octet;

	while (*p != '\0' && *p != '&') {
		p += url_octet(p, &octet);
		buffer_put(pin, &octet, 1);
	}
}

/* With mask in place of each PIN, or without its attribute when that is NULL. */
static const char *
replaced(const char *text, const char *mask, struct pool *pool)
{
	const char *at = find_pin(text), *rest;
	char *done = pool_string(pool, "");

	if (at == NULL)
		return text;
	for (; at != NULL; text = rest, at = strcasestr(text, pin_name)) {
		rest = at + strcspn(at, "&");
		if (mask == NULL && *rest == '&')
			rest++;
		done = pool_printf(pool, "%s%.*s%s%s", done, (int)(at - text),
		    text, mask != NULL ? pin_name : "", mask != NULL ? mask :
		    "");
	}
	done = pool_printf(pool, "%s%s", done, text);
	at = done + strlen(done) - 1;
	return mask != NULL || strchr("?&", *at) == NULL ? done :
	    pool_octets(pool, done, (size_t)(at - done));
}

const char *
url_shown(const char *text, struct pool *pool)
{
	return replaced(text, "***", pool);
}

const char *
url_without_pin(const char *text, struct pool *pool)
{
	return replaced(text, NULL, pool);
}
