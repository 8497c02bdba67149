/*
 * What a server's refusal of MAIL, of RCPT or of the data means, and how it is
 * told (RFC 5321 section 4.2.3, RFC 3463).
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stdbool.h>

#include "failure.h"
#include "reply.h"
#include "smtp.h"

/*
 * What a 5yz to MAIL is: FAILURE_DATA for 552 5.3.4 or 5.2.3 (too large: RFC
 * 1870 sections 6.2 and 6.4), FAILURE_DEFERRED for 503, else FAILURE_REFUSED;
 * to RCPT: the same, or FAILURE_DEFERRED for another 552, which means 452 there
 * (RFC 5321 section 4.5.3.1.10), FAILURE_NOUSER or FAILURE_REFUSED.
 */
enum failure_kind refusal_mail_kind(const struct reply *);
enum failure_kind refusal_rcpt_kind(const struct reply *);

/*
 * 503: the commands are out of order for the server, which is no verdict on
 * sender, recipient or message, although it is a 5yz.
 */
bool	refusal_is_of_order(const struct reply *);

/*
 * A RCPT that did not fit may fit into another transaction: 452, and 552 that
 * is not about the size of the message or a mailbox.
 */
bool	refusal_is_too_many(const struct reply *);

/*
 * Fills *why for a reply to MAIL, RCPT or (LMTP) the data that names whom it is
 * about: FAILURE_DEFERRED for 4yz and 503, permanent for another 5yz,
 * FAILURE_PROTOCOL for the rest.
 */
void	refusal_named(struct smtp *, const char *path, const struct reply *,
	    enum failure_kind permanent, struct failure *why);

/* The same of DATA, BDAT or what follows them, which is about everybody. */
void	refusal_of_data(struct smtp *, const struct reply *,
	    enum failure_kind permanent, struct failure *why);

#endif
