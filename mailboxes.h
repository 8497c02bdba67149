/*
 * Fields of mailboxes in ASCII: display names and comments as encoded words,
 * domains as A-labels, what cannot be said as a group that shows it (RFC 2047,
 * 5891, 6857).  Pure.
 */
#ifndef MAILBOXES_H
#define MAILBOXES_H

#include <stdbool.h>

#include "folded.h"
#include "pool.h"

void	mailboxes_put(struct folded *, const char *value, struct pool *);

/* A field that has comments, but no other text: Message-ID, Received. */
void	mailboxes_put_tokens(struct folded *, const char *value,
	    struct pool *);

/* Is there an address that cannot be said? */
bool	mailboxes_lose(const char *value, struct pool *);

#endif
