#include "route.h"
#include "handed.h"
#include "path.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static const char *
protocols(const struct account *a)
{
	const char *names = config_value(a, SET_TLS_ALPN);

	return strcasecmp(names, "none") != 0 ? names : NULL;
}

struct identity
route_identity(const struct account *a)
{
	return (struct identity){
		.certificate = a->values[SET_CLIENT_CERTIFICATE],
		.key = a->values[SET_CLIENT_KEY],
		.pin = buffer_data(&a->pin),
		.seed = a->values[SET_CLIENT_KEY_ED25519]
	};
}

/* What nobody is told need not be found out. */
static bool
is_heard(const struct account *a, const struct options *o)
{
	return o->json || o->verbose > 0 ||
	    strcmp(config_value(a, SET_LOG), "none") != 0;
}

static void
tls_params(struct route *r, const struct options *o)
{
	const struct account *a = r->account;

	r->smtp.tls = (struct tls_params){
		.trust = { .ca_file = a->values[SET_CA_FILE],
		    .crl_file = a->values[SET_CRL_FILE],
		    .pins = a->values[SET_PIN],
		    .both = r->locate.dane == DANE_BOTH,
		    .tell = is_heard(a, o) },
		.priority = a->values[SET_TLS_PRIORITY],
		.alpn = protocols(a),
		.only_tls13 =
		    strcmp(config_value(a, SET_TLS_MINIMUM), "1.3") == 0,
		.identity = route_identity(a),
		.describe = o->json,
	};
}

static void
login_params(struct route *r)
{
	const struct account *a = r->account;
	const char *auth = config_value(a, SET_AUTH);

	r->smtp.login = strcasecmp(auth, "none") != 0;
	r->smtp.guarded = a->handed;
	r->smtp.user = a->values[SET_USER] != NULL ? a->values[SET_USER] :
	    a->values[SET_FROM];
	r->smtp.sasl = (struct sasl_policy){
		.allowed = strcasecmp(auth, "auto") == 0 ? NULL : auth,
		.minimum = a->values[SET_AUTH_MINIMUM],
		.has_certificate = config_has_identity(a),
	};
}

static enum dane_policy
dane_policy(const char *word)
{
	static const char *const words[] = { [DANE_OFF] = "off",
	    [DANE_REQUIRE] = "require", [DANE_BOTH] = "both" };
	size_t i, n = sizeof words / sizeof *words;

	for (i = 0; i < n; i++)
		if (words[i] != NULL && strcasecmp(words[i], word) == 0)
			return (enum dane_policy)i;
	return DANE_AUTO;
}

static void
net_params(struct route *r, const struct options *o, struct pool *pool)
{
	const struct account *a = r->account;
	struct failure checked;
	struct proxy *proxy;

	r->net.timeout_connect = config_number(a, SET_TIMEOUT_CONNECT);
	r->net.source = a->values[SET_SOURCE];
	r->locate.family = o->family == 4 ? AF_INET : o->family == 6 ?
	    AF_INET6 : AF_UNSPEC;
	r->locate.dane = dane_policy(config_value(a, SET_DANE));
	if (a->values[SET_PROXY] == NULL)
		return;
	proxy = pool_alloc(pool, sizeof *proxy);
	if (url_parse_proxy(a->values[SET_PROXY], proxy, pool, &checked))
		r->net.proxy = proxy;
}

/* What one setting asks for and another makes impossible. */
static bool
fits_together(const struct route *r, struct failure *why)
{
	const struct account *a = r->account;

	if (!handed_may(a, why))
		return false;
	if (a->handed && (url_is_pkcs11(a->values[SET_CLIENT_CERTIFICATE]) ||
	    url_is_pkcs11(a->values[SET_CLIENT_KEY])))
		return fail(why, FAILURE_CONFIG, "%s has a pkcs11: URI, for "
		    "which modules of yours would be loaded beside what you "
		    "may not read", a->called);
	if (a->nservers == 0 && a->values[SET_FROM] == NULL)
		return fail(why, FAILURE_CONFIG, "%s names no server, nor by "
		    "\"from\" a domain that may have one; add a line like: "
		    "server smtps://mail.example.org", a->called);
	if (r->locate.dane >= DANE_REQUIRE && r->net.proxy != NULL)
		return fail(why, FAILURE_CONFIG, "%s has \"dane %s\" and a "
		    "proxy, behind which no TLSA records are looked for; take "
		    "one of them out", a->called, config_value(a, SET_DANE));
	if (r->locate.dane == DANE_BOTH && a->values[SET_CA_FILE] != NULL &&
	    strcmp(a->values[SET_CA_FILE], "none") == 0)
		return fail(why, FAILURE_CONFIG, "%s has \"dane both\" and "
		    "\"ca-file none\", which leaves no authority that could "
		    "vouch as well; write \"dane require\", or name "
		    "authorities", a->called);
	return true;
}

/* A credential of systemd has a name that nobody finds again. */
static const char *
kept_in(const struct account *a, const struct caller *c)
{
	size_t len = c->credentials == NULL ? 0 : strlen(c->credentials);

	return len > 0 && strncmp(a->file, c->credentials, len) == 0 &&
	    a->file[len] == '/' ? "the configuration of this service" :
	    a->file;
}

/* Nothing of an account is used, nor its secret fetched, before this. */
static bool
may_be_used(const struct account *a, const struct caller *c,
    struct failure *why)
{
	if (a->barred == NULL)
		return true;
	(void)fail(why, FAILURE_BARRED, "the account \"%s\" is not for %s: "
	    "its \"allow-user\" does not name them; ask whoever keeps %s",
	    a->name, a->barred, kept_in(a, c));
	(void)strcpy(why->enhanced, "5.7.1");
	return false;
}

bool
route_make(struct route *r, const struct account *a, const struct options *o,
    const struct caller *c, struct pool *pool, struct failure *why)
{
	*r = (struct route){ .account = a, .endpoints = a->servers,
	    .nendpoints = a->nservers };
	net_params(r, o, pool);
	if (!may_be_used(a, c, why))
		return false;
	if (!fits_together(r, why))
		return false;
	r->timeout_session = config_number(a, SET_TIMEOUT_SESSION);
	r->smtp.timeout_reply = config_number(a, SET_TIMEOUT_REPLY);
	tls_params(r, o);
	login_params(r);
	r->smtp.hello = a->values[SET_HELLO] != NULL ?
	    path_ascii(a->values[SET_HELLO], pool) : caller_fqdn(c, pool);
	r->hello_literal = r->smtp.hello == NULL;
	return true;
}

bool
route_requires_tls(const struct route *r, struct failure *why)
{
	const struct endpoint *e;
	size_t i;

	for (i = 0; i < r->nendpoints; i++) {
		e = &r->endpoints[i];
		if (e->path != NULL || e->security < SECURITY_OPPORTUNISTIC)
			continue;
		(void)fail(why, FAILURE_REQUIRETLS, "the message requires TLS "
		    "all the way, but %s does not verify it (5.7.10); write "
		    "smtps:// or smtp://", e->text);
		(void)strcpy(why->enhanced, "5.7.10");
		return false;
	}
	return true;
}
