/*
 * ~/.netrc, as ftp(1) and its successors read it: machine, default, login,
 * password, account, macdef; words in double quotes; comments where a keyword
 * could stand.  Pure.
 */
#ifndef NETRC_H
#define NETRC_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

/*
 * Appends the password of the first entry for the host (or "default") whose
 * login is user, or which has no login; false when there is none.
 */
bool	netrc_find(const char *text, size_t len, const char *host,
	    const char *user, struct buffer *secret);

#endif
