#include "imports.h"
#include "url.h"

#include <string.h>
#include <strings.h>

enum row {
	MTA, SMTP, AUTH, USER, PASSWORD, AUTH_USER, AUTH_PASSWORD, STARTTLS,
	FROM, VERIFY, FINGERPRINT, SOCKS, PAIRS, NETRC_LOOKUP
};

static const char by_path[] = "the program named by mta is not asked; sendoff "
    "sends by itself";
static const char by_gnutls[] = "TLS 1.2 is the least that is spoken; "
    "tls-minimum and tls-priority ask for more";

/* s-nail(1), INTERNAL VARIABLES; what is not about sending has no row. */
static const struct draft_row rows[] = {
	[MTA]		= { "mta", SETTINGS, NULL },
	[SMTP]		= { "smtp", SETTINGS, NULL },
	[AUTH]		= { "smtp-auth", SETTINGS, NULL },
	[USER]		= { "user", SETTINGS, NULL },
	[PASSWORD]	= { "password", SETTINGS, NULL },
	[AUTH_USER]	= { "smtp-auth-user", SETTINGS, NULL },
	[AUTH_PASSWORD]	= { "smtp-auth-password", SETTINGS, NULL },
	[STARTTLS]	= { "smtp-use-starttls", SETTINGS, NULL },
	[FROM]		= { "from", SETTINGS, NULL },
	[VERIFY]	= { "tls-verify", SETTINGS, NULL },
	[FINGERPRINT]	= { "tls-fingerprint", SETTINGS, NULL },
	[SOCKS]		= { "socks-proxy", SETTINGS, NULL },
	[PAIRS]		= { "tls-config-pairs", SETTINGS, NULL },
	[NETRC_LOOKUP]	= { "netrc-lookup", SETTINGS, NULL },
	{ "hostname", SET_HELLO, NULL },
	{ "socket-connect-timeout", SET_TIMEOUT_CONNECT, NULL },
	{ "tls-ca-file", SET_CA_FILE, NULL },
	{ "tls-crl-file", SET_CRL_FILE, NULL },
	{ "tls-cert", SET_CLIENT_CERTIFICATE, NULL },
	{ "tls-key", SET_CLIENT_KEY, NULL },
	{ "mta-aliases", SET_ALIASES, NULL },
	{ "tls-ca-no-defaults", SETTINGS, NULL },
	{ "tls-fingerprint-digest", SETTINGS, NULL },
	{ "sendwait", SETTINGS, NULL },
	{ "v15-compat", SETTINGS, NULL },
	{ "smtp-hostname", SETTINGS, "the sender is \"from\", as it is" },
	{ "tls-ca-dir", SETTINGS, "ca-file wants one file: \"cat DIR/*.pem\" "
	    "makes it" },
	{ "tls-ca-flags", SETTINGS, "certificates are judged as GnuTLS does" },
	{ "tls-config-file", SETTINGS, "OpenSSL's file is not read; "
	    "tls-priority has GnuTLS's words" },
	{ "tls-config-module", SETTINGS, "OpenSSL's file is not read; "
	    "tls-priority has GnuTLS's words" },
	{ "tls-crl-dir", SETTINGS, "crl-file wants one file: \"cat DIR/*.pem\" "
	    "makes it" },
	{ "tls-rand-file", SETTINGS, "random octets are the system's" },
	{ "tls-cipher-list", SETTINGS, by_gnutls },
	{ "tls-curves", SETTINGS, by_gnutls },
	{ "tls-method", SETTINGS, by_gnutls },
	{ "tls-protocol", SETTINGS, by_gnutls },
	{ "netrc-pipe", SETTINGS, "password-command runs a command that prints "
	    "the password" },
	{ "nss-config-dir", SETTINGS, "authorities are a file (ca-file) or the "
	    "system's" },
	{ "sendmail", SETTINGS, by_path },
	{ "mta-arguments", SETTINGS, by_path },
	{ "mta-argv0", SETTINGS, by_path },
	{ "mta-no-default-arguments", SETTINGS, by_path },
	{ "mta-no-receiver-arguments", SETTINGS, by_path },
	{ "mta-bcc-ok", SETTINGS, "Bcc fields are always taken out" },
};

static const struct draft_rows all = { rows, sizeof rows / sizeof *rows,
    false };

enum { TAKEN = sizeof rows / sizeof *rows, WORDS_MAX = 200 };

/* "name-USER@HOST" or "name-HOST": for that server alone. */
struct chained {
	size_t row;
	const char *suffix;
	struct draft_taken taken;
};

struct section {
	const char *name;		/* NULL: outside of any block */
	bool account;			/* or a macro */
	struct draft_taken taken[TAKEN];
	struct chained *chained;
	size_t nchained;
};

struct reading {
	struct draft *d;
	struct section *sections;
	size_t n, current;
	const char *user, *password, *host;	/* of the URL at hand */
};

/* In place. */
static char *
percent_decoded(char *s)
{
	char *p = s, *out = s;

	while (*p != '\0')
		p += url_octet(p, out++);
	*out = '\0';
	return s;
}

struct scheme {
	const char *name;
	const char *port;
	bool implicit;
};

static const struct scheme *
find_scheme(const char **url)
{
	static const struct scheme schemes[] = {
		{ "smtps://", "465", true },
		{ "submissions://", "465", true },
		{ "submission://", "587", false },
		{ "smtp://", "25", false },
	};
	size_t i, n;

	for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		n = strlen(schemes[i].name);
		if (strncasecmp(*url, schemes[i].name, n) == 0) {
			*url += n;
			return &schemes[i];
		}
	}
	return strstr(*url, "://") == NULL ? &schemes[3] : NULL;
}

/* Octets behind a "%00" are none. */
static void
split_login(struct reading *r, const char *text, size_t n)
{
	char *login = pool_octets(r->d->pool, text, n);
	char *colon = strchr(login, ':');

	if (colon != NULL) {
		*colon = '\0';
		r->password = percent_decoded(colon + 1);
	}
	r->user = percent_decoded(login);
}

/* [user[:password]@]host[:port][/...]; false when it is a program. */
static bool
take_url(struct reading *r, struct draft_account *a,
    const struct draft_taken *t, bool starttls)
{
	const struct draft_taken *url = t[MTA].text != NULL ? &t[MTA] :
	    &t[SMTP];
	const char *rest = url->text, *at;
	const struct scheme *scheme;
	struct draft_server *s;
	size_t n;

	draft_at(r->d, url);
	if (rest == NULL || *rest == '/' || *rest == '\0' ||
	    (scheme = find_scheme(&rest)) == NULL ||
	    (url == &t[MTA] && strcmp(rest, "test") == 0))
		return false;
	n = strcspn(rest, "/");
	at = memchr(rest, '@', n) == NULL ? NULL : rest + n;
	while (at != NULL && *--at != '@')
		;
	if (at != NULL) {
		split_login(r, rest, (size_t)(at - rest));
		n -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	s = draft_server(r->d, a);
	draft_host(r->d, s, pool_octets(r->d->pool, rest, n), scheme->port);
	r->host = s->host;
	s->tls = scheme->implicit ? DRAFT_IMPLICIT : starttls ?
	    DRAFT_STARTTLS : DRAFT_PLAIN;
	return true;
}

static void
take_login(struct reading *r, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *auth = t[AUTH].text;
	struct draft *d = r->d;
	size_t user = t[USER].text != NULL ? USER : AUTH_USER;
	size_t password = t[PASSWORD].text != NULL ? PASSWORD : AUTH_PASSWORD;

	if (r->user == NULL)
		draft_at(d, &t[user]);
	draft_set(d, a, SET_USER, r->user != NULL ? r->user : t[user].text);
	if (r->password == NULL)
		draft_at(d, &t[password]);
	draft_password(d, a, &t[AUTH], r->password != NULL ? r->password :
	    t[password].text);
	draft_at(d, &t[AUTH]);
	if (auth != NULL && strcasecmp(auth, "externanon") == 0)
		auth = "external";
	if (auth == NULL ? a->values[SET_USER] == NULL :
	    strcasecmp(auth, "none") == 0)
		draft_set(d, a, SET_AUTH, "none");
	else if (auth != NULL)
		draft_auth(d, a, auth, "this smtp-auth is not spoken here");
}

/* "Name <address>", "address (Name)", "address". */
static void
take_from(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	char *text, *open, *end;

	draft_at(d, &t[FROM]);
	if (t[FROM].text == NULL)
		return;
	text = draft_trim(pool_string(d->pool, t[FROM].text));
	open = strchr(text, '<');
	if (open == NULL)
		open = strchr(text, '(');
	end = open == NULL ? NULL : strchr(open, *open == '<' ? '>' : ')');
	if (end == NULL) {
		draft_set(d, a, SET_FROM, text);
		return;
	}
	*end = '\0';
	if (*open == '<') {
		*open = '\0';
		draft_set(d, a, SET_NAME, draft_trim(text));
		draft_set(d, a, SET_FROM, draft_trim(open + 1));
		return;
	}
	*open = '\0';
	draft_set(d, a, SET_NAME, draft_trim(open + 1));
	draft_set(d, a, SET_FROM, *draft_trim(text) != '\0' ?
	    draft_trim(text) : draft_trim(end + 1));
}

/* Of OpenSSL's pairs those that have a counterpart. */
static void
take_pairs(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	static const struct {
		const char *key;
		enum setting setting;
	} known[] = {
		{ "Certificate=", SET_CLIENT_CERTIFICATE },
		{ "PrivateKey=", SET_CLIENT_KEY },
	};
	char *pair, *rest;
	size_t i;

	draft_at(d, &t[PAIRS]);
	if (t[PAIRS].text == NULL)
		return;
	for (pair = strtok_r(pool_string(d->pool, t[PAIRS].text), ",", &rest);
	    pair != NULL; pair = strtok_r(NULL, ",", &rest)) {
		pair = draft_trim(pair);
		for (i = 0; i < sizeof known / sizeof *known; i++)
			if (strncasecmp(pair, known[i].key,
			    strlen(known[i].key)) == 0)
				draft_set(d, a, known[i].setting,
				    pair + strlen(known[i].key));
		if (strcasecmp(pair, "MinProtocol=TLSv1.3") == 0)
			draft_set(d, a, SET_TLS_MINIMUM, "1.3");
	}
	draft_note(d, a, "of tls-config-pairs only certificate, key and a "
	    "minimum of TLS 1.3 have a counterpart: %s", by_gnutls);
}

static void
take_trust(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *verify = t[VERIFY].text;

	draft_digest(d, a, &t[FINGERPRINT], "tls-fingerprint");
	if (t[FINGERPRINT].text != NULL || (verify != NULL &&
	    strcasecmp(verify, "strict") != 0))
		a->servers[0].unchecked = true;
	draft_at(d, &t[SOCKS]);
	if (t[SOCKS].text != NULL)
		draft_set(d, a, SET_PROXY, strstr(t[SOCKS].text, "://") != NULL
		    ? t[SOCKS].text : pool_printf(d->pool, "socks5://%s",
		    t[SOCKS].text));
	draft_at(d, &t[NETRC_LOOKUP]);
	if (t[NETRC_LOOKUP].text != NULL)
		draft_note(d, a, "~/.netrc is asked when there is no other "
		    "password, for exactly the server's host");
}

/* Values for this server alone go before those for all. */
static void
apply_chained(struct reading *r, const struct section *s,
    struct draft_taken *t)
{
	const char *at, *host = r->host == NULL ? "" : r->host;
	const struct chained *c;
	size_t i;

	for (i = 0; i < s->nchained; i++) {
		c = &s->chained[i];
		at = strrchr(c->suffix, '@');
		if (strcasecmp(at == NULL ? c->suffix : at + 1, host) == 0 ||
		    (at != NULL && t[FROM].text != NULL &&
		    strstr(t[FROM].text, c->suffix) != NULL))
			t[c->row] = c->taken;
	}
}

static void
take_section(struct reading *r, size_t i)
{
	struct draft *d = r->d;
	struct section *s = &r->sections[i];
	struct draft_taken t[TAKEN];
	struct draft_account *a;
	size_t j;

	memcpy(t, r->sections[0].taken, sizeof t);
	for (j = 0; j < TAKEN; j++)
		if (s->taken[j].text != NULL)
			t[j] = s->taken[j];
	if (i > 0 && s->taken[MTA].text == NULL && s->taken[SMTP].text == NULL
	    && s->taken[FROM].text == NULL)
		return;
	a = draft_account(d, i == 0 ? "default" : s->name);
	r->user = r->password = r->host = NULL;
	if (!take_url(r, a, t, t[STARTTLS].text != NULL)) {
		draft_note(d, a, "there is no URL of a server in \"mta\"; name "
		    "it with \"server\", or with \"from\" the domain is asked "
		    "for it");
		draft_set(d, a, SET_AUTH, "none");
		take_from(d, a, t);
		return;
	}
	apply_chained(r, &r->sections[0], t);
	apply_chained(r, s, t);
	if (t[STARTTLS].text != NULL && a->servers[0].tls == DRAFT_PLAIN)
		a->servers[0].tls = DRAFT_STARTTLS;
	take_login(r, a, t);
	take_from(d, a, t);
	take_trust(d, a, t);
	take_pairs(d, a, t);
	draft_rows(d, a, &all, t);
}

/* "ssl-..." is what "tls-..." was called. */
static void
assignment(struct reading *r, char *word)
{
	struct section *s = &r->sections[r->current];
	char *value = strchr(word, '=');
	struct draft_taken t;
	size_t row, n;

	if (value != NULL)
		*value++ = '\0';
	if (strncmp(word, "ssl-", 4) == 0)
		memcpy(word, "tls", 3);
	t = (struct draft_taken){ value != NULL ? value : "", r->d->file,
	    r->d->line };
	row = draft_find(&all, word);
	if (row < TAKEN)
		s->taken[row] = t;
	for (n = 0; row == TAKEN && n < TAKEN; n++) {
		size_t len = strlen(rows[n].name);

		if (strncmp(word, rows[n].name, len) != 0 || word[len] != '-' ||
		    (strchr(word + len, '.') == NULL &&
		    strchr(word + len, '@') == NULL))
			continue;
		s->chained = pool_grow(r->d->pool, s->chained, &s->nchained,
		    sizeof *s->chained);
		s->chained[s->nchained - 1] = (struct chained){ n,
		    word + len + 1, t };
	}
}

static void
begin_block(struct reading *r, const char *name, bool account)
{
	if (r->n > DRAFT_ACCOUNTS_MAX)
		return;
	r->sections = pool_grow(r->d->pool, r->sections, &r->n,
	    sizeof *r->sections);
	r->current = r->n - 1;
	r->sections[r->current].name = name;
	r->sections[r->current].account = account;
}

/* A macro's settings become those of the account that calls it. */
static void
call(struct reading *r, const char *name)
{
	struct section *s = &r->sections[r->current];
	const struct section *from;
	size_t i;

	for (from = r->sections + r->n; from-- > r->sections + 1;) {
		if (from->account || strcasecmp(from->name, name) != 0)
			continue;
		for (i = 0; i < TAKEN; i++)
			if (from->taken[i].text != NULL)
				s->taken[i] = from->taken[i];
		s->chained = from->chained;
		s->nchained = from->nchained;
		return;
	}
}

static void
statement(struct reading *r, char *line)
{
	char *words[WORDS_MAX];
	size_t n, i = 0, len;

	if (strcmp(line, "}") == 0)
		r->current = 0;
	line += *line == '\\';
	len = strcspn(line, " \t");
	if (strncmp(line, "wysh", len) == 0 && len == 4)
		line += len + strspn(line + len, " \t");
	len = strcspn(line, " \t");
	if (!(len == 3 && strncmp(line, "set", 3) == 0) &&
	    !(len == 7 && strncmp(line, "account", 7) == 0) &&
	    !(len == 6 && strncmp(line, "define", 6) == 0) &&
	    !(len == 4 && strncmp(line, "call", 4) == 0))
		return;			/* is not about sending */
	n = draft_words(r->d, line, words, WORDS_MAX);
	if (n >= 3 && len >= 6 && strcmp(words[n - 1], "{") == 0)
		begin_block(r, words[1], len == 7);
	else if (n == 2 && len == 4 && r->current > 0)
		call(r, words[1]);
	for (i = 1; len == 3 && i < n && *words[i] != '#'; i++)
		assignment(r, words[i]);
}

/* A line that ends in a backslash goes on in the next: with a CR between. */
static void
join(char *p)
{
	for (; *p != '\0'; p++) {
		if (*p == '\r')
			*p = ' ';
		if (p[0] == '\\' && p[1] == '\n') {
			p[0] = ' ';
			p[1] = '\r';
			p++;
		}
	}
}

/* How many lines went on; the CRs become blanks. */
static size_t
joined(char *line)
{
	size_t n = 0;

	for (; *line != '\0'; line++)
		if (*line == '\r') {
			*line = ' ';
			n++;
		}
	return n;
}

static void
read_mailrc(struct draft *d, char *text)
{
	struct reading r = { .d = d };
	char *line;
	size_t i, more, at;

	begin_block(&r, NULL, false);
	join(text);
	while ((line = draft_line(d, &text)) != NULL) {
		at = d->line;
		more = joined(line);
		if (*line != '\0' && *line != '#')
			statement(&r, line);
		d->line = at + more;
	}
	for (i = 1; i < r.n; i++)
		if (r.sections[i].account)
			take_section(&r, i);
	if (d->n == 0 || r.sections[0].taken[MTA].text != NULL ||
	    r.sections[0].taken[SMTP].text != NULL) {
		take_section(&r, 0);
		draft_first(d, d->accounts[d->n - 1]);
	}
	d->line = 0;
	draft_note(d, NULL, "what is not about sending is left out: it is the "
	    "mail reader's. With \"set mta=/usr/sbin/sendmail\" it sends by "
	    "sendoff.");
}

const struct import_kind import_mailrc = { "mailrc", "s-nail",
    " .mailrc mailrc s-nail.rc nail.rc mail.rc ", &all,
    " set unset wysh alias retain ignore define ", read_mailrc };
