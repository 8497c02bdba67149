#define _GNU_SOURCE			/* memmem() */
#include "gloss.h"
#include "crypto.h"
#include "utf8.h"

#include <string.h>

enum message {
	EMPTY, IDENTITY, SCRAM_FIRST, SCRAM_FINAL, CRAM, PLAIN, USER, PASSWORD,
	BEARER, GO_ON, STRANGE
};

/* What our answers are, one behind the other; then there are none. */
static const struct {
	const char *mechanism;		/* or how it begins */
	enum message messages[3];
} answers[] = {
	{ "EXTERNAL",		{ IDENTITY,	STRANGE,	STRANGE } },
	{ "SCRAM-",		{ SCRAM_FIRST,	SCRAM_FINAL,	EMPTY } },
	{ "CRAM-MD5",		{ CRAM,		STRANGE,	STRANGE } },
	{ "OAUTHBEARER",	{ BEARER,	GO_ON,		STRANGE } },
	{ "XOAUTH2",		{ BEARER,	EMPTY,		STRANGE } },
	{ "PLAIN",		{ PLAIN,	STRANGE,	STRANGE } },
	{ "LOGIN",		{ USER,		PASSWORD,	STRANGE } },
};

static enum message
message_of(const struct gloss *g)
{
	size_t i;

	if (g->step == 0 || g->step > 3)
		return STRANGE;
	for (i = 0; i < sizeof answers / sizeof *answers; i++)
		if (strncmp(g->mechanism, answers[i].mechanism,
		    strlen(answers[i].mechanism)) == 0)
			return answers[i].messages[g->step - 1];
	return STRANGE;
}

static bool
is_scram(const struct gloss *g)
{
	return strncmp(g->mechanism, "SCRAM-", 6) == 0;
}

static void
put(struct buffer *words, const char *text)
{
	buffer_put(words, text, strlen(text));
}

/* A piece of a message. */
static void
quote(struct buffer *words, const char *what, const char *p, size_t len)
{
	buffer_printf(words, "%s \"", what);
	buffer_put(words, p, len);
	put(words, "\"");
}

/* --- the secret ----------------------------------------------------------- */

/* Behind the last of these signs, to the end. */
static struct span
behind(const struct gloss *g, const char *sign)
{
	size_t n = strlen(sign), i = g->len;

	while (i >= n && memcmp(g->octets + i - n, sign, n) != 0)
		i--;
	return i < n ? (struct span){ 0, g->len } :
	    (struct span){ i, g->len - i };
}

/* Behind the second NUL: there may be none in what stands before. */
static struct span
password_of(const struct gloss *g)
{
	const char *end = g->octets + g->len, *nul;

	nul = g->len > 0 ? memchr(g->octets, '\0', g->len) : NULL;
	if (nul != NULL)
		nul = memchr(nul + 1, '\0', (size_t)(end - nul) - 1);
	return nul == NULL ? (struct span){ 0, g->len } :
	    (struct span){ (size_t)(nul + 1 - g->octets),
	    (size_t)(end - nul) - 1 };
}

static struct span
token_of(const struct gloss *g)
{
	static const char sign[] = "auth=Bearer ";
	const char *at = g->len > 0 ? memmem(g->octets, g->len, sign,
	    sizeof sign - 1) : NULL, *end;
	size_t from;

	if (at == NULL)
		return (struct span){ 0, g->len };
	from = (size_t)(at - g->octets) + sizeof sign - 1;
	end = from < g->len ? memchr(g->octets + from, '\1', g->len - from) :
	    NULL;
	return (struct span){ from, end == NULL ? g->len - from :
	    (size_t)(end - g->octets) - from };
}

struct span
gloss_secret(const struct gloss *g)
{
	switch (message_of(g)) {
	case EMPTY:
	case IDENTITY:
	case SCRAM_FIRST:
	case USER:
	case GO_ON:
		return (struct span){ 0, 0 };
	case SCRAM_FINAL:
		return behind(g, ",p=");
	case CRAM:
		return behind(g, " ");
	case PLAIN:
		return password_of(g);
	case BEARER:
		return token_of(g);
	default:
		return (struct span){ 0, g->len };
	}
}

bool
gloss_proves(const struct gloss *g)
{
	enum message m = message_of(g);

	return m == SCRAM_FINAL || m == CRAM;
}

/* --- ours ----------------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* No copy of it is made. */
static const char *
alphabet(const char *p, size_t len)
{
	const char *name = "ASCII";
	unsigned long code;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = utf8_character(p, len, &code);
		if (n == 0)
			return "neither ASCII nor UTF-8";
		if (n > 1)
			name = "UTF-8 beyond ASCII";
	}
	return name;
}

/* What a copied password has often, and nobody sees. */
static void
describe(struct buffer *words, const char *p, size_t len)
{
	bool controls = false;
	size_t i;

	for (i = 0; i < len; i++)
		controls = controls || (unsigned char)p[i] < ' ' ||
		    p[i] == '\x7f';
	buffer_printf(words, "password of %zu octets, %s", len,
	    alphabet(p, len));
	if (len > 0 && is_blank(p[0]))
		put(words, ", begins with a blank");
	if (len > 0 && is_blank(p[len - 1]))
		put(words, ", ends with a blank");
	if (controls)
		put(words, ", with control characters");
}

/* "p=tls-exporter,," and what follows, of a client-first-message. */
static size_t
header_len(const char *p, size_t len)
{
	const char *comma = len > 0 ? memchr(p, ',', len) : NULL;

	if (comma != NULL)
		comma = memchr(comma + 1, ',', len - (size_t)(comma + 1 - p));
	return comma == NULL ? 0 : (size_t)(comma + 1 - p);
}

/* The value of "k=" in a message of SCRAM; NULL: it has none. */
static const char *
value(const char *p, size_t len, char key, size_t *n)
{
	const char *end = p + len, *comma;

	while (p < end) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		if (comma - p >= 2 && p[0] == key && p[1] == '=') {
			*n = (size_t)(comma - p) - 2;
			return p + 2;
		}
		p = comma < end ? comma + 1 : end;
	}
	*n = 0;
	return NULL;
}

static void
tell_first(const struct gloss *g, struct buffer *words)
{
	size_t header = header_len(g->octets, g->len), n;
	const char *bare = g->octets + header, *p;
	size_t len = g->len - header;

	quote(words, "client-first: gs2 header", g->octets, header);
	p = value(bare, len, 'n', &n);
	quote(words, ", user", p, n);
	(void)value(bare, len, 'r', &n);
	buffer_printf(words, ", nonce of %zu octets", n);
}

/* What the server must have as well, or somebody is in between. */
static void
tell_binding(const char *coded, size_t len, struct buffer *words)
{
	struct buffer plain = { 0 };
	size_t header;

	if (crypto_unbase64(&plain, coded, len)) {
		header = header_len(buffer_data(&plain), buffer_len(&plain));
		quote(words, ", c is", buffer_data(&plain), header);
		buffer_printf(words, " and %zu octets of the channel",
		    buffer_len(&plain) - header);
	}
	buffer_wipe(&plain);
}

static void
tell_final(const struct gloss *g, const struct span *proof,
    struct buffer *words)
{
	const char *coded;
	size_t n;

	put(words, "client-final: \"");
	buffer_put(words, g->octets, proof->at);
	buffer_printf(words, "***\", a proof of %zu octets", proof->len);
	coded = value(g->octets, proof->at, 'c', &n);
	if (coded != NULL)
		tell_binding(coded, n, words);
}

static void
tell_plain(const struct gloss *g, const struct span *password,
    struct buffer *words)
{
	size_t n = password->at > 0 ? strnlen(g->octets, password->at) : 0;

	if (password->at == 0) {
		put(words, "response: ***");
		return;
	}
	if (n == 0)
		put(words, "response: no authorization identity");
	else
		quote(words, "response: authorization identity", g->octets, n);
	quote(words, ", user", g->octets + n + 1, password->at - n - 2);
	put(words, ", ");
	describe(words, g->octets + password->at, password->len);
}

/* ^A is between its parts. */
static void
tell_bearer(const struct gloss *g, const struct span *token,
    struct buffer *words)
{
	size_t i, n;

	put(words, "response: \"");
	for (i = 0; i < token->at; i += n + 1) {
		for (n = 0; i + n < token->at && g->octets[i + n] != '\1'; n++)
			;
		buffer_put(words, g->octets + i, n);
		if (i + n < token->at)
			put(words, "^A");
	}
	buffer_printf(words, "***\", a token of %zu octets", token->len);
}

void
gloss_said(const struct gloss *g, struct buffer *words)
{
	const struct span secret = gloss_secret(g);

	buffer_printf(words, "%s ", g->mechanism);
	switch (message_of(g)) {
	case SCRAM_FIRST:
		tell_first(g, words);
		break;
	case SCRAM_FINAL:
		tell_final(g, &secret, words);
		break;
	case CRAM:
		quote(words, "response: user", g->octets, secret.at > 0 ?
		    secret.at - 1 : 0);
		put(words, ", digest ***");
		break;
	case PLAIN:
		tell_plain(g, &secret, words);
		break;
	case USER:
		quote(words, "response: user", g->octets, g->len);
		break;
	case PASSWORD:
		put(words, "response: ");
		describe(words, g->octets, g->len);
		break;
	case BEARER:
		tell_bearer(g, &secret, words);
		break;
	case IDENTITY:
		put(words, "response: no authorization identity, the "
		    "certificate says who it is");
		break;
	case GO_ON:
		put(words, "response: ^A, for the server to end it");
		break;
	default:
		put(words, g->len == 0 ? "response: empty" : "response: ***");
	}
}

/* --- the server's --------------------------------------------------------- */

static void
tell_salt(const char *salt, size_t len, struct buffer *words)
{
	size_t digits = len;

	while (digits > 0 && salt[digits - 1] == '=')
		digits--;
	quote(words, ", salt", salt, len);
	buffer_printf(words, " (%zu octets)", digits * 6 / 8);
}

static void
tell_server_first(const struct gloss *g, struct buffer *words)
{
	const char *p;
	size_t n;

	put(words, "server-first: ");
	p = value(g->octets, g->len, 'm', &n);
	if (p != NULL)
		quote(words, "an extension that must be known", p, n);
	put(words, p != NULL ? ", " : "");
	p = value(g->octets, g->len, 'r', &n);
	buffer_printf(words, p != NULL ? "nonce of %zu octets" : "no nonce", n);
	p = value(g->octets, g->len, 's', &n);
	if (p != NULL)
		tell_salt(p, n, words);
	else
		put(words, ", no salt");
	p = value(g->octets, g->len, 'i', &n);
	if (p != NULL)
		quote(words, ", iterations", p, n);
	else
		put(words, ", no iterations");
}

static void
tell_server_final(const struct gloss *g, bool right, struct buffer *words)
{
	size_t n;

	if (value(g->octets, g->len, 'v', &n) != NULL)
		buffer_printf(words, "server-final: v=*** (%zu octets), %s", n,
		    right ? "checked: the server knows the password" :
		    "wrong: the server does not know the password");
	else
		quote(words, "server-final:", g->octets, g->len);
}

void
gloss_heard(const struct gloss *g, bool right, struct buffer *words)
{
	buffer_printf(words, "%s ", g->mechanism);
	if (g->len == 0)
		put(words, "challenge: empty");
	else if (is_scram(g) && g->step == 2)
		tell_server_first(g, words);
	else if (is_scram(g) && g->step == 3)
		tell_server_final(g, right, words);
	else
		quote(words, message_of(g) == GO_ON || (message_of(g) ==
		    EMPTY && !is_scram(g)) ? "error:" : "challenge:",
		    g->octets, g->len);
}
