#include "serve.h"
#include "accounts.h"
#include "buffer.h"
#include "input.h"
#include "log.h"
#include "relay.h"
#include "spool.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	COMMAND_MAX = 64 * 1024,	/* octets of a command line */
	BLOCK_ROOM = 64 * 1024
};

struct serve {
	struct relay *relay;
	const struct caller *caller;
	struct input in;
	struct buffer out;
	enum { LINES_UNKNOWN, LINES_LF, LINES_CRLF } lines;
	bool over;			/* QUIT, or nobody is there */
	struct spool *content;		/* of DATA or BDAT; NULL: none begun */
	bool content_failed;		/* it could not be spooled */
	bool chunked;			/* BDAT has begun, DATA may not come */
	struct failure why;
};

static void
put(struct serve *s, const char *line)
{
	buffer_printf(&s->out, "%s\r\n", line);
}

static void
put_answer(struct serve *s, const struct answer *a)
{
	put(s, a->text);
}

/* Replies wait until the caller has nothing more to say for the moment. */
static void
flush(struct serve *s)
{
	ssize_t n;

	while (buffer_len(&s->out) > 0) {
		n = write(STDOUT_FILENO, buffer_data(&s->out),
		    buffer_len(&s->out));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			(void)poll(&(struct pollfd){ .fd = STDOUT_FILENO,
			    .events = POLLOUT }, 1, 1000);
			continue;
		}
		if (n < 0) {
			s->over = true;
			buffer_free(&s->out);
			return;
		}
		buffer_take(&s->out, (size_t)n);
	}
}

static bool
more(struct serve *s)
{
	flush(s);
	return !s->over && input_more(&s->in, &s->why) && !s->in.eof;
}

/* --- the content of a message ---------------------------------------------*/

static void
keep_octets(struct serve *s, const char *p, size_t len)
{
	if (!s->content_failed && !spool_put(s->content, p, len, &s->why))
		s->content_failed = true;
}

static void
drop_content(struct serve *s)
{
	spool_free(s->content);
	s->content = NULL;
	s->content_failed = false;
	s->chunked = false;
}

/*
 * What stands at the start of a line, as far as it has been read: 0 wait for
 * more, -1 the end of the data (of *len octets), else the octets to pass over.
 */
static int
line_start(struct serve *s, size_t *len)
{
	const char *end = s->lines == LINES_CRLF ? ".\r\n" : ".\n";
	size_t want = strlen(end), have = buffer_len(&s->in.octets);
	const char *p = buffer_data(&s->in.octets);

	*len = want;
	if (have == 0)
		return 0;
	if (have < want && memcmp(p, end, have) == 0)
		return 0;
	return have >= want && memcmp(p, end, want) == 0 ? -1 : 1;
}

/*
 * DATA up to the dot that stands alone between two line ends of the caller's
 * own kind; line ends of the other kind are data.  False at the end of input.
 */
static bool
take_data(struct serve *s)
{
	bool at_start = true;
	char last = '\0';
	const char *p, *nl;
	size_t n, len;
	int what;

	for (;;) {
		while (at_start && (what = line_start(s, &len)) <= 0) {
			if (what < 0) {
				buffer_take(&s->in.octets, len);
				return true;
			}
			if (!more(s))
				return false;
		}
		if (buffer_len(&s->in.octets) == 0 && !more(s))
			return false;
		p = buffer_data(&s->in.octets);
		if (at_start && *p == '.') {	/* RFC 5321 section 4.5.2 */
			buffer_take(&s->in.octets, 1);
			at_start = false;
			last = '\0';
			continue;
		}
		n = buffer_len(&s->in.octets);
		nl = memchr(p, '\n', n);
		if (nl != NULL)
			n = (size_t)(nl + 1 - p);
		at_start = nl != NULL && (s->lines == LINES_LF ||
		    (n > 1 ? p[n - 2] : last) == '\r');
		last = p[n - 1];
		keep_octets(s, p, n);
		buffer_take(&s->in.octets, n);
	}
}

static bool
take_octets(struct serve *s, uint64_t octets)
{
	size_t n;

	for (; octets > 0; octets -= n) {
		if (buffer_len(&s->in.octets) == 0 && !more(s))
			return false;
		n = buffer_len(&s->in.octets);
		if (n > octets)
			n = (size_t)octets;
		if (s->content != NULL)
			keep_octets(s, buffer_data(&s->in.octets), n);
		buffer_take(&s->in.octets, n);
	}
	return true;
}

struct replay {
	const struct spool *content;
	uint64_t offset;
};

static bool
more_content(struct input *in, struct failure *why)
{
	struct replay *r = in->context;
	char *room = buffer_room(&in->octets, BLOCK_ROOM);
	size_t n;

	if (!spool_read(r->content, r->offset, room, BLOCK_ROOM, &n, why))
		return false;
	r->offset += n;
	in->eof = n == 0;
	buffer_added(&in->octets, n);
	return true;
}

/* All of it has come: the servers are asked, the caller is told. */
static void
submit_content(struct serve *s)
{
	struct replay replay = { .content = s->content };
	struct input in = { .fd = -1, .more = more_content,
	    .context = &replay };
	struct answer a;

	if (s->content_failed || !spool_end(s->content, &s->why)) {
		log_note(LEVEL_ERROR, "%s", s->why.text);
		put(s, "452 4.3.1 there is no room for the message here");
		relay_reset(s->relay);
	} else {
		(void)relay_data(s->relay, &in, &a);
		put_answer(s, &a);
	}
	buffer_free(&in.octets);
	drop_content(s);
}

/* --- commands ------------------------------------------------------------- */

static void
ehlo(struct serve *s, const char *args)
{
	(void)args;
	relay_reset(s->relay);
	drop_content(s);
	buffer_printf(&s->out, "250-%s at your service\r\n250-PIPELINING\r\n"
	    "250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n250-REQUIRETLS\r\n"
	    "250 HELP\r\n", s->caller->hostname);
}

static void
helo(struct serve *s, const char *args)
{
	(void)args;
	relay_reset(s->relay);
	drop_content(s);
	buffer_printf(&s->out, "250 %s at your service\r\n",
	    s->caller->hostname);
}

static void
mail(struct serve *s, const char *args)
{
	struct answer a;

	if (relay_has_mail(s->relay)) {
		put(s, "503 5.5.1 the sender is named already");
		return;
	}
	(void)relay_mail(s->relay, args, &a);
	put_answer(s, &a);
}

static void
rcpt(struct serve *s, const char *args)
{
	struct answer a;

	if (!relay_has_mail(s->relay) || s->chunked) {
		put(s, "503 5.5.1 MAIL comes first");
		return;
	}
	(void)relay_rcpt(s->relay, args, &a);
	put_answer(s, &a);
}

static bool
may_send(struct serve *s)
{
	if (!relay_has_mail(s->relay))
		put(s, "503 5.5.1 MAIL and RCPT come first");
	else if (relay_recipients(s->relay) == 0)
		put(s, "554 5.5.1 there are no valid recipients");
	return relay_recipients(s->relay) > 0;
}

static void
data(struct serve *s, const char *args)
{
	(void)args;
	if (s->chunked) {
		put(s, "503 5.5.1 BDAT has begun");
		return;
	}
	if (!may_send(s))
		return;
	put(s, "354 end it with a dot on a line of its own");
	s->content = spool_new(s->caller->temporary);
	if (take_data(s))
		submit_content(s);
	else
		s->over = true;
}

/* RFC 3030 section 2: the octets follow even when the command is refused. */
static void
bdat(struct serve *s, const char *args)
{
	struct failure why;
	uint64_t octets;
	bool last;

	if (!command_bdat(args, &octets, &last, &why)) {
		put(s, "501 5.5.4 BDAT wants a number of octets");
		s->over = true;		/* what follows cannot be told apart */
		return;
	}
	if (may_send(s) && s->content == NULL) {
		s->content = spool_new(s->caller->temporary);
		s->chunked = true;
	}
	if (!take_octets(s, octets))
		s->over = true;
	else if (s->content != NULL && last)
		submit_content(s);
	else if (s->content != NULL)
		buffer_printf(&s->out, "250 2.0.0 %" PRIu64 " octets\r\n",
		    octets);
}

static void
rset(struct serve *s, const char *args)
{
	(void)args;
	relay_reset(s->relay);
	drop_content(s);
	put(s, "250 2.0.0 forgotten");
}

static void
noop(struct serve *s, const char *args)
{
	(void)args;
	put(s, "250 2.0.0 ok");
}

static void
vrfy(struct serve *s, const char *args)
{
	(void)args;
	put(s, "252 2.5.2 send some mail, the server will tell");
}

static void
help(struct serve *s, const char *args)
{
	(void)args;
	put(s, "214 2.0.0 HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP "
	    "QUIT");
}

static void
quit(struct serve *s, const char *args)
{
	(void)args;
	put(s, "221 2.0.0 bye");
	s->over = true;
}

static const struct {
	const char *verb;
	void (*act)(struct serve *, const char *args);
} commands[] = {
	{ "EHLO", ehlo },	{ "HELO", helo },
	{ "MAIL", mail },	{ "RCPT", rcpt },
	{ "DATA", data },	{ "BDAT", bdat },
	{ "RSET", rset },	{ "NOOP", noop },
	{ "VRFY", vrfy },	{ "HELP", help },
	{ "QUIT", quit },
};

static void
command(struct serve *s, const char *line)
{
	size_t i, len;

	for (i = 0; i < sizeof commands / sizeof *commands; i++) {
		len = strlen(commands[i].verb);
		if (strncasecmp(line, commands[i].verb, len) == 0 &&
		    (line[len] == '\0' || line[len] == ' ' ||
		    line[len] == '\t'))
			break;
	}
	if (i == sizeof commands / sizeof *commands)
		put(s, "500 5.5.2 no such command here");
	else
		commands[i].act(s, line + len);
}

/*
 * The octets up to and without the line end that the session's first line
 * has; *end with it.  False at the end of input; what has no end is no
 * command.
 */
static bool
command_line(struct serve *s, size_t *len, size_t *end)
{
	size_t seen = 0, n;
	const char *p, *nl;

	for (;;) {
		p = buffer_data(&s->in.octets);
		n = buffer_len(&s->in.octets);
		nl = n > seen ? memchr(p + seen, '\n', n - seen) : NULL;
		if (nl == NULL) {
			seen = n;
			if (n > COMMAND_MAX || !more(s))
				return false;
			continue;
		}
		*end = (size_t)(nl + 1 - p);
		*len = *end - 1;
		if (s->lines == LINES_UNKNOWN)
			s->lines = *len > 0 && nl[-1] == '\r' ? LINES_CRLF :
			    LINES_LF;
		if (s->lines == LINES_LF)
			return true;
		if (*len > 0 && nl[-1] == '\r') {
			--*len;
			return true;
		}
		seen = *end;		/* a bare LF is no end here */
	}
}

/* A NUL, CR or LF within a line is no part of a command. */
static bool
is_clean(const char *p, size_t len)
{
	return memchr(p, '\0', len) == NULL && memchr(p, '\r', len) == NULL &&
	    memchr(p, '\n', len) == NULL;
}

static void
converse(struct serve *s)
{
	char line[COMMAND_MAX + 1];
	size_t len, end;
	const char *p;

	while (!s->over && command_line(s, &len, &end)) {
		p = buffer_data(&s->in.octets);
		if (len > COMMAND_MAX || !is_clean(p, len)) {
			buffer_take(&s->in.octets, end);
			put(s, "500 5.5.2 this is no command");
			continue;
		}
		memcpy(line, p, len);
		line[len] = '\0';
		buffer_take(&s->in.octets, end);
		command(s, line);
	}
}

int
serve(const struct options *o, const struct caller *c, struct config *config,
    const char *program)
{
	struct serve s = { .caller = c, .in = { .fd = STDIN_FILENO } };

	log_trace_level(0);
	accounts_log(NULL, o);
	s.relay = relay_new(o, c, config, program);
	buffer_printf(&s.out, "220 %s ESMTP sendoff\r\n", c->hostname);
	converse(&s);
	flush(&s);
	relay_free(s.relay);
	drop_content(&s);
	buffer_free(&s.in.octets);
	buffer_free(&s.out);
	return failure_status(s.why.kind);
}
