/*
 * The data of a mail: DATA with its dot (RFC 5321 section 4.1.1.4) or BDAT
 * (RFC 3030).
 */
#ifndef DATA_H
#define DATA_H

#include <stdbool.h>

#include "transaction.h"

/* Does the message fit into the flight of MAIL and RCPT, as one BDAT? */
bool	data_fits_flight(const struct transaction *);

/*
 * What closes the group of MAIL and RCPT: DATA, or BDAT with all octets.
 * False when the message cannot be read.
 */
bool	data_say(struct transaction *, struct failure *why);

/*
 * Everything after the group's replies up to the verdict on the data, which
 * settles the recipients that were accepted.
 */
void	data_send(struct transaction *);

#endif
