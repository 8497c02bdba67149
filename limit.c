#include "limit.h"
#include "log.h"
#include "terms.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BEGUN_MAX = 24 * 3600 };		/* seconds; no file takes as long */

bool
limit_is_over(const struct account *a, time_t since)
{
	long seconds = 0;

	(void)terms_duration(a != NULL ? config_value(a, SET_RETRY_FOR) :
	    setting_kind(SET_RETRY_FOR)->standard, &seconds);
	return since != 0 && time(NULL) - since > seconds;
}

/* A file of ours, and what stands in its second line; others do not count. */
static bool
is_kept(int fd, bool *queued)
{
	static const char start[] = "NOOP sendoff 1\r\nNOOP state queued\r\n";
	static const size_t first = sizeof "NOOP sendoff 1\r\n" - 1;
	char text[sizeof start - 1];

	if (read(fd, text, sizeof text) != (ssize_t)sizeof text ||
	    memcmp(text, start, first) != 0)
		return false;
	*queued = memcmp(text, start, sizeof text) == 0;
	return true;
}

/* Nobody has asked for it in time, nor asks for it now. */
static bool
delete_old(int folder, const char *name, int fd, time_t since,
    const struct account *a)
{
	if (!limit_is_over(a, since) || flock(fd, LOCK_EX | LOCK_NB) != 0 ||
	    unlinkat(folder, name, 0) != 0)
		return false;
	log_note(LEVEL_WARNING, "the kept message %s is deleted: nobody has "
	    "asked for it in time (retry-for)", name);
	return true;
}

struct weight {
	uint64_t octets, messages;
};

static void
weigh(int folder, const char *name, const struct account *a, bool queued,
    struct weight *w)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	struct stat st;
	bool is;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_kept(fd, &is) &&
	    is == queued && (queued ||
	    !delete_old(folder, name, fd, st.st_mtime, a))) {
		w->messages++;
		w->octets += (uint64_t)st.st_size;
	}
	(void)close(fd);
}

/* What a run that was killed has begun, and nobody has ever read. */
static void
sweep(int folder, const char *name)
{
	struct stat st;

	if (strncmp(name, ".new.", 5) == 0 && fstatat(folder, name, &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    time(NULL) - st.st_mtime > BEGUN_MAX)
		(void)unlinkat(folder, name, 0);
}

bool
limit_has_room(int folder, const char *path, const struct account *a,
    bool queued, struct failure *why)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const char *limit = a != NULL ? config_value(a, SET_KEEP_LIMIT) :
	    setting_kind(SET_KEEP_LIMIT)->standard;
	struct weight w = { 0, 0 }, max = { 0, 0 };
	const struct dirent *entry;

	if (d == NULL) {
		(void)fail_errno(why, FAILURE_KEEP, "%s", path);
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			weigh(folder, entry->d_name, a, queued, &w);
		else
			sweep(folder, entry->d_name);
	(void)closedir(d);
	(void)setting_limit(limit, &max.octets, &max.messages);
	return (w.messages < max.messages && w.octets < max.octets) ||
	    fail(why, FAILURE_KEEP, "%s: keep-limit (%s) is reached: %" PRIu64
	    " messages, %" PRIu64 " octets (mailq lists them, sendoff "
	    "--forget deletes one)", path, limit, w.messages, w.octets);
}
