#include "imports.h"

#include <string.h>

enum row {
	SMARTHOST, PORT, AUTHPATH, SECURETRANS, SECURETRANSFER, STARTTLS,
	FINGERPRINT, OPPORTUNISTIC, INSECURE, CERTFILE, MAILNAME, MASQUERADE,
	NULLCLIENT
};

/* dma(8); some names are those of the file that comes with it. */
static const struct draft_row rows[] = {
	[SMARTHOST]	= { "SMARTHOST", SETTINGS, NULL },
	[PORT]		= { "PORT", SETTINGS, NULL },
	[AUTHPATH]	= { "AUTHPATH", SETTINGS, NULL },
	[SECURETRANS]	= { "SECURETRANS", SETTINGS, NULL },
	[SECURETRANSFER] = { "SECURETRANSFER", SETTINGS, NULL },
	[STARTTLS]	= { "STARTTLS", SETTINGS, NULL },
	[FINGERPRINT]	= { "FINGERPRINT", SETTINGS, NULL },
	[OPPORTUNISTIC]	= { "OPPORTUNISTIC_TLS", SETTINGS, NULL },
	[INSECURE]	= { "INSECURE", SETTINGS, NULL },
	[CERTFILE]	= { "CERTFILE", SET_CLIENT_CERTIFICATE, NULL },
	[MAILNAME]	= { "MAILNAME", SETTINGS, NULL },
	[MASQUERADE]	= { "MASQUERADE", SETTINGS, NULL },
	[NULLCLIENT]	= { "NULLCLIENT", SETTINGS, NULL },
	{ "ALIASES", SET_ALIASES, NULL },
	{ "SECURE", SETTINGS, NULL },
	{ "SPOOLDIR", SETTINGS, "what could not be sent is kept below "
	    "/var/spool/sendoff, or where \"keep\" says" },
	{ "VIRTPATH", SETTINGS, "addresses with a domain are not redirected; "
	    "\"aliases\" are for local names" },
	{ "DEFER", SETTINGS, "a message is sent at once; \"retry yes\" queues "
	    "what fails for now, until \"sendmail -q\"" },
	{ "FULLBOUNCE", SETTINGS, "there are no bounces: who sends is told at "
	    "once; \"notify yes\" tells the end of a queued message" },
};

static const struct draft_rows all = { rows, sizeof rows / sizeof *rows,
    false };

static bool
has(const struct draft_taken *t)
{
	return t->text != NULL;
}

static void
take_server(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	struct draft_server *s;
	bool tls = has(&t[SECURETRANS]) || has(&t[SECURETRANSFER]);

	draft_at(d, &t[SMARTHOST]);
	if (draft_given(&t[SMARTHOST]) == NULL) {
		draft_note(d, a, "there is no SMARTHOST: mail went to each "
		    "domain's own server. sendoff hands it to one server; name "
		    "it with \"server\", or with \"from\" the domain is asked "
		    "for it.");
		return;
	}
	s = draft_server(d, a);
	s->host = t[SMARTHOST].text;
	s->port = draft_given(&t[PORT]) != NULL ? t[PORT].text : "25";
	s->unchecked = true;		/* dma looks at none */
	s->tls = !tls ? DRAFT_PLAIN : !has(&t[STARTTLS]) ? DRAFT_IMPLICIT :
	    has(&t[OPPORTUNISTIC]) ? DRAFT_OFFERED : DRAFT_STARTTLS;
	draft_digest(d, a, &t[FINGERPRINT], "FINGERPRINT");
}

/* "user|host:password" */
static void
login_line(struct draft *d, struct draft_account *a, const char *smarthost,
    char *line)
{
	char *host = strchr(line, '|'), *password;

	if (host != NULL)
		*host++ = '\0';
	password = host != NULL ? strchr(host, ':') : NULL;
	if (password == NULL) {
		draft_error(d, "this is no \"user|host:password\"");
		return;
	}
	*password++ = '\0';
	if (smarthost == NULL || strcmp(draft_trim(host), smarthost) != 0) {
		draft_note(d, a, "a login for a host that is not the "
		    "SMARTHOST is left out");
		return;
	}
	draft_set(d, a, SET_USER, draft_trim(line));
	draft_set(d, a, SET_PASSWORD, password);
}

static void
take_logins(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *file = d->file, *name;
	const char *beside = draft_sibling(d, "auth.conf");
	char *text, *line;
	bool must = draft_given(&t[AUTHPATH]) != NULL;

	draft_at(d, &t[AUTHPATH]);
	name = must ? t[AUTHPATH].text : beside;
	if (draft_beside(d, name, must, &text)) {
		d->file = name;
		d->line = 0;
		while ((line = draft_statement(d, &text)) != NULL)
			login_line(d, a, draft_given(&t[SMARTHOST]), line);
	}
	d->file = file;
	if (a->values[SET_USER] == NULL)
		draft_set(d, a, SET_AUTH, "none");
}

/* A name, or the file that has it in its first line. */
static const char *
mailname(struct draft *d, const struct draft_taken *t)
{
	const char *name = draft_given(&t[MAILNAME]);

	return name == NULL || *name != '/' ? name :
	    draft_first_line(d, name, true);
}

static void
take_masquerade(struct draft *d, struct draft_account *a,
    const struct draft_taken *t, const char *mailname)
{
	const char *as = draft_given(&t[MASQUERADE]), *at;

	draft_at(d, &t[MASQUERADE]);
	if (as == NULL)
		return;
	at = strchr(as, '@');
	if (at != NULL && at[1] == '\0' && mailname != NULL) {
		as = pool_printf(d->pool, "%s%s", as, mailname);
		at = strchr(as, '@');
	}
	if (at != NULL && at > as && at[1] != '\0') {
		draft_set(d, a, SET_FROM, as);
		draft_set(d, a, SET_ALLOW_FROM, a->values[SET_FROM]);
	} else {
		draft_note(d, a, "MASQUERADE with the name of each user, or "
		    "of this host, is no address; write \"from\" with one");
	}
}

static void
statement(struct draft *d, struct draft_taken *t, char *line)
{
	const char *value = draft_rest(line);

	draft_take(d, &all, t, line, value);
}

static void
read_dma(struct draft *d, char *text)
{
	struct draft_taken t[sizeof rows / sizeof *rows] = { 0 };
	struct draft_account *a;
	const char *file = d->file, *name;
	char *line;

	while ((line = draft_statement(d, &text)) != NULL)
		statement(d, t, line);
	a = draft_account(d, "default");
	d->line = 0;
	take_logins(d, a, t);
	d->file = file;
	take_server(d, a, t);
	draft_at(d, &t[MAILNAME]);
	name = mailname(d, t);
	draft_set(d, a, SET_HELLO, name);
	take_masquerade(d, a, t, name);
	draft_rows(d, a, &all, t);
	if (has(&t[NULLCLIENT]))
		draft_set(d, a, SET_ALIASES, "none");
	else
		draft_note(d, a, "nothing is delivered to mailboxes of this "
		    "machine: its names need \"aliases\" or "
		    "\"default-recipient\"");
}

const struct import_kind import_dma = { "dma", "dma", " dma.conf ", &all, NULL,
    read_dma };
