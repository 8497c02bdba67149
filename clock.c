#include "clock.h"

#include <assert.h>
#include <time.h>

milliseconds
clock_now(void)
{
	struct timespec ts;
	int error = clock_gettime(CLOCK_MONOTONIC, &ts);

	assert(error == 0);
	return (milliseconds)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
