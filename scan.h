/*
 * The body's octets brought into form, at memory speed and with the facts of
 * them, in one pass.  Pure.
 *
 * LF, CRLF and a CR alone each become CRLF.  With dot_ends a line with a dot
 * alone, between real line ends, ends the input, and ".." at the start of such
 * a line stands for "."; a line that a CR alone has begun is not such a line.
 */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum scan_state {
	SCAN_LF,			/* at the beginning, or after LF */
	SCAN_CR,			/* a LF that follows says nothing new */
	SCAN_TEXT,
	SCAN_DOT,			/* dot_ends: not written, it may end */
	SCAN_DOT_CR			/* the same, both */
};

/* Zeroed but for dot_ends before the first octet. */
struct scan {
	bool dot_ends;
	bool has_8bit;
	bool has_nul;
	bool has_dots;			/* some line begins with a dot */
	bool ended;			/* a lone dot ended the input */
	size_t longest;			/* line, octets without its end */
	size_t line;			/* octets of the one that is open */
	enum scan_state state;
};

/* More room than twice the octets, for what waited and for wide stores. */
enum { SCAN_SLACK = 16 };

/*
 * Takes the len octets at p, or those up to the end by a dot: their number is
 * in *taken.  What comes of them is written to out, which has room for
 * 2 * len + SCAN_SLACK and does not overlap p; returns how many octets.
 */
size_t	scan_octets(struct scan *, const char *p, size_t len, char *out,
	    size_t *taken);

/* The input is over: the last line gets its end.  Room for SCAN_SLACK. */
size_t	scan_end(struct scan *, char *out);

/*
 * Transparency of the dot (RFC 5321 section 4.5.2) for octets with CRLF: lines
 * that begin with a dot get a second one.  *at_start (of a line) is true at
 * the beginning and carried on.  Room and result as of scan_octets().
 */
size_t	scan_stuff(const char *p, size_t len, bool *at_start, char *out);

#endif
