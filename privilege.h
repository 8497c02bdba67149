/*
 * A set-gid program: its group serves one open() of the system's
 * configuration and is given up before anything of the caller's is looked at.
 * Only place that knows of set-id.
 */
#ifndef PRIVILEGE_H
#define PRIVILEGE_H

#include <stdbool.h>

#include "buffer.h"
#include "failure.h"

/* The system's configuration. */
extern const char privilege_file[];

struct privilege {
	struct buffer text;		/* secret: of that file, read with more
					   rights than the caller has; may be
					   empty */
	const char *objection;		/* why it was not read; or NULL */
	int error;			/* errno, when that is why; or 0 */
	bool lent;			/* to who calls: the program is set-gid */
	char **environment;		/* the caller's, when the process runs
					   with a clean one; else NULL */
};

/*
 * The second thing that main() does (caller_begin() is the first): in a
 * set-gid program the environment is cleared but for a constant PATH, the
 * file is read when it is root's, nobody else's to write and only the group's
 * to read, and the group is given up for good.  Then TZ is as the caller has
 * it.  In a program that is not set-id it does nothing.
 *
 * FAILURE_LOCAL when the group cannot be given up; FAILURE_CONFIG when the
 * program is set-uid.  Then the process must end.
 */
bool	privilege_drop(struct privilege *, struct failure *why);

/* Root reads the file, for who it is about to become. */
void	privilege_read(struct privilege *);

/* Wipes the text; may be called twice. */
void	privilege_end(struct privilege *);

#endif
