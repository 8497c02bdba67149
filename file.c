#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_ROOM = 64 * 1024, STREAM_ROOM = 4096 };

/* Without waiting for a FIFO's writer; what is read later may be waited for. */
int
file_open_any(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, O_RDONLY);
	return fd;
}

static int
refuse(int fd, int error)
{
	(void)close(fd);
	errno = error;
	return -1;
}

int
file_open(const char *name)
{
	int fd = file_open_any(name);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		return refuse(fd, errno);
	if (S_ISREG(st.st_mode))
		return fd;
	return refuse(fd, S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP);
}

static FILE *
stream_of(int fd)
{
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (f == NULL && fd >= 0)
		(void)refuse(fd, errno);
	return f;
}

FILE *
file_stream(const char *name)
{
	return stream_of(file_open(name));
}

FILE *
file_stream_any(const char *name)
{
	return stream_of(file_open_any(name));
}

/* Room for all of it, so that it is not moved while it is read. */
static void
expect(int fd, size_t most, struct buffer *text)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    (uintmax_t)st.st_size <= most)
		(void)buffer_room(text, (size_t)st.st_size + READ_ROOM);
}

bool
file_read(const char *name, size_t most, struct buffer *text)
{
	int fd = file_open(name), error = 0;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	expect(fd, most, text);
	do {
		n = read(fd, buffer_room(text, READ_ROOM), READ_ROOM);
		if (n > 0)
			buffer_added(text, (size_t)n);
		if (buffer_len(text) > most)
			error = EFBIG;
	} while (error == 0 && (n > 0 || (n < 0 && errno == EINTR)));
	if (n < 0)
		error = errno;
	(void)close(fd);
	errno = error;
	return error == 0;
}

/* Without a buffer stdio keeps no copy. */
bool
file_take_in(FILE *f, size_t most, struct buffer *text)
{
	size_t n;

	(void)setvbuf(f, NULL, _IONBF, 0);
	do {
		n = fread(buffer_room(text, STREAM_ROOM), 1, STREAM_ROOM, f);
		buffer_added(text, n);
	} while (n == STREAM_ROOM && buffer_len(text) <= most);
	if (ferror(f))
		return false;
	errno = EFBIG;
	return buffer_len(text) <= most;
}

const char *
file_error(int error)
{
	return error == ENOTSUP ? "it is no regular file" : strerror(error);
}

enum failure_kind
file_blame(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ?
	    FAILURE_LOCAL : FAILURE_CONFIG;
}

const char *
file_doubt(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (st.st_uid != 0 && st.st_uid != getuid())
		return "it belongs to another user";
	return (st.st_mode & 022) != 0 ? "others can write it" : NULL;
}

static bool
is_safe(const char *path, uid_t owner)
{
	mode_t others = owner == 0 ? 022 : 002;
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	errno = EPERM;
	return (st.st_uid == 0 || st.st_uid == owner) &&
	    ((st.st_mode & others) == 0 || (st.st_mode & S_ISVTX) != 0);
}

bool
file_folder_is_safe(const char *path, uid_t owner)
{
	char *real = realpath(path, NULL), *slash;
	bool ok = real != NULL;

	while (ok && (slash = strrchr(real, '/')) != NULL && real[1] != '\0') {
		slash[slash == real] = '\0';
		ok = is_safe(real, owner);
	}
	free(real);			/* and errno stays (POSIX.1-2024) */
	return ok;
}
