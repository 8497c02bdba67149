/*
 * The session of RFC 5321 and 6409, up to the point where mail can be sent:
 * greeting, EHLO, STARTTLS (RFC 3207), AUTH (RFC 4954).  It knows no file, no
 * command line, no configuration.  transaction.h goes on from there.
 */
#ifndef SMTP_H
#define SMTP_H

#include <stdbool.h>
#include <stddef.h>

#include "dialogue.h"
#include "failure.h"
#include "memory.h"
#include "pool.h"
#include "reply.h"
#include "sasl.h"
#include "stage.h"
#include "stream.h"
#include "tls.h"
#include "url.h"

/* Where the octets travel, as the connection has shown. */
enum path_kind { PATH_NETWORK, PATH_LOOPBACK, PATH_UNIX };

/*
 * Where the token is from: asked when a server refuses it, and no more after
 * that, for another to be put into the words of the parameters.
 */
struct smtp_renewal {
	bool (*renew)(void *, struct failure *);
	void *context;
	bool spent;
	const char *command;		/* that prints it, for error texts */
};

/* Who looks on: told of each step that is done, and of each keyword of EHLO. */
struct smtp_watch {
	void (*done)(void *, enum step, milliseconds, const struct reply *);
	void (*keyword)(void *, const char *, size_t len);
	void *context;
};

struct smtp_params {
	enum security security;
	bool lmtp;			/* RFC 2033 */
	const char *hello;		/* for EHLO */
	struct tls_params tls;
	bool login;			/* AUTH is wanted, or nothing is sent */
	enum path_kind path_kind;
	struct sasl_policy sasl;
	const char *user;
	const char *host, *port;	/* of the server, or NULL */
	struct sasl_words words;	/* password NULL: there is none */
	bool guarded;			/* the account's file is not for whoever
					   sees the transcript */
	const struct smtp_renewal *renewal;	/* of a token, or NULL */
	int timeout_reply;		/* seconds for every step; 0: RFC 5321's */
	const struct sight *seen;	/* what it has offered before, or NULL */
	const char *accept;		/* the command that forgets it */
	const struct smtp_watch *watch;	/* or NULL */
	enum stage last;		/* nothing is said after it */
};

/* What was learnt on the way, for the log; also when something failed. */
struct smtp_facts {
	struct tls_facts tls;		/* version NULL: no TLS */
	const char *mechanism;		/* logged in with, or NULL */
	const char *strongest;		/* offered, or NULL */
	const char *converted;		/* of the last message (message.h) */
	milliseconds greeting_ms, tls_ms, auth_ms;	/* durations */
};

struct smtp {
	struct dialogue talk;
	const struct smtp_params *params;
	struct capabilities can;	/* of the last EHLO */
	struct smtp_facts *facts;
	struct tls *tls;
	struct pool *pool;
	bool talked;			/* EHLO was understood once */
	bool greeted;			/* the server may be spoken to */
	bool stopped;			/* params->last has been reached */
	bool needs_reset;		/* a transaction did not end */
	size_t mails;			/* MAIL commands that were said */
	bool token_refused;		/* the last one that was shown */
	bool token_unheard;		/* it is another since, and this
					   connection has no verdict on it */
};

/*
 * Greeting, EHLO, STARTTLS, EHLO, AUTH, as far as the parameters ask for it.
 * The stream is connected and stays the caller's.  smtp_end() is called in
 * any case.  A failure here means that no mail was begun.
 *
 * It ends with params->last, where that is none of mail; FAILURE_TLS_MISSING
 * or FAILURE_NO_MECHANISM when there is no such step on this connection.
 */
bool	smtp_begin(struct smtp *, struct stream *, const struct smtp_params *,
	    struct pool *, struct smtp_facts *, struct failure *why);

/*
 * The handshake, after the server's 220 to a STARTTLS.  What the server has
 * said before is no longer known.
 */
bool	smtp_secure(struct smtp *, struct failure *why);

/*
 * Is the connection, as its parameters have it, one for a secret: through TLS
 * that is verified, or where nobody listens?  Else FAILURE_CONFIG.
 */
bool	smtp_is_safe(const struct smtp *, struct failure *why);

/* Has the server had as many MAILs as it takes (RFC 9422, MAILMAX)? */
bool	smtp_is_spent(const struct smtp *);

/*
 * Takes leave as far as the dialogue is in step, waits for nothing, and ends
 * TLS; the stream can no longer be used.
 */
void	smtp_end(struct smtp *);

#endif
