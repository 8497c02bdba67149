/*
 * What SCRAM needs besides libgsasl: keys that are derived without it, the
 * parameters, and the lies that a client must see through.
 */
#ifndef SUBMITD_SCRAM_H
#define SUBMITD_SCRAM_H

#include <stdbool.h>
#include <stddef.h>

#include <gsasl.h>

#include "submitd_options.h"

/* Salt and iteration count, before the first step. */
bool	scram_prepare(Gsasl_session *session, const struct options *options);

/*
 * Derives StoredKey and ServerKey for the salt and the count of the session.
 * A password that SASLprep refuses is taken as it is.
 */
bool	scram_give_keys(Gsasl_session *session, const char *password);

/*
 * Changes a message of the server, which is memory of malloc, as the options
 * want it: another iteration count, a wrong nonce, a wrong signature.
 */
void	scram_spoil(const struct options *options, char **message,
	    size_t *octets);

#endif
