/*
 * A copy of the data that go out, line by line, for a trace that shows them:
 * "D text", as tests/functional/README has it, so that it can be played.
 */
#ifndef CARBON_H
#define CARBON_H

#include <stddef.h>
#include <stdint.h>

enum { CARBON_LINE = 998 };		/* RFC 5321 section 4.5.3.1.6 */

/* A zeroed one has seen nothing.  Its size is all that it ever takes. */
struct carbon {
	char line[CARBON_LINE];		/* its first octets, to the line end */
	uint64_t octets;		/* of the line, so far */
	char last;			/* of them */
	uint64_t dotted;		/* lines that begin with a dot */
};

/*
 * What is queued next, before dots are doubled; a line may go on in the next
 * call.  Each whole line is shown: a backslash and braces are doubled, what is
 * not fit for a terminal is \xNN, and N octets beyond CARBON_LINE are "{:.{N}}",
 * which any N octets fit.
 */
void	carbon_octets(struct carbon *, const char *, size_t len);

/* The data, or a chunk of them, are at their end, perhaps within a line. */
void	carbon_end(struct carbon *);

#endif
