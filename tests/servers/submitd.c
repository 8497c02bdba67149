/*
 * submitd: a small submission server for the tests, well-behaved or not.
 *
 * One process listens, each connection has a process of its own.  All of
 * them end when the process that has started the first one dies: a test
 * leaves no strays.  "submitd --help" tells the options; HACKING.md how the
 * tests use them.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "submitd_commands.h"

enum {
	MAX_CHILDREN	= 512,
	SMALL_BUFFER	= 4096,
	SMALL_SEGMENT	= 536,
};

struct server {
	struct options options;
	struct tls *tls;
	int log_fd, signal_fd;
	struct pollfd sockets[MAX_LISTENERS + 2];	/* and signal_fd */
	nfds_t socket_count;
	pid_t children[MAX_CHILDREN];
	size_t child_count, started, ended;
	bool has_failed;		/* some child has crashed */
};

static void
die(const char *what)
{
	(void)fprintf(stderr, "submitd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
die_with_parent(int signal_number)
{
	const pid_t parent = getppid();

	(void)prctl(PR_SET_PDEATHSIG, signal_number);
	if (getppid() != parent)
		exit(0);
}

/* --- listening --- */

static void
set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof value) != 0)
		die("setsockopt");
}

static int
bind_socket(const struct options *o, const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	if (a->ai_family != AF_UNIX)
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (a->ai_family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (o->small_buffers) {
		set(fd, SOL_SOCKET, SO_RCVBUF, SMALL_BUFFER);
		set(fd, SOL_SOCKET, SO_SNDBUF, SMALL_BUFFER);
	}
	if (o->small_buffers && a->ai_family != AF_UNIX)
		set(fd, IPPROTO_TCP, TCP_MAXSEG, SMALL_SEGMENT);
	if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 128) != 0)
		die("listening");
	return fd;
}

/* "127.0.0.1:0" or "[::1]:0" */

static int
listen_tcp(const struct options *o, const char *where)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM
	};
	const char *colon = strrchr(where, ':');
	const bool is_bracketed = *where == '[' && colon[-1] == ']';
	struct addrinfo *list;
	char host[128];
	int fd, error;

	(void)snprintf(host, sizeof host, "%.*s",
	    (int)(colon - where) - 2 * is_bracketed, where + is_bracketed);
	error = getaddrinfo(host, colon + 1, &hints, &list);
	if (error != 0) {
		(void)fprintf(stderr, "submitd: %s: %s\n", where,
		    gai_strerror(error));
		exit(64);
	}
	fd = bind_socket(o, list);
	freeaddrinfo(list);
	return fd;
}

static int
listen_unix(const struct options *o)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	const struct addrinfo a = {
		.ai_family = AF_UNIX,
		.ai_addr = (struct sockaddr *)&name,
		.ai_addrlen = sizeof name
	};

	if (strlen(o->unix_path) >= sizeof name.sun_path) {
		errno = ENAMETOOLONG;
		die(o->unix_path);
	}
	(void)snprintf(name.sun_path, sizeof name.sun_path, "%s",
	    o->unix_path);
	(void)unlink(o->unix_path);
	return bind_socket(o, &a);
}

static void
watch(struct server *s, int fd)
{
	s->sockets[s->socket_count].fd = fd;
	s->sockets[s->socket_count].events = POLLIN;
	s->socket_count++;
}

/* Where a socket is bound, to be told; false for a unix socket. */

static bool
where(int fd, char *host, size_t room, char port[16])
{
	struct sockaddr_storage name = { 0 };
	socklen_t octets = sizeof name;

	if (getsockname(fd, (struct sockaddr *)&name, &octets) != 0)
		die("getsockname");
	return name.ss_family != AF_UNIX &&
	    getnameinfo((struct sockaddr *)&name, octets, host,
	    (socklen_t)room, port, 16, NI_NUMERICHOST | NI_NUMERICSERV) == 0;
}

static void
tell(const struct server *s, FILE *ready, int fd)
{
	char host[128], port[16];

	if (!where(fd, host, sizeof host, port)) {
		(void)printf("listening %s\n", s->options.unix_path);
		(void)fprintf(ready, "%s\n", s->options.unix_path);
		return;
	}
	(void)printf(strchr(host, ':') != NULL ? "listening [%s]:%s\n" :
	    "listening %s:%s\n", host, port);
	(void)fprintf(ready, "%s\n", port);
}

/* Writes a file whole: whoever sees it may read it. */

static void
publish(const char *path, const char *text)
{
	char tmp[4096];
	FILE *f;

	if (path == NULL)
		return;
	(void)snprintf(tmp, sizeof tmp, "%s.%ld", path, (long)getpid());
	f = fopen(tmp, "w");
	if (f == NULL)
		die(tmp);
	if (fputs(text, f) < 0 || fclose(f) != 0 || rename(tmp, path) != 0)
		die(path);
}

static void
tell_all(const struct server *s)
{
	char pid[32];
	char *ready = NULL;
	size_t octets;
	FILE *f = open_memstream(&ready, &octets);

	if (f == NULL)
		die("memory");
	for (nfds_t i = 1; i < s->socket_count; i++)
		tell(s, f, s->sockets[i].fd);
	if (fclose(f) != 0)
		die("memory");
	(void)snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	publish(s->options.pid_file, pid);
	publish(s->options.ready_file, ready);
	free(ready);
	(void)fflush(stdout);
}

/* --- one connection --- */

static void
converse(const struct server *server, int fd)
{
	const int on = 1;
	struct sockaddr_storage name = { 0 };
	socklen_t octets = sizeof name;
	struct session s = {
		.options = &server->options,
		.tls = server->tls,
		.conn = conn_new(fd, server->log_fd, &server->options),
	};

	if (s.conn == NULL)
		die("memory");
	(void)getsockname(fd, (struct sockaddr *)&name, &octets);
	s.is_local = name.ss_family == AF_UNIX;
	if (!s.is_local)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	commands_run(&s);
	conn_end(s.conn, s.ending);
}

static void
close_all(const struct server *s)
{
	for (nfds_t i = 0; i < s->socket_count; i++)
		(void)close(s->sockets[i].fd);
}

static void
release(struct server *s)
{
	tls_free(s->tls);
	for (size_t i = 0; i < s->options.user_count; i++)
		free((char *)(uintptr_t)s->options.users[i].name);
}

static void
be_child(struct server *s, int fd)
{
	sigset_t none;

	die_with_parent(SIGKILL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	close_all(s);
	converse(s, fd);
	release(s);
	exit(0);
}

static bool
is_full(const struct server *s)
{
	return s->child_count == MAX_CHILDREN || (s->options.max_sessions > 0
	    && s->started == s->options.max_sessions);
}

static void
take(struct server *s, int listener)
{
	int fd = accept(listener, NULL, NULL);
	pid_t child;

	if (fd < 0)
		return;			/* the client has gone again */
	child = fork();
	if (child == 0)
		be_child(s, fd);
	(void)close(fd);
	if (child < 0)
		return;
	s->children[s->child_count++] = child;
	s->started++;
}

/* --- children and signals --- */

static void
forget(struct server *s, pid_t child, int status)
{
	for (size_t i = 0; i < s->child_count; i++) {
		if (s->children[i] == child) {
			s->children[i] = s->children[--s->child_count];
			break;
		}
	}
	s->ended++;
	if (status == 0)
		return;
	s->has_failed = true;
	(void)fprintf(stderr, "submitd: a session ended with status %#x\n",
	    (unsigned)status);
}

static void
reap(struct server *s)
{
	pid_t child;
	int status;

	while ((child = waitpid(-1, &status, WNOHANG)) > 0)
		forget(s, child, status);
}

static void
kill_children(struct server *s)
{
	for (size_t i = 0; i < s->child_count; i++)
		(void)kill(s->children[i], SIGKILL);
	while (s->child_count > 0 && waitpid(s->children[0], NULL, 0) > 0)
		s->children[0] = s->children[--s->child_count];
}

/* False: it is time to go. */

static bool
signalled(struct server *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof info) != sizeof info)
		return true;
	if (info.ssi_signo != SIGCHLD)
		return false;
	reap(s);
	return true;
}

static void
serve(struct server *s)
{
	const size_t max = s->options.max_sessions;

	while (max == 0 || s->ended < max) {
		if (poll(s->sockets, is_full(s) ? 1 : s->socket_count, -1) < 0)
			continue;
		if (s->sockets[0].revents != 0 && !signalled(s))
			return;
		for (nfds_t i = 1; i < s->socket_count && !is_full(s); i++) {
			if (s->sockets[i].revents != 0)
				take(s, s->sockets[i].fd);
			s->sockets[i].revents = 0;
		}
	}
}

static void
open_signals(struct server *s)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (s->signal_fd < 0)
		die("signalfd");
	watch(s, s->signal_fd);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void
open_all(struct server *s)
{
	const struct options *o = &s->options;

	open_signals(s);
	if (o->security != SECURITY_NONE)
		s->tls = tls_new(o);
	s->log_fd = -1;
	if (o->log != NULL) {
		s->log_fd = open(o->log,
		    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (s->log_fd < 0)
			die(o->log);
	}
	for (size_t i = 0; i < o->listeners; i++)
		watch(s, listen_tcp(o, o->listen[i]));
	if (o->unix_path != NULL)
		watch(s, listen_unix(o));
}

int
main(int argc, char **argv)
{
	static struct server s;

	options_parse(&s.options, argc, argv);
	die_with_parent(SIGTERM);
	open_all(&s);
	tell_all(&s);
	serve(&s);
	kill_children(&s);
	if (s.options.unix_path != NULL)
		(void)unlink(s.options.unix_path);
	close_all(&s);
	release(&s);
	return s.has_failed ? 1 : 0;
}
