#include "scram.h"
#include "crypto.h"
#include "pool.h"

#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scram {
	const struct scram_params *params;
	Gsasl *library;
	Gsasl_session *session;
	char *nonce;			/* ours, once it has been sent */
	unsigned steps;
	char detail[64];
	struct failure refused;		/* by our bounds, in the callback */
};

/* What the library gets to know of the password, when the count was judged. */
static void
derive(struct scram *s, const struct buffer *salt, unsigned iterations)
{
	const struct scram_params *p = s->params;
	unsigned char key[32];
	char hex[2 * sizeof key + 1];

	if (crypto_pbkdf2(p->sha256, p->password, p->password_len,
	    buffer_data(salt), buffer_len(salt), iterations, key)) {
		crypto_hex(hex, key, p->sha256 ? 32 : 20);
		(void)gsasl_property_set(s->session,
		    GSASL_SCRAM_SALTED_PASSWORD, hex);
	}
	explicit_bzero(key, sizeof key);
	explicit_bzero(hex, sizeof hex);
}

/* What many have is what tables were made for. */
static bool
is_salt(struct scram *s, size_t octets)
{
	return octets >= SCRAM_SALT_MIN || fail(&s->refused, FAILURE_AUTH,
	    "the server's SCRAM salt has %zu octets; less than %d would let "
	    "it, or who hears it, look the password up", octets,
	    SCRAM_SALT_MIN);
}

/* The password is touched only after count and salt have been judged. */
static int
salted_password(struct scram *s)
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
	if (n < SCRAM_ITERATIONS_MIN || n > SCRAM_ITERATIONS_MAX) {
		(void)fail(&s->refused, FAILURE_AUTH, "the server asks for "
		    "%s iterations; less than %d would let it guess the "
		    "password, more than %d would keep us busy", count,
		    SCRAM_ITERATIONS_MIN, SCRAM_ITERATIONS_MAX);
		return GSASL_NO_PASSWORD;
	}
	if (crypto_unbase64(&plain, coded, strlen(coded)) &&
	    is_salt(s, buffer_len(&plain)))
		derive(s, &plain, (unsigned)n);
	buffer_wipe(&plain);
	return s->refused.kind == FAILURE_NONE ? GSASL_OK : GSASL_NO_PASSWORD;
}

static int
callback(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	(void)library;
	return property == GSASL_SCRAM_SALTED_PASSWORD ?
	    salted_password(gsasl_session_hook_get(session)) :
	    GSASL_NO_CALLBACK;
}

static int
bind_channel(struct scram *s)
{
	const struct scram_params *p = s->params;
	struct buffer coded = { 0 };
	int error;

	crypto_base64(&coded, p->data, p->data_len);
	buffer_put(&coded, "", 1);
	error = gsasl_property_set(s->session,
	    strcmp(p->binding, "tls-exporter") == 0 ?
	    GSASL_CB_TLS_EXPORTER : GSASL_CB_TLS_UNIQUE, buffer_data(&coded));
	buffer_wipe(&coded);
	return error;
}

static int
start(struct scram *s)
{
	const struct scram_params *p = s->params;
	int error = gsasl_init(&s->library);

	if (error != GSASL_OK)
		return error;
	gsasl_callback_set(s->library, callback);
	error = gsasl_client_start(s->library, p->mechanism, &s->session);
	if (error != GSASL_OK)
		return error;
	gsasl_session_hook_set(s->session, s);
	error = gsasl_property_set(s->session, GSASL_AUTHID, p->user);
	if (error == GSASL_OK && p->binding != NULL)
		error = bind_channel(s);
	return error;
}

bool
scram_begin(struct scram **out, const struct scram_params *params,
    struct failure *why)
{
	struct scram *s = pool_malloc(sizeof *s);
	int error;

	*s = (struct scram){ .params = params };
	error = start(s);
	if (error == GSASL_OK) {
		*out = s;
		return true;
	}
	scram_end(s);
	return fail(why, FAILURE_LOCAL, "libgsasl cannot begin %s: %s",
	    params->mechanism, gsasl_strerror(error));
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
scram_end(struct scram *s)
{
	if (s == NULL)
		return;
	if (s->session != NULL) {
		wipe_property(s->session, GSASL_SCRAM_SALTED_PASSWORD);
		gsasl_finish(s->session);
	}
	if (s->library != NULL)
		gsasl_done(s->library);
	free(s->nonce);
	free(s);
}

/* RFC 5802 section 7: the value of ",r=" in a message, up to a comma. */
static const char *
nonce_in(const char *message, size_t len, size_t *nonce_len)
{
	const char *p = message, *end, *comma;

	if (len == 0)				/* there may be no message */
		return NULL;
	for (end = p + len; p < end;) {
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
note_nonce(struct scram *s, const char *sent, size_t len)
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
nonce_grows(const struct scram *s, const char *heard, size_t len,
    struct failure *why)
{
	size_t n = 0, ours = s->nonce == NULL ? 0 : strlen(s->nonce);
	const char *p = nonce_in(heard, len, &n);

	if (p == NULL || ours == 0 || n <= ours ||
	    memcmp(p, s->nonce, ours) != 0)
		return fail(why, FAILURE_PROTOCOL, "the server's SCRAM nonce "
		    "does not extend ours: it is broken, or somebody is in "
		    "between");
	return n >= ours + SCRAM_NONCE_MIN || fail(why, FAILURE_PROTOCOL,
	    "the server adds %zu characters to our SCRAM nonce; less than %d "
	    "may come again, and with them what was once answered", n - ours,
	    SCRAM_NONCE_MIN);
}

static bool
explain(const struct scram *s, int error, const char *heard, size_t len,
    struct failure *why)
{
	if (s->refused.kind != FAILURE_NONE) {
		*why = s->refused;
		return false;
	}
	if (len > 2 && memcmp(heard, "e=", 2) == 0)
		return fail(why, FAILURE_AUTH, "the server refuses the login: "
		    "%.*s", (int)(len < 100 ? len - 2 : 98), heard + 2);
	if (s->steps >= 3)
		return fail(why, FAILURE_AUTH, "the server could not prove "
		    "that it knows the password (wrong SCRAM signature), so it "
		    "may be another than it says; nothing was sent");
	return fail(why, FAILURE_PROTOCOL, "%s: the server's challenge cannot "
	    "be answered (%s)", s->params->mechanism, gsasl_strerror(error));
}

/* RFC 5802 section 7 lets a server add to its last words; libgsasl does not. */
static size_t
without_extensions(const char *heard, size_t len)
{
	const char *comma = len > 0 ? memchr(heard, ',', len) : NULL;

	return comma != NULL ? (size_t)(comma - heard) : len;
}

bool
scram_step(struct scram *s, const char *heard, size_t len,
    struct buffer *answer, bool *complete, struct failure *why)
{
	char *out = NULL;
	size_t n = 0;
	int error;

	s->steps++;
	if (s->steps == 2 && !nonce_grows(s, heard, len, why))
		return false;
	if (s->steps == 3)
		len = without_extensions(heard, len);
	error = gsasl_step(s->session, heard, len, &out, &n);
	if (error != GSASL_OK && error != GSASL_NEEDS_MORE)
		return explain(s, error, heard, len, why);
	if (s->steps == 1)
		note_nonce(s, out, n);
	*complete = error == GSASL_OK;
	buffer_put(answer, out, n);
	if (out != NULL) {
		explicit_bzero(out, n);
		gsasl_free(out);
	}
	return true;
}

const char *
scram_detail(const struct scram *s)
{
	return s->detail;
}
