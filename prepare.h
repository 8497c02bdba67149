/*
 * SASLprep (RFC 4013) as SCRAM and CRAM-MD5 want it of a user's name and of a
 * password.
 */
#ifndef PREPARE_H
#define PREPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "failure.h"

/* Is it its own prepared form, being printable ASCII? */
bool	prepare_is_plain(const char *text, size_t len);

/*
 * Appends the prepared form of the text, which has no NUL.  Octets that
 * SASLprep refuses (not UTF-8, control characters) go as they are, which is
 * what servers do.
 */
void	prepare(const char *text, size_t len, struct buffer *out);

/*
 * The same of a password.  The libraries leave copies behind that nobody can
 * reach, so what is more than ASCII is prepared in a process of its own, and
 * they end with it.  FAILURE_LOCAL when there can be none.
 */
bool	prepare_secret(const char *text, size_t len, struct buffer *out,
	    struct failure *why);

#endif
