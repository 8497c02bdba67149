/*
 * Names and values as one object of JSON (RFC 8259) or as logfmt: what the
 * log, --json and the list of kept messages are made of.  Texts are made
 * printable.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>

#include "buffer.h"
#include "pool.h"

struct fields {
	struct buffer *b;
	bool json;
	struct pool *pool;
};

/* The name, with what parts it from the one before. */
void	fields_key(const struct fields *, const char *name);

/* NULL is passed over. */
void	fields_text(const struct fields *, const char *name,
	    const char *value);
void	fields_truth(const struct fields *, const char *name, bool value);
void	fields_number(const struct fields *, const char *name,
	    long long value);

/* A list of texts, of JSON alone. */
void	fields_texts(const struct fields *, const char *name,
	    const char *const *all, size_t n);

/* A list of objects, of JSON alone: n of all, each written by one call. */
void	fields_list(const struct fields *, const char *name, const void *all,
	    size_t n, void (*write)(const struct fields *, const void *all,
	    size_t i));

/* A text in quotes, without a name. */
void	fields_quoted(struct buffer *, const char *);

#endif
