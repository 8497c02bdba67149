/*
 * Kept messages found and read back (keep.h writes them).
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "caller.h"
#include "config.h"
#include "failure.h"
#include "pool.h"
#include "record.h"

struct stored {
	const char *path;
	uid_t owner;			/* of the folder */
	struct record record;
	const char *mail;		/* behind "MAIL": "FROM:<a> SIZE=1" */
	const char *sender;		/* of it, without brackets */
	const char **rcpt;		/* behind each "RCPT" */
	const char **recipients;	/* of them */
	off_t *at;			/* where each "RCPT" stands in the file */
	bool fixed;			/* the record has its length */
	size_t n;
	uint64_t data;			/* where the data begin, octets */
	uint64_t size;			/* of the file */
};

/*
 * Where the system's accounts keep, each owner in a folder
 * named for his number; and whether a path is below it.
 */
extern const char store_spool[];

bool	store_is_spool(const char *path);

/*
 * The open folder, or -1 with errno, which store_error() puts into words.  A
 * stranger could have prepared it: EPERM when it is not the owner's, or others
 * can write it, have made a link of it or can put another into its place
 * (file.h).  Below /var/spool/sendoff, where all make names, a link is none.
 */
int	store_folder(const char *path, uid_t owner);
const char *store_error(int error);

/*
 * One file of an open folder; its path is there for error texts.  FAILURE_KEEP
 * when it is no kept message or cannot be read.
 */
bool	store_read(int folder, const char *name, struct stored *,
	    struct pool *, struct failure *why);

/* The same of an open file, from its start; f stays where the data begin. */
bool	store_read_open(FILE *f, struct stored *, struct pool *,
	    struct failure *why);

/*
 * A file that has the name of a kept message and cannot be read as one, or a
 * folder in which nobody looks.
 */
struct unread {
	const char *path;
	bool folder;
	const struct failure *why;	/* and what to do: FAILURE_MESSAGE when
					   it is damaged, else FAILURE_INPUT */
};

struct unreads {
	struct unread *list;
	size_t n;
};

/*
 * All of the caller's, by age: in the folders that the accounts name, in the
 * one that --keep names (or NULL), in ~/.local/state/sendoff and in
 * /var/spool/sendoff/UID; everyone: for root in the other owners' below
 * /var/spool/sendoff, too.  Folders that are not their
 * owner's alone, and files that are none, are passed over with a line in the
 * log; the folders, and files that have the name of a kept message and that no
 * run is sending, are in unreads as well, unless that is NULL.
 */
struct stored *store_list(const struct config *, const struct caller *,
	    const char *also, bool everyone, struct pool *, size_t *n,
	    struct unreads *);

/* Those who have a folder below /var/spool/sendoff, but root. */
uid_t	*store_owners(struct pool *, size_t *n);

#endif
