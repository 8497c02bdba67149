/* What is written to the store, and that it is read back as it was. */
#define _GNU_SOURCE			/* memfd_create() */
#include "keep.h"
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char home[] = "/tmp/test_keep.XXXXXX";

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

static struct account
account(const char *folder)
{
	struct account a = { .name = "work" };

	a.values[SET_KEEP] = folder;
	return a;
}

static bool
keep(const char *folder, struct pool *pool, struct kept *kept,
    struct failure *why)
{
	struct envelope e = { .sender = "me@x", .recipients = people, .n = 3,
	    .ret = "HDRS", .notify = "FAILURE", .requiretls = true };
	struct caller caller = { .uid = getuid(), .home = home };
	struct account a = account(folder);
	struct message *m = message(pool);
	struct outcome o;
	bool ok;

	outcome(&o, FAILURE_DEFERRED, FAILURE_DEFERRED, true, pool);
	ok = keep_message("id-1", &a, &e, m, &o, &caller, pool, kept, why);
	message_free(m);
	return ok;
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
test_file(void **state)
{
	static const char want[] = "NOOP status 75\r\nNOOP reason the reason\r\n"
	    "EHLO localhost\r\n"
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
	assert_memory_equal(text, "NOOP sendoff 1\r\nNOOP id id-1\r\n"
	    "NOOP account work\r\nNOOP state held\r\nNOOP attempts 1\r\n", 79);
	assert_non_null(strstr(text, "\r\nNOOP status"));
	assert_string_equal(strstr(text, "\r\nNOOP status") + 2, want);
	d = opendir(folder);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		files += strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0;
	(void)closedir(d);
	assert_int_equal(files, 1);	/* no temporary one is left */

	assert_true(store_read(kept.path, &s, pool, &why));
	assert_string_equal(s.id, "id-1");
	assert_string_equal(s.account, "work");
	assert_string_equal(s.state, "held");
	assert_string_equal(s.reason, "the reason");
	assert_string_equal(s.sender, "me@x");
	assert_int_equal(s.n, 2);
	assert_string_equal(s.recipients[1], "later@x");
	assert_string_equal(s.rcpt[1], "TO:<later@x> NOTIFY=NEVER "
	    "ORCPT=rfc822;l@x");
	assert_string_equal(text + s.data, strstr(text, "X: y"));
	assert_true(s.created > 1700000000 && s.size == strlen(text));
	pool_free(pool);
}

/* A folder that others can write could have been prepared by them. */
static void
test_folders(void **state)
{
	struct pool *pool = pool_new();
	const char *open = pool_printf(pool, "%s/open", home);
	const char *file = pool_printf(pool, "%s/file", home);
	struct failure why;
	struct kept kept;
	FILE *f;

	(void)state;
	assert_int_equal(mkdir(open, 0700), 0);
	assert_int_equal(chmod(open, 0777), 0);
	assert_true(keep(open, pool, &kept, &why));	/* the next place */
	assert_string_equal(kept.path, pool_printf(pool,
	    "%s/.local/state/sendoff/id-1", home));
	f = fopen(file, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(unlink(kept.path), 0);
	assert_int_equal(chmod(pool_printf(pool, "%s/.local/state/sendoff",
	    home), 0777), 0);
	if (access("/var/spool/sendoff", F_OK) != 0) {
		assert_false(keep(file, pool, &kept, &why));
		assert_int_equal(why.kind, FAILURE_KEEP);
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
		assert_false(store_read(path, &s, pool, &why));
	}
	assert_false(store_read(home, &s, pool, &why));
	assert_int_equal(why.kind, FAILURE_KEEP);
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
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_no_kept_message),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
