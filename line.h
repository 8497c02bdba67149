/*
 * A line of a configuration to its words, where it is: it may hold a secret, of
 * which there is to be no copy.  Pure.
 */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

#include "pool.h"

enum { LINE_WORDS_MAX = 64 };

struct word {
	char *text;			/* in its line, until it is settled */
	size_t column;			/* from 1 */
};

/*
 * Up to LINE_WORDS_MAX words, and one that is zeroed must have room behind
 * them; the text is changed.  'text' stands for itself; "text" knows \" and \\
 * and nothing else; "#" where a word would begin starts a comment.  NULL, or
 * what ails it, at *column.
 */
const char *line_split(char *text, struct word *words, size_t *n,
	    size_t *column);

/* What is no secret outlasts the line: copies. */
void	line_settle(struct word *, size_t n, struct pool *);

/* One text of them, with a blank between; "" of none. */
const char *line_join(const struct word *, size_t n, struct pool *);

#endif
