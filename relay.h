/*
 * A caller's SMTP dialogue passed on, command by command, to the servers of
 * the accounts: each is answered with what the server has said.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "caller.h"
#include "clock.h"
#include "command.h"
#include "config.h"
#include "input.h"
#include "options.h"
#include "peer.h"
#include "pool.h"

/* What the caller is told: one line, "550 5.1.1 no such user". */
struct answer {
	enum failure_kind kind;		/* FAILURE_NONE for a 2yz */
	int code;
	char text[1200];
};

struct relay;

/*
 * The peer is the caller whose accounts these are (accounts_bar() has been
 * told) and whom the log names.  broken: why the configuration cannot be used;
 * or NULL.
 */
struct relay *relay_new(const struct options *, const struct caller *,
	    const struct peer *, struct config *, const struct failure *broken,
	    const char *program);
void	relay_free(struct relay *);			/* takes NULL */

/*
 * True when the answer is a 2yz.  421: whether the server has the message is
 * not known, and the caller's dialogue must end.
 */
bool	relay_mail(struct relay *, const char *text, struct answer *);
bool	relay_rcpt(struct relay *, const char *text, struct answer *);

/* Is there a MAIL; how many recipients were accepted after it? */
bool	relay_has_mail(const struct relay *);
size_t	relay_recipients(const struct relay *);

/*
 * The message (its octets, all of them behind input->more) goes to each
 * server that has accepted recipients; ends the transaction.
 */
bool	relay_data(struct relay *, struct input *, struct answer *);

/* Forgets the transaction; connections stay. */
void	relay_reset(struct relay *);

#endif
