/*
 * What the messages of a login say, in words for a person, without what is
 * secret in them: for a trace that shows logins.  Messages are octets, no
 * base64.  Pure.
 */
#ifndef GLOSS_H
#define GLOSS_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

/* One message, ours or the server's. */
struct gloss {
	const char *mechanism;		/* of sasl.h */
	unsigned step;			/* from 1: an answer of ours, and what
					   it answers */
	const char *octets;
	size_t len;
};

/*
 * What of an answer of ours is the password, token, proof or digest: len 0
 * when nothing is.  Of an answer that is not understood it is all.
 */
struct span {
	size_t at, len;
};
struct span gloss_secret(const struct gloss *);

/* Is the secret in it a proof or a digest, which none knows beforehand? */
bool	gloss_proves(const struct gloss *);

/*
 * In words, appended, with no end of their own.  Of a secret these tell how
 * long it is, and of a password what is easily wrong with it.  Of SCRAM's last
 * word it is said whether it was right.
 */
void	gloss_said(const struct gloss *, struct buffer *words);
void	gloss_heard(const struct gloss *, bool right, struct buffer *words);

#endif
