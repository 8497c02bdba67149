/*
 * The dialogue handed to whoever runs the program: lines of standard input go
 * to the server, its lines to standard output, at once and made printable,
 * with the session's secrets masked.
 */
#ifndef TALK_H
#define TALK_H

#include <stdbool.h>

#include "caller.h"
#include "failure.h"
#include "smtp.h"

/*
 * Until QUIT, or the end of standard input, which says QUIT.  From a terminal
 * lines go out as they come.  From a file or a pipe each waits for the reply
 * to the one before, but for those of DATA and BDAT, so that a server which
 * does not pipeline can be talked to.  220 to STARTTLS begins TLS.
 *
 * What is said and heard is for the person to judge: only the end of the
 * connection, a reply that does not come to a file's line, and an end of input
 * within the data (FAILURE_MESSAGE; the server has no message then) are
 * failures.  smtp_end() is still to be called.
 */
bool	talk(struct smtp *, const struct caller *, struct failure *why);

#endif
