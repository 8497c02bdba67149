/*
 * What submitd was told to be.  All text belongs to argv, and nothing here
 * changes after options_parse.
 */
#ifndef SUBMITD_OPTIONS_H
#define SUBMITD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAX_LISTENERS	= 8,
	MAX_USERS	= 64,
	MAX_DOMAINS	= 16,		/* of RCPTDOMAINMAX */
	MAX_SALT	= 1024,		/* octets */
};

/* A set of extensions is 1u << EXT_A | 1u << EXT_B ... */
enum extension {
	EXT_PIPELINING,
	EXT_CHUNKING,
	EXT_SIZE,
	EXT_8BITMIME,
	EXT_SMTPUTF8,
	EXT_DSN,
	EXT_ENHANCEDSTATUSCODES,
	EXT_REQUIRETLS,
	EXT_LIMITS,
	EXT_DELIVERBY,
	EXT_FUTURERELEASE,
	EXT_MT_PRIORITY,
	EXT_STARTTLS,
	EXT_AUTH,
	EXTENSIONS,
	EXT_ALWAYS = EXTENSIONS		/* what needs no announcement */
};

extern const char *const extension_names[EXTENSIONS];

/* What a bad server does; the words for them are in submitd_options.c. */
enum fault {
	FAULT_CLOSE_AT_GREETING,
	FAULT_GREETING_421,
	FAULT_GREETING_554,
	FAULT_SILENT,
	FAULT_STARTTLS_454,
	FAULT_CLOSE_AT_HANDSHAKE,
	FAULT_PLAINTEXT_AFTER_STARTTLS,
	FAULT_TLS_ALERT_AFTER_HANDSHAKE,
	FAULT_AUTH_454,
	FAULT_AUTH_535,
	FAULT_AUTH_CLOSE,
	FAULT_NO_SERVER_SIGNATURE,
	FAULT_WRONG_SERVER_SIGNATURE,
	FAULT_WRONG_NONCE,
	FAULT_PLUS_STRUCK,	/* out of AUTH, as by somebody on the way */
	FAULT_CLOSE_AT_MAIL,
	FAULT_SILENT_AT_MAIL,
	FAULT_CLOSE_BEFORE_DATA_END,
	FAULT_RESET_BEFORE_DATA_END,
	FAULT_CLOSE_AFTER_DATA,
	FAULT_CLOSE_AFTER_STORE,
	FAULT_RESET_AFTER_DATA,
	FAULT_SILENT_AFTER_DATA,
	FAULT_421_AFTER_DATA,
	FAULT_451_AFTER_DATA,
	FAULT_554_AFTER_DATA,
	FAULT_SILENT_QUIT,
	FAULTS
};

enum security { SECURITY_NONE, SECURITY_STARTTLS, SECURITY_IMPLICIT };

struct user {
	const char *name;
	const char *password;
};

struct options {
	const char *listen[MAX_LISTENERS];	/* ADDR:PORT */
	size_t listeners;
	const char *unix_path;			/* or NULL */

	enum security security;
	const char *ca;				/* folder made by build/ca */
	const char *certificate;		/* a case of it */
	bool client_ca, require_client_cert, tickets;
	const char *client_key;			/* SHA-256 of it, or NULL */
	const char *tls_priority;
	const char *alpn;		/* RFC 7301; or NULL */

	const char *maildir;			/* or NULL: forget the mail */
	struct user users[MAX_USERS];
	size_t user_count;
	bool auth;				/* offered, and required */
	bool auth_without_tls;
	const char *mechanisms;			/* or NULL: all */
	const char *iterations;			/* sent as it is */
	size_t salt_octets;			/* 1 to MAX_SALT */

	uint32_t extensions;			/* not switched off */
	size_t size;				/* 0: no limit */
	const char *limits;			/* or NULL */
	const char *deliverby;			/* "" or "SECONDS", or NULL */
	const char *futurerelease;		/* "SECONDS UNTIL", or NULL */
	const char *mt_priority;		/* "" or "POLICY", or NULL */
	size_t recipients_max;			/* per transaction; 0: none */
	size_t transactions_max;		/* per session; 0: none */
	size_t domains_max;			/* likewise, of recipients */
	int hello_reject;			/* code for EHLO, or 0 */

	size_t delay;				/* ms before each reply */
	size_t stop_reading_after;		/* octets; 0: never */
	bool small_buffers;
	uint32_t faults;
	const char *log, *pid_file, *ready_file;	/* or NULL */
	size_t max_sessions;			/* 0: for ever */
};

/* Ends the program with status 64, or 0 for --help, where it cannot go on. */
void	options_parse(struct options *options, int argc, char **argv);

bool	options_fault(const struct options *options, enum fault fault);

/* The password of this user, or NULL. */
const char *options_password(const struct options *options, const char *user);

#endif
