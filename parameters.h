/*
 * The value of Content-Type or Content-Disposition in ASCII: parameters beyond
 * it as of RFC 2231.  Pure.
 */
#ifndef PARAMETERS_H
#define PARAMETERS_H

#include "folded.h"
#include "pool.h"

void	parameters_put(struct folded *, const char *value, struct pool *);

#endif
