/*
 * Signals that ask us to end (SIGHUP, SIGINT, SIGTERM) are blocked but while
 * we wait: then they are noted, and the wait ends.  A signal that the caller
 * ignores stays ignored (cron, nohup).
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <poll.h>

#include "clock.h"

/* Resets what the caller left behind: mask, SIGCHLD; ignores SIGPIPE. */
void	signals_begin(void);

/* The signal that has asked us to end, or 0. */
int	signals_caught(void);

/*
 * poll() until the deadline (on clock_now(); a negative one is never), open
 * to signals.  Returns what poll() does; EINTR means signals_caught().
 */
int	signals_poll(struct pollfd *, nfds_t, milliseconds deadline);

/* For a child, before its exec: everything as a program expects it. */
void	signals_child(void);

#endif
