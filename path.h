/*
 * An address as it stands in SMTP: paths (RFC 5321), xtext (RFC 3461), and
 * the patterns that a configuration has for them.  Pure.
 */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>

#include "address.h"
#include "pool.h"

/* Octets of the value of ENVID= and ORCPT= (RFC 3461 section 5.4). */
enum { PATH_ENVID_MAX = 100, PATH_ORCPT_MAX = 500 };

/*
 * As it stands between "<" and ">" of a path: the local part quoted when it
 * must be, "@", the domain (RFC 5321 section 4.1.2).  Beside an ASCII local
 * part the domain is in A-labels (RFC 5890), which every server understands.
 * Beside another, and when it has none, it is as it was given: then the path
 * is beyond ASCII and needs SMTPUTF8 (RFC 6531).
 */
char	*path_of(const struct mailbox *, struct pool *);

/*
 * Two mailboxes are the same to a server when their keys are: the local part
 * as it is, the domain in small letters and as A-labels (RFC 5891).
 */
char	*path_key(const struct mailbox *, struct pool *);

/*
 * Addresses and patterns for comparison: the text with those labels behind "@"
 * (without "@": all) that have A-labels as such.
 */
const char *path_ascii(const char *, struct pool *);

/* RFC 3461 section 4. */
char	*path_xtext(const char *, struct pool *);

/* The value of ORCPT= for a path; NULL when it is longer than that may be. */
char	*path_orcpt(const char *path, struct pool *);

/*
 * Does the pattern fit the address?  "*" in it stands for anything, and
 * letters compare without case; a pattern without "@" is a domain.  Domains
 * compare as A-labels, so that both may be written either way; a label that
 * has "*" in it is none.
 */
bool	path_matches(const char *pattern, const char *address, struct pool *);

/* Does one of them fit?  Patterns have a blank between. */
bool	path_matches_any(const char *patterns, const char *address,
	    struct pool *);

#endif
