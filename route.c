#include "route.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static void
tls_params(struct route *r)
{
	const struct account *a = r->account;

	r->smtp.tls = (struct tls_params){
		.trust = { .ca_file = a->values[SET_CA_FILE],
		    .crl_file = a->values[SET_CRL_FILE],
		    .pins = a->values[SET_PIN] },
		.priority = a->values[SET_TLS_PRIORITY],
		.only_tls13 =
		    strcmp(config_value(a, SET_TLS_MINIMUM), "1.3") == 0,
		.certificate = a->values[SET_CLIENT_CERTIFICATE],
		.key = a->values[SET_CLIENT_KEY],
	};
}

static void
login_params(struct route *r)
{
	const struct account *a = r->account;
	const char *auth = config_value(a, SET_AUTH);

	r->smtp.login = strcasecmp(auth, "none") != 0;
	r->smtp.user = a->values[SET_USER] != NULL ? a->values[SET_USER] :
	    a->values[SET_FROM];
	r->smtp.sasl = (struct sasl_policy){
		.allowed = strcasecmp(auth, "auto") == 0 ? NULL : auth,
		.minimum = a->values[SET_AUTH_MINIMUM],
		.has_certificate = a->values[SET_CLIENT_CERTIFICATE] != NULL,
	};
}

bool
route_make(struct route *r, const struct account *a, const struct options *o,
    const struct caller *c, struct pool *pool, struct failure *why)
{
	if (a->nservers == 0)
		return fail(why, FAILURE_CONFIG, "the account \"%s\" (%s:%zu) "
		    "names no server; add a line like: server "
		    "smtps://mail.example.org", a->name, a->file, a->line);
	*r = (struct route){ .account = a, .endpoints = a->servers,
	    .nendpoints = a->nservers };
	r->timeout_session = config_number(a, SET_TIMEOUT_SESSION);
	r->net.timeout_connect = config_number(a, SET_TIMEOUT_CONNECT);
	r->net.family = o->family == 4 ? AF_INET : o->family == 6 ? AF_INET6 :
	    AF_UNSPEC;
	r->smtp.timeout_reply = config_number(a, SET_TIMEOUT_REPLY);
	tls_params(r);
	login_params(r);
	r->smtp.hello = a->values[SET_HELLO] != NULL ? a->values[SET_HELLO] :
	    caller_fqdn(c, pool);
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
		    "all the way, but %s does not verify it (5.7.30); write "
		    "smtps:// or smtp://", e->text);
		(void)strcpy(why->enhanced, "5.7.30");
		return false;
	}
	return true;
}
