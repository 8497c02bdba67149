/* ~/.netrc in all the layouts that ftp(1) reads. */
#include "netrc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* The password of user at host, or NULL. */
static void
finds(const char *text, const char *host, const char *user,
    const char *password)
{
	struct buffer secret = { 0 };
	bool found = netrc_find(text, strlen(text), host, user, &secret);

	assert_int_equal(found, password != NULL);
	if (password != NULL) {
		assert_int_equal(buffer_len(&secret), strlen(password));
		assert_memory_equal(buffer_data(&secret), password,
		    strlen(password));
	} else {
		assert_int_equal(buffer_len(&secret), 0);
	}
	buffer_wipe(&secret);
}

static void
layouts(void **state)
{
	(void)state;
	finds("machine h login u password p", "h", "u", "p");
	finds("machine h\n\tlogin u\n\tpassword p\n", "h", "u", "p");
	finds("machine h password p login u", "h", "u", "p");
	finds("machine h password p", "h", "u", "p");
	finds("machine h account a login u password p", "h", "u", "p");
	finds("machine H.Example password p", "h.example", "u", "p");
	finds("machine h login \"u v\" password \"p \\\" q\"", "h", "u v",
	    "p \" q");
	finds("machine h password p\\ q", "h", "u", "p q");
	finds("# machine h password no\nmachine h password p#q", "h", "u",
	    "p#q");
	finds("machine h\r\npassword p\r\n", "h", "u", "p");
}

static void
which(void **state)
{
	static const char text[] = "machine a login u password 1\n"
	    "machine h login v password 2\nmachine h login u password 3\n"
	    "machine h login u password 4\ndefault login w password 5\n";

	(void)state;
	finds(text, "h", "u", "3");
	finds(text, "h", "v", "2");
	finds(text, "h", "w", "5");
	finds(text, "x", "w", "5");
	finds(text, "x", "u", NULL);
	finds(text, "a", "u", "1");
	finds("machine h login U password p", "h", "u", NULL);
	finds("default password p machine h password q", "h", "u", "p");
}

static void
macros(void **state)
{
	(void)state;
	finds("machine a macdef init\nmachine h password no\n\n"
	    "machine h password p", "h", "u", "p");
	finds("macdef x\nmachine h password no", "h", "u", NULL);
	finds("macdef x", "h", "u", NULL);
	finds("macdef", "h", "u", NULL);
}

static void
ends_anywhere(void **state)
{
	static const char text[] = "machine h login u password secret ";
	struct buffer secret = { 0 };
	size_t n;

	(void)state;
	for (n = 0; n < sizeof text - 1; n++) {
		(void)netrc_find(text, n, "h", "u", &secret);
		assert_true(buffer_len(&secret) <= 6);
		assert_true(n > 27 || buffer_len(&secret) == 0);
		buffer_wipe(&secret);
	}
	finds("", "h", "u", NULL);
	finds("machine", "h", "u", NULL);
	finds("machine h login", "h", "u", NULL);
	finds("machine h password", "h", "u", NULL);
	finds("machine h password \"p", "h", "u", "p");
	finds("password p", "h", "u", NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts), cmocka_unit_test(which),
		cmocka_unit_test(macros), cmocka_unit_test(ends_anywhere),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
