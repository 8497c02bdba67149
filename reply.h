/*
 * Replies and EHLO keywords taken apart (RFC 5321 sections 4.2 and 4.1.1.1,
 * RFC 2034, RFC 3463).  Pure: octets in, structs out.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "failure.h"
#include "pool.h"

enum {
	REPLY_LINE_MAX = 12288,		/* octets; RFC 5321 asks for 512, and
					   RFC 4954 section 4 for as many */
	REPLY_LINES_MAX = 1000
};

struct reply {
	int code;			/* 200 to 599 */
	char enhanced[12];		/* "5.1.1", or "" */
	size_t lines;			/* heard so far */
	char text[1024];		/* "250 2.0.0 ok / more", cut, raw */
	size_t len;
};

enum reply_state { REPLY_MORE, REPLY_COMPLETE, REPLY_BROKEN };

/*
 * Adds one line (without its line end) to the reply, which is zeroed before
 * the first.  *text and *len are what stands behind the code in this line.
 * REPLY_BROKEN fills *why (FAILURE_PROTOCOL): no code, a code outside 200 to
 * 599, another code than the line before, too many lines.  A code alone,
 * without the blank, is accepted.
 */
enum reply_state reply_add(struct reply *, const char *line, size_t len,
	    const char **text, size_t *text_len, struct failure *why);

/* The classes of RFC 5321 section 4.2.1. */
bool	reply_is_success(const struct reply *);		/* 2yz */
bool	reply_is_temporary(const struct reply *);	/* 4yz */
bool	reply_is_permanent(const struct reply *);	/* 5yz */

struct capabilities {
	bool extended;			/* EHLO was understood */
	bool starttls;			/* RFC 3207 */
	bool pipelining;		/* RFC 2920 */
	bool chunking;			/* RFC 3030 */
	bool eightbitmime;		/* RFC 6152 */
	bool smtputf8;			/* RFC 6531 */
	bool dsn;			/* RFC 3461 */
	bool enhancedstatuscodes;	/* RFC 2034 */
	bool requiretls;		/* RFC 8689 */
	bool size;			/* RFC 1870 */
	uint64_t size_max;		/* octets; 0 is no limit */
	bool auth;			/* RFC 4954 */
	char mechanisms[1024];		/* upper case, one blank between */
	bool limits;			/* RFC 9422, syntax in order */
	unsigned rcptmax;		/* 0: not limited */
	unsigned mailmax;
	unsigned rcptdomainmax;
	bool deliverby;			/* RFC 2852 */
	uint64_t by_min;		/* seconds, for "R"; 0: none told */
	bool futurerelease;		/* RFC 4865 */
	uint64_t hold_max;		/* seconds */
	time_t hold_until_max;
	bool mt_priority;		/* RFC 6710 */
};

/*
 * Notes one line of an EHLO reply (not its first), without code.  Unknown
 * keywords and keywords in the wrong form are passed over.
 */
void	capabilities_line(struct capabilities *, const char *, size_t len);

/*
 * What of them matters for a message, for capabilities_read(): keywords with
 * commas between, in the pool.  Reading sets what was written, no more.
 */
char	*capabilities_text(const struct capabilities *, struct pool *);
void	capabilities_read(struct capabilities *, const char *text);

/* Is the mechanism among those offered? */
bool	capabilities_offer(const struct capabilities *, const char *mechanism);

#endif
