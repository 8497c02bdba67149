/*
 * One mail: MAIL, RCPT, DATA or BDAT (RFC 5321, 2920, 3030, 3461, 6531,
 * 8689).  Pipelining is a window, not a second dialogue: commands are said in
 * order, replies heard in order, with a window of one when the server does not
 * pipeline.
 */
#ifndef TRANSACTION_H
#define TRANSACTION_H

#include <stdbool.h>

#include "envelope.h"
#include "message.h"
#include "outcome.h"
#include "smtp.h"

/*
 * Submits the message to the recipients that are open in the outcome; none is
 * open afterwards.  last: nothing follows on this connection, so QUIT travels
 * with the last octets.
 *
 * What cannot be asked of this server (SIZE, 8BITMIME, SMTPUTF8, REQUIRETLS)
 * fails before MAIL is said.  Once all of the data have been handed over,
 * silence is FAILURE_UNKNOWN: only the server knows whether it took them.
 */
void	transaction_send(struct smtp *, const struct envelope *,
	    const struct message *, struct outcome *, bool last);

#endif
