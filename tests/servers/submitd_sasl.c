#include "submitd_sasl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gsasl.h>

#include "submitd_scram.h"
#include "submitd_token.h"

enum trait {
	BINDING		= 1,		/* needs one */
	IDENTITY	= 2,		/* needs a client certificate */
	PROMPTS		= 4,		/* the server speaks first */
	EXPLAINS	= 8,		/* a failure, before its verdict */
};

static const struct mechanism {
	const char *name;
	unsigned traits;
	const char *(*check)(const struct options *, const char *, size_t,
	    bool *is_malformed);	/* NULL: libgsasl does it */
} mechanisms[] = {
	{ "SCRAM-SHA-256-PLUS",	BINDING,	NULL },
	{ "SCRAM-SHA-256",	0,		NULL },
	{ "SCRAM-SHA-1-PLUS",	BINDING,	NULL },
	{ "SCRAM-SHA-1",	0,		NULL },
	{ "EXTERNAL",		IDENTITY,	NULL },
	{ "CRAM-MD5",		PROMPTS,	NULL },
	{ "PLAIN",		0,		token_plain },
	{ "LOGIN",		PROMPTS,	NULL },
	{ "OAUTHBEARER",	EXPLAINS,	token_oauthbearer },
	{ "XOAUTH2",		EXPLAINS,	token_xoauth2 },
};

struct sasl {
	const struct mechanism *mechanism;
	const struct sasl_channel *channel;
	Gsasl *library;
	Gsasl_session *session;
	unsigned steps;			/* responses that said something */
	bool has_failed;		/* a token, and the client will hear */
	char user[256];
};

const char *
sasl_all(void)
{
	return "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 "
	    "EXTERNAL CRAM-MD5 PLAIN LOGIN OAUTHBEARER XOAUTH2";
}

static const struct mechanism *
find(const char *name)
{
	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
		if (strcasecmp(mechanisms[i].name, name) == 0)
			return &mechanisms[i];
	}
	return NULL;
}

bool
sasl_is_known(const char *name)
{
	return find(name) != NULL;
}

bool
sasl_can(const char *name, const struct sasl_channel *channel)
{
	const struct mechanism *m = find(name);

	return m != NULL &&
	    ((m->traits & BINDING) == 0 || channel->binding != NULL) &&
	    ((m->traits & IDENTITY) == 0 || channel->identity != NULL);
}

static bool
has(const struct sasl *s, enum trait trait)
{
	return (s->mechanism->traits & trait) != 0;
}

static bool
is_scram(const struct sasl *s)
{
	return strncmp(s->mechanism->name, "SCRAM-", 6) == 0;
}

/* --- what libgsasl asks --- */

static bool
is_same_or_empty(const char *authzid, const char *user)
{
	return authzid == NULL || *authzid == '\0' ||
	    strcmp(authzid, user) == 0;
}

/* LOGIN: octet by octet, without SASLprep. */

static int
validate_simple(const struct sasl *s, Gsasl_session *session)
{
	const char *user = gsasl_property_fast(session, GSASL_AUTHID);
	const char *given = gsasl_property_fast(session, GSASL_PASSWORD);
	const char *password;

	if (user == NULL || given == NULL)
		return GSASL_AUTHENTICATION_ERROR;
	password = options_password(s->channel->options, user);
	return password != NULL && strcmp(password, given) == 0 &&
	    is_same_or_empty(gsasl_property_fast(session, GSASL_AUTHZID),
	    user) ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
}

static int
validate_external(const struct sasl *s, Gsasl_session *session)
{
	const char *authzid = gsasl_property_fast(session, GSASL_AUTHZID);

	if (!is_same_or_empty(authzid, s->channel->identity))
		return GSASL_AUTHENTICATION_ERROR;
	return gsasl_property_set(session, GSASL_AUTHID, s->channel->identity);
}

static int
give_password(const struct sasl *s, Gsasl_session *session)
{
	const char *user = gsasl_property_fast(session, GSASL_AUTHID);
	const char *password = user == NULL ? NULL :
	    options_password(s->channel->options, user);

	if (password == NULL)
		return GSASL_NO_PASSWORD;
	return gsasl_property_set(session, GSASL_PASSWORD, password);
}

static int
give_scram_keys(const struct sasl *s, Gsasl_session *session)
{
	const char *user = gsasl_property_fast(session, GSASL_AUTHID);
	const char *password = user == NULL ? NULL :
	    options_password(s->channel->options, user);

	if (password == NULL)
		return GSASL_NO_PASSWORD;
	return scram_give_keys(session, password) ? GSASL_OK :
	    GSASL_CRYPTO_ERROR;
}

static int
callback(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	const struct sasl *s = gsasl_callback_hook_get(library);

	switch (property) {
	case GSASL_VALIDATE_SIMPLE:
		return validate_simple(s, session);
	case GSASL_VALIDATE_EXTERNAL:
		return validate_external(s, session);
	case GSASL_SCRAM_SERVERKEY:
	case GSASL_SCRAM_STOREDKEY:
		return give_scram_keys(s, session);
	case GSASL_PASSWORD:
		return give_password(s, session);
	default:
		return GSASL_NO_CALLBACK;
	}
}

/* --- the beginning --- */

/*
 * libgsasl 2.2.0 refuses a SCRAM without -PLUS when it knows a binding, so
 * that only -PLUS is told one.
 */
static bool
start(struct sasl *s)
{
	const struct sasl_channel *channel = s->channel;

	if (gsasl_init(&s->library) != GSASL_OK)
		return false;
	gsasl_callback_set(s->library, callback);
	gsasl_callback_hook_set(s->library, s);
	if (gsasl_server_start(s->library, s->mechanism->name, &s->session) !=
	    GSASL_OK)
		return false;
	if (has(s, BINDING) &&
	    gsasl_property_set(s->session, channel->is_exporter ?
	    GSASL_CB_TLS_EXPORTER : GSASL_CB_TLS_UNIQUE, channel->binding) !=
	    GSASL_OK)
		return false;
	return !is_scram(s) || scram_prepare(s->session, channel->options);
}

struct sasl *
sasl_begin(const char *name, const struct sasl_channel *channel)
{
	struct sasl *s;

	if (!sasl_can(name, channel) || (s = calloc(1, sizeof *s)) == NULL)
		return NULL;
	s->mechanism = find(name);
	assert(s->mechanism != NULL);
	s->channel = channel;
	if (s->mechanism->check != NULL || start(s))
		return s;
	sasl_end(s);
	return NULL;
}

/* --- the steps --- */

static enum sasl_result
say(const char *text, char **out, size_t *out_octets,
    enum sasl_result result)
{
	*out = strdup(text);
	if (*out == NULL)
		abort();
	*out_octets = strlen(text);
	return result;
}

/* RFC 7628 section 3.2.3: a failure is a challenge, then comes the verdict. */

static enum sasl_result
token_step(struct sasl *s, const char *in, size_t octets, char **out,
    size_t *out_octets)
{
	bool is_malformed = false;
	const char *user;

	if (s->has_failed)
		return say("", out, out_octets, SASL_REFUSED);
	if (in == NULL)
		return say("", out, out_octets, SASL_MORE);
	user = s->mechanism->check(s->channel->options, in, octets,
	    &is_malformed);
	if (is_malformed)
		return say("", out, out_octets, SASL_MALFORMED);
	if (user != NULL) {
		(void)snprintf(s->user, sizeof s->user, "%s", user);
		return say("", out, out_octets, SASL_DONE);
	}
	if (!has(s, EXPLAINS))
		return say("", out, out_octets, SASL_REFUSED);
	s->has_failed = true;
	return say("{\"status\":\"invalid_token\",\"schemes\":\"bearer\","
	    "\"scope\":\"mail\"}", out, out_octets, SASL_MORE);
}

/*
 * RFC 5802 section 6: "y" says that we have not announced -PLUS; when we
 * have, somebody has taken it away from the announcement.
 */
static bool
is_stripped(const struct sasl *s, const char *in, size_t octets)
{
	return is_scram(s) && !has(s, BINDING) && octets > 0 &&
	    (*in == 'p' || (*in == 'y' && s->channel->offers_plus));
}

static enum sasl_result
conclude(struct sasl *s)
{
	const char *user = gsasl_property_fast(s->session, GSASL_AUTHID);
	const char *authzid = gsasl_property_fast(s->session, GSASL_AUTHZID);

	if (user == NULL || !is_same_or_empty(authzid, user))
		return SASL_REFUSED;
	(void)snprintf(s->user, sizeof s->user, "%s", user);
	return SASL_DONE;
}

static enum sasl_result
library_step(struct sasl *s, const char *in, size_t octets, char **out,
    size_t *out_octets)
{
	char *text = NULL;
	int result = gsasl_step(s->session, in, octets, &text, out_octets);

	if (text == NULL)
		(void)say("", out, out_octets, SASL_MORE);
	else
		*out = text;
	if (result == GSASL_NEEDS_MORE)
		return SASL_MORE;
	if (result == GSASL_OK)
		return conclude(s);
	return result == GSASL_MECHANISM_PARSE_ERROR ||
	    result == GSASL_BASE64_ERROR ? SASL_MALFORMED : SASL_REFUSED;
}

/* A server that does not know the password, and hides it. */

static bool
is_impostor(const struct sasl *s)
{
	return options_fault(s->channel->options, FAULT_NO_SERVER_SIGNATURE) &&
	    is_scram(s) && s->steps == 2;
}

enum sasl_result
sasl_step(struct sasl *s, const char *in, size_t octets, char **out,
    size_t *out_octets)
{
	enum sasl_result result;

	s->steps += octets > 0;
	if (s->mechanism->check != NULL)
		return token_step(s, in, octets, out, out_octets);
	if (s->steps == 1 && is_stripped(s, in, octets))
		return say("", out, out_octets, SASL_REFUSED);
	if (is_impostor(s))
		return say("", out, out_octets, conclude(s));
	result = library_step(s, in, octets, out, out_octets);
	if (result < SASL_REFUSED && is_scram(s))
		scram_spoil(s->channel->options, out, out_octets);
	return result;
}

bool
sasl_server_speaks_first(const struct sasl *s)
{
	return has(s, PROMPTS);
}

const char *
sasl_user(const struct sasl *s)
{
	return s->user;
}

const char *
sasl_mechanism(const struct sasl *s)
{
	return s->mechanism->name;
}

void
sasl_end(struct sasl *s)
{
	if (s == NULL)
		return;
	if (s->session != NULL)
		gsasl_finish(s->session);
	if (s->library != NULL)
		gsasl_done(s->library);
	free(s);
}
