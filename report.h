/*
 * What became of it, told: one line on standard error when something failed,
 * one line in the log for each server's part, and --json on standard output.
 * Only place that prints a result.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

#include "keep.h"
#include "outcome.h"
#include "peer.h"
#include "plan.h"
#include "session.h"

struct report_leg {
	const struct leg *leg;
	const struct outcome *outcome;
	const struct session *session;	/* its server NULL: none was tried */
	const struct kept *queued;	/* what a timer will try again, or NULL */
	const struct kept *kept;	/* NULL: not kept */
	const struct failure *keep_failure;	/* NULL: none */
	bool retry;			/* what is deferred is to be queued */
};

struct report {
	const char *program;		/* "sendoff", "sendmail" */
	const char *config;		/* the file that -C has named, or NULL */
	bool changed;			/* options make another account of it */
	const struct plan *plan;	/* NULL: it came to none */
	const struct peer *peer;	/* who has sent it, if not who runs us */
	const struct outcome *outcome;	/* of all the people; NULL with plan,
					   and without people */
	const struct failure *failure;	/* what ended it before an outcome */
	const char *quit_after;		/* nothing was to be sent: what it was
					   to end after; or NULL */
	bool talk;			/* a person has talked to the server */
	struct report_leg *legs;
	size_t nlegs;
	uint64_t octets;
	milliseconds total_ms;
	bool json;
	bool silent;			/* nothing on standard error */
};

/* The exit status of the whole. */
int	report_status(const struct report *);

void	report_result(const struct report *, struct pool *);

/*
 * Instead, and without memory, when there is none for a result: of how many
 * recipients each verdict is.  Exit status: success only when all have it.
 */
int	report_out_of_memory(const char *program, const char *id,
	    const size_t n[VERDICTS]);

/* One line on standard error for what ended a run; exit status. */
int	report_failure(const char *program, const struct failure *);

/*
 * Standard output is flushed.  When not all that was written to it has got
 * there, a line on standard error says so.  Exit status.
 */
int	report_output(const char *program);

#endif
