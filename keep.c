#include "keep.h"
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_ROOM = 64 * 1024 };

static const char spool_parent[] = "/var/spool/sendoff";

const char *
keep_state(const struct outcome *o)
{
	size_t i;

	if (outcome_count(o, VERDICT_UNKNOWN) > 0)
		return "unknown";
	for (i = 0; i < o->n; i++)
		if (o->results[i].verdict != VERDICT_SENT &&
		    (o->results[i].verdict != VERDICT_REFUSED ||
		    !o->results[i].why->of_mail))
			return "held";
	return "refused";
}

/* Every folder on the way that is missing, with mode 0700. */
static bool
make_folders(const char *path, struct pool *pool)
{
	char *copy = pool_string(pool, path), *p;

	for (p = copy + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			return false;
		*p = '/';
	}
	return mkdir(copy, 0700) == 0 || errno == EEXIST;
}

/*
 * The open folder, or -1 with errno.  A stranger could have prepared it: what
 * was opened must be a folder of the caller's that nobody else can write.
 */
static int
open_folder(const char *path, const struct caller *c, struct pool *pool)
{
	struct stat st;
	int fd;

	if (!make_folders(path, pool))
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == c->uid &&
	    (st.st_mode & 022) == 0)
		return fd;
	(void)close(fd);
	errno = EPERM;
	return -1;
}

static const char *
when(time_t t, struct pool *pool)
{
	char text[32] = "";
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return pool_string(pool, text);
}

/* NOOP says nothing to a server: RFC 5321 section 4.1.1.9. */
static void
put_notes(struct buffer *b, const char *id, const struct account *a,
    const struct outcome *o, struct pool *pool)
{
	const struct failure *why = outcome_gravest(o);
	const char *now = when(time(NULL), pool);

	buffer_printf(b, "NOOP sendoff 1\r\nNOOP id %s\r\n", id);
	if (a != NULL)
		buffer_printf(b, "NOOP account %s\r\n", a->name);
	buffer_printf(b, "NOOP state %s\r\nNOOP attempts 1\r\n"
	    "NOOP created %s\r\nNOOP tried %s\r\n", keep_state(o), now, now);
	if (why != NULL)
		buffer_printf(b, "NOOP status %d\r\nNOOP reason %s\r\n",
		    failure_status(why->kind), why->text);
}

/* A header beyond ASCII may be encoded when it is sent: convert.h. */
static bool
any_utf8(const struct envelope *e)
{
	bool any = e->sender_utf8 || e->smtputf8_always;
	size_t i;

	for (i = 0; i < e->n; i++)
		any = any || e->recipients[i].utf8;
	return any;
}

static void
put_envelope(struct buffer *b, const struct envelope *e,
    const struct message *m, const struct outcome *o, struct pool *pool)
{
	struct terms terms = e->terms;
	const struct recipient *r;
	const char *notify;
	bool orcpt;
	size_t i;

	if (!terms_count_from(&terms, time(NULL)))
		terms.by = 1;			/* over, but in form */
	buffer_printf(b, "EHLO localhost\r\n"
	    "MAIL FROM:<%s>%s%s%s%s%s%s%s%s\r\n",
	    e->sender, m->body_8bit || m->header_8bit ? " BODY=8BITMIME" : "",
	    any_utf8(e) ? " SMTPUTF8" : "",
	    e->requiretls ? " REQUIRETLS" : "",
	    e->ret != NULL ? " RET=" : "", e->ret != NULL ? e->ret : "",
	    e->envid != NULL ? " ENVID=" : "",
	    e->envid != NULL ? e->envid : "",
	    terms_parameters(&terms, pool));
	for (i = 0; i < e->n; i++) {
		if (o->results[i].verdict == VERDICT_SENT)
			continue;
		r = &e->recipients[i];
		notify = r->notify != NULL ? r->notify : e->notify;
		orcpt = r->orcpt != NULL && (notify != NULL || r->orcpt_given);
		buffer_printf(b, "RCPT TO:<%s>%s%s%s%s\r\n", r->path,
		    notify != NULL ? " NOTIFY=" : "",
		    notify != NULL ? notify : "",
		    orcpt ? " ORCPT=" : "", orcpt ? r->orcpt : "");
	}
	buffer_put(b, "DATA\r\n", 6);
}

static bool
flush(int fd, struct buffer *b, const char *path, struct failure *why)
{
	ssize_t n;

	while (buffer_len(b) > 0) {
		n = write(fd, buffer_data(b), buffer_len(b));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(why, FAILURE_KEEP, "%s", path);
		buffer_take(b, (size_t)n);
	}
	return true;
}

/* A dot at the start of a line is doubled, as on the wire. */
static void
put_stuffed(struct buffer *b, const char *p, size_t len, bool *at_start)
{
	char *out = buffer_room(b, 2 * len + SCAN_SLACK);

	buffer_added(b, scan_stuff(p, len, at_start, out));
}

static bool
write_message(int fd, struct buffer *b, const struct message *m,
    const char *path, struct failure *why)
{
	char block[BLOCK_ROOM];
	bool at_start = true;
	uint64_t offset = 0;
	size_t n;

	do {
		if (!message_octets(m, offset, block, sizeof block, &n, why))
			return false;
		put_stuffed(b, block, n, &at_start);
		offset += n;
		if (!flush(fd, b, path, why))
			return false;
	} while (n > 0);
	buffer_printf(b, ".\r\nQUIT\r\n");
	if (!flush(fd, b, path, why))
		return false;
	return fsync(fd) == 0 || fail_errno(why, FAILURE_KEEP, "%s", path);
}

/* Whole or not at all: the name appears when every octet is on disk. */
static bool
write_file(int folder, const char *id, struct buffer *b,
    const struct message *m, const char *path, struct pool *pool,
    struct failure *why)
{
	const char *temporary = pool_printf(pool, ".new.%s", id);
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;

	if (fd < 0)
		return fail_errno(why, FAILURE_KEEP, "%s", path);
	ok = write_message(fd, b, m, path, why);
	if (close(fd) != 0 && ok)
		ok = fail_errno(why, FAILURE_KEEP, "%s", path);
	if (ok && (renameat(folder, temporary, folder, id) != 0 ||
	    fsync(folder) != 0))
		ok = fail_errno(why, FAILURE_KEEP, "%s", path);
	if (!ok)
		(void)unlinkat(folder, temporary, 0);
	return ok;
}

static size_t
places(const char *list[3], const struct account *a, const struct caller *c,
    struct pool *pool)
{
	const char *home = c->home == NULL ? NULL :
	    pool_printf(pool, "%s/.local/state/sendoff", c->home);
	const char *spool = pool_printf(pool, "%s/%lu", spool_parent,
	    (unsigned long)c->uid);
	bool system = a != NULL && a->system;
	size_t n = 0;

	if (a != NULL && a->values[SET_KEEP] != NULL)
		list[n++] = a->values[SET_KEEP];
	if (system)
		list[n++] = spool;
	if (home != NULL)
		list[n++] = home;
	if (!system)
		list[n++] = spool;
	return n;
}

bool
keep_message(const char *id, const struct account *a,
    const struct envelope *e, const struct message *m,
    const struct outcome *o, const struct caller *c, struct pool *pool,
    struct kept *kept, struct failure *why)
{
	const char *list[3] = { 0 };
	size_t n = places(list, a, c, pool), i;
	struct buffer b = { 0 };
	bool done = false;
	int folder;

	(void)fail(why, FAILURE_KEEP, "there is no place for it");
	for (i = 0; i < n && !done; i++) {
		folder = strcmp(list[i], spool_parent) > 0 &&
		    strncmp(list[i], spool_parent, strlen(spool_parent)) == 0 &&
		    access(spool_parent, F_OK) != 0 ? -1 :
		    open_folder(list[i], c, pool);
		if (folder < 0) {
			(void)fail_errno(why, FAILURE_KEEP, "%s", list[i]);
			continue;
		}
		put_notes(&b, id, a, o, pool);
		put_envelope(&b, e, m, o, pool);
		kept->path = pool_printf(pool, "%s/%s", list[i], id);
		kept->state = keep_state(o);
		done = write_file(folder, id, &b, m, kept->path, pool, why);
		(void)close(folder);
		buffer_free(&b);
	}
	return done;
}
