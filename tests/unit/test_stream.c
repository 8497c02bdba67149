/*
 * What becomes of a connection when an octet cannot be written.
 */
#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { PATIENCE = 60 };			/* seconds */

struct pair {
	int ours, its;
};

static enum transport_state
take(void *context, char *p, size_t room, size_t *done, struct failure *why)
{
	const struct pair *pair = context;
	ssize_t n = recv(pair->ours, p, room, 0);

	(void)why;
	*done = n > 0 ? (size_t)n : 0;
	return n > 0 ? TRANSPORT_DONE :
	    n == 0 ? TRANSPORT_END : TRANSPORT_WANT_READ;
}

static enum transport_state
refuse(void *context, const char *p, size_t len, size_t *done,
    struct failure *why)
{
	(void)context;
	(void)p;
	(void)len;
	(void)done;
	*why = (struct failure){ .kind = FAILURE_LOST };
	(void)strcpy(why->text, "connection lost: no room");
	return TRANSPORT_FAILED;
}

static void
test_last_words(void **state)
{
	struct pair pair;
	const struct transport broken = { take, refuse, &pair };
	struct stream *s;
	struct failure why;
	const char *line;
	size_t len;
	char end;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	pair = (struct pair){ fds[0], fds[1] };
	s = stream_new(pair.ours, "server");
	stream_step(s, "naming the sender", PATIENCE);
	assert_true(stream_switch(s, &broken, &why));
	stream_put(s, "MAIL\r\n", 6);
	assert_true(stream_flush(s, &why));
	assert_true(stream_is_broken(s));
	assert_int_equal(recv(pair.its, &end, 1, 0), 0);
	assert_int_equal(send(pair.its, "421 bye\r\n", 9, 0), 9);
	(void)close(pair.its);
	assert_true(stream_line(s, 512, &line, &len, &why));
	assert_int_equal(strncmp(line, "421 bye", len), 0);
	assert_false(stream_line(s, 512, &line, &len, &why));
	assert_string_equal(why.text,
	    "server: naming the sender: connection lost: no room");
	stream_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
