/* Whose word on DNSSEC counts.  The system's configuration is made up here. */
#include "resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <resolv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct {
	const char *servers[3];
	unsigned long options;
} made_up;

/* In front of the system's. */
int
__res_ninit(res_state res)
{
	int i;

	memset(res, 0, sizeof *res);
	res->retrans = 5;
	res->retry = 2;
	res->options = made_up.options;
	for (i = 0; i < 3 && made_up.servers[i] != NULL; i++) {
		res->nsaddr_list[i].sin_family = AF_INET;
		res->nsaddr_list[i].sin_port = htons(53);
		assert_int_equal(inet_pton(AF_INET, made_up.servers[i],
		    &res->nsaddr_list[i].sin_addr), 1);
	}
	res->nscount = i;
	return 0;
}

void
__res_nclose(res_state res)
{
	(void)res;
}

static void
trusts_loopback_alone(void **state)
{
	static const struct {
		const char *servers[3];
		unsigned long options;
		bool trusted;
	} cases[] = {
		{ { "127.0.0.1" }, 0, true },
		{ { "127.0.0.53", "127.1.2.3" }, 0, true },
		{ { "192.0.2.1" }, 0, false },
		{ { "127.0.0.1", "192.0.2.1" }, 0, false },
		{ { "192.0.2.1", "127.0.0.1" }, 0, false },
		{ { "128.0.0.1" }, 0, false },
		{ { "192.0.2.1" }, RES_TRUSTAD, true },
		{ { NULL }, 0, false },
		{ { NULL }, RES_TRUSTAD, false },
	};
	struct resolver r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		memcpy(made_up.servers, cases[i].servers,
		    sizeof made_up.servers);
		made_up.options = cases[i].options;
		resolver_find(&r, NULL);
		assert_int_equal(r.trusted, cases[i].trusted);
	}
}

static void
trusts_whom_it_was_told(void **state)
{
	struct resolver r;

	(void)state;
	resolver_find(&r, "192.0.2.1");
	assert_true(r.trusted);
	assert_int_equal(r.n, 1);
	resolver_find(&r, "192.0.2.1.");
	assert_false(r.trusted);
	assert_int_equal(r.n, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusts_loopback_alone),
		cmocka_unit_test(trusts_whom_it_was_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
