/*
 * SMTP commands taken apart, as a caller says them with -bs and as a kept
 * message has them: MAIL, RCPT, BDAT with their parameters (RFC 5321 section
 * 4.1.1, RFC 1870, 2852, 3030, 3461, 4865, 6152, 6531, 6710, 8689).  Pure.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "failure.h"
#include "pool.h"
#include "terms.h"

struct mail_command {
	struct mailbox sender;		/* local "" and no domain: null */
	uint64_t size;			/* SIZE=, or 0 */
	bool body_8bit;			/* BODY=8BITMIME */
	bool smtputf8;
	bool requiretls;
	const char *ret;		/* "FULL", "HDRS", or NULL */
	const char *envid;		/* xtext, or NULL */
	struct terms terms;		/* their time counts from 0 */
};

struct rcpt_command {
	struct mailbox to;
	const char *notify;		/* "NEVER", "SUCCESS,DELAY", or NULL */
	const char *orcpt;		/* "type;xtext", or NULL */
};

/*
 * The arguments behind "MAIL" and "RCPT": "FROM:<path> SIZE=1".  A blank
 * before the path and a path without angle brackets are accepted, as servers
 * do; RCPT may name a local user.  FAILURE_USAGE for what is no such command
 * and for unknown parameters (then why->enhanced is 5.5.4), FAILURE_ADDRESS
 * for the path.
 */
bool	command_mail(const char *text, struct mail_command *, struct pool *,
	    struct failure *why);
bool	command_rcpt(const char *text, struct rcpt_command *, struct pool *,
	    struct failure *why);

/* The argument of BDAT: "1000 LAST". */
bool	command_bdat(const char *text, uint64_t *octets, bool *last,
	    struct failure *why);

/*
 * A NOTIFY list (RFC 3461 section 4.1) in capitals; NULL when a word of it is
 * none.
 */
const char *command_notify(const char *list, struct pool *);

#endif
