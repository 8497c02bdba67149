#include "fair.h"
#include "url.h"

#include <string.h>
#include <strings.h>

enum { WIDTH = 76 };

/* As a comment, in lines that a person can read. */
static void
put_comment(struct buffer *b, const char *indent, const char *text)
{
	size_t n, column;

	while (*text != '\0') {
		buffer_printf(b, "%s#", indent);
		column = strlen(indent) + 1;
		do {
			text += strspn(text, " ");
			n = strcspn(text, " ");
			buffer_printf(b, " %.*s", (int)n, text);
			column += n + 1;
			text += n;
			text += strspn(text, " ");
		} while (*text != '\0' &&
		    column + 1 + strcspn(text, " ") <= WIDTH);
		buffer_put(b, "\n", 1);
	}
}

static void
put_notes(struct buffer *b, const char *indent, const struct draft_notes *notes)
{
	size_t i;

	for (i = 0; i < notes->n; i++)
		put_comment(b, indent, notes->text[i]);
}

static bool
is_bare(const char *value)
{
	return *value != '\0' && strpbrk(value, " \t'\"") == NULL &&
	    *value != '#';
}

/* Several words need no quotes between them. */
static bool
are_bare(const char *value)
{
	return *value != '\0' && strpbrk(value, "\t'\"#") == NULL;
}

static void
put_quoted(struct buffer *b, const char *value)
{
	buffer_put(b, "\"", 1);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buffer_put(b, "\\", 1);
		buffer_put(b, value, 1);
	}
	buffer_put(b, "\"", 1);
}

static void
put_setting(struct buffer *b, enum setting s, const char *value)
{
	buffer_printf(b, "    %-18s ", setting_kind(s)->name);
	if (setting_takes_several(s) ? are_bare(value) : is_bare(value))
		buffer_put(b, value, strlen(value));
	else
		put_quoted(b, value);
	buffer_put(b, "\n", 1);
}

/* It never leaves the machine; 127.example.org does. */
static bool
is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	    (url_is_address(host) && strncmp(host, "127.", 4) == 0);
}

static bool
logs_in(const struct draft_account *a)
{
	const char *auth = a->values[SET_AUTH];

	return (auth == NULL || strcasecmp(auth, "none") != 0) &&
	    (a->values[SET_USER] != NULL || a->values[SET_PASSWORD] != NULL ||
	    a->values[SET_PASSWORD_FILE] != NULL ||
	    a->values[SET_PASSWORD_COMMAND] != NULL ||
	    a->values[SET_OAUTH_COMMAND] != NULL || auth != NULL);
}

/* Once for all accounts. */
static const char to_trust[] = "where there was no TLS, or a certificate "
    "was not checked, the server's must now be one that a known authority "
    "vouches for. If it is not, name the authority with ca-file; or trust the "
    "key alone, with \"ca-file none\" and \"pin sha256:\" and the SHA-256 of "
    "the public key: the error about a wrong pin (64 zeros, say) has the right one.";

/* What was without TLS; a password asks for it. */
static const char *
plain_scheme(struct draft *d, struct draft_account *a,
    const struct draft_server *s)
{
	if (is_loopback(s->host))
		return "smtp+plain://";
	if (logs_in(a)) {
		d->unchecked = true;
		draft_note(d, a, "the login was without TLS, or could be; here "
		    "STARTTLS is demanded (smtp://), and the server's "
		    "certificate is checked. A password goes without "
		    "TLS to this machine alone: where the server cannot have "
		    "it, lead a tunnel there and write "
		    "\"server smtp+plain://localhost:port\".");
		return "smtp://";
	}
	if (s->tls == DRAFT_OFFERED) {
		draft_note(d, a, "STARTTLS is used where it is offered and "
		    "verifies nothing, as it was; smtp:// demands it.");
		return "smtp+opportunistic://";
	}
	draft_note(d, a, "there is no TLS, as it was; smtp:// demands "
	    "STARTTLS, and smtp+opportunistic:// uses it where it is offered.");
	return "smtp+plain://";
}

static const char *
scheme(struct draft *d, struct draft_account *a, const struct draft_server *s)
{
	if (s->tls == DRAFT_PLAIN || s->tls == DRAFT_OFFERED)
		return plain_scheme(d, a, s);
	if (s->unchecked) {
		draft_note(d, a, "the server's certificate was not checked; "
		    "here it is.%s", logs_in(a) || s->tls != DRAFT_STARTTLS ?
		    "" : " Where there is no login, smtp+opportunistic:// is "
		    "TLS that verifies nothing.");
		d->unchecked = true;
	}
	return s->tls == DRAFT_IMPLICIT ? "smtps://" : "smtp://";
}

/* The host without brackets. */
static const char *
bare_host(const char *host, struct pool *pool)
{
	size_t n = strlen(host);

	return n > 2 && *host == '[' && host[n - 1] == ']' ?
	    pool_octets(pool, host + 1, n - 2) : host;
}

/* NULL when it is no URL, and a comment says so. */
static const char *
server_url(struct draft *d, struct draft_account *a, struct draft_server *s)
{
	struct endpoint e;
	struct failure why;
	const char *url;

	d->file = s->file;
	d->line = s->line;
	if (s->path != NULL) {
		url = pool_printf(d->pool, "%s://%s", s->lmtp ? "lmtp" : "smtp",
		    s->path);
	} else {
		s->host = bare_host(s->host, d->pool);
		url = pool_printf(d->pool, "%s%s", scheme(d, a, s),
		    url_host_port(s->host, s->port, d->pool));
	}
	if (strlen(url) < 1000 && strpbrk(url, " \t\n\"'#@") == NULL &&
	    url_parse(url, &e, d->pool, &why))
		return url;
	draft_note(d, a, "this is no server that sendoff could ask; write "
	    "\"server\" here");
	return NULL;
}

static void
put_servers(struct draft *d, struct draft_account *a, struct buffer *b)
{
	const char *url, *all = NULL;
	size_t i;

	for (i = 0; i < a->nservers && i < 32; i++) {
		url = server_url(d, a, &a->servers[i]);
		if (url != NULL && all == NULL)
			all = url;
		else if (url != NULL && strlen(all) < 4000)
			all = pool_printf(d->pool, "%s %s", all, url);
	}
	if (all != NULL)
		buffer_printf(b, "    %-18s %s\n", "server", all);
}

/* Of an account that is nobody's. */
static void
miss_sender(struct draft *d, struct draft_account *a)
{
	const char *user = a->values[SET_USER];

	if (a->values[SET_FROM] == NULL && a->values[SET_MATCH] == NULL) {
		d->line = 0;
		draft_note(d, a, "there is no address of the account in it; "
		    "write \"from\" with the one that the server takes mail "
		    "from%s. Without it the sender is the login name at this "
		    "host's full name.", user != NULL && strchr(user, '@') !=
		    NULL ? ", perhaps what is in \"user\"" : "");
	}
}

static void
put_account(struct draft *d, struct draft_account *a, bool masked,
    struct buffer *b)
{
	struct buffer settings = BUFFER_SECRET;
	size_t s;

	for (s = 0; s < SETTINGS; s++) {
		if (s == SET_SERVER)
			put_servers(d, a, &settings);
		else if (a->values[s] != NULL && masked &&
		    setting_kind((enum setting)s)->secret)
			buffer_printf(&settings, "    # %s ***  (a terminal "
			    "is not shown it; write to a file)\n",
			    setting_kind((enum setting)s)->name);
		else if (a->values[s] != NULL)
			put_setting(&settings, (enum setting)s, a->values[s]);
	}
	miss_sender(d, a);
	buffer_printf(b, "\naccount %s\n", a->name);
	put_notes(b, "    ", &a->notes);
	buffer_put(b, buffer_data(&settings), buffer_len(&settings));
	buffer_wipe(&settings);
}

static bool
has(const struct draft *d, enum setting s)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (d->accounts[i]->values[s] != NULL)
			return true;
	return false;
}

void
fair_copy(struct draft *d, bool masked, struct buffer *b)
{
	struct buffer accounts = BUFFER_SECRET;
	const char *file = d->file;
	size_t i;

	for (i = 0; i < d->n; i++)
		put_account(d, d->accounts[i], masked, &accounts);
	d->file = file;
	d->line = 0;
	if (d->unchecked)
		draft_note(d, NULL, "%s", to_trust);
	put_comment(b, "", pool_printf(d->pool, "Made by sendoff --import from "
	    "the configuration of %s; sendoff-migrate(7) says how to go on.",
	    d->program));
	if (has(d, SET_PASSWORD) || has(d, SET_CLIENT_KEY_ED25519))
		put_comment(b, "", pool_printf(d->pool, "There is a %s in it, "
		    "so it must be for its owner alone: chmod 600.",
		    has(d, SET_PASSWORD) ? "password" : "key"));
	put_notes(b, "", &d->notes);
	buffer_put(b, buffer_data(&accounts), buffer_len(&accounts));
	buffer_wipe(&accounts);
}
