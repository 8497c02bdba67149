/*
 * The same message for a server that cannot take it as it is: content of 8
 * bits without 8BITMIME (RFC 6152), a header beyond ASCII without SMTPUTF8
 * (RFC 6531), and what no server can take: NUL, lines of more than 998
 * octets.  What it says stays the same (RFC 2045 to 2047, 2231).
 */
#ifndef CONVERT_H
#define CONVERT_H

#include <stdbool.h>

#include "failure.h"
#include "message.h"
#include "pool.h"

struct convert_offer {
	bool eightbitmime;
	bool smtputf8;			/* offered, and may be asked for */
	bool smtputf8_anyway;		/* an address asks for it already */
};

/*
 * *out is the message itself when nothing needs a conversion, else another
 * one, composed, which convert_end() frees.  Where both would do, a header is
 * encoded rather than SMTPUTF8 asked for: the server behind the server may not
 * know it, and mail to it would come back.  Only when that cannot be, for an
 * address in it or a signature, it stays beyond ASCII (header_8bit).
 *
 * A signed message (RFC 6376, 1847, 8551) is never converted:
 * FAILURE_EXTENSION when another server could take it, else FAILURE_MESSAGE,
 * as for what cannot be converted at all.  FAILURE_INPUT when there is no
 * room for a large one.
 */
bool	convert_message(const struct message *, const struct convert_offer *,
	    const struct message **out, struct pool *, struct failure *why);

/* Frees what was made of the original; takes NULL and the original. */
void	convert_end(const struct message *original, const struct message *);

#endif
