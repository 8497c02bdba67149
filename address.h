/*
 * Mailboxes of RFC 5322, with the obsolete forms.  Pure.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "pool.h"

enum { ADDRESS_MAX = 998 };		/* octets */

struct mailbox {
	const char *name;		/* display name or comment, or NULL */
	const char *local;		/* local part without its quotes */
	const char *domain;		/* NULL: a local name, unqualified */
	bool guessed;			/* set off by blanks or ";" alone */
	size_t start, end;		/* its octets in the text, with name
					   and comments */
};

/*
 * The mailboxes of an address list: comma lists, groups, nested comments,
 * quoted local parts, routes (dropped), domain literals, UTF-8.  ";" outside
 * a group and blanks between whole addresses separate as well.  What cannot
 * be understood is FAILURE_ADDRESS; nothing of it is guessed.
 */
bool	address_list(const char *text, struct pool *, struct mailbox **,
	    size_t *n, struct failure *why);

/*
 * One mailbox, for -f and the like.  "" and "<>" are the null sender: then
 * local is "" and domain NULL.
 */
bool	address_sender(const char *text, struct pool *, struct mailbox *,
	    struct failure *why);

#endif
