/*
 * A header field in the making: words with the blanks before them, in lines
 * that are folded at blanks (RFC 5322 section 2.2.3, RFC 2047 section 2).
 * Pure.
 */
#ifndef FOLDED_H
#define FOLDED_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

struct folded {
	struct buffer text;		/* so far; the caller frees it */
	size_t column;			/* octets in its last line */
	bool any;			/* something stands behind the ":" */
	bool encoded;			/* the last word is an encoded one */
};

/* "Name:", and a blank before what comes next. */
void	folded_begin(struct folded *, const char *name, size_t len);

/* A word with the blanks before it, as it is; a new line when it needs one. */
void	folded_put(struct folded *, const char *blank, size_t nblank,
	    const char *, size_t len);

/*
 * Text as encoded words, with the blanks before it: in the text, when another
 * encoded word stands there, for those between two are not shown (RFC 2047
 * section 6.2).
 */
void	folded_encoded(struct folded *, const char *blank, size_t nblank,
	    const char *, size_t len);

/* Begins what encoded words follow without a blank: "(". */
void	folded_open(struct folded *, const char *blank, size_t nblank,
	    const char *);

/* Puts it right behind the last word. */
void	folded_glue(struct folded *, const char *);

#endif
