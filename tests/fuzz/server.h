/*
 * A server in memory, for targets that run whole sessions: it brings its own
 * net_connect(), clock and signals_poll(), so nothing waits.  What it says is
 * the fuzz input; what it has understood of the commands is a model that the
 * target holds the outcome against.
 *
 * The script is lines.  One reply is said to each command, to each connection
 * at its start, and after the data (LMTP: for each recipient).  Before a reply
 * may stand lines that begin with
 *	~  says nothing any more		!  hangs up
 *	%  resets the connection		@  refuses the next connection
 *	#  fails to read any further		=  does not read any further
 * and behind a reply one that begins with + is said with it, unasked.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERVED_MAX = 64 };

/* A recipient, as the server knows it. */
struct served {
	char path[256];
	unsigned delivered;		/* a 2yz came after all of the data */
	unsigned maybe;			/* no reply did */
	bool exposed;			/* all of the data came for it */
};

struct server {
	const char *script;
	size_t len, at;
	bool once;			/* nobody may get the message twice */
	size_t read_most, write_most;	/* octets at a time */
	long long slow;			/* milliseconds that each read takes */
	bool tricky;			/* it has spoken out of turn */
	struct served served[SERVED_MAX];
	size_t n;
	bool crowded;			/* there were more than it can count */
	bool refused;			/* it has said a 5yz, to whatever */
};

extern struct server server;

/* Zeroed but for the script, once, and how it moves. */
void	server_begin(const struct server *);
void	server_end(void);

/* The recipient of this path, made when need be; NULL when it is crowded. */
struct served *server_find(const char *path, size_t len);

#endif
