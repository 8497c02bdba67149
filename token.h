/*
 * The lexical tokens of RFC 5322 section 3.2, with the obsolete forms: what a
 * structured header field is made of.  Nothing recurses, so no depth of
 * comments can exhaust the stack.  Pure.
 */
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

enum token_kind {
	TOKEN_WORD,			/* an atom, or UTF-8 */
	TOKEN_QUOTED,			/* "quoted-string" */
	TOKEN_LITERAL,			/* [domain-literal] */
	TOKEN_SPECIAL,			/* one of < > @ , ; : . */
	TOKEN_COMMENT,			/* (comment (and nested)) */
	TOKEN_END
};

struct token {
	enum token_kind kind;
	char special;			/* of TOKEN_SPECIAL */
	bool blank;			/* stands behind white space */
	const char *text;		/* without quotes and escapes */
	size_t start, end;		/* octets of the source */
};

/*
 * The tokens of a text; the last one is TOKEN_END.  NULL when it cannot be
 * taken apart: then *wrong says what is missing.
 */
struct token *token_list(const char *text, struct pool *, const char **wrong);

/* atext of RFC 5322 and 6532: what an atom may hold. */
bool	token_is_atext(char);

/* Is it a Dot-string of RFC 5321 section 4.1.2, as is, without quotes? */
bool	token_is_dotted(const char *);

/* As a quoted-string, with the backslashes that it needs. */
char	*token_quoted(const char *, struct pool *);

#endif
