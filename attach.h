/*
 * The header of a file that goes with a message (RFC 2045, 2183, 2231): its
 * type by the end of its name, the name itself.  Pure.
 */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>

#include "buffer.h"
#include "pool.h"

/* "image/png"; "application/octet-stream" when the name says nothing. */
const char *attach_type(const char *file);

/* Is it a type whose octets have a charset? */
bool	attach_is_text(const char *type);

/*
 * Appends the part's fields and the blank line.  The name is the last of the
 * path, in RFC 2231's form when it is long or beyond ASCII; control characters
 * become "_".  charset may be NULL.
 */
void	attach_header(struct buffer *out, const char *file,
	    const char *charset, struct pool *);

#endif
