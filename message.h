/*
 * The message: all of standard input, normalised while it is read, with the
 * facts that later decisions need.  After message_read() the message is ours
 * to lose.
 *
 * Line ends become CRLF (a bare CR: CRLF in the body, a blank in the header),
 * the last line gets its end, an mbox "From " line on top is dropped, and the
 * header ends at a blank line or at the first line that is no field.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "failure.h"
#include "header.h"
#include "input.h"
#include "pool.h"
#include "spool.h"

enum {
	MESSAGE_HEADER_MAX = 16 * 1024 * 1024,	/* octets */
	MESSAGE_LINE_MAX = 998			/* RFC 5322 section 2.1.1 */
};

struct message {
	struct buffer header;		/* as it came, normalised */
	struct field *fields;		/* into header */
	size_t nfields;
	struct spool *body;
	bool header_8bit;		/* of what goes out, once composed */
	bool header_nul;
	bool body_8bit;
	bool body_nul;
	bool dots;			/* some line begins with a dot */
	size_t longest;			/* line, octets without CRLF */
	bool mbox;			/* a "From " line on top was dropped */
	bool ended_by_dot;		/* a lone dot ended the input */
	bool more_after_dot;		/* and something stood behind it */
	struct buffer head;		/* what message_compose() made */
	const char *converted;		/* what convert.h has changed, or NULL:
					   "header", "body", "header,body" */
};

/*
 * Reads the input to its end.  dot_ends: a line with a dot alone ends the
 * input and ".." at the start of a line stands for "." (sendmail without -i).
 * The room is for large messages, as in spool.h.  Fails with FAILURE_NOINPUT
 * when fd is closed, FAILURE_INPUT when reading or spooling fails,
 * FAILURE_INTERRUPTED, and FAILURE_MESSAGE for a header without end.
 */
bool	message_read(struct input *, bool dot_ends, struct spool_room *,
	    struct pool *, struct message **, struct failure *why);

/* An empty one, for who plans a session without mail.  Fails as above. */
bool	message_none(struct message **, struct pool *, struct failure *why);

void	message_free(struct message *);			/* takes NULL */

/* The first field of that name, or NULL. */
const struct field *message_field(const struct message *, const char *name);

/*
 * Would a change break a signature: DKIM (RFC 6376), ARC (RFC 8617),
 * multipart/signed (RFC 1847), S/MIME (RFC 8551)?
 */
bool	message_is_signed(const struct message *, struct pool *);

/*
 * Settles what goes out: the prologue (whole header lines with CRLF), then
 * each field, or what instead[i] has for it ("" for nothing; instead itself
 * may be NULL), the separator, and the body.
 */
void	message_compose(struct message *, const char *prologue,
	    const char *const *instead);

/* The fields of the header that it has made, into it; n of them. */
struct field *message_head(const struct message *, size_t *n, struct pool *);

/* Of what message_compose() settled, in octets. */
uint64_t message_size(const struct message *);

/* Up to room octets from offset on; *n is 0 only at the end. */
bool	message_octets(const struct message *, uint64_t offset, char *,
	    size_t room, size_t *n, struct failure *why);

#endif
