/*
 * A header field in the making: words with the blanks before them, in lines
 * that are folded between words (RFC 5322 section 2.2.3, RFC 2047 section 2).
 * Pure.
 */
#ifndef FOLDED_H
#define FOLDED_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

enum { FOLDED_LINE_MAX = 998 };		/* RFC 5322 section 2.1.1 */

struct folded {
	struct buffer text;		/* so far; the caller frees it */
	size_t column;			/* octets in its last line */
	bool any;			/* something stands behind the ":" */
	bool encoded;			/* the last word is an encoded one */
	bool open;			/* right behind the "(" of a comment */
};

/* "Name:", and a blank before what comes next. */
void	folded_begin(struct folded *, const char *name, size_t len);

/*
 * A word with the blanks before it, as it is; in a new line when it needs one,
 * and a blank where none is but an encoded word must not be touched (RFC 2047
 * section 5).
 */
void	folded_put(struct folded *, const char *blank, size_t nblank,
	    const char *, size_t len);

/*
 * Text as encoded words, with the blanks before it: in the text, when another
 * encoded word stands there, for those between two are not shown (RFC 2047
 * section 6.2).
 */
void	folded_encoded(struct folded *, const char *blank, size_t nblank,
	    const char *, size_t len);

/* A comment: "(" with the blanks before it, and ")". */
void	folded_open(struct folded *, const char *blank, size_t nblank);
void	folded_close(struct folded *);

/* A special, right behind the last word. */
void	folded_special(struct folded *, char);

void	folded_end(struct folded *);

#endif
