/*
 * How long each step may take: RFC 5321 section 4.5.3.2 has the least for most
 * of them.  Who gives up on the final reply too early sends the message twice.
 */
#define _GNU_SOURCE			/* ppoll() */
#include "dialogue.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static long patience;			/* seconds that were asked for */
static int server;

/* Nobody waits here: instead the server hangs up. */
int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *time,
    const sigset_t *mask)
{
	(void)n;
	(void)mask;
	assert_non_null(time);
	patience = time->tv_sec + (time->tv_nsec > 0);
	(void)close(server);
	fds->revents = POLLIN;
	return 1;
}

/* The time that a reply has. */
static long
time_of(struct dialogue *d, enum step step)
{
	struct failure why;
	struct reply reply;

	patience = -1;
	dialogue_step(d, step);
	assert_false(dialogue_hear(d, &reply, NULL, NULL, &why));
	assert_int_equal(why.kind, FAILURE_LOST);
	return patience;
}

static struct dialogue
begin(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	server = fds[1];
	return (struct dialogue){ .stream = stream_new(fds[0], "server"),
	    .in_step = true, .secrets = BUFFER_SECRET };
}

static void
test_times(void **state)
{
	static const struct {
		enum step step;
		long seconds;
	} cases[] = {
		{ STEP_GREETING, 300 }, { STEP_MAIL, 300 }, { STEP_RCPT, 300 },
		{ STEP_DATA, 120 }, { STEP_BLOCK, 180 }, { STEP_DOT, 600 },
		/* of which it says nothing */
		{ STEP_EHLO, 300 }, { STEP_HELO, 300 }, { STEP_STARTTLS, 120 },
		{ STEP_TLS, 60 }, { STEP_AUTH, 120 }, { STEP_BDAT, 600 },
		{ STEP_RSET, 120 }, { STEP_QUIT, 5 },
	};
	struct dialogue d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		d = begin();
		assert_int_equal(time_of(&d, cases[i].step),
		    cases[i].seconds);
		stream_free(d.stream);
		d = begin();
		d.timeout_reply = 7;		/* QUIT's is never longer */
		assert_int_equal(time_of(&d, cases[i].step), cases[i].step ==
		    STEP_QUIT ? 5 : 7);
		stream_free(d.stream);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
