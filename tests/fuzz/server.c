#include "server.h"
#include "buffer.h"
#include "clock.h"
#include "net.h"
#include "reply.h"
#include "signals.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECTIONS_MAX = 40, COMMAND_MAX = 64 * 1024 };

struct connection {
	bool lmtp;
	struct buffer out;		/* said, not yet heard */
	struct buffer line;		/* of a command */
	bool silent, gone, reset, deaf, stuck, broken;
	bool leaving;			/* has said 421: does nothing more */
	enum { COMMANDS, LOGIN, DATA, CHUNK } state;
	enum { MIDDLE, START, DOT, DOT_CR } at;	/* of the data */
	uint64_t left;			/* of a chunk */
	bool last, refused;		/* it is; one was */
	bool mail;
	size_t named[SERVED_MAX], nnamed;
	bool accepted[SERVED_MAX];	/* parallel to them */
};

struct server server;

static struct connection *connections[CONNECTIONS_MAX];
static size_t nconnections;
static milliseconds now;

/* --- time stands still but when it is waited for ---------------------------- */

milliseconds
clock_now(void)
{
	return now;
}

void
signals_begin(void)
{
}

int
signals_caught(void)
{
	return 0;
}

void
signals_watch(int fd, bool on)
{
	(void)fd, (void)on;
}

void
signals_child(void)
{
}

/* Descriptors of ours are negative, so that the system does nothing to them. */
static struct connection *
of_fd(int fd)
{
	size_t i = (size_t)(-2 - fd);

	assert(fd <= -2 && i < nconnections);
	return connections[i];
}

int
signals_poll(struct pollfd *fds, nfds_t n, milliseconds deadline)
{
	const struct connection *c;

	assert(n == 1);
	if (fds->fd >= 0)
		return 1;
	c = of_fd(fds->fd);
	if ((fds->events & POLLIN) != 0 &&
	    (buffer_len(&c->out) > 0 || c->gone || c->reset))
		return 1;
	if ((fds->events & POLLOUT) != 0 && !c->stuck)
		return 1;
	assert(deadline >= 0);
	if (deadline > now)
		now = deadline;
	return 0;
}

/* --- what it says ------------------------------------------------------------ */

static size_t
next_line(void)
{
	const char *p = server.script + server.at, *nl;
	size_t left = server.len - server.at;

	nl = left > 0 ? memchr(p, '\n', left) : NULL;
	return nl != NULL ? (size_t)(nl - p) + 1 : left;
}

/* 0: it is no line of a reply (RFC 5321 section 4.2). */
static int
code_of(const char *p, size_t len)
{
	if (len > 0 && p[len - 1] == '\r')
		len--;
	if (len < 3 || len > REPLY_LINE_MAX || p[0] < '2' || p[0] > '5' || p[1] < '0' ||
	    p[1] > '9' || p[2] < '0' || p[2] > '9' ||
	    (len > 3 && p[3] != ' ' && p[3] != '-'))
		return 0;
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + p[2] - '0';
}

/* Its code, or 0 when it is none: then nothing else is understood. */
static int
one_reply(struct connection *c)
{
	int code, first = 0, lines = 0;
	const char *p;
	size_t n;

	do {
		p = server.script + server.at;
		n = next_line();
		server.at += n;
		buffer_put(&c->out, p, n);
		if (n == 0 || p[n - 1] != '\n') {	/* never ends */
			c->gone = true;
			return 0;
		}
		code = code_of(p, n - 1);
		if (code == 0 || (first != 0 && first != code) ||
		    ++lines > 1000) {
			c->broken = true;
			return 0;
		}
		first = code;
	} while (n > 4 && p[3] == '-');
	return code;
}

/* True: it goes on to speak. */
static bool
mood(struct connection *c, char what)
{
	switch (what) {
	case '~':
		return !(c->silent = true);
	case '!':
		return !(c->gone = true);
	case '%':
		return !(c->reset = true);
	case '#':
		return c->deaf = true;
	default:
		return c->stuck = true;
	}
}

static int
say(struct connection *c)
{
	int code;

	while (server.at < server.len && !c->silent && !c->gone &&
	    !c->reset && !c->broken &&
	    strchr("~!%#=", server.script[server.at]) != NULL &&
	    server.script[server.at] != '\0') {
		if (!mood(c, server.script[server.at])) {
			server.at += next_line();
			return 0;
		}
		server.at += next_line();
	}
	if (c->silent || c->gone || c->reset || c->broken)
		return 0;
	if (server.at == server.len) {
		c->gone = true;
		return 0;
	}
	code = one_reply(c);
	while (server.at < server.len && server.script[server.at] == '+') {
		server.at++;
		server.tricky = true;
		(void)one_reply(c);
	}
	server.refused = server.refused || code / 100 == 5;
	c->leaving = code == 421;
	c->gone = c->gone || c->leaving;
	return code;
}

/* --- what it understands ----------------------------------------------------- */

struct served *
server_find(const char *path, size_t len)
{
	struct served *s;
	size_t i;

	for (i = 0; i < server.n; i++)
		if (strlen(server.served[i].path) == len &&
		    memcmp(server.served[i].path, path, len) == 0)
			return &server.served[i];
	if (server.n == SERVED_MAX || len >= sizeof s->path) {
		server.crowded = true;
		return NULL;
	}
	s = &server.served[server.n++];
	*s = (struct served){ .delivered = 0 };
	memcpy(s->path, path, len);
	return s;
}

static void
forget(struct connection *c)
{
	c->mail = false;
	c->nnamed = 0;
	c->refused = false;
	memset(c->accepted, 0, sizeof c->accepted);
}

/* Nobody may get the message after it has, or may have, come once. */
static void
settle(struct connection *c, size_t i, int code)
{
	struct served *s = &server.served[c->named[i]];

	s->exposed = true;
	if (!c->accepted[i])
		return;
	assert(!server.once || server.tricky ||
	    (s->delivered == 0 && s->maybe == 0));
	if (code / 100 == 2)
		s->delivered++;
	else if (code == 0 || code / 100 == 3)
		s->maybe++;
}

/* All of the data have come. */
static void
end_of_data(struct connection *c)
{
	size_t i;
	int code = 0;

	if (!c->lmtp)
		code = say(c);
	for (i = 0; i < c->nnamed; i++) {
		if (c->lmtp && c->accepted[i])
			code = say(c);
		settle(c, i, code);
	}
	forget(c);
	c->state = COMMANDS;
}

static void
name(struct connection *c, const char *line)
{
	const char *path = strchr(line, '<'), *p;
	struct served *s;
	bool quoted = false;

	if (path == NULL)
		return;
	for (p = ++path; *p != '\0' && (quoted || *p != '>'); p++) {
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	s = server_find(path, (size_t)(p - path));
	if (s == NULL || c->nnamed == SERVED_MAX) {
		server.crowded = true;
		(void)say(c);
		return;
	}
	c->named[c->nnamed] = (size_t)(s - server.served);
	c->accepted[c->nnamed++] = say(c) / 100 == 2 && c->mail;
}

static void
chunk(struct connection *c, const char *line)
{
	char *end;

	c->left = strtoull(line + 5, &end, 10);
	c->last = strcmp(end, " LAST") == 0;
	assert(server.tricky || c->last || *end == '\0');
	assert(server.tricky || !c->last || !c->refused);
	c->state = CHUNK;
}

static void
end_of_chunk(struct connection *c)
{
	c->state = COMMANDS;
	if (c->last)
		end_of_data(c);
	else if (say(c) / 100 != 2)
		c->refused = true;
}

static void	command(struct connection *, const char *);

static void
take_line(struct connection *c)
{
	const char *p = buffer_data(&c->line);
	size_t len = buffer_len(&c->line);
	char line[COMMAND_MAX + 1];

	assert(len <= COMMAND_MAX);
	assert(server.tricky || (len >= 2 && p[len - 2] == '\r'));
	assert(server.tricky || memchr(p, '\r', len) == p + len - 2);
	assert(server.tricky || memchr(p, '\0', len) == NULL);
	len -= len >= 2 && p[len - 2] == '\r' ? 2 : 1;
	memcpy(line, p, len);
	line[len] = '\0';
	buffer_free(&c->line);
	command(c, line);
}

static bool
is(const char *line, const char *verb)
{
	size_t n = strlen(verb);

	return strncmp(line, verb, n) == 0 &&
	    (line[n] == '\0' || line[n] == ' ');
}

static void
command(struct connection *c, const char *line)
{
	if (c->state == LOGIN || is(line, "AUTH")) {
		c->state = say(c) == 334 ? LOGIN : COMMANDS;
	} else if (is(line, "MAIL")) {
		forget(c);
		c->mail = say(c) / 100 == 2;
	} else if (is(line, "RCPT")) {
		name(c, line);
	} else if (is(line, "DATA")) {
		c->at = START;
		c->state = say(c) == 354 ? DATA : COMMANDS;
	} else if (is(line, "BDAT")) {
		chunk(c, line);
	} else if (is(line, "QUIT")) {
		(void)say(c);
		c->gone = true;
	} else {
		assert(server.tricky || is(line, "EHLO") ||
		    is(line, "LHLO") || is(line, "HELO") || is(line, "RSET"));
		forget(c);
		(void)say(c);
	}
}

/* How many octets of p belong to the data; they end when the state changes. */
static size_t
take_data(struct connection *c, const char *p, size_t len)
{
	const char *nl;
	size_t i;

	for (i = 0; i < len && c->state == DATA; i++) {
		if (c->at == MIDDLE) {
			nl = memchr(p + i, '\n', len - i);
			if (nl == NULL)
				return len;
			i = (size_t)(nl - p);
			c->at = START;
		} else if (c->at == START) {
			c->at = p[i] == '.' ? DOT : p[i] == '\n' ? START :
			    MIDDLE;
		} else if (c->at == DOT) {
			c->at = p[i] == '\r' ? DOT_CR : MIDDLE;
		} else if (p[i] == '\n') {
			end_of_data(c);
		} else {
			c->at = MIDDLE;
		}
	}
	return i;
}

static size_t
take_chunk(struct connection *c, size_t len)
{
	if (len > c->left)
		len = (size_t)c->left;
	c->left -= len;
	if (c->left == 0)
		end_of_chunk(c);
	return len;
}

static size_t
take_command(struct connection *c, const char *p, size_t len)
{
	const char *nl = memchr(p, '\n', len);
	size_t n = nl != NULL ? (size_t)(nl - p) + 1 : len;

	buffer_put(&c->line, p, n);
	if (nl != NULL)
		take_line(c);
	return n;
}

static void
take(struct connection *c, const char *p, size_t len)
{
	size_t n;

	for (; len > 0 && !c->leaving; p += n, len -= n) {
		n = c->state == DATA ? take_data(c, p, len) :
		    c->state == CHUNK ? take_chunk(c, len) :
		    take_command(c, p, len);
		if (c->state == CHUNK && c->left == 0)
			end_of_chunk(c);	/* BDAT 0 */
	}
}

/* --- the connection ----------------------------------------------------------- */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static enum transport_state
hear(void *context, char *p, size_t room, size_t *done, struct failure *why)
{
	struct connection *c = context;
	size_t n = least(least(room, server.read_most), buffer_len(&c->out));

	now += server.slow;
	if (n > 0) {
		memcpy(p, buffer_data(&c->out), n);
		buffer_take(&c->out, n);
		*done = n;
		return TRANSPORT_DONE;
	}
	if (c->reset) {
		(void)fail(why, FAILURE_LOST, "connection lost");
		return TRANSPORT_FAILED;
	}
	return c->gone ? TRANSPORT_END : TRANSPORT_WANT_READ;
}

static enum transport_state
write_to(void *context, const char *p, size_t len, size_t *done,
    struct failure *why)
{
	struct connection *c = context;

	if (c->deaf) {
		(void)fail(why, FAILURE_LOST, "connection lost");
		return TRANSPORT_FAILED;
	}
	if (c->stuck)
		return TRANSPORT_WANT_WRITE;
	*done = least(len, server.write_most);
	take(c, p, *done);
	return TRANSPORT_DONE;
}

bool
net_connect(const struct endpoint *e, const struct place *place,
    const struct net_params *params, struct pool *pool,
    struct stream **stream, struct net_facts *facts, struct failure *why)
{
	struct connection *c;
	struct transport transport = { hear, write_to, NULL };

	(void)place, (void)params, (void)pool;
	if (server.at < server.len && server.script[server.at] == '@') {
		server.at += next_line();
		return fail(why, FAILURE_CONNECT, "refused");
	}
	if (server.at == server.len || nconnections == CONNECTIONS_MAX)
		return fail(why, FAILURE_CONNECT, "nobody is there");
	c = calloc(1, sizeof *c);
	assert(c != NULL);
	c->lmtp = e->lmtp;
	connections[nconnections++] = c;
	*facts = (struct net_facts){ .host = e->host, .address = "memory",
	    .is_unix = true };
	*stream = stream_new(-1 - (int)nconnections, "server");
	transport.context = c;
	(void)stream_switch(*stream, &transport, why);
	(void)say(c);
	return true;
}

void
server_begin(const struct server *how)
{
	server = *how;
	now = 1000000;
}

void
server_end(void)
{
	while (nconnections > 0) {
		nconnections--;
		buffer_free(&connections[nconnections]->out);
		buffer_free(&connections[nconnections]->line);
		free(connections[nconnections]);
	}
}
