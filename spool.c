#define _GNU_SOURCE			/* O_TMPFILE */
#include "spool.h"
#include "buffer.h"
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITE_ROOM = 256 * 1024 };

struct spool {
	const char *directory;
	struct buffer memory;		/* all of it, or what is not written */
	int fd;				/* -1: all is in memory */
	uint64_t written;		/* octets in the file */
};

struct spool *
spool_new(const char *directory)
{
	struct spool *s = pool_malloc(sizeof *s);

	*s = (struct spool){ .directory = directory, .fd = -1 };
	return s;
}

void
spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	buffer_free(&s->memory);
	free(s);
}

/* Where the file system has no O_TMPFILE, a name is made and taken away. */
static int
open_in(const char *directory)
{
	char name[4096];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR &&
	    errno != EINVAL))
		return fd;
	if ((size_t)snprintf(name, sizeof name, "%s/sendoff.XXXXXX",
	    directory) >= sizeof name)
		return -1;
	fd = mkstemp(name);
	if (fd >= 0) {
		(void)unlink(name);
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	return fd;
}

static bool
open_file(struct spool *s, struct failure *why)
{
	const char *places[] = { s->directory, "/var/tmp", "/tmp" };
	size_t i;

	for (i = 0; i < sizeof places / sizeof *places && s->fd < 0; i++)
		if (places[i] != NULL)
			s->fd = open_in(places[i]);
	if (s->fd < 0)
		return fail_errno(why, FAILURE_INPUT, "no temporary file for "
		    "a large message can be made");
	return true;
}

static bool
write_out(struct spool *s, struct failure *why)
{
	ssize_t n;

	if (s->fd < 0 && !open_file(s, why))
		return false;
	while (buffer_len(&s->memory) > 0) {
		n = write(s->fd, buffer_data(&s->memory),
		    buffer_len(&s->memory));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(why, FAILURE_INPUT, "the message "
			    "cannot be spooled to a temporary file");
		buffer_take(&s->memory, (size_t)n);
		s->written += (uint64_t)n;
	}
	return true;
}

bool
spool_put(struct spool *s, const char *p, size_t len, struct failure *why)
{
	size_t most = s->fd < 0 ? SPOOL_MEMORY : WRITE_ROOM;

	buffer_put(&s->memory, p, len);
	return buffer_len(&s->memory) <= most || write_out(s, why);
}

bool
spool_end(struct spool *s, struct failure *why)
{
	return s->fd < 0 || write_out(s, why);
}

const char *
spool_directory(const struct spool *s)
{
	return s->directory;
}

uint64_t
spool_size(const struct spool *s)
{
	return s->written + buffer_len(&s->memory);
}

bool
spool_read(const struct spool *s, uint64_t offset, char *p, size_t room,
    size_t *n, struct failure *why)
{
	size_t len = buffer_len(&s->memory);
	ssize_t got;

	*n = 0;
	if (s->fd < 0) {
		if (offset < len)
			*n = len - offset < room ? (size_t)(len - offset) :
			    room;
		if (*n > 0)
			memcpy(p, buffer_data(&s->memory) + offset, *n);
		return true;
	}
	do
		got = pread(s->fd, p, room, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail_errno(why, FAILURE_INPUT, "the spooled message "
		    "cannot be read");
	*n = (size_t)got;
	return true;
}
