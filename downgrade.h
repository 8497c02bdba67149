/*
 * A header field as a server without SMTPUTF8 may be given it: nothing beyond
 * ASCII, no line that is too long (RFC 2047, 2231, 5891, 6857).  Pure.
 */
#ifndef DOWNGRADE_H
#define DOWNGRADE_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "header.h"
#include "pool.h"

/* Has the field octets beyond ASCII or NUL, or a line of over 998 octets? */
bool	downgrade_is_needed(const struct field *);
bool	downgrade_is_too_long(const struct field *);	/* the latter alone */

/*
 * Has it an address whose local part is beyond ASCII?  All else becomes
 * encoded and reads the same; such an address becomes a group without
 * members, which shows it and can no longer be answered (RFC 6857 section
 * 3.1.7).  So it is with a boundary, which the delimiters must be the same as.
 */
bool	downgrade_loses(const struct field *, struct pool *);

/*
 * The field's text again, every line with CRLF.  Text becomes encoded words,
 * display names and comments too; domains become A-labels; parameters those
 * of RFC 2231.  FAILURE_MESSAGE when a line cannot be folded.
 */
bool	downgrade_field(const struct field *, const char **text,
	    struct pool *, struct failure *why);

/*
 * Only its lines made short, at blanks, where it may stay UTF-8.  False when
 * that is not enough.
 */
bool	downgrade_fold(const struct field *, const char **text,
	    struct pool *);

#endif
