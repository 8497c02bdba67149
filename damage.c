#include "damage.h"
#include "report.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char told[] = ".told";

enum { TOLD_ROOM = 64 * 1024 };		/* octets of names; what is beyond them
					   is told again */

int
damage_tell(const struct unreads *unreads, const char *program)
{
	int status = failure_status(FAILURE_NONE);
	size_t i;

	for (i = 0; i < unreads->n; i++)
		status = report_failure(program, unreads->list[i].why);
	return status;
}

/* Octets of the folder's part of a path, without its slash. */
static size_t
folder_len(const struct unread *u)
{
	return (size_t)(strrchr(u->path, '/') - u->path);
}

static bool
share_folder(const struct unread *a, const struct unread *b)
{
	size_t n = folder_len(a);

	return folder_len(b) == n && memcmp(a->path, b->path, n) == 0;
}

/* Names, each with a newline behind it. */
static bool
is_told(const char *names, const char *name)
{
	size_t n = strlen(name);
	const char *p;

	for (p = names; (p = strstr(p, name)) != NULL; p += n)
		if ((p == names || p[-1] == '\n') && p[n] == '\n')
			return true;
	return false;
}

/* What was told of the folder; false when it could not be noted, either. */
static bool
read_told(int folder, char names[TOLD_ROOM], int *fd)
{
	struct stat st;
	ssize_t n;

	*fd = openat(folder, told, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK, 0600);
	if (*fd < 0)
		return false;
	n = fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(*fd, names,
	    TOLD_ROOM - 1, 0) : -1;
	if (n < 0)
		(void)close(*fd);
	else
		names[n] = '\0';
	return n >= 0;
}

/* Those of one folder, of which the first is number i. */
static int
tell_folder(const struct unreads *u, size_t i, int fd, const char *names,
    const char *program)
{
	size_t n = folder_len(&u->list[i]) + 1, first = i;
	int status = failure_status(FAILURE_NONE);
	bool noted = ftruncate(fd, 0) == 0;
	const char *name;

	for (; i < u->n; i++) {
		if (u->list[i].folder || !share_folder(&u->list[first],
		    &u->list[i]))
			continue;
		name = u->list[i].path + n;
		noted = noted && dprintf(fd, "%s\n", name) > 0;
		if (noted && !is_told(names, name))
			status = report_failure(program, u->list[i].why);
	}
	return status;
}

static bool
is_first(const struct unreads *u, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (!u->list[j].folder && share_folder(&u->list[j],
		    &u->list[i]))
			return false;
	return !u->list[i].folder;
}

int
damage_tell_once(const struct unreads *unreads, const struct caller *c,
    const char *program, struct pool *pool)
{
	int status = failure_status(FAILURE_NONE), one, folder, fd;
	char names[TOLD_ROOM];
	size_t i;

	for (i = 0; i < unreads->n; i++) {
		if (!is_first(unreads, i))
			continue;
		folder = store_folder(pool_octets(pool, unreads->list[i].path,
		    folder_len(&unreads->list[i])), c->uid);
		if (folder < 0)
			continue;
		if (read_told(folder, names, &fd)) {
			one = tell_folder(unreads, i, fd, names, program);
			status = one != 0 ? one : status;
			(void)close(fd);
		}
		(void)close(folder);
	}
	return status;
}
