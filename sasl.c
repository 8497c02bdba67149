#include "sasl.h"
#include "crypto.h"

#include <assert.h>
#include <gsasl.h>
#include <stdio.h>
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
	Gsasl *library;
	Gsasl_session *session;
	char *password;
	size_t password_len;
	char *nonce;			/* ours, once it has been sent */
	unsigned steps;
	bool complete;
	char detail[64];
	struct failure refused;		/* by our bounds, in the callback */
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

/*
 * SASLprep as RFC 5802 wants it; octets that it refuses (not UTF-8, or newer
 * than Unicode 3.2) are used as they are, which is what servers do.
 */
static void
salt(struct sasl *s, const struct buffer *salt, unsigned iterations)
{
	unsigned char key[32];
	char hex[2 * sizeof key + 1], *prepared = NULL;
	const char *password = s->password;
	size_t len = s->password_len;
	int error;

	if (gsasl_saslprep(s->password, 0, &prepared, &error) == GSASL_OK) {
		password = prepared;
		len = strlen(prepared);
	}
	if (crypto_pbkdf2(s->mechanism->sha256, password, len,
	    buffer_data(salt), buffer_len(salt), iterations, key)) {
		crypto_hex(hex, key, s->mechanism->sha256 ? 32 : 20);
		(void)gsasl_property_set(s->session,
		    GSASL_SCRAM_SALTED_PASSWORD, hex);
	}
	explicit_bzero(key, sizeof key);
	explicit_bzero(hex, sizeof hex);
	if (prepared != NULL) {
		explicit_bzero(prepared, strlen(prepared));
		gsasl_free(prepared);
	}
}

/* The password is touched only after the count has been judged. */
static int
salted_password(struct sasl *s)
{
	const char *count = gsasl_property_fast(s->session, GSASL_SCRAM_ITER);
	const char *coded = gsasl_property_fast(s->session, GSASL_SCRAM_SALT);
	struct buffer plain = { 0 };
	unsigned long n;

	if (count == NULL || coded == NULL)
		return GSASL_NO_PASSWORD;
	n = strspn(count, "0123456789") == strlen(count) &&
	    strlen(count) < 10 ? strtoul(count, NULL, 10) : ~0UL;
	(void)snprintf(s->detail, sizeof s->detail, "iterations %s", count);
	if (n < SASL_ITERATIONS_MIN || n > SASL_ITERATIONS_MAX) {
		(void)fail(&s->refused, FAILURE_AUTH, "the server asks for "
		    "%s iterations; less than %d would let it guess the "
		    "password, more than %d would keep us busy", count,
		    SASL_ITERATIONS_MIN, SASL_ITERATIONS_MAX);
		return GSASL_NO_PASSWORD;
	}
	if (crypto_unbase64(&plain, coded, strlen(coded)))
		salt(s, &plain, (unsigned)n);
	buffer_wipe(&plain);
	return GSASL_OK;
}

static int
callback(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	struct sasl *s = gsasl_session_hook_get(session);

	(void)library;
	if (property == GSASL_SCRAM_SALTED_PASSWORD && s->mechanism->scram)
		return salted_password(s);
	if (property == GSASL_PASSWORD && !s->mechanism->scram)
		return gsasl_property_set_raw(session, GSASL_PASSWORD,
		    s->password, s->password_len);
	return GSASL_NO_CALLBACK;
}

static int
bind_channel(struct sasl *s, const struct sasl_channel *channel)
{
	struct buffer coded = { 0 };
	int error;

	crypto_base64(&coded, channel->data, channel->data_len);
	buffer_put(&coded, "", 1);
	error = gsasl_property_set(s->session,
	    strcmp(channel->binding, "tls-exporter") == 0 ?
	    GSASL_CB_TLS_EXPORTER : GSASL_CB_TLS_UNIQUE, buffer_data(&coded));
	buffer_wipe(&coded);
	return error;
}

static int
start(struct sasl *s, const char *user, const struct sasl_channel *channel)
{
	int error = gsasl_init(&s->library);

	if (error != GSASL_OK)
		return error;
	gsasl_callback_set(s->library, callback);
	error = gsasl_client_start(s->library, s->mechanism->name,
	    &s->session);
	if (error != GSASL_OK)
		return error;
	gsasl_session_hook_set(s->session, s);
	if (strcmp(s->mechanism->name, "EXTERNAL") != 0)
		error = gsasl_property_set(s->session, GSASL_AUTHID, user);
	if (error == GSASL_OK && s->mechanism->plus)
		error = bind_channel(s, channel);
	return error;
}

bool
sasl_begin(struct sasl **out, const char *mechanism, const char *user,
    const char *password, size_t password_len,
    const struct sasl_channel *channel, struct failure *why)
{
	struct sasl *s = pool_malloc(sizeof *s);
	int error;

	*s = (struct sasl){ .mechanism = find(mechanism, strlen(mechanism)) };
	assert(s->mechanism != NULL);
	s->password = pool_malloc(password_len + 1);
	memcpy(s->password, password, password_len);
	s->password[password_len] = '\0';
	s->password_len = password_len;
	error = start(s, user, channel);
	if (error == GSASL_OK) {
		*out = s;
		return true;
	}
	sasl_end(s);
	return fail(why, FAILURE_LOCAL, "libgsasl cannot begin %s: %s",
	    mechanism, gsasl_strerror(error));
}

/* Copies that the library keeps are wiped where it lets us reach them. */
static void
wipe_property(Gsasl_session *session, Gsasl_property property)
{
	const char *kept = gsasl_property_fast(session, property);
	char *p;

	if (kept == NULL)
		return;
	memcpy(&p, &kept, sizeof p);
	explicit_bzero(p, strlen(p));
}

void
sasl_end(struct sasl *s)
{
	if (s == NULL)
		return;
	if (s->session != NULL) {
		wipe_property(s->session, GSASL_PASSWORD);
		wipe_property(s->session, GSASL_SCRAM_SALTED_PASSWORD);
		gsasl_finish(s->session);
	}
	if (s->library != NULL)
		gsasl_done(s->library);
	explicit_bzero(s->password, s->password_len);
	free(s->password);
	free(s->nonce);
	free(s);
}

bool
sasl_speaks_first(const struct sasl *s)
{
	return s->mechanism->first;
}

/* RFC 5802 section 7: the value of ",r=" in a message, up to a comma. */
static const char *
nonce_in(const char *message, size_t len, size_t *nonce_len)
{
	const char *p = message, *end = message + len, *comma;

	while (p < end) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		if (comma - p >= 2 && p[0] == 'r' && p[1] == '=') {
			*nonce_len = (size_t)(comma - p) - 2;
			return p + 2;
		}
		p = comma < end ? comma + 1 : end;
	}
	return NULL;
}

static void
note_nonce(struct sasl *s, const char *sent, size_t len)
{
	size_t n = 0;
	const char *p = nonce_in(sent, len, &n);

	if (p == NULL)
		return;
	s->nonce = pool_malloc(n + 1);
	memcpy(s->nonce, p, n);
	s->nonce[n] = '\0';
}

/* RFC 5802 section 5.1: the server's nonce begins with ours and adds to it. */
static bool
nonce_grows(const struct sasl *s, const char *heard, size_t len,
    struct failure *why)
{
	size_t n = 0, ours = s->nonce == NULL ? 0 : strlen(s->nonce);
	const char *p = nonce_in(heard, len, &n);

	if (p != NULL && ours > 0 && n > ours && memcmp(p, s->nonce, ours) == 0)
		return true;
	return fail(why, FAILURE_PROTOCOL, "the server's SCRAM nonce does not "
	    "extend ours");
}

static bool
explain(const struct sasl *s, int error, const char *heard, size_t len,
    struct failure *why)
{
	if (s->refused.kind != FAILURE_NONE) {
		*why = s->refused;
		return false;
	}
	if (s->mechanism->scram && len > 2 && memcmp(heard, "e=", 2) == 0)
		return fail(why, FAILURE_AUTH, "the server refuses the login: "
		    "%.*s", (int)(len < 100 ? len - 2 : 98), heard + 2);
	if (s->mechanism->scram && s->steps >= 3)
		return fail(why, FAILURE_AUTH, "the server could not prove "
		    "that it knows the password (wrong SCRAM signature)");
	return fail(why, FAILURE_PROTOCOL, "%s: the server's challenge cannot "
	    "be answered (%s)", s->mechanism->name, gsasl_strerror(error));
}

/* RFC 5802 section 7 lets a server add to its last words; libgsasl does not. */
static size_t
without_extensions(const char *heard, size_t len)
{
	const char *comma = len > 0 ? memchr(heard, ',', len) : NULL;

	return comma != NULL ? (size_t)(comma - heard) : len;
}

static bool
answer(struct sasl *s, const char *heard, size_t len, struct buffer *response,
    struct failure *why)
{
	char *out = NULL;
	size_t n = 0;
	int error;

	s->steps++;
	if (s->mechanism->scram && s->steps == 2 &&
	    !nonce_grows(s, heard, len, why))
		return false;
	if (s->mechanism->scram && s->steps == 3)
		len = without_extensions(heard, len);
	error = gsasl_step(s->session, heard, len, &out, &n);
	if (error != GSASL_OK && error != GSASL_NEEDS_MORE)
		return explain(s, error, heard, len, why);
	if (s->mechanism->scram && s->steps == 1)
		note_nonce(s, out, n);
	s->complete = error == GSASL_OK;
	crypto_base64(response, out, n);
	if (out != NULL) {
		explicit_bzero(out, n);
		gsasl_free(out);
	}
	return true;
}

bool
sasl_step(struct sasl *s, const char *challenge, size_t len,
    struct buffer *response, struct failure *why)
{
	struct buffer heard = { 0 };
	bool ok;

	if (s->complete)
		return fail(why, FAILURE_PROTOCOL, "%s: the server asks for "
		    "more after the end of the login", s->mechanism->name);
	if (!crypto_unbase64(&heard, challenge, len))
		return fail(why, FAILURE_PROTOCOL, "%s: the server's challenge "
		    "is not base64", s->mechanism->name);
	ok = answer(s, buffer_data(&heard), buffer_len(&heard), response, why);
	buffer_free(&heard);
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
	return s->detail;
}
