/*
 * MAIL and each RCPT by themselves, without data: for who wants to see what a
 * server says of everybody (--quit-after, --talk, --probe=rcpt).
 */
#ifndef ASKING_H
#define ASKING_H

#include <stdbool.h>
#include <stddef.h>

#include "demands.h"
#include "envelope.h"
#include "outcome.h"
#include "smtp.h"

/*
 * MAIL (RFC 5321 section 3.3) with what is known of the message.  False when
 * it is refused, or there is no reply: *why says it; reply->code is 0 when
 * the server has said nothing.
 */
bool	asking_mail(struct smtp *, const struct envelope *,
	    const struct demands *, struct reply *, struct failure *why);

/*
 * One RCPT and its reply, which settles that recipient: not sent, or refused.
 * Who is settled already, or cannot be told to this server, is not named;
 * reply->code is 0 then.  False when there can be no other RCPT: no reply, or
 * the server closes the connection (421, RFC 5321 section 3.8); that
 * recipient is left open, and *why is for all who are.
 */
bool	asking_rcpt(struct smtp *, const struct envelope *,
	    struct outcome *, size_t i, struct reply *, struct failure *why);

#endif
