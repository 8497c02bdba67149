/*
 * Standard input: after it is normalised every line ends in CRLF, no bare CR
 * or LF is left, and reading it again changes nothing.
 */
#define _GNU_SOURCE			/* memfd_create() */
#include "fuzz.h"
#include "message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool
read_fd(int fd, bool dot_ends, struct pool *pool, struct message **m,
    struct failure *why)
{
	struct input in = { .fd = fd };
	bool ok = message_read(&in, dot_ends, NULL, pool, m, why);

	buffer_free(&in.octets);
	return ok;
}

static struct message *
read_octets(const void *p, size_t len, bool dots, struct pool *pool)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct message *m = NULL;
	struct failure why;

	assert(fd >= 0 && write(fd, p, len) == (ssize_t)len);
	(void)lseek(fd, 0, SEEK_SET);
	assert(read_fd(fd, dots, pool, &m, &why));
	(void)close(fd);
	message_compose(m, "", NULL);
	return m;
}

static char *
all(const struct message *m, size_t *len)
{
	struct failure why;
	size_t done = 0, n;
	char *p;

	*len = (size_t)message_size(m);
	p = malloc(*len + 1);
	assert(p != NULL);
	do {
		assert(message_octets(m, done, p + done, *len - done + 1, &n,
		    &why));
		done += n;
	} while (n > 0);
	assert(done == *len);
	return p;
}

static void
check_lines(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		assert(p[i] != '\r' || (i + 1 < len && p[i + 1] == '\n'));
		assert(p[i] != '\n' || (i > 0 && p[i - 1] == '\r'));
	}
	assert(len >= 2 && p[len - 1] == '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	size_t len, len2;
	struct message *m, *m2;
	char *p, *p2;

	if (size < 1) {
		pool_free(pool);
		return 0;
	}
	m = read_octets(data + 1, size - 1, data[0] & 1, pool);
	p = all(m, &len);
	check_lines(p, len);
	m2 = read_octets(p, len, false, pool);
	p2 = all(m2, &len2);
	assert(len == len2 && memcmp(p, p2, len) == 0);
	free(p);
	free(p2);
	message_free(m);
	message_free(m2);
	pool_free(pool);
	return 0;
}
