/*
 * Local names for people: -bi checks the file of aliases, -bv says where each
 * recipient would go.
 */
#ifndef NAMES_H
#define NAMES_H

#include "caller.h"
#include "config.h"
#include "options.h"

/* Silent and EX_OK when the file is right, else EX_CONFIG and every error. */
int	names_check(const struct options *, const struct caller *,
	    struct config *, const char *program);

/*
 * A line for each recipient on standard output.  EX_OK when each would go
 * somewhere; nothing is sent and no server is asked.
 */
int	names_verify(const struct options *, const struct caller *,
	    struct config *, const char *program);

#endif
