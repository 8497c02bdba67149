/*
 * One message to its recipients, however many: who is named in which
 * transaction and on which connection.  A server has its limits (RFC 9422) or
 * shows them by 452 (RFC 5321 section 4.5.3.1.10), and its connections end
 * after so many mails.  Each recipient is settled once; whoever may have got
 * the message is not sent it again.
 */
#ifndef MAILING_H
#define MAILING_H

#include <stdbool.h>
#include <stddef.h>

#include "envelope.h"
#include "failure.h"
#include "message.h"
#include "outcome.h"
#include "pool.h"
#include "smtp.h"
#include "transaction.h"

struct mailing {
	const struct envelope *envelope;
	const struct message *message;
	struct outcome *outcome;
	struct pool *pool;
	size_t *queue;			/* indices of recipients: the turn of */
	size_t next, end;		/* those from next to end is to come */
	bool *is_accepted;		/* room for a transaction's */
	const struct failure **put_off;
	size_t limit;			/* of recipients, learnt; 0: none */
	size_t *domain_of;		/* each one's, by number; or NULL */
	bool more_follow;		/* other mail follows on the last
					   connection: no QUIT */
	bool used;			/* the first has got mail through */
	const struct watch *watch;	/* or NULL */
	bool begun;			/* there was a connection */
	bool barren;			/* the last connection has only taught */
	bool moved;			/* this one has got mail through, */
	size_t domains, last_domain;	/* and was told of so many */
};

/*
 * For the recipients that are open in the outcome.  All that is given must
 * outlive the mailing; what it needs itself lives in pool.  more_follow, used
 * and watch may then be set.
 */
void	mailing_init(struct mailing *, const struct envelope *,
	    const struct message *, struct outcome *, struct pool *);

/*
 * Goes on with whoever is open, in as many transactions as it takes, on a
 * connection that is ready for mail and that nothing else follows on: QUIT may
 * have been said.  True when nobody is open any more.  False when the server
 * takes no more on this connection (its MAILMAX or RCPTDOMAINMAX is used up;
 * it says 421, hangs up, or refuses MAIL for now after it has taken some) and
 * a new one is worth its while: it is for the caller to make one, or to settle
 * who is open.  *why is then the reason.  Each connection settles somebody,
 * or else teaches a limit, so there is an end of them.
 */
bool	mailing_send(struct mailing *, struct smtp *, struct failure *why);

#endif
