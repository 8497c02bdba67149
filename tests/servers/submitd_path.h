/*
 * The arguments of MAIL and RCPT taken apart.  Pure: text in, facts out.
 */
#ifndef SUBMITD_PATH_H
#define SUBMITD_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "submitd_options.h"

/* A reply that somebody has asked for. */
struct asked {
	int code;
	char enhanced[16];		/* or "" */
	const char *text;
	bool is_late;			/* per recipient after LMTP's data */
};

/*
 * The length of "<path>" at the start of text, with its brackets; 0 when
 * there is none by RFC 5321 section 4.1.2.  RFC 6531 lets octets above 127
 * into it; is_ascii tells whether there were any.
 */
size_t	path_length(const char *text, bool *is_ascii);

/* "<>" */
bool	path_is_null(const char *path, size_t length);

/* It has a domain, or it is <postmaster>. */
bool	path_is_complete(const char *path, size_t length);

/* A domain or address literal, as for EHLO. */
bool	path_is_domain(const char *text, size_t length);

/* Does its local part ask for a reply, like WORD-550-5.1.1 or WORD-452? */
bool	path_asks(const char *path, size_t length, struct asked *asked);

/* The same for the text of a header field, where the WORD- may be absent. */
bool	field_asks(const char *text, struct asked *asked);

enum parameters {
	PARAMETERS_OK,
	PARAMETERS_SYNTAX,		/* 501 5.5.4 */
	PARAMETERS_UNKNOWN,		/* 555 5.5.4 */
};

struct mail_facts {
	uint32_t seen;			/* which rows of the table */
	unsigned long long size;	/* 0: not told */
	bool smtputf8;
	unsigned long by_return;	/* seconds of BY=...;R, or 0 */
	unsigned long hold_for;		/* seconds, or 0 */
	char hold_until[32];		/* "2026-12-01T08:00:00Z", or "" */
};

/*
 * What follows the path: nothing, or a blank and ESMTP parameters with one
 * blank between them, each of an extension in the set announced.
 */
enum parameters parameters_mail(const char *text, uint32_t announced,
	    struct mail_facts *facts);
enum parameters parameters_rcpt(const char *text, uint32_t announced);

#endif
