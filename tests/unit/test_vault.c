/* Buffers in the vault: where their octets are, and what is left of them. */
#include "buffer.h"
#include "vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static const char secret[] = "hunter2";

/* Is the page of p in no core file? */
static bool
is_guarded(const void *p)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	bool here = false, guarded = false;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (uintptr_t)p >= start && (uintptr_t)p < end;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			guarded = strstr(line, " dd") != NULL;
	}
	(void)fclose(f);
	return guarded;
}

static bool
is_mapped(void *p)
{
	unsigned char ignored;

	return mincore(p, 1, &ignored) == 0;
}

static void
test_pages(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room;
	char *p = vault_open(page + 1, &room);

	(void)state;
	assert_int_equal(room, 2 * page);
	assert_int_equal(p[0], 0);
	assert_true(is_guarded(p));
	vault_close(p, room);
	assert_false(is_mapped(p));
	vault_close(NULL, 0);
}

/* Growing moves it; the old pages go. */
static void
test_grows(void **state)
{
	struct buffer b = BUFFER_SECRET;
	char *first;
	int i;

	(void)state;
	buffer_put(&b, secret, sizeof secret - 1);
	first = buffer_data(&b);
	assert_true(is_guarded(first));
	for (i = 0; i < 2000; i++)
		buffer_put(&b, secret, sizeof secret - 1);
	assert_ptr_not_equal(buffer_data(&b), first);
	assert_false(is_mapped(first));
	assert_int_equal(buffer_len(&b), 2001 * (sizeof secret - 1));
	assert_memory_equal(buffer_data(&b), secret, sizeof secret - 1);
	assert_true(is_guarded(buffer_data(&b)));
	buffer_free(&b);
	assert_true(b.secret);
	buffer_put(&b, "x", 1);
	assert_true(is_guarded(buffer_data(&b)));
	buffer_wipe(&b);
	assert_true(b.secret && b.data == NULL);
}

static void
test_taken(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	buffer_wipe_taken(&b);
	buffer_put(&b, "secret, rest", 12);
	buffer_take(&b, 8);
	buffer_put(&b, "...", 3);
	b.end -= 3;
	buffer_wipe_taken(&b);
	assert_memory_equal(b.data, "\0\0\0\0\0\0\0\0rest\0\0\0", 15);
	buffer_free(&b);
}

/* A function that is left has had it on its stack. */
__attribute__((noinline)) static uintptr_t
leave(void)
{
	volatile char here[512];
	size_t i;

	for (i = 0; i < sizeof secret; i++)
		here[i] = secret[i];
	return (uintptr_t)here;
}

#pragma GCC diagnostic push	/* that it is no longer there, is the test */
#pragma GCC diagnostic ignored "-Wanalyzer-use-of-pointer-in-stale-stack-frame"
static void
test_sweep(void **state)
{
	const volatile char *left = (const volatile char *)leave();
	size_t i, same = 0;

	(void)state;
	vault_sweep();
	for (i = 0; i < sizeof secret - 1; i++)
		same += left[i] == secret[i];
	assert_int_equal(same, 0);
}
#pragma GCC diagnostic pop

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_sweep),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
