/*
 * The long options, for people who say "sendoff": those that are no setting
 * of an account, and one for each setting that is no secret.
 */
#ifndef LONGS_H
#define LONGS_H

#include <stdbool.h>

#include "parse.h"

/*
 * Takes a word, "--name" or "--name=value", and the word behind it where a
 * value is wanted.  FAILURE_USAGE when there is no such option, and under any
 * name but sendoff.
 */
bool	longs_take(struct parse *, const char *word);

/* Behind the last argument of --probe: a URL among them is the server. */
bool	longs_probe(struct parse *);

#endif
