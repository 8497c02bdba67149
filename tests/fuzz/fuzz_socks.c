/*
 * What a SOCKS5 proxy says.  The first octet chooses whether it has a login
 * and what it is asked for.  When it has connected, what follows its reply is
 * left for the server; what it was asked is in form.
 */
#include "fuzz.h"
#include "socks.h"
#include "stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a whole dialogue that ends well is (RFC 1928, 1929). */
static size_t
length_of(const uint8_t *p, size_t len)
{
	size_t at = 2;

	if (len >= 2 && p[1] == 2)
		at += 2;
	if (len < at + 5)
		return 0;
	switch (p[at + 3]) {
	case 1:
		return at + 10;
	case 3:
		return at + 7 + p[at + 4];
	default:
		return at + 22;
	}
}

static size_t
left_in(int fd, void *p, size_t room)
{
	ssize_t n;
	size_t all = 0;

	while ((n = recv(fd, (char *)p + all, room - all, MSG_DONTWAIT)) > 0)
		all += (size_t)n;
	return all;
}

static void
check_request(int fd, bool has_user)
{
	unsigned char p[1024];
	size_t n = left_in(fd, p, sizeof p);

	assert(n >= 3 && p[0] == 5 && p[1] == 1 + has_user && p[2] == 0);
	assert(!has_user || p[3] == 2);
}

static void
ask(int fd, int proxy, const uint8_t *data, size_t size, unsigned how)
{
	static const char *const hosts[] = { "mail.example.org", "192.0.2.1",
	    "2001:db8::1", "mail.example.org" };
	const struct proxy p = { .host = "proxy.example.org", .port = "1080",
	    .user = how & 1 ? "me" : NULL };
	const struct endpoint e = { .host = hosts[how >> 1 & 3],
	    .port = "465" };
	const struct socks_params params = { .proxy = &p, .password = "secret",
	    .password_len = 6, .deadline = clock_now() + 60000 };
	static char rest[1 << 16];
	struct failure why = { 0 };

	if (socks_connect(fd, &params, &e, &why)) {
		assert(length_of(data, size) > 0 && length_of(data, size) +
		    left_in(fd, rest, sizeof rest) == size);
		assert(data[0] == 5);
	} else {
		assert(why.kind != FAILURE_NONE && why.text[0] != '\0');
		assert(strstr(why.text, "secret") == NULL);
	}
	check_request(proxy, how & 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd[2];

	if (size < 1 || size > 4096)
		return 0;
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	assert(size == 1 || send(fd[1], data + 1, size - 1, 0) ==
	    (ssize_t)size - 1);
	(void)shutdown(fd[1], SHUT_WR);
	ask(fd[0], fd[1], data + 1, size - 1, data[0]);
	(void)close(fd[0]);
	(void)close(fd[1]);
	return 0;
}
