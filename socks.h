/* SOCKS5 (RFC 1928, 1929): a proxy asked to connect. */
#ifndef SOCKS_H
#define SOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "failure.h"
#include "url.h"

struct socks_params {
	const struct proxy *proxy;
	const char *password;		/* octets, when the proxy has a user */
	size_t password_len;
	milliseconds deadline;
};

/*
 * Has the proxy at the other end of the connected, non-blocking descriptor
 * connect to the endpoint.  A name is left to the proxy to look up; nothing is
 * read beyond its reply.
 */
bool	socks_connect(int fd, const struct socks_params *,
	    const struct endpoint *, struct failure *why);

#endif
