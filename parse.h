/*
 * The command line while it is taken apart: what options.c, letters.c and
 * longs.c share.
 */
#ifndef PARSE_H
#define PARSE_H

#include "failure.h"
#include "options.h"
#include "pool.h"

struct parse {
	struct options *o;
	struct pool *pool;
	struct failure *why;
	char **argv;
	int argc;
	int at;				/* the next word */
};

/* ATTACHED: it may have one, in the same word. */
enum argument { NO, YES, ATTACHED };

/* Adds to the kept messages that are meant. */
void	parse_select(struct parse *, struct selection);

#endif
