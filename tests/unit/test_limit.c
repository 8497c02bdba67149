/* How much a folder may hold, and what makes room. */
#include "limit.h"
#include "log.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OURS "NOOP sendoff 1\r\n"
#define QUEUED OURS "NOOP state queued\r\n"
#define HELD OURS "NOOP state held\r\nNOOP\r\n"

static char home[] = "/tmp/test_limit.XXXXXX";

struct file {
	const char *name, *text;
	long size;			/* octets */
	long age;			/* seconds since it was changed */
};

enum { FILES = 4, DAY = 86400 };

static struct account
account(const char *limit, const char *retry_for)
{
	struct account a = { .name = "a" };

	a.values[SET_KEEP_LIMIT] = limit;
	a.values[SET_RETRY_FOR] = retry_for;
	return a;
}

static void
make(int folder, const struct file *f)
{
	int fd = openat(folder, f->name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	struct timespec when[2] = { { .tv_sec = time(NULL) - f->age },
	    { .tv_sec = time(NULL) - f->age } };

	assert_true(fd >= 0);
	assert_int_equal(write(fd, f->text, strlen(f->text)),
	    strlen(f->text));
	assert_int_equal(ftruncate(fd, f->size), 0);
	assert_int_equal(futimens(fd, when), 0);
	assert_int_equal(close(fd), 0);
}

/* Which of the files are left, by the first letters of their names. */
static void
clear(int folder, const struct file *files, char *left)
{
	size_t i;

	for (i = 0; i < FILES && files[i].name != NULL; i++)
		if (unlinkat(folder, files[i].name, 0) == 0)
			*left++ = files[i].name[0];
	*left = '\0';
}

static void
room(void **state)
{
	static const struct {
		struct file files[FILES];
		const char *limit, *retry_for;
		bool queued, has_room;
		const char *left;
	} cases[] = {
		{ { { 0 } }, NULL, NULL, true, true, "" },
		{ { { 0 } }, "0 0", NULL, true, false, "" },
		{ { { 0 } }, "0 5", NULL, true, false, "" },
		{ { { 0 } }, "1 1", NULL, true, true, "" },
		{ { { "a", QUEUED, 100, 0 } }, "1K 1", NULL, true, false, "a" },
		{ { { "a", QUEUED, 100, 0 } }, "1K 2", NULL, true, true, "a" },
		{ { { "a", QUEUED, 100, 0 } }, "1K 1", NULL, false, true, "a" },
		{ { { "a", QUEUED, 1024, 0 } }, "1K 9", NULL, true, false,
		    "a" },
		{ { { "a", QUEUED, 1023, 0 } }, "1K 9", NULL, true, true,
		    "a" },
		{ { { "a", HELD, 100, 0 } }, "1K 1", NULL, true, true, "a" },
		{ { { "a", HELD, 100, 0 } }, "1K 1", NULL, false, false, "a" },
		{ { { "a", OURS "NOOP state refused\r\n", 100, 0 },
		    { "b", OURS "NOOP state unknown\r\n", 100, 0 } },
		    "1K 2", NULL, false, false, "ab" },
		{ { { "a", HELD, 600, 0 }, { "b", HELD, 600, 0 },
		    { "c", QUEUED, 600, 0 } }, "1K 5", NULL, false, false,
		    "abc" },
		/* with time */
		{ { { "a", HELD, 100, 6 * DAY } }, "1K 1", NULL, false, true,
		    "" },
		{ { { "a", HELD, 100, 4 * DAY } }, "1K 1", NULL, false, false,
		    "a" },
		{ { { "a", HELD, 100, 100 } }, "1K 1", "90s", false, true,
		    "" },
		{ { { "a", HELD, 100, 6 * DAY } }, "1K 1", "1w", false, false,
		    "a" },
		{ { { "a", QUEUED, 100, 99 * DAY } }, "1K 1", NULL, true,
		    false, "a" },
		{ { { "a", HELD, 100, 6 * DAY } }, "1K 1", NULL, true, true,
		    "a" },
		{ { { "a", HELD, 100, 6 * DAY }, { "b", HELD, 100, 0 } },
		    "1K 1", NULL, false, false, "b" },
		{ { { "a", HELD, 100, -DAY } }, "1K 1", "1s", false, false,
		    "a" },
		/* not ours */
		{ { { "a", "Dear diary\n", 5000, 99 * DAY },
		    { "b", "NOOP sendoff\r\n and more of it\n", 5000, 99 * DAY },
		    { "c", "", 0, 99 * DAY },
		    { ".d", HELD, 5000, 99 * DAY } }, "1K 1", NULL, false,
		    true, "abc." },
		/* half-written: nobody is at it after a day */
		{ { { ".new.a", HELD, 5000, 2 * DAY }, { "b", HELD, 1, 0 } },
		    "1K 9", NULL, true, true, "b" },
		{ { { ".new.a", HELD, 5000, 3600 } }, "1K 1", NULL, true,
		    true, "." },
		{ { { "a", "Dear diary\n", 5000, 0 } }, "1K 1", NULL, true,
		    true, "a" },
	};
	char left[FILES + 1];
	struct failure why;
	struct account a;
	size_t i, j;
	int folder;
	bool ok;

	(void)state;
	folder = open(home, O_RDONLY | O_DIRECTORY);
	assert_true(folder >= 0);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		a = account(cases[i].limit, cases[i].retry_for);
		for (j = 0; j < FILES && cases[i].files[j].name != NULL; j++)
			make(folder, &cases[i].files[j]);
		ok = limit_has_room(folder, home, &a, cases[i].queued, &why);
		clear(folder, cases[i].files, left);
		if (ok != cases[i].has_room ||
		    strcmp(left, cases[i].left) != 0)
			fail_msg("case %zu: %d, \"%s\"", i, ok, left);
		if (!ok) {
			assert_int_equal(why.kind, FAILURE_KEEP);
			assert_non_null(strstr(why.text, cases[i].limit));
			assert_non_null(strstr(why.text, home));
		}
	}
	(void)close(folder);
}

/* Without an account, the defaults; and what is no regular file. */
static void
odd_ones(void **state)
{
	static const struct file old = { "old", HELD, 100, 6 * DAY };
	struct account a = account("1K 1", NULL);
	int folder = open(home, O_RDONLY | O_DIRECTORY), fd;
	struct failure why;

	(void)state;
	assert_true(folder >= 0);
	make(folder, &old);
	fd = openat(folder, old.name, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(limit_has_room(folder, home, &a, false, &why));
	assert_int_equal(faccessat(folder, old.name, F_OK, 0), 0);
	(void)close(fd);
	assert_true(limit_has_room(folder, home, NULL, false, &why));
	assert_int_equal(faccessat(folder, old.name, F_OK, 0), -1);
	make(folder, &old);
	assert_int_equal(symlinkat(old.name, folder, "link"), 0);
	assert_int_equal(mkdirat(folder, "folder", 0700), 0);
	assert_int_equal(mkfifoat(folder, "fifo", 0600), 0);
	assert_true(limit_has_room(folder, home, &a, false, &why));
	assert_int_equal(faccessat(folder, "link", F_OK,
	    AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(faccessat(folder, old.name, F_OK, 0), -1);
	assert_int_equal(unlinkat(folder, "link", 0), 0);
	assert_int_equal(unlinkat(folder, "fifo", 0), 0);
	assert_int_equal(unlinkat(folder, "folder", AT_REMOVEDIR), 0);
	(void)close(folder);
	assert_false(limit_has_room(-1, "nowhere", NULL, true, &why));
	assert_int_equal(why.kind, FAILURE_KEEP);
}

static void
time_is_over(void **state)
{
	static const struct {
		const char *retry_for;
		long ago;
		bool over;
	} cases[] = {
		{ NULL, 5 * DAY - 60, false },	{ NULL, 5 * DAY + 60, true },
		{ "1h", 3540, false },		{ "1h", 3660, true },
		{ "1w", 6 * DAY, false },	{ NULL, -DAY, false },
	};
	time_t now = time(NULL);
	struct account a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		a = account(NULL, cases[i].retry_for);
		assert_true(limit_is_over(&a, now - cases[i].ago) ==
		    cases[i].over);
		if (cases[i].retry_for == NULL)
			assert_true(limit_is_over(NULL, now - cases[i].ago) ==
			    cases[i].over);
	}
	assert_false(limit_is_over(NULL, 0));	/* not known */
}

static int
begin(void **state)
{
	(void)state;
	log_open("none", false, NULL, NULL);
	return mkdtemp(home) != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	return rmdir(home);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(room),
		cmocka_unit_test(odd_ones),
		cmocka_unit_test(time_is_over),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
