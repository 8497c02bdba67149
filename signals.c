#define _GNU_SOURCE			/* ppoll(), O_ASYNC */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int ending[] = { SIGHUP, SIGINT, SIGTERM };

static volatile sig_atomic_t caught;
static volatile sig_atomic_t watched;	/* by what note_end() hears of */

static void
note(int signo)
{
	caught = signo;
}

/*
 * The system sends SIGIO behind what it tells of: by then that may have been
 * read, and be what came before the watch began.
 */
static void
note_end(int signo)
{
	struct pollfd pfd = { .fd = watched, .events = POLLIN };
	int saved = errno;

	if (poll(&pfd, 1, 0) > 0)
		caught = signo;
	errno = saved;
}

static void
set(int signo, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(signo, &action, NULL);
}

void
signals_begin(void)
{
	struct sigaction old;
	sigset_t blocked;
	size_t i;

	(void)sigemptyset(&blocked);
	for (i = 0; i < sizeof ending / sizeof *ending; i++) {
		if (sigaction(ending[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		set(ending[i], note);
		(void)sigaddset(&blocked, ending[i]);
	}
	set(SIGPIPE, SIG_IGN);
	set(SIGXFSZ, SIG_IGN);		/* a limit is an error of write() */
	set(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

int
signals_caught(void)
{
	return caught;
}

int
signals_poll(struct pollfd *fds, nfds_t n, milliseconds deadline)
{
	struct timespec left = { 0 };
	milliseconds now, rest;
	sigset_t open;
	int ready;

	(void)sigemptyset(&open);
	do {
		now = clock_now();
		rest = deadline > now ? deadline - now : 0;
		left.tv_sec = (time_t)(rest / 1000);
		left.tv_nsec = (long)(rest % 1000) * 1000000;
		ready = ppoll(fds, n, deadline < 0 ? NULL : &left, &open);
	} while (ready < 0 && errno == EINTR && caught == 0);
	return ready;
}

/* It may have ended before it was watched. */
void
signals_watch(int fd, bool on)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int flags = fcntl(fd, F_GETFL) & ~O_ASYNC;
	sigset_t io;

	(void)sigemptyset(&io);
	(void)sigaddset(&io, SIGIO);
	(void)sigprocmask(SIG_BLOCK, &io, NULL);
	watched = fd;
	set(SIGIO, on ? note_end : SIG_IGN);
	(void)fcntl(fd, F_SETOWN, getpid());
	(void)fcntl(fd, F_SETFL, on ? flags | O_ASYNC : flags);
	if (on && poll(&pfd, 1, 0) > 0)
		(void)raise(SIGIO);
}

void
signals_child(void)
{
	sigset_t none;

	set(SIGPIPE, SIG_DFL);
	set(SIGIO, SIG_DFL);
	set(SIGXFSZ, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}
