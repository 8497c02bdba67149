/*
 * One session: what the client has said so far, and the way to answer it.
 */
#ifndef SUBMITD_SESSION_H
#define SUBMITD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "submitd_conn.h"
#include "submitd_options.h"
#include "submitd_path.h"
#include "submitd_store.h"
#include "submitd_tls.h"

struct recipient {
	char *text;			/* "<path> PARAMETERS" as it came */
	struct asked late;		/* LMTP's reply, if its code is not 0 */
};

/* From MAIL to the end of the data. */
struct transaction {
	char *sender;			/* as it came; NULL: there is none */
	bool smtputf8;
	bool was_refused;		/* a BDAT failed: RSET is due */
	struct recipient *recipients;
	size_t count;
	struct store *store;		/* the message, once data has come */
	bool is_bdat;
};

struct session {
	const struct options *options;
	const struct tls *tls;
	struct conn *conn;
	bool is_local;			/* unix socket */

	char hello[256];		/* "" before EHLO */
	bool is_lmtp;
	uint32_t announced;		/* set of extensions */

	const char *mechanism;		/* NULL: not authenticated */
	char user[256];

	size_t mails;			/* MAIL commands, also refused ones */
	char domains[MAX_DOMAINS][256];	/* of the recipients so far, */
	size_t domains_count;		/* when they are limited */
	struct transaction mail;

	bool is_over;
	enum ending ending;
};

bool	session_announced(const struct session *s, enum extension extension);
bool	session_fault(const struct session *s, enum fault fault);

/* After the present command the session ends in this way. */
void	session_stop(struct session *s, enum ending ending);

/*
 * One reply of one line.  The enhanced code is left out when it is "" or
 * when there was no ENHANCEDSTATUSCODES.  A 421 also ends the session.
 */
void	session_reply(struct session *s, int code, const char *enhanced,
	    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A reply that somebody has asked for. */
void	session_reply_asked(struct session *s, const struct asked *asked);

/* Forgets the transaction, as RSET does. */
void	session_reset(struct session *s);

/* Forgets all that the client has said (RFC 3207 section 4.2). */
void	session_forget(struct session *s);

#endif
