#include "serve.h"
#include "accounts.h"
#include "chat.h"
#include "confine.h"
#include "helper.h"
#include "log.h"
#include "relay.h"
#include "signals.h"
#include "spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	COMMAND_MAX = 64 * 1024,	/* octets of a command line */
	PATIENCE = 300,			/* seconds: RFC 5321 4.5.3.2.7 */
	BLOCK_ROOM = 64 * 1024
};

struct serve {
	struct relay *relay;
	const struct caller *caller;
	struct chat chat;
	bool refused;			/* DATA was: a message may follow */
	struct spool *content;		/* of DATA or BDAT; NULL: none begun */
	bool content_failed;		/* it could not be spooled, */
	struct failure spooling;	/* and why */
	bool chunked;			/* BDAT has begun, DATA may not come */
};

static void
put(struct serve *s, const char *line)
{
	buffer_printf(&s->chat.out, "%s\r\n", line);
}

static void
put_answer(struct serve *s, const struct answer *a)
{
	put(s, a->text);
}

/* --- the content of a message ---------------------------------------------*/

/* A chat_sink; what belongs to no content goes nowhere. */
static void
keep_octets(void *context, const char *p, size_t len)
{
	struct serve *s = context;

	if (s->content != NULL && !s->content_failed &&
	    !spool_put(s->content, p, len, &s->spooling))
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

	if (s->content_failed || !spool_end(s->content, &s->spooling)) {
		log_note(LEVEL_ERROR, "%s", s->spooling.text);
		put(s, "452 4.3.1 there is no room for the message here");
		relay_reset(s->relay);
	} else {
		(void)relay_data(s->relay, &in, &a);
		put_answer(s, &a);
		s->chat.over = s->chat.over || a.code == 421;
	}
	buffer_free(&in.octets);
	drop_content(s);
}

/* --- commands ------------------------------------------------------------- */

/* What the server behind does not have is converted, or refused by name. */
static void
ehlo(struct serve *s, const char *args)
{
	(void)args;
	relay_reset(s->relay);
	drop_content(s);
	buffer_printf(&s->chat.out, "250-%s at your service\r\n250-PIPELINING\r\n"
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
	buffer_printf(&s->chat.out, "250 %s at your service\r\n",
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
	if (relay_mail(s->relay, args, &a))
		s->refused = false;
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
	if (relay_rcpt(s->relay, args, &a))
		s->refused = false;
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
	s->refused = true;
	if (s->chunked) {
		put(s, "503 5.5.1 BDAT has begun");
		return;
	}
	if (!may_send(s))
		return;
	s->refused = false;
	put(s, "354 end it with a dot on a line of its own");
	s->content = spool_new(s->caller->temporary);
	if (chat_data(&s->chat, keep_octets, s))
		submit_content(s);
	else
		s->chat.over = true;
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
		s->chat.over = true;		/* what follows cannot be told apart */
		return;
	}
	if (may_send(s) && s->content == NULL) {
		s->content = spool_new(s->caller->temporary);
		s->chunked = true;
	}
	if (!chat_octets(&s->chat, octets, keep_octets, s))
		s->chat.over = true;
	else if (s->content != NULL && last)
		submit_content(s);
	else if (s->content != NULL)
		buffer_printf(&s->chat.out, "250 2.0.0 %" PRIu64 " octets\r\n",
		    octets);
}

static void
rset(struct serve *s, const char *args)
{
	if (args[strspn(args, " \t")] != '\0') {
		put(s, "501 5.5.4 RSET stands alone");
		return;
	}
	relay_reset(s->relay);
	drop_content(s);
	s->refused = false;
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
	s->chat.over = true;
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

/*
 * Who reads from a file does not see that DATA was refused: the first line
 * that is no command says that a message follows, and its text must not
 * become commands.
 */
static void
unknown(struct serve *s)
{
	put(s, s->refused ? "421 4.7.0 DATA was refused, and this is no "
	    "command" : "500 5.5.2 no such command here");
	s->chat.over = s->refused;
}

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
		unknown(s);
	else
		commands[i].act(s, line + len);
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
	struct buffer *octets = &s->chat.in.octets;
	char line[COMMAND_MAX + 1];
	size_t len, end;
	bool clean;

	while (!s->chat.over && signals_caught() == 0 &&
	    chat_line(&s->chat, COMMAND_MAX, &len, &end)) {
		clean = len <= COMMAND_MAX && is_clean(buffer_data(octets),
		    len);
		if (clean) {
			memcpy(line, buffer_data(octets), len);
			line[len] = '\0';
		}
		buffer_take(octets, end);
		if (clean)
			command(s, line);
		else
			unknown(s);
	}
}

/* A signal while a server was waited for has been answered, not obeyed. */
static void
take_leave(struct serve *s)
{
	if (signals_caught() != 0) {
		put(s, "421 4.3.2 ended by a signal");
		(void)fail(&s->chat.why, FAILURE_INTERRUPTED, "ended by signal %d",
		    signals_caught());
	}
	chat_flush(&s->chat);
}

/* Whoever starts us may wait for ever; a place at a socket is not theirs. */
static int
patience(const struct config *config, const struct peer *peer)
{
	int seconds = config->n > 0 ? config_number(&config->accounts[0],
	    SET_TIMEOUT_REPLY) : 0;

	return !peer->remote ? 0 : seconds > 0 ? seconds : PATIENCE;
}

int
serve(const struct options *o, const struct caller *c, struct config *config,
    const char *program)
{
	struct serve s = { .caller = c,
	    .chat = { .in = { .fd = STDIN_FILENO } } };
	struct failure broken;
	struct peer peer;
	bool whole;

	log_trace_level(0);
	whole = accounts_load(config, o, c, &broken);
	accounts_log(NULL, o);
	peer_read(&peer, STDIN_FILENO, config->pool);
	accounts_bar(config, &peer);
	s.chat.patience = patience(config, &peer);
	s.relay = relay_new(o, c, &peer, config, whole ? NULL : &broken,
	    program);
	if (whole)
		confine_all(o, c, config);
	buffer_printf(&s.chat.out, "220 %s ESMTP sendoff\r\n", c->hostname);
	converse(&s);
	take_leave(&s);
	relay_free(s.relay);
	helper_end(config);
	drop_content(&s);
	buffer_free(&s.chat.in.octets);
	buffer_free(&s.chat.out);
	return failure_status(s.chat.why.kind);
}
