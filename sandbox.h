/*
 * What this process can still do, as the kernel holds it to it: files by
 * Landlock, system calls by seccomp.  Both are best effort: where the kernel
 * has none, the program works all the same, and says so; and where somebody
 * else's filter has this process, which may kill it for asking.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SANDBOX_TEXT = 128 };

/* On its way; zeroed by sandbox_begin(). */
struct sandbox {
	int abi;			/* of Landlock; 0: there is none */
	int rules;			/* descriptor; -1: none are made */
	uint64_t handled;		/* kinds of access that need a rule */
	bool tokens;
	int error;			/* why no rules hold, or 0 */
};

void	sandbox_begin(struct sandbox *);

/*
 * A file, or a folder with all below it, may be opened from now on: to be
 * read; or to be written as well, where a folder's files may also be made,
 * renamed within it and removed.  Names lead where they lead now.  One that is
 * not there, or that we could not open ourselves, grants nothing.
 */
void	sandbox_may_read(struct sandbox *, const char *path);
void	sandbox_may_write(struct sandbox *, const char *path);

/*
 * A module of a PKCS#11 token is in play: it has files, sockets and threads
 * that nobody here knows.  No rules for files, and threads may be begun.
 */
void	sandbox_may_use_tokens(struct sandbox *);

/*
 * From here on, for good, for this process and all that it would begin: no
 * privileges by exec, the files above, and of the system calls those that a
 * submission needs; no other program, no child, no socket but of IPv4, IPv6,
 * unix and netlink.  text says what holds.
 */
void	sandbox_enter(struct sandbox *, char text[SANDBOX_TEXT]);

/* What the kernel has of it: "no_new_privs, Landlock ABI 7, seccomp". */
void	sandbox_kernel(char text[SANDBOX_TEXT]);

#endif
