#include "imports.h"

#include <ctype.h>
#include <string.h>

enum row {
	HOSTNAME, STARTTLS, USERNAME, REVERSE_PATH, MDA
};

/* esmtprc(5) */
static const struct draft_row rows[] = {
	[HOSTNAME]	= { "hostname", SETTINGS, NULL },
	[STARTTLS]	= { "starttls", SETTINGS, NULL },
	[USERNAME]	= { "username", SET_USER, NULL },
	[REVERSE_PATH]	= { "reverse_path", SETTINGS, NULL },
	[MDA]		= { "mda", SETTINGS, NULL },
	{ "password", SET_PASSWORD, NULL },
	{ "helo", SET_HELLO, NULL },
	{ "qualifydomain", SET_DOMAIN, NULL },
	{ "certificate_passphrase", SETTINGS, "a key is read without one; "
	    "\"openssl pkey -in FILE -out NEW\" takes it off, and "
	    "client-certificate names the file" },
	{ "sender", SETTINGS, "a Sender field stays as it is" },
	{ "message_id", SETTINGS, "Message-ID is added when it is missing, "
	    "always" },
	{ "preconnect", SETTINGS, "nothing is run before; let a service hold "
	    "the tunnel, and write \"server smtp+plain://localhost:port\"" },
	{ "force_mda", SETTINGS, "nothing is delivered to mailboxes of this "
	    "machine" },
	{ "identity", SETTINGS, NULL },
	{ "default", SETTINGS, NULL },
	{ "force", SETTINGS, NULL },
};

static const struct draft_rows all = { rows, sizeof rows / sizeof *rows,
    false };

struct reading {
	struct draft *d;
	char *at;			/* in the text */
	struct draft_taken taken[sizeof rows / sizeof *rows];
	const char *identity;		/* NULL: the part before any */
	struct draft_taken begun;
};

static void
skip(struct reading *r)
{
	for (;; r->at++) {
		if (*r->at == '#')
			r->at += strcspn(r->at, "\n");
		r->d->line += *r->at == '\n';
		if (!isspace((unsigned char)*r->at))
			return;
	}
}

static char
escaped(char c)				/* as in C, the common ones */
{
	static const char from[] = "ntrabfv", to[] = "\n\t\r\a\b\f\v";
	const char *p = c == '\0' ? NULL : strchr(from, c);

	return p == NULL ? c : to[p - from];
}

/* Within quotation marks, which the next octet is one of. */
static bool
quoted(struct reading *r, char **word)
{
	char quote = *r->at++, *out = r->at;
	size_t begun = r->d->line;

	*word = out;
	for (; *r->at != '\0' && *r->at != quote; r->at++) {
		r->d->line += *r->at == '\n';
		if (*r->at == '\\' && r->at[1] != '\0')
			*out++ = escaped(*++r->at);
		else
			*out++ = *r->at;
	}
	if (*r->at == '\0') {
		r->d->line = begun;
		draft_error(r->d, "a quotation mark is never closed");
		return false;
	}
	r->at++;
	*out = '\0';
	return true;
}

/* Up to one of those octets. */
static char *
bare(struct reading *r, const char *stops)
{
	size_t n = strcspn(r->at, stops);
	char *word = pool_octets(r->d->pool, r->at, n);

	r->at += n;
	return word;
}

static bool
take_value(struct reading *r, char **value)
{
	skip(r);
	if (*r->at == '=')
		r->at++;
	skip(r);
	if (*r->at == '"' || *r->at == '\'')
		return quoted(r, value);
	*value = bare(r, " \t\r\n#");
	if (**value != '\0')
		return true;
	draft_error(r->d, "a value is missing");
	return false;
}

static void
take_server(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	struct draft_server *s;
	const char *tls = t[STARTTLS].text;

	draft_at(d, &t[HOSTNAME]);
	if (t[HOSTNAME].text == NULL) {
		draft_note(d, a, "there is no hostname; the domain of \"from\" "
		    "is asked for its servers");
		return;
	}
	s = draft_server(d, a);
	draft_host(d, s, t[HOSTNAME].text, "587");
	s->unchecked = true;
	s->tls = tls == NULL || strcmp(tls, "disabled") == 0 ? DRAFT_PLAIN :
	    strcmp(tls, "enabled") == 0 ? DRAFT_OFFERED : DRAFT_STARTTLS;
}

static void
take_from(struct draft *d, struct draft_account *a, const struct reading *r)
{
	const struct draft_taken *path = &r->taken[REVERSE_PATH];

	draft_at(d, &r->begun);
	draft_set(d, a, SET_FROM, r->identity);
	draft_at(d, path);
	if (path->text != NULL && strchr(path->text, '%') != NULL) {
		draft_note(d, a, "an address for each user is none of an "
		    "account; write an account for each, with \"from\" and "
		    "\"allow-user\"");
	} else if (path->text != NULL) {
		draft_set(d, a, SET_FROM, path->text);
		draft_set(d, a, SET_ALLOW_FROM, a->values[SET_FROM]);
	}
}

static void
end_identity(struct reading *r)
{
	struct draft *d = r->d;
	struct draft_account *a;
	size_t line = d->line;

	if (r->identity == NULL && !draft_took_any(&all, r->taken))
		return;
	draft_at(d, &r->begun);
	a = draft_account(d, r->identity == NULL ? "default" : r->identity);
	take_server(d, a, r->taken);
	take_from(d, a, r);
	draft_rows(d, a, &all, r->taken);
	draft_at(d, &r->taken[MDA]);
	if (r->taken[MDA].text != NULL)
		draft_note(d, a, "mda has no counterpart: nothing is delivered "
		    "to mailboxes of this machine; its names need \"aliases\" "
		    "or \"default-recipient\"");
	if (a->values[SET_USER] == NULL)
		draft_set(d, a, SET_AUTH, "none");
	d->line = line;
	memset(r->taken, 0, sizeof r->taken);
}

static bool
statement(struct reading *r)
{
	struct draft *d = r->d;
	struct draft_taken t = { NULL, d->file, d->line };
	char *name = bare(r, " \t\r\n#="), *value;
	size_t row;

	if (strcmp(name, "default") == 0 || strcmp(name, "force") == 0)
		return true;		/* a word of its own; before another */
	if (*name == '\0') {
		draft_error(d, "a keyword is missing");
		return false;
	}
	if (!take_value(r, &value))
		return false;
	t.text = value;
	row = draft_find(&all, name);
	if (strcmp(name, "identity") == 0) {
		end_identity(r);
		r->identity = value;
		r->begun = t;
	} else if (row == all.n) {
		draft_unknown(d, NULL, name);
	} else {
		r->taken[row] = t;
	}
	return true;
}

static void
/* NOLINTNEXTLINE(readability-non-const-parameter): as all of them are */
read_esmtp(struct draft *d, char *text)
{
	struct reading r = { .d = d, .at = text };

	d->line = 1;
	for (skip(&r); *r.at != '\0'; skip(&r))
		if (!statement(&r))
			return;
	end_identity(&r);
	if (d->n == 0)
		draft_error(d, "there is no setting in it");
}

const struct import_kind import_esmtp = { "esmtp", "esmtp",
    " esmtprc .esmtprc sample.esmtprc ", &all, NULL, read_esmtp };
