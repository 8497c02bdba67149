#include "store.h"
#include "command.h"
#include "file.h"
#include "log.h"
#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char store_spool[] = "/var/spool/sendoff";

enum { LINE_ROOM = 64 * 1024 };		/* of an envelope; none is as long */

struct listing {
	struct stored *list;
	size_t n;
	const char **seen;		/* folders, so that none comes twice */
	size_t nseen;
	struct unreads unreads;
	struct pool *pool;
};

static bool
recipient(struct stored *s, const char *text, off_t at, struct pool *pool,
    struct failure *why)
{
	struct rcpt_command rcpt;
	size_t n = s->n, m = n;

	s->rcpt = pool_grow(pool, s->rcpt, &n, sizeof *s->rcpt);
	s->at = pool_grow(pool, s->at, &m, sizeof *s->at);
	s->rcpt[s->n] = pool_string(pool, text);
	s->at[s->n] = at;
	if (!command_rcpt(s->rcpt[s->n], &rcpt, pool, why))
		return false;
	s->recipients = pool_grow(pool, s->recipients, &s->n,
	    sizeof *s->recipients);
	s->recipients[s->n - 1] = path_of(&rcpt.to, pool);
	return true;
}

/* Is the line one of those that stand behind what changes (record.h)? */
static bool
stays(const char *line)
{
	return strncmp(line, "id ", 3) == 0 ||
	    strncmp(line, "account ", 8) == 0 ||
	    strncmp(line, "created ", 8) == 0;
}

static bool
envelope_line(struct stored *s, const char *line, off_t at,
    struct pool *pool, struct failure *why)
{
	struct mail_command mail;

	if (strncmp(line, "NOOP ", 5) == 0) {
		s->fixed = s->fixed || (at == RECORD_ROOM &&
		    strncmp(line + 5, "id ", 3) == 0);
		if (stays(line + 5) == (at >= RECORD_ROOM))
			record_take(&s->record, line + 5, pool);
		return true;
	}
	if (strncmp(line, "MAIL ", 5) == 0) {
		s->mail = pool_string(pool, line + 5);
		if (!command_mail(s->mail, &mail, pool, why))
			return false;
		s->sender = path_of(&mail.sender, pool);
		return true;
	}
	return strncmp(line, "RCPT ", 5) != 0 ||
	    recipient(s, line + 5, at, pool, why);
}

static bool
is_state(const char *text)
{
	static const char *const states[] = {
		"queued", "held", "refused", "unknown"
	};
	size_t i;

	for (i = 0; text != NULL && i < sizeof states / sizeof *states; i++)
		if (strcmp(states[i], text) == 0)
			return true;
	return false;
}

/* The next line; one that is too long, or has a NUL, has no end. */
static bool
next_line(FILE *f, char line[LINE_ROOM], off_t *at)
{
	const char *end;

	if (fgets(line, LINE_ROOM, f) == NULL ||
	    (end = strchr(line, '\n')) == NULL)
		return false;
	*at += end + 1 - line;
	return true;
}

static bool
read_envelope(FILE *f, struct stored *s, struct pool *pool,
    struct failure *why)
{
	char line[LINE_ROOM];
	off_t at = 0, start = 0;
	bool data = false, ours = true;

	for (; !data && ours && next_line(f, line, &at); start = at) {
		/* what else stands there goes with the first settling */
		ours = start >= RECORD_ROOM || strncmp(line, "NOOP", 4) == 0;
		data = strcmp(line, "DATA\r\n") == 0;
		line[strcspn(line, "\r\n")] = '\0';
		if (!data && !envelope_line(s, line, start, pool, why))
			return false;
	}
	if (!ours || !data || s->mail == NULL || !s->fixed ||
	    s->record.id == NULL || !is_state(s->record.state))
		return fail(why, FAILURE_KEEP, "%s is no kept message",
		    s->path);
	s->data = (uint64_t)at;
	return true;
}

bool
store_read_open(FILE *f, struct stored *s, struct pool *pool,
    struct failure *why)
{
	struct stat st;

	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
		return fail(why, FAILURE_KEEP, "%s is no kept message",
		    s->path);
	s->size = (uint64_t)st.st_size;
	rewind(f);
	return read_envelope(f, s, pool, why);
}

/* A link is the owner's way or root's, or it leads astray (EPERM). */
static bool
is_trusted_way(const char *path, uid_t owner)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return false;
	errno = EPERM;
	return (!S_ISLNK(st.st_mode) || st.st_uid == 0 ||
	    st.st_uid == owner) && file_folder_is_safe(path, owner);
}

/* Of what is open; false with the reason in errno. */
static bool
is_trusted(int fd, const char *path, bool public, uid_t owner)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	errno = EPERM;
	return st.st_uid == owner && (st.st_mode & 022) == 0 &&
	    (public || is_trusted_way(path, owner));
}

bool
store_is_spool(const char *path)
{
	size_t n = sizeof store_spool - 1;

	return strncmp(path, store_spool, n) == 0 && path[n] == '/';
}

int
store_folder(const char *path, uid_t owner)
{
	bool public = store_is_spool(path);
	int fd = public ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW) : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error;

	if (fd < 0 || is_trusted(fd, path, public, owner))
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

const char *
store_error(int error)
{
	return error == EPERM ? "others can write it or what it lies in, or it "
	    "belongs to another user (namei -l shows which)" : strerror(error);
}

/* Neither through a link nor to wait for who writes a FIFO. */
static int
open_file(int folder, const char *name)
{
	return openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
}

bool
store_read(int folder, const char *name, struct stored *s, struct pool *pool,
    struct failure *why)
{
	int fd = open_file(folder, name);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	bool ok;

	if (f == NULL) {
		(void)fail_errno(why, FAILURE_KEEP, "%s", s->path);
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	ok = store_read_open(f, s, pool, why);
	(void)fclose(f);
	return ok;
}

/* As plan_id() makes them: "20261126T025350Z-236a4f4cfe02". */
static bool
has_name(const char *name)
{
	static const char digits[] = "0123456789";

	return strspn(name, digits) == 8 && name[8] == 'T' &&
	    strspn(name + 9, digits) == 6 && name[15] == 'Z' &&
	    name[16] == '-';
}

/* Or has been sent: then it is no longer there. */
static bool
is_being_sent(int folder, const char *name)
{
	int fd = open_file(folder, name);
	bool busy = fd < 0 ? errno == ENOENT : flock(fd, LOCK_SH | LOCK_NB) !=
	    0 && errno == EWOULDBLOCK;

	if (fd >= 0)
		(void)close(fd);
	return busy;
}

/* In words: why it cannot be read, and what to do. */
static void
object(struct failure *why, int error, const char *path, uid_t owner,
    const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		(void)fail(why, FAILURE_MESSAGE, "%s is no file that a message "
		    "could be read from; find out who has put it there, and "
		    "delete it", path);
	else if (error == 0)
		(void)fail(why, FAILURE_MESSAGE, "%s is damaged and is not "
		    "sent; read what is left of it, send that anew, and delete "
		    "the file", path);
	else if (error == EACCES && st->st_uid != owner)
		(void)fail(why, FAILURE_INPUT, "%s cannot be read and is not "
		    "sent, for it belongs to another user; mend it as root: "
		    "chown %lu %s", path, (unsigned long)owner, path);
	else
		(void)fail(why, FAILURE_INPUT, "%s cannot be read and is not "
		    "sent: %s%s%s", path, strerror(error), error == EACCES ?
		    "; mend it with: chmod 600 " : "", error == EACCES ? path :
		    "");
}

static const struct failure *
objection(int folder, const char *path, uid_t owner, const char *name,
    struct pool *pool)
{
	int fd = open_file(folder, name), error = fd < 0 ? errno : 0;
	struct stat st = { .st_mode = S_IFREG, .st_uid = owner };
	struct failure why;

	if (fd >= 0)
		(void)close(fd);
	(void)fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW);
	object(&why, error, path, owner, &st);
	return failure_keep(&why, pool);
}

static bool
read_file(struct listing *l, int folder, const char *path, uid_t owner,
    const char *name)
{
	struct stored s = { .owner = owner, .path = path };
	struct failure why;

	if (!store_read(folder, name, &s, l->pool, &why))
		return false;
	l->list = pool_grow(l->pool, l->list, &l->n, sizeof *l->list);
	l->list[l->n - 1] = s;
	return true;
}

static void
add_unread(struct listing *l, const struct unread *bad)
{
	struct unreads *u = &l->unreads;

	log_note(LEVEL_WARNING, "%s", bad->why->text);
	u->list = pool_grow(l->pool, u->list, &u->n, sizeof *u->list);
	u->list[u->n - 1] = *bad;
}

/* What a run beside this one is changing can look like nothing. */
static void
list_file(struct listing *l, int folder, const char *path, uid_t owner,
    const char *name)
{
	struct unread bad = { .path = pool_printf(l->pool, "%s/%s", path,
	    name) };

	if (read_file(l, folder, bad.path, owner, name) ||
	    is_being_sent(folder, name) ||
	    read_file(l, folder, bad.path, owner, name))
		return;
	if (!has_name(name)) {
		log_note(LEVEL_WARNING, "%s is no kept message", bad.path);
		return;
	}
	bad.why = objection(folder, bad.path, owner, name, l->pool);
	add_unread(l, &bad);
}

static void
pass_over(struct listing *l, const char *path, int error)
{
	struct unread bad = { .path = path, .folder = true };
	struct failure why;

	(void)fail(&why, FAILURE_INPUT, "%s is passed over, with what is in "
	    "it: %s", path, store_error(error));
	bad.why = failure_keep(&why, l->pool);
	add_unread(l, &bad);
}

static void
list_folder(struct listing *l, const char *path, uid_t owner)
{
	const struct dirent *entry;
	DIR *d;
	size_t i;
	int fd;

	for (i = 0; i < l->nseen; i++)
		if (strcmp(l->seen[i], path) == 0)
			return;
	l->seen = pool_grow(l->pool, l->seen, &l->nseen, sizeof *l->seen);
	l->seen[l->nseen - 1] = path;
	fd = store_folder(path, owner);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		if (errno != ENOENT)
			pass_over(l, path, errno);
		return;
	}
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			list_file(l, dirfd(d), path, owner,
			    entry->d_name);
	(void)closedir(d);
}

/* 0 is none: the folder is root's own, or "01000", a second name of one. */
static uid_t
owner_named(const char *name)
{
	char digits[24];
	uid_t uid = (uid_t)strtoul(name, NULL, 10);

	(void)snprintf(digits, sizeof digits, "%lu", (unsigned long)uid);
	return strcmp(digits, name) == 0 ? uid : 0;
}

/* Folders are named for their owners; what is not theirs is none. */
uid_t *
store_owners(struct pool *pool, size_t *n)
{
	const struct dirent *entry;
	DIR *d = opendir(store_spool);
	uid_t *list = NULL, uid;
	struct stat st;

	*n = 0;
	while (d != NULL && (entry = readdir(d)) != NULL) {
		uid = owner_named(entry->d_name);
		if (uid == 0 || fstatat(dirfd(d), entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode) ||
		    st.st_uid != uid)
			continue;
		list = pool_grow(pool, list, n, sizeof *list);
		list[*n - 1] = uid;
	}
	if (d != NULL)
		(void)closedir(d);
	return list;
}

/* mailq shows root everything. */
static void
list_everyone(struct listing *l)
{
	size_t n, i;
	uid_t *owners = store_owners(l->pool, &n);

	for (i = 0; i < n; i++)
		list_folder(l, pool_printf(l->pool, "%s/%lu", store_spool,
		    (unsigned long)owners[i]), owners[i]);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct stored *)a)->record.id,
	    ((const struct stored *)b)->record.id);
}

struct stored *
store_list(const struct config *config, const struct caller *c,
    const char *also, bool everyone, struct pool *pool, size_t *n,
    struct unreads *unreads)
{
	struct listing l = { .pool = pool };
	const char *keep;
	size_t i;

	for (i = 0; i < config->n; i++) {
		keep = config->accounts[i].values[SET_KEEP];
		if (keep != NULL && *keep == '/')
			list_folder(&l, keep, c->uid);
	}
	if (also != NULL && strcmp(also, "never") != 0)
		list_folder(&l, also, c->uid);
	if (c->home != NULL)
		list_folder(&l, pool_printf(pool, "%s/.local/state/sendoff",
		    c->home), c->uid);
	list_folder(&l, pool_printf(pool, "%s/%lu", store_spool,
	    (unsigned long)c->uid), c->uid);
	if (everyone && c->uid == 0)
		list_everyone(&l);
	if (l.n > 1)
		qsort(l.list, l.n, sizeof *l.list, compare);
	*n = l.n;
	if (unreads != NULL)
		*unreads = l.unreads;
	return l.list;
}
