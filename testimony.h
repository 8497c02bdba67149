/*
 * The findings of a probe for programs: one object of JSON on standard output,
 * as man/sendoff-probe.schema.json has it.
 */
#ifndef TESTIMONY_H
#define TESTIMONY_H

#include "findings.h"
#include "pool.h"

void	testify(const struct findings *, struct pool *);

#endif
