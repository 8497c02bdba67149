/*
 * The connection to one client: lines and octets in, replies out, plain or
 * in TLS, with the transcript.  Nothing here blocks for more than five
 * minutes.  Replies wait in a buffer until more input is needed, so that a
 * pipelining client gets them in one piece.
 */
#ifndef SUBMITD_CONN_H
#define SUBMITD_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include "submitd_options.h"

enum {
	LINE_MAX_AUTH	 = 12288 + 64,	/* RFC 4954 section 4, and more */
	LINE_MAX_COMMAND = 2048,
};

enum line {
	LINE_OK,
	LINE_TOO_LONG,
	LINE_BARE_LF,		/* ended by LF without CR */
	LINE_CONTROL,		/* with a NUL or a CR in it */
	LINE_END,		/* nothing more will come */
};

enum ending {
	ENDING_POLITE,		/* close_notify, if in TLS, and FIN */
	ENDING_ABRUPT,		/* only FIN */
	ENDING_RESET,		/* RST */
};

struct conn;

/* Takes fd over, log_fd (-1: none) stays the caller's. NULL: no memory. */
struct conn *conn_new(int fd, int log_fd, const struct options *options);

/* Sends what waits, ends the connection in this way, and frees. */
void	conn_end(struct conn *conn, enum ending ending);

/*
 * The next line without its end, in memory that is overwritten by the next
 * call.  Of a line that is LINE_TOO_LONG nothing is left.
 */
enum line conn_line(struct conn *conn, char **line);

/* Some octets of input, at most max; 0: nothing more will come. */
size_t	conn_octets(struct conn *conn, const unsigned char **octets,
	    size_t max);

/* Gives the last n octets of conn_octets back. */
void	conn_unread(struct conn *conn, size_t n);

/* Input has arrived, and been buffered, that nobody has asked for yet. */
bool	conn_has_more(const struct conn *conn);

/* Adds a line (without CRLF) to the replies. */
void	conn_reply(struct conn *conn, const char *line);

/* Adds octets to the replies that are no part of the dialogue. */
void	conn_raw(struct conn *conn, const char *octets);

/* Sends the replies. */
void	conn_flush(struct conn *conn);

/* Waits for the client to go away, ignoring what it says. */
void	conn_ignore(struct conn *conn);

/*
 * Sends the replies, forgets the input that came too early and shakes hands.
 * The session belongs to the connection from here on.  After a failure only
 * conn_end(ENDING_ABRUPT) makes sense.
 */
bool	conn_starttls(struct conn *conn, gnutls_session_t session);

/* A fatal alert, where there is TLS. */
void	conn_alert(struct conn *conn);

/* NULL on a plain connection. */
gnutls_session_t conn_tls(const struct conn *conn);

/* A line of the transcript: kind is C, S, D, T, X or #. */
void	conn_log(const struct conn *conn, char kind, const char *text);

#endif
