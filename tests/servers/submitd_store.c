#define _GNU_SOURCE			/* fallocate() */
#include "submitd_store.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum {
	HEAD_OCTETS = 16384,
	WRITE_OCTETS = 256 << 10,
	RESERVE_OCTETS = 4 << 20,
	NAME_OCTETS = 64,
	PATH_OCTETS = 4096,
};

struct store {
	const char *maildir;
	FILE *f;
	size_t limit, size, reserved, head_octets;
	bool has_bare, has_failed, is_committed;
	unsigned char last;			/* octet seen */
	char name[NAME_OCTETS];
	char head[HEAD_OCTETS];
};

static bool
complain(const char *what)
{
	(void)fprintf(stderr, "submitd: %s: %s\n", what, strerror(errno));
	return false;
}

static void
place(char path[PATH_OCTETS], const struct store *s, const char *folder,
    const char *suffix)
{
	(void)snprintf(path, PATH_OCTETS, "%s/%s/%s%s", s->maildir, folder,
	    s->name, suffix);
}

static bool
make_folders(const char *maildir)
{
	static const char *const folders[] = {
		"", "tmp", "new", "cur", "envelope"
	};
	char path[PATH_OCTETS];

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", maildir,
		    folders[i]);
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			return complain(path);
	}
	return true;
}

/* A process has one session, and a session one message at a time. */

static void
make_name(char name[NAME_OCTETS])
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(name, NAME_OCTETS, "%lld.M%06ldP%ld.submitd",
	    (long long)now.tv_sec, now.tv_nsec / 1000, (long)getpid());
}

static bool
open_message(struct store *s)
{
	char path[PATH_OCTETS];

	if (!make_folders(s->maildir))
		return false;
	place(path, s, "tmp", "");
	s->f = fopen(path, "wx");
	if (s->f == NULL)
		return complain(path);
	(void)setvbuf(s->f, NULL, _IOFBF, WRITE_OCTETS);
	return true;
}

struct store *
store_begin(const char *maildir, size_t limit)
{
	struct store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->maildir = maildir;
	s->limit = limit;
	make_name(s->name);
	if (maildir == NULL || open_message(s))
		return s;
	free(s);
	return NULL;
}

/* In each octet that is c, the topmost bit; eight together. */

static uint64_t
where(uint64_t word, uint64_t c)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

	word ^= UINT64_C(0x0101010101010101) * c;
	return ~(((word & low) + low) | word | low);
}

/* CR without LF behind it, or LF without CR before it. */

static bool
any_bare(unsigned char last, const unsigned char *octets, size_t n)
{
	uint64_t before = last == '\r' ? 0x80 : 0, word, cr, bare = 0;
	size_t i;

	for (i = 0; i + sizeof word <= n; i += sizeof word) {
		memcpy(&word, octets + i, sizeof word);
		word = le64toh(word);
		cr = where(word, '\r');
		bare |= where(word, '\n') ^ (cr << 8 | before);
		before = cr >> 56;
	}
	for (; i < n; i++) {
		bare |= (before != 0) != (octets[i] == '\n');
		before = octets[i] == '\r';
	}
	return bare != 0;
}

/* Asked for its place beforehand the file system has half the work. */

static void
reserve(struct store *s)
{
	if (s->f == NULL || s->size < WRITE_OCTETS || s->size < s->reserved)
		return;
	(void)fallocate(fileno(s->f), FALLOC_FL_KEEP_SIZE,
	    (off_t)s->reserved, RESERVE_OCTETS);
	s->reserved += RESERVE_OCTETS;
}

void
store_octets(struct store *s, const unsigned char *octets, size_t n)
{
	size_t room = sizeof s->head - s->head_octets;

	if (n == 0)
		return;
	s->has_bare |= any_bare(s->last, octets, n);
	s->last = octets[n - 1];
	s->size += n;
	reserve(s);
	memcpy(s->head + s->head_octets, octets, n < room ? n : room);
	s->head_octets += n < room ? n : room;
	if (s->f != NULL && !store_is_too_large(s) &&
	    fwrite(octets, 1, n, s->f) != n)
		s->has_failed = true;
}

size_t
store_size(const struct store *s)
{
	return s->size;
}

bool
store_is_too_large(const struct store *s)
{
	return s->limit > 0 && s->size > s->limit;
}

bool
store_has_bare(const struct store *s)
{
	return s->has_bare || s->last == '\r';
}

const char *
store_name(const struct store *s)
{
	return s->name;
}

static void
copy_value(char *value, size_t room, const char *line, const char *end)
{
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	(void)snprintf(value, room, "%.*s", (int)(end - line), line);
	value[strcspn(value, "\r\n")] = '\0';
}

bool
store_field(const struct store *s, const char *name, char *value, size_t room)
{
	const char *line = s->head;
	const char *end = s->head + s->head_octets;
	const size_t length = strlen(name);

	while (line < end && *line != '\r' && *line != '\n') {
		const char *lf = memchr(line, '\n', (size_t)(end - line));

		if (lf == NULL)
			lf = end - 1;
		if ((size_t)(lf - line) > length &&
		    strncasecmp(line, name, length) == 0) {
			copy_value(value, room, line + length, lf + 1);
			return true;
		}
		line = lf + 1;
	}
	return false;
}

static bool
write_envelope(const struct store *s, const char *text)
{
	char tmp[PATH_OCTETS], final[PATH_OCTETS];
	FILE *f;
	bool ok;

	place(tmp, s, "tmp", ".envelope");
	place(final, s, "envelope", "");
	f = fopen(tmp, "wx");
	if (f == NULL)
		return complain(tmp);
	ok = fputs(text, f) >= 0;
	if (fclose(f) != 0 || !ok || rename(tmp, final) != 0)
		return complain(final);
	return true;
}

bool
store_commit(struct store *s, const char *envelope)
{
	char tmp[PATH_OCTETS], final[PATH_OCTETS];
	bool ok;

	if (s->maildir == NULL)
		return true;
	ok = fclose(s->f) == 0 && !s->has_failed;
	s->f = NULL;
	place(tmp, s, "tmp", "");
	place(final, s, "new", "");
	if (!ok || !write_envelope(s, envelope) || rename(tmp, final) != 0)
		return complain(final);
	s->is_committed = true;
	return true;
}

void
store_end(struct store *s)
{
	char path[PATH_OCTETS];

	if (s == NULL)
		return;
	if (s->f != NULL)
		(void)fclose(s->f);
	if (s->maildir != NULL && !s->is_committed) {
		place(path, s, "tmp", "");
		(void)unlink(path);
	}
	free(s);
}
