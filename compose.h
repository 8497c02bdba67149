/*
 * The message of a run: standard input's, or one that the options name or
 * make (--data, --body, --test), with fields and attachments put in
 * (--header, --attach).
 */
#ifndef COMPOSE_H
#define COMPOSE_H

#include <stdbool.h>

#include "caller.h"
#include "failure.h"
#include "message.h"
#include "options.h"
#include "pool.h"

/* Does it come from options, so that standard input is left alone? */
bool	compose_is_made(const struct options *);

/*
 * Reads it to its end: message_read() says what that means and how it fails.
 * FAILURE_NOINPUT also for a file that cannot be opened, and an attachment
 * that is no regular file; FAILURE_USAGE for a --data without an octet.
 *
 * Fields of --header go to the end of the header; those of the same name that
 * the message has are taken out, and one with nothing behind its ":" is only
 * taken out.  With attachments the message becomes multipart/mixed (RFC 2046):
 * its content with the Content- fields is the first part, the files follow in
 * base64, octet for octet.  What is made of --body or --test is text/plain, To
 * is the recipients of the command line, unless it has a To or Cc.
 */
bool	compose_message(const struct options *, const struct caller *,
	    struct pool *, struct message **, struct failure *why);

#endif
