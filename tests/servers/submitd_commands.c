#include "submitd_commands.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "submitd_auth.h"
#include "submitd_data.h"
#include "submitd_mail.h"

static const char our_name[] = "mail.example.test";

/* --- EHLO --- */

static bool
is_offered(const struct session *s, enum extension extension)
{
	const bool in_tls = conn_tls(s->conn) != NULL;

	if ((s->options->extensions & 1u << extension) == 0)
		return false;
	switch (extension) {
	case EXT_STARTTLS:
		return !in_tls;
	case EXT_AUTH:
		return in_tls || s->options->auth_without_tls;
	case EXT_REQUIRETLS:		/* RFC 8689 section 2 */
		return in_tls || s->is_local;
	default:
		return true;
	}
}

static void
describe(struct session *s, enum extension extension, char *text, size_t room)
{
	const char *name = extension_names[extension];
	const char *const values[EXTENSIONS] = {
		[EXT_LIMITS]		= s->options->limits,
		[EXT_DELIVERBY]		= s->options->deliverby,
		[EXT_FUTURERELEASE]	= s->options->futurerelease,
		[EXT_MT_PRIORITY]	= s->options->mt_priority,
	};

	if (extension == EXT_SIZE && s->options->size > 0)
		(void)snprintf(text, room, "%s %zu", name, s->options->size);
	else if (values[extension] != NULL && *values[extension] != '\0')
		(void)snprintf(text, room, "%s %s", name, values[extension]);
	else if (extension == EXT_AUTH)
		auth_describe(s, text, room);
	else
		(void)snprintf(text, room, "%s", name);
}

static void
announce(struct session *s)
{
	char text[480], line[512];

	s->announced = 0;
	for (int i = 0; i < EXTENSIONS; i++) {
		if (is_offered(s, (enum extension)i))
			s->announced |= 1u << i;
	}
	(void)snprintf(line, sizeof line, "250-%s greets you", our_name);
	conn_reply(s->conn, line);
	for (int i = 0; i < EXTENSIONS; i++) {
		if (!session_announced(s, (enum extension)i))
			continue;
		describe(s, (enum extension)i, text, sizeof text);
		(void)snprintf(line, sizeof line, "250-%s", text);
		conn_reply(s->conn, line);
	}
	conn_reply(s->conn, "250 HELP");
}

static bool
is_ascii(const char *text)
{
	while (*text != '\0' && (*text & 0x80) == 0)
		text++;
	return *text == '\0';
}

static bool
take_name(struct session *s, const char *name)
{
	if (strlen(name) >= sizeof s->hello || !is_ascii(name) ||
	    !path_is_domain(name, strlen(name))) {
		session_reply(s, 501, "5.5.4", "that is no name");
		return false;
	}
	session_reset(s);
	(void)snprintf(s->hello, sizeof s->hello, "%s", name);
	return true;
}

static void
greet(struct session *s, char *args, bool is_lmtp)
{
	if (s->options->hello_reject != 0) {
		session_reply(s, s->options->hello_reject, "", "not here");
		return;
	}
	if (!take_name(s, args))
		return;
	s->is_lmtp = is_lmtp;
	announce(s);
}

static void
ehlo(struct session *s, char *args)
{
	greet(s, args, false);
}

static void
lhlo(struct session *s, char *args)
{
	greet(s, args, true);
}

static void
helo(struct session *s, char *args)
{
	if (!take_name(s, args))
		return;
	s->is_lmtp = false;
	s->announced = 0;
	session_reply(s, 250, "", "%s", our_name);
}

/* --- STARTTLS --- */

static bool
handshake(struct session *s)
{
	gnutls_session_t tls;

	session_stop(s, ENDING_ABRUPT);		/* unless all goes well */
	if (session_fault(s, FAULT_CLOSE_AT_HANDSHAKE))
		return false;
	tls = tls_session(s->tls);
	if (tls == NULL || !conn_starttls(s->conn, tls))
		return false;
	if (session_fault(s, FAULT_TLS_ALERT_AFTER_HANDSHAKE)) {
		conn_alert(s->conn);
		return false;
	}
	s->is_over = false;
	return true;
}

static void
starttls(struct session *s, char *args)
{
	(void)args;
	if (!session_announced(s, EXT_STARTTLS)) {
		session_reply(s, 502, "5.5.1", "no STARTTLS here");
		return;
	}
	if (session_fault(s, FAULT_STARTTLS_454)) {
		session_reply(s, 454, "4.7.0", "TLS not available");
		return;
	}
	session_reply(s, 220, "2.0.0", "go ahead");
	if (session_fault(s, FAULT_PLAINTEXT_AFTER_STARTTLS))
		conn_raw(s->conn, "250-evil.example.test\r\n"
		    "250 AUTH PLAIN\r\n");
	session_forget(s);
	(void)handshake(s);
}

/* --- small ones --- */

static void
rset(struct session *s, char *args)
{
	(void)args;
	session_reset(s);
	session_reply(s, 250, "2.0.0", "forgotten");
}

static void
noop(struct session *s, char *args)
{
	(void)args;
	session_reply(s, 250, "2.0.0", "ok");
}

static void
vrfy(struct session *s, char *args)
{
	(void)args;
	session_reply(s, 252, "2.1.5", "send some mail, I will try my best");
}

static void
help(struct session *s, char *args)
{
	(void)args;
	session_reply(s, 214, "2.0.0", "see RFC 5321");
}

static void
quit(struct session *s, char *args)
{
	(void)args;
	if (session_fault(s, FAULT_SILENT_QUIT))
		conn_ignore(s->conn);
	else
		session_reply(s, 221, "2.0.0", "bye");
	session_stop(s, ENDING_POLITE);
}

/* --- the loop --- */

enum place {
	ANYWHERE,
	LAST,		/* in a group of commands, RFC 2920 section 3.1 */
	FORGETS,	/* what follows it, too */
	CHUNK,		/* octets follow that belong to it */
};

enum arguments { NONE, SOME, ANY };

static const struct command {
	const char *verb;
	void (*run)(struct session *, char *args);
	enum place place;
	enum arguments arguments;
} commands[] = {
	{ "EHLO",	ehlo,		LAST,		SOME },
	{ "HELO",	helo,		LAST,		SOME },
	{ "LHLO",	lhlo,		LAST,		SOME },
	{ "STARTTLS",	starttls,	FORGETS,	NONE },
	{ "AUTH",	auth_command,	LAST,		SOME },
	{ "MAIL",	mail_sender,	ANYWHERE,	SOME },
	{ "RCPT",	mail_recipient,	ANYWHERE,	SOME },
	{ "DATA",	data_data,	LAST,		NONE },
	{ "BDAT",	data_bdat,	CHUNK,		SOME },
	{ "RSET",	rset,		ANYWHERE,	NONE },
	{ "NOOP",	noop,		LAST,		ANY },
	{ "VRFY",	vrfy,		LAST,		SOME },
	{ "HELP",	help,		ANYWHERE,	ANY },
	{ "QUIT",	quit,		LAST,		NONE },
};

static const struct command *
find(const char *line, size_t length)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strlen(commands[i].verb) == length &&
		    strncasecmp(commands[i].verb, line, length) == 0)
			return &commands[i];
	}
	return NULL;
}

/* A client that did not wait where it has to. */

static bool
is_hasty(const struct session *s, const struct command *command)
{
	if (!conn_has_more(s->conn) || command->place == FORGETS ||
	    command->place == CHUNK)
		return false;
	return command->place == LAST || !session_announced(s, EXT_PIPELINING);
}

static void
obey(struct session *s, char *line)
{
	size_t length = strcspn(line, " ");
	const struct command *command = find(line, length);
	char *args = line + length + (line[length] == ' ');

	if (command == NULL) {
		session_reply(s, 500, "5.5.1", "what?");
	} else if (strlen(line) > LINE_MAX_COMMAND &&
	    command->run != auth_command) {
		session_reply(s, 500, "5.5.2", "line too long");
	} else if (is_hasty(s, command)) {
		session_reply(s, 503, "5.5.0", "wait for the reply to %s",
		    command->verb);
	} else if ((command->arguments == NONE && line[length] != '\0') ||
	    (command->arguments == SOME && *args == '\0')) {
		session_reply(s, 501, "5.5.4", "wrong arguments");
	} else {
		command->run(s, args);
	}
}

static void
hear(struct session *s)
{
	char *line;

	switch (conn_line(s->conn, &line)) {
	case LINE_OK:
		obey(s, line);
		return;
	case LINE_TOO_LONG:
		session_reply(s, 500, "5.5.2", "line too long");
		return;
	case LINE_BARE_LF:
		session_reply(s, 500, "5.5.2", "lines end with CR LF");
		return;
	case LINE_CONTROL:
		session_reply(s, 500, "5.5.2", "NUL or CR in a command");
		return;
	case LINE_END:
		session_stop(s, ENDING_POLITE);
		return;
	}
}

/* RFC 5321 section 3.1: after 554 only QUIT is of use. */

static void
send_away(struct session *s)
{
	char *line;
	enum line result;

	session_reply(s, 554, "", "no service for you");
	while ((result = conn_line(s->conn, &line)) != LINE_END) {
		if (result == LINE_OK && strcasecmp(line, "QUIT") == 0) {
			quit(s, NULL);
			return;
		}
		session_reply(s, 503, "", "say QUIT");
	}
}

static void
greeting(struct session *s)
{
	if (s->options->security == SECURITY_IMPLICIT && !handshake(s))
		return;
	if (session_fault(s, FAULT_CLOSE_AT_GREETING)) {
		session_stop(s, ENDING_ABRUPT);
	} else if (session_fault(s, FAULT_SILENT)) {
		conn_ignore(s->conn);
		session_stop(s, ENDING_ABRUPT);
	} else if (session_fault(s, FAULT_GREETING_421)) {
		session_reply(s, 421, "", "%s is busy", our_name);
	} else if (session_fault(s, FAULT_GREETING_554)) {
		send_away(s);
		session_stop(s, ENDING_POLITE);
	} else {
		session_reply(s, 220, "", "%s ESMTP submitd", our_name);
	}
}

void
commands_run(struct session *s)
{
	greeting(s);
	while (!s->is_over)
		hear(s);
	session_reset(s);
}
