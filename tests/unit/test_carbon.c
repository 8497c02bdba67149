/* The data in a trace: as a transcript has them, however they are cut. */
#define _GNU_SOURCE			/* memfd_create() */
#include "carbon.h"
#include "log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* What is on standard error after it was fed in pieces of so many octets. */
static char *
copied(const char *data, size_t len, size_t piece, struct carbon *c)
{
	int kept = dup(STDERR_FILENO), fd = memfd_create("trace", 0);
	char *text = calloc(1, 8 * len + 4096);
	size_t i, n;

	assert_true(kept >= 0 && fd >= 0 && text != NULL);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	for (i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		carbon_octets(c, data + i, n);
	}
	carbon_end(c);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	assert_true(pread(fd, text, 8 * len + 4095, 0) >= 0);
	(void)close(fd);
	(void)close(kept);
	return text;
}

static void
says(const char *data, size_t len, const char *wanted)
{
	size_t piece;
	char *text;

	for (piece = 1; piece <= len; piece++) {
		struct carbon c = { 0 };

		text = copied(data, len, piece, &c);
		assert_string_equal(text, wanted);
		free(text);
	}
}

#define SAYS(data, wanted)	says(data, sizeof (data) - 1, wanted)

static void
lines(void **state)
{
	(void)state;
	log_trace_level(1);
	SAYS("a: b\r\n\r\nbody\r\n", "D a: b\nD\nD body\n");
	SAYS(" x \r\n", "D  x \n");
	SAYS("cut within", "D cut within\n");
	SAYS("\r\n\r\n", "D\nD\n");
}

/* The language of transcripts has signs of its own. */
static void
signs(void **state)
{
	(void)state;
	SAYS("{x}\\c\r\n", "D {{x}}\\\\c\n");
	SAYS("...\r\n....\r\n", "D \\x2e..\nD ....\n");
	SAYS("149 octets\r\n149 octets.\r\n octets\r\n",
	    "D \\x3149 octets\nD 149 octets.\nD  octets\n");
	SAYS("a\0b\33[2J\tc\x7f\r\n", "D a\\x00b\\x1b[2J\\x09c\\x7f\n");
	SAYS("\xc3\xa4 \xc3\xff\xe2\x80\xae\r\n",
	    "D \xc3\xa4 \\xc3\\xff\\xe2\\x80\\xae\n");
	SAYS("a\rb\r\nc\nd\r\n", "D a\\x0db\nD c\\x0ad\n");
}

/* Two chunks that part a CR from its LF: as each goes. */
static void
chunks(void **state)
{
	struct carbon c = { 0 };
	char *first = copied("a\r", 2, 2, &c);
	char *second = copied("\nb\r\n", 4, 4, &c);

	(void)state;
	assert_string_equal(first, "D a\\x0d\n");
	assert_string_equal(second, "D \\x0ab\n");
	free(first);
	free(second);
}

static void
long_lines(void **state)
{
	static char data[5002], wanted[1100];

	(void)state;
	memset(data, 'y', sizeof data);
	memcpy(data + 998, "\r\n", 2);
	memset(wanted, 'y', sizeof wanted);
	memcpy(wanted, "D ", 2);
	(void)strcpy(wanted + 1000, "\n");
	says(data, 1000, wanted);
	memset(data, 'y', sizeof data);
	memcpy(data + 999, "\r\n", 2);
	(void)strcpy(wanted + 1000, "{:.{1}}\n");
	says(data, 1001, wanted);
	memset(data, 'y', sizeof data);
	memcpy(data + 5000, "\r\n", 2);
	(void)strcpy(wanted + 1000, "{:.{4002}}\n");
	says(data, sizeof data, wanted);
}

static void
dots(void **state)
{
	struct carbon c = { 0 };
	static const char data[] = ".\r\n..\r\na.\r\n.b\r\n";

	(void)state;
	free(copied(data, sizeof data - 1, 1, &c));
	assert_int_equal(c.dotted, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(signs),
		cmocka_unit_test(chunks),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(dots),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
