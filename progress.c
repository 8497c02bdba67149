#include "progress.h"

#include <stdio.h>
#include <unistd.h>

enum { PAUSE = 200, SECOND = 1000 };	/* milliseconds */

void
progress_text(char *out, size_t size, uint64_t done, uint64_t total,
    milliseconds taken)
{
	const double mega = 1e6;
	double rate;
	int n = snprintf(out, size, "%.1f of %.1f MB", (double)done / mega,
	    (double)total / mega);

	if (n < 0 || (size_t)n >= size || taken < PAUSE || done == 0)
		return;
	rate = (double)done * SECOND / (double)taken;
	(void)snprintf(out + n, size - (size_t)n, ", %.1f MB/s, %.0f s left",
	    rate / mega, (double)(total - done) / rate);
}

void
progress_at(struct progress *p, uint64_t done, uint64_t total)
{
	milliseconds now = clock_now();
	char text[64] = "";

	if (total <= PROGRESS_FROM)
		return;
	if (p->begun == 0)
		p->begun = now;
	if (p->shown != 0 && now - p->shown < PAUSE)
		return;
	p->shown = now;
	p->visible = true;
	progress_text(text, sizeof text, done, total, now - p->begun);
	(void)dprintf(STDERR_FILENO, "\r\033[K%s", text);
}

void
progress_hide(struct progress *p)
{
	if (p->visible)
		(void)dprintf(STDERR_FILENO, "\r\033[K");
	p->visible = false;
}
