/*
 * The header of an entity whose content, or whose fields, are converted: its
 * type, its encoding, its fields in ASCII (RFC 2045).  Pure.
 */
#ifndef RELABEL_H
#define RELABEL_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "failure.h"
#include "header.h"
#include "mime.h"
#include "parts.h"
#include "pool.h"

struct relabel {
	const struct entity *entity;	/* NULL: its fields alone change */
	bool in_digest;
	bool is_message;		/* its header is a message's */
	bool encode;			/* its content is encoded anew */
	bool beyond;			/* octets beyond ASCII must go: here, */
	bool seven;			/* and in the whole body */
	struct mime mime;		/* what follows is for relabel() */
	const char *encoding;		/* that it is to name, or NULL */
	bool type_done, encoding_done;
	struct pool *pool;
	struct buffer *out;
};

/* Must a field be made anew?  Not beyond: what is UTF-8 may stay. */
bool	relabel_must_change(const struct field *, bool beyond);
bool	relabel_is_utf8(const struct field *);

/*
 * Appends to out what becomes of whole lines of a header, without the blank
 * one at its end.  FAILURE_MESSAGE when a line cannot be folded, or a boundary
 * would change.
 */
bool	relabel(struct relabel *, const char *text, size_t len,
	    struct buffer *out, struct failure *why);

#endif
