/*
 * Words of a header field, of which some must become encoded words (RFC 2047).
 * Pure.
 */
#ifndef PHRASES_H
#define PHRASES_H

#include <stddef.h>

#include "folded.h"
#include "pool.h"

enum { PHRASE_WORD_MAX = 900 };		/* octets of one that stays as it is */

enum phrase_kind { PHRASE_PLAIN, PHRASE_ENCODED, PHRASE_BEYOND };

/* A word between blanks. */
struct phrase_word {
	enum phrase_kind kind;
	const char *blank;		/* what stands before it */
	size_t nblank;
	const char *raw;		/* as it stands there */
	size_t nraw;
	const char *text;		/* what it means; of PHRASE_BEYOND */
};

struct phrase {
	struct phrase_word *list;
	size_t n;
	struct pool *pool;
};

/*
 * One more word, raw as it stands in the field, with what stands between blank
 * and it before it.  Its text, what it means, is for the caller to set.
 */
struct phrase_word *phrase_add(struct phrase *, const char *blank,
	    const char *raw, size_t nraw);

/* All of them. */
void	phrase_put(struct folded *, const struct phrase *);

/* Unstructured text, word by word. */
void	phrase_text(struct folded *, const char *value, struct pool *);

#endif
