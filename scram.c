#include "scram.h"
#include "crypto.h"
#include "pool.h"
#include "prepare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_OCTETS = 18 };		/* 24 characters in base64 */

struct scram {
	const struct scram_params *params;
	struct buffer nonce;		/* ours, as it was sent */
	struct buffer bound;		/* gs2-header and binding data */
	struct buffer said;		/* AuthMessage, as far as it has come */
	unsigned char signature[CRYPTO_HASH];	/* that the server must have */
	unsigned steps;
	char detail[64];
};

/* A piece of a message; not terminated. */
struct value {
	const char *p;
	size_t len;
};

/* RFC 5802 section 5.1, of the server's first message. */
struct challenge {
	struct value nonce, salt, count;
	struct buffer plain;		/* the salt */
	unsigned iterations;
};

static void
put(struct buffer *to, const struct buffer *from)
{
	buffer_put(to, buffer_data(from), buffer_len(from));
}

/* A name ends at "," and "=" begins an escape. */
static void
put_user(struct buffer *out, const char *user)
{
	struct buffer name = { 0 };
	const char *p;
	size_t i;

	prepare(user, strlen(user), &name);
	for (i = 0, p = buffer_data(&name); i < buffer_len(&name); i++)
		if (p[i] == ',')
			buffer_put(out, "=2C", 3);
		else if (p[i] == '=')
			buffer_put(out, "=3D", 3);
		else
			buffer_put(out, &p[i], 1);
	buffer_free(&name);
}

struct scram *
scram_begin(const struct scram_params *p)
{
	struct scram *s = pool_malloc(sizeof *s);
	unsigned char octets[NONCE_OCTETS];

	*s = (struct scram){ .params = p };
	crypto_random(octets, sizeof octets);
	crypto_base64(&s->nonce, octets, sizeof octets);
	if (p->binding != NULL)
		buffer_printf(&s->bound, "p=%s,,", p->binding);
	else
		buffer_put(&s->bound, p->none_offered ? "y,," : "n,,", 3);
	buffer_put(&s->said, "n=", 2);
	put_user(&s->said, p->user);
	buffer_put(&s->said, ",r=", 3);
	put(&s->said, &s->nonce);
	return s;
}

void
scram_end(struct scram *s)
{
	if (s == NULL)
		return;
	buffer_free(&s->nonce);
	buffer_free(&s->bound);
	buffer_free(&s->said);
	free(s);
}

/* --- the server's first message ------------------------------------------- */

/* "x=value", and the comma behind it; printable, and not empty. */
static bool
attribute(const char **p, const char *end, char name, struct value *v)
{
	const char *start = *p + 2, *q;

	if (end - *p < 3 || (*p)[0] != name || (*p)[1] != '=')
		return false;
	for (q = start; q < end && *q != ','; q++)
		if (*q < '!' || *q > '~')
			return false;
	*v = (struct value){ start, (size_t)(q - start) };
	*p = q < end ? q + 1 : q;
	return q > start;
}

static bool
is_number(const struct value *v)
{
	size_t i;

	for (i = 0; i < v->len; i++)
		if (v->p[i] < '0' || v->p[i] > '9')
			return false;
	return v->len > 0;
}

/* Extensions behind it are passed over; one in front must be understood. */
static bool
take_apart(const char *heard, size_t len, struct challenge *c)
{
	const char *p = heard, *end;

	if (len == 0)			/* heard may be NULL */
		return false;
	end = heard + len;
	return attribute(&p, end, 'r', &c->nonce) &&
	    attribute(&p, end, 's', &c->salt) &&
	    attribute(&p, end, 'i', &c->count) && is_number(&c->count) &&
	    crypto_unbase64(&c->plain, c->salt.p, c->salt.len);
}

/* The server's nonce begins with ours and adds to it. */
static bool
nonce_grows(const struct scram *s, const struct value *nonce,
    struct failure *why)
{
	size_t ours = buffer_len(&s->nonce);

	if (nonce->len <= ours ||
	    memcmp(nonce->p, buffer_data(&s->nonce), ours) != 0)
		return fail(why, FAILURE_PROTOCOL, "the server's SCRAM nonce "
		    "does not extend ours: it is broken, or somebody is in "
		    "between");
	return nonce->len >= ours + SCRAM_NONCE_MIN || fail(why,
	    FAILURE_PROTOCOL, "the server adds %zu characters to our SCRAM "
	    "nonce; less than %d may come again, and with them what was once "
	    "answered", nonce->len - ours, SCRAM_NONCE_MIN);
}

static bool
count_is_sane(struct scram *s, struct challenge *c, struct failure *why)
{
	int shown = (int)(c->count.len < 40 ? c->count.len : 40);
	unsigned long n = 0;
	size_t i;

	(void)snprintf(s->detail, sizeof s->detail, "iterations %.*s", shown,
	    c->count.p);
	for (i = 0; i < c->count.len && n <= SCRAM_ITERATIONS_MAX; i++)
		n = 10 * n + (unsigned long)(c->count.p[i] - '0');
	c->iterations = (unsigned)n;
	return (n >= SCRAM_ITERATIONS_MIN && n <= SCRAM_ITERATIONS_MAX) ||
	    fail(why, FAILURE_AUTH, "the server asks for %.*s iterations; less "
	    "than %d would let it guess the password, more than %d would keep "
	    "us busy", shown, c->count.p, SCRAM_ITERATIONS_MIN,
	    SCRAM_ITERATIONS_MAX);
}

/* What many have is what tables were made for. */
static bool
is_salt(const struct challenge *c, struct failure *why)
{
	size_t octets = buffer_len(&c->plain);

	return octets >= SCRAM_SALT_MIN || fail(why, FAILURE_AUTH,
	    "the server's SCRAM salt has %zu octets; less than %d would let "
	    "it, or who hears it, look the password up", octets,
	    SCRAM_SALT_MIN);
}

/* --- keys (RFC 5802 section 3) --------------------------------------------- */

static size_t
key_len(const struct scram *s)
{
	return s->params->sha256 ? 32 : 20;
}

static bool
hmac(const struct scram *s, const unsigned char *key, const char *text,
    size_t len, unsigned char *digest)
{
	return crypto_hmac(s->params->sha256, key, key_len(s), text, len,
	    digest);
}

/* ClientProof, and the signature that the server must show. */
static bool
sign(struct scram *s, const struct challenge *c, unsigned char *proof)
{
	const struct scram_params *p = s->params;
	const char *message = buffer_data(&s->said);
	size_t len = buffer_len(&s->said), i;
	unsigned char salted[CRYPTO_HASH], client[CRYPTO_HASH];
	unsigned char key[CRYPTO_HASH];
	bool ok = crypto_pbkdf2(p->sha256, p->password, p->password_len,
	    buffer_data(&c->plain), buffer_len(&c->plain), c->iterations,
	    salted) &&
	    hmac(s, salted, "Client Key", 10, client) &&
	    crypto_hash(p->sha256, client, key_len(s), key) &&
	    hmac(s, key, message, len, proof) &&
	    hmac(s, salted, "Server Key", 10, key) &&
	    hmac(s, key, message, len, s->signature);

	for (i = 0; ok && i < key_len(s); i++)
		proof[i] ^= client[i];
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(client, sizeof client);
	explicit_bzero(key, sizeof key);
	return ok;
}

/* --- the exchange ---------------------------------------------------------- */

static bool
is_refusal(const char *heard, size_t len, struct failure *why)
{
	if (len < 3 || memcmp(heard, "e=", 2) != 0)
		return false;
	(void)fail(why, FAILURE_AUTH, "the server refuses the login: %.*s",
	    (int)(len < 100 ? len - 2 : 98), heard + 2);
	return true;
}

/* client-first-message; the binding's data are said later. */
static void
say_first(struct scram *s, struct buffer *answer)
{
	put(answer, &s->bound);
	put(answer, &s->said);
	if (s->params->binding != NULL)
		buffer_put(&s->bound, (const char *)s->params->data,
		    s->params->data_len);
}

/* client-final-message: without the proof it is the end of AuthMessage. */
static bool
say_proof(struct scram *s, const struct challenge *c, const char *heard,
    size_t len, struct buffer *answer, struct failure *why)
{
	unsigned char proof[CRYPTO_HASH];
	size_t before = buffer_len(&s->said) + len + 2;
	bool ok;

	buffer_put(&s->said, ",", 1);
	buffer_put(&s->said, heard, len);
	buffer_put(&s->said, ",c=", 3);
	crypto_base64(&s->said, buffer_data(&s->bound), buffer_len(&s->bound));
	buffer_put(&s->said, ",r=", 3);
	buffer_put(&s->said, c->nonce.p, c->nonce.len);
	ok = sign(s, c, proof);
	if (ok) {
		buffer_put(answer, buffer_data(&s->said) + before,
		    buffer_len(&s->said) - before);
		buffer_put(answer, ",p=", 3);
		crypto_base64(answer, proof, key_len(s));
	}
	explicit_bzero(proof, sizeof proof);
	return ok || fail(why, FAILURE_LOCAL, "%s cannot be computed: the "
	    "system forbids its hash", s->params->mechanism);
}

static bool
answer_challenge(struct scram *s, const char *heard, size_t len,
    struct buffer *answer, struct failure *why)
{
	struct challenge c = { .iterations = 0 };
	bool ok;

	if (is_refusal(heard, len, why))
		return false;
	ok = take_apart(heard, len, &c) || fail(why, FAILURE_PROTOCOL, "%s: "
	    "the server's challenge cannot be answered: it is not in form, or "
	    "wants an extension", s->params->mechanism);
	ok = ok && nonce_grows(s, &c.nonce, why) &&
	    count_is_sane(s, &c, why) && is_salt(&c, why) &&
	    say_proof(s, &c, heard, len, answer, why);
	buffer_wipe(&c.plain);
	return ok;
}

/* Without a hint at how many octets are right. */
static bool
is_signature(const struct scram *s, const struct buffer *shown)
{
	const unsigned char *p = (const unsigned char *)buffer_data(shown);
	unsigned char wrong = 0;
	size_t i;

	if (buffer_len(shown) != key_len(s))
		return false;
	for (i = 0; i < key_len(s); i++)
		wrong |= p[i] ^ s->signature[i];
	return wrong == 0;
}

/* server-final-message; extensions behind it are passed over. */
static bool
hear_final(const struct scram *s, const char *heard, size_t len,
    struct failure *why)
{
	const char *p = heard;
	struct value v;
	struct buffer shown = { 0 };
	bool ok;

	if (is_refusal(heard, len, why))
		return false;
	ok = len > 0 && attribute(&p, heard + len, 'v', &v) &&
	    crypto_unbase64(&shown, v.p, v.len) && is_signature(s, &shown);
	buffer_free(&shown);
	return ok || fail(why, FAILURE_AUTH, "the server could not prove "
	    "that it knows the password (wrong SCRAM signature), so it "
	    "may be another than it says; nothing was sent");
}

bool
scram_step(struct scram *s, const char *heard, size_t len,
    struct buffer *answer, bool *complete, struct failure *why)
{
	*complete = false;
	switch (++s->steps) {
	case 1:
		say_first(s, answer);
		return true;
	case 2:
		return answer_challenge(s, heard, len, answer, why);
	default:
		*complete = hear_final(s, heard, len, why);
		return *complete;
	}
}

const char *
scram_detail(const struct scram *s)
{
	return s->detail;
}
