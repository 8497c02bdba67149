/*
 * Header fields whose addresses only this host understands, made fit for the
 * world: a From of a local user becomes the account's, bare names get a
 * domain.  Everything else stays as it came.
 */
#ifndef REWRITE_H
#define REWRITE_H

#include <stdbool.h>

#include "message.h"
#include "pool.h"
#include "resolve.h"

struct rewriting {
	const struct resolver *resolver;
	const char *from;		/* setting: "local", "always", "never" */
	const char *address;		/* the account's, for From */
	const char *full_name;		/* for a From without one, or NULL */
};

/*
 * For each field of the message: NULL when it stays, else the text that
 * stands in its place ("" for none).  Bcc, Resent-Bcc, Return-Path and
 * Content-Length go; a signed message loses these and is else untouched.  A
 * field that cannot be understood stays, with a line in the log.
 */
const char **rewrite_fields(const struct message *, const struct rewriting *,
	    struct pool *);

#endif
