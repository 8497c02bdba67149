#include "settings.h"
#include "address.h"
#include "identity.h"
#include "resolver.h"
#include "sasl.h"
#include "terms.h"
#include "tls.h"
#include "token.h"
#include "trust.h"
#include "url.h"
#include "utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct setting_kind settings[SETTINGS] = {
	[SET_FROM]		= { "from", ADDRESS, NULL, NULL, 0, 0 },
	[SET_NAME]		= { "name", ONE, NULL, NULL, 0, 0 },
	[SET_HELLO]		= { "hello", HOST_NAME, NULL, NULL, 0, 0 },
	[SET_MATCH]		= { "match", LIST, NULL, NULL, 0, 0 },
	[SET_SERVER]		= { "server", SERVER, NULL, NULL, 0, 0 },
	[SET_USER]		= { "user", ONE, NULL, NULL, 0, 0 },
	[SET_PASSWORD]		= { "password", ONE, NULL, NULL, 1, 1 },
	[SET_PASSWORD_FILE]	= { "password-file", FILE_NAME, NULL, NULL,
				    0, 0 },
	[SET_PASSWORD_COMMAND]	= { "password-command", ONE, NULL, NULL,
				    0, 1 },
	[SET_OAUTH_COMMAND]	= { "oauth-command", ONE, NULL, NULL, 0, 1 },
	[SET_AUTH]		= { "auth", MECHANISMS, NULL, "auto", 0, 0 },
	[SET_AUTH_MINIMUM]	= { "auth-minimum", MECHANISM, NULL, NULL,
				    0, 0 },
	[SET_CA_FILE]		= { "ca-file", FILE_NAME, NULL, NULL, 0, 0 },
	[SET_CRL_FILE]		= { "crl-file", FILE_NAME, NULL, NULL, 0, 0 },
	[SET_PIN]		= { "pin", PINS, NULL, NULL, 0, 0 },
	[SET_DANE]		= { "dane", WORD_OF, "auto require both off",
				    "auto", 0, 0 },
	[SET_TLS_NAME]		= { "tls-name", ONE, NULL, NULL, 0, 0 },
	[SET_TLS_MINIMUM]	= { "tls-minimum", WORD_OF, "1.2 1.3",
				    "1.2", 0, 0 },
	[SET_TLS_PRIORITY]	= { "tls-priority", PRIORITY, NULL, NULL,
				    0, 0 },
	[SET_TLS_ALPN]		= { "tls-alpn", PROTOCOL_NAMES, NULL, "none",
				    0, 0 },
	[SET_CLIENT_CERTIFICATE] = { "client-certificate", FILE_NAME, NULL,
				    NULL, 0, 0 },
	[SET_CLIENT_KEY]	= { "client-key", FILE_NAME, NULL, NULL,
				    0, 0 },
	[SET_CLIENT_KEY_ED25519] = { "client-key-ed25519", SEED, NULL, NULL,
				    1, 1 },
	[SET_REQUIRE_TLS]	= { "require-tls", WORD_OF,
				    "yes no default", "default", 0, 0 },
	[SET_DELIVER_BY]	= { "deliver-by", DELIVER_BY, NULL, NULL,
				    0, 0 },
	[SET_HOLD_FOR]		= { "hold-for", DURATION, NULL, NULL, 0, 0 },
	[SET_PRIORITY]		= { "priority", URGENCY, NULL, NULL, 0, 0 },
	[SET_RESOLVER]		= { "resolver", RESOLVER, NULL, NULL, 0, 0 },
	[SET_SOURCE]		= { "source", SOURCE, NULL, NULL, 0, 0 },
	[SET_PROXY]		= { "proxy", PROXY, NULL, NULL, 0, 0 },
	[SET_TIMEOUT_CONNECT]	= { "timeout-connect", NUMBER, NULL, "30",
				    0, 0 },
	[SET_TIMEOUT_REPLY]	= { "timeout-reply", NUMBER, NULL, "0", 0, 0 },
	[SET_TIMEOUT_SESSION]	= { "timeout-session", NUMBER, NULL, "7200",
				    0, 0 },
	[SET_ALIASES]		= { "aliases", FILE_NAME, NULL, NULL, 0, 0 },
	[SET_DEFAULT_RECIPIENT]	= { "default-recipient", ADDRESSES, NULL, NULL,
				    0, 0 },
	[SET_DOMAIN]		= { "domain", DOMAIN, NULL, NULL, 0, 0 },
	[SET_REWRITE_FROM]	= { "rewrite-from", WORD_OF,
				    "local always never", "local", 0, 0 },
	[SET_ALLOW_FROM]	= { "allow-from", LIST, NULL, NULL, 0, 0 },
	[SET_ALLOW_USER]	= { "allow-user", USERS, NULL, NULL, 0, 1 },
	[SET_KEEP]		= { "keep", FILE_NAME, NULL, NULL, 0, 0 },
	[SET_KEEP_LIMIT]	= { "keep-limit", LIMIT, NULL, "1G 1000", 0, 0 },
	[SET_RETRY]		= { "retry", WORD_OF, "yes no", "no", 0, 0 },
	[SET_RETRY_FOR]		= { "retry-for", SPAN, NULL, "5d", 0, 0 },
	[SET_NOTIFY]		= { "notify", WORD_OF, "yes no", "no", 0, 0 },
	[SET_LOG]		= { "log", FILE_NAME, NULL, "syslog", 0, 0 },
	[SET_LOG_FORMAT]	= { "log-format", WORD_OF, "logfmt json",
				    "logfmt", 0, 0 },
	[SET_SANDBOX]		= { "sandbox", WORD_OF, "yes no", "yes", 0, 0 },
};

enum setting
setting_find(const char *name)
{
	size_t s;

	for (s = 0; s < SETTINGS; s++)
		if (strcmp(settings[s].name, name) == 0)
			break;
	return (enum setting)s;
}

const struct setting_kind *
setting_kind(enum setting s)
{
	return &settings[s];
}

bool
setting_takes_several(enum setting s)
{
	static const enum setting_shape shapes[] = {
		LIST, ADDRESSES, MECHANISMS, PINS, DELIVER_BY, LIMIT, USERS,
		PROTOCOL_NAMES
	};
	size_t i;

	for (i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (settings[s].shape == shapes[i])
			return true;
	return false;
}

bool
setting_is_password(enum setting s)
{
	return s == SET_PASSWORD || s == SET_PASSWORD_FILE ||
	    s == SET_PASSWORD_COMMAND;
}

bool
setting_is_certificate(enum setting s)
{
	return s == SET_CLIENT_CERTIFICATE || s == SET_CLIENT_KEY;
}

const char *
setting_rival(const char *const values[SETTINGS], enum setting s)
{
	bool password = values[SET_PASSWORD] != NULL ||
	    values[SET_PASSWORD_FILE] != NULL ||
	    values[SET_PASSWORD_COMMAND] != NULL;
	bool certificate = values[SET_CLIENT_CERTIFICATE] != NULL ||
	    values[SET_CLIENT_KEY] != NULL;

	if (s == SET_OAUTH_COMMAND ? password : setting_is_password(s) &&
	    values[SET_OAUTH_COMMAND] != NULL)
		return "an account has a password or oauth-command, not both; "
		    "take one out";
	if (s == SET_CLIENT_KEY_ED25519 ? certificate :
	    setting_is_certificate(s) && values[SET_CLIENT_KEY_ED25519] != NULL)
		return "client-key-ed25519 comes with a certificate of its "
		    "own; take client-certificate and client-key out, or this "
		    "key";
	return NULL;
}

static const char *
upper(struct pool *pool, const char *s)
{
	char *copy = pool_string(pool, s), *p;

	for (p = copy; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return copy;
}

static bool
one_mechanism(const char *word, struct failure *why)
{
	if (sasl_knows(word))
		return true;
	if (strchr(word, ',') != NULL)
		return fail(why, FAILURE_CONFIG, "blanks stand between "
		    "mechanisms, and no commas as in \"%s\"", word);
	return fail(why, FAILURE_CONFIG, "\"%s\" is no mechanism known here "
	    "(EXTERNAL, SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1-PLUS, "
	    "SCRAM-SHA-1, CRAM-MD5, OAUTHBEARER, XOAUTH2, PLAIN, LOGIN)", word);
}

/* "auto", "none", or mechanisms in order. */
static bool
mechanisms(const char **value, struct pool *pool, struct failure *why)
{
	const char *p;
	size_t len;

	if (strcasecmp(*value, "auto") == 0 || strcasecmp(*value, "none") == 0)
		return true;
	*value = upper(pool, *value);
	for (p = *value; *p != '\0'; p += len + strspn(p + len, " ")) {
		len = strcspn(p, " ");
		if (!one_mechanism(pool_octets(pool, p, len), why))
			return false;
	}
	return true;
}

/* A word of a list, either way of writing it; *word becomes the list's. */
static bool
is_word_of(const char **word, const char *words, struct pool *pool)
{
	size_t n = strlen(*word), len;

	for (; *words != '\0'; words += len + strspn(words + len, " ")) {
		len = strcspn(words, " ");
		if (len == n && strncasecmp(words, *word, n) == 0) {
			*word = pool_octets(pool, words, n);
			return true;
		}
	}
	return false;
}

/* It is a user's name and names a domain, too: brought into one form. */
static bool
address(const char **value, struct pool *pool, struct failure *why)
{
	struct mailbox m;

	if (!address_sender(*value, pool, &m, why))
		return false;
	if (m.domain == NULL)
		return fail(why, FAILURE_CONFIG, "\"%s\" is no whole address, "
		    "as in me@example.org", *value);
	if (m.name != NULL)
		return fail(why, FAILURE_CONFIG, "\"%s\" is more than an "
		    "address; the setting \"name\" has the name", *value);
	*value = pool_printf(pool, "%s@%s", token_is_dotted(m.local) ?
	    m.local : token_quoted(m.local, pool), m.domain);
	return true;
}

/* Whole addresses, set apart by blanks or commas. */
static bool
addresses(const char *value, struct pool *pool, struct failure *why)
{
	struct mailbox *list = NULL;
	size_t n = 0, i;

	if (!address_list(value, pool, &list, &n, why))
		return false;
	for (i = 0; i < n; i++)
		if (list[i].domain == NULL)
			break;
	return (n > 0 && i == n) || fail(why, FAILURE_CONFIG, "\"%s\" is no "
	    "whole address, as in me@example.org", value);
}

static bool
is_domain(const char *value, struct pool *pool)
{
	struct failure why;
	struct mailbox m;

	return *value != '[' && address_sender(pool_printf(pool, "x@%s",
	    value), pool, &m, &why) && m.domain != NULL && m.name == NULL;
}

/* RFC 5321 section 4.1.3: [192.0.2.1], [IPv6:2001:db8::1]. */
static bool
is_literal(const char *value, struct pool *pool)
{
	bool six = strncasecmp(value, "[IPv6:", 6) == 0;
	size_t n = strlen(value), tag = six ? 6 : 1;
	const char *inside;

	if (*value != '[' || n <= tag || value[n - 1] != ']')
		return false;
	inside = pool_octets(pool, value + tag, n - tag - 1);
	return url_is_address(inside) && (strchr(inside, ':') != NULL) == six;
}

static bool
pins(const char **value, struct pool *pool, struct failure *why)
{
	const char *p, *all = NULL;
	char *pin;
	size_t len;

	for (p = *value; *p != '\0'; p += len + strspn(p + len, " ")) {
		len = strcspn(p, " ");
		if (!trust_pin(pool_octets(pool, p, len), &pin, pool, why))
			return false;
		all = all == NULL ? pin : pool_printf(pool, "%s %s", all, pin);
	}
	if (all == NULL)
		return fail(why, FAILURE_CONFIG, "pin has no value");
	*value = all;
	return true;
}

static bool
count(const char **p, uint64_t *n)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	*n = strtoull(*p, &end, 10);
	if (end - *p > 12)
		return false;
	*p = end;
	return true;
}

bool
setting_limit(const char *text, uint64_t *octets, uint64_t *messages)
{
	static const char units[] = "KMG";
	const char *p = text, *unit;

	if (!count(&p, octets))
		return false;
	unit = *p == '\0' ? NULL : strchr(units, toupper((unsigned char)*p));
	if (unit != NULL) {
		if (*octets >> (64 - 10 * (unit - units + 1)) != 0)
			return false;
		*octets <<= 10 * (unit - units + 1);
		p++;
	}
	if (*p != ' ')
		return false;
	p += strspn(p, " ");
	return count(&p, messages) && *p == '\0';
}

/* Login names, user ids, "@group": no name has what stands between names. */
static bool
users(const char *value, struct failure *why)
{
	const char *p;
	size_t len;

	for (p = value; *p != '\0'; p += len + strspn(p + len, " ")) {
		len = strcspn(p, " ");
		if (strcspn(p + (*p == '@'), ",:;@/ ") != len - (*p == '@') ||
		    len == (*p == '@'))
			return fail(why, FAILURE_CONFIG, "allow-user is a list "
			    "of login names, user ids and @group with blanks "
			    "between, not \"%s\"", value);
	}
	return *value != '\0' || fail(why, FAILURE_CONFIG, "allow-user has no "
	    "value");
}

/* --- what each shape is ---------------------------------------------------- */

static bool
is_seconds(const char *value, struct pool *pool)
{
	(void)pool;
	return *value != '\0' && strlen(value) <= 7 &&
	    value[strspn(value, "0123456789")] == '\0';
}

static bool
is_host_name(const char *value, struct pool *pool)
{
	return is_domain(value, pool) || is_literal(value, pool);
}

static bool
is_source(const char *value, struct pool *pool)
{
	(void)pool;
	return url_is_address(value);
}

static bool
is_span(const char *value, struct pool *pool)
{
	long seconds;

	(void)pool;
	return terms_duration(value, &seconds);
}

static bool
is_limit(const char *value, struct pool *pool)
{
	uint64_t octets, messages;

	(void)pool;
	return setting_limit(value, &octets, &messages);
}

/* What is said to the server of when and how urgently can be "none". */
static bool
is_duration(const char *value, struct pool *pool)
{
	return strcasecmp(value, "none") == 0 || is_span(value, pool);
}

static bool
is_deliver_by(const char *value, struct pool *pool)
{
	struct terms ignored;

	(void)pool;
	return strcasecmp(value, "none") == 0 ||
	    terms_deliver_by(value, &ignored);
}

static bool
is_urgency(const char *value, struct pool *pool)
{
	int ignored;

	(void)pool;
	return strcasecmp(value, "none") == 0 ||
	    terms_priority(value, &ignored);
}

/* Those of which one sentence says what they are. */
static const struct {
	bool (*is)(const char *value, struct pool *);
	const char *what;
} forms[] = {
	[NUMBER]	= { is_seconds, "a number of seconds" },
	[HOST_NAME]	= { is_host_name, "a name of this machine, or its "
			    "address as in [192.0.2.1]" },
	[SOURCE]	= { is_source, "an address of this machine" },
	[DURATION]	= { is_duration, "a duration of at most 999999999 "
			    "seconds, as in 90, 90s, 15m, 2h, 3d or 1w" },
	[DELIVER_BY]	= { is_deliver_by, "a duration (as in 90, 90s, 15m, "
			    "2h, 3d or 1w), then \"notify\" or \"return\", "
			    "and \"trace\"" },
	[URGENCY]	= { is_urgency, "a number from -9 to 9" },
	[SPAN]		= { is_span, "a duration, as in 90s, 15m, 2h or 5d" },
	[LIMIT]		= { is_limit, "a size and a number of messages, as in "
			    "1G 1000" },
};

/* A shell knows "~", also where it does not see it (--log=~/log). */
bool
setting_check_file(const char *name, const char *file, struct failure *why)
{
	if (*file == '\0')
		return fail(why, FAILURE_CONFIG, "%s has no value", name);
	if (utf8_has_control(file))
		return fail(why, FAILURE_CONFIG, "%s must not hold control "
		    "characters", name);
	return strncmp(file, "~/", 2) != 0 || fail(why, FAILURE_CONFIG,
	    "\"~\" is nobody's home here; write it out, as in %s /home/me%s",
	    name, file + 1);
}

/* Those that have more to say, or are brought into one form. */
static bool
check(const struct setting_kind *kind, const char **value, struct pool *pool,
    struct failure *why)
{
	switch (kind->shape) {
	case WORD_OF:
		return is_word_of(value, kind->words, pool) ||
		    fail(why, FAILURE_CONFIG, "%s is one of %s, not \"%s\"",
		    kind->name, kind->words, *value);
	case ADDRESS:
		return address(value, pool, why);
	case ADDRESSES:
		return addresses(*value, pool, why);
	case DOMAIN:
		return is_domain(*value, pool) || fail(why, FAILURE_CONFIG,
		    "\"%s\" is no domain", *value);
	case LIST:
		return strchr(*value, ',') == NULL ? **value != '\0' ||
		    fail(why, FAILURE_CONFIG, "%s has no value", kind->name) :
		    fail(why, FAILURE_CONFIG, "blanks stand between the "
		    "patterns of %s, and no commas", kind->name);
	case FILE_NAME:
		return setting_check_file(kind->name, *value, why);
	case MECHANISMS:
		return mechanisms(value, pool, why);
	case MECHANISM:
		*value = upper(pool, *value);
		return one_mechanism(*value, why);
	case RESOLVER:
		return resolver_check(*value, why);
	case PROXY:
		return url_parse_proxy(*value, &(struct proxy){ 0 }, pool, why);
	case USERS:
		return users(*value, why);
	case PINS:
		return pins(value, pool, why);
	case PROTOCOL_NAMES:
		return tls_check_alpn(*value, why);
	case PRIORITY:
		return tls_check_priority(*value, why);
	case SEED:			/* which is not to be shown */
		return identity_is_seed(*value) || fail(why, FAILURE_CONFIG,
		    "%s is 32 octets in base64, which are 43 characters, as "
		    "\"openssl rand -base64 32\" prints them", kind->name);
	default:
		return **value != '\0' || fail(why, FAILURE_CONFIG, "%s has "
		    "no value", kind->name);
	}
}

/* The dot by which a name is whole for the DNS is none of SMTP's. */
static void
drop_last_dot(const char **name, struct pool *pool)
{
	size_t n = strlen(*name);

	if (n > 1 && (*name)[n - 1] == '.')
		*name = pool_octets(pool, *name, n - 1);
}

static bool
is_value(const struct setting_kind *kind, const char **value,
    struct pool *pool, struct failure *why)
{
	size_t shape = kind->shape;

	if (shape >= sizeof forms / sizeof *forms || forms[shape].is == NULL)
		return check(kind, value, pool, why);
	return forms[shape].is(*value, pool) || fail(why, FAILURE_CONFIG,
	    "%s is %s, not \"%s\"", kind->name, forms[shape].what, *value);
}

bool
setting_check(enum setting s, const char **value, struct pool *pool,
    struct failure *why)
{
	const struct setting_kind *kind = &settings[s];

	if (utf8_has_control(*value))
		return fail(why, FAILURE_CONFIG, "%s must not hold control "
		    "characters", kind->name);
	if (!is_value(kind, value, pool, why))
		return false;
	if (kind->shape == DOMAIN || kind->shape == HOST_NAME)
		drop_last_dot(value, pool);
	return true;
}

bool
setting_resembles(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), i, j, row[33], corner, above;

	if (lb >= 33 || la > lb + 2 || lb > la + 2 || la < 3)
		return false;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = corner + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			corner = above;
		}
	}
	return row[lb] <= 1 || (row[lb] == 2 && (la >= 6 || *a == *b));
}

const char *
setting_meant(const char *name)
{
	size_t s;

	for (s = 0; s < SETTINGS; s++)
		if (setting_resembles(name, settings[s].name))
			return settings[s].name;
	return NULL;
}
