#include "simple.h"
#include "crypto.h"

#include <string.h>

/* No authorization identity: the server takes the user's. */
void
simple_plain(const struct simple_login *l, struct buffer *answer)
{
	(void)buffer_room(answer, strlen(l->user) + l->password_len + 2);
	buffer_put(answer, "", 1);
	buffer_put(answer, l->user, strlen(l->user));
	buffer_put(answer, "", 1);
	buffer_put(answer, l->password, l->password_len);
}

void
simple_login_user(const struct simple_login *l, struct buffer *answer)
{
	buffer_put(answer, l->user, strlen(l->user));
}

void
simple_login_password(const struct simple_login *l, struct buffer *answer)
{
	buffer_put(answer, l->password, l->password_len);
}

bool
simple_cram_md5(const struct simple_login *l, const char *challenge,
    size_t len, struct buffer *answer, struct failure *why)
{
	unsigned char digest[CRYPTO_MD5];
	char hex[2 * sizeof digest + 1];

	if (len == 0)
		return fail(why, FAILURE_PROTOCOL, "CRAM-MD5: the server's "
		    "challenge is empty");
	if (!crypto_hmac_md5(l->password, l->password_len, challenge, len,
	    digest))
		return fail(why, FAILURE_NO_MECHANISM, "CRAM-MD5: this system "
		    "does not let GnuTLS use MD5 (FIPS mode); name other "
		    "mechanisms with \"auth\"");
	crypto_hex(hex, digest, sizeof digest);
	buffer_put(answer, l->user, strlen(l->user));
	buffer_put(answer, " ", 1);
	buffer_put(answer, hex, 2 * sizeof digest);
	return true;
}
