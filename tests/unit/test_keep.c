/* What is written to the store, and that it is read back as it was. */
#define _GNU_SOURCE			/* memfd_create() */
#include "keep.h"
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char home[] = "/tmp/test_keep.XXXXXX";

/*
 * The system as keep.c sees it: /var/spool/sendoff is a folder below home,
 * steps are noted and one kind of them fails.  w: write, F, D: fsync of a file
 * or folder, c: close of a file, r: rename.
 */
static struct {
	bool watched;
	char steps[32];
	char fails;
	size_t most;			/* octets in one write; 0: all */
	bool interrupted;		/* every other write */
} os;

static const char *
placed(const char *path)
{
	static const char spool[] = "/var/spool/sendoff";
	static char out[4096];
	size_t n = strlen(spool);

	if (strncmp(path, spool, n) != 0 ||
	    (path[n] != '\0' && path[n] != '/'))
		return path;
	(void)snprintf(out, sizeof out, "%s/spool%s", home, path + n);
	return out;
}

static bool
step(char what)
{
	size_t n = strlen(os.steps);

	if (!os.watched)
		return true;
	if ((n == 0 || os.steps[n - 1] != what) && n + 1 < sizeof os.steps)
		os.steps[n] = what;
	errno = EIO;
	return os.fails != what;
}

int
access(const char *path, int mode)
{
	return (int)syscall(SYS_faccessat, AT_FDCWD, placed(path), mode);
}

int
mkdir(const char *path, mode_t mode)
{
	return (int)syscall(SYS_mkdirat, AT_FDCWD, placed(path), mode);
}

int
open(const char *path, int flags, ...)
{
	return (int)syscall(SYS_openat, AT_FDCWD, placed(path), flags, 0);
}

ssize_t
write(int fd, const void *octets, size_t n)
{
	static bool odd;

	odd = !odd;
	if (os.watched && os.interrupted && odd) {
		errno = EINTR;
		return -1;
	}
	if (!step('w'))
		return -1;
	if (os.watched && os.most > 0 && n > os.most)
		n = os.most;
	return syscall(SYS_write, fd, octets, n);
}

static bool
is_folder(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return S_ISDIR(st.st_mode);
}

int
fsync(int fd)
{
	return step(is_folder(fd) ? 'D' : 'F') ? (int)syscall(SYS_fsync, fd) :
	    -1;
}

int
close(int fd)
{
	bool ok = is_folder(fd) || step('c');

	return syscall(SYS_close, fd) == 0 && ok ? 0 : -1;
}

int
renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	assert_int_equal(from_folder, to_folder);
	assert_int_equal(*from, '.');		/* no list shows it */
	return step('r') ? (int)syscall(SYS_renameat2, from_folder, from,
	    to_folder, to, 0) : -1;
}

static bool
read_back(const char *path, struct stored *s, struct pool *pool,
    struct failure *why)
{
	*s = (struct stored){ .path = path };
	return store_read(AT_FDCWD, path, s, pool, why);
}

static struct recipient people[] = {
	{ .path = "sent@x", .key = "sent@x" },
	{ .path = "no@x", .key = "no@x", .orcpt = "rfc822;no@x" },
	{ .path = "later@x", .key = "later@x", .notify = "NEVER",
	    .orcpt = "rfc822;l@x", .orcpt_given = true },
};

static struct message *
message(struct pool *pool)
{
	static const char text[] = "Subject: s\n\n.dot\n\xc3\xbc\n";
	struct input in = { .fd = memfd_create("message", MFD_CLOEXEC) };
	struct message *m;
	struct failure why;

	assert_int_equal(write(in.fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(in.fd, 0, SEEK_SET), 0);
	assert_true(message_read(&in, false, NULL, pool, &m, &why));
	(void)close(in.fd);
	buffer_free(&in.octets);
	message_compose(m, "X: y\r\n", NULL);
	return m;
}

static void
outcome(struct outcome *o, enum failure_kind second, enum failure_kind third,
    bool of_mail, struct pool *pool)
{
	struct failure why = { .kind = second, .of_mail = of_mail };

	outcome_init(o, 3, pool);
	outcome_sent(o, 0, "250 ok");
	(void)strcpy(why.text, "the reason");
	outcome_failed(o, 1, &why);
	why.kind = third;
	outcome_failed(o, 2, &why);
}

static void
test_state(void **state)
{
	static const struct {
		enum failure_kind second, third;
		bool of_mail;
		const char *want;
	} cases[] = {
		{ FAILURE_REFUSED, FAILURE_NOUSER, true, "refused" },
		{ FAILURE_REFUSED, FAILURE_NOUSER, false, "held" },
		{ FAILURE_REFUSED, FAILURE_DEFERRED, true, "held" },
		{ FAILURE_CONNECT, FAILURE_CONNECT, false, "held" },
		{ FAILURE_REFUSED, FAILURE_UNKNOWN, true, "unknown" },
		{ FAILURE_AUTH, FAILURE_AUTH, false, "held" },
	};
	struct pool *pool = pool_new();
	struct outcome o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		outcome(&o, cases[i].second, cases[i].third, cases[i].of_mail,
		    pool);
		assert_string_equal(keep_state(&o), cases[i].want);
	}
	pool_free(pool);
}

static char *
contents(const char *path, struct pool *pool)
{
	FILE *f = fopen(path, "r");
	char text[4096];
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof text, f);
	(void)fclose(f);
	return pool_octets(pool, text, n);
}

static void
test_retry(void **state)
{
	static const struct {
		enum failure_kind kind;
		bool may;
	} cases[] = {
		{ FAILURE_DEFERRED, true },	{ FAILURE_CONNECT, true },
		{ FAILURE_LOST, true },		{ FAILURE_TIMEOUT, true },
		{ FAILURE_INTERRUPTED, true },	{ FAILURE_TLS_UNTRUSTED, true },
		{ FAILURE_RESOLVE_TEMPORARY, true }, { FAILURE_TOKEN, true },
		{ FAILURE_UNKNOWN, false },	{ FAILURE_AUTH, false },
		{ FAILURE_CONFIG, false },	{ FAILURE_PERMISSION, false },
		{ FAILURE_REFUSED, false },	{ FAILURE_NOUSER, false },
		{ FAILURE_DATA, false },	{ FAILURE_INPUT, false },
		{ FAILURE_LOCAL, false },	{ FAILURE_PROTOCOL, false },
		{ FAILURE_NO_MECHANISM, false },
		{ FAILURE_TLS_MISSING, false },
	};
	struct failure why = { 0 };
	struct result r = { .verdict = VERDICT_SENT };
	size_t i;

	(void)state;
	assert_false(keep_may_retry(&r));
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		why.kind = cases[i].kind;
		r = (struct result){ .verdict = outcome_verdict(&why),
		    .why = &why };
		if (keep_may_retry(&r) != cases[i].may)
			fail_msg("%s", failure_word(why.kind));
	}
	why.kind = FAILURE_DEFERRED;
	r.verdict = VERDICT_QUEUED;
	assert_false(keep_may_retry(&r));
}

static void
test_next(void **state)
{
	static const long waits[] = { 0, 0, 300, 600, 1200, 2400, 4800, 9600,
	    14400, 14400, 14400 };
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof waits / sizeof *waits; i++)
		assert_true(keep_next(i, 1000000) == 1000000 + waits[i]);
	assert_true(keep_next((unsigned)-1, 5) == 5 + 14400);
}

/* In the open file: its first octets, and one word of its envelope. */
static void
test_settle(void **state)
{
	static const char text[] = "NOOP id i\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<a@b>\r\nDATA\r\n.\r\nQUIT\r\n";
	struct pool *pool = pool_new();
	const char *path = pool_printf(pool, "%s/settle", home), *got;
	struct record r = { .state = "queued", .attempts = 1, .id = "i" };
	struct buffer b = { 0 };
	struct failure why;
	struct stored s;
	FILE *f = fopen(path, "w");
	int fd;

	(void)state;
	assert_non_null(f);
	record_put(&b, &r, pool);
	(void)fwrite(buffer_data(&b), 1, buffer_len(&b), f);
	(void)fputs(text, f);
	(void)fclose(f);
	buffer_free(&b);
	assert_true(read_back(path, &s, pool, &why));
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
	s.record.state = "unknown";
	s.record.attempts = 7;
	s.record.reason = "why";
	s.record.untold = true;
	assert_true(keep_settle(fd, &s.record, pool, &why));
	assert_true(read_back(path, &s, pool, &why));
	assert_string_equal(s.record.state, "unknown");
	assert_int_equal(s.record.attempts, 7);
	assert_true(s.record.untold);
	got = contents(path, pool);
	assert_string_equal(got + RECORD_ROOM, text);
	os.watched = true;
	os.steps[0] = '\0';
	assert_true(keep_strike(fd, s.at, 1, &why));
	assert_string_equal(os.steps, "F");	/* before any record */
	os.watched = false;
	assert_true(read_back(path, &s, pool, &why));
	assert_int_equal(s.n, 0);
	assert_non_null(strstr(contents(path, pool),
	    "\r\nNOOP TO:<a@b>\r\nDATA"));
	(void)close(fd);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
	assert_false(keep_settle(fd, &s.record, pool, &why));
	assert_int_equal(why.kind, FAILURE_KEEP);
	assert_false(keep_strike(fd, &(off_t){ RECORD_ROOM }, 1, &why));
	assert_int_equal(why.kind, FAILURE_KEEP);
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
	pool_free(pool);
}

static struct account
account(const char *folder)
{
	struct account a = { .name = "work" };

	a.values[SET_KEEP] = folder;
	return a;
}

/* Whatever is not sent, kept for the first time. */
static struct leftover
leftover(const struct envelope *e, const struct message *m,
    const struct outcome *o, const struct caller *c, struct pool *pool)
{
	bool *which = pool_array(pool, o->n, sizeof *which);
	size_t i;

	for (i = 0; i < o->n; i++)
		which[i] = o->results[i].verdict != VERDICT_SENT;
	return (struct leftover){ .id = "id", .envelope = e, .message = m,
	    .outcome = o, .which = which, .state = keep_state(o),
	    .caller = c, .pool = pool };
}

static struct terms terms;		/* of what is kept */

static bool
keep(const char *folder, struct pool *pool, struct kept *kept,
    struct failure *why)
{
	struct envelope e = { .sender = "me@x", .recipients = people, .n = 3,
	    .ret = "HDRS", .notify = "FAILURE", .requiretls = true,
	    .terms = terms };
	struct caller caller = { .uid = getuid(), .home = home };
	struct account a = account(folder);
	struct message *m = message(pool);
	struct leftover l;
	struct outcome o;
	bool ok;

	outcome(&o, FAILURE_DEFERRED, FAILURE_DEFERRED, true, pool);
	l = leftover(&e, m, &o, &caller, pool);
	l.id = "id-1";
	l.account = &a;
	memset(os.steps, 0, sizeof os.steps);
	errno = 0;
	os.watched = true;
	ok = keep_message(&l, kept, why);
	os.watched = false;
	message_free(m);
	return ok;
}

static void
test_file(void **state)
{
	static const char head[] = "NOOP sendoff 1\r\nNOOP state held\r\n"
	    "NOOP attempts 1\r\nNOOP tried 2";
	static const char fixed[] = "NOOP id id-1\r\nNOOP account work\r\n"
	    "NOOP created 2";
	static const char want[] = "EHLO localhost\r\n"
	    "MAIL FROM:<me@x> BODY=8BITMIME REQUIRETLS RET=HDRS\r\n"
	    "RCPT TO:<no@x> NOTIFY=FAILURE ORCPT=rfc822;no@x\r\n"
	    "RCPT TO:<later@x> NOTIFY=NEVER ORCPT=rfc822;l@x\r\n"
	    "DATA\r\nX: y\r\nSubject: s\r\n\r\n..dot\r\n\xc3\xbc\r\n.\r\n"
	    "QUIT\r\n";
	struct pool *pool = pool_new();
	const char *folder = pool_printf(pool, "%s/a/b", home), *text;
	const struct dirent *entry;
	struct failure why;
	struct kept kept;
	struct stored s;
	struct stat st;
	size_t files = 0;
	DIR *d;

	(void)state;
	assert_true(keep(folder, pool, &kept, &why));
	assert_string_equal(kept.path, pool_printf(pool, "%s/id-1", folder));
	assert_string_equal(kept.state, "held");
	assert_int_equal(stat(kept.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	text = contents(kept.path, pool);
	assert_memory_equal(text, head, strlen(head));
	assert_memory_equal(text + RECORD_ROOM, fixed, strlen(fixed));
	assert_non_null(strstr(text, "\r\nNOOP status 75\r\n"
	    "NOOP reason the reason\r\n"));
	assert_string_equal(strstr(text, "EHLO"), want);
	d = opendir(folder);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		files += strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0;
	(void)closedir(d);
	assert_int_equal(files, 1);	/* no temporary one is left */

	assert_true(read_back(kept.path, &s, pool, &why));
	assert_string_equal(s.record.id, "id-1");
	assert_string_equal(s.record.account, "work");
	assert_string_equal(s.record.state, "held");
	assert_string_equal(s.record.reason, "the reason");
	assert_int_equal(s.record.attempts, 1);
	assert_int_equal(s.record.status, 75);
	assert_true(s.record.tried == s.record.created);
	assert_true(s.record.next == 0 && !s.record.locked_out);
	assert_true(s.fixed);
	assert_string_equal(s.sender, "me@x");
	assert_int_equal(s.n, 2);
	assert_string_equal(s.recipients[1], "later@x");
	assert_string_equal(s.rcpt[1], "TO:<later@x> NOTIFY=NEVER "
	    "ORCPT=rfc822;l@x");
	assert_string_equal(text + s.data, strstr(text, "X: y"));
	assert_true(s.record.created > 1700000000 && s.size == strlen(text));
	pool_free(pool);
}

/* Seconds become moments, but for BY, whose time counts from now. */
static void
test_terms(void **state)
{
	struct pool *pool = pool_new();
	const char *folder = pool_printf(pool, "%s/terms", home), *until;
	time_t now = time(NULL);
	struct failure why;
	struct kept kept;
	const char *text;

	(void)state;
	until = terms_utc(now - 50000 + 90000, pool);
	terms = (struct terms){ .since = now - 50000, .by_mode = 'R',
	    .by = 40000, .hold_for = 90000, .has_priority = true };
	assert_true(keep(folder, pool, &kept, &why));
	text = contents(kept.path, pool);
	assert_int_equal(unlink(kept.path), 0);
	assert_non_null(strstr(text, pool_printf(pool, "MAIL FROM:<me@x> "
	    "BODY=8BITMIME REQUIRETLS RET=HDRS BY=1;R HOLDUNTIL=%s "
	    "MT-PRIORITY=0\r\n", until)));
	terms = (struct terms){ .since = now - 50000, .by_mode = 'N',
	    .by = 40000, .hold_for = 9000 };
	assert_true(keep(folder, pool, &kept, &why));
	text = contents(kept.path, pool);
	assert_int_equal(unlink(kept.path), 0);
	assert_non_null(strstr(text, "RET=HDRS BY=-10"));
	assert_null(strstr(text, "HOLD"));
	terms = (struct terms){ 0 };
	pool_free(pool);
}

static size_t
files_in(const char *folder)
{
	const struct dirent *entry;
	DIR *d = opendir(folder);
	size_t n = 0;

	if (d == NULL)
		return 0;
	while ((entry = readdir(d)) != NULL)
		n += strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0;
	(void)closedir(d);
	return n;
}

/* Whole or not at all. */
static void
test_steps(void **state)
{
	static const char steps[] = "wFcrD";
	struct pool *pool = pool_new();
	const char *folder = pool_printf(pool, "%s/steps", home);
	const char *next = pool_printf(pool, "%s/.local/state/sendoff", home);
	struct failure why;
	struct kept kept;
	size_t i;

	(void)state;
	assert_true(keep(folder, pool, &kept, &why));
	assert_string_equal(os.steps, "DwFcrD");	/* the folder is new */
	assert_int_equal(unlink(kept.path), 0);
	assert_true(keep(folder, pool, &kept, &why));
	assert_string_equal(os.steps, steps);
	assert_int_equal(unlink(kept.path), 0);
	for (i = 0; steps[i] != '\0' && steps[i] != 'D'; i++) {
		os.fails = steps[i];
		assert_false(keep(folder, pool, &kept, &why));
		os.fails = 0;
		assert_int_equal(why.kind, FAILURE_KEEP);
		assert_int_equal(files_in(folder), 0);
		assert_int_equal(files_in(next), 0);
	}
	os.fails = 'D';
	assert_false(keep(folder, pool, &kept, &why));
	assert_false(keep(pool_printf(pool, "%s/new", folder), pool, &kept,
	    &why));			/* nor where the folder is not safe */
	os.fails = 0;
	assert_int_equal(files_in(pool_printf(pool, "%s/new", folder)), 0);
	(void)rmdir(pool_printf(pool, "%s/new", folder));
	(void)unlink(pool_printf(pool, "%s/id-1", folder));
	(void)unlink(pool_printf(pool, "%s/id-1", next));
	pool_free(pool);
}

/* Little by little, and with signals between: the same file. */
static void
test_small_writes(void **state)
{
	struct pool *pool = pool_new();
	const char *folder = pool_printf(pool, "%s/small", home), *text;
	struct failure why;
	struct kept kept;

	(void)state;
	assert_true(keep(folder, pool, &kept, &why));
	text = strstr(contents(kept.path, pool), "EHLO");
	assert_int_equal(unlink(kept.path), 0);
	os.most = 7;
	os.interrupted = true;
	assert_true(keep(folder, pool, &kept, &why));
	os.most = 0;
	os.interrupted = false;
	assert_string_equal(strstr(contents(kept.path, pool), "EHLO"), text);
	assert_int_equal(files_in(folder), 1);
	pool_free(pool);
}

/* A temporary name that somebody has taken already is not written to. */
static void
test_taken_name(void **state)
{
	struct pool *pool = pool_new();
	const char *folder = pool_printf(pool, "%s/taken", home);
	const char *name = pool_printf(pool, "%s/.new.id-1", folder);
	const char *canary = pool_printf(pool, "%s/canary", home);
	struct failure why;
	struct kept kept;
	FILE *f = fopen(canary, "w");

	(void)state;
	assert_non_null(f);
	(void)fputs("canary", f);
	(void)fclose(f);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(symlink(canary, name), 0);
	assert_true(keep(folder, pool, &kept, &why));	/* the next place */
	assert_string_equal(kept.path, pool_printf(pool,
	    "%s/.local/state/sendoff/id-1", home));
	assert_int_equal(unlink(kept.path), 0);
	assert_int_equal(files_in(folder), 1);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(link(canary, name), 0);
	assert_true(keep(folder, pool, &kept, &why));
	assert_int_equal(unlink(kept.path), 0);
	assert_string_equal(contents(canary, pool), "canary");
	pool_free(pool);
}

/* A folder that others can write could have been prepared by them. */
static void
test_modes(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} cases[] = {
		{ 0700, true }, { 0755, true }, { 0711, true },
		{ 0770, false }, { 0720, false }, { 0702, false },
		{ 0757, false }, { 01777, false },
	};
	struct pool *pool = pool_new();
	const char *folder = pool_printf(pool, "%s/modes", home);
	const char *next = pool_printf(pool, "%s/.local/state/sendoff", home);
	struct failure why;
	struct kept kept;
	struct stat st;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(mkdir(folder, 0700), 0);
		assert_int_equal(chmod(folder, cases[i].mode), 0);
		assert_true(keep(folder, pool, &kept, &why));
		assert_string_equal(kept.path, pool_printf(pool, "%s/id-1",
		    cases[i].good ? folder : next));
		assert_int_equal(unlink(kept.path), 0);
		assert_int_equal(stat(folder, &st), 0);
		assert_int_equal(st.st_mode & 07777, cases[i].mode);
		assert_int_equal(rmdir(folder), 0);
	}
	pool_free(pool);
}

#define FOREIGN "others can write it or what it lies in, or it belongs to " \
	"another user (namei -l shows which)"
#define MISSING "/var/spool/sendoff is missing; root makes it with: " \
	"install -d -m 1733 /var/spool/sendoff"

/* Where it is kept, and who is named when it is not. */
static void
test_places(void **state)
{
	static const struct {
		const char *keep;	/* below home */
		bool is_system, has_home, has_spool, is_foreign;
		const char *kept;	/* below home, or NULL */
		const char *error;	/* "~" is home, "@" the spool's; or
					   all of it */
	} cases[] = {
		{ "k", true, true, true, false, "k", NULL },
		{ "file", true, true, true, false, "spool/UID", NULL },
		{ NULL, true, true, true, false, "spool/UID", NULL },
		{ NULL, true, true, false, false, ".local/state/sendoff",
		    NULL },
		{ NULL, false, true, true, false, ".local/state/sendoff",
		    NULL },
		{ "file", false, true, true, false, ".local/state/sendoff",
		    NULL },
		{ "file/below/it", false, true, true, false,
		    ".local/state/sendoff", NULL },
		{ NULL, false, false, true, false, "spool/UID", NULL },
		{ NULL, true, false, true, false, "spool/UID", NULL },
		{ "file", false, false, false, false, NULL,
		    "~/file: Not a directory" },
		{ NULL, false, false, false, false, NULL,
		    MISSING },
		{ NULL, false, true, true, true, NULL,
		    "~/.local/state/sendoff: " FOREIGN },
		{ NULL, true, true, false, true, NULL,
		    MISSING },
		{ NULL, false, false, true, true, NULL,
		    "@: " FOREIGN },
	};
	struct envelope e = { .sender = "", .recipients = people, .n = 3 };
	struct pool *pool = pool_new();
	const char *spool = pool_printf(pool, "%s/spool", home), *want;
	struct message *m = message(pool);
	const char *file = pool_printf(pool, "%s/file", home);
	struct failure why;
	struct caller c;
	struct account a;
	struct leftover l;
	struct outcome o;
	struct kept kept;
	char *uid;
	size_t i;
	FILE *f = fopen(file, "w");

	(void)state;
	assert_non_null(f);
	(void)fclose(f);
	outcome(&o, FAILURE_DEFERRED, FAILURE_DEFERRED, true, pool);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		a = account(cases[i].keep == NULL ? NULL :
		    pool_printf(pool, "%s/%s", home, cases[i].keep));
		a.system = cases[i].is_system;
		c = (struct caller){ .uid = getuid() + cases[i].is_foreign,
		    .home = cases[i].has_home ? home : NULL };
		uid = pool_printf(pool, "%lu", (unsigned long)c.uid);
		if (cases[i].has_spool)
			assert_int_equal(mkdir(spool, 0700), 0);
		l = leftover(&e, m, &o, &c, pool);
		l.account = &a;
		assert_int_equal(keep_message(&l, &kept, &why),
		    cases[i].kept != NULL);
		if (cases[i].kept != NULL) {
			want = strcmp(cases[i].kept, "spool/UID") == 0 ?
			    pool_printf(pool, "/var/spool/sendoff/%s/id",
			    uid) : pool_printf(pool, "%s/%s/id", home,
			    cases[i].kept);
			assert_string_equal(kept.path, want);
			assert_int_equal(kept.passed_over != NULL,
			    cases[i].keep != NULL && *cases[i].keep == 'f');
			assert_int_equal(unlink(placed(want)), 0);
		} else {
			want = *cases[i].error == '~' ?
			    pool_printf(pool, "%s%s", home,
			    cases[i].error + 1) :
			    *cases[i].error != '@' ? cases[i].error :
			    pool_printf(pool, "/var/spool/sendoff/%s%s", uid,
			    cases[i].error + 1);
			assert_int_equal(why.kind, FAILURE_KEEP);
			assert_string_equal(why.text, want);
		}
		(void)rmdir(pool_printf(pool, "%s/%s", spool, uid));
		(void)rmdir(spool);
		assert_int_equal(access(spool, F_OK), -1);
	}
	message_free(m);
	pool_free(pool);
}

/* The lines on top, and the envelope in its variants. */
static void
test_variants(void **state)
{
	static struct recipient one[] = { { .path = "\xc3\xbc@x",
	    .key = "x", .utf8 = true } };
	static struct recipient plain[] = { { .path = "a@x", .key = "a@x",
	    .orcpt = "rfc822;a@x", .orcpt_given = false },
	    { .path = "b@x", .key = "b@x", .orcpt = "rfc822;o@x",
	    .orcpt_given = true } };
	static const struct {
		struct envelope e;
		bool ascii;
		const char *mail;
	} cases[] = {
		{ { .sender = "", .recipients = plain, .n = 2 }, true,
		    "MAIL FROM:<>\r\nRCPT TO:<a@x>\r\n"
		    "RCPT TO:<b@x> ORCPT=rfc822;o@x\r\nDATA\r\n" },
		{ { .sender = "s@x", .recipients = one, .n = 1 }, true,
		    "MAIL FROM:<s@x> SMTPUTF8\r\nRCPT TO:<\xc3\xbc@x>\r\n"
		    "DATA\r\n" },
		{ { .sender = "\xc3\xbc@x", .sender_utf8 = true,
		    .recipients = plain, .n = 1, .envid = "e", .notify =
		    "NEVER" }, false, "MAIL FROM:<\xc3\xbc@x> BODY=8BITMIME "
		    "SMTPUTF8 ENVID=e\r\nRCPT TO:<a@x> NOTIFY=NEVER "
		    "ORCPT=rfc822;a@x\r\nDATA\r\n" },
	};
	struct pool *pool = pool_new();
	struct caller c = { .uid = getuid(), .home = home };
	struct failure why = { .kind = FAILURE_REFUSED, .of_mail = true,
	    .text = "no" }, ignored;
	struct leftover l;
	const char *text;
	struct message *m;
	struct outcome o;
	struct kept kept;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		m = message(pool);
		if (cases[i].ascii)
			m->body_8bit = false;
		outcome_init(&o, cases[i].e.n, pool);
		outcome_rest_failed(&o, &why);
		l = leftover(&cases[i].e, m, &o, &c, pool);
		assert_true(keep_message(&l, &kept, &ignored));
		assert_string_equal(kept.state, "refused");
		text = contents(kept.path, pool);
		assert_memory_equal(text, "NOOP sendoff 1\r\n"
		    "NOOP state refused\r\n", 36);
		assert_memory_equal(text + RECORD_ROOM, "NOOP id id\r\n"
		    "NOOP created ", 25);
		assert_non_null(strstr(text, "\r\nNOOP status 69\r\n"
		    "NOOP reason no\r\n"));
		assert_non_null(strstr(text, "Z\r\nEHLO localhost\r\n"));
		text = strstr(text, "\r\nMAIL") + 2;
		assert_memory_equal(text, cases[i].mail,
		    strlen(cases[i].mail));
		assert_int_equal(unlink(kept.path), 0);
		message_free(m);
	}
	m = message(pool);
	m->header_8bit = true;
	m->body_8bit = false;
	outcome_init(&o, cases[0].e.n, pool);
	outcome_rest_failed(&o, &why);
	l = leftover(&cases[0].e, m, &o, &c, pool);
	assert_true(keep_message(&l, &kept, &ignored));
	assert_non_null(strstr(contents(kept.path, pool),
	    "MAIL FROM:<> BODY=8BITMIME\r\n"));
	message_free(m);
	pool_free(pool);
}

/* Times are UTC, whatever the zone. */
static void
test_times(void **state)
{
	struct pool *pool = pool_new();
	const char *folder = pool_printf(pool, "%s/times", home), *text;
	time_t before = time(NULL), after, t;
	struct failure why;
	struct kept kept;
	struct tm tm;
	int i;

	(void)state;
	assert_int_equal(setenv("TZ", "XXX+7", 1), 0);
	tzset();
	assert_true(keep(folder, pool, &kept, &why));
	after = time(NULL);
	text = contents(kept.path, pool);
	for (i = 0; i < 2; i++) {
		tm = (struct tm){ 0 };
		text = strstr(text, i == 1 ? "\r\nNOOP created " :
		    "\r\nNOOP tried ");
		assert_non_null(text);
		text = strptime(text, i == 1 ? "\r\nNOOP created "
		    "%Y-%m-%dT%H:%M:%SZ" : "\r\nNOOP tried "
		    "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_non_null(text);
		assert_memory_equal(text, "\r\n", 2);
		t = timegm(&tm);
		assert_true(t >= before && t <= after);
	}
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
	pool_free(pool);
}

enum { LINES = 3000, LINE = 64 };	/* octets with CRLF */

/* Lines that all begin with a dot; the header is of so many octets. */
static struct message *
dotted(size_t header, struct pool *pool)
{
	struct input in = { .fd = memfd_create("message", MFD_CLOEXEC) };
	char text[LINE], prologue[200];
	struct message *m;
	struct failure why;
	int i;

	assert_int_equal(write(in.fd, "\n", 1), 1);
	memset(text, 'x', sizeof text);
	text[0] = '.';
	text[LINE - 2] = '\n';
	for (i = 0; i < LINES; i++)
		assert_int_equal(write(in.fd, text, LINE - 1), LINE - 1);
	assert_int_equal(lseek(in.fd, 0, SEEK_SET), 0);
	assert_true(message_read(&in, false, NULL, pool, &m, &why));
	(void)close(in.fd);
	buffer_free(&in.octets);
	memset(prologue, 'y', sizeof prologue);
	(void)memcpy(prologue, "X: ", 3);
	(void)memcpy(prologue + header - 4, "\r\n", 3);
	message_compose(m, prologue, NULL);
	assert_int_equal(message_size(m), header + LINES * LINE);
	return m;
}

/* A block may end before a dot, between CR and LF, and within a line. */
static void
test_blocks(void **state)
{
	static const size_t headers[] = { 64, 65, 66, 74, 127 };
	struct envelope e = { .sender = "", .recipients = people, .n = 3 };
	struct pool *pool = pool_new();
	struct caller c = { .uid = getuid(), .home = home };
	struct failure why;
	struct message *m;
	struct leftover l;
	struct outcome o;
	struct kept kept;
	struct stored s;
	char line[LINE + 2];
	size_t i, n;
	FILE *f;

	(void)state;
	outcome(&o, FAILURE_DEFERRED, FAILURE_DEFERRED, true, pool);
	for (i = 0; i < sizeof headers / sizeof *headers; i++) {
		m = dotted(headers[i], pool);
		l = leftover(&e, m, &o, &c, pool);
		assert_true(keep_message(&l, &kept, &why));
		assert_true(read_back(kept.path, &s, pool, &why));
		f = fopen(kept.path, "r");
		assert_non_null(f);
		assert_int_equal(fseek(f, (long)(s.data + headers[i]),
		    SEEK_SET), 0);
		for (n = 0; n < LINES; n++) {
			assert_non_null(fgets(line, sizeof line, f));
			assert_int_equal(strlen(line), LINE + 1);
			assert_memory_equal(line, "..x", 3);
			assert_string_equal(line + LINE - 2, "x\r\n");
		}
		assert_non_null(fgets(line, sizeof line, f));
		assert_string_equal(line, ".\r\n");
		assert_non_null(fgets(line, sizeof line, f));
		assert_string_equal(line, "QUIT\r\n");
		assert_null(fgets(line, sizeof line, f));
		(void)fclose(f);
		message_free(m);
	}
	pool_free(pool);
}

static void
test_no_kept_message(void **state)
{
	static const char *const texts[] = {
		"", "nonsense\n", "NOOP id x\r\nNOOP state held\r\nDATA\r\n",
		"NOOP id x\r\nNOOP state held\r\nMAIL FROM:<a@b>\r\n",
		"NOOP id x\r\nMAIL FROM:<a@b>\r\nDATA\r\n",
		"NOOP id x\r\nNOOP state held\r\nMAIL FROM:<a@\r\nDATA\r\n",
	};
	struct pool *pool = pool_new();
	const char *path = pool_printf(pool, "%s/x", home);
	struct failure why;
	struct stored s;
	size_t i;
	FILE *f;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		f = fopen(path, "w");
		assert_non_null(f);
		(void)fputs(texts[i], f);
		(void)fclose(f);
		assert_false(read_back(path, &s, pool, &why));
	}
	assert_false(read_back(home, &s, pool, &why));
	assert_int_equal(why.kind, FAILURE_KEEP);
	pool_free(pool);
}

/* By --keep alone, for a configuration has no name like it. */
static void
test_relative(void **state)
{
	struct pool *pool = pool_new();
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(chdir(home), 0);
	assert_true(keep_prepare("one", pool));
	assert_true(keep_prepare("two/three", pool));
	assert_true(keep_prepare(".", pool));
	assert_int_equal(access("two/three", W_OK), 0);
	assert_int_equal(fchdir(here), 0);
	(void)close(here);
	pool_free(pool);
}

static int
begin(void **state)
{
	(void)state;
	return mkdtemp(home) != NULL ? 0 : -1;
}

static int
end(void **state)
{
	char command[sizeof home + 16];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf %s", home);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_small_writes),
		cmocka_unit_test(test_taken_name),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_no_kept_message),
		cmocka_unit_test(test_relative),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
