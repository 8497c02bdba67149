/*
 * What became of each recipient: one verdict, settled once.  The message as a
 * whole has no other state; the exit status is a function of this alone.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "envelope.h"
#include "failure.h"
#include "pool.h"

enum verdict {
	VERDICT_OPEN,
	VERDICT_SENT,			/* 2yz after the data */
	VERDICT_NOT_SENT,		/* as was asked; nothing has failed */
	VERDICT_QUEUED,			/* deferred, and a timer will try again */
	VERDICT_REFUSED,		/* will not do without a change */
	VERDICT_DEFERRED,		/* may do later */
	VERDICT_UNKNOWN,		/* the server may have it */
	VERDICTS
};

struct result {
	enum verdict verdict;
	const struct failure *why;	/* NULL when sent; shared; ends behind
					   its text (failure_copy()) */
	const char *reply;		/* the server's, when sent; shared, and
					   NULL when there was no memory */
};

struct outcome {
	struct result *results;		/* one for each recipient */
	size_t n;
	size_t open;			/* how many are not settled */
	const struct failure *last_why;	/* for those who share it */
	const char *last_reply;
	struct pool *pool;
};

void	outcome_init(struct outcome *, size_t recipients, struct pool *);

/* Who cannot be told to any server has failed before there is one. */
void	outcome_begin(struct outcome *, const struct envelope *,
	    struct pool *);

/* Which verdict a failure stands for. */
enum verdict outcome_verdict(const struct failure *);

/* An open recipient gets its verdict; why and reply are copied. */
void	outcome_sent(struct outcome *, size_t i, const char *reply);
void	outcome_failed(struct outcome *, size_t i, const struct failure *);

/* Nothing was to be sent; reply is the one to RCPT, or NULL. */
void	outcome_not_sent(struct outcome *, size_t i, const char *reply);

/* The verdict of another outcome on the same recipient, if it is open here. */
void	outcome_copy(struct outcome *, size_t i, const struct result *);

/* One who is deferred is safely in the store that a timer serves. */
void	outcome_queued(struct outcome *, size_t i);

/* All that are open fail for one reason. */
void	outcome_rest_failed(struct outcome *, const struct failure *);

size_t	outcome_count(const struct outcome *, enum verdict);

/*
 * The failure that decides the exit status, the gravest in the order unknown,
 * deferred, refused (product: section 6); NULL when all were sent or queued.
 */
const struct failure *outcome_gravest(const struct outcome *);

/* Its sysexits value; EX_OK when all were sent or queued. */
int	outcome_status(const struct outcome *);

/* "sent", "refused", ... */
const char *verdict_word(enum verdict);

#endif
