/*
 * The configuration: files to accounts.  Errors carry file:line:column and
 * are gathered, all of them, not the first alone.  Pure given a FILE, but for
 * "include", which goes through a function of the caller's.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "buffer.h"
#include "failure.h"
#include "pool.h"
#include "privilege.h"
#include "settings.h"
#include "url.h"

struct aliases;
struct helper;

struct account {
	const char *name;		/* "default" when none was given */
	const char *file;		/* where it stands */
	size_t line;			/* 0: it is made of options alone */
	const char *called;		/* in a sentence: "the account \"work\"
					   (FILE:LINE)", "the command line" */
	bool system;			/* of the system's configuration */
	bool handed;			/* which the caller may not read */
	bool closed;			/* and this run may not use (handed.h) */
	bool may_run;			/* nobody else can have written its
					   password- or oauth-command */
	const char *withheld;		/* the setting whose change took its
					   stored secret away (bound.h) */
	bool deprived;			/* and there was one */
	const char *barred;		/* to whom, by allow-user; or NULL */
	const char *values[SETTINGS];	/* as written, checked; NULL: unset */
	struct buffer password;		/* secret; of values[SET_PASSWORD], and
					   secret_prepare()'s behind its NUL */
	struct buffer pin;		/* secret; with a NUL; of the token in
					   client-key, which has it masked */
	struct buffer seed;		/* secret; of
					   values[SET_CLIENT_KEY_ED25519] */
	struct endpoint *servers;
	size_t nservers;
	struct helper *helper;		/* has its secrets; NULL: we have */
	const struct aliases *aliases;	/* read beforehand, or NULL */
};

struct config {
	struct account *accounts;
	size_t n;
	const char **files;		/* that were read, the included too */
	size_t nfiles;
	const char **errors;		/* "file:line:column: what" */
	size_t nerrors;
	bool scarce;			/* among them: a file that could not
					   be opened, see file_blame() */
	bool chosen;			/* the file was named by a person (-C):
					   others may have written it */
	struct privilege *handed;	/* the system's file, read for a caller
					   who may not; or NULL */
	struct pool *pool;
};

/* Whose a file is; HANDED: the system's, which the caller may not read. */
enum origin { CONFIG_USERS, CONFIG_SYSTEMS, CONFIG_HANDED };

/* Opens an included file; NULL with errno, for file_error(), if it cannot. */
typedef FILE *config_open(const char *name);

/*
 * Reads one file, on which nothing was done yet, and adds its accounts.  What
 * it holds is left nowhere but in the accounts.  Settings before the first
 * "account" line belong to every account of the file; a file without such a
 * line is one account.  What is wrong goes to the errors; of a handed file it
 * is only said where.  The system's names its files from "/" on: it is read in
 * whatever folder the caller is.
 */
void	config_read(struct config *, FILE *, const char *file, enum origin,
	    config_open *);

/* Wipes the account's password, PIN and key, which it then has no more. */
void	config_forget(struct account *);
void	config_forget_all(struct config *);

/*
 * Changes one setting of an account, as a long option does: name is the
 * setting's.  False with FAILURE_USAGE for an unknown name, a setting that
 * holds a secret or names a command, or a bad value.
 */
bool	config_override(struct account *, const char *name,
	    const char *value, struct pool *, struct failure *why);

/* Is there a setting of this name that a long option may change? */
bool	config_has_option(const char *name);

/* The name of a setting; whether its value is never to be shown. */
const char *config_name(enum setting);
bool	config_is_secret(enum setting);

/* The setting's value, or its default (never NULL for numbers and words). */
const char *config_value(const struct account *, enum setting);
int	config_number(const struct account *, enum setting);

/* Has it a client certificate, or a key to which one is made? */
bool	config_has_identity(const struct account *);

#endif
