/*
 * What differs between a message as it came and as it goes out, for people, on
 * standard output: lines taken out after "-", put in after "+".
 */
#ifndef CHANGES_H
#define CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "header.h"
#include "message.h"
#include "pool.h"

/* A line with such a sign in front, made printable. */
void	changes_line(const char *sign, const char *text, size_t len);

/* The fields that are in one alone; how many are the same. */
size_t	changes_header(const struct field *before, size_t nbefore,
	    const struct field *after, size_t nafter);

/* The parts that have another encoding now. */
void	changes_parts(const struct message *before, const struct message *after,
	    struct pool *);

#endif
