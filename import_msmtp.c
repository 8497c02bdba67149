#include "imports.h"
#include "url.h"

#include <string.h>
#include <strings.h>

enum row {
	HOST, PORT, SOCKET, PROTOCOL, TLS, TLS_STARTTLS, TLS_CERTCHECK,
	TLS_TRUST_FILE, TLS_FINGERPRINT, AUTH, USER, PASSWORD, PASSWORDEVAL,
	FROM, AUTO_FROM, MAILDOMAIN, ALLOW_FROM_OVERRIDE, SET_FROM_HEADER,
	PROXY_HOST, PROXY_PORT, TIMEOUT, HELLO, LOGFILE, SYSLOG, PRIORITIES,
	NOCERTCHECK, NOSTARTTLS
};

static const char when_missing[] = "Date, Message-ID and From are added when "
    "they are missing, always";

/* msmtp(1); those without a setting and a reason are dealt with below. */
static const struct draft_row rows[] = {
	[HOST]		= { "host", SETTINGS, NULL },
	[PORT]		= { "port", SETTINGS, NULL },
	[SOCKET]	= { "socket", SETTINGS, NULL },
	[PROTOCOL]	= { "protocol", SETTINGS, NULL },
	[TLS]		= { "tls", SETTINGS, NULL },
	[TLS_STARTTLS]	= { "tls_starttls", SETTINGS, NULL },
	[TLS_CERTCHECK]	= { "tls_certcheck", SETTINGS, NULL },
	[TLS_TRUST_FILE] = { "tls_trust_file", SETTINGS, NULL },
	[TLS_FINGERPRINT] = { "tls_fingerprint", SETTINGS, NULL },
	[AUTH]		= { "auth", SETTINGS, NULL },
	[USER]		= { "user", SET_USER, NULL },
	[PASSWORD]	= { "password", SETTINGS, NULL },
	[PASSWORDEVAL]	= { "passwordeval", SETTINGS, NULL },
	[FROM]		= { "from", SETTINGS, NULL },
	[AUTO_FROM]	= { "auto_from", SETTINGS, NULL },
	[MAILDOMAIN]	= { "maildomain", SETTINGS, NULL },
	[ALLOW_FROM_OVERRIDE] = { "allow_from_override", SETTINGS, NULL },
	[SET_FROM_HEADER] = { "set_from_header", SETTINGS, NULL },
	[PROXY_HOST]	= { "proxy_host", SETTINGS, NULL },
	[PROXY_PORT]	= { "proxy_port", SETTINGS, NULL },
	[TIMEOUT]	= { "timeout", SETTINGS, NULL },
	[HELLO]		= { "domain", SETTINGS, NULL },
	[LOGFILE]	= { "logfile", SETTINGS, NULL },
	[SYSLOG]	= { "syslog", SETTINGS, NULL },
	[PRIORITIES]	= { "tls_priorities", SETTINGS, NULL },
	[NOCERTCHECK]	= { "tls_nocertcheck", SETTINGS, NULL },
	[NOSTARTTLS]	= { "tls_nostarttls", SETTINGS, NULL },
	{ "source_ip", SET_SOURCE, NULL },
	{ "tls_crl_file", SET_CRL_FILE, NULL },
	{ "tls_cert_file", SET_CLIENT_CERTIFICATE, NULL },
	{ "tls_key_file", SET_CLIENT_KEY, NULL },
	{ "tls_host_override", SET_TLS_NAME, NULL },
	{ "aliases", SET_ALIASES, NULL },
	{ "connect_timeout", SET_TIMEOUT_CONNECT, NULL },
	{ "ntlmdomain", SETTINGS, "NTLM is broken and not spoken here" },
	{ "tls_min_dh_prime_bits", SETTINGS, "GnuTLS refuses weak groups by "
	    "itself; tls-priority can ask for more" },
	{ "tls_force_sslv3", SETTINGS, "nothing older than TLS 1.2 is spoken" },
	{ "dsn_notify", SETTINGS, "it is said for each message: -N never, or "
	    "-N failure,delay,success" },
	{ "dsn_return", SETTINGS, "it is said for each message: -R hdrs, or "
	    "-R full" },
	{ "keepbcc", SETTINGS, "Bcc fields are always taken out" },
	{ "remove_bcc_headers", SETTINGS, "Bcc fields are always taken out" },
	{ "undisclosed_recipients", SETTINGS, "To and Cc are left as they are; "
	    "\"To: undisclosed-recipients:;\" is added when there is neither" },
	{ "add_missing_from_header", SETTINGS, when_missing },
	{ "add_missing_date_header", SETTINGS, when_missing },
	{ "set_date_header", SETTINGS, when_missing },
	{ "set_msgid_header", SETTINGS, when_missing },
	{ "logfile_time_format", SETTINGS, "the times of a log are those of "
	    "RFC 3339" },
};

static const struct draft_rows all = { rows, sizeof rows / sizeof *rows,
    false };

enum { TAKEN = sizeof rows / sizeof *rows };

struct section {
	const char *name;
	struct draft_account *account;	/* NULL: the defaults */
	struct draft_taken taken[TAKEN];
	bool inherits;			/* and nothing was added yet */
	size_t from;			/* whom it is the same as */
};

struct reading {
	struct draft *d;
	struct section *sections;	/* the first: the defaults */
	size_t n;
	size_t current;
};

static bool
is_on(const struct draft_taken *t, bool standard)
{
	if (t->text == NULL)
		return standard;
	return *t->text == '\0' || strcmp(t->text, "on") == 0;
}

/* OAuth: what passwordeval prints is the token. */
static void
take_secret(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	draft_at(d, &t[PASSWORD]);
	if (draft_given(&t[PASSWORD]) != NULL)
		draft_password(d, a, &t[AUTH], t[PASSWORD].text);
	draft_at(d, &t[PASSWORDEVAL]);
	if (draft_given(&t[PASSWORDEVAL]) == NULL)
		return;
	if (a->values[SET_PASSWORD] != NULL)
		draft_note(d, a, "passwordeval is not needed: there is a "
		    "password");
	else
		draft_set(d, a, draft_is_token(&t[AUTH]) ? SET_OAUTH_COMMAND :
		    SET_PASSWORD_COMMAND, t[PASSWORDEVAL].text);
}

static void
take_auth(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *auth = t[AUTH].text;

	draft_at(d, &t[AUTH]);
	if (auth == NULL || strcasecmp(auth, "off") == 0) {
		draft_set(d, a, SET_AUTH, "none");
	} else if (*auth == '\0' || strcasecmp(auth, "on") == 0) {
		if (draft_given(&t[PASSWORD]) == NULL &&
		    draft_given(&t[PASSWORDEVAL]) == NULL)
			draft_note(d, a, "a key ring is not asked: with "
			    "\"secret-tool lookup host ... service smtp user "
			    "...\" as password-command it is. ~/.netrc and the "
			    "terminal are, as they were.");
	} else {
		draft_auth(d, a, auth, "this login is not spoken here "
		    "(DIGEST-MD5, NTLM, GSSAPI)");
	}
}

static void
take_trust(struct draft *d, struct draft_account *a,
    const struct draft_taken *t, struct draft_server *s)
{
	const char *file = t[TLS_TRUST_FILE].text;

	if (!is_on(&t[TLS_CERTCHECK], true) || t[NOCERTCHECK].text != NULL)
		s->unchecked = true;
	draft_at(d, &t[TLS_TRUST_FILE]);
	if (file != NULL && *file != '\0' && strcmp(file, "system") != 0)
		draft_set(d, a, SET_CA_FILE, file);
	draft_digest(d, a, &t[TLS_FINGERPRINT], "tls_fingerprint");
	if (draft_given(&t[TLS_FINGERPRINT]) != NULL ||
	    (file != NULL && *file == '\0'))
		s->unchecked = true;
}

static void
take_server(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	bool tls = is_on(&t[TLS], false), implicit = tls &&
	    (!is_on(&t[TLS_STARTTLS], true) || t[NOSTARTTLS].text != NULL);
	bool lmtp = draft_is(&t[PROTOCOL], "lmtp");
	struct draft_server *s;

	draft_at(d, draft_given(&t[SOCKET]) != NULL ? &t[SOCKET] : &t[HOST]);
	if (draft_given(&t[SOCKET]) == NULL && draft_given(&t[HOST]) == NULL) {
		draft_note(d, a, "there is no host; the domain of \"from\" is "
		    "asked for its servers");
		return;
	}
	s = draft_server(d, a);
	s->path = draft_given(&t[SOCKET]);
	s->lmtp = lmtp;
	s->host = draft_given(&t[HOST]);
	s->port = draft_given(&t[PORT]) != NULL ? draft_port(t[PORT].text) :
	    implicit ? "465" : "25";
	s->tls = implicit ? DRAFT_IMPLICIT : tls ? DRAFT_STARTTLS :
	    DRAFT_PLAIN;
	if (lmtp && s->path == NULL)
		draft_note(d, a, "LMTP is spoken over a unix socket alone "
		    "(lmtp:///path); this is SMTP to the same host");
	if (tls)
		take_trust(d, a, t, s);
}

static void
take_pattern(struct draft *d, struct draft_account *a, const char *from)
{
	if (strpbrk(from, "?[") != NULL)
		draft_note(d, a, "of a pattern only \"*\" is known in match; "
		    "write \"from\" with your address, and \"match\"");
	else
		draft_set(d, a, SET_MATCH, from);
}

static void
take_from(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *from = draft_given(&t[FROM]);
	static const char own[] = "an address for each user (%s) is none of an "
	    "account; write an account for each, with \"from\" and "
	    "\"allow-user\", or one address for all";

	draft_at(d, &t[AUTO_FROM]);
	if (is_on(&t[AUTO_FROM], false)) {
		draft_note(d, a, own, "auto_from, maildomain");
		return;
	}
	draft_at(d, &t[FROM]);
	if (from == NULL)
		return;
	if (strchr(from, '%') != NULL)
		draft_note(d, a, own, "%U, %H, %C, %M");
	else if (strpbrk(from, "*?[") != NULL)
		take_pattern(d, a, from);
	else
		draft_set(d, a, SET_FROM, from);
	draft_at(d, &t[ALLOW_FROM_OVERRIDE]);
	if (!is_on(&t[ALLOW_FROM_OVERRIDE], true) &&
	    a->values[SET_FROM] != NULL)
		draft_set(d, a, SET_ALLOW_FROM, a->values[SET_FROM]);
	else if (!is_on(&t[ALLOW_FROM_OVERRIDE], true))
		draft_note(d, a, "allow_from_override off is \"allow-from\", "
		    "when there is a \"from\"");
}

static void
take_header(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *when = t[SET_FROM_HEADER].text;

	draft_at(d, &t[SET_FROM_HEADER]);
	if (when == NULL || strcmp(when, "auto") == 0)
		return;
	if (strcmp(when, "off") == 0)
		draft_note(d, a, "set_from_header has no counterpart: %s",
		    when_missing);
	else if (a->values[SET_FROM] != NULL)
		draft_set(d, a, SET_REWRITE_FROM, "always");
	else
		draft_note(d, a, "set_from_header on is \"rewrite-from "
		    "always\", when there is a \"from\"");
}

static void
take_network(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *host = draft_given(&t[PROXY_HOST]);
	const char *port = draft_given(&t[PROXY_PORT]);
	const char *seconds = draft_given(&t[TIMEOUT]);
	const char *hello = draft_given(&t[HELLO]);

	draft_at(d, &t[PROXY_HOST]);
	if (host != NULL)
		draft_set(d, a, SET_PROXY, pool_printf(d->pool, "socks5://%s",
		    url_host_port(host, port != NULL ? port : "1080",
		    d->pool)));
	draft_at(d, &t[TIMEOUT]);
	if (seconds != NULL && strcmp(seconds, "off") != 0) {
		draft_set(d, a, SET_TIMEOUT_CONNECT, seconds);
		draft_set(d, a, SET_TIMEOUT_REPLY, seconds);
	}
	draft_at(d, &t[HELLO]);
	if (hello != NULL && strchr(hello, '%') != NULL)
		draft_note(d, a, "domain: the host's full name is what is said "
		    "anyway; hello sets another");
	else if (hello != NULL && strcmp(hello, "localhost") != 0)
		draft_set(d, a, SET_HELLO, hello);
}

static void
take_log(struct draft *d, struct draft_account *a, const struct draft_taken *t)
{
	const char *file = draft_given(&t[LOGFILE]), *facility = t[SYSLOG].text;
	bool syslog = facility != NULL && strcmp(facility, "off") != 0;

	draft_at(d, &t[LOGFILE]);
	if (file != NULL && strcmp(file, "-") == 0)
		draft_note(d, a, "logfile -: nothing is logged to standard "
		    "output; --json prints the outcome there");
	else
		draft_set(d, a, SET_LOG, file);
	draft_at(d, &t[SYSLOG]);
	if (syslog && a->values[SET_LOG] != NULL)
		draft_note(d, a, "syslog: there is one log, the file");
	else if (syslog)
		draft_set(d, a, SET_LOG, "syslog");
	if (syslog && *facility == 'L' && strcmp(facility, "LOG_MAIL") != 0)
		draft_note(d, a, "the facility is always LOG_MAIL");
}

/* "tls-priority" is added to GnuTLS's own. */
static void
take_priorities(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *words = draft_given(&t[PRIORITIES]);

	draft_at(d, &t[PRIORITIES]);
	if (words == NULL || strcmp(words, "NORMAL") == 0)
		return;
	if (strncmp(words, "NORMAL:", 7) == 0)
		draft_set(d, a, SET_TLS_PRIORITY, words + 7);
	else
		draft_note(d, a, "tls_priorities: tls-priority is added to "
		    "GnuTLS's NORMAL, and has only what differs from it");
}

static void
take_section(struct draft *d, const struct section *s)
{
	struct draft_account *a = s->account;
	const struct draft_taken *t = s->taken;

	take_secret(d, a, t);
	take_auth(d, a, t);
	draft_rows(d, a, &all, t);
	take_server(d, a, t);
	take_from(d, a, t);
	take_header(d, a, t);
	take_network(d, a, t);
	take_log(d, a, t);
	take_priorities(d, a, t);
}

static size_t
find_section(const struct reading *r, const char *name)
{
	size_t i;

	for (i = r->n; i > 1; i--)
		if (strcmp(r->sections[i - 1].name, name) == 0)
			return i - 1;
	return 0;
}

static void
inherit(struct reading *r, struct section *s, char *names)
{
	char *name, *rest;
	size_t from, i;

	for (name = strtok_r(names, ", \t", &rest); name != NULL;
	    name = strtok_r(NULL, ", \t", &rest)) {
		from = find_section(r, name);
		if (from == 0) {
			draft_error(r->d, "there is no account \"%s\" before "
			    "this line", name);
			continue;
		}
		s->inherits = s->from == 0;
		s->from = from;
		for (i = 0; i < TAKEN; i++)
			if (r->sections[from].taken[i].text != NULL)
				s->taken[i] = r->sections[from].taken[i];
	}
}

static void
begin_section(struct reading *r, char *text)
{
	char *colon = strchr(text, ':');
	struct section s = { 0 };

	if (colon != NULL)
		*colon = '\0';
	s.name = draft_trim(text);
	if (*s.name == '\0' || r->n > DRAFT_ACCOUNTS_MAX) {
		draft_error(r->d, "\"account\" wants a name, and there are at "
		    "most %d", DRAFT_ACCOUNTS_MAX);
		return;
	}
	memcpy(s.taken, r->sections[0].taken, sizeof s.taken);
	if (colon != NULL)
		inherit(r, &s, colon + 1);
	s.account = draft_account(r->d, s.name);
	r->sections = pool_grow(r->d->pool, r->sections, &r->n, sizeof s);
	r->current = r->n - 1;
	r->sections[r->current] = s;
}

static void
setting_line(struct reading *r, const char *name, char *value)
{
	struct section *s = &r->sections[r->current];
	size_t row = draft_find(&all, name), n = strlen(value);

	if (row == TAKEN) {
		draft_unknown(r->d, s->account, name);
		return;
	}
	if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
		value[n - 1] = '\0';
		value++;
	}
	s->taken[row] = (struct draft_taken){ value, r->d->file, r->d->line };
	s->inherits = false;
}

static void
statement(struct reading *r, char *line)
{
	char *value = draft_rest(line);

	if (strcmp(line, "account") == 0)
		begin_section(r, value);
	else if (strcmp(line, "defaults") == 0)
		r->current = 0;
	else if (strcmp(line, "eval") == 0)
		draft_note(r->d, r->sections[r->current].account, "eval has no "
		    "counterpart: nothing is run when the file is read. For a "
		    "password there is password-command; otherwise write what "
		    "the command prints.");
	else
		setting_line(r, line, value);
}

/*
 * "default" is who is used when none is meant: in front.  When it is another
 * account and nothing besides, that one is.
 */
static void
put_default_first(struct reading *r)
{
	size_t i = find_section(r, "default"), j;
	const struct section *s = &r->sections[i];

	if (i == 0)
		return;
	if (!s->inherits) {
		draft_first(r->d, s->account);
		return;
	}
	draft_first(r->d, r->sections[s->from].account);
	for (j = 0; j < r->d->n && r->d->accounts[j] != s->account; j++)
		;
	for (r->d->n--; j < r->d->n; j++)
		r->d->accounts[j] = r->d->accounts[j + 1];
}

static void
read_msmtp(struct draft *d, char *text)
{
	struct reading r = { .d = d };
	char *line;
	size_t i;

	r.sections = pool_grow(d->pool, NULL, &r.n, sizeof *r.sections);
	r.sections[0].name = "";
	while ((line = draft_statement(d, &text)) != NULL)
		statement(&r, line);
	for (i = 1; i < r.n; i++)
		take_section(d, &r.sections[i]);
	put_default_first(&r);
	if (r.n == 1)
		draft_error(d, "there is no \"account\"");
}

const struct import_kind import_msmtp = { "msmtp", "msmtp",
    " msmtprc .msmtprc msmtprc-system.example msmtprc-user.example ", &all,
    NULL, read_msmtp };
