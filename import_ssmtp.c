#include "imports.h"

#include <string.h>
#include <strings.h>

enum row {
	ROOT, MAILHUB, FROM_LINE_OVERRIDE, USE_TLS, USE_STARTTLS, USE_TLS_CERT,
	AUTH_USER, AUTH_PASS, AUTH_METHOD, REWRITE_DOMAIN
};

/* ssmtp.conf(5), and the names that the program itself has besides. */
static const struct draft_row rows[] = {
	[ROOT]		= { "Root", SETTINGS, NULL },
	[MAILHUB]	= { "MailHub", SETTINGS, NULL },
	[FROM_LINE_OVERRIDE] = { "FromLineOverride", SETTINGS, NULL },
	[USE_TLS]	= { "UseTLS", SETTINGS, NULL },
	[USE_STARTTLS]	= { "UseSTARTTLS", SETTINGS, NULL },
	[USE_TLS_CERT]	= { "UseTLSCert", SETTINGS, NULL },
	[AUTH_USER]	= { "AuthUser", SET_USER, NULL },
	[AUTH_PASS]	= { "AuthPass", SET_PASSWORD, NULL },
	[AUTH_METHOD]	= { "AuthMethod", SETTINGS, NULL },
	[REWRITE_DOMAIN] = { "RewriteDomain", SET_DOMAIN, NULL },
	{ "HostName", SET_HELLO, NULL },
	{ "TLSCert", SET_CLIENT_CERTIFICATE, NULL },
	{ "TLSKey", SET_CLIENT_KEY, NULL },
	{ "TLS_CA_File", SET_CA_FILE, NULL },
	{ "TLS_CA_Dir", SETTINGS, "ca-file wants one file: \"cat DIR/*.pem\" "
	    "makes it" },
	{ "UseOldAUTH", SETTINGS, "AUTH has been said in one way since 1999" },
	{ "Debug", SETTINGS, "sendoff -v shows the dialogue, when wanted" },
};

static const struct draft_rows all = { rows, sizeof rows / sizeof *rows,
    true };

static bool
is_yes(const struct draft_taken *t)
{
	return draft_is(t, "yes");
}

static void
take_server(struct draft *d, struct draft_account *a,
    const struct draft_taken *t, const char *hub)
{
	struct draft_server *s = draft_server(d, a);
	bool starttls = is_yes(&t[USE_STARTTLS]);

	draft_host(d, s, hub, "25");	/* "host port", as the manual has it */
	s->unchecked = true;		/* it looks at none */
	s->tls = starttls ? DRAFT_STARTTLS : is_yes(&t[USE_TLS]) ?
	    DRAFT_IMPLICIT : DRAFT_PLAIN;
}

static void
take_login(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	draft_at(d, &t[AUTH_METHOD]);
	if (draft_given(&t[AUTH_USER]) == NULL)
		draft_set(d, a, SET_AUTH, "none");
	else if (t[AUTH_METHOD].text != NULL &&
	    !draft_is(&t[AUTH_METHOD], "login"))
		draft_auth(d, a, t[AUTH_METHOD].text, "this AuthMethod is not "
		    "known");
}

static void
take_root(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *root = draft_given(&t[ROOT]);
	const char *domain = draft_given(&t[REWRITE_DOMAIN]);

	draft_at(d, &t[ROOT]);
	if (root == NULL)
		return;
	if (strchr(root, '@') == NULL && domain != NULL)
		root = pool_printf(d->pool, "%s@%s", root, domain);
	if (strchr(root, '@') == NULL)
		draft_note(d, a, "Root is no whole address; write "
		    "\"default-recipient\" with one");
	else
		draft_set(d, a, SET_DEFAULT_RECIPIENT, root);
}

static void
take_rest(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	draft_rows(d, a, &all, t);
	take_login(d, a, t);
	draft_at(d, &t[USE_TLS_CERT]);
	if (t[USE_TLS_CERT].text != NULL && !is_yes(&t[USE_TLS_CERT])) {
		a->values[SET_CLIENT_CERTIFICATE] = NULL;
		a->values[SET_CLIENT_KEY] = NULL;
	}
}

/* revaliases: "login:address[:hub[:port]]". */
static void
reverse_alias(struct draft *d, const struct draft_taken *t, char *line)
{
	char *address = strchr(line, ':'), *hub;
	struct draft_account *a;

	if (address == NULL) {
		draft_error(d, "this is no \"login:address:mailhub\"");
		return;
	}
	*address++ = '\0';
	hub = strchr(address, ':');
	if (hub != NULL)
		*hub++ = '\0';
	line = draft_trim(line);
	a = draft_account(d, line);
	draft_set(d, a, SET_FROM, draft_trim(address));
	draft_set(d, a, SET_ALLOW_USER, line);
	if (hub != NULL && *draft_trim(hub) != '\0')
		take_server(d, a, t, draft_trim(hub));
	else if (t[MAILHUB].text != NULL)
		take_server(d, a, t, t[MAILHUB].text);
	take_root(d, a, t);
	take_rest(d, a, t);
}

static void
reverse_aliases(struct draft *d, const struct draft_taken *t)
{
	const char *name = draft_sibling(d, "revaliases");
	char *text, *line;

	d->line = 0;
	if (!draft_beside(d, name, false, &text))
		return;
	for (d->file = name; (line = draft_statement(d, &text)) != NULL;) {
		size_t at = d->line;

		reverse_alias(d, t, line);
		d->file = name;		/* it was somewhere else meanwhile */
		d->line = at;
	}
}

static void
statement(struct draft *d, struct draft_taken *t, char *line)
{
	size_t n = strcspn(line, "= \t");
	char *value = line + n + strspn(line + n, " \t");

	value += *value == '=';
	line[n] = '\0';
	draft_take(d, &all, t, line, draft_trim(value));
}

static void
read_ssmtp(struct draft *d, char *text)
{
	struct draft_taken t[sizeof rows / sizeof *rows] = { 0 };
	struct draft_account *a;
	const char *file = d->file;
	char *line;

	while ((line = draft_statement(d, &text)) != NULL)
		statement(d, t, line);
	if (!draft_took_any(&all, t)) {
		d->line = 0;
		draft_error(d, "there is no setting of ssmtp in it");
		return;
	}
	reverse_aliases(d, t);		/* before the one that is for all */
	d->file = file;
	d->line = 0;
	a = draft_account(d, "default");
	draft_at(d, &t[MAILHUB]);
	take_server(d, a, t, draft_given(&t[MAILHUB]) != NULL ?
	    t[MAILHUB].text : "mailhub");
	take_root(d, a, t);
	take_rest(d, a, t);
	draft_at(d, &t[FROM_LINE_OVERRIDE]);
	if (is_yes(&t[FROM_LINE_OVERRIDE]))
		return;
	draft_note(d, a, "without FromLineOverride the From field was always "
	    "the login name at RewriteDomain; \"rewrite-from always\" makes it "
	    "the account's \"from\"");
}

const struct import_kind import_ssmtp = { "ssmtp", "ssmtp", " ssmtp.conf ",
    &all, NULL, read_ssmtp };
