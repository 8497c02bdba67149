/*
 * -bs: SMTP on standard input and output (RFC 5321), each transaction
 * submitted while the caller waits.
 */
#ifndef SERVE_H
#define SERVE_H

#include "caller.h"
#include "config.h"
#include "options.h"

/*
 * Until QUIT or the end of input.  Nothing goes to standard error: callers
 * take what stands there for replies.  Returns the exit status, which is
 * EX_OK unless the dialogue itself broke: failures were answered.
 */
int	serve(const struct options *, const struct caller *, struct config *,
	    const char *program);

#endif
