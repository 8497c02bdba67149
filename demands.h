/*
 * What a mail asks of the server besides RFC 5321, and the parameters of MAIL
 * and RCPT by which it does: SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8
 * (RFC 6531), REQUIRETLS (RFC 8689), DSN (RFC 3461), DELIVERBY (RFC 2852),
 * FUTURERELEASE (RFC 4865), MT-PRIORITY (RFC 6710).
 */
#ifndef DEMANDS_H
#define DEMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "convert.h"
#include "envelope.h"
#include "failure.h"
#include "message.h"
#include "smtp.h"

struct demands {
	uint64_t size;			/* octets; 0: not known */
	bool body_8bit;
	bool header_8bit;
};

/* Those of a message that has been composed. */
struct demands demands_of(const struct message *);

/*
 * The message as this server can take it, for convert_end(); it is composed.
 * Fails as convert_message() does.
 */
bool	demands_fit(const struct smtp *, const struct envelope *,
	    const struct message *, const struct message **fit, struct pool *,
	    struct failure *why);

/*
 * Can the server be asked to take this?  FAILURE_DATA when it is too large,
 * FAILURE_REQUIRETLS, or FAILURE_EXTENSION for one that another server may
 * have; FAILURE_USAGE when the terms contradict each other.
 */
bool	demands_met(const struct demands *, const struct envelope *,
	    const struct smtp *, struct failure *why);

/* The same for an address that holds more than ASCII. */
bool	demands_met_utf8(bool utf8, const char *path, const struct smtp *,
	    struct failure *why);

/*
 * MAIL and RCPT as this server is to hear them, with no more parameters than
 * it offers, appended without a line end.  who: indices of the recipients
 * that will be named, or NULL for all n of the envelope.
 */
void	demands_put_mail(const struct demands *, const struct envelope *,
	    const size_t *who, size_t n, const struct smtp *,
	    struct buffer *);
void	demands_put_rcpt(const struct envelope *, const struct recipient *,
	    const struct smtp *, struct buffer *);

/* A warning when notifications are wished for and not to be had (RFC 3461). */
void	demands_note_dsn(const struct envelope *, const struct smtp *);

#endif
