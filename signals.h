/*
 * Signals that ask us to end (SIGHUP, SIGINT, SIGTERM) are blocked but while
 * we wait: then they are noted, and the wait ends.  A signal that the caller
 * ignores stays ignored (cron, nohup).
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <poll.h>
#include <stdbool.h>

#include "clock.h"

/*
 * Resets what the caller left behind: mask, SIGCHLD; ignores SIGPIPE and
 * SIGXFSZ.
 */
void	signals_begin(void);

/* The signal that has asked us to end, or 0. */
int	signals_caught(void);

/*
 * poll() until the deadline (on clock_now(); a negative one is never), open
 * to signals.  Returns what poll() does; EINTR means signals_caught().
 */
int	signals_poll(struct pollfd *, nfds_t, milliseconds deadline);

/*
 * While it is on, the end of a socket from which nothing else is to come
 * (from either side of it) counts as a signal that asks us to end.
 */
void	signals_watch(int fd, bool on);

/* For a child, before its exec: everything as a program expects it. */
void	signals_child(void);

#endif
