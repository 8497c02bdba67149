#define _GNU_SOURCE			/* strcasestr() */
#include "bearer.h"
#include "failure.h"

#include <string.h>
#include <strings.h>

enum { JSON_MAX = 4096, KEY_MAX = 32 };

bool
bearer_is_token(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' ||
		    strchr("\"'{}\\", text[i]) != NULL)
			return false;
	return len > 0;
}

static void
put(struct buffer *b, const char *text)
{
	buffer_put(b, text, strlen(text));
}

/* RFC 5801 section 4: "," and "=" are not for themselves in a name. */
static void
put_name(struct buffer *b, const char *name)
{
	size_t n;

	for (; *name != '\0'; name += n + 1) {
		n = strcspn(name, ",=");
		buffer_put(b, name, n);
		if (name[n] == '\0')
			return;
		put(b, name[n] == ',' ? "=2C" : "=3D");
	}
}

static void
put_pair(struct buffer *b, const char *key, const char *value)
{
	put(b, key);
	put(b, value);
	put(b, "\1");
}

/* A copy that grew would be left behind: there is room for all of it. */
static void
begin(const struct bearer_login *l, struct buffer *message)
{
	(void)buffer_room(message, 3 * strlen(l->user) + l->token_len + 128 +
	    (l->host != NULL ? strlen(l->host) : 0) +
	    (l->port != NULL ? strlen(l->port) : 0));
}

static void
put_token(const struct bearer_login *l, struct buffer *message)
{
	put(message, "auth=Bearer ");
	buffer_put(message, l->token, l->token_len);
	put(message, "\1\1");
}

void
bearer_oauthbearer(const struct bearer_login *l, struct buffer *message)
{
	begin(l, message);
	put(message, "n,");
	if (*l->user != '\0')
		put(message, "a=");
	put_name(message, l->user);
	put(message, ",\1");
	if (l->host != NULL)
		put_pair(message, "host=", l->host);
	if (l->port != NULL)
		put_pair(message, "port=", l->port);
	put_token(l, message);
}

void
bearer_xoauth2(const struct bearer_login *l, struct buffer *message)
{
	begin(l, message);
	put_pair(message, "user=", l->user);
	put_token(l, message);
}

/* --- the server's error --------------------------------------------------- */

struct json {
	const char *p, *end;
};

static void
skip_blanks(struct json *j)
{
	while (j->p < j->end && *j->p != '\0' &&
	    strchr(" \t\r\n", *j->p) != NULL)
		j->p++;
}

static bool
take(struct json *j, char c)
{
	skip_blanks(j);
	if (j->p == j->end || *j->p != c)
		return false;
	j->p++;
	return true;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEFabcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);
	int n = at == NULL ? -1 : (int)(at - digits);

	return n < 16 ? n : n - 6;
}

/* Of \uXXXX only ASCII is of use here, and the rest is shown as "?". */
static bool
unicode(struct json *j, char *c)
{
	int code = 0, i, digit;

	if (j->end - j->p < 4)
		return false;
	for (i = 0; i < 4; i++) {
		digit = hex_digit(*j->p++);
		if (digit < 0)
			return false;
		code = code << 4 | digit;
	}
	*c = code < 0x80 ? (char)code : '?';
	return true;
}

static bool
escaped(struct json *j, char *c)
{
	static const char names[] = "\"\\/bfnrtu", means[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (j->p == j->end || *j->p == '\0')
		return false;
	at = strchr(names, *j->p++);
	if (at == NULL)
		return false;
	if (*at == 'u')
		return unicode(j, c);
	*c = means[at - names];
	return true;
}

/* Between quotes; what there is no room for is read and dropped. */
static bool
string(struct json *j, char *text, size_t size)
{
	size_t n = 0;
	char c;

	if (!take(j, '"'))
		return false;
	while (j->p < j->end && *j->p != '"') {
		c = *j->p++;
		if ((unsigned char)c < ' ' || (c == '\\' && !escaped(j, &c)))
			return false;
		if (n + 1 < size)
			text[n++] = c;
	}
	text[n] = '\0';
	return take(j, '"');
}

/* A number, true, false or null, as it is written. */
static bool
word(struct json *j, char *text, size_t size)
{
	size_t n = 0;

	skip_blanks(j);
	while (j->p < j->end && *j->p != '\0' && strchr("+-.0123456789"
	    "abcdefghijklmnopqrstuvwxyzE", *j->p) != NULL) {
		if (n + 1 < size)
			text[n++] = *j->p;
		j->p++;
	}
	text[n] = '\0';
	return n > 0;
}

static bool
keep(struct bearer_refusal *r, const char *key, const char *value)
{
	const struct {
		const char *key;
		char *text;
		size_t size;
	} fields[] = {
		{ "status", r->status, sizeof r->status },
		{ "scope", r->scope, sizeof r->scope },
		{ "schemes", r->schemes, sizeof r->schemes },
		{ "openid-configuration", r->configuration,
		    sizeof r->configuration },
	};
	size_t i;

	for (i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strcmp(fields[i].key, key) != 0)
			continue;
		if (*fields[i].text != '\0')
			return false;
		(void)printable(fields[i].text, fields[i].size, value,
		    strlen(value));
	}
	return true;
}

static bool
member(struct json *j, struct bearer_refusal *r)
{
	char key[KEY_MAX], value[256];

	if (!string(j, key, sizeof key) || !take(j, ':'))
		return false;
	skip_blanks(j);
	if (j->p < j->end && *j->p == '"' ?
	    !string(j, value, sizeof value) : !word(j, value, sizeof value))
		return false;
	return keep(r, key, value);
}

static bool
object(struct json *j, struct bearer_refusal *r)
{
	if (!take(j, '{'))
		return false;
	if (take(j, '}'))
		return true;
	do {
		if (!member(j, r))
			return false;
	} while (take(j, ','));
	return take(j, '}');
}

bool
bearer_read(const char *json, size_t len, struct bearer_refusal *r)
{
	struct json j = { .p = json };
	bool ok;

	*r = (struct bearer_refusal){ "", "", "", "" };
	if (len == 0 || len > JSON_MAX)
		return false;
	j.end = json + len;
	ok = object(&j, r);
	skip_blanks(&j);
	if (ok && j.p == j.end)
		return true;
	*r = (struct bearer_refusal){ "", "", "", "" };
	return false;
}

/* RFC 6750 section 3.1; Google and Microsoft have numbers of HTTP. */
static const char *
meaning(const char *status)
{
	static const struct {
		const char *status, *means;
	} known[] = {
		{ "invalid_token", "it has expired, is withdrawn, or is not "
		    "for this server" },
		{ "invalid_request", "the server cannot read the login" },
		{ "insufficient_scope", "it is not for sending mail" },
		{ "400", "it is not valid, or not of this user" },
		{ "401", "it has expired, is withdrawn, or is not of this "
		    "user" },
		{ "403", "it is not for sending mail" },
	};
	size_t i;

	for (i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].status, status) == 0)
			return known[i].means;
	return NULL;
}

void
bearer_tell(const struct bearer_refusal *r, struct buffer *text)
{
	const char *means = meaning(r->status);

	if (means != NULL)
		buffer_printf(text, "%s (%s)", means, r->status);
	else if (*r->status != '\0')
		buffer_printf(text, "its status is \"%s\"", r->status);
	else
		put(text, "the server gives no reason");
	if (*r->scope != '\0')
		buffer_printf(text, "; its scope must be %s", r->scope);
	if (*r->schemes != '\0' && strcasestr(r->schemes, "bearer") == NULL)
		buffer_printf(text, "; the server takes tokens of %s alone",
		    r->schemes);
	if (*r->configuration != '\0')
		buffer_printf(text, "; who gives tokens: %s",
		    r->configuration);
}
