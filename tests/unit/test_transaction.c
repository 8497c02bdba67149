/*
 * What a recipient's verdict is when the connection ends about the last octet
 * of the data, with QUIT behind it.
 */
#include "transaction.h"
#include "letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* Hears until it has heard the last, and then no more. */
struct server {
	const char *replies;		/* to what is said up to the data */
	const char *last;
	bool silent;			/* it stays, and says nothing */
	char heard[1024];
	size_t len;
};

static enum transport_state
read_from(void *context, char *p, size_t room, size_t *done,
    struct failure *why)
{
	struct server *server = context;

	(void)why;
	*done = strlen(server->replies);
	if (strstr(server->heard, "DATA\r\n") == NULL &&
	    strstr(server->heard, "LAST\r\n") == NULL)
		return TRANSPORT_WANT_READ;
	if (*done == 0)
		return server->silent ? TRANSPORT_WANT_READ : TRANSPORT_END;
	assert_true(*done <= room);
	memcpy(p, server->replies, *done);
	server->replies = "";
	return TRANSPORT_DONE;
}

static enum transport_state
write_to(void *context, const char *p, size_t len, size_t *done,
    struct failure *why)
{
	struct server *server = context;

	for (*done = 0; *done < len && strstr(server->heard, server->last) ==
	    NULL; ++*done) {
		assert_true(server->len + 1 < sizeof server->heard);
		server->heard[server->len++] = p[*done];
	}
	if (*done > 0)
		return TRANSPORT_DONE;
	if (server->silent)
		return TRANSPORT_WANT_READ;
	*why = (struct failure){ .kind = FAILURE_LOST };
	return TRANSPORT_FAILED;
}

static enum verdict
submit(bool chunking, struct server *server, struct pool *pool)
{
	static const char text[] = "A: b\n\nbody\n";
	struct recipient to = { .path = "b@example.net",
	    .key = "b@example.net" };
	const struct envelope envelope = { .sender = "a@example.org",
	    .recipients = &to, .n = 1 };
	struct message *m = letter_read(text, sizeof text - 1, pool);
	const struct smtp_params params = { .timeout_reply = 1 };
	const struct transport transport = { read_from, write_to, server };
	struct smtp s = { .params = &params, .pool = pool, .can = {
	    .pipelining = true, .chunking = chunking }, .greeted = true };
	const struct failure *put_off[1] = { NULL };
	bool is_accepted[1] = { false };
	const size_t who[] = { 0 };
	struct outcome outcome;
	struct transaction t = { .s = &s, .talk = &s.talk,
	    .envelope = &envelope, .message = m, .demands = demands_of(m),
	    .outcome = &outcome, .who = who, .n = 1, .last = true,
	    .is_accepted = is_accepted, .put_off = put_off };
	struct failure why;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	outcome_init(&outcome, 1, pool);
	s.talk = (struct dialogue){ .stream = stream_new(fds[0], "server"),
	    .timeout_reply = 1, .in_step = true };
	assert_true(stream_switch(s.talk.stream, &transport, &why));
	transaction_run(&t);
	outcome_rest_failed(&outcome, &t.end);
	stream_free(s.talk.stream);
	(void)close(fds[1]);
	message_free(m);
	return outcome.results[0].verdict;
}

static const struct {
	bool chunking;
	const char *last;
	enum verdict verdict;
} cases[] = {
	{ false, "body\r\n.\r\n", VERDICT_UNKNOWN },
	{ false, "body\r\n.\r\nQUIT\r\n", VERDICT_UNKNOWN },
	{ false, "body\r\n.\r", VERDICT_DEFERRED },
	{ true, "body\r\n", VERDICT_UNKNOWN },
	{ true, "body\r\nQUIT\r\n", VERDICT_UNKNOWN },
	{ true, "body\r", VERDICT_DEFERRED },
};

static void
test_last_octets(void **state)
{
	struct pool *pool = pool_new();
	struct server server;
	size_t i;
	int silent;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (silent = 0; silent < 2; silent++) {
			server = (struct server){ .replies = cases[i].chunking ?
			    "250 ok\r\n250 ok\r\n" :
			    "250 ok\r\n250 ok\r\n354 go\r\n",
			    .last = cases[i].last, .silent = silent };
			if (submit(cases[i].chunking, &server, pool) !=
			    cases[i].verdict)
				fail_msg("%zu: wrong verdict", i);
		}
	}
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_octets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
