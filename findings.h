/*
 * What a probe has found out: filled once, then shown (exhibit.h, testimony.h)
 * and judged (advice.h).  Strings live in the pool, and are as they came: who
 * shows them makes them printable.
 */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "config.h"
#include "failure.h"
#include "locate.h"
#include "reply.h"
#include "smtp.h"
#include "url.h"

/* One question to the DNS. */
struct found_records {
	const char *name;
	const char *type;		/* "AAAA" */
	bool found;
	const char *state;		/* when none was found: why */
	bool authenticated;		/* by DNSSEC */
	milliseconds ms;
	const char **values;
	size_t n;
};

struct found_address {
	const char *address;
	const char *why;		/* NULL: it can be reached */
	milliseconds ms;
};

struct found_step {
	const char *name;
	milliseconds ms;
	const char *said;		/* by the server, or NULL */
};

/* EHLO: before TLS, and in it. */
struct found_hello {
	bool heard;
	struct capabilities can;
	const char **keywords;		/* as the server has them */
	size_t n;
};

enum { STEPS_MAX = 12 };

struct found_server {
	const struct endpoint *endpoint;
	struct found_records *records;
	size_t nrecords;
	struct place place;
	struct found_address *addresses;
	size_t naddresses;
	struct found_step steps[STEPS_MAX];
	size_t nsteps;
	struct found_hello before, within;	/* within: also without TLS,
					   where there is none */
	struct tls_facts tls;
	const char *tlsa;		/* the record that would match, or NULL */
	bool tlsa_exists, zone_signed;
	struct failure why;		/* what ended the look, or kind NONE */
};

struct found_mechanism {
	const char *name;
	bool before, within;
	const char *verdict;		/* "would be used", "is weaker than X" */
};

struct found_recipient {
	const char *path;
	const char *reply;		/* NULL: the server was not asked */
	const char *why;		/* not accepted; else NULL */
	bool accepted;
};

struct findings {
	const struct account *account;
	const char *domain;		/* that was asked for its servers, or
					   NULL */
	bool resolver_trusted, asked_dns;
	struct found_records *services;	/* SRV */
	size_t nservices;
	struct found_server *servers;	/* that were looked at */
	size_t nservers;
	struct found_mechanism *mechanisms;	/* of the last of them */
	size_t nmechanisms;
	const char *user;
	const char *mechanism;		/* logged in by, or NULL */
	const char *no_login;		/* why not, or NULL */
	milliseconds login_ms;		/* connection and all */
	const char *sender;		/* for the recipients; NULL: none */
	const char *sender_reply;
	struct found_recipient *recipients;
	size_t nrecipients;
	struct failure why;		/* kind NONE: a message could go */
	int status;
	const char **advice;
	size_t nadvice;
};

/* The server that decides: the last one looked at; NULL when there is none. */
static inline const struct found_server *
findings_server(const struct findings *f)
{
	return f->nservers > 0 ? &f->servers[f->nservers - 1] : NULL;
}

#endif
