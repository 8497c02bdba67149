/*
 * Where a submission goes: server URLs of the configuration.  Pure.
 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>

#include "buffer.h"
#include "failure.h"
#include "pool.h"

enum security {
	SECURITY_IMPLICIT,		/* smtps: TLS from the first octet */
	SECURITY_STARTTLS,		/* smtp: STARTTLS or nothing */
	SECURITY_OPPORTUNISTIC,		/* smtp+opportunistic: unverified */
	SECURITY_NONE,			/* smtp+plain, unix sockets */
};

struct endpoint {
	enum security security;
	const char *host;		/* name or address; NULL: unix socket */
	const char *port;		/* decimal */
	const char *path;		/* of the unix socket, absolute */
	bool lmtp;			/* RFC 2033 */
	const char *domain;		/* whose SRV record names the host, or
					   NULL */
	bool authentic;			/* that record, by DNSSEC */
	const char *user;		/* from the URL, or NULL */
	const char *text;		/* the URL without its user */
};

/*
 * smtps://host[:port], smtp://, smtp+opportunistic://, smtp+plain://, with
 * user@ before the host, [v6] addresses, smtp:///path and lmtp:///path.  A bare
 * host name is smtps://.  The default ports are 465 for smtps and 587 for the
 * others.
 * A password in the URL, unknown schemes, a path behind a host, and host names
 * that are none are FAILURE_CONFIG.
 */
bool	url_parse(const char *text, struct endpoint *, struct pool *,
	    struct failure *why);

/* Must the server prove by TLS who it is? */
bool	url_is_verified(const struct endpoint *);

/* A SOCKS5 proxy (RFC 1928). */
struct proxy {
	const char *host;
	const char *port;
	const char *user;		/* NULL: it asks for none */
};

/* socks5://[user@]host[:port], by default port 1080. */
bool	url_parse_proxy(const char *text, struct proxy *, struct pool *,
	    struct failure *why);

/*
 * The host or domain in ASCII (RFC 5891), lower case, without a final dot;
 * NULL when it cannot be.
 */
char	*url_ascii(const char *host, struct pool *);

/* Is it a pkcs11: URI (RFC 7512), not a file name?  NULL is neither. */
bool	url_is_pkcs11(const char *);

/* Has it a PIN in it (RFC 7512's pin-value)? */
bool	url_has_pin(const char *);

/* The octet that "%" and two digits, or else p, stand for; octets taken. */
size_t	url_octet(const char *p, char *octet);

/* The octets that the first one stands for, behind what is in the buffer. */
void	url_pin(const char *text, struct buffer *pin);

/* A file name, or a pkcs11: URI with each pin-value masked, or without any. */
const char *url_shown(const char *text, struct pool *);
const char *url_without_pin(const char *text, struct pool *);

/* As it stands in a URL: "mail.example.org:465", "[::1]:465". */
char	*url_host_port(const char *host, const char *port, struct pool *);

/* Is it an IPv4 or IPv6 address (without brackets), not a name? */
bool	url_is_address(const char *host);

#endif
