/*
 * SASLprep (RFC 4013) as SCRAM and CRAM-MD5 want it of a user's name and of a
 * password.
 */
#ifndef PREPARE_H
#define PREPARE_H

#include <stddef.h>

#include "buffer.h"

/*
 * Appends the prepared form of the text, which has no NUL.  Octets that
 * SASLprep refuses (not UTF-8, control characters) go as they are, which is
 * what servers do.
 */
void	prepare(const char *text, size_t len, struct buffer *out);

#endif
