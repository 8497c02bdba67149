/*
 * The command line: sendmail's tongue for everyone, long options for people
 * who say "sendoff".  Pure: words in, struct out.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "failure.h"
#include "pool.h"
#include "stage.h"

enum mode {
	MODE_SUBMIT,
	MODE_SERVE,			/* -bs */
	MODE_LIST,			/* -bp, mailq */
	MODE_RETRY,			/* -q, runq */
	MODE_ALIASES,			/* -bi, newaliases */
	MODE_VERIFY,			/* -bv */
	MODE_CHECK,
	MODE_CERTIFICATE,		/* --print-certificate */
	MODE_FORGET,			/* --forget */
	MODE_IMPORT,			/* --import */
	MODE_SHOW,			/* --show */
	MODE_PROBE,			/* --probe */
	MODE_EXPLAIN,			/* --explain */
	MODE_TRIAL,			/* --quit-after, --talk */
	MODE_VERSION,
	MODE_HELP,
	MODE_NOTHING
};

/* -O smtputf8: yes asks the server for it, no never does. */
enum smtputf8 { SMTPUTF8_NEEDED, SMTPUTF8_ALWAYS, SMTPUTF8_NEVER };

/* Which kept messages -q is about. */
struct selection {
	char what;			/* I id, R recipient, S sender */
	const char *text;		/* that is part of it */
	bool turned;			/* those that do not fit */
};

struct override {
	const char *name;		/* of a setting */
	const char *value;
};

/* A message that is made here, or not standard input's: compose.h. */
struct writing {
	const char **fields;		/* --header: "Name: value", no line end */
	size_t nfields;
	const char *body;		/* --body, or NULL */
	const char *data;		/* --data, or NULL */
	const char **files;		/* --attach */
	size_t nfiles;
	bool test;			/* --test */
};

struct options {
	bool sendoff;			/* called by that name */
	enum mode mode;
	const char **recipients;	/* arguments, as they came */
	size_t nrecipients;
	const char *sender;		/* -f, or NULL */
	const char *full_name;		/* -F, or NULL */
	bool from_header;		/* -t */
	bool keep_dots;			/* -i */
	int verbose;
	bool trace_logins;		/* --trace=auth */
	bool trace_data;		/* --trace=data */
	const char *notify;		/* upper case, checked; or NULL */
	const char *ret;		/* "FULL", "HDRS", or NULL */
	const char *envid;		/* as given, printable; or NULL */
	bool claims_7bit;		/* -B 7BIT */
	bool no_aliases;		/* -n */
	bool require_tls;		/* -O requiretls=yes strengthens only */
	enum smtputf8 smtputf8;
	struct selection *selections;	/* none: all */
	size_t nselections;
	const char *tag;		/* -L, for syslog; or NULL */
	const char *config;		/* -C, --config; or NULL */
	const char *account;		/* --account, --forget, or NULL */
	const char *import;		/* --import: [KIND:]FILE, or NULL */
	const char *id;			/* --show, or NULL */
	const char *log_level;		/* or NULL */
	bool json;
	bool keep;			/* --keep */
	bool progress;			/* --progress */
	bool probe_rcpt;		/* --probe=rcpt */
	bool live;			/* --explain=live */
	struct writing writing;
	enum stage last;		/* --quit-after; STAGE_ALL: not given */
	bool talk;			/* --talk */
	time_t hold_until;		/* --hold-until; 0: not given */
	int family;			/* 4, 6, or 0 */
	struct override *overrides;
	size_t noverrides;
	const char *ignored;		/* flags that a log should mention */
};

/*
 * Options end at the first argument that is none, or behind "--"; an option
 * after a recipient is FAILURE_USAGE, as are unknown letters and, under any
 * name but sendoff, long options.  Times without a zone are local.  argv stays
 * the caller's and is kept.
 */
bool	options_parse(struct options *, int argc, char **argv, struct pool *,
	    struct failure *why);

/* Is the program called by this name the one for people? */
bool	options_is_sendoff(const char *argv0);

/* What a long option makes of the setting; NULL: none does. */
const char *options_setting(const struct options *, const char *name);

#endif
