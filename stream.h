/*
 * One connection: buffers, a deadline for each step, and the transport (the
 * socket, then perhaps TLS) beneath.  Only reader and writer of the connection.
 *
 * It reads while it writes, so a server that will not read on before its
 * replies are taken cannot stop us.  The first error is the one reported,
 * with one exception: when writing fails, what the server had said before is
 * still heard, for a 550 or 421 in it is the cause.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "failure.h"

struct stream;

enum transport_state {
	TRANSPORT_DONE,			/* *done octets, at least one */
	TRANSPORT_WANT_READ,		/* again when the socket can be read */
	TRANSPORT_WANT_WRITE,
	TRANSPORT_END,			/* the other side has ended, in order */
	TRANSPORT_FAILED,		/* *why says how */
};

/* What carries octets; never blocks.  Texts in *why carry no peer name. */
struct transport {
	enum transport_state (*read)(void *, char *, size_t room,
	    size_t *done, struct failure *why);
	enum transport_state (*write)(void *, const char *, size_t len,
	    size_t *done, struct failure *why);
	void *context;
};

/*
 * Takes the connected, non-blocking descriptor.  peer, "host[address]:port",
 * is for error texts and copied.
 */
struct stream *stream_new(int fd, const char *peer);
void	stream_free(struct stream *);			/* takes NULL */

int	stream_fd(const struct stream *);
const char *stream_peer(const struct stream *);

/* When the whole session must have ended, on clock_now(). */
void	stream_session(struct stream *, milliseconds deadline);

/*
 * Begins a step of the dialogue: what is being done, for error texts
 * ("awaiting the greeting"; not copied), and how long all of it may take.
 * No octet that arrives makes the deadline later.
 */
void	stream_step(struct stream *, const char *doing, int seconds);

/*
 * Fills *why as fail() does, with the peer and the step in front:
 * "host[address]:port: awaiting the greeting: ...".  Returns false.
 */
bool	stream_fail(const struct stream *, struct failure *why,
	    enum failure_kind, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/*
 * From now on the octets go through another transport; none may be queued.
 * Whatever was received through the old one and not yet taken is an attack or a
 * broken server: that fails with FAILURE_PROTOCOL (RFC 3207; CVE-2021-38371 and
 * its family).
 */
bool	stream_switch(struct stream *, const struct transport *,
	    struct failure *why);

/* Waits until the socket can be read or written; false at the deadline. */
bool	stream_wait(struct stream *, enum transport_state, struct failure *);

/*
 * The next line without its line end, which may be LF alone: valid until the
 * next call.  A line of more than max octets is FAILURE_PROTOCOL; the end of
 * the connection is FAILURE_LOST.
 */
bool	stream_line(struct stream *, size_t max, const char **line,
	    size_t *len, struct failure *why);

/* Overwrites the input that was taken: there was a secret in it. */
void	stream_wipe_taken(struct stream *);

/* Has the server said something that was not taken yet?  Never waits. */
bool	stream_has_input(struct stream *);

/* The same for a line to its end, or what is too long for one. */
bool	stream_has_line(struct stream *);

/* Will nothing more come in?  stream_line() says why, after the last line. */
bool	stream_has_ended(const struct stream *);

/*
 * Queues octets; how many they are.  Of secret ones nothing is left here once
 * all that is queued has been sent.
 */
void	stream_put(struct stream *, const char *, size_t len);
void	stream_put_secret(struct stream *, const char *, size_t len);
size_t	stream_queued(const struct stream *);

/*
 * The same in two steps, without a copy: room for n octets, valid until the
 * next call, and how many of them are queued.
 */
char	*stream_room(struct stream *, size_t n);
void	stream_added(struct stream *, size_t n);

/*
 * Sends all that is queued.  An error of the connection is not told here but
 * by the stream_line() that follows, after the server's last words; false
 * means that the deadline has passed or a signal has come.
 */
bool	stream_flush(struct stream *, struct failure *why);

/*
 * Marks the end of what is queued.  Has all before the last mark been handed to
 * the system?  When the answer is no, the server cannot have all of it.
 */
void	stream_mark(struct stream *);
bool	stream_has_sent(const struct stream *);

/* Has writing failed?  Then there is no sense in sending more. */
bool	stream_is_broken(const struct stream *);

#endif
