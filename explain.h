/*
 * --explain: what a submission would do with this message, by what account and
 * why, and each change that would be made to it; nothing is sent.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "accounts.h"
#include "caller.h"
#include "config.h"
#include "failure.h"
#include "message.h"
#include "options.h"
#include "plan.h"
#include "pool.h"

struct explain {
	const struct options *options;
	const struct caller *caller;
	struct config *config;
	const struct choice *choice;
	const struct plan *plan;
	struct message *message;
	const struct failure *trouble;	/* with the configuration, or NULL */
	struct pool *pool;
	const char *program;
};

/*
 * The exit status: what the submission's would be, as far as it is known:
 * by what the server has offered when it was last used, or, with
 * options->live, by asking it (EHLO, TLS, login; no MAIL).  Made by the same
 * rooms that do it, so that it is no second opinion.
 */
int	explain(struct explain *);

#endif
