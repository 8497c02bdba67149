#include "submitd_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "submitd_tls.h"

enum {
	PATIENCE_SECONDS = 300,
	LINGER_MS	 = 1000,
	BUFFER_OCTETS	 = 128 << 10,
	TRIES		 = 16,	/* records without data, or interruptions */
};

struct conn {
	int fd, log_fd;
	const struct options *options;
	gnutls_session_t tls;
	bool is_broken;
	size_t received;
	size_t in_begin, in_end, out_end;
	size_t raw_begin, raw_end;	/* records that are not opened yet */
	unsigned char in[BUFFER_OCTETS];
	unsigned char raw[BUFFER_OCTETS];
	char out[BUFFER_OCTETS];
	char line[LINE_MAX_AUTH + 1];
};

struct conn *
conn_new(int fd, int log_fd, const struct options *options)
{
	const struct timeval patience = { PATIENCE_SECONDS, 0 };
	struct conn *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->fd = fd;
	c->log_fd = log_fd;
	c->options = options;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof patience);
	return c;
}

void
conn_log(const struct conn *c, char kind, const char *text)
{
	char line[LINE_MAX_AUTH + 8];
	int n;

	if (c->log_fd < 0)
		return;
	n = snprintf(line, sizeof line, "%c%s%s\n", kind,
	    kind == 'C' || kind == 'S' ? ": " : " ", text);
	if (n >= (int)sizeof line)
		n = sizeof line - 1;
	if (n > 0 && write(c->log_fd, line, (size_t)n) < 0)
		return;		/* a transcript is not worth a session */
}

/* --- octets of the network --- */

static ssize_t
receive(struct conn *c, void *to, size_t room)
{
	if (c->tls != NULL)
		return gnutls_record_recv(c->tls, to, room);
	return recv(c->fd, to, room, 0);
}

static ssize_t
transmit(struct conn *c, const void *from, size_t n)
{
	if (c->tls != NULL)
		return gnutls_record_send(c->tls, from, n);
	return send(c->fd, from, n, MSG_NOSIGNAL);
}

static bool
is_passing(const struct conn *c, ssize_t result)
{
	if (c->tls != NULL)
		return result == GNUTLS_E_AGAIN ||
		    result == GNUTLS_E_INTERRUPTED;
	return result < 0 && errno == EINTR;
}

void
conn_flush(struct conn *c)
{
	size_t done = 0;

	for (int i = 0; i < TRIES && done < c->out_end && !c->is_broken;) {
		ssize_t n = transmit(c, c->out + done, c->out_end - done);

		if (n > 0)
			done += (size_t)n;
		else if (is_passing(c, n))
			i++;
		else
			c->is_broken = true;
	}
	c->out_end = 0;
}

/* For --stop-reading-after: waits until the peer has gone, or we must. */

static void
stand_still(const struct conn *c)
{
	struct pollfd p = { c->fd, 0, 0 };

	(void)poll(&p, 1, PATIENCE_SECONDS * 1000);
}

static size_t
room_to_read(struct conn *c)
{
	size_t limit = c->options->stop_reading_after;

	if (limit == 0 || limit - c->received > BUFFER_OCTETS)
		return BUFFER_OCTETS;
	return limit - c->received;
}

/* Fills the empty input buffer; false when there is nothing more. */

static bool
fill(struct conn *c)
{
	size_t room = room_to_read(c);
	ssize_t n = -1;

	conn_flush(c);
	if (room == 0)
		stand_still(c);
	for (int i = 0; i < TRIES && !c->is_broken && room > 0; i++) {
		n = receive(c, c->in, room);
		if (n >= 0 || !is_passing(c, n))
			break;
	}
	if (n <= 0) {
		c->is_broken = true;
		return false;
	}
	c->in_begin = 0;
	c->in_end = (size_t)n;
	c->received += (size_t)n;
	return true;
}

/* --- input --- */

size_t
conn_octets(struct conn *c, const unsigned char **octets, size_t max)
{
	size_t n;

	if (c->in_begin == c->in_end && !fill(c))
		return 0;
	n = c->in_end - c->in_begin;
	if (n > max)
		n = max;
	*octets = c->in + c->in_begin;
	c->in_begin += n;
	return n;
}

void
conn_unread(struct conn *c, size_t n)
{
	c->in_begin -= n;
}

bool
conn_has_more(const struct conn *c)
{
	return c->in_begin < c->in_end || c->raw_begin < c->raw_end ||
	    (c->tls != NULL && gnutls_record_check_pending(c->tls) > 0);
}

/* Of a part of the input up to and with LF, or all that there is. */

static size_t
part_of_line(struct conn *c, const unsigned char **part)
{
	size_t n = conn_octets(c, part, BUFFER_OCTETS);
	const unsigned char *lf = n > 0 ? memchr(*part, '\n', n) : NULL;
	size_t used = lf != NULL ? (size_t)(lf - *part) + 1 : n;

	conn_unread(c, n - used);
	return used;
}

static enum line
judge_line(struct conn *c, size_t n)
{
	enum line result = LINE_OK;

	if (n < 2 || c->line[n - 2] != '\r')
		result = LINE_BARE_LF;
	else if (memchr(c->line, '\r', n - 2) != NULL ||
	    memchr(c->line, '\0', n) != NULL)
		result = LINE_CONTROL;
	c->line[result == LINE_BARE_LF ? n - 1 : n - 2] = '\0';
	return result;
}

enum line
conn_line(struct conn *c, char **line)
{
	const unsigned char *part;
	size_t n, total = 0;
	bool is_long = false;
	enum line result;

	*line = c->line;
	do {
		n = part_of_line(c, &part);
		if (n == 0)
			return LINE_END;
		is_long |= n > LINE_MAX_AUTH - total;
		if (!is_long) {
			memcpy(c->line + total, part, n);
			total += n;
		}
	} while (part[n - 1] != '\n');
	if (is_long) {
		c->line[0] = '\0';
		conn_log(c, '#', "a line that is too long");
		return LINE_TOO_LONG;
	}
	result = judge_line(c, total);
	conn_log(c, 'C', c->line);
	return result;
}

void
conn_ignore(struct conn *c)
{
	const unsigned char *octets;

	while (conn_octets(c, &octets, BUFFER_OCTETS) > 0)
		;
}

/* --- output --- */

void
conn_raw(struct conn *c, const char *octets)
{
	size_t n = strlen(octets);

	if (n > sizeof c->out - c->out_end)
		conn_flush(c);
	if (n > sizeof c->out - c->out_end)
		n = sizeof c->out - c->out_end;
	memcpy(c->out + c->out_end, octets, n);
	c->out_end += n;
}

void
conn_reply(struct conn *c, const char *line)
{
	const size_t ms = c->options->delay;
	const struct timespec delay = {
		(time_t)(ms / 1000), (long)(ms % 1000) * 1000000
	};

	if (ms > 0) {
		conn_flush(c);
		(void)nanosleep(&delay, NULL);
	}
	conn_log(c, 'S', line);
	conn_raw(c, line);
	conn_raw(c, "\r\n");
}

/* --- TLS --- */

/*
 * GnuTLS asks for each record in two parts; the socket is read in larger
 * ones, unless it is a matter of how much is read.
 */
static ssize_t
pull(gnutls_transport_ptr_t context, void *to, size_t room)
{
	struct conn *c = context;
	size_t n = c->raw_end - c->raw_begin;
	ssize_t got;

	if (n == 0 && (c->options->small_buffers ||
	    c->options->stop_reading_after > 0))
		return recv(c->fd, to, room, 0);
	if (n == 0) {
		got = recv(c->fd, c->raw, sizeof c->raw, 0);
		if (got <= 0)
			return got;
		c->raw_begin = 0;
		c->raw_end = n = (size_t)got;
	}
	if (n > room)
		n = room;
	memcpy(to, c->raw + c->raw_begin, n);
	c->raw_begin += n;
	return (ssize_t)n;
}

static void
log_session(const struct conn *c)
{
	char name[256], text[1024];
	char client[256] = "";

	tls_server_name(c->tls, name, sizeof name);
	(void)tls_identity(c->tls, client, sizeof client);
	conn_log(c, 'T', tls_version(c->tls));
	(void)snprintf(text, sizeof text, "server name \"%s\", client \"%s\"",
	    name, client);
	conn_log(c, '#', text);
}

bool
conn_starttls(struct conn *c, gnutls_session_t session)
{
	int result;

	conn_flush(c);
	c->in_begin = c->in_end = 0;	/* RFC 3207 section 4.2 */
	c->tls = session;
	gnutls_transport_set_ptr2(session, c,
	    (gnutls_transport_ptr_t)(intptr_t)c->fd);
	gnutls_transport_set_pull_function(session, pull);
	do {
		result = gnutls_handshake(session);
	} while (result < 0 && gnutls_error_is_fatal(result) == 0 &&
	    result != GNUTLS_E_AGAIN);
	if (result == 0) {
		log_session(c);
		return true;
	}
	(void)gnutls_alert_send_appropriate(session, result);
	conn_log(c, '#', gnutls_strerror(result));
	c->is_broken = true;
	return false;
}

void
conn_alert(struct conn *c)
{
	conn_flush(c);
	if (c->tls != NULL)
		(void)gnutls_alert_send(c->tls, GNUTLS_AL_FATAL,
		    GNUTLS_A_ACCESS_DENIED);
}

gnutls_session_t
conn_tls(const struct conn *c)
{
	return c->tls;
}

/* --- the end --- */

/*
 * Unread input would turn our FIN into a RST, which may take the last reply
 * away from the client.
 */
static void
linger(int fd)
{
	char waste[4096];
	struct pollfd p = { fd, POLLIN, 0 };

	(void)shutdown(fd, SHUT_WR);
	for (int i = 0; i < 4096; i++) {
		if (poll(&p, 1, LINGER_MS) != 1 ||
		    recv(fd, waste, sizeof waste, 0) <= 0)
			break;
	}
}

void
conn_end(struct conn *c, enum ending ending)
{
	const struct linger reset = { 1, 0 };

	conn_flush(c);
	if (ending != ENDING_POLITE)
		conn_log(c, 'X', "");
	if (ending == ENDING_POLITE && c->tls != NULL && !c->is_broken)
		(void)gnutls_bye(c->tls, GNUTLS_SHUT_WR);
	if (ending == ENDING_RESET)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset,
		    sizeof reset);
	else
		linger(c->fd);
	if (c->tls != NULL)
		gnutls_deinit(c->tls);
	(void)close(c->fd);
	free(c);
}
