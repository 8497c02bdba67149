/*
 * Octets from a descriptor, by lines or by number: what a caller says on
 * standard input.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "failure.h"

struct input {
	int fd;
	struct buffer octets;		/* read and not yet taken */
	bool eof;
	bool (*more)(struct input *, struct failure *);	/* instead of fd */
	void *context;			/* of more() */
};

/*
 * Reads once (or has more() do it, which adds octets or sets eof), waiting if
 * it must; at the end eof is set.  A non-blocking descriptor is waited for.
 * False with FAILURE_INTERRUPTED, FAILURE_NOINPUT (the descriptor is closed) or
 * FAILURE_INPUT.
 */
bool	input_more(struct input *, struct failure *why);

/*
 * Sees that a whole line waits: its octets with the LF are in *end, without
 * it in *len.  At the end of input what is left is a line, and *end is 0 when
 * nothing is.  A line of more than max octets is FAILURE_MESSAGE.
 */
bool	input_line(struct input *, size_t max, size_t *len, size_t *end,
	    struct failure *why);

/* Does a line wait already, so that input_line() would not? */
bool	input_has_line(const struct input *);

#endif
