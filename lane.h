/*
 * One account's server and its part of a caller's transaction, which is said
 * there command by command.  A connection that is lost before the data costs
 * no mail: the server's transaction is said again on a new one.
 */
#ifndef LANE_H
#define LANE_H

#include <stdbool.h>
#include <stddef.h>

#include "demands.h"
#include "failure.h"
#include "keys.h"
#include "message.h"
#include "outcome.h"
#include "plan.h"
#include "pool.h"
#include "reply.h"
#include "session.h"

struct lane {
	const struct account *account;
	struct session session;
	bool routed;			/* the session knows where to */
	struct leg leg;			/* recipients: those accepted */
	struct keys named;		/* their keys -> their index */
	struct pool *pool;		/* of the transaction */
	struct demands said;		/* by MAIL, of the message */
	bool mail;			/* MAIL was accepted, and holds */
	bool stale;			/* the server has recipients that are
					   none any more */
	size_t before;			/* recipients before this RCPT */
	const struct message *whole;	/* the data, as it was given, */
	const struct message *fit;	/* and as the server can take it */
	struct outcome outcome;		/* of the data */
};

/* Forgets the transaction; the connection stays. */
void	lane_reset(struct lane *);

/*
 * MAIL with the leg's envelope, on a connection that is made when there is
 * none or the one there is will not serve any longer.  *reply when accepted,
 * else *why.
 */
bool	lane_mail(struct lane *, const struct demands *, struct pool *,
	    struct reply *, struct failure *why);

/* One recipient more, after lane_mail().  *reply when accepted, else *why. */
bool	lane_rcpt(struct lane *, const struct recipient *, struct reply *,
	    struct failure *why);

/* Whoever was accepted since `before' gets nothing after all. */
void	lane_take_back(struct lane *);

/*
 * The message for those accepted; the outcome has them all settled.  When
 * what MAIL said of the message was less than the truth, or the server's
 * transaction is not ours any more, it is said again; then all who were
 * accepted must be accepted once more, or nobody gets it.
 */
void	lane_data(struct lane *, struct message *);

#endif
