#include "sasl.h"
#include "bearer.h"
#include "crypto.h"
#include "prepare.h"
#include "scram.h"
#include "simple.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Strongest first: the order of product and of `auth auto`. */
static const struct mechanism {
	const char *name;
	bool first;			/* has an initial response */
	bool plus;
	bool scram;
	bool sha256;
	bool token;
} mechanisms[] = {
	{ "EXTERNAL",		true,	false,	false,	false,	false },
	{ "SCRAM-SHA-256-PLUS",	true,	true,	true,	true,	false },
	{ "SCRAM-SHA-256",	true,	false,	true,	true,	false },
	{ "SCRAM-SHA-1-PLUS",	true,	true,	true,	false,	false },
	{ "SCRAM-SHA-1",	true,	false,	true,	false,	false },
	{ "CRAM-MD5",		false,	false,	false,	false,	false },
	{ "OAUTHBEARER",	true,	false,	false,	false,	true },
	{ "XOAUTH2",		true,	false,	false,	false,	true },
	{ "PLAIN",		true,	false,	false,	false,	false },
	{ "LOGIN",		false,	false,	false,	false,	false },
};

enum {
	MECHANISMS = sizeof mechanisms / sizeof *mechanisms,
	RESPONSE_MAX = 9216	/* RFC 4954 section 4: 12288 in base64 */
};

struct sasl {
	const struct mechanism *mechanism;
	struct simple_login login;	/* prepared, where that is wanted */
	struct buffer prepared_user;	/* terminated, for CRAM-MD5 */
	const struct sasl_channel *channel;
	struct buffer said;		/* the last answer, secret */
	struct buffer reason;		/* terminated; empty: not refused */
	struct scram_params params;
	struct scram *scram;		/* NULL: another mechanism */
	unsigned steps;
	bool complete;
};

static const struct mechanism *
find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < MECHANISMS; i++)
		if (strlen(mechanisms[i].name) == len &&
		    memcmp(mechanisms[i].name, name, len) == 0)
			return &mechanisms[i];
	return NULL;
}

bool
sasl_knows(const char *mechanism)
{
	return find(mechanism, strlen(mechanism)) != NULL;
}

static bool
is_offered(const char *offered, const char *name)
{
	size_t n = strlen(name), len;

	for (; *offered != '\0'; offered += len + strspn(offered + len, " ")) {
		len = strcspn(offered, " ");
		if (len == n && memcmp(offered, name, n) == 0)
			return true;
	}
	return false;
}

/* Also of a hash that is not ours: who can bind refuses "y" (RFC 5802, 6). */
bool
sasl_offers_plus(const char *offered)
{
	static const char begin[] = "SCRAM-", end[] = "-PLUS";
	size_t len, b = sizeof begin - 1, e = sizeof end - 1;

	for (; *offered != '\0'; offered += len + strspn(offered + len, " ")) {
		len = strcspn(offered, " ");
		if (len > b + e && memcmp(offered, begin, b) == 0 &&
		    memcmp(offered + len - e, end, e) == 0)
			return true;
	}
	return false;
}

static bool
fits(const struct mechanism *m, const struct sasl_policy *policy,
    const struct sasl_channel *channel)
{
	const struct mechanism *minimum = policy->minimum == NULL ? NULL :
	    find(policy->minimum, strlen(policy->minimum));

	if (minimum != NULL && m > minimum)
		return false;
	if (strcmp(m->name, "EXTERNAL") == 0)
		return policy->has_certificate && channel->tls;
	if (m->plus && channel->binding == NULL)
		return false;
	return m->token ? policy->has_token : policy->has_password;
}

const char *
sasl_why_not(const struct sasl_policy *policy,
    const struct sasl_channel *channel, const char *mechanism)
{
	const struct mechanism *m = find(mechanism, strlen(mechanism));

	if (m == NULL)
		return "is not known here";
	if (policy->allowed != NULL && !is_offered(policy->allowed, m->name))
		return "is not in \"auth\"";
	if (fits(m, policy, channel))
		return NULL;
	if (m == mechanisms)
		return policy->has_certificate ? "wants TLS, by which the "
		    "client certificate is shown" : "wants a client certificate";
	if (m->token && !policy->has_token)
		return "wants a token (oauth-command)";
	if (!m->token && !policy->has_password)
		return policy->has_token ? "wants a password; a token is none" :
		    "wants a password";
	return m->plus && channel->binding == NULL ? "cannot be bound to this "
	    "TLS" : "is weaker than \"auth-minimum\"";
}

/* What of ours would do, if the account had something else. */
static const char *
wanted_instead(const struct sasl_policy *policy, const char *offered)
{
	struct sasl_policy other = { .has_token = !policy->has_token };
	const char *allowed = policy->allowed;

	if (allowed != NULL && sasl_strongest(policy, allowed) == NULL &&
	    sasl_strongest(&other, allowed) != NULL)
		return other.has_token ? "; \"auth\" names none that takes a "
		    "password" : "; \"auth\" names none that takes a token";
	if (sasl_strongest(policy, offered) != NULL ||
	    sasl_strongest(&other, offered) == NULL)
		return "";
	return other.has_token ? "; it wants a token: see \"oauth-command\" "
	    "in sendoff.conf(5)" : "; it wants a password, no token";
}

static const char *
ours_of(const struct sasl_policy *policy)
{
	if (policy->has_token)
		return "OAUTHBEARER, XOAUTH2 (oauth-command gives a token)";
	return policy->has_password ? "SCRAM-SHA-256(-PLUS), "
	    "SCRAM-SHA-1(-PLUS), CRAM-MD5, PLAIN, LOGIN" :
	    "EXTERNAL (there is no password)";
}

static bool
none_fits(const struct sasl_policy *policy,
    const struct sasl_channel *channel, const char *offered,
    struct failure *why)
{
	bool unknown = policy->has_certificate && channel->tls &&
	    !is_offered(offered, "EXTERNAL");
	const char *ours = policy->allowed;

	if (ours == NULL)
		ours = ours_of(policy);
	if (*offered == '\0')
		return fail(why, FAILURE_NO_MECHANISM, "the server offers no "
		    "login (AUTH) here, but the account has one; write \"auth "
		    "none\" if it needs none");
	return fail(why, FAILURE_NO_MECHANISM, "the server offers the "
	    "mechanisms %s, this account can use %s%s%s%s%s%s", offered, ours,
	    policy->allowed != NULL ? " (its \"auth\"; \"auth auto\" takes "
	    "any)" : "",
	    policy->minimum != NULL ? ", nothing weaker than " : "",
	    policy->minimum != NULL ? policy->minimum : "",
	    wanted_instead(policy, offered), !unknown ? "" :
	    channel->anonymous != NULL ? channel->anonymous : "; it may not "
	    "know the client certificate (sendoff --print-certificate)");
}

bool
sasl_is_for(const struct sasl_policy *policy, const char *mechanism)
{
	const struct mechanism *m = mechanism == NULL ? NULL :
	    find(mechanism, strlen(mechanism));

	return m != NULL && m != mechanisms && m->token == policy->has_token;
}

const char *
sasl_strongest(const struct sasl_policy *policy, const char *offered)
{
	size_t i;

	for (i = 0; i < MECHANISMS; i++)
		if (sasl_is_for(policy, mechanisms[i].name) &&
		    is_offered(offered, mechanisms[i].name))
			return mechanisms[i].name;
	return NULL;
}

bool
sasl_is_weaker(const char *a, const char *b)
{
	const struct mechanism *of_b = b != NULL ? find(b, strlen(b)) : NULL;

	return of_b != NULL && (a == NULL || find(a, strlen(a)) > of_b);
}

const char *
sasl_choose(const struct sasl_policy *policy,
    const struct sasl_channel *channel, const char *offered,
    struct failure *why)
{
	const struct mechanism *m;
	const char *p;
	size_t i, len;

	for (i = 0; policy->allowed == NULL && i < MECHANISMS; i++)
		if (is_offered(offered, mechanisms[i].name) &&
		    fits(&mechanisms[i], policy, channel))
			return mechanisms[i].name;
	for (p = policy->allowed; p != NULL && *p != '\0';
	    p += len + strspn(p + len, " ")) {
		len = strcspn(p, " ");
		m = find(p, len);
		if (m != NULL && is_offered(offered, m->name) &&
		    fits(m, policy, channel))
			return m->name;
	}
	(void)none_fits(policy, channel, offered, why);
	return NULL;
}

static bool
is(const struct sasl *s, const char *name)
{
	return strcmp(s->mechanism->name, name) == 0;
}

/* SCRAM and CRAM-MD5 are about prepared words, PLAIN and LOGIN are not. */
static void
take_words(struct sasl *s, const char *user, const struct sasl_words *words)
{
	bool cram = is(s, "CRAM-MD5");

	s->login = (struct simple_login){ user, words->password,
	    words->password_len };
	if (cram || s->mechanism->scram) {
		s->login.password = words->prepared;
		s->login.password_len = words->prepared_len;
	}
	if (!cram)
		return;
	prepare(user, strlen(user), &s->prepared_user);
	buffer_put(&s->prepared_user, "", 1);
	s->login.user = buffer_data(&s->prepared_user);
}

static void
begin_scram(struct sasl *s, const struct sasl_channel *channel)
{
	const struct mechanism *m = s->mechanism;

	s->params = (struct scram_params){ .mechanism = m->name,
	    .sha256 = m->sha256, .user = s->login.user,
	    .password = s->login.password,
	    .password_len = s->login.password_len };
	if (m->plus) {
		s->params.binding = channel->binding;
		s->params.data = channel->data;
		s->params.data_len = channel->data_len;
	}
	s->params.none_offered = channel->binding != NULL &&
	    !channel->offers_plus;
	s->scram = scram_begin(&s->params);
}

struct sasl *
sasl_begin(const char *mechanism, const char *user,
    const struct sasl_words *words, const struct sasl_channel *channel)
{
	struct sasl *s = pool_malloc(sizeof *s);

	*s = (struct sasl){ .mechanism = find(mechanism, strlen(mechanism)),
	    .channel = channel, .said = BUFFER_SECRET };
	assert(s->mechanism != NULL);
	take_words(s, user, words);
	if (s->mechanism->scram)
		begin_scram(s, channel);
	return s;
}

void
sasl_end(struct sasl *s)
{
	if (s == NULL)
		return;
	scram_end(s->scram);
	buffer_wipe(&s->said);
	buffer_free(&s->prepared_user);
	buffer_free(&s->reason);
	free(s);
}

bool
sasl_speaks_first(const struct sasl *s)
{
	return s->mechanism->first;
}

/*
 * RFC 7628 section 3.2.3: a challenge behind the message is the reason why it
 * is refused, in JSON or not; the answer only lets the server say so.
 */
static bool
refused(struct sasl *s, const char *heard, size_t len, struct buffer *said)
{
	struct bearer_refusal refusal;

	(void)bearer_read(heard, len, &refusal);
	bearer_tell(&refusal, &s->reason);
	buffer_put(&s->reason, "", 1);
	s->complete = false;
	if (is(s, "OAUTHBEARER"))
		buffer_put(said, "\1", 1);
	return true;
}

static bool
show_token(struct sasl *s, struct buffer *said)
{
	const struct bearer_login l = { s->login.user, s->login.password,
	    s->login.password_len, s->channel->host, s->channel->port };

	s->complete = true;
	if (is(s, "OAUTHBEARER"))
		bearer_oauthbearer(&l, said);
	else
		bearer_xoauth2(&l, said);
	return true;
}

/* The answer in octets; the last one completes the mechanism. */
static bool
answer(struct sasl *s, const char *heard, size_t len, struct buffer *said,
    struct failure *why)
{
	const struct simple_login *l = &s->login;

	s->steps++;
	if (s->scram != NULL)
		return scram_step(s->scram, heard, len, said, &s->complete,
		    why);
	if (s->mechanism->token)
		return s->steps == 1 ? show_token(s, said) :
		    refused(s, heard, len, said);
	s->complete = !is(s, "LOGIN") || s->steps == 2;
	if (is(s, "CRAM-MD5"))
		return simple_cram_md5(l, heard, len, said, why);
	if (is(s, "PLAIN"))
		simple_plain(l, said);
	else if (is(s, "LOGIN") && s->steps == 1)
		simple_login_user(l, said);
	else if (is(s, "LOGIN"))
		simple_login_password(l, said);
	return true;			/* EXTERNAL: nothing to add */
}

bool
sasl_step(struct sasl *s, const char *challenge, size_t len,
    struct buffer *response, struct failure *why)
{
	struct buffer heard = { 0 };
	bool ok, is_reason = s->mechanism->token && s->steps == 1;

	if (sasl_reason(s) != NULL || (s->complete && !is_reason))
		return fail(why, FAILURE_PROTOCOL, "%s: the server asks for "
		    "more after the end of the login", s->mechanism->name);
	ok = crypto_unbase64(&heard, challenge, len);
	if (!ok && !is_reason)
		return fail(why, FAILURE_PROTOCOL, "%s: the server's challenge "
		    "is not base64", s->mechanism->name);
	buffer_wipe(&s->said);
	ok = answer(s, buffer_data(&heard), ok ? buffer_len(&heard) : 0,
	    &s->said, why);
	if (ok && buffer_len(&s->said) > RESPONSE_MAX)
		ok = fail(why, FAILURE_CONFIG, "%s: user and token are longer "
		    "than a login may be", s->mechanism->name);
	if (ok)
		crypto_base64(response, buffer_data(&s->said),
		    buffer_len(&s->said));
	buffer_free(&heard);
	return ok;
}

struct gloss
sasl_answer(const struct sasl *s)
{
	return (struct gloss){ .mechanism = s->mechanism->name,
	    .step = s->steps, .octets = buffer_data(&s->said),
	    .len = buffer_len(&s->said) };
}

const char *
sasl_reason(const struct sasl *s)
{
	return buffer_len(&s->reason) > 0 ? buffer_data(&s->reason) : NULL;
}

bool
sasl_is_complete(const struct sasl *s, struct failure *why)
{
	if (s->complete)
		return true;
	if (sasl_reason(s) != NULL)
		return fail(why, FAILURE_AUTH, "the server claims success "
		    "after it has refused the token");
	return fail(why, FAILURE_AUTH, "the server claims success before the "
	    "end of %s%s", s->mechanism->name, s->mechanism->scram ?
	    "; it has not proven that it knows the password" : "");
}

const char *
sasl_detail(const struct sasl *s)
{
	return s->scram != NULL ? scram_detail(s->scram) : "";
}
