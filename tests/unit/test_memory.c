/* What was seen once: the file, its lines, and who else writes it. */
#include "memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char home[] = "/tmp/test_memory.XXXXXX";
static const char *file;
static const struct sight scram = { "SCRAM-SHA-256", "TLS1.3", NULL,
    NULL };

static char *
contents(struct pool *pool)
{
	char *text = pool_alloc(pool, 4096);
	FILE *f = fopen(file, "r");

	assert_non_null(f);
	text[fread(text, 1, 4095, f)] = '\0';
	(void)fclose(f);
	return text;
}

static void
write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
fresh(void **state)
{
	struct pool *pool = pool_new();

	*state = pool;
	file = pool_printf(pool, "%s/a/b/seen", home);
	(void)unlink(file);
	(void)unlink(pool_printf(pool, "%s.lock", file));
	return 0;
}

static int
done(void **state)
{
	pool_free(*state);
	return 0;
}

static void
remembers(void **state)
{
	struct memory *m = memory_open(file, *state);
	const struct sight *seen;
	struct stat st;

	assert_null(memory_of(m, "a", "smtps://x:465"));
	memory_note(m, "a", "smtps://x:465", &scram);
	m = memory_open(file, *state);
	seen = memory_of(m, "a", "smtps://x:465");
	assert_non_null(seen);
	assert_string_equal(seen->mechanism, "SCRAM-SHA-256");
	assert_string_equal(seen->tls, "TLS1.3");
	assert_int_equal(strlen(seen->day), 10);
	assert_null(memory_of(m, "b", "smtps://x:465"));
	assert_null(memory_of(m, "a", "smtps://y:465"));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
is_written_for_news_alone(void **state)
{
	struct memory *m = memory_open(file, *state);
	struct stat before, after;

	memory_note(m, "a", "x", &scram);
	assert_int_equal(stat(file, &before), 0);
	memory_note(m, "a", "x", &scram);
	assert_int_equal(stat(file, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	memory_note(m, "a", "x", &(struct sight){ "SCRAM-SHA-256", NULL,
	    NULL, NULL });
	assert_non_null(strstr(contents(*state),
	    "a\tx\tSCRAM-SHA-256\t-\t"));
	memory_note(m, "a", "x", &(struct sight){ "SCRAM-SHA-256", NULL,
	    NULL, "8BITMIME,SIZE 7" });
	assert_string_equal(memory_of(memory_open(file, *state), "a",
	    "x")->offers, "8BITMIME,SIZE 7");
}

/* Two runs at once: what the other has noted stays. */
static void
keeps_what_others_note(void **state)
{
	struct memory *one = memory_open(file, *state),
	    *two = memory_open(file, *state);

	memory_note(one, "a", "x", &scram);
	memory_note(two, "a", "y", &scram);
	one = memory_open(file, *state);
	assert_non_null(memory_of(one, "a", "x"));
	assert_non_null(memory_of(one, "a", "y"));
}

static void
waits_for_nobody(void **state)
{
	struct memory *m = memory_open(file, *state);
	int fd;

	memory_note(m, "a", "x", &scram);
	fd = open(pool_printf(*state, "%s.lock", file), O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	memory_note(m, "a", "y", &scram);
	assert_non_null(memory_of(m, "a", "y"));
	assert_null(memory_of(memory_open(file, *state), "a", "y"));
	(void)close(fd);
}

static void
forgets(void **state)
{
	struct memory *m = memory_open(file, *state);
	struct failure why;
	size_t n = 0;

	memory_note(m, "a", "x", &scram);
	memory_note(m, "a", "y", &scram);
	memory_note(m, "b", "x", &scram);
	assert_true(memory_forget(m, "a", &n, &why));
	assert_int_equal(n, 2);
	assert_null(memory_of(m, "a", "x"));
	m = memory_open(file, *state);
	assert_null(memory_of(m, "a", "y"));
	assert_non_null(memory_of(m, "b", "x"));
	assert_true(memory_forget(m, "c", &n, &why));
	assert_int_equal(n, 0);
}

static void
does_without(void **state)
{
	struct memory *m = memory_open(NULL, *state);
	struct failure why;
	size_t n;

	memory_note(m, "a", "x", &scram);
	assert_non_null(memory_of(m, "a", "x"));
	assert_false(memory_forget(m, "a", &n, &why));
	assert_int_equal(why.kind, FAILURE_LOCAL);
	m = memory_open("/proc/no/such/place", *state);
	memory_note(m, "a", "x", &scram);
	assert_non_null(memory_of(m, "a", "x"));
}

static void
survives_rubbish(void **state)
{
	struct memory *m = memory_open(file, *state);

	memory_note(m, "a", "x", &scram);
	write_file("\n\t\t\t\t\nrubbish\na\tx\na\tx\tPLAIN\t-\n"
	    "a\tz\tPLAIN\t-\t2026-01-01\tmore\nb\tx\t-\tTLS1.2\t2026-01-01");
	m = memory_open(file, *state);
	assert_null(memory_of(m, "a", "x"));
	assert_string_equal(memory_of(m, "a", "z")->mechanism, "PLAIN");
	assert_null(memory_of(m, "a", "z")->tls);
	assert_string_equal(memory_of(m, "b", "x")->tls, "TLS1.2");
	memory_note(m, "tab\there", "x", &scram);
	assert_null(strstr(contents(*state), "tab"));
}

static int
begin(void **state)
{
	(void)state;
	return mkdtemp(home) == NULL;
}

static int
end(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf %s", home);
	return system(command);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(remembers, fresh, done),
		cmocka_unit_test_setup_teardown(is_written_for_news_alone,
		    fresh, done),
		cmocka_unit_test_setup_teardown(keeps_what_others_note, fresh,
		    done),
		cmocka_unit_test_setup_teardown(waits_for_nobody, fresh, done),
		cmocka_unit_test_setup_teardown(forgets, fresh, done),
		cmocka_unit_test_setup_teardown(does_without, fresh, done),
		cmocka_unit_test_setup_teardown(survives_rubbish, fresh, done),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
