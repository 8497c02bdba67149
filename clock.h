/* Time that no administrator can set: for deadlines and for durations. */
#ifndef CLOCK_H
#define CLOCK_H

typedef long long milliseconds;

/* Milliseconds on the monotonic clock. */
milliseconds clock_now(void);

#endif
