/*
 * A draft (draft.h) written down.  What was weak is not carried over silently:
 * the strong setting stands there, and a comment tells what was and how one
 * comes near it.  Pure.
 */
#ifndef FAIR_H
#define FAIR_H

#include <stdbool.h>

#include "buffer.h"
#include "draft.h"

/* All of it, as a sendoff.conf.  Masked: without the passwords. */
void	fair_copy(struct draft *, bool masked, struct buffer *);

#endif
