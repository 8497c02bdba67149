/*
 * AUTH (RFC 4954), once its mechanism is chosen: the command, challenges and
 * responses, the server's verdict; and once more where it is a token that was
 * refused, and there is another.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include <stdbool.h>

#include "failure.h"
#include "sasl.h"
#include "smtp.h"

/* The session's secrets are masked from here on, whoever says them. */
void	login_hide(struct smtp *);

/*
 * By the mechanism of the facts; smtp_begin() has judged the path.
 * FAILURE_AUTH when the server does not want it, FAILURE_DEFERRED when not now;
 * token_unheard tells that another connection may.
 */
bool	login_try(struct smtp *, const struct sasl_channel *,
	    struct failure *why);

#endif
