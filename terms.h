/*
 * When a mail is to be delivered, and how urgent it is: DELIVERBY (RFC 2852),
 * FUTURERELEASE (RFC 4865), MT-PRIORITY (RFC 6710); as people write it and as
 * MAIL has it.  Pure, but for the local time zone.
 */
#ifndef TERMS_H
#define TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "pool.h"

struct terms {
	time_t since;			/* when the seconds begin to count */
	char by_mode;			/* 'N' tell the sender then, 'R' return
					   it then; 0: no such time */
	bool by_trace;			/* tell of servers that cannot */
	long by;			/* seconds; at most 0 with N only */
	long hold_for;			/* seconds; 0: not held */
	time_t hold_until;		/* 0: not held.  Never both */
	bool has_priority;
	int priority;			/* -9 to 9 */
};

/* "90", "90s", "15m", "2h", "3d", "1w": 1 to 999999999 seconds. */
bool	terms_duration(const char *text, long *seconds);

/* "1h notify trace": the words in any order, notify unless return is there. */
bool	terms_deliver_by(const char *text, struct terms *);

/* "-9" to "9". */
bool	terms_priority(const char *text, int *priority);

/*
 * A date-time of RFC 3339; as people write it, the zone may be missing (then
 * it is the local one) and the seconds too, and a blank may stand for "T".  Of
 * an hour that comes twice it is the second, and a fraction is the next whole
 * second: nothing is held too short.
 */
bool	terms_date_time(const char *text, time_t *);
bool	terms_time(const char *text, time_t *);

/* The other way, in UTC: "2026-12-01T08:00:00Z". */
const char *terms_utc(time_t, struct pool *);

/*
 * A parameter of MAIL: BY, HOLDFOR, HOLDUNTIL, MT-PRIORITY, each once.  False
 * when it is none, and when its value is out of form.
 */
bool	terms_take(struct terms *, const char *name, const char *value);

/* All of them, each with a blank before it; or "". */
const char *terms_parameters(const struct terms *, struct pool *);

/* The value of BY= alone: "3600;RT". */
const char *terms_by(const struct terms *, struct pool *);

/* What the second one asks for counts, the first has the rest. */
void	terms_prefer(struct terms *, const struct terms *);

/*
 * From now on counts now: of BY what is left, HOLDFOR becomes HOLDUNTIL, and a
 * hold that is over is none.  False when it was to be returned by now.
 */
bool	terms_count_from(struct terms *, time_t now);

#endif
