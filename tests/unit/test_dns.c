/* Questions to a server of our own, which does what the name's first word says. */
#include "dns.h"
#include "signals.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROOM = 65536 };

static struct server {
	pid_t pid;
	int udp, tcp;
	char name[64];			/* "127.0.0.1:PORT" */
	unsigned asked;			/* of "lost" */
} first;

static unsigned *silences;		/* shared: questions not answered */
static bool flooded;			/* packets that answer nothing */

/* In front of the system's. */
ssize_t
recv(int fd, void *p, size_t len, int flags)
{
	socklen_t size = sizeof(int);
	int type = 0;

	(void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	if (!flooded || type != SOCK_DGRAM)
		return recvfrom(fd, p, len, flags, NULL, NULL);
	(void)poll(NULL, 0, 1);
	memset(p, 0, 12);
	return 12;
}

/* --- the server --------------------------------------------------------- */

static bool
is(const unsigned char *query, const char *word)
{
	size_t n = strlen(word);

	return query[12] == n && memcmp(query + 13, word, n) == 0;
}

static size_t
record(unsigned char *p, unsigned type, const void *rdata, size_t len)
{
	const unsigned char fixed[] = { 0xc0, 12, 0, (unsigned char)type, 0, 1,
	    0, 0, 0, 60, (unsigned char)(len >> 8), (unsigned char)len };

	memcpy(p, fixed, sizeof fixed);
	memcpy(p + sizeof fixed, rdata, len);
	return sizeof fixed + len;
}

/* The query's header and question, then as many TLSA or one address. */
static size_t
reply(const unsigned char *query, size_t len, unsigned char *out, bool cut)
{
	const unsigned char *end = memchr(query + 12, 0, len - 12);
	size_t n = (size_t)(end - query) + 5, records = 1, i;
	unsigned char tlsa[80] = { 3, 1, 2 };
	unsigned type = end[2];

	memcpy(out, query, n);
	memset(out + 6, 0, 6);
	out[2] = 0x81;
	out[3] = 0x80 | (query[3] & 0x20);
	if (is(query, "noedns") && query[11] != 0)
		out[3] = 0x81;
	if (is(query, "servfail"))
		out[3] |= 2;
	if (is(query, "nxdomain"))
		out[3] |= 3;
	if ((out[3] & 15) != 0)
		return n;
	if (cut) {
		out[2] |= 2;
		return n;
	}
	if (is(query, "big") || is(query, "slow"))
		records = 60;
	for (i = 0; i < records; i++)
		n += type == DNS_TLSA ? record(out + n, type, tlsa, 67) :
		    record(out + n, type, "\300\0\2\1\300\0\2\1\300\0\2\1\300\0\2\1",
		    type == DNS_A ? 4 : 16);
	out[6] = 0;
	out[7] = (unsigned char)records;
	return n;
}

static void
by_udp(struct server *s)
{
	static unsigned char query[ROOM], out[ROOM];
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	const struct sockaddr *to = (const struct sockaddr *)&from;
	ssize_t len = recvfrom(s->udp, query, sizeof query, 0,
	    (struct sockaddr *)&from, &size);
	size_t n;

	if (len > 17 && is(query, "silent"))
		++*silences;
	if (len < 17 || is(query, "silent") ||
	    (is(query, "lost") && s->asked++ == 0))
		return;
	n = reply(query, (size_t)len, out, is(query, "big") ||
	    is(query, "hang") || is(query, "closed") || is(query, "slow"));
	if (is(query, "forged")) {
		out[0] ^= 1;
		(void)sendto(s->udp, out, n, 0, to, size);
		out[0] ^= 1;
		out[14] ^= 1;			/* another name */
		(void)sendto(s->udp, out, n, 0, to, size);
		out[14] ^= 1;
	}
	(void)sendto(s->udp, out, n, 0, to, size);
}

static void
by_tcp(struct server *s)
{
	static unsigned char query[ROOM], out[ROOM];
	int fd = accept(s->tcp, NULL, NULL);
	ssize_t len = recv(fd, query, sizeof query, 0);
	unsigned char size[2];
	size_t n, i;

	if (len > 19 && is(query + 2, "hang"))
		return;				/* and leaves it open */
	if (len > 19 && !is(query + 2, "closed")) {
		n = reply(query + 2, (size_t)len - 2, out, false);
		size[0] = (unsigned char)(n >> 8);
		size[1] = (unsigned char)n;
		(void)send(fd, size, 2, MSG_NOSIGNAL);
		for (i = 0; i < n; i += is(query + 2, "slow") ? 1 : n)
			(void)send(fd, out + i, is(query + 2, "slow") ? 1 : n,
			    MSG_NOSIGNAL);
	}
	(void)close(fd);
}

static void
serve(struct server *s)
{
	struct pollfd pfds[] = { { .fd = s->udp, .events = POLLIN },
	    { .fd = s->tcp, .events = POLLIN } };

	for (;;) {
		if (poll(pfds, 2, -1) < 0)
			_exit(1);
		if (pfds[0].revents != 0)
			by_udp(s);
		if (pfds[1].revents != 0)
			by_tcp(s);
	}
}

/* Both kinds of socket at one port. */
static void
listen_at(struct server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;

	s->udp = socket(AF_INET, SOCK_DGRAM, 0);
	s->tcp = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->tcp, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(s->tcp, (struct sockaddr *)&at, &size),
	    0);
	assert_int_equal(bind(s->udp, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(s->tcp, 8), 0);
	(void)snprintf(s->name, sizeof s->name, "127.0.0.1:%u",
	    (unsigned)ntohs(at.sin_port));
}

static int
start(void **state)
{
	(void)state;
	silences = mmap(NULL, sizeof *silences, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(silences != MAP_FAILED);
	listen_at(&first);
	first.pid = fork();
	if (first.pid == 0)
		serve(&first);
	(void)close(first.udp);
	(void)close(first.tcp);
	return first.pid < 0;
}

static int
stop(void **state)
{
	(void)state;
	return kill(first.pid, SIGKILL) != 0 ||
	    waitpid(first.pid, NULL, 0) != first.pid;
}

/* --- the tests ---------------------------------------------------------- */

static struct dns_question
ask(const char *name, enum dns_type type, struct pool *pool)
{
	struct dns_question q = { .name = name, .type = type };
	struct dns *d = dns_open(first.name);
	struct failure why;

	assert_true(dns_is_trusted(d));
	assert_true(dns_ask(d, &q, 1, pool, &why));
	dns_close(d);
	return q;
}

static void
asks(void **state)
{
	struct dns_question q = ask("good.example", DNS_A, *state);

	assert_int_equal(q.state, DNS_FOUND);
	assert_true(q.authenticated);	/* AD was asked for and is given */
	assert_int_equal(q.n, 1);
	q = ask("nxdomain.example", DNS_A, *state);
	assert_int_equal(q.state, DNS_NO_NAME);
	q = ask("servfail.example", DNS_A, *state);
	assert_int_equal(q.state, DNS_SERVER_FAILED);
	q = ask("noedns.example", DNS_A, *state);
	assert_int_equal(q.state, DNS_FOUND);
	q = ask("forged.example", DNS_AAAA, *state);
	assert_int_equal(q.state, DNS_FOUND);
	q = ask("lost.example", DNS_A, *state);
	assert_int_equal(q.state, DNS_FOUND);
}

static void
asks_for_all_at_once(void **state)
{
	struct dns_question q[DNS_QUESTIONS_MAX];
	struct dns *d = dns_open(first.name);
	struct failure why;
	size_t i;

	for (i = 0; i < DNS_QUESTIONS_MAX; i++)
		q[i] = (struct dns_question){ .name = i == 3 ?
		    "nxdomain.example" : i == 4 ? "big.example" :
		    "good.example", .type = i == 4 ? DNS_TLSA : i % 2 == 0 ?
		    DNS_A : DNS_AAAA };
	assert_true(dns_ask(d, q, DNS_QUESTIONS_MAX, *state, &why));
	dns_close(d);
	for (i = 0; i < DNS_QUESTIONS_MAX; i++)
		assert_int_equal(q[i].state, i == 3 ? DNS_NO_NAME :
		    DNS_FOUND);
	assert_int_equal(q[4].n, 60);
	assert_int_equal(q[5].records[0].len, 16);
}

static void
goes_on_by_tcp(void **state)
{
	struct dns_question q = ask("big.example", DNS_TLSA, *state);

	assert_int_equal(q.state, DNS_FOUND);
	assert_int_equal(q.n, 60);
	assert_true(q.authenticated);
	assert_int_equal(ask("slow.example", DNS_TLSA, *state).n, 60);
	q = ask("closed.example", DNS_TLSA, *state);
	assert_true(dns_is_temporary(q.state));
	assert_int_equal(q.n, 0);
}

/*
 * What is dependent is not waited for, and so not asked for again, when
 * nothing is authenticated.
 */
static void
does_not_wait(void **state)
{
	struct dns_question q[] = { { .name = "servfail.example",
	    .type = DNS_A }, { .name = "silent.example", .type = DNS_TLSA,
	    .dependent = true } };
	struct dns *d = dns_open(first.name);
	struct failure why;

	*silences = 0;
	assert_true(dns_ask(d, q, 2, *state, &why));
	dns_close(d);
	assert_int_equal(q[0].state, DNS_SERVER_FAILED);
	assert_int_equal(q[1].state, DNS_TIMEOUT);
	assert_false(q[1].authenticated);
	assert_true(*silences <= 1);
}

static void
no_server(void **state)
{
	struct dns_question q = { .name = "a.example", .type = DNS_A };
	struct dns *d;
	struct failure why;
	struct server nobody;

	listen_at(&nobody);
	(void)close(nobody.udp);
	(void)close(nobody.tcp);
	d = dns_open(nobody.name);
	assert_true(dns_ask(d, &q, 1, *state, &why));
	assert_int_equal(q.state, DNS_NO_SERVER);
	dns_close(d);
	d = dns_open(first.name);
	q.name = "a..example";
	assert_true(dns_ask(d, &q, 1, *state, &why));
	assert_int_equal(q.state, DNS_NO_NAME);
	dns_close(d);
}

static void
alarm_is_a_signal(int signal)
{
	(void)signal;
	(void)raise(SIGTERM);
}

/*
 * Silence by UDP and by TCP ends at the deadline, and so does a flood of
 * packets that are no answers; a signal ends it sooner.
 */
static void
ends(void **state)
{
	struct dns_question q[] = { { .name = "silent.example",
	    .type = DNS_A }, { .name = "hang.example", .type = DNS_TLSA },
	    { .name = "one.example", .type = DNS_A } };
	struct dns *d = dns_open(first.name);
	struct sigaction act = { .sa_handler = alarm_is_a_signal };
	struct failure why;

	*silences = 0;
	(void)alarm(60);		/* for ever is no answer */
	flooded = true;
	assert_true(dns_ask(d, q, 3, *state, &why));
	flooded = false;
	assert_int_equal(q[0].state, DNS_TIMEOUT);
	assert_int_equal(q[1].state, DNS_TIMEOUT);
	assert_int_equal(q[2].state, DNS_TIMEOUT);
	assert_true(*silences > 1);
	signals_begin();
	assert_int_equal(sigaction(SIGALRM, &act, NULL), 0);
	(void)alarm(1);
	assert_false(dns_ask(d, q, 1, *state, &why));
	assert_int_equal(why.kind, FAILURE_INTERRUPTED);
	dns_close(d);
}

static int
fresh(void **state)
{
	*state = pool_new();
	return 0;
}

static int
done(void **state)
{
	pool_free(*state);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(asks), TEST(asks_for_all_at_once), TEST(goes_on_by_tcp),
		TEST(does_not_wait), TEST(no_server), TEST(ends),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
