/*
 * One connection to an account's server, logged in and ready for mail.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "caller.h"
#include "clock.h"
#include "failure.h"
#include "memory.h"
#include "net.h"
#include "pool.h"
#include "route.h"
#include "secret.h"
#include "smtp.h"

/* A server that was left for the account's next one. */
struct session_left {
	const char *server;
	struct net_facts net;
	struct smtp_facts facts;
	const struct failure *why;
	struct session_left *next;	/* of the same mail, or NULL */
};

struct session {
	struct route route;
	const struct caller *caller;
	bool login;			/* AUTH is wanted */
	const char *user;		/* where the URL names none; or NULL */
	struct pool *pool;
	struct dns *dns;		/* NULL: not needed yet */
	struct memory *memory;
	struct buffer secret;
	struct secret_use use;		/* what it was fetched for */
	enum secret_source source;
	bool has_secret;		/* or needs none */
	struct smtp_renewal renewal;	/* where it is a token */
	struct buffer proxy_secret;
	milliseconds begun;		/* timeout-session counts from here */
	bool open;
	size_t at;			/* endpoint that it is open to */
	struct stream *stream;
	struct smtp smtp;
	const char *server;		/* URL of the last one tried, or NULL */
	struct net_facts net;		/* of it, also when it failed */
	struct smtp_facts facts;
	struct session_left *left;	/* before it, in order, when servers
					   are to be described */
};

/* The file of what was seen once (memory.h), or NULL without a home. */
const char *session_memory(const struct caller *, struct pool *);

void	session_init(struct session *, const struct route *,
	    const struct caller *, struct pool *);

/*
 * Finds the servers by the DNS when the account names none, fetches the
 * secret, when it logs in, and connects to the first server, from endpoint
 * *at on, that will have us.  *at is then the one.
 * Servers that cannot be reached or turn us away with a greeting are passed
 * over; a refused login or missing policy is not.  A failure here means that
 * no mail was begun.
 */
bool	session_open(struct session *, size_t *at, struct failure *why);

/*
 * The log is told, and it is noted, that endpoint number next will be tried
 * instead of the last one, and why.
 */
void	session_leave(struct session *, size_t next,
	    const struct failure *why);

/*
 * The parts of it, for who wants to see more: the servers, by the DNS where
 * the account names none, into the route, and the proxy's secret; one server's
 * place; and a connection there that is told of each step.  Nothing is
 * verified for it, so no secret, and no certificate of ours, goes there.
 */
bool	session_find(struct session *, struct failure *why);
bool	session_place(struct session *, const struct endpoint *,
	    struct place *, struct failure *why);
bool	session_look(struct session *, const struct endpoint *,
	    const struct place *, const struct smtp_watch *,
	    struct failure *why);

/* The resolver of the session; opened when it is first wanted. */
struct dns *session_dns(struct session *);

/*
 * Is it open and fit for another mail, as far as can be seen without a word?
 * Then it may go on: its time counts anew, and what it needs is of the pool.
 */
bool	session_is_alive(struct session *);
void	session_begin_again(struct session *, struct pool *);

/* Takes leave; the session can be opened again. */
void	session_close(struct session *);

/* Closes, and wipes the secret. */
void	session_end(struct session *);

#endif
