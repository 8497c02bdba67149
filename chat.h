/*
 * The caller's side of -bs: lines and data come in on standard input, replies
 * go out on standard output.
 */
#ifndef CHAT_H
#define CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "failure.h"
#include "input.h"

struct chat {
	struct input in;
	struct buffer out;		/* replies that were not sent yet */
	enum { LINES_UNKNOWN, LINES_LF, LINES_CRLF } lines;
	int patience;			/* seconds that the caller may be silent,
					   or not read; 0: for ever */
	bool over;			/* QUIT, or nobody is there */
	struct failure why;		/* reading has failed, or a signal */
};

typedef void chat_sink(void *context, const char *, size_t len);

/*
 * Sees that a line of at most max octets waits in c->in.octets: *len without
 * the line end of the kind that the session's first line had, *end with it.
 * False at the end of input; what has no end is no line.  One that is too
 * long is answered with 421.
 */
bool	chat_line(struct chat *, size_t max, size_t *len, size_t *end);

/*
 * DATA up to the dot that stands alone between two line ends of the caller's
 * own kind; line ends of the other kind are data.  False at the end of input.
 */
bool	chat_data(struct chat *, chat_sink *, void *context);

/* So many octets, whatever they are.  False at the end of input. */
bool	chat_octets(struct chat *, uint64_t octets, chat_sink *,
	    void *context);

/* Sends the replies, which otherwise wait until the caller is waited for. */
void	chat_flush(struct chat *);

#endif
