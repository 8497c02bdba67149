/*
 * One leg of a message, done: to the account's servers, one after the other,
 * on as many connections as it takes, as each can take it.
 */
#ifndef ERRAND_H
#define ERRAND_H

#include <stdbool.h>

#include "caller.h"
#include "mailing.h"
#include "message.h"
#include "options.h"
#include "outcome.h"
#include "plan.h"
#include "session.h"

struct errand {
	const struct leg *leg;
	struct message *message;	/* composed here */
	struct session *session;	/* zeroed before the first errand on it */
	bool more_follow;		/* the connection is wanted again */
	const struct watch *watch;	/* or NULL */
	bool unreachable;		/* no server would have us at all */
	struct outcome outcome;		/* parallel to the leg's recipients */
	struct pool *pool;
	struct pool *session_pool;	/* lives as long as the session */
};

/*
 * From here on the message is ours to lose: whatever fails is the outcome of
 * each recipient.  trouble, when it is not NULL, is why nobody can get it.
 * The connection stays open when more follow and it is fit for it; who began
 * the session ends it.
 */
void	errand_do(struct errand *, const struct options *,
	    const struct caller *, const struct failure *trouble);

#endif
