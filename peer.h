/*
 * Who is at the other end of -bs, and whom "allow-user" names.  With caller.c
 * the only reader of the user database.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "pool.h"

struct peer {
	bool known;			/* uid and what follows it is true */
	bool remote;			/* at a socket: not who runs us */
	uid_t uid;
	pid_t pid;			/* 0: of no process that is seen here */
	gid_t *groups;			/* all that it is in */
	size_t ngroups;
	const char *login;		/* NULL: the user has none */
	const char *name;		/* "alice (uid 1000)", "uid 1000" */
	const char *socket;		/* path that it has come to, or NULL */
};

/*
 * Whoever speaks on the descriptor: of a unix socket the process that has
 * connected (SO_PEERCRED), of a network socket nobody knows, of anything else
 * who runs us.  A program that has more rights than who runs it (set-id) does
 * not ask the socket, which its caller may have from anywhere.
 */
void	peer_read(struct peer *, int fd, struct pool *);

/* Who runs us. */
void	peer_self(struct peer *, struct pool *);

/*
 * Is the peer one of the list: login names, user ids, "@group" by name or id,
 * with blanks between?  Who is not known is in none.  A name that the user
 * database does not have names nobody.
 */
bool	peer_is_among(const struct peer *, const char *list, struct pool *);

#endif
