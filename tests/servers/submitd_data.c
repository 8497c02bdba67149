#include "submitd_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "submitd_mail.h"

enum { BUFFER_OCTETS = 128 << 10, SHORT_OCTETS = 8 };

/* --- the reply to the whole message --- */

static void
log_octets(const struct session *s, size_t n)
{
	char text[64];

	(void)snprintf(text, sizeof text, "%zu octets", n);
	conn_log(s->conn, 'D', text);
}

/* A fault that comes after the data: then there is nothing more to do. */

static bool
is_interrupted(struct session *s)
{
	if (session_fault(s, FAULT_CLOSE_AFTER_DATA))
		session_stop(s, ENDING_ABRUPT);
	else if (session_fault(s, FAULT_RESET_AFTER_DATA))
		session_stop(s, ENDING_RESET);
	else if (session_fault(s, FAULT_SILENT_AFTER_DATA))
		conn_ignore(s->conn);	/* until the client has enough */
	return s->is_over || session_fault(s, FAULT_SILENT_AFTER_DATA);
}

static const struct asked too_large = { 552, "5.3.4", "too large", false };
static const struct asked no_room = { 451, "4.3.0", "cannot store", false };

/* The reply that refuses the message, if there is a reason. */

static bool
is_refused(const struct session *s, struct asked *asked)
{
	static const struct asked busy = { 421, "4.3.2", "busy", false };
	static const struct asked defer = { 451, "4.3.0", "later", false };
	static const struct asked refuse = { 554, "5.6.0", "never", false };
	const struct store *store = s->mail.store;
	char value[64];

	if (session_fault(s, FAULT_421_AFTER_DATA))
		*asked = busy;
	else if (session_fault(s, FAULT_451_AFTER_DATA))
		*asked = defer;
	else if (session_fault(s, FAULT_554_AFTER_DATA))
		*asked = refuse;
	else if (store_is_too_large(store))
		*asked = too_large;
	else
		return store_field(store, "X-Submitd:", value, sizeof value) &&
		    field_asks(value, asked) && asked->code >= 400;
	return true;
}

static bool
keep(struct session *s)
{
	char *envelope = mail_envelope(s);
	bool ok = envelope != NULL && store_commit(s->mail.store, envelope);

	free(envelope);
	return ok;
}

/* LMTP answers for each recipient (RFC 2033 section 4.2). */

static void
answer(struct session *s, const struct asked *refusal)
{
	const struct transaction *mail = &s->mail;
	size_t n = s->is_lmtp ? mail->count : 1;

	for (size_t i = 0; i < n; i++) {
		if (refusal->code != 0)
			session_reply_asked(s, refusal);
		else if (s->is_lmtp && mail->recipients[i].late.code != 0)
			session_reply_asked(s, &mail->recipients[i].late);
		else
			session_reply(s, 250, "2.0.0", "ok queued as %s",
			    store_name(mail->store));
	}
}

/* All the data has been read. */

static void
finish(struct session *s)
{
	const struct asked none = { 0 };
	struct asked refusal = { 0 };

	if (is_interrupted(s))
		return;
	if (!is_refused(s, &refusal))
		refusal = keep(s) ? none : no_room;
	if (session_fault(s, FAULT_CLOSE_AFTER_STORE))
		session_stop(s, ENDING_ABRUPT);
	else
		answer(s, &refusal);
	session_reset(s);
}

static bool
open_store(struct session *s)
{
	if (s->mail.store == NULL)
		s->mail.store = store_begin(s->options->maildir,
		    s->options->size);
	if (s->mail.store != NULL)
		return true;
	session_reply_asked(s, &no_room);
	return false;
}

/* A connection that is lost when some of the data has come. */

static bool
is_cut(const struct session *s)
{
	return session_fault(s, FAULT_CLOSE_BEFORE_DATA_END) ||
	    session_fault(s, FAULT_RESET_BEFORE_DATA_END);
}

static bool
cut(struct session *s)
{
	session_stop(s, session_fault(s, FAULT_RESET_BEFORE_DATA_END) ?
	    ENDING_RESET : ENDING_ABRUPT);
	return false;
}

/* --- DATA --- */

/* RFC 5321 section 4.5.2: where we are between CR LF and the next one. */
enum dots { DOTS_LINE, DOTS_TEXT, DOTS_CR, DOTS_DOT, DOTS_DOT_CR, DOTS_END };

static enum dots
next(enum dots state, unsigned char c)
{
	switch (state) {
	case DOTS_LINE:
		if (c == '.')
			return DOTS_DOT;
		break;
	case DOTS_CR:
		if (c == '\n')
			return DOTS_LINE;
		break;
	case DOTS_DOT:
		if (c == '\r')
			return DOTS_DOT_CR;
		break;
	case DOTS_DOT_CR:
		if (c == '\n')
			return DOTS_END;
		break;
	case DOTS_TEXT:
	case DOTS_END:
		break;
	}
	return c == '\r' ? DOTS_CR : DOTS_TEXT;
}

/*
 * The octets of text at p: up to a CR they say nothing new.  For a line of
 * some octets memchr() is not worth its call.
 */
static size_t
text_octets(enum dots state, const unsigned char *p, size_t n)
{
	const unsigned char *cr;

	if (state != DOTS_TEXT)
		return 0;
	for (size_t i = 0; i < n && i < SHORT_OCTETS; i++)
		if (p[i] == '\r')
			return i;
	cr = memchr(p, '\r', n);
	return cr != NULL ? (size_t)(cr - p) : n;
}

/*
 * Stores octets without the dots and stops after the end of the data; gives
 * the number of octets that were used.
 */
static size_t
unstuff(struct store *store, enum dots *state, const unsigned char *p,
    size_t n)
{
	static unsigned char out[BUFFER_OCTETS + 1];
	size_t i = 0, o = 0, text;
	enum dots before;

	while (i < n && *state != DOTS_END) {
		text = text_octets(*state, p + i, n - i);
		if (text > 0)
			memcpy(out + o, p + i, text);
		i += text;
		o += text;
		if (i == n)
			break;
		before = *state;
		*state = next(before, p[i]);
		if (before == DOTS_DOT_CR && *state != DOTS_END)
			out[o++] = '\r';
		if (*state < DOTS_DOT)
			out[o++] = p[i];
		i++;
	}
	store_octets(store, out, o);
	return i;
}

static bool
read_data(struct session *s)
{
	enum dots state = DOTS_LINE;
	const unsigned char *octets;
	size_t n, used;

	while (state != DOTS_END) {
		n = conn_octets(s->conn, &octets, BUFFER_OCTETS);
		if (n == 0 || is_cut(s))
			return cut(s);
		used = unstuff(s->mail.store, &state, octets, n);
		conn_unread(s->conn, n - used);
	}
	log_octets(s, store_size(s->mail.store));
	return true;
}

void
data_data(struct session *s, char *args)
{
	(void)args;
	if (s->mail.sender == NULL || s->mail.store != NULL ||
	    s->mail.was_refused)
		session_reply(s, 503, "5.5.1", "not now");
	else if (s->mail.count == 0)
		session_reply(s, s->is_lmtp ? 503 : 554, "5.5.1",
		    "no valid recipients");
	else if (open_store(s)) {
		session_reply(s, 354, "", "end with a dot");
		if (read_data(s))
			finish(s);
	}
}

/* --- BDAT, RFC 3030 --- */

static bool
parse_chunk(const char *args, unsigned long long *octets, bool *is_last)
{
	size_t n = strspn(args, "0123456789");

	if (n == 0 || n > 18)
		return false;
	*octets = strtoull(args, NULL, 10);
	*is_last = strcasecmp(args + n, " LAST") == 0;
	return args[n] == '\0' || *is_last;
}

/* The chunk is read whatever becomes of it; store may be NULL. */

static bool
read_chunk(struct session *s, struct store *store, unsigned long long left)
{
	const unsigned char *octets;
	size_t n;

	log_octets(s, (size_t)left);
	while (left > 0) {
		n = conn_octets(s->conn, &octets,
		    left < BUFFER_OCTETS ? (size_t)left : BUFFER_OCTETS);
		if (n == 0 || is_cut(s))
			return cut(s);
		if (store != NULL)
			store_octets(store, octets, n);
		left -= n;
	}
	return true;
}

/* Why this BDAT cannot be; NULL when it can. */

static const char *
objection(const struct session *s, int *code)
{
	*code = 503;
	if (s->mail.sender == NULL)
		return "say MAIL first";
	if (s->mail.was_refused)
		return "say RSET first";
	if (s->mail.count > 0)
		return NULL;
	*code = s->is_lmtp ? 503 : 554;
	return "no valid recipients";
}

static bool
is_over_size(struct session *s)
{
	if (!store_is_too_large(s->mail.store))
		return false;
	session_reply_asked(s, &too_large);
	s->mail.was_refused = true;
	return true;
}

static void
take_chunk(struct session *s, unsigned long long octets, bool is_last)
{
	const bool ok = open_store(s);

	s->mail.is_bdat = true;
	s->mail.was_refused |= !ok;
	if (!read_chunk(s, s->mail.store, octets) || !ok)
		return;
	if (is_last)
		finish(s);
	else if (!is_over_size(s))
		session_reply(s, 250, "2.0.0", "%llu octets received", octets);
}

void
data_bdat(struct session *s, char *args)
{
	unsigned long long octets;
	const char *text;
	bool is_last;
	int code;

	if (!session_announced(s, EXT_CHUNKING)) {
		session_reply(s, 502, "5.5.1", "no BDAT here");
		return;
	}
	if (!parse_chunk(args, &octets, &is_last)) {
		session_reply(s, 501, "5.5.4", "BDAT octets [LAST]");
		return;
	}
	text = objection(s, &code);
	if (text == NULL) {
		take_chunk(s, octets, is_last);
	} else if (read_chunk(s, NULL, octets)) {
		session_reply(s, code, "5.5.1", "%s", text);
	}
}
