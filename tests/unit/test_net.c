/*
 * The race over addresses; a proxy, octet by octet; our own address; a unix
 * socket.
 */
#include "net.h"
#include "signals.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct pool *pool;
static struct stream *stream;
static struct net_facts facts;
static struct failure why;

/* A listener at 127.0.0.LAST; its descriptor.  -1: nobody listens there. */
static int
listener(unsigned last, in_port_t *port, int backlog)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = *port,
	    .sin_addr.s_addr = htonl(0x7f000000 | last) };
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (backlog >= 0)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof on), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*port = at.sin_port;
	return fd;
}

static void
add(struct place *place, unsigned last, in_port_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = port,
	    .sin_addr.s_addr = htonl(0x7f000000 | last) };

	memcpy(&place->addresses[place->n].address, &at, sizeof at);
	place->addresses[place->n++].len = sizeof at;
}

static bool
connects(const struct place *place, const struct net_params *params)
{
	static const struct endpoint e = { .host = "mail.example",
	    .port = "465" };

	return net_connect(&e, place, params, pool, &stream, &facts, &why);
}

static size_t
descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* What nobody listens at fails at once, and the next is taken. */
static void
goes_on(void **state)
{
	const struct net_params params = { .timeout_connect = 30 };
	struct place place = { .n = 0 };
	in_port_t port = 0;
	int one = listener(1, &port, -1), two = listener(2, &port, -1);
	int fd = listener(3, &port, 8);
	size_t before = descriptors();

	(void)state;
	add(&place, 1, port);
	add(&place, 2, port);
	add(&place, 3, port);
	assert_true(connects(&place, &params));
	assert_string_equal(facts.address, "127.0.0.3");
	assert_true(facts.loopback);
	assert_string_equal(stream_peer(stream),
	    "mail.example[127.0.0.3]:465");
	stream_free(stream);
	assert_int_equal(descriptors(), before);
	(void)close(fd);
	assert_false(connects(&place, &params));
	assert_int_equal(why.kind, FAILURE_CONNECT);
	assert_string_equal(why.text, "mail.example:465 cannot be reached "
	    "(127.0.0.1: Connection refused; 127.0.0.2: Connection refused; "
	    "127.0.0.3: Connection refused); does the server run, and is the "
	    "port right? (465 is for smtps://, 587 for smtp://)");
	assert_int_equal(descriptors(), before - 1);
	(void)close(one);
	(void)close(two);
}

/* Where the port begins is seen. */
static void
names_an_address(void **state)
{
	const struct net_params params = { .timeout_connect = 30 };
	const struct endpoint e = { .host = "::1", .port = "465" };
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(1) };
	struct place place = { .n = 1 };

	(void)state;
	memcpy(&place.addresses[0].address, &six, sizeof six);
	place.addresses[0].len = sizeof six;
	assert_false(net_connect(&e, &place, &params, pool, &stream, &facts,
	    &why));
	assert_non_null(strstr(why.text,
	    "[::1]:465 cannot be reached (::1: "));
}

/*
 * A full backlog is silence: the next one begins beside it, and wins long
 * before the first one's time is over.
 */
static void
races(void **state)
{
	struct net_params params = { .timeout_connect = 600 };
	struct place place = { .n = 0 };
	in_port_t port = 0, other = 0;
	int silent = listener(1, &port, 0), good, fill[8];
	size_t before, i;

	(void)state;
	other = port;
	good = listener(2, &other, 8);
	add(&place, 1, port);
	for (i = 0; i < 8; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fill[i], (struct sockaddr *)
		    &place.addresses[0].address, place.addresses[0].len);
	}
	add(&place, 2, port);
	before = descriptors();
	(void)alarm(60);			/* ends a test that waits */
	assert_true(connects(&place, &params));
	(void)alarm(0);
	assert_string_equal(facts.address, "127.0.0.2");
	stream_free(stream);
	assert_int_equal(descriptors(), before);
	place.n = 1;
	params.timeout_connect = 1;
	assert_false(connects(&place, &params));
	assert_string_equal(why.text, "mail.example:465 cannot be reached "
	    "(127.0.0.1: Connection timed out); is a firewall in between, or "
	    "the port another?");
	assert_int_equal(descriptors(), before);
	for (i = 0; i < 8; i++)
		(void)close(fill[i]);
	(void)close(silent);
	(void)close(good);
}

static void
has_a_source(void **state)
{
	struct net_params params = { .timeout_connect = 30,
	    .source = "127.0.0.9" };
	struct place place = { .n = 0 };
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	in_port_t port = 0;
	int fd = listener(1, &port, 8), client;

	(void)state;
	add(&place, 1, port);
	assert_true(connects(&place, &params));
	assert_string_equal(facts.local, "[127.0.0.9]");
	client = accept(fd, (struct sockaddr *)&from, &size);
	assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000009);
	stream_free(stream);
	(void)close(client);
	params.source = "::1";
	assert_false(connects(&place, &params));
	assert_non_null(strstr(why.text,
	    "127.0.0.1: Address family not supported"));
	params.source = "192.0.2.1";
	assert_false(connects(&place, &params));
	assert_non_null(strstr(why.text, "Cannot assign requested address"));
	(void)close(fd);
}

/* --- a proxy ------------------------------------------------------------ */

struct script {
	const char *hears, *says;
	size_t heard, said;
};

#define SAYS(h, s) { h, s, sizeof h - 1, sizeof s - 1 }

/* What the proxy hears and says, an octet at a time. */
static void
play(int fd, const struct script *script, size_t n)
{
	char got[600];
	size_t i, at;

	fd = accept(fd, NULL, NULL);
	for (i = 0; i < n; i++) {
		if (recv(fd, got, script[i].heard, MSG_WAITALL) !=
		    (ssize_t)script[i].heard ||
		    memcmp(got, script[i].hears, script[i].heard) != 0)
			_exit(1);
		for (at = 0; at < script[i].said; at++)
			(void)send(fd, script[i].says + at, 1, MSG_NOSIGNAL);
	}
	(void)recv(fd, got, 1, 0);
	_exit(0);
}

static bool
by_proxy(const char *host, const char *user, const char *password,
    const struct script *script, size_t n)
{
	const struct endpoint e = { .host = host, .port = "465" };
	const struct proxy proxy = { "proxy.example", "1080", user };
	const struct net_params params = { .timeout_connect = 3,
	    .proxy = &proxy, .proxy_password = password,
	    .proxy_password_len = password != NULL ? strlen(password) : 0 };
	struct place place = { .n = 0 };
	in_port_t port = 0;
	int fd = listener(1, &port, 8), status;
	pid_t pid = fork();
	bool ok;

	if (pid == 0)
		play(fd, script, n);
	add(&place, 1, port);
	ok = net_connect(&e, &place, &params, pool, &stream, &facts, &why);
	(void)close(fd);
	if (ok) {
		assert_false(facts.loopback);
		assert_int_equal(recv(stream_fd(stream), &status, 3,
		    MSG_WAITALL), 3);		/* what came right behind */
		assert_memory_equal(&status, "220", 3);
		stream_free(stream);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return ok;
}

static void
through_a_proxy(void **state)
{
	static const struct script by_name[] = {
		SAYS("\5\1\0", "\5\0"),
		SAYS("\5\1\0\3\5x.org\1\321", "\5\0\0\1\1\2\3\4\5\6" "220") };
	static const struct script by_four[] = {
		SAYS("\5\1\0", "\5\0"),
		SAYS("\5\1\0\1\300\0\2\1\1\321",
		    "\5\0\0\3\2ab\5\6" "220") };
	static const struct script by_six[] = {
		SAYS("\5\1\0", "\5\0"),
		SAYS("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\1\321",
		    "\5\0\0\4" "0123456789abcdef" "\5\6" "220") };
	static const struct script with_login[] = {
		SAYS("\5\2\0\2", "\5\2"), SAYS("\1\2me\3p w", "\1\0"),
		SAYS("\5\1\0\3\1x\1\321", "\5\0\0\1\1\2\3\4\5\6" "220") };

	(void)state;
	assert_true(by_proxy("x.org", NULL, NULL, by_name, 2));
	assert_true(by_proxy("192.0.2.1", NULL, NULL, by_four, 2));
	assert_true(by_proxy("::1", NULL, NULL, by_six, 2));
	assert_true(by_proxy("x", "me", "p w", with_login, 3));
}

/* What people call the server stays so for them. */
static void
idn_through_a_proxy(void **state)
{
	static const struct script script[] = {
		SAYS("\5\1\0", "\5\0"),
		SAYS("\5\1\0\3\25xn--bcher-kva.example\1\321",
		    "\5\0\0\1\1\2\3\4\5\6" "220") };

	(void)state;
	assert_true(by_proxy("b\303\274cher.example", NULL, NULL, script, 2));
	assert_string_equal(facts.host, "b\303\274cher.example");
}

static void
refused_by_a_proxy(void **state)
{
	static const struct {
		const char *user;
		struct script script[3];
		size_t n;
		enum failure_kind kind;
		const char *words;
	} cases[] = {
		{ NULL, { SAYS("\5\1\0", "\5\2") }, 1, FAILURE_CONFIG,
		    "wants a login" },
		{ NULL, { SAYS("\5\1\0", "\5\377") }, 1, FAILURE_CONFIG,
		    "wants a login" },
		{ "me", { SAYS("\5\2\0\2", "\5\377") }, 1, FAILURE_CONFIG,
		    "takes no login" },
		{ "me", { SAYS("\5\2\0\2", "\5\2"),
		    SAYS("\1\2me\1p", "\1\1") }, 2, FAILURE_AUTH,
		    "refuses the login" },
		{ NULL, { SAYS("\5\1\0", "HT") }, 1, FAILURE_PROTOCOL,
		    "does not speak SOCKS5" },
		{ NULL, { SAYS("\5\1\0", "\5\0"),
		    SAYS("\5\1\0\3\1x\1\321", "\5\2\0\1") }, 2,
		    FAILURE_CONNECT, "does not allow" },
		{ NULL, { SAYS("\5\1\0", "\5\0"),
		    SAYS("\5\1\0\3\1x\1\321", "\5\4\0\1") }, 2,
		    FAILURE_CONNECT, "unreachable or its name unknown" },
		{ NULL, { SAYS("\5\1\0", "\5\0"),
		    SAYS("\5\1\0\3\1x\1\321", "\5\310\0\1") }, 2,
		    FAILURE_CONNECT, "a reason of its own" },
		{ NULL, { SAYS("\5\1\0", "\5\0"),
		    SAYS("\5\1\0\3\1x\1\321", "\5\0\0\2") }, 2,
		    FAILURE_PROTOCOL, "makes no sense" },
		{ NULL, { SAYS("\5\1\0", "\5\0"),
		    SAYS("\5\1\0\3\1x\1\321", "\5\0\0\1\1\2\3") }, 2,
		    FAILURE_CONNECT, "does not answer in time" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_false(by_proxy("x", cases[i].user, "p",
		    cases[i].script, cases[i].n));
		assert_int_equal(why.kind, cases[i].kind);
		assert_non_null(strstr(why.text, "x:465: the proxy "
		    "proxy.example:1080 "));
		assert_non_null(strstr(why.text, cases[i].words));
	}
}

/* --- a unix socket ------------------------------------------------------ */

/* A listener whose backlog is full, of fds[1]. */
static void
listen_full(const char *path, int fds[2])
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int i;

	(void)strcpy(un.sun_path, path);
	for (i = 0; i < 2; i++)
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fds[0], (struct sockaddr *)&un, sizeof un), 0);
	assert_int_equal(listen(fds[0], 0), 0);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&un, sizeof un),
	    0);
}

/* The last test: what has asked us to end does so from here on. */
static void
ended_by_a_signal(void **state)
{
	char folder[] = "/tmp/test_net.XXXXXX";
	struct net_params params = { .timeout_connect = 0 };
	struct endpoint e = { .port = "24" };
	int fds[2];
	size_t before;

	(void)state;
	assert_non_null(mkdtemp(folder));
	e.path = pool_printf(pool, "%s/socket", folder);
	listen_full(e.path, fds);
	before = descriptors();
	assert_false(net_connect(&e, NULL, &params, pool, &stream, &facts,
	    &why));
	assert_int_equal(why.kind, FAILURE_CONNECT);
	params.timeout_connect = 30;
	signals_begin();
	assert_int_equal(raise(SIGTERM), 0);	/* waits until we do */
	assert_false(net_connect(&e, NULL, &params, pool, &stream, &facts,
	    &why));
	assert_int_equal(signals_caught(), SIGTERM);
	assert_int_equal(why.kind, FAILURE_INTERRUPTED);
	assert_non_null(strstr(why.text, e.path));
	assert_int_equal(descriptors(), before);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)unlink(e.path);
	(void)rmdir(folder);
}

static int
fresh(void **state)
{
	(void)state;
	pool = pool_new();
	return 0;
}

static int
done(void **state)
{
	(void)state;
	pool_free(pool);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(goes_on), TEST(names_an_address), TEST(races),
		TEST(has_a_source), TEST(through_a_proxy),
		TEST(idn_through_a_proxy),
		TEST(refused_by_a_proxy), TEST(ended_by_a_signal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
