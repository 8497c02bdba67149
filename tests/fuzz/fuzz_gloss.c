/*
 * The messages of a login in words: of the first octet the low bits choose
 * mechanism and step.
 *
 * What is secret lies within the message, and no part of it that stands nowhere
 * else there is in the words; what follows the secret's sign is in it.
 */
#define _GNU_SOURCE			/* memmem() */
#include "fuzz.h"
#include "gloss.h"

#include <assert.h>
#include <string.h>

enum { MECHANISMS = 8, PART = 6 };	/* octets that betray it */

static const struct {
	const char *mechanism, *sign;	/* behind which it begins, or NULL */
	unsigned step;
} signs[] = {
	{ "SCRAM-SHA-256-PLUS", ",p=", 2 }, { "SCRAM-SHA-1", ",p=", 2 },
	{ "CRAM-MD5", " ", 1 }, { "PLAIN", NULL, 1 }, { "LOGIN", NULL, 2 },
	{ "OAUTHBEARER", "auth=Bearer ", 1 }, { "XOAUTH2", "auth=Bearer ", 1 },
	{ "EXTERNAL", NULL, 2 },
};

/*
 * What words of ours have, or a piece of the message with what we put beside
 * it; a part of the secret may look the same.
 */
static bool
is_of_words(const char *part)
{
	struct buffer words = { 0 };
	struct gloss none = { .octets = "", .len = 0 };
	bool found = false;
	size_t i;

	for (i = 0; i < PART; i++)
		if (part[i] == '"' || part[i] == '^' || part[i] == '*')
			return true;
	for (i = 0; i < 3 * MECHANISMS; i++) {
		none.mechanism = signs[i % MECHANISMS].mechanism;
		none.step = (unsigned)(i / MECHANISMS) + 1;
		gloss_said(&none, &words);
	}
	buffer_printf(&words, " response: *** password of octets, UTF-8 beyond "
	    "ASCII, neither ASCII nor UTF-8, begins with a blank, ends with a "
	    "blank, with control characters, a proof of octets, c is \"\" and "
	    "0 octets of the channel user \"\", digest a token of ");
	found = memmem(buffer_data(&words), buffer_len(&words), part, PART) !=
	    NULL;
	buffer_free(&words);
	return found;
}

static void
is_masked(const struct gloss *g, struct span secret, const struct buffer *words)
{
	const char *end = g->octets + secret.at + secret.len, *p;

	for (p = g->octets + secret.at; end - p >= PART; p++)
		assert(memmem(buffer_data(words), buffer_len(words), p,
		    PART) == NULL || is_of_words(p) ||
		    memmem(g->octets, secret.at, p, PART) != NULL ||
		    memmem(end, g->len - secret.at - secret.len, p, PART) !=
		    NULL);
}

static void
said(const struct gloss *g, const char *sign)
{
	const struct span secret = gloss_secret(g);
	struct buffer words = { 0 };
	const char *at;

	assert(secret.at <= g->len && secret.len <= g->len - secret.at);
	if (sign != NULL && g->len > 0) {
		at = memmem(g->octets, g->len, sign, strlen(sign));
		if (at == NULL)		/* it is not understood */
			assert(secret.len == g->len);
		else
			assert(memmem(g->octets + secret.at, secret.len, ",p=",
			    3) == NULL || strcmp(sign, ",p=") != 0);
	}
	gloss_said(g, &words);
	assert(buffer_len(&words) > strlen(g->mechanism));
	is_masked(g, secret, &words);
	buffer_free(&words);
}

static void
heard(const struct gloss *g)
{
	struct buffer words = { 0 };

	gloss_heard(g, true, &words);
	assert(buffer_len(&words) > strlen(g->mechanism));
	assert(buffer_len(&words) < 2 * g->len + 400);
	buffer_free(&words);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gloss g;
	size_t which;

	if (size == 0)
		return 0;
	which = *data % MECHANISMS;
	g = (struct gloss){ .mechanism = signs[which].mechanism,
	    .step = (*data / MECHANISMS) % 5, .octets = (const char *)data + 1,
	    .len = size - 1 };
	said(&g, g.step == signs[which].step ? signs[which].sign : NULL);
	heard(&g);
	return 0;
}
