/*
 * The configuration for people: --check, --print-certificate.
 */
#ifndef CHECK_H
#define CHECK_H

#include "caller.h"
#include "config.h"
#include "options.h"

/*
 * Every error on standard error; when there is none, each account as it is in
 * effect, with its secrets masked.  Exit status.
 */
int	check_configuration(const struct options *, const struct caller *,
	    struct config *, const char *program);

/*
 * The client certificate of the account that is chosen, PEM, for its server's
 * administrator.  FAILURE_CONFIG when it has none.  Exit status.
 */
int	check_certificate(const struct options *, const struct caller *,
	    struct config *, const char *program);

#endif
