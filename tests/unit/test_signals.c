#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* The descriptor may be another process's as well. */
static void
leaves_its_flags(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	signals_watch(fds[0], true);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	signals_watch(fds[0], false);
	assert_int_equal(fcntl(fds[0], F_GETFL), O_RDWR | O_NONBLOCK);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
hears_the_end(void **state)
{
	struct pollfd pfd = { .events = POLLIN };
	int fds[2], other[2];

	(void)state;
	signals_begin();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	pfd.fd = other[0];
	signals_watch(fds[0], true);
	assert_int_equal(signals_poll(&pfd, 1, clock_now()), 0);
	assert_int_equal(signals_caught(), 0);
	(void)close(fds[1]);
	assert_int_equal(signals_poll(&pfd, 1, -1), -1);
	assert_int_equal(errno, EINTR);
	assert_int_equal(signals_caught(), SIGIO);
	(void)close(fds[0]);
	(void)close(other[0]);
	(void)close(other[1]);
}

/* Its SIGIO may come when the request that was sent has been read already. */
static void
waits_for_the_end_itself(void **state)
{
	struct pollfd pfd = { .events = POLLIN };
	int fds[2], other[2];

	(void)state;
	signals_begin();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	pfd.fd = other[0];
	signals_watch(fds[0], true);
	assert_int_equal(raise(SIGIO), 0);
	assert_int_equal(signals_poll(&pfd, 1, clock_now()), 0);
	assert_int_equal(signals_caught(), 0);
	assert_int_equal(raise(SIGIO), 0);
	assert_int_equal(write(other[1], "x", 1), 1);
	assert_int_equal(signals_poll(&pfd, 1, clock_now() + 60000), 1);
	assert_int_equal(signals_caught(), 0);
	signals_watch(fds[0], false);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(other[0]);
	(void)close(other[1]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_its_flags),
		cmocka_unit_test(waits_for_the_end_itself),
		cmocka_unit_test(hears_the_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
