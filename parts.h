/*
 * The entities of a message (RFC 2045, 2046): where each begins and ends in
 * the body, and what its content asks of mail.  One pass, memory for the list
 * alone.
 */
#ifndef PARTS_H
#define PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "message.h"
#include "mime.h"
#include "pool.h"
#include "utf8.h"

enum {
	PARTS_MAX = 20000,		/* entities of one message */
	PARTS_DEPTH_MAX = 100,
	PARTS_HEADER_MAX = 1024 * 1024	/* octets of a part's header */
};

/* Of some octets. */
struct part_facts {
	bool beyond;			/* any is beyond ASCII */
	bool nul;
	bool not_utf8;
	size_t longest;			/* line, without its end */
	size_t line;			/* octets of the current one */
	struct utf8_check check;
};

/*
 * An entity, its children behind it in the list.  Offsets count from the
 * start of the message's body.  What stands between a child's end and the
 * next one's header belongs to the multipart around them.
 */
struct entity {
	size_t parent;			/* its own index: the message */
	size_t depth;
	uint64_t header;		/* where its header begins, */
	uint64_t body;			/* its content, behind the blank line, */
	uint64_t end;			/* and what follows */
	bool header_open;		/* no blank line ends the header */
	bool is_signed;			/* multipart/signed */
	bool in_signed;			/* within one */
	bool has_parts;			/* of a multipart: a delimiter was seen, */
	bool is_closed;			/* and the last one */
	enum mime_kind kind;		/* MIME_MULTIPART without a delimiter
					   has become MIME_TEXT */
	const char *boundary;
	bool is_digest;
	enum mime_encoding encoding;	/* MIME_BINARY for a multipart whose
					   delimiters stand there although it
					   claims to be encoded */
	struct part_facts header_facts;	/* of a part's header */
	struct part_facts facts;	/* of its content that is no child's:
					   for a multipart what is around them,
					   and the delimiters */
};

struct parts {
	struct entity *list;		/* the first is the message */
	size_t n;
};

/*
 * Finds them all.  The message must have been composed.  FAILURE_MESSAGE when
 * there are too many, they nest too deep, or a part's header has no end.
 */
bool	parts_find(struct parts *, const struct message *, struct pool *,
	    struct failure *why);

#endif
