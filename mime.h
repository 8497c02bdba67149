/*
 * What a MIME header says of a body (RFC 2045, 2046, 2231).  Pure.
 */
#ifndef MIME_H
#define MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "header.h"
#include "pool.h"

enum mime_encoding {
	MIME_7BIT,			/* also when none is named */
	MIME_8BIT,
	MIME_BINARY,
	MIME_QUOTED_PRINTABLE,
	MIME_BASE64,
	MIME_UNKNOWN			/* x-uuencode and the like */
};

enum mime_kind {
	MIME_TEXT,
	MIME_OTHER,			/* image, application, ... */
	MIME_MULTIPART,
	MIME_MESSAGE,			/* message/rfc822 and its kin: a header
					   and a body */
	MIME_FIELDS,			/* message/delivery-status and its
					   kin: blocks of fields */
	MIME_FRAGMENT			/* message/partial: only ever 7bit */
};

struct mime_parameter {
	const char *name;		/* in small letters */
	const char *value;		/* without quotes and escapes */
	size_t start, end;		/* octets of the field's value, from the
					   name, or a comment before it, to
					   before the ";" */
};

struct mime {
	enum mime_kind kind;
	bool has_type;			/* a Content-Type that names one */
	bool has_version;		/* MIME-Version */
	bool is_digest;			/* multipart/digest */
	bool is_signed;			/* multipart/signed */
	const char *charset;		/* or NULL; also in the forms of RFC */
	const char *boundary;		/* 2231, sections 3 and 4 */
	enum mime_encoding encoding;
};

/*
 * The parameters of a value as of Content-Type: what stands between two ";"
 * outside quotes.  One that is no "name=value" has the name "".  *first, when
 * wanted, is where the first ";" stands or the value ends.
 */
struct mime_parameter *mime_parameters(const char *value, size_t *n,
	    size_t *first, struct pool *);

/*
 * Reads the n fields of an entity's header; of doubled ones the first counts.
 * in_digest: without a Content-Type it is a message (RFC 2046 section 5.1.5),
 * else text.
 */
void	mime_read(struct mime *, const struct field *, size_t n,
	    bool in_digest, struct pool *);

/*
 * Is the line (without its end) "--boundary", perhaps with blanks behind?
 * *last: with "--" behind it.
 */
bool	mime_is_delimiter(const char *line, size_t len, const char *boundary,
	    bool *last);

#endif
