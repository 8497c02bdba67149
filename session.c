#include "session.h"
#include "log.h"
#include "secret.h"
#include "signals.h"

void
session_init(struct session *s, const struct route *route,
    const struct caller *caller, struct pool *pool)
{
	*s = (struct session){ .route = *route, .caller = caller,
	    .user = route->smtp.user, .pool = pool, .begun = clock_now() };
}

/* An account without a password may still log in by its certificate. */
static bool
fetch_secret(struct session *s, struct failure *why)
{
	const struct account *a = s->route.account;
	struct smtp_params *p = &s->route.smtp;
	bool found = false;

	if (!p->login || s->has_secret)
		return true;
	if (!secret_fetch(a, s->caller, &s->secret, &found, why))
		return false;
	s->has_secret = true;
	p->sasl.has_password = found;
	p->password = found ? buffer_data(&s->secret) : NULL;
	p->password_len = found ? buffer_len(&s->secret) : 0;
	if (found || p->sasl.has_certificate)
		return true;
	return fail(why, FAILURE_CONFIG, "the account \"%s\" (%s:%zu) has no "
	    "password; add password-file or password-command, or write "
	    "\"auth none\" if its server needs no login", a->name, a->file,
	    a->line);
}

static void
fit_endpoint(struct session *s, const struct endpoint *e)
{
	const char *tls_name = s->route.account->values[SET_TLS_NAME];
	struct smtp_params *p = &s->route.smtp;

	p->security = e->security;
	p->path_kind = s->net.is_unix ? PATH_UNIX :
	    s->net.loopback ? PATH_LOOPBACK : PATH_NETWORK;
	p->tls.sni = tls_name != NULL ? tls_name : e->host;
	p->tls.trust.wanted = (struct certificate_wanted){
	    .names = { p->tls.sni }, .nnames = 1 };
	p->tls.verify = e->security == SECURITY_IMPLICIT ||
	    e->security == SECURITY_STARTTLS;
	p->user = e->user != NULL ? e->user : s->user;
	if (s->route.hello_literal)
		p->hello = s->net.local;
}

static bool
try_endpoint(struct session *s, const struct endpoint *e, struct failure *why)
{
	s->server = e->text;
	s->facts = (struct smtp_facts){ 0 };
	if (!net_connect(e, &s->route.net, s->pool, &s->stream, &s->net, why))
		return false;
	stream_session(s->stream, s->begun +
	    (milliseconds)s->route.timeout_session * 1000);
	fit_endpoint(s, e);
	s->open = true;
	if (smtp_begin(&s->smtp, s->stream, &s->route.smtp, s->pool,
	    &s->facts, why))
		return true;
	session_close(s);
	return false;
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
session_open(struct session *s, size_t *at, struct failure *why)
{
	if (!fetch_secret(s, why))
		return false;
	for (;; ++*at) {
		if (try_endpoint(s, &s->route.endpoints[*at], why))
			return true;
		if (!try_another(why) || *at + 1 >= s->route.nendpoints)
			return false;
		log_note(LEVEL_WARNING, "going on to %s after: %s",
		    s->route.endpoints[*at + 1].text, why->text);
	}
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
	s->has_secret = false;
}
