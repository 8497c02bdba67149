#include "dns.h"
#include "clock.h"
#include "crypto.h"
#include "log.h"
#include "resolver.h"
#include "signals.h"

#include <arpa/nameser.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	QUERY_ROOM = 512,		/* a question is far shorter */
	ANSWER_ROOM = 65535,
	UDP_SIZE = 1232,		/* fits any path (RFC 6891 6.2.5) */
	OPT_LEN = 11,
	FIRST_WAIT = 1000, LAST_WAIT = 4000,	/* before asking again, ms */
	PACKETS_MAX = 64		/* on end, without a look at the clock */
};

struct dns {
	struct resolver resolver;
	unsigned n;			/* its servers */
	int fds[RESOLVER_SERVERS_MAX];	/* UDP, connected; -1: not open */
};

/* One question on its way. */
struct inquiry {
	struct dns_question *question;
	unsigned id;
	bool done;
	bool without_edns;
	unsigned failed;		/* servers that failed, by bit */
	unsigned server;		/* asked last */
	unsigned asked;			/* times */
	milliseconds again;		/* when to ask the next one */
	int tcp;			/* -1: by UDP */
	unsigned char query[2 + QUERY_ROOM];	/* length in front, for TCP */
	size_t len;			/* without it */
	size_t sent;			/* by TCP */
	unsigned char *answer;		/* by TCP, length in front */
	size_t have;
};

struct asking {
	struct dns *dns;
	struct inquiry all[DNS_QUESTIONS_MAX];
	size_t n;
	milliseconds deadline;
	struct pool *pool;
};

struct dns *
dns_open(const char *resolver)
{
	struct dns *d = pool_malloc(sizeof *d);
	unsigned i;

	*d = (struct dns){ 0 };
	resolver_find(&d->resolver, resolver);
	d->n = d->resolver.n;
	for (i = 0; i < RESOLVER_SERVERS_MAX; i++)
		d->fds[i] = -1;
	return d;
}

void
dns_close(struct dns *d)
{
	unsigned i;

	if (d == NULL)
		return;
	for (i = 0; i < d->n; i++)
		if (d->fds[i] >= 0)
			(void)close(d->fds[i]);
	free(d);
}

bool
dns_is_trusted(const struct dns *d)
{
	return d->resolver.trusted;
}

/* A connected socket hears only who was asked. */
static int
open_socket(const struct resolver_server *s, int type)
{
	int fd = socket(s->address.ss_family, type | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&s->address,
	    s->len) != 0 && errno != EINPROGRESS) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * AD in a question asks for AD in its answer (RFC 6840 section 5.7); OPT says
 * how much we can take (RFC 6891 section 6.1.2).
 */
static bool
pack(struct inquiry *q)
{
	static const unsigned char opt[OPT_LEN] = { 0, 0, ns_t_opt,
	    UDP_SIZE >> 8, UDP_SIZE & 0xff, 0, 0, 0, 0, 0, 0 };
	unsigned char *p = q->query + 2;
	struct __res_state res = { .options = RES_INIT | RES_RECURSE };
	int n = res_nmkquery(&res, ns_o_query, q->question->name, ns_c_in,
	    (int)q->question->type, NULL, 0, NULL, p, QUERY_ROOM - OPT_LEN);

	if (n < NS_HFIXEDSZ)
		return false;
	p[0] = (unsigned char)(q->id >> 8);
	p[1] = (unsigned char)q->id;
	p[3] |= 0x20;
	q->len = (size_t)n;
	if (!q->without_edns) {
		memcpy(p + n, opt, OPT_LEN);
		p[11] = 1;		/* additional records */
		q->len += OPT_LEN;
	}
	q->query[0] = (unsigned char)(q->len >> 8);
	q->query[1] = (unsigned char)q->len;
	return true;
}

static void
finish(struct inquiry *q, enum dns_state state)
{
	q->question->state = state;
	q->done = true;
}

static void
end_tcp(struct inquiry *q)
{
	if (q->tcp >= 0)
		(void)close(q->tcp);
	q->tcp = -1;
	free(q->answer);
	q->answer = NULL;
	q->have = q->sent = 0;
}

/* The server was of no use: another one now, or that was all. */
static void
failed(struct asking *a, struct inquiry *q, enum dns_state state)
{
	end_tcp(q);
	q->failed |= 1U << q->server;
	q->question->state = state;
	q->again = clock_now();
	if (q->failed == (1U << a->dns->n) - 1)
		q->done = true;
}

static void
next_server(const struct asking *a, struct inquiry *q)
{
	if (q->asked > 0)
		do
			q->server = (q->server + 1) % a->dns->n;
		while ((q->failed & 1U << q->server) != 0);
}

/* A closed port is told once, to whoever uses the socket next. */
static void
unreachable(struct asking *a, unsigned server)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (!a->all[i].done && a->all[i].tcp < 0 &&
		    a->all[i].server == server && a->all[i].asked > 0)
			failed(a, &a->all[i], DNS_NO_SERVER);
}

static void
ask(struct asking *a, struct inquiry *q)
{
	milliseconds wait;
	int *fd;

	next_server(a, q);
	fd = &a->dns->fds[q->server];
	wait = (milliseconds)FIRST_WAIT << (q->asked / a->dns->n < 2 ?
	    q->asked / a->dns->n : 2);
	q->asked++;
	q->again = clock_now() + (wait < LAST_WAIT ? wait : LAST_WAIT);
	if (*fd < 0)
		*fd = open_socket(&a->dns->resolver.servers[q->server],
		    SOCK_DGRAM);
	if (*fd < 0 || send(*fd, q->query + 2, q->len, MSG_NOSIGNAL) < 0)
		unreachable(a, q->server);
}

static void
begin_tcp(struct asking *a, struct inquiry *q)
{
	end_tcp(q);
	q->tcp = open_socket(&a->dns->resolver.servers[q->server],
	    SOCK_STREAM);
	q->again = a->deadline;
	q->answer = pool_malloc(2 + ANSWER_ROOM);
	if (q->tcp < 0)
		failed(a, q, DNS_NO_SERVER);
}

static void
heard(struct asking *a, struct inquiry *q, const unsigned char *packet,
    size_t len)
{
	switch (answer_parse(q->question, packet, len, q->id,
	    a->dns->resolver.trusted, a->pool)) {
	case ANSWER_IS_FOREIGN:
		return;
	case ANSWER_BY_TCP:
		if (q->tcp >= 0)
			failed(a, q, DNS_GARBAGE);
		else
			begin_tcp(a, q);
		return;
	case ANSWER_WITHOUT_EDNS:
		if (q->without_edns) {
			failed(a, q, DNS_REFUSED);
			return;
		}
		q->without_edns = true;
		(void)pack(q);
		end_tcp(q);
		q->again = clock_now();
		q->asked = 0;
		return;
	case ANSWER_IS_DONE:
		if (q->question->state > DNS_NO_NAME)
			failed(a, q, q->question->state);
		else
			finish(q, q->question->state);
	}
}

static void
hear_udp(struct asking *a, unsigned server)
{
	unsigned char packet[ANSWER_ROOM];
	int packets;
	ssize_t n;
	size_t i;

	for (packets = 0; packets < PACKETS_MAX; packets++) {
		n = recv(a->dns->fds[server], packet, sizeof packet, 0);
		if (n < 0 && errno == ECONNREFUSED)
			unreachable(a, server);
		if (n < 0)
			return;
		for (i = 0; i < a->n; i++)
			if (!a->all[i].done && a->all[i].tcp < 0 && n >= 2 &&
			    a->all[i].id == ns_get16(packet))
				heard(a, &a->all[i], packet, (size_t)n);
	}
}

static void
say_tcp(struct asking *a, struct inquiry *q)
{
	ssize_t n = send(q->tcp, q->query + q->sent, q->len + 2 - q->sent,
	    MSG_NOSIGNAL);

	if (n > 0)
		q->sent += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		failed(a, q, DNS_NO_SERVER);
}

static void
hear_tcp(struct asking *a, struct inquiry *q)
{
	size_t wanted = q->have < 2 ? 2 : 2 + (size_t)ns_get16(q->answer);
	ssize_t n = recv(q->tcp, q->answer + q->have, wanted - q->have, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		failed(a, q, DNS_GARBAGE);
		return;
	}
	q->have += (size_t)n;
	if (q->have < 2 || q->have < 2 + (size_t)ns_get16(q->answer))
		return;
	if (q->have == 2) {
		failed(a, q, DNS_GARBAGE);
		return;
	}
	heard(a, q, q->answer + 2, q->have - 2);
	if (!q->done && q->tcp >= 0)		/* it answers something else */
		failed(a, q, DNS_GARBAGE);
	if (q->done)
		end_tcp(q);
}

static milliseconds
soonest(const struct asking *a)
{
	milliseconds when = a->deadline;
	size_t i;

	for (i = 0; i < a->n; i++)
		if (!a->all[i].done && a->all[i].again < when)
			when = a->all[i].again;
	return when;
}

/* Waits for whatever comes first and takes it. */
static bool
wait_once(struct asking *a)
{
	struct pollfd pfds[RESOLVER_SERVERS_MAX + DNS_QUESTIONS_MAX];
	size_t i, n = a->dns->n;

	for (i = 0; i < n; i++)
		pfds[i] = (struct pollfd){ .fd = a->dns->fds[i],
		    .events = POLLIN };
	for (i = 0; i < a->n; i++)
		pfds[n + i] = (struct pollfd){ .fd = a->all[i].done ? -1 :
		    a->all[i].tcp, .events = a->all[i].sent <
		    a->all[i].len + 2 ? POLLOUT : POLLIN };
	if (signals_poll(pfds, (nfds_t)(n + a->n), soonest(a)) < 0)
		return false;
	for (i = 0; i < n; i++)
		if (pfds[i].revents != 0)
			hear_udp(a, (unsigned)i);
	for (i = 0; i < a->n; i++)
		if (pfds[n + i].revents != 0 && a->all[i].tcp >= 0 &&
		    a->all[i].tcp == pfds[n + i].fd) {
			if (pfds[n + i].events == POLLOUT)
				say_tcp(a, &a->all[i]);
			else
				hear_tcp(a, &a->all[i]);
		}
	return true;
}

/* What only matters beside something authenticated is not waited for. */
static bool
all_done(const struct asking *a)
{
	bool waiting = false, secure = false;
	size_t i;

	for (i = 0; i < a->n; i++) {
		if (!a->all[i].done && !a->all[i].question->dependent)
			return false;
		waiting = waiting || !a->all[i].done;
		secure = secure || (a->all[i].done &&
		    !a->all[i].question->dependent &&
		    a->all[i].question->authenticated);
	}
	return !waiting || !secure;
}

/* Ids that nobody can guess, and no two alike. */
static unsigned
fresh_id(const struct asking *a)
{
	uint16_t id;
	size_t i;

	do {
		crypto_random(&id, sizeof id);
		for (i = 0; i < a->n && a->all[i].id != id; i++)
			;
	} while (i < a->n);
	return id;
}

static void
begin(struct asking *a, struct dns_question *question)
{
	struct inquiry *q = &a->all[a->n];

	question->records = NULL;
	question->n = 0;
	question->authenticated = false;
	question->canonical = question->name;
	*q = (struct inquiry){ .question = question, .id = fresh_id(a),
	    .tcp = -1 };
	a->n++;
	if (a->dns->n == 0)
		finish(q, DNS_NO_SERVER);
	else if (!pack(q))
		finish(q, DNS_NO_NAME);
}

static const char *const type_names[] = { [DNS_A] = "A", [DNS_AAAA] = "AAAA",
    [DNS_CNAME] = "CNAME", [DNS_SRV] = "SRV", [DNS_TLSA] = "TLSA" };

static void
note(const struct dns_question *q)
{
	log_detail("DNS: %s %s: %zu found, %s%s", q->name, type_names[q->type],
	    q->n, dns_state_text(q->state),
	    q->authenticated ? ", authenticated" : "");
}

bool
dns_ask(struct dns *d, struct dns_question *questions, size_t n,
    struct pool *pool, struct failure *why)
{
	struct asking a = { .dns = d, .pool = pool, .deadline = clock_now() +
	    (milliseconds)d->resolver.seconds * 1000 };
	bool ok = true;
	size_t i;

	assert(n <= DNS_QUESTIONS_MAX);
	for (i = 0; i < n; i++)
		begin(&a, &questions[i]);
	while (ok && !all_done(&a) && clock_now() < a.deadline) {
		for (i = 0; i < n; i++)
			while (!a.all[i].done && a.all[i].tcp < 0 &&
			    a.all[i].again <= clock_now())
				ask(&a, &a.all[i]);
		ok = all_done(&a) || wait_once(&a) ||
		    fail(why, FAILURE_INTERRUPTED, "ended by signal %d while "
		    "asking the DNS for %s", signals_caught(),
		    questions[0].name);
	}
	for (i = 0; i < n; i++) {
		if (!a.all[i].done && a.all[i].failed == 0)
			questions[i].state = DNS_TIMEOUT;
		end_tcp(&a.all[i]);
		note(&questions[i]);
	}
	return ok;
}

const char *
dns_state_text(enum dns_state state)
{
	static const char *const texts[] = {
		[DNS_FOUND] = "found",
		[DNS_NO_DATA] = "there is no such record",
		[DNS_NO_NAME] = "there is no such name",
		[DNS_SERVER_FAILED] = ("the resolver fails (SERVFAIL, as it "
		    "answers for what DNSSEC finds forged)"),
		[DNS_REFUSED] = "the resolver refuses to answer",
		[DNS_GARBAGE] = "the answer cannot be understood",
		[DNS_TIMEOUT] = "no answer in time",
		[DNS_NO_SERVER] = "no resolver can be reached",
	};

	return texts[state];
}

void
dns_name_resolver(const struct dns *d, const struct dns_question *q,
    struct failure *why)
{
	const struct resolver_server *s = &d->resolver.servers[0];
	char host[64], port[16], text[512];

	if (d->n == 0 || getnameinfo((const struct sockaddr *)&s->address,
	    s->len, host, sizeof host, port, sizeof port, NI_NUMERICHOST |
	    NI_NUMERICSERV | NI_DGRAM) != 0)
		return;
	(void)snprintf(text, sizeof text, "; try: dig @%s -p %s %.255s %s",
	    host, port, q->name, type_names[q->type]);
	fail_more(why, text);
}

bool
dns_is_temporary(enum dns_state state)
{
	return state > DNS_NO_NAME;
}
