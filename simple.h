/*
 * The mechanisms that are an answer or two and need no library: EXTERNAL
 * (RFC 4422 appendix A) is an empty one, PLAIN (RFC 4616), LOGIN
 * (draft-murchison-sasl-login), CRAM-MD5 (RFC 2195).  Answers are octets, not
 * yet base64, appended to a buffer that the caller wipes; the password is
 * copied nowhere else.
 */
#ifndef SIMPLE_H
#define SIMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "failure.h"

/* Who logs in; octets, the password not terminated. */
struct simple_login {
	const char *user;
	const char *password;
	size_t password_len;
};

void	simple_plain(const struct simple_login *, struct buffer *answer);

/* The answer to the first challenge, whatever it says, and to the second. */
void	simple_login_user(const struct simple_login *, struct buffer *answer);
void	simple_login_password(const struct simple_login *,
	    struct buffer *answer);

/*
 * FAILURE_PROTOCOL when there is no challenge, FAILURE_NO_MECHANISM when the
 * system forbids MD5.
 */
bool	simple_cram_md5(const struct simple_login *, const char *challenge,
	    size_t len, struct buffer *answer, struct failure *why);

#endif
