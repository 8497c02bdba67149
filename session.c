#include "session.h"
#include "discover.h"
#include "helper.h"
#include "locate.h"
#include "log.h"
#include "signals.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

const char *
session_memory(const struct caller *c, struct pool *pool)
{
	return c->state_home == NULL ? NULL :
	    pool_printf(pool, "%s/sendoff.memory/seen", c->state_home);
}

void
session_init(struct session *s, const struct route *route,
    const struct caller *caller, struct pool *pool)
{
	*s = (struct session){ .route = *route, .caller = caller,
	    .login = route->smtp.login, .user = route->smtp.user, .pool = pool,
	    /* cppcheck-suppress unknownEvaluationOrder; constants */
	    .begun = clock_now(), .secret = BUFFER_SECRET,
	    .proxy_secret = BUFFER_SECRET };
	s->memory = memory_open(session_memory(caller, pool), pool);
	s->route.smtp.accept = pool_printf(pool, "sendoff --forget=%s",
	    route->account->name);
}

/* Sockets and names of our own need no resolver. */
struct dns *
session_dns(struct session *s)
{
	if (s->dns == NULL)
		s->dns = dns_open(s->route.account->values[SET_RESOLVER]);
	return s->dns;
}

/* That a domain which has named its servers names none may be a lie. */
static bool
has_named_none(struct session *s, const char *domain, struct failure *why)
{
	const struct sight *seen = memory_of(s->memory,
	    s->route.account->name, domain);

	if (seen == NULL || seen->mechanism == NULL || (why->kind !=
	    FAILURE_CONFIG && why->kind != FAILURE_RESOLVE_NONE))
		return false;
	return fail(why, FAILURE_RESOLVE_TEMPORARY, "%s names no server now "
	    "and has named %s (%s); either its SRV records were taken out or "
	    "somebody withholds them; if they were, add the line: server %s",
	    domain, seen->mechanism, seen->day, seen->mechanism);
}

/* RFC 6186: the domain of the account's address names its servers. */
static bool
find_servers(struct session *s, struct failure *why)
{
	const char *from = s->route.account->values[SET_FROM], *domain;
	struct endpoint *found;

	if (s->route.nendpoints > 0)
		return true;
	if (s->route.net.proxy != NULL)
		return fail(why, FAILURE_CONFIG, "%s names no server, and "
		    "behind a proxy none is looked for in the DNS; %s"
		    "smtps://mail.example.org", s->route.account->called,
		    s->route.account->line > 0 ? "add a line like: server " :
		    "name one, as in --server=");
	domain = strrchr(from, '@') + 1;
	if (!discover(session_dns(s), domain, s->pool, &found,
	    &s->route.nendpoints, why))
		return has_named_none(s, domain, why);
	s->route.endpoints = found;
	return true;
}

/* What an account has stored is not for whatever a command line makes of it. */
static bool
is_withheld(const struct session *s)
{
	const struct account *a = s->route.account;

	return a->withheld != NULL &&
	    (a->deprived || s->caller->credentials != NULL);
}

static bool
no_secret(const struct session *s, struct failure *why)
{
	const struct account *a = s->use.account;

	if (is_withheld(s))
		return fail(why, FAILURE_CONFIG, "--%s takes the secret of %s "
		    "away, which is for its own server and policy; leave the "
		    "option out, or name a password for this with "
		    "--password-file, or write one for %s into ~/.netrc",
		    a->withheld, a->called, s->use.host != NULL ?
		    s->use.host : s->use.server);
	if (a->line == 0)			/* made of options */
		return fail(why, FAILURE_CONFIG, "there is no password for the "
		    "server; name its file with --password-file, or say "
		    "--auth=none if the server needs no login");
	return fail(why, FAILURE_CONFIG, "%s has no password; add "
	    "password-file or password-command, or write \"auth none\" if its "
	    "server needs no login", a->called);
}

/* A password without whose it is helps nobody; a certificate says it itself. */
static bool
has_user(const struct session *s, struct failure *why)
{
	const struct account *a = s->use.account;

	if (s->use.user != NULL || s->route.smtp.sasl.has_certificate)
		return true;
	if (a->line == 0)			/* made of options */
		return fail(why, FAILURE_CONFIG, "nobody is named to log in "
		    "as; say --user=NAME, or --auth=none if the server needs "
		    "no login");
	return fail(why, FAILURE_CONFIG, "%s names nobody to log in as; add a "
	    "line \"user NAME\", or write \"auth none\" if its server needs no "
	    "login", a->called);
}

/* What netrc says of one host is not for another. */
static bool
is_for(const struct session *s, const struct endpoint *e)
{
	const char *host = s->use.host;

	return s->has_secret && (s->source != SECRET_OF_HOST ||
	    (e->host != NULL && host != NULL &&
	    strcasecmp(e->host, host) == 0));
}

/*
 * Who calls at a unix socket is known to its server without a login, so there
 * nothing is missing when nothing of a login is configured.
 */
static bool
wants_login(const struct session *s, const struct endpoint *e)
{
	static const enum setting of_login[] = {
		SET_USER, SET_AUTH, SET_AUTH_MINIMUM
	};
	const struct account *a = s->route.account;
	size_t i, n = sizeof of_login / sizeof *of_login;

	if (!s->login || e->path == NULL || e->user != NULL ||
	    is_withheld(s) || secret_is_given(a, s->caller))
		return s->login;
	for (i = 0; i < n; i++)
		if (a->values[of_login[i]] != NULL)
			return true;
	return false;
}

/* What secret_fetch() has put there: the password, and what is prepared. */
static void
take_words(const struct buffer *secret, struct sasl_words *words)
{
	const char *p = buffer_data(secret);
	size_t n = buffer_len(secret);
	const char *nul = memchr(p, '\0', n);

	words->password = words->prepared = p;
	words->password_len = words->prepared_len = n;
	if (nul == NULL)
		return;
	words->password_len = (size_t)(nul - p);
	words->prepared = nul + 1;
	words->prepared_len = n - words->password_len - 1;
}

/* An account without a password may still log in by its certificate. */
static bool
fetch_secret(struct session *s, const struct endpoint *e, struct failure *why)
{
	struct smtp_params *p = &s->route.smtp;
	bool found;

	p->login = wants_login(s, e);
	if (!p->login || is_for(s, e))
		return true;
	buffer_wipe(&s->secret);
	s->use = (struct secret_use){ .account = s->route.account,
	    .host = e->host, .user = e->user != NULL ? e->user : s->user,
	    .server = e->text };
	s->source = SECRET_NONE;
	if (!has_user(s, why) || (s->use.user != NULL && !helper_secret(&s->use,
	    s->caller, &s->secret, &s->source, why)))
		return false;
	found = s->source != SECRET_NONE;
	s->has_secret = found || p->sasl.has_certificate;
	p->sasl.has_token = found &&
	    s->route.account->values[SET_OAUTH_COMMAND] != NULL;
	p->sasl.has_password = found && !p->sasl.has_token;
	p->words = (struct sasl_words){ 0 };
	if (found)
		take_words(&s->secret, &p->words);
	return s->has_secret || no_secret(s, why);
}

/* The token that was refused is used until there is another. */
static bool
renew_token(void *context, struct failure *why)
{
	struct session *s = context;
	struct secret_use use = s->use;
	struct buffer secret = BUFFER_SECRET;

	s->renewal.spent = true;
	use.renew = true;
	if (!helper_secret(&use, s->caller, &secret, &s->source, why)) {
		buffer_wipe(&secret);
		return false;
	}
	buffer_wipe(&s->secret);
	s->secret = secret;
	take_words(&s->secret, &s->route.smtp.words);
	return true;
}

/* Once for each time that a server takes one: two in a row are no accident. */
static void
offer_renewal(struct session *s)
{
	s->renewal.renew = renew_token;
	s->renewal.context = s;
	s->renewal.command = s->route.account->values[SET_OAUTH_COMMAND];
	s->route.smtp.renewal = s->route.smtp.sasl.has_token ? &s->renewal :
	    NULL;
}

/* A refused token is not worth keeping: the command is for the next time. */
static void
settle_token(struct session *s, bool taken, const struct failure *why)
{
	if (s->route.smtp.renewal == NULL || !(taken ||
	    why->kind == FAILURE_AUTH))
		return;
	s->renewal.spent = false;
	if (taken)
		return;
	buffer_wipe(&s->secret);
	s->route.smtp.words = (struct sasl_words){ 0 };
	s->has_secret = false;
}

static bool
fetch_proxy_secret(struct session *s, struct failure *why)
{
	struct net_params *p = &s->route.net;
	bool found = false;

	if (p->proxy == NULL || p->proxy->user == NULL ||
	    p->proxy_password != NULL)
		return true;
	if (!helper_proxy_secret(s->route.account, s->caller, p->proxy->host,
	    p->proxy->user, &s->proxy_secret, &found, why))
		return false;
	if (!found)
		return fail(why, FAILURE_CONFIG, "~/.netrc has no password of "
		    "%s for the proxy %s; add a line like: machine %s login %s "
		    "password ...", p->proxy->user, p->proxy->host,
		    p->proxy->host, p->proxy->user);
	p->proxy_password = buffer_data(&s->proxy_secret);
	p->proxy_password_len = buffer_len(&s->proxy_secret);
	return true;
}

static void
want_names(struct session *s, const struct endpoint *e,
    const struct place *place)
{
	struct tls_params *tls = &s->route.smtp.tls;
	struct certificate_wanted *w = &tls->trust.wanted;
	const char *tls_name = s->route.account->values[SET_TLS_NAME];

	*w = (struct certificate_wanted){ .names = { e->host }, .nnames = 1 };
	if (tls_name != NULL)
		w->names[0] = tls_name;
	else if (e->domain != NULL)
		discover_wanted(e, w, s->pool);
	if (place->dane.n > 0 && tls_name == NULL &&
	    strcmp(place->base, w->names[0]) != 0) {
		w->names[w->nnames++] = w->names[0];
		w->names[0] = place->base;
	}
	tls->trust.dane = &place->dane;
	tls->sni = w->names[0];
}

static void
fit_endpoint(struct session *s, const struct endpoint *e,
    const struct place *place)
{
	struct smtp_params *p = &s->route.smtp;

	p->security = e->security;
	p->lmtp = e->lmtp;
	p->path_kind = s->net.is_unix ? PATH_UNIX :
	    s->net.loopback ? PATH_LOOPBACK : PATH_NETWORK;
	want_names(s, e, place);
	p->tls.verify = url_is_verified(e);
	p->user = e->user != NULL ? e->user : s->user;
	p->host = e->host;
	p->port = e->path == NULL ? e->port : NULL;
	offer_renewal(s);
	if (s->route.hello_literal)
		p->hello = s->net.local;
}

/* Behind a proxy the server's name is the proxy's affair. */
bool
session_place(struct session *s, const struct endpoint *e, struct place *place,
    struct failure *why)
{
	const struct proxy *proxy = s->route.net.proxy;
	const struct endpoint of_proxy = { .host = proxy != NULL ?
	    proxy->host : NULL, .port = proxy != NULL ? proxy->port : NULL };
	struct locate_params params = s->route.locate;

	*place = (struct place){ .name = e->host, .base = e->host };
	if (e->path != NULL)
		return true;
	if (params.dane >= DANE_REQUIRE && !url_is_verified(e))
		return fail(why, FAILURE_CONFIG, "\"dane %s\", but %s "
		    "verifies nothing; write smtps:// or smtp://",
		    config_value(s->route.account, SET_DANE), e->text);
	if (proxy != NULL || e->security == SECURITY_NONE)
		params.dane = DANE_OFF;
	else if (!url_is_verified(e) && params.dane != DANE_OFF)
		params.dane = DANE_TELL;
	return locate(session_dns(s), proxy != NULL ? &of_proxy : e, &params,
	    s->pool, place, why);
}

static const char *
later(const char *a, const char *b)
{
	return a == NULL || (b != NULL && strcmp(a, b) < 0) ? b : a;
}

/* Only a server that has proven who it is, or taken our login, teaches. */
static void
remember(struct session *s, const struct endpoint *e)
{
	const struct sight *seen = s->route.smtp.seen;
	const struct sasl_policy *sasl = &s->route.smtp.sasl;
	const struct smtp_facts *f = &s->facts;
	struct sight now = { .mechanism = f->mechanism != NULL ?
	    f->strongest : NULL, .tls = f->tls.verified ? f->tls.version :
	    NULL, .offers = capabilities_text(&s->smtp.can, s->pool) };

	if (seen != NULL) {
		now.tls = later(now.tls, seen->tls);
		if (now.mechanism == NULL || (sasl_is_for(sasl,
		    seen->mechanism) && sasl_is_weaker(now.mechanism,
		    seen->mechanism)))
			now.mechanism = seen->mechanism;
	}
	if (now.mechanism != NULL || now.tls != NULL)
		memory_note(s->memory, s->route.account->name, e->text, &now);
	if (e->domain != NULL && f->tls.verified)
		memory_note(s->memory, s->route.account->name, e->domain,
		    &(struct sight){ .mechanism = e->text });
}

/* Many names with many addresses must not take longer than all of it may. */
static bool
connect_in_time(struct session *s, const struct endpoint *e,
    const struct place *place, struct failure *why)
{
	struct net_params params = s->route.net;
	milliseconds left = s->begun + (milliseconds)s->route.timeout_session *
	    1000 - clock_now();

	if (left <= 0)
		return fail(why, FAILURE_TIMEOUT, "%s: connecting: the time "
		    "for the whole session is over", e->text);
	if (left < (milliseconds)params.timeout_connect * 1000)
		params.timeout_connect = (int)(left / 1000) + 1;
	return net_connect(e, place, &params, s->pool, &s->stream, &s->net,
	    why);
}

static bool
connect_to(struct session *s, const struct endpoint *e,
    const struct place *place, struct failure *why)
{
	if (!connect_in_time(s, e, place, why))
		return false;
	stream_session(s->stream, s->begun +
	    (milliseconds)s->route.timeout_session * 1000);
	fit_endpoint(s, e, place);
	s->open = true;
	return true;
}

static bool
begin_smtp(struct session *s, struct failure *why)
{
	if (smtp_begin(&s->smtp, s->stream, &s->route.smtp, s->pool,
	    &s->facts, why))
		return true;
	session_close(s);
	return false;
}

static bool
connect_and_begin(struct session *s, const struct endpoint *e,
    const struct place *place, struct failure *why)
{
	s->smtp.token_unheard = false;
	return connect_to(s, e, place, why) && begin_smtp(s, why);
}

/* Nothing is known yet of what will be tried. */
static void
begin_with(struct session *s, const struct endpoint *e)
{
	s->server = e->text;
	s->facts = (struct smtp_facts){ 0 };
	s->net = (struct net_facts){ .host = e->host };
}

static bool
try_endpoint(struct session *s, const struct endpoint *e, struct failure *why)
{
	struct place *place = pool_alloc(s->pool, sizeof *place);
	bool ok;

	begin_with(s, e);
	if (!fetch_secret(s, e, why) || !session_place(s, e, place, why))
		return false;
	s->route.smtp.seen = memory_of(s->memory, s->route.account->name,
	    e->text);
	ok = connect_and_begin(s, e, place, why);
	if (!ok && s->smtp.token_unheard)
		ok = connect_and_begin(s, e, place, why);
	settle_token(s, ok, why);
	if (ok)
		remember(s, e);
	return ok;
}

/* What another server could do better: not a login, not a policy. */
static bool
try_another(const struct failure *why)
{
	switch (why->kind) {
	case FAILURE_CONNECT:
	case FAILURE_RESOLVE_NONE:
	case FAILURE_RESOLVE_TEMPORARY:
	case FAILURE_LOST:
	case FAILURE_TIMEOUT:
	case FAILURE_DEFERRED:
	case FAILURE_REFUSED:
	case FAILURE_PROTOCOL:
		return signals_caught() == 0;
	default:
		return false;
	}
}

bool
session_find(struct session *s, struct failure *why)
{
	return find_servers(s, why) && fetch_proxy_secret(s, why);
}

bool
session_look(struct session *s, const struct endpoint *e,
    const struct place *place, const struct smtp_watch *watch,
    struct failure *why)
{
	struct smtp_params *p = &s->route.smtp;

	begin_with(s, e);
	if (!connect_to(s, e, place, why))
		return false;
	p->login = p->tls.verify = false;
	p->tls.identity = (struct identity){ 0 };
	p->tls.describe = p->tls.trust.describe = true;
	p->watch = watch;
	return begin_smtp(s, why);
}

void
session_leave(struct session *s, size_t next, const struct failure *why)
{
	struct session_left **end = &s->left;

	log_note(LEVEL_WARNING, "going on to %s after: %s",
	    s->route.endpoints[next].text, why->text);
	if (!s->route.smtp.tls.describe)
		return;
	while (*end != NULL)
		end = &(*end)->next;
	*end = pool_alloc(s->pool, sizeof **end);
	**end = (struct session_left){ .server = s->server, .net = s->net,
	    .facts = s->facts, .why = failure_keep(why, s->pool) };
}

bool
session_open(struct session *s, size_t *at, struct failure *why)
{
	if (!session_find(s, why))
		return false;
	for (;; ++*at) {
		s->at = *at;
		if (try_endpoint(s, &s->route.endpoints[*at], why))
			return true;
		if (!try_another(why) || *at + 1 >= s->route.nendpoints)
			return false;
		session_leave(s, *at + 1, why);
	}
}

/* A 421, or its end, while we had nothing to say is no answer to anything. */
bool
session_is_alive(struct session *s)
{
	struct pollfd pfd = { .events = POLLIN };

	if (!s->open || !s->smtp.talk.in_step || s->smtp.talk.closing ||
	    stream_has_input(s->stream))
		return false;
	pfd.fd = stream_fd(s->stream);
	return poll(&pfd, 1, 0) == 0;
}

void
session_begin_again(struct session *s, struct pool *pool)
{
	s->begun = clock_now();
	stream_session(s->stream, s->begun +
	    (milliseconds)s->route.timeout_session * 1000);
	s->smtp.pool = pool;
}

void
session_close(struct session *s)
{
	if (!s->open)
		return;
	smtp_end(&s->smtp);
	stream_free(s->stream);
	s->stream = NULL;
	s->open = false;
}

void
session_end(struct session *s)
{
	session_close(s);
	buffer_wipe(&s->secret);
	buffer_wipe(&s->proxy_secret);
	s->route.smtp.words = (struct sasl_words){ 0 };
	s->route.net.proxy_password = NULL;
	s->has_secret = false;
	dns_close(s->dns);
	s->dns = NULL;
}
