/*
 * For the analysers alone, in front of cmocka's own header: a point that does
 * not hold ends the test.  What cmocka does instead, a jump, they do not see.
 */
#pragma GCC system_header
#include_next <cmocka.h>
#include <stdint.h>
#include <stdlib.h>

#undef assert_true
#undef assert_false
#undef assert_non_null
#undef assert_int_equal
#undef fail_msg
#define assert_true(c)	((c) ? (void)0 : abort())
#define assert_false(c)	((c) ? abort() : (void)0)
#define fail_msg(...)	(print_error(__VA_ARGS__), abort())
#define assert_non_null(p)	((p) != NULL ? (void)0 : abort())
#define assert_int_equal(a, b)	\
	((intmax_t)(a) == (intmax_t)(b) ? (void)0 : abort())
