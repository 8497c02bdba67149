/*
 * Encoded words (RFC 2047): text beyond ASCII as a header field may carry it.
 * Pure.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

enum {
	WORDS_LINE = 76,		/* octets of a line with such words */
	WORDS_ROOM = 26			/* that a line needs to begin one:
					   "=?UTF-8?Q?", 4 octets coded, "?=",
					   and what may stand behind */
};

/*
 * Appends len octets of text as encoded words of at most 73 octets each, a
 * folded line for every further one.  column, the octets that stand in the
 * line already (at most WORDS_LINE - WORDS_ROOM), is carried on.  No
 * character is cut in two; what is not UTF-8 is called unknown-8bit (RFC
 * 1428).  Mostly ASCII is left readable ("Q"), the rest is "B".
 */
void	words_encode(struct buffer *out, const char *text, size_t len,
	    size_t *column);

/* Is the whole of it one encoded word already? */
bool	words_is_encoded(const char *, size_t len);

/* The charset that octets beyond ASCII can be called: "UTF-8" or not known. */
const char *words_charset(const char *, size_t len);

#endif
