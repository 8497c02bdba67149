#include "imports.h"

#include <string.h>
#include <strings.h>

enum row {
	PORT, USER, PASS, TLS, SSL, STARTTLS, AUTH_LOGIN, INSECURE, ANONYMOUS,
	DER, CERTIFICATE, KEY
};

/* nullmailer-send(8), PROTOCOL OPTIONS; with "--" in front or not. */
static const struct draft_row rows[] = {
	[PORT]		= { "port", SETTINGS, NULL },
	[USER]		= { "user", SET_USER, NULL },
	[PASS]		= { "pass", SET_PASSWORD, NULL },
	[TLS]		= { "tls", SETTINGS, NULL },
	[SSL]		= { "ssl", SETTINGS, NULL },
	[STARTTLS]	= { "starttls", SETTINGS, NULL },
	[AUTH_LOGIN]	= { "auth-login", SETTINGS, NULL },
	[INSECURE]	= { "insecure", SETTINGS, NULL },
	[ANONYMOUS]	= { "tls-anon-auth", SETTINGS, "TLS without a "
	    "certificate is not spoken" },
	[DER]		= { "x509fmtder", SETTINGS, "files are PEM: \"openssl "
	    "x509 -inform der -in FILE -out FILE.pem\" makes it" },
	[CERTIFICATE]	= { "x509certfile", SET_CLIENT_CERTIFICATE, NULL },
	[KEY]		= { "x509keyfile", SET_CLIENT_KEY, NULL },
	{ "x509cafile", SET_CA_FILE, NULL },
	{ "x509crlfile", SET_CRL_FILE, NULL },
	{ "source", SETTINGS, "source wants an address, not a name" },
	{ "daemon", SETTINGS, "it is no daemon" },
	{ "syslog", SETTINGS, "the log is syslog's anyway" },
};

static const struct draft_rows all = { rows, sizeof rows / sizeof *rows,
    false };

enum { WORDS_MAX = 64 };

static void
option(struct draft *d, struct draft_taken *t, char *word)
{
	char *value = strchr(word, '=');

	word += strncmp(word, "--", 2) == 0 ? 2 : 0;
	if (value != NULL)
		*value++ = '\0';
	draft_take(d, &all, t, word, value);
}

static void
take_server(struct draft *d, struct draft_account *a, const char *host,
    const struct draft_taken *t)
{
	struct draft_server *s = draft_server(d, a);
	bool tls = t[TLS].text != NULL || t[SSL].text != NULL;

	s->host = host;
	s->port = t[PORT].text != NULL ? t[PORT].text : tls ? "465" : "25";
	s->tls = t[STARTTLS].text != NULL ? DRAFT_STARTTLS : tls ?
	    DRAFT_IMPLICIT : DRAFT_PLAIN;
	s->unchecked = t[INSECURE].text != NULL || t[ANONYMOUS].text != NULL;
}

/* Is everything but the server as the account has it? */
static bool
is_the_same(const struct draft_account *a, const struct draft_account *b)
{
	size_t s;

	for (s = 0; s < SETTINGS; s++)
		if ((a->values[s] == NULL) != (b->values[s] == NULL) ||
		    (a->values[s] != NULL &&
		    strcmp(a->values[s], b->values[s]) != 0))
			return false;
	return true;
}

static void
take_settings(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	if (t[USER].text == NULL)
		draft_set(d, a, SET_AUTH, "none");
	else if (t[AUTH_LOGIN].text != NULL)
		draft_set(d, a, SET_AUTH, "LOGIN");
	draft_rows(d, a, &all, t);
}

/* One login has one account, with all its servers. */
static void
remote(struct draft *d, char *line)
{
	struct draft_taken t[sizeof rows / sizeof *rows] = { 0 };
	struct draft_account *a, wanted = { .name = "" };
	char *words[WORDS_MAX];
	size_t n = draft_words(d, line, words, WORDS_MAX), i, at = d->line;
	bool fresh;

	if (n == 0)
		return;
	if (n > 1 && strcmp(words[1], "smtp") != 0) {
		draft_note(d, NULL, "the protocol of this remote is not "
		    "spoken here, only SMTP");
		return;
	}
	for (i = 2; i < n; i++)
		option(d, t, words[i]);
	take_settings(d, &wanted, t);
	for (i = 0; i < d->n && !is_the_same(d->accounts[i], &wanted); i++)
		;
	fresh = i == d->n;
	a = !fresh ? d->accounts[i] : draft_account(d, d->n == 0 ? "default" :
	    "remote");
	if (fresh)
		take_settings(d, a, t);
	d->line = at;
	if (fresh && i > 0)
		draft_note(d, a, "a remote with another login; the servers of "
		    "one account are tried in turn, accounts are not. This one "
		    "is used with --account, or for whom \"match\" fits.");
	take_server(d, a, words[0], t);
}

/* A control file: its first line, or NULL. */
static const char *
control(struct draft *d, const char *folder, const char *name)
{
	d->file = *folder == '\0' ? name : pool_printf(d->pool, "%s/%s",
	    folder, name);
	d->line = 1;
	return draft_first_line(d, d->file, false);
}

static void
take_controls(struct draft *d, const char *folder, struct draft_account *a)
{
	static const struct {
		const char *name;
		enum setting setting;
		const char *why;
	} files[] = {
		{ "helohost", SET_HELLO, NULL },
		{ "defaultdomain", SET_DOMAIN, NULL },
		{ "defaulthost", SET_DOMAIN, NULL },
		{ "adminaddr", SET_DEFAULT_RECIPIENT, NULL },
		{ "allmailfrom", SET_FROM, NULL },
		{ "sendtimeout", SET_TIMEOUT_SESSION, NULL },
		{ "queuelifetime", SET_RETRY_FOR, NULL },
		{ "me", SETTINGS, "the name of this host is the system's, and "
		    "\"hello\" what is said of it" },
		{ "idhost", SETTINGS, "a Message-ID has the domain of the "
		    "sender" },
		{ "maxpause", SETTINGS, "how often is the timer's to say" },
		{ "pausetime", SETTINGS, "how often is the timer's to say" },
		{ "doublebounceto", SETTINGS, "\"notify yes\" tells the "
		    "account's own address" },
	};
	const char *line;
	size_t i;

	for (i = 0; i < sizeof files / sizeof *files; i++) {
		line = control(d, folder, files[i].name);
		if (line == NULL)
			continue;
		if (files[i].why != NULL)
			draft_note(d, NULL, "%s has no counterpart: %s",
			    files[i].name, files[i].why);
		else if (strcmp(line, "0") != 0)
			draft_set(d, a, files[i].setting, line);
	}
	if (a->values[SET_FROM] != NULL)
		draft_set(d, a, SET_ALLOW_FROM, a->values[SET_FROM]);
}

static void
read_nullmailer(struct draft *d, char *text)
{
	const char *file = d->file, *slash = strrchr(file, '/'), *folder;
	char *line;
	size_t i;

	folder = slash == NULL ? "" : pool_octets(d->pool, file,
	    (size_t)(slash - file));
	while ((line = draft_statement(d, &text)) != NULL)
		remote(d, line);
	if (d->n == 0)
		draft_error(d, "there is no remote in it");
	for (i = 0; i < d->n; i++)
		take_controls(d, folder, d->accounts[i]);
	d->file = file;
	d->line = 0;
	draft_note(d, NULL, "messages were queued, and a daemon sent them. "
	    "With \"retry yes\" they are queued when they cannot be sent at "
	    "once, for a timer that runs \"sendmail -q\"; write it when there "
	    "is one, and \"notify yes\" to be told when it gives up.");
}

const struct import_kind import_nullmailer = { "nullmailer", "nullmailer",
    " remotes ", &all, NULL, read_nullmailer };
