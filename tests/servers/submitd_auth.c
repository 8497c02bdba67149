#include "submitd_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gsasl.h>

#include "submitd_sasl.h"

/* --- what is offered --- */

static const char *
names(const struct session *s)
{
	return s->options->mechanisms != NULL ? s->options->mechanisms :
	    sasl_all();
}

/* The next of the words, or false at their end. */

static bool
next_word(const char **words, char *word, size_t room)
{
	size_t length;

	*words += strspn(*words, " ");
	length = strcspn(*words, " ");
	(void)snprintf(word, room, "%.*s", (int)length, *words);
	*words += length;
	return length > 0;
}

/* A channel and the memory behind it. */
struct link {
	struct sasl_channel channel;
	char identity[256];
	char *binding;
};

static bool
fits(const char *name, const struct sasl_channel *channel)
{
	return !sasl_is_known(name) || sasl_can(name, channel);
}

static void
link_init(struct link *link, const struct session *s)
{
	gnutls_session_t tls = conn_tls(s->conn);
	const char *words = names(s);
	char word[64];

	*link = (struct link){ 0 };
	link->channel.options = s->options;
	if (tls != NULL) {
		link->binding = tls_binding(tls, &link->channel.is_exporter);
		link->channel.binding = link->binding;
	}
	if (tls != NULL &&
	    tls_identity(tls, link->identity, sizeof link->identity))
		link->channel.identity = link->identity;
	while (next_word(&words, word, sizeof word)) {
		if (strstr(word, "-PLUS") != NULL &&
		    fits(word, &link->channel))
			link->channel.offers_plus = true;
	}
}

/* Names that we do not know are announced all the same, to tempt clients. */

void
auth_describe(const struct session *s, char *text, size_t room)
{
	const char *words = names(s);
	struct link link;
	char word[64];
	size_t used;

	link_init(&link, s);
	(void)snprintf(text, room, "AUTH");
	while (next_word(&words, word, sizeof word)) {
		used = strlen(text);
		if (strstr(word, "-PLUS") != NULL &&
		    options_fault(s->options, FAULT_PLUS_STRUCK))
			continue;
		if (fits(word, &link.channel))
			(void)snprintf(text + used, room - used, " %s", word);
	}
	free(link.binding);
}

static bool
is_offered(const struct session *s, const char *name)
{
	const char *words = names(s);
	char word[64];

	while (next_word(&words, word, sizeof word)) {
		if (strcasecmp(word, name) == 0)
			return true;
	}
	return false;
}

/* --- one login --- */

struct octets {
	char *p;			/* NULL: none were sent */
	size_t n;
};

static bool
decode(struct session *s, const char *text, struct octets *octets)
{
	if (*text == '\0' || strcmp(text, "=") == 0) {
		octets->p = strdup("");
		octets->n = 0;
		return octets->p != NULL;
	}
	if (gsasl_base64_from(text, strlen(text), &octets->p, &octets->n) ==
	    GSASL_OK)
		return true;
	octets->p = NULL;
	session_reply(s, 501, "5.5.2", "that is not base64");
	return false;
}

static void
challenge(struct session *s, const char *out, size_t octets)
{
	char *text, *line;
	size_t room;

	if (gsasl_base64_to(out, octets, &text, NULL) != GSASL_OK)
		abort();
	room = strlen(text) + 5;
	line = malloc(room);
	if (line == NULL)
		abort();
	(void)snprintf(line, room, "334 %s", text);
	conn_reply(s->conn, line);
	gsasl_free(text);
	free(line);
}

/* The line that answers a challenge; false when that was the end. */

static bool
hear(struct session *s, char **line)
{
	switch (conn_line(s->conn, line)) {
	case LINE_OK:
		if (strcmp(*line, "*") != 0)
			return true;
		session_reply(s, 501, "5.7.0", "cancelled");
		return false;
	case LINE_TOO_LONG:
		session_reply(s, 500, "5.5.6", "line too long");
		return false;
	case LINE_BARE_LF:
	case LINE_CONTROL:
		session_reply(s, 500, "5.5.2", "that is no line");
		return false;
	case LINE_END:
		session_stop(s, ENDING_POLITE);
		return false;
	}
	return false;
}

/* RFC 5802: what is said with success is a challenge, the answer is empty. */

static bool
say_last(struct session *s, const char *out, size_t octets)
{
	char *line;

	if (octets == 0)
		return true;
	challenge(s, out, octets);
	if (!hear(s, &line))
		return false;
	if (*line == '\0')
		return true;
	session_reply(s, 501, "5.5.2", "nothing more was to be said");
	return false;
}

static bool
is_faulty(struct session *s)
{
	if (session_fault(s, FAULT_AUTH_454))
		session_reply(s, 454, "4.7.0", "temporary failure");
	else if (session_fault(s, FAULT_AUTH_535))
		session_reply(s, 535, "5.7.8", "credentials invalid");
	else
		return false;
	return true;
}

static void
conclude(struct session *s, const struct sasl *sasl, enum sasl_result result,
    const struct octets *out)
{
	if (is_faulty(s))
		return;
	if (result == SASL_MALFORMED) {
		session_reply(s, 501, "5.5.2", "malformed response");
	} else if (result != SASL_DONE) {
		session_reply(s, 535, "5.7.8", "credentials invalid");
	} else if (say_last(s, out->p, out->n)) {
		s->mechanism = sasl_mechanism(sasl);
		(void)snprintf(s->user, sizeof s->user, "%s",
		    sasl_user(sasl));
		session_reply(s, 235, "2.7.0", "welcome %s", s->user);
	}
}

/* Takes a response over; false when the login is over. */

static bool
step(struct session *s, struct sasl *sasl, struct octets *in)
{
	struct octets out = { NULL, 0 };
	enum sasl_result result = sasl_step(sasl, in->p, in->n, &out.p,
	    &out.n);
	char *line;
	bool is_more = false;

	free(in->p);
	*in = (struct octets){ NULL, 0 };
	if (result != SASL_MORE) {
		conclude(s, sasl, result, &out);
	} else {
		challenge(s, out.p, out.n);
		is_more = hear(s, &line) && decode(s, line, in);
	}
	free(out.p);
	return is_more;
}

/*
 * LOGIN has an initial response in practice, the user's name; other servers
 * that speak first have none (RFC 4954 section 4).
 */
static bool
skip_challenge(struct session *s, struct sasl *sasl)
{
	struct octets out;

	if (strcmp(sasl_mechanism(sasl), "LOGIN") != 0) {
		session_reply(s, 501, "5.7.0", "no initial response here");
		return false;
	}
	(void)sasl_step(sasl, NULL, 0, &out.p, &out.n);
	free(out.p);
	return true;
}

static void
login(struct session *s, struct sasl *sasl, const char *initial)
{
	struct octets in = { NULL, 0 };

	if (initial != NULL && sasl_server_speaks_first(sasl) &&
	    !skip_challenge(s, sasl))
		return;
	if (initial != NULL && !decode(s, initial, &in))
		return;
	while (step(s, sasl, &in))
		;
}

/* May there be a login now?  Else it has been answered. */

static bool
is_welcome(struct session *s)
{
	if (!session_announced(s, EXT_AUTH)) {
		if (s->options->auth && conn_tls(s->conn) == NULL)
			session_reply(s, 538, "5.7.11", "only in TLS");
		else
			session_reply(s, 502, "5.5.1", "no AUTH here");
	} else if (s->mechanism != NULL || s->mail.sender != NULL) {
		session_reply(s, 503, "5.5.1", "not now");
	} else if (session_fault(s, FAULT_AUTH_CLOSE)) {
		session_stop(s, ENDING_ABRUPT);
	} else {
		return true;
	}
	return false;
}

void
auth_command(struct session *s, char *args)
{
	char *initial = strchr(args, ' ');
	struct sasl *sasl = NULL;
	struct link link;

	if (!is_welcome(s))
		return;
	if (initial != NULL)
		*initial++ = '\0';
	link_init(&link, s);
	if (is_offered(s, args))
		sasl = sasl_begin(args, &link.channel);
	if (sasl != NULL)
		login(s, sasl, initial);
	else
		session_reply(s, 504, "5.5.4", "unknown mechanism");
	sasl_end(sasl);
	free(link.binding);
}
