#include "bound.h"

#include <string.h>

static const enum setting binding[] = {
	SET_SERVER, SET_FROM, SET_USER, SET_AUTH, SET_AUTH_MINIMUM,
	SET_CA_FILE, SET_CRL_FILE, SET_PIN, SET_DANE, SET_TLS_NAME,
	SET_TLS_MINIMUM, SET_TLS_PRIORITY, SET_TLS_ALPN,
	SET_CLIENT_CERTIFICATE, SET_CLIENT_KEY, SET_RESOLVER, SET_PROXY,
	SET_ALLOW_FROM
};

static const enum setting stored[] = {
	SET_PASSWORD, SET_PASSWORD_FILE, SET_PASSWORD_COMMAND,
	SET_OAUTH_COMMAND, SET_CLIENT_CERTIFICATE, SET_CLIENT_KEY,
	SET_CLIENT_KEY_ED25519
};

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
is_same(const struct account *a, const struct account *b, enum setting s)
{
	return same(config_value(a, s), config_value(b, s));
}

static const char *
login_name(const struct account *a)
{
	return a->values[SET_USER] != NULL ? a->values[SET_USER] :
	    a->values[SET_FROM];
}

static bool
is_server_of(const struct account *own, const struct endpoint *e)
{
	size_t i;

	for (i = 0; i < own->nservers; i++)
		if (same(own->servers[i].text, e->text) &&
		    same(own->servers[i].user, e->user))
			return true;
	return false;
}

static bool
are_servers_of(const struct account *own, const struct account *now)
{
	size_t i;

	for (i = 0; i < now->nservers; i++)
		if (!is_server_of(own, &now->servers[i]))
			return false;
	return now->nservers > 0 || own->nservers == 0;
}

/* The administrator's word on who may be the sender stands, too. */
static bool
limits_sender(const struct account *own)
{
	return own->system && own->values[SET_ALLOW_FROM] != NULL;
}

static bool
from_counts(const struct account *own, const struct account *now)
{
	return own->nservers == 0 || limits_sender(own) ||
	    !same(login_name(own), login_name(now));
}

static bool
is_broken(const struct account *own, const struct account *now, enum setting s)
{
	switch (s) {
	case SET_SERVER:
		return !are_servers_of(own, now);
	case SET_USER:
		return !same(login_name(own), login_name(now));
	case SET_FROM:
		return !is_same(own, now, s) && from_counts(own, now);
	case SET_ALLOW_FROM:
		return !is_same(own, now, s) && limits_sender(own);
	default:
		return !is_same(own, now, s);
	}
}

/* The setting that is used in another way than own says; or SETTINGS. */
static enum setting
broken(const struct account *own, const struct account *now)
{
	size_t i;

	for (i = 0; i < sizeof binding / sizeof *binding; i++)
		if (is_broken(own, now, binding[i]))
			return binding[i];
	return SETTINGS;
}

/* What the command line has named is another string. */
static void
take_away(const struct account *own, struct account *now, enum setting s)
{
	if (own->values[s] == NULL || now->values[s] != own->values[s])
		return;
	now->values[s] = NULL;
	now->deprived = true;
}

void
bound_apply(const struct account *own, struct account *now)
{
	enum setting s = broken(own, now);
	size_t i;

	if (now->values[SET_PASSWORD_FILE] != own->values[SET_PASSWORD_FILE])
		now->values[SET_PASSWORD] =
		    now->values[SET_PASSWORD_COMMAND] =
		    now->values[SET_OAUTH_COMMAND] = NULL;
	if (s == SETTINGS)
		return;
	now->withheld = config_name(s);
	for (i = 0; i < sizeof stored / sizeof *stored; i++)
		take_away(own, now, stored[i]);
}
