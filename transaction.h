/*
 * One mail: MAIL, RCPT, DATA or BDAT (RFC 5321, 3030; LMTP: RFC 2033).
 * Pipelining (RFC 2920) is a window, not a second dialogue: commands are said
 * in order, replies heard in order, with a window of one when the server does
 * not pipeline.
 */
#ifndef TRANSACTION_H
#define TRANSACTION_H

#include <stdbool.h>

#include "carbon.h"
#include "demands.h"
#include "envelope.h"
#include "message.h"
#include "outcome.h"
#include "smtp.h"

/*
 * Who must know before the server can have all of a message, and when its
 * verdict has come (or not).  before() may forbid it, with the reason.
 */
struct watch {
	bool (*before)(void *, struct failure *why);
	void (*after)(void *);
	void (*sent)(void *, uint64_t done, uint64_t total);	/* octets so
					   far; or NULL */
	void *context;
};

struct transaction {
	struct smtp *s;
	struct dialogue *talk;
	const struct envelope *envelope;
	const struct message *message;
	struct demands demands;		/* what MAIL says of the message */
	struct outcome *outcome;
	const size_t *who;		/* indices of those to be named */
	size_t n;
	const struct watch *watch;	/* or NULL */
	struct carbon *carbon;		/* of a trace that shows data; or NULL */
	size_t named, heard;		/* RCPTs so far; replies, MAIL's too */
	size_t accepted;		/* by their RCPT */
	bool *is_accepted;		/* parallel to who */
	const struct failure **put_off;	/* who did not fit, why; likewise */
	size_t n_put_off;
	bool full;			/* the server takes no more recipients */
	bool last;			/* nothing follows on the connection */
	bool in_flight;			/* BDAT travels behind RCPT */
	bool data_queued;		/* all of it, up to the stream's mark */
	bool refused;			/* MAIL was */
	bool judged;			/* the data have had their verdict */
	bool over;			/* nothing can follow it here, and why */
	bool worn;			/* which the connection may be to blame for */
	struct failure end;
};

/*
 * One transaction for those in who, at least one and all of them open.  They
 * are settled afterwards but for those who did not fit (put_off: 452 or 552 to
 * their RCPT) and those who were not named, because the server takes no more
 * (full) or it is over before the data.
 *
 * What cannot be asked of this server (SIZE, SMTPUTF8, REQUIRETLS, terms.h)
 * fails before MAIL is said.  Once all of the data have been handed over,
 * silence is FAILURE_UNKNOWN for who was named: only the server knows whether
 * it took them.
 */
void	transaction_run(struct transaction *);

/*
 * The same step by step, for who answers somebody else after each: MAIL with
 * what is known of the message (demands: size 0 is unknown), each RCPT, then
 * the data for an envelope whose recipients the server has all accepted.  A
 * transaction that did not come to data is reset by the next MAIL.  False
 * when there is no reply; a reply may say anything.
 */
bool	transaction_mail(struct smtp *, const struct envelope *,
	    const struct demands *, struct reply *, struct failure *why);
bool	transaction_rcpt(struct smtp *, const struct envelope *,
	    const struct recipient *, struct reply *, struct failure *why);
void	transaction_data(struct smtp *, const struct envelope *,
	    const struct message *, struct outcome *);

/* For data.c: the data are queued; QUIT behind them, where it may be. */
void	transaction_end_data(struct transaction *);

/* For data.c: sends what is queued; false when it is over. */
bool	transaction_flush(struct transaction *, enum step);

/*
 * For data.c: a reply before the end of the data.  False when it is over: the
 * connection is gone, is about to go (421), or is out of step (3yz).  Behind
 * the end any reply will do: false when there is none.
 */
bool	transaction_hear(struct transaction *, enum step, struct reply *);
bool	transaction_hear_any(struct transaction *, enum step,
	    struct reply *);

/*
 * For data.c: the server's verdict on the data, or its refusal of DATA, for
 * all whom it had accepted.
 */
void	transaction_settle(struct transaction *, const struct reply *);
void	transaction_settle_one(struct transaction *, size_t i,
	    const struct reply *);		/* LMTP: of who[i] */
void	transaction_settle_failed(struct transaction *, struct failure *);

/*
 * For data.c: the connection is gone, which is FAILURE_UNKNOWN for those who
 * were named when all of the data may have left; or the end is of our own
 * making.
 */
void	transaction_lost(struct transaction *, const struct failure *cause);
void	transaction_failed(struct transaction *, const struct failure *);

#endif
