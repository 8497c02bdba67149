/*
 * How far a large message has come, on one line of a terminal's standard error
 * that is written over and taken away at the end.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"

enum { PROGRESS_FROM = 1024 * 1024 };	/* octets; less needs no line */

struct progress {
	milliseconds begun;		/* with the first octets */
	milliseconds shown;		/* when it was last written */
	bool visible;
};

/* So much of it has been handed over; shown a few times a second. */
void	progress_at(struct progress *, uint64_t done, uint64_t total);

/* Takes the line away, as before other lines; it may come again. */
void	progress_hide(struct progress *);

/* "12.3 of 64.0 MB, 5.6 MB/s, 9 s left", at most size - 1 octets. */
void	progress_text(char *out, size_t size, uint64_t done, uint64_t total,
	    milliseconds taken);

#endif
