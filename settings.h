/*
 * The settings that an account can have, by table: their names, what their
 * values look like, their defaults.  The names are final; sendoff.conf(5) has
 * them in this order.  Pure.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "pool.h"

enum setting {
	SET_FROM, SET_NAME, SET_HELLO, SET_MATCH, SET_SERVER, SET_USER,
	SET_PASSWORD, SET_PASSWORD_FILE, SET_PASSWORD_COMMAND,
	SET_OAUTH_COMMAND, SET_AUTH, SET_AUTH_MINIMUM, SET_CA_FILE,
	SET_CRL_FILE, SET_PIN, SET_DANE,
	SET_TLS_NAME, SET_TLS_MINIMUM, SET_TLS_PRIORITY, SET_TLS_ALPN,
	SET_CLIENT_CERTIFICATE, SET_CLIENT_KEY, SET_CLIENT_KEY_ED25519,
	SET_REQUIRE_TLS, SET_DELIVER_BY, SET_HOLD_FOR, SET_PRIORITY,
	SET_RESOLVER, SET_SOURCE, SET_PROXY, SET_TIMEOUT_CONNECT,
	SET_TIMEOUT_REPLY,
	SET_TIMEOUT_SESSION, SET_ALIASES, SET_DEFAULT_RECIPIENT,
	SET_DOMAIN, SET_REWRITE_FROM, SET_ALLOW_FROM, SET_ALLOW_USER,
	SET_KEEP, SET_KEEP_LIMIT, SET_RETRY, SET_RETRY_FOR, SET_NOTIFY,
	SET_LOG, SET_LOG_FORMAT, SET_SANDBOX,
	SETTINGS
};

/* How many values there may be, and what each is. */
enum setting_shape {
	ONE, LIST, WORD_OF, NUMBER, ADDRESS, ADDRESSES, DOMAIN, HOST_NAME,
	SERVER, MECHANISMS, MECHANISM, PRIORITY, FILE_NAME, PINS, RESOLVER,
	SOURCE, PROXY, DELIVER_BY, DURATION, URGENCY, SPAN, LIMIT, USERS,
	PROTOCOL_NAMES, SEED
};

struct setting_kind {
	const char *name;
	enum setting_shape shape;
	const char *words;		/* of WORD_OF, blanks between */
	const char *standard;		/* default, or NULL */
	bool secret;			/* its value is never to be shown */
	bool no_option;			/* nor is there a long option for it */
};

/* May there be more than one word behind its name? */
bool	setting_takes_several(enum setting);

/*
 * Why it cannot stand beside the others of an account: a password or a token, a
 * certificate or a key to which one is made.  NULL when it can.
 */
const char *setting_rival(const char *const values[SETTINGS], enum setting);

/* Is it password, password-file or password-command? */
bool	setting_is_password(enum setting);

/* Is it client-certificate or client-key, which may have a PIN in them? */
bool	setting_is_certificate(enum setting);

/* SETTINGS when there is none of that name. */
enum setting setting_find(const char *name);

const struct setting_kind *setting_kind(enum setting);

/*
 * Judges a value (several have a blank between) and brings it into its form,
 * in the pool.  FAILURE_CONFIG says what it should have been.
 */
bool	setting_check(enum setting, const char **value, struct pool *,
	    struct failure *why);

/* The same of a file's name; name: of the setting, or "include". */
bool	setting_check_file(const char *name, const char *file,
	    struct failure *why);

/* keep-limit, "1G 1000": octets (K, M, G), then messages. */
bool	setting_limit(const char *value, uint64_t *octets, uint64_t *messages);

/* The name that is meant by a misspelt one, or NULL. */
const char *setting_meant(const char *name);

/* Do at most two letters differ, or are added or taken away? */
bool	setting_resembles(const char *, const char *);

#endif
