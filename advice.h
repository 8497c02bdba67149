/*
 * What the findings of a probe mean for who runs the server, or sends by it.
 * Pure.
 */
#ifndef ADVICE_H
#define ADVICE_H

#include "findings.h"
#include "pool.h"

/* One extension, whether it is offered, and what that is for a message. */
struct advice_extension {
	const char *name;
	bool offered;
	const char *meaning;
};

enum { ADVICE_EXTENSIONS = 12 };

/* Fills all of them, in the order of importance; texts in the pool. */
void	advice_extensions(const struct capabilities *,
	    struct advice_extension [ADVICE_EXTENSIONS], struct pool *);

/* Adds to the findings' advice: what could be better, what to do about it. */
void	advise(struct findings *, struct pool *);

#endif
