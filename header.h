/*
 * Header fields taken apart and made (RFC 5322).  Pure.
 */
#ifndef HEADER_H
#define HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "pool.h"

struct field {
	const char *text;		/* all of it, every line with CRLF */
	size_t len;
	size_t name_len;		/* the name is at the start of text */
	size_t body;			/* where the octets behind ":" begin */
};

/*
 * Does the line (without its end) begin a field?  The length of its name, or
 * 0: printable ASCII but ":", then blanks as the obsolete syntax has them,
 * then ":" (RFC 5322 sections 2.2, 3.6.8 and 4.5).
 */
size_t	header_name(const char *line, size_t len);

/*
 * The fields of len octets of whole lines, each with LF at its end, the first
 * of which begins one: a line that begins with a blank goes on with the one
 * before.  Into the text.
 */
void	header_split(const char *text, size_t len, struct field **, size_t *n,
	    struct pool *);

/* Compares the name without regard to case. */
bool	field_is(const struct field *, const char *name);

/*
 * What stands behind the colon, unfolded, without blanks around it.  NUL is no
 * character of a header and becomes "?".
 */
char	*field_value(const struct field *, struct pool *);

/* "Tue, 24 Nov 2026 10:11:12 +0100", in the local zone (section 3.3). */
char	*header_date(time_t, struct pool *);

/* "<random@domain>" (section 3.6.4). */
char	*header_message_id(const char *domain, struct pool *);

/*
 * A display name as it may stand before an angle address: as atoms, as a
 * quoted string, or, when it is not ASCII or too long for a line, as encoded
 * words (RFC 2047 section 5) of at most 75 octets each, folded.  Control
 * characters are left out.
 */
char	*header_phrase(const char *name, struct pool *);

#endif
