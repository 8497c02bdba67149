/*
 * What became of it, told: one line on standard error when something failed,
 * one line in the log always, and --json on standard output.  Only place that
 * prints a result.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

#include "keep.h"
#include "outcome.h"
#include "plan.h"

struct report {
	const char *program;		/* "sendoff", "sendmail" */
	const struct plan *plan;	/* NULL: it came to none */
	const struct outcome *outcome;	/* NULL with plan */
	const struct failure *failure;	/* what ended it before an outcome */
	const char *server;		/* URL of the last one tried, or NULL */
	const struct net_facts *net;	/* of it */
	const struct smtp_facts *smtp;
	uint64_t octets;
	milliseconds total_ms;
	const struct kept *kept;	/* NULL: not kept */
	const struct failure *keep_failure;	/* NULL: none */
	bool json;
};

/* The exit status of the whole. */
int	report_status(const struct report *);

void	report_result(const struct report *, struct pool *);

#endif
