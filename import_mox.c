#include "imports.h"

#include <string.h>

enum row {
	HOST, PORT, TLS, STARTTLS, SKIP_VERIFY, USERNAME, AUTH_METHOD, FROM,
	REQUIRE_TLS
};

/* "mox config describe-sendmail" */
static const struct draft_row rows[] = {
	[HOST]		= { "Host", SETTINGS, NULL },
	[PORT]		= { "Port", SETTINGS, NULL },
	[TLS]		= { "TLS", SETTINGS, NULL },
	[STARTTLS]	= { "STARTTLS", SETTINGS, NULL },
	[SKIP_VERIFY]	= { "TLSInsecureSkipVerify", SETTINGS, NULL },
	[USERNAME]	= { "Username", SET_USER, NULL },
	[AUTH_METHOD]	= { "AuthMethod", SETTINGS, NULL },
	[FROM]		= { "From", SET_FROM, NULL },
	[REQUIRE_TLS]	= { "RequireTLS", SET_REQUIRE_TLS, NULL },
	{ "LocalHostname", SET_HELLO, NULL },
	{ "Password", SET_PASSWORD, NULL },
	{ "ClientAuthEd25519PrivateKey", SET_CLIENT_KEY_ED25519, NULL },
	{ "ClientAuthCertPrivateKeyPEMFile", SET_CLIENT_CERTIFICATE, NULL },
	{ "DefaultDestination", SET_DEFAULT_RECIPIENT, NULL },
};

static const struct draft_rows all = { rows, sizeof rows / sizeof *rows,
    false };

static void
take_server(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	struct draft_server *s;
	bool tls = draft_is(&t[TLS], "true");

	draft_at(d, &t[HOST]);
	if (draft_given(&t[HOST]) == NULL) {
		draft_error(d, "there is no Host");
		return;
	}
	s = draft_server(d, a);
	s->host = t[HOST].text;
	s->port = draft_given(&t[PORT]) != NULL ? t[PORT].text : tls ? "465" :
	    "587";
	s->tls = tls ? DRAFT_IMPLICIT : draft_is(&t[STARTTLS], "true") ?
	    DRAFT_STARTTLS : DRAFT_PLAIN;
	s->unchecked = draft_is(&t[SKIP_VERIFY], "true");
}

static void
take_auth(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	draft_at(d, &t[AUTH_METHOD]);
	if (draft_given(&t[USERNAME]) == NULL)
		draft_set(d, a, SET_AUTH, "none");
	else if (draft_given(&t[AUTH_METHOD]) != NULL)
		draft_auth(d, a, t[AUTH_METHOD].text, "this AuthMethod is not "
		    "known");
}

/* "Key: value", the value as it is. */
static void
statement(struct draft *d, struct draft_taken *t, char *line)
{
	char *value = strchr(line, ':');

	if (value == NULL) {
		draft_error(d, "this is no \"Key: value\"");
		return;
	}
	*value++ = '\0';
	draft_take(d, &all, t, line, draft_trim(value));
}

static void
read_mox(struct draft *d, char *text)
{
	struct draft_taken t[sizeof rows / sizeof *rows] = { 0 };
	struct draft_account *a;
	char *line;

	while ((line = draft_statement(d, &text)) != NULL)
		statement(d, t, line);
	if (!draft_took_any(&all, t)) {
		d->line = 0;
		draft_error(d, "there is no setting of mox in it");
		return;
	}
	a = draft_account(d, "default");
	draft_rows(d, a, &all, t);
	take_auth(d, a, t);
	take_server(d, a, t);
	if (a->values[SET_FROM] == NULL)
		return;
	draft_set(d, a, SET_ALLOW_FROM, a->values[SET_FROM]);
	draft_set(d, a, SET_REWRITE_FROM, "always");
}

const struct import_kind import_mox = { "mox", "mox", " moxsubmit.conf ", &all,
    NULL, read_mox };
