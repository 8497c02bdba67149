#include "due.h"
#include "keep.h"

#include <sys/stat.h>

static bool
has_changed(const char *file, time_t since)
{
	struct stat st;

	return file != NULL && stat(file, &st) == 0 && st.st_mtime >= since;
}

/* The password may stand in a file that another includes. */
static bool
has_any_changed(const struct config *c, const struct account *a, time_t since)
{
	size_t i;

	for (i = 0; i < c->nfiles; i++)
		if (has_changed(c->files[i], since))
			return true;
	return has_changed(a->values[SET_PASSWORD_FILE], since);
}

/*
 * A command's password may change where nobody sees it: once a day.  A token is
 * made anew by itself, or refused for what its provider alone can mend, and no
 * account is locked for it: once an hour.
 */
static long
until_login(const struct config *c, const struct account *a, time_t tried,
    time_t now)
{
	time_t pause;

	if (a == NULL)
		return DUE_CHANGED;
	pause = a->values[SET_OAUTH_COMMAND] != NULL ? 3600 : 24 * 3600;
	if (has_any_changed(c, a, tried) || tried > now)	/* wrong clock */
		return 0;
	if (a->values[SET_PASSWORD] != NULL ||
	    a->values[SET_PASSWORD_FILE] != NULL)
		return DUE_CHANGED;
	return now - tried > pause ? 0 : (long)(tried + pause - now + 1);
}

long
due_in(const struct config *c, const struct account *a,
    const struct record *r, time_t now, bool *locked)
{
	*locked = r->locked_out;
	if (r->locked_out)
		return until_login(c, a, r->tried, now);
	return keep_is_due(r->next, now) ? 0 : (long)(r->next - now);
}
