#include "progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static void
text(uint64_t done, uint64_t total, milliseconds taken, const char *wanted)
{
	char out[64];

	progress_text(out, sizeof out, done, total, taken);
	assert_string_equal(out, wanted);
}

static void
texts(void **state)
{
	(void)state;
	text(0, 2000000, 0, "0.0 of 2.0 MB");
	text(1000000, 2000000, 100, "1.0 of 2.0 MB");	/* too soon to say */
	text(1000000, 3000000, 2000, "1.0 of 3.0 MB, 0.5 MB/s, 4 s left");
	text(3000000, 3000000, 1000, "3.0 of 3.0 MB, 3.0 MB/s, 0 s left");
	text(1, 1000000000000, 1000, "0.0 of 1000000.0 MB, 0.0 MB/s, "
	    "999999999999 s left");
}

static void
cut(void **state)
{
	char out[8];

	(void)state;
	progress_text(out, sizeof out, 1000000, 2000000, 1000);
	assert_string_equal(out, "1.0 of ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(cut),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
