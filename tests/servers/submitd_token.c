#include "submitd_token.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The parts of a message in one copy, each ended by NUL. */
struct message {
	char copy[16384];
	const char *user;		/* NULL: not named */
	const char *token;
};

static bool
copy(struct message *m, const char *in, size_t octets)
{
	if (octets >= sizeof m->copy)
		return false;
	memcpy(m->copy, in, octets);
	m->copy[octets] = '\0';
	m->user = m->token = NULL;
	return true;
}

static bool
is_text(const char *in, size_t octets)
{
	return memchr(in, '\0', octets) == NULL;
}

static bool
is_key(const char *pair, const char *equals)
{
	if (equals == NULL || equals == pair)
		return false;
	for (; pair < equals; pair++) {
		if (!isalpha((unsigned char)*pair))
			return false;
	}
	return true;
}

static void
note(struct message *m, char *pair, char *equals)
{
	if (strncmp(pair, "user=", 5) == 0)
		m->user = pair + 5;
	if (strncmp(pair, "auth=", 5) == 0 &&
	    strncasecmp(equals + 1, "Bearer ", 7) == 0)
		m->token = equals + 8;
}

/* "key=value\1key=value\1\1" */

static bool
pairs(struct message *m, char *text)
{
	while (*text != '\1') {
		char *equals = strchr(text, '=');
		char *end = strchr(text, '\1');

		if (end == NULL || !is_key(text, equals))
			return false;
		*end = '\0';
		note(m, text, equals);
		text = end + 1;
	}
	return text[1] == '\0' && m->token != NULL;
}

static const char *
owner(const struct options *o, const struct message *m)
{
	for (size_t i = 0; i < o->user_count; i++) {
		if (strcmp(o->users[i].password, m->token) == 0 &&
		    (m->user == NULL || strcmp(o->users[i].name, m->user) ==
		    0))
			return o->users[i].name;
	}
	return NULL;
}

/* RFC 5801 section 4: "=2C" and "=3D" in a saslname. */

static bool
decode(char *name)
{
	char *to = name;

	for (; *name != '\0'; name++) {
		if (*name != '=') {
			*to++ = *name;
			continue;
		}
		if (strncmp(name, "=2C", 3) != 0 &&
		    strncmp(name, "=3D", 3) != 0)
			return false;
		*to++ = name[1] == '2' ? ',' : '=';
		name += 2;
	}
	*to = '\0';
	return true;
}

/* "n," ["a=" saslname] ",\1" before the pairs, of which user is none. */

static char *
gs2_header(struct message *m)
{
	char *comma;

	if (strncmp(m->copy, "n,", 2) != 0 && strncmp(m->copy, "y,", 2) != 0)
		return NULL;
	comma = strchr(m->copy + 2, ',');
	if (comma == NULL || comma[1] != '\1')
		return NULL;
	*comma = '\0';
	if (comma == m->copy + 2)
		return comma + 2;
	if (strncmp(m->copy + 2, "a=", 2) != 0 || !decode(m->copy + 4))
		return NULL;
	m->user = m->copy + 4;
	return comma + 2;
}

const char *
token_oauthbearer(const struct options *o, const char *in, size_t octets,
    bool *is_malformed)
{
	struct message m;
	char *rest = copy(&m, in, octets) &&
	    is_text(in, octets) ? gs2_header(&m) : NULL;

	*is_malformed = rest == NULL || !pairs(&m, rest);
	return *is_malformed ? NULL : owner(o, &m);
}

const char *
token_xoauth2(const struct options *o, const char *in, size_t octets,
    bool *is_malformed)
{
	struct message m;

	*is_malformed = !copy(&m, in, octets) ||
	    !is_text(in, octets) || !pairs(&m, m.copy) || m.user == NULL;
	return *is_malformed ? NULL : owner(o, &m);
}

/* [authzid] NUL authcid NUL password */

const char *
token_plain(const struct options *o, const char *in, size_t octets,
    bool *is_malformed)
{
	struct message m;
	const char *end = m.copy + octets, *first, *second = NULL;

	*is_malformed = true;
	if (!copy(&m, in, octets))
		return NULL;
	first = memchr(m.copy, '\0', octets);
	if (first != NULL)
		second = memchr(first + 1, '\0', (size_t)(end - first - 1));
	if (second == NULL || second + 1 + strlen(second + 1) != end)
		return NULL;
	*is_malformed = false;
	m.user = first + 1;
	m.token = second + 1;
	return *m.copy == '\0' || strcmp(m.copy, m.user) == 0 ?
	    owner(o, &m) : NULL;
}
