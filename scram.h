/*
 * SCRAM (RFC 5802, 7677), the client's side.  The password is touched only when
 * the server's nonce, iteration count and salt have been judged; binding data
 * go to -PLUS alone.
 */
#ifndef SCRAM_H
#define SCRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "failure.h"

enum {
	SCRAM_ITERATIONS_MIN = 4096,	/* RFC 7677 section 4 */
	SCRAM_ITERATIONS_MAX = 4000000,	/* about a second */
	SCRAM_SALT_MIN = 8,		/* octets; RFC 5802 names no minimum */
	SCRAM_NONCE_MIN = 8		/* characters that the server adds */
};

/* Outlives the login; nothing of it is copied but the binding's data. */
struct scram_params {
	const char *mechanism;		/* "SCRAM-SHA-256-PLUS" */
	bool sha256;			/* else SHA-1 */
	const char *user;
	const char *password;		/* octets, prepared (prepare.h) */
	size_t password_len;
	const char *binding;		/* "tls-exporter", "tls-unique"; NULL
					   without -PLUS */
	const unsigned char *data;	/* of the binding */
	size_t data_len;
	bool none_offered;		/* we could bind, but the server offers
					   no -PLUS: the flag is "y" (RFC 5802
					   section 6), and a server that does
					   offer one knows of who struck it */
};

struct scram;

struct scram *scram_begin(const struct scram_params *);
void	scram_end(struct scram *);			/* takes NULL */

/*
 * Answers what was heard (nothing, to begin with), both not in base64; the
 * answer is appended.  *complete when the server has proven that it knows the
 * password.  FAILURE_AUTH, FAILURE_PROTOCOL, or FAILURE_LOCAL when the system
 * forbids the hash.
 */
bool	scram_step(struct scram *, const char *heard, size_t len,
	    struct buffer *answer, bool *complete, struct failure *why);

/* For the trace: "iterations 4096", or "". */
const char *scram_detail(const struct scram *);

#endif
