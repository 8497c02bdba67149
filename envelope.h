/*
 * What is said to the server about a message besides the message: RFC 5321
 * section 2.3.1, RFC 3461, RFC 8689, terms.h.  Strings need no further checks:
 * every address has been through address.c, every parameter is xtext already.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "terms.h"

struct recipient {
	const char *path;		/* between "<" and ">" */
	bool utf8;			/* needs SMTPUTF8 */
	const char *orcpt;		/* "rfc822;xtext", or NULL */
	bool orcpt_given;		/* by the caller, not made up here */
	const char *notify;		/* as the envelope's, of this one alone */
	const char *key;		/* equal for equal mailboxes */
	const char *named;		/* the local name that means it, or
					   NULL: itself */
	const struct failure *trouble;	/* why it cannot be told, or NULL */
};

struct envelope {
	const char *sender;		/* "" is the null sender */
	bool sender_utf8;
	struct recipient *recipients;
	size_t n;
	bool requiretls;		/* RFC 8689 */
	bool smtputf8_always;		/* RFC 6531, asked for unneeded */
	bool smtputf8_never;		/* or not even when needed */
	const char *notify;		/* "NEVER", "FAILURE,DELAY", or NULL */
	const char *ret;		/* "FULL", "HDRS", or NULL */
	const char *envid;		/* xtext, or NULL */
	struct terms terms;		/* when, and how urgently */
};

#endif
