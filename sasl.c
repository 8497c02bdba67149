#include "sasl.h"
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
} mechanisms[] = {
	{ "EXTERNAL",		true,	false,	false,	false },
	{ "SCRAM-SHA-256-PLUS",	true,	true,	true,	true },
	{ "SCRAM-SHA-256",	true,	false,	true,	true },
	{ "SCRAM-SHA-1-PLUS",	true,	true,	true,	false },
	{ "SCRAM-SHA-1",	true,	false,	true,	false },
	{ "CRAM-MD5",		false,	false,	false,	false },
	{ "PLAIN",		true,	false,	false,	false },
	{ "LOGIN",		false,	false,	false,	false },
};

enum { MECHANISMS = sizeof mechanisms / sizeof *mechanisms };

struct sasl {
	const struct mechanism *mechanism;
	struct simple_login login;	/* prepared, where that is wanted */
	struct buffer prepared_user;	/* terminated, for CRAM-MD5 */
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
	return policy->has_password;
}

static bool
none_fits(const struct sasl_policy *policy, const char *offered,
    struct failure *why)
{
	const char *ours = policy->allowed;

	if (ours == NULL)
		ours = policy->has_password ? "SCRAM-SHA-256(-PLUS), "
		    "SCRAM-SHA-1(-PLUS), CRAM-MD5, PLAIN, LOGIN" :
		    "EXTERNAL (there is no password)";
	if (*offered == '\0')
		return fail(why, FAILURE_NO_MECHANISM, "the server offers no "
		    "login (AUTH) here, but the account has one; write \"auth "
		    "none\" if it needs none");
	return fail(why, FAILURE_NO_MECHANISM, "the server offers the "
	    "mechanisms %s, this account can use %s%s%s", offered, ours,
	    policy->minimum != NULL ? ", nothing weaker than " : "",
	    policy->minimum != NULL ? policy->minimum : "");
}

const char *
sasl_strongest(const char *offered)
{
	size_t i;

	for (i = 1; i < MECHANISMS; i++)
		if (is_offered(offered, mechanisms[i].name))
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
	(void)none_fits(policy, offered, why);
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

static bool
begin_scram(struct sasl *s, const struct sasl_channel *channel,
    struct failure *why)
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
	return scram_begin(&s->scram, &s->params, why);
}

bool
sasl_begin(struct sasl **out, const char *mechanism, const char *user,
    const struct sasl_words *words, const struct sasl_channel *channel,
    struct failure *why)
{
	struct sasl *s = pool_malloc(sizeof *s);

	*s = (struct sasl){ .mechanism = find(mechanism, strlen(mechanism)) };
	assert(s->mechanism != NULL);
	take_words(s, user, words);
	if (s->mechanism->scram && !begin_scram(s, channel, why)) {
		sasl_end(s);
		return false;
	}
	*out = s;
	return true;
}

void
sasl_end(struct sasl *s)
{
	if (s == NULL)
		return;
	scram_end(s->scram);
	buffer_free(&s->prepared_user);
	free(s);
}

bool
sasl_speaks_first(const struct sasl *s)
{
	return s->mechanism->first;
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
	struct buffer heard = { 0 }, said = BUFFER_SECRET;
	bool ok;

	if (s->complete)
		return fail(why, FAILURE_PROTOCOL, "%s: the server asks for "
		    "more after the end of the login", s->mechanism->name);
	if (!crypto_unbase64(&heard, challenge, len))
		return fail(why, FAILURE_PROTOCOL, "%s: the server's challenge "
		    "is not base64", s->mechanism->name);
	ok = answer(s, buffer_data(&heard), buffer_len(&heard), &said, why);
	if (ok)
		crypto_base64(response, buffer_data(&said), buffer_len(&said));
	buffer_free(&heard);
	buffer_wipe(&said);
	return ok;
}

bool
sasl_is_complete(const struct sasl *s, struct failure *why)
{
	if (s->complete)
		return true;
	return fail(why, FAILURE_AUTH, "the server claims success before the "
	    "end of %s%s", s->mechanism->name, s->mechanism->scram ?
	    "; it has not proven that it knows the password" : "");
}

const char *
sasl_detail(const struct sasl *s)
{
	return s->scram != NULL ? scram_detail(s->scram) : "";
}
