#define _GNU_SOURCE			/* syncfs() */
#include "keep.h"
#include "limit.h"
#include "scan.h"
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	BLOCK_ROOM = 64 * 1024,
	RETRY_FIRST = 300,		/* seconds */
	RETRY_LAST = 4 * 3600
};

const char *
keep_state(const struct outcome *o)
{
	size_t i;

	if (outcome_count(o, VERDICT_UNKNOWN) > 0)
		return "unknown";
	for (i = 0; i < o->n; i++)
		if (o->results[i].verdict != VERDICT_SENT &&
		    o->results[i].verdict != VERDICT_QUEUED &&
		    (o->results[i].verdict != VERDICT_REFUSED ||
		    !o->results[i].why->of_mail))
			return "held";
	return "refused";
}

static bool
sync_folder(const char *path, int how(int))
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && how(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

/*
 * A new folder is only there for good when the one it is in is on disk.  Where
 * that is not ours to open, as the store's parent (mode 1733), the whole file
 * system is.
 */
static bool
make_folder(const char *path, struct pool *pool)
{
	char *parent = pool_string(pool, path), *slash;

	if (mkdir(path, 0700) != 0)
		return errno == EEXIST;
	slash = strrchr(parent, '/');
	if (slash != NULL)
		slash[slash == parent] = '\0';
	else
		parent = pool_string(pool, ".");	/* as --keep=failed has it */
	return sync_folder(parent, fsync) ||
	    (errno == EACCES && sync_folder(path, syncfs));
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
		if (!make_folder(copy, pool))
			return false;
		*p = '/';
	}
	return make_folder(copy, pool);
}

bool
keep_may_retry(const struct result *r)
{
	return r->verdict == VERDICT_DEFERRED &&
	    failure_status(r->why->kind) == failure_status(FAILURE_DEFERRED);
}

time_t
keep_next(unsigned attempts, time_t now)
{
	time_t wait = RETRY_FIRST;

	if (attempts <= 1)
		return now;
	for (; attempts > 2 && wait < RETRY_LAST; attempts--)
		wait *= 2;
	return now + (wait < RETRY_LAST ? wait : RETRY_LAST);
}

bool
keep_is_due(time_t next, time_t now)
{
	return next <= now || next > now + RETRY_LAST;
}

/* The gravest reason among those whom the file is for. */
static const struct failure *
reason(const struct leftover *l)
{
	struct outcome o = *l->outcome;
	size_t i;

	o.results = pool_array(l->pool, o.n, sizeof *o.results);
	for (i = 0, o.n = 0; i < l->outcome->n; i++)
		if (l->which[i])
			o.results[o.n++] = l->outcome->results[i];
	return outcome_gravest(&o);
}

static void
put_record(struct buffer *b, const struct leftover *l)
{
	const struct failure *why = reason(l);
	bool queued = strcmp(l->state, "queued") == 0;
	time_t now = time(NULL);
	struct record r = { .attempts = 1, .created = now };

	if (l->was != NULL)
		r = *l->was;
	r.state = l->state;
	r.tried = now;
	r.next = queued ? keep_next(r.attempts, now) : 0;
	r.status = why != NULL ? failure_status(why->kind) : 0;
	r.reason = why != NULL ? why->text : NULL;
	r.id = l->id;
	if (l->account != NULL)
		r.account = l->account->name;
	record_put(b, &r, l->pool);
	record_put_fixed(b, &r, l->pool);
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

/* The seconds of BY count from when the file says it was created. */
static const char *
terms_kept(const struct leftover *l)
{
	struct terms terms = l->envelope->terms;
	time_t now = time(NULL);

	if (!terms_count_from(&terms, now))
		terms.by = 1;			/* over, but in form */
	if (l->was != NULL && l->was->created != 0 && l->was->created < now)
		terms.by += now - l->was->created;
	return terms_parameters(&terms, l->pool);
}

static void
put_envelope(struct buffer *b, const struct leftover *l)
{
	const struct envelope *e = l->envelope;
	const struct message *m = l->message;
	const struct recipient *r;
	const char *notify;
	bool orcpt;
	size_t i;

	buffer_printf(b, "EHLO localhost\r\n"
	    "MAIL FROM:<%s>%s%s%s%s%s%s%s%s\r\n",
	    e->sender, m->body_8bit || m->header_8bit ? " BODY=8BITMIME" : "",
	    any_utf8(e) ? " SMTPUTF8" : "",
	    e->requiretls ? " REQUIRETLS" : "",
	    e->ret != NULL ? " RET=" : "", e->ret != NULL ? e->ret : "",
	    e->envid != NULL ? " ENVID=" : "",
	    e->envid != NULL ? e->envid : "",
	    terms_kept(l));
	for (i = 0; i < e->n; i++) {
		if (!l->which[i])
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
write_file(int folder, const struct leftover *l, struct buffer *b,
    const char *path, struct failure *why)
{
	const char *temporary = pool_printf(l->pool, ".new.%s", l->id);
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;

	if (fd < 0)
		return fail_errno(why, FAILURE_KEEP, "%s", path);
	ok = write_message(fd, b, l->message, path, why);
	if (close(fd) != 0 && ok)
		ok = fail_errno(why, FAILURE_KEEP, "%s", path);
	if (ok && renameat(folder, temporary, folder, l->id) != 0)
		ok = fail_errno(why, FAILURE_KEEP, "%s", path);
	if (ok && fsync(folder) != 0) {
		ok = fail_errno(why, FAILURE_KEEP, "%s", path);
		temporary = l->id;	/* is not sent behind our back */
	}
	if (!ok)
		(void)unlinkat(folder, temporary, 0);
	return ok;
}

size_t
keep_places(const char *list[KEEP_PLACES], const struct account *a,
    const struct caller *c, struct pool *pool)
{
	const char *home = c->home == NULL ? NULL :
	    pool_printf(pool, "%s/.local/state/sendoff", c->home);
	const char *spool = pool_printf(pool, "%s/%lu", store_spool,
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

/* What the system's timer is to send is not below home, the last of them. */
static size_t
places(const char *list[KEEP_PLACES], const struct leftover *l)
{
	size_t n = keep_places(list, l->account, l->caller, l->pool);
	bool timed = strcmp(l->state, "queued") == 0 && l->caller->uid != 0 &&
	    l->account != NULL && l->account->system;

	return timed && l->caller->home != NULL ? n - 1 : n;
}

/* The installation makes the parent of the system's store. */
bool
keep_prepare(const char *path, struct pool *pool)
{
	return (!store_is_spool(path) || access(store_spool, F_OK) == 0) &&
	    make_folders(path, pool);
}

static int
open_place(const char *path, const struct leftover *l)
{
	return keep_prepare(path, l->pool) ?
	    store_folder(path, l->caller->uid) : -1;
}

static bool
keep_in(int folder, const char *path, const struct leftover *l,
    struct kept *kept, struct failure *why)
{
	struct buffer b = { 0 };
	bool ok;

	if (l->was == NULL && !limit_has_room(folder, path, l->account,
	    strcmp(l->state, "queued") == 0, why))
		return false;
	put_record(&b, l);
	put_envelope(&b, l);
	kept->path = pool_printf(l->pool, "%s/%s", path, l->id);
	kept->state = l->state;
	ok = write_file(folder, l, &b, kept->path, why);
	buffer_free(&b);
	return ok;
}

static bool
try_place(const char *path, const struct leftover *l, struct kept *kept,
    struct failure *why)
{
	int folder = open_place(path, l), error = errno;
	bool done;

	if (folder < 0) {
		if (error == ENOENT && store_is_spool(path))
			(void)fail(why, FAILURE_KEEP, "%s is missing; root "
			    "makes it with: install -d -m 1733 %s",
			    store_spool, store_spool);
		else
			(void)fail(why, FAILURE_KEEP, "%s: %s", path,
			    store_error(error));
		errno = error;
		return false;
	}
	done = keep_in(folder, path, l, kept, why);
	(void)close(folder);
	return done;
}

/* The reason that the first place fails for is the one to be told. */
bool
keep_message(const struct leftover *l, struct kept *kept,
    struct failure *why)
{
	const char *list[KEEP_PLACES] = { 0 };
	size_t n = l->folder != NULL ? 1 : places(list, l), i;
	struct failure one;

	if (l->folder != NULL)
		list[0] = l->folder;
	kept->passed_over = NULL;
	(void)fail(why, FAILURE_KEEP, "there is no place for it");
	for (i = 0; i < n; i++) {
		if (try_place(list[i], l, kept, i == 0 ? why : &one))
			break;
		if (i == 0 && (errno != ENOENT || !store_is_spool(list[0])))
			kept->passed_over = pool_string(l->pool, why->text);
	}
	return i < n;
}

bool
keep_settle(int fd, const struct record *r, struct pool *pool,
    struct failure *why)
{
	struct buffer b = { 0 };
	ssize_t n;

	record_put(&b, r, pool);
	do
		n = pwrite(fd, buffer_data(&b), buffer_len(&b), 0);
	while (n < 0 && errno == EINTR);
	buffer_free(&b);
	return (n == RECORD_ROOM && fsync(fd) == 0) || fail_errno(why,
	    FAILURE_KEEP, "the kept message %s cannot be written", r->id);
}

bool
keep_strike(int fd, const off_t *rcpts, size_t n, struct failure *why)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < n && ok; i++)
		ok = pwrite(fd, "NOOP", 4, rcpts[i]) == 4;
	return (ok && (n == 0 || fsync(fd) == 0)) || fail_errno(why,
	    FAILURE_KEEP, "who got the kept message cannot be struck out");
}
