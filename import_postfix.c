#include "imports.h"
#include "maincf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum row {
	RELAYHOST, FALLBACK, LEVEL, USE_TLS, ENFORCE_TLS, WRAPPER, SASL,
	SASL_MAPS, FILTER, OPTIONS, TLS_OPTIONS, PROTOCOLS, CONNECT_TIMEOUT,
	LIFETIME, HELO, MYHOSTNAME, MYORIGIN, ALIAS_MAPS, BY_SENDER,
	RELAY_BY_SENDER, NOTIFY, CAPATH
};

static const char rewriting[] = "addresses are not rewritten by tables; "
    "\"from\" and \"rewrite-from\" give a message the account's address";
static const char one_server[] = "a message goes to the account's server; "
    "\"match\" chooses another account by sender or recipient";
static const char digest[] = "a pin is the SHA-256 of the server's key alone "
    "(\"pin\"); the error about a wrong one has the right one";
static const char ciphers[] = "TLS 1.2 is the least that is spoken; "
    "tls-priority has GnuTLS's words for more";

/* postconf(5); what is not about sending to a relay has no row. */
static const struct draft_row rows[] = {
	[RELAYHOST]	= { "relayhost", SETTINGS, NULL },
	[FALLBACK]	= { "smtp_fallback_relay", SETTINGS, NULL },
	[LEVEL]		= { "smtp_tls_security_level", SETTINGS, NULL },
	[USE_TLS]	= { "smtp_use_tls", SETTINGS, NULL },
	[ENFORCE_TLS]	= { "smtp_enforce_tls", SETTINGS, NULL },
	[WRAPPER]	= { "smtp_tls_wrappermode", SETTINGS, NULL },
	[SASL]		= { "smtp_sasl_auth_enable", SETTINGS, NULL },
	[SASL_MAPS]	= { "smtp_sasl_password_maps", SETTINGS, NULL },
	[FILTER]	= { "smtp_sasl_mechanism_filter", SETTINGS, NULL },
	[OPTIONS]	= { "smtp_sasl_security_options", SETTINGS, NULL },
	[TLS_OPTIONS]	= { "smtp_sasl_tls_security_options", SETTINGS, NULL },
	[PROTOCOLS]	= { "smtp_tls_mandatory_protocols", SETTINGS, NULL },
	[CONNECT_TIMEOUT] = { "smtp_connect_timeout", SETTINGS, NULL },
	[LIFETIME]	= { "maximal_queue_lifetime", SETTINGS, NULL },
	[HELO]		= { "smtp_helo_name", SETTINGS, NULL },
	[MYHOSTNAME]	= { "myhostname", SETTINGS, NULL },
	[MYORIGIN]	= { "myorigin", SETTINGS, NULL },
	[ALIAS_MAPS]	= { "alias_maps", SETTINGS, NULL },
	[BY_SENDER]	= { "smtp_sender_dependent_authentication", SETTINGS,
	    NULL },
	[RELAY_BY_SENDER] = { "sender_dependent_relayhost_maps", SETTINGS,
	    NULL },
	[NOTIFY]	= { "notify_classes", SETTINGS, "\"notify yes\" tells "
	    "the account's own address when a queued message is given up" },
	[CAPATH]	= { "smtp_tls_CApath", SETTINGS, NULL },
	{ "smtp_tls_CAfile", SET_CA_FILE, NULL },
	{ "smtp_tls_cert_file", SET_CLIENT_CERTIFICATE, NULL },
	{ "smtp_tls_key_file", SET_CLIENT_KEY, NULL },
	{ "smtp_tls_chain_files", SET_CLIENT_CERTIFICATE, NULL },
	{ "smtp_tls_eccert_file", SET_CLIENT_CERTIFICATE, NULL },
	{ "smtp_tls_eckey_file", SET_CLIENT_KEY, NULL },
	{ "smtp_bind_address", SET_SOURCE, NULL },
	{ "smtp_bind_address6", SET_SOURCE, NULL },
	{ "luser_relay", SET_DEFAULT_RECIPIENT, NULL },
	{ "smtp_tls_servername", SETTINGS, "the host of \"server\" is what is "
	    "asked for; tls-name is what the certificate must carry" },
	{ "smtp_tls_trust_anchor_file", SETTINGS, "ca-file names authorities" },
	{ "smtp_tls_policy_maps", SETTINGS, "each server's scheme says what "
	    "TLS it must have, and tls-name, pin, dane the rest" },
	{ "smtp_tls_per_site", SETTINGS, "each server's scheme says what TLS "
	    "it must have" },
	{ "smtp_tls_fingerprint_cert_match", SETTINGS, digest },
	{ "smtp_tls_fingerprint_digest", SETTINGS, digest },
	{ "smtp_tls_secure_cert_match", SETTINGS, "the certificate must be for "
	    "the server's host, or for tls-name" },
	{ "smtp_tls_verify_cert_match", SETTINGS, "the certificate must be for "
	    "the server's host, or for tls-name" },
	{ "smtp_tls_protocols", SETTINGS, ciphers },
	{ "smtp_tls_ciphers", SETTINGS, ciphers },
	{ "smtp_tls_mandatory_ciphers", SETTINGS, ciphers },
	{ "smtp_tls_exclude_ciphers", SETTINGS, ciphers },
	{ "smtp_tls_mandatory_exclude_ciphers", SETTINGS, ciphers },
	{ "smtp_tls_loglevel", SETTINGS, "the log line has what TLS it was; "
	    "-vv shows more" },
	{ "smtp_tls_note_starttls_offer", SETTINGS, "-v shows what is "
	    "offered" },
	{ "smtp_tls_session_cache_database", SETTINGS, "there is one "
	    "connection, and no cache" },
	{ "smtp_tls_session_cache_timeout", SETTINGS, "there is one "
	    "connection, and no cache" },
	{ "smtp_tls_connection_reuse", SETTINGS, "there is one connection" },
	{ "smtp_sasl_type", SETTINGS, "SASL is built in" },
	{ "smtp_sasl_path", SETTINGS, "SASL is built in" },
	{ "smtp_dns_support_level", SETTINGS, "\"dane\" says what DNSSEC is "
	    "asked for" },
	{ "smtp_host_lookup", SETTINGS, "names are the DNS's and then the "
	    "system's" },
	{ "smtp_address_preference", SETTINGS, "all addresses are tried, "
	    "250 ms apart" },
	{ "inet_protocols", SETTINGS, "all addresses are tried; -4 and -6 "
	    "choose" },
	{ "smtp_tcp_port", SETTINGS, "the port stands in \"server\"" },
	{ "smtp_generic_maps", SETTINGS, rewriting },
	{ "sender_canonical_maps", SETTINGS, rewriting },
	{ "recipient_canonical_maps", SETTINGS, rewriting },
	{ "canonical_maps", SETTINGS, rewriting },
	{ "masquerade_domains", SETTINGS, rewriting },
	{ "smtp_header_checks", SETTINGS, rewriting },
	{ "header_checks", SETTINGS, rewriting },
	{ "virtual_alias_maps", SETTINGS, "\"aliases\" are for local names "
	    "alone" },
	{ "transport_maps", SETTINGS, one_server },
	{ "default_transport", SETTINGS, one_server },
	{ "sender_dependent_default_transport_maps", SETTINGS, one_server },
	{ "always_bcc", SETTINGS, "no recipient is added" },
	{ "message_size_limit", SETTINGS, "the server's SIZE is the limit" },
	{ "minimal_backoff_time", SETTINGS, "how often is the timer's to say" },
	{ "queue_run_delay", SETTINGS, "how often is the timer's to say" },
	{ "bounce_queue_lifetime", SETTINGS, "there are no bounces; \"notify "
	    "yes\" tells the end of a queued message" },
};

static const struct draft_rows all = { rows, sizeof rows / sizeof *rows,
    false };

static bool
is_yes(const struct draft_taken *t)
{
	return draft_is(t, "yes");
}

/* smtp_tls_security_level, and what it was before there was one. */
static void
security(struct draft_server *s, const struct draft_taken *t)
{
	const char *level = draft_given(&t[LEVEL]);

	if (level == NULL)
		level = is_yes(&t[ENFORCE_TLS]) ? "verify" :
		    is_yes(&t[USE_TLS]) ? "may" : "none";
	s->tls = is_yes(&t[WRAPPER]) ? DRAFT_IMPLICIT :
	    strcmp(level, "none") == 0 ? DRAFT_PLAIN :
	    strcmp(level, "may") == 0 ? DRAFT_OFFERED : DRAFT_STARTTLS;
	s->unchecked = strcmp(level, "verify") != 0 &&
	    strcmp(level, "secure") != 0 && strncmp(level, "dane", 4) != 0;
}

/* "[host]:port", "host", "host:service" */
static void
one_relay(struct draft *d, struct draft_account *a,
    const struct draft_taken *t, const char *relay)
{
	struct draft_server *s = draft_server(d, a);

	draft_host(d, s, relay, "25");
	security(s, t);
	if (*relay != '[')
		draft_note(d, a, "without brackets the relay was the mail "
		    "exchanger (MX) of that name; sendoff asks for no MX, so "
		    "name the server itself if the two differ");
}

static void
relays(struct draft *d, struct draft_account *a, const struct draft_taken *t,
    const char *list)
{
	char *relay, *rest;

	for (relay = strtok_r(pool_string(d->pool, list), ", \t", &rest);
	    relay != NULL; relay = strtok_r(NULL, ", \t", &rest))
		one_relay(d, a, t, relay);
}

/* "user:password", as sasl_passwd has it. */
static void
take_login(struct draft *d, struct draft_account *a, const char *login)
{
	const char *colon = strchr(login, ':');

	if (colon == NULL) {
		draft_set(d, a, SET_USER, login);
		return;
	}
	draft_set(d, a, SET_USER, pool_octets(d->pool, login,
	    (size_t)(colon - login)));
	draft_set(d, a, SET_PASSWORD, colon + 1);
}

/* The relay as it is written, else its host. */
static const struct maincf_entry *
login_of(struct draft *d, const struct maincf_table *table, const char *relay)
{
	const struct maincf_entry *e = maincf_look_up(table, relay);
	size_t n = strcspn(relay, "]");

	if (e != NULL)
		return e;
	if (*relay == '[')
		return maincf_look_up(table, pool_octets(d->pool, relay + 1,
		    n - 1));
	return maincf_look_up(table, pool_octets(d->pool, relay,
	    strcspn(relay, ":")));
}

static void
take_mechanisms(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *filter = draft_given(&t[FILTER]), *list = NULL, *ours;
	char *word, *rest;

	draft_at(d, &t[FILTER]);
	if (filter == NULL)
		return;
	for (word = strtok_r(pool_string(d->pool, filter), ", \t", &rest);
	    word != NULL; word = strtok_r(NULL, ", \t", &rest)) {
		if (!draft_mechanism(word, &ours)) {
			draft_note(d, a, "smtp_sasl_mechanism_filter is no "
			    "list of mechanisms that are spoken here; the best "
			    "that the server offers is taken");
			return;
		}
		list = list == NULL || strlen(list) > 1000 ? ours :
		    pool_printf(d->pool, "%s %s", list, ours);
	}
	draft_set(d, a, SET_AUTH, list);
}

/* Without "noplaintext" PLAIN and LOGIN are allowed, over TLS. */
static void
take_options(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	size_t which = draft_given(&t[TLS_OPTIONS]) != NULL ? TLS_OPTIONS :
	    OPTIONS;

	draft_at(d, &t[which]);
	if (draft_given(&t[which]) != NULL &&
	    strstr(t[which].text, "noplaintext") != NULL)
		draft_set(d, a, SET_AUTH_MINIMUM, "CRAM-MD5");
}

/* "30s", "5m": seconds. */
static void
take_seconds(struct draft *d, struct draft_account *a, enum setting s,
    const struct draft_taken *t)
{
	static const char units[] = "smhdw";
	static const long seconds[] = { 1, 60, 3600, 86400, 604800 };
	char *end;
	long n;
	const char *unit;

	draft_at(d, t);
	if (draft_given(t) == NULL || strlen(t->text) > 8)
		return;
	n = strtol(t->text, &end, 10);
	unit = *end == '\0' ? units : strchr(units, *end);
	if (unit == NULL || n <= 0)
		draft_note(d, a, "\"%s\" is no duration", t->text);
	else
		draft_set(d, a, s, pool_printf(d->pool, "%ld",
		    n * seconds[unit - units]));
}

static void
take_names(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *origin = draft_given(&t[MYORIGIN]);
	const char *map = draft_given(&t[ALIAS_MAPS]);
	size_t helo = draft_given(&t[HELO]) != NULL ? HELO : MYHOSTNAME;
	char *text;

	draft_at(d, &t[helo]);
	draft_set(d, a, SET_HELLO, draft_given(&t[helo]));
	draft_at(d, &t[MYORIGIN]);
	if (origin != NULL && *origin == '/')
		origin = draft_first_line(d, origin, true);
	if (origin != NULL && strchr(origin, '$') == NULL)
		draft_set(d, a, SET_DOMAIN, origin);
	draft_at(d, &t[ALIAS_MAPS]);
	if (map == NULL)
		return;
	text = strchr(map, ':');
	if (text != NULL && text[1] == '/' && strpbrk(text, ", \t") == NULL)
		draft_set(d, a, SET_ALIASES, text + 1);
	else
		draft_note(d, a, "alias_maps: \"aliases\" is one text file");
}

static void
take_rest(struct draft *d, struct draft_account *a,
    const struct draft_taken *t)
{
	const char *level = draft_given(&t[LEVEL]);
	const char *least = draft_given(&t[PROTOCOLS]);

	if (a->values[SET_USER] == NULL) {
		draft_set(d, a, SET_AUTH, "none");
	} else {
		take_mechanisms(d, a, t);
		take_options(d, a, t);
	}
	draft_rows(d, a, &all, t);
	draft_at(d, &t[CAPATH]);
	if (draft_given(&t[CAPATH]) != NULL &&
	    strcmp(t[CAPATH].text, "/etc/ssl/certs") != 0)
		draft_note(d, a, "smtp_tls_CApath has no counterpart: ca-file "
		    "wants one file: \"cat DIR/*.pem\" makes it");
	draft_at(d, &t[LEVEL]);
	if (level != NULL && strcmp(level, "dane-only") == 0)
		draft_set(d, a, SET_DANE, "require");
	draft_at(d, &t[PROTOCOLS]);
	if (least != NULL && strcasecmp(least, ">=TLSv1.3") == 0)
		draft_set(d, a, SET_TLS_MINIMUM, "1.3");
	take_seconds(d, a, SET_TIMEOUT_CONNECT, &t[CONNECT_TIMEOUT]);
	take_seconds(d, a, SET_RETRY_FOR, &t[LIFETIME]);
	take_names(d, a, t);
}

/* The tables of the logins, and of the relays of senders. */
struct tables {
	struct maincf_table logins, relays;
};

/* A sender with a login, or a relay, of its own is an account. */
static void
sender_account(struct draft *d, const struct draft_taken *t,
    const struct maincf_entry *sender, const struct tables *tables)
{
	bool domain = *sender->key == '@';
	const struct maincf_entry *relay = maincf_look_up(&tables->relays,
	    sender->key), *login = NULL;
	const char *relayhost = relay != NULL ? relay->value :
	    draft_given(&t[RELAYHOST]);
	struct draft_account *a = draft_account(d, sender->key + domain);

	if (is_yes(&t[BY_SENDER]))
		login = maincf_look_up(&tables->logins, sender->key);
	if (login == NULL && relayhost != NULL)
		login = login_of(d, &tables->logins, relayhost);
	d->file = sender->file;
	d->line = sender->line;
	draft_set(d, a, domain ? SET_MATCH : SET_FROM, domain ?
	    pool_printf(d->pool, "*%s", sender->key) : sender->key);
	if (login != NULL)
		take_login(d, a, login->value);
	if (relayhost != NULL)
		relays(d, a, t, relayhost);
	take_rest(d, a, t);
}

static void
sender_accounts(struct draft *d, const struct draft_taken *t,
    const struct tables *tables)
{
	const struct maincf_table *logins = &tables->logins;
	size_t i;

	for (i = 0; is_yes(&t[BY_SENDER]) && i < logins->n && d->nerrors == 0;
	    i++)
		if (strchr(logins->entry[i].key, '@') != NULL)
			sender_account(d, t, &logins->entry[i], tables);
	for (i = 0; i < tables->relays.n && d->nerrors == 0; i++)
		if (!is_yes(&t[BY_SENDER]) || maincf_look_up(logins,
		    tables->relays.entry[i].key) == NULL)
			sender_account(d, t, &tables->relays.entry[i], tables);
}

static void
main_account(struct draft *d, const struct draft_taken *t,
    const struct maincf_table *logins)
{
	struct draft_account *a = draft_account(d, "default");
	const char *relay = draft_given(&t[RELAYHOST]);
	const struct maincf_entry *login;

	d->line = 0;
	draft_at(d, &t[RELAYHOST]);
	if (relay == NULL) {
		draft_note(d, a, "there is no relayhost: mail went to each "
		    "domain's own server. sendoff hands it to one server; name "
		    "it with \"server\", or with \"from\" the domain is asked "
		    "for it.");
	} else {
		relays(d, a, t, relay);
		login = login_of(d, logins, relay);
		if (login != NULL) {
			d->file = login->file;
			d->line = login->line;
			take_login(d, a, login->value);
		} else if (is_yes(&t[SASL])) {
			draft_note(d, a, "there is no login for this relay in "
			    "smtp_sasl_password_maps");
		}
	}
	draft_at(d, &t[FALLBACK]);
	if (draft_given(&t[FALLBACK]) != NULL)
		relays(d, a, t, t[FALLBACK].text);
	take_rest(d, a, t);
	draft_first(d, a);
}

static void
read_postfix(struct draft *d, char *text)
{
	struct draft_taken t[sizeof rows / sizeof *rows] = { 0 };
	struct tables tables = { 0 };
	const char *file = d->file;

	maincf_read(d, text, &all, t);
	if (is_yes(&t[SASL])) {
		draft_at(d, &t[SASL_MAPS]);
		maincf_table(d, draft_given(&t[SASL_MAPS]), &tables.logins);
	}
	draft_at(d, &t[RELAY_BY_SENDER]);
	maincf_table(d, draft_given(&t[RELAY_BY_SENDER]),
	    &tables.relays);
	sender_accounts(d, t, &tables);
	d->file = file;
	main_account(d, t, &tables.logins);
	d->file = file;
	d->line = 0;
	draft_note(d, NULL, "messages were queued, and a daemon sent them. "
	    "With \"retry yes\" they are queued when they cannot be sent at "
	    "once, for a timer that runs \"sendmail -q\"; write it when there "
	    "is one. Nothing is received by the network, and nothing is "
	    "delivered to mailboxes of this machine.");
}

const struct import_kind import_postfix = { "postfix", "Postfix",
    " main.cf main.cf.debian main.cf.dist main.cf.proto ", &all, NULL,
    read_postfix };
