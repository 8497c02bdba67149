/*
 * Content-Transfer-Encodings (RFC 2045 sections 6.7 and 6.8), octets as they
 * come: lines of at most 76 octets.  Line ends of what goes in are CRLF.
 * Pure.
 */
#ifndef ENCODE_H
#define ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

enum encode_how {
	ENCODE_QP,			/* text: its line ends stay line ends */
	ENCODE_BASE64,
	ENCODE_QP_AGAIN,		/* what is quoted-printable already, */
	ENCODE_BASE64_AGAIN		/* or base64: lines made short, octets
					   that do not belong there mended */
};

/* Zeroed but for how, to begin with. */
struct encode {
	enum encode_how how;
	char held[80];			/* what cannot be judged yet */
	size_t nheld;
	size_t column;			/* of the line that is made */
	bool blank;			/* the last octet of it */
};

void	encode_octets(struct encode *, const char *, size_t len,
	    struct buffer *out);

/*
 * After the last octet.  A line that what goes in did not end gets no end
 * (column is then not 0): it belongs to what follows.
 */
void	encode_end(struct encode *, struct buffer *out);

#endif
