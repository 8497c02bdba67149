#define _GNU_SOURCE			/* O_TMPFILE */
#include "spool.h"
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The disk is written in large aligned pieces, and asked beforehand for the
 * place of several: to a file system that is a third of the work.
 */
enum { WRITE_SIZE = 256 * 1024, RESERVE_SIZE = 4 * 1024 * 1024 };

struct spool {
	struct spool_room *place;
	char *data;			/* all of it, or what is not written */
	size_t len;
	size_t room;
	int fd;				/* -1: all is in memory */
	uint64_t written;		/* octets in the file */
	uint64_t reserved;
};

struct spool *
spool_new(struct spool_room *room)
{
	struct spool *s = pool_malloc(sizeof *s);

	*s = (struct spool){ .place = room, .fd = -1 };
	return s;
}

/* Only an empty one serves another. */
static void
give_back(struct spool_room *room, int fd)
{
	if (room != NULL && room->reserves && room->n < SPOOL_SPARES &&
	    ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		room->spares[room->n++] = fd;
	else
		(void)close(fd);
}

void
spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		give_back(s->place, s->fd);
	free(s->data);
	free(s);
}

static int
open_nameless(const char *directory)
{
	return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* Where the file system has no O_TMPFILE, a name is made and taken away. */
static int
open_in(const char *directory)
{
	char name[4096];
	int fd = open_nameless(directory);

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

static int
open_anywhere(const char *directory)
{
	const char *const places[] = { directory, "/var/tmp", "/tmp" };
	size_t i, n = sizeof places / sizeof *places;
	int fd = -1;

	for (i = directory == NULL ? 1 : 0; i < n && fd < 0; i++)
		fd = open_in(places[i]);
	return fd;
}

void
spool_reserve(struct spool_room *room, size_t n)
{
	int fd = 0;

	room->reserves = true;
	while (room->n < n && fd >= 0) {
		fd = open_anywhere(room->directory);
		if (fd >= 0)
			room->spares[room->n++] = fd;
	}
}

static bool
open_file(struct spool *s, struct failure *why)
{
	struct spool_room *room = s->place;

	if (room != NULL && room->n > 0)
		s->fd = room->spares[--room->n];
	else
		s->fd = open_anywhere(room != NULL ? room->directory : NULL);
	return s->fd >= 0 || fail_errno(why, FAILURE_INPUT, "no temporary file "
	    "for a large message can be made");
}

/* Where this is not possible or there is no place, writing will tell. */
static void
reserve(struct spool *s, size_t len)
{
	if (s->written + len <= s->reserved)
		return;
	if (fallocate(s->fd, FALLOC_FL_KEEP_SIZE, (off_t)s->reserved,
	    RESERVE_SIZE) == 0)
		s->reserved += RESERVE_SIZE;
	else
		s->reserved = UINT64_MAX;
}

static bool
write_piece(struct spool *s, const char *p, size_t len, struct failure *why)
{
	ssize_t n;

	reserve(s, len);
	for (; len > 0; p += n, len -= (size_t)n) {
		do
			n = write(s->fd, p, len);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return fail_errno(why, FAILURE_INPUT, "the message "
			    "cannot be spooled to a temporary file");
		s->written += (uint64_t)n;
	}
	return true;
}

/* Of what is in memory, the whole pieces or all. */
static bool
write_out(struct spool *s, bool all, struct failure *why)
{
	size_t done = 0, len;

	if (s->fd < 0 && !open_file(s, why))
		return false;
	while (s->len - done >= WRITE_SIZE || (all && done < s->len)) {
		len = s->len - done < WRITE_SIZE ? s->len - done : WRITE_SIZE;
		if (!write_piece(s, s->data + done, len, why))
			return false;
		done += len;
	}
	memmove(s->data, s->data + done, s->len - done);
	s->len -= done;
	return true;
}

static void
resize(struct spool *s, size_t room)
{
	s->data = pool_realloc(s->data, room);
	s->room = room;
}

char *
spool_room(struct spool *s, size_t n)
{
	size_t room = s->room < SIZE_MAX / 4 ? s->room * 2 : 0;

	assert(n < SIZE_MAX / 4 && s->len < SIZE_MAX / 4);
	if (s->room - s->len < n)
		resize(s, room > s->len + n ? room : s->len + n);
	return s->data + s->len;
}

/* What outgrows the memory leaves it; from then on it is a write buffer. */
bool
spool_added(struct spool *s, size_t n, struct failure *why)
{
	bool was_open = s->fd >= 0;

	assert(n <= s->room - s->len);
	s->len += n;
	if (s->len < (was_open ? WRITE_SIZE : SPOOL_MEMORY + 1))
		return true;
	if (!write_out(s, false, why))
		return false;
	if (!was_open)
		resize(s, WRITE_SIZE);
	return true;
}

bool
spool_put(struct spool *s, const char *p, size_t len, struct failure *why)
{
	if (len > 0)
		memcpy(spool_room(s, len), p, len);
	return spool_added(s, len, why);
}

bool
spool_end(struct spool *s, struct failure *why)
{
	if (s->fd < 0)
		return true;
	if (!write_out(s, true, why))
		return false;
	free(s->data);
	s->data = NULL;
	s->room = 0;
	return true;
}

struct spool_room *
spool_room_of(const struct spool *s)
{
	return s->place;
}

uint64_t
spool_size(const struct spool *s)
{
	return s->written + s->len;
}

bool
spool_read(const struct spool *s, uint64_t offset, char *p, size_t room,
    size_t *n, struct failure *why)
{
	ssize_t got;

	*n = 0;
	if (s->fd < 0) {
		if (offset < s->len)
			*n = s->len - offset < room ?
			    (size_t)(s->len - offset) : room;
		if (*n > 0)
			memcpy(p, s->data + offset, *n);
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
