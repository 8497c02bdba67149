/*
 * inject: a program stopped, killed, failed or signalled at its Nth system
 * call, the same one each time (x86-64 Linux, ptrace).
 *
 *	inject [-c FD] count COMMAND...
 *	inject [-c FD] step COMMAND...
 *	inject [-c FD] kill N COMMAND...		right before call N
 *	inject [-c FD] killafter N COMMAND...		right after it
 *	inject [-c FD] errno N ENOSPC COMMAND...	it fails, undone
 *	inject [-c FD] errnos N ENOSPC COMMAND...	as do all that are
 *							called like it
 *	inject [-c FD] signal N TERM COMMAND...		sent before it
 *
 * Calls are counted from 1, the one with which main() begins: it asks for the
 * flags of descriptor 0, as nothing before it does.  Children are not
 * followed.
 *
 * With -c a test takes part over the socket FD: it is told "call N NAME PATH"
 * before a call that waits (count, step: before every call; PATH is "-" where
 * there is none), "sync FD" after an fsync that did, "signalled" when the
 * signal has come through, and "end exited|signalled STATUS CALLS" at last.  After the
 * first two the program stands still until the test has answered with an
 * octet.  So a server that answers only then makes the dialogue, and with it
 * the count, the same in every run.
 *
 * The exit status is the program's, or 128 and the signal; 125 when this
 * could not be done, 77 when the system does not let anyone trace.
 */
#define _GNU_SOURCE			/* process_vm_readv() */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

enum { BROKEN = 125, NO_PTRACE = 77 };

enum mode { COUNT, STEP, KILL, KILLAFTER, ERRNO, ERRNOS, SIGNAL };

struct tracer {
	enum mode mode;
	long at;			/* the call, from 1 */
	int what;			/* errno or signal */
	int channel;			/* -1: none */
	pid_t pid;
	long n;				/* of the call; 0: main is to come */
	long nr;			/* what is called */
	long failing;			/* what fails from now on; or -1 */
	unsigned long args[6];
	char path[256];			/* that it names, or "-" */
};

struct word {
	const char *name;
	int value;
};

static const struct word modes[] = {
	{ "count", COUNT }, { "step", STEP }, { "kill", KILL },
	{ "killafter", KILLAFTER }, { "errno", ERRNO }, { "errnos", ERRNOS },
	{ "signal", SIGNAL }, { NULL, 0 }
};

static const struct word errors[] = {
	{ "ENOSPC", ENOSPC }, { "EIO", EIO }, { "EDQUOT", EDQUOT },
	{ "EMFILE", EMFILE }, { "ENFILE", ENFILE }, { "ENOMEM", ENOMEM },
	{ "EACCES", EACCES }, { "EROFS", EROFS }, { "EINTR", EINTR },
	{ "EAGAIN", EAGAIN }, { NULL, 0 }
};

static const struct word signals[] = {
	{ "TERM", SIGTERM }, { "INT", SIGINT }, { "HUP", SIGHUP },
	{ "KILL", SIGKILL }, { "PIPE", SIGPIPE }, { "QUIT", SIGQUIT },
	{ NULL, 0 }
};

static void
usage(void)
{
	(void)fprintf(stderr, "usage: inject [-c FD] count|step|"
	    "kill N|killafter N|errno N NAME|errnos N NAME|signal N NAME "
	    "COMMAND...\n");
	exit(BROKEN);
}

static void
die(const char *what)
{
	int status = errno == EPERM ? NO_PTRACE : BROKEN;

	(void)fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(status);
}

static int
value(const struct word *words, const char *name)
{
	for (; name != NULL && words->name != NULL; words++)
		if (strcmp(words->name, name) == 0)
			return words->value;
	usage();
	return 0;
}

static const char *
name_of(long nr, char room[32])
{
	if (nr >= 0 && (size_t)nr < sizeof calls / sizeof *calls &&
	    calls[nr] != NULL)
		return calls[nr];
	(void)snprintf(room, 32, "call-%ld", nr);
	return room;
}

/* Which argument is the path that a call names; -1: none. */
static int
path_of(long nr)
{
	static const long first[] = { SYS_open, SYS_stat, SYS_lstat,
	    SYS_access, SYS_rename, SYS_mkdir, SYS_unlink };
	static const long second[] = { SYS_openat, SYS_newfstatat,
	    SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_faccessat,
	    SYS_faccessat2, SYS_readlinkat, SYS_statx };
	size_t i;

	for (i = 0; i < sizeof first / sizeof *first; i++)
		if (nr == first[i])
			return 0;
	for (i = 0; i < sizeof second / sizeof *second; i++)
		if (nr == second[i])
			return 1;
	return -1;
}

/* One line, without blanks: what is neither is cut off. */
static void
read_path(struct tracer *t)
{
	int which = path_of(t->nr);
	struct iovec here = { t->path, 0 }, there;
	size_t page = 4096, left;

	(void)strcpy(t->path, "-");
	if (which < 0)
		return;
	left = page - t->args[which] % page;
	here.iov_len = left < sizeof t->path - 1 ? left : sizeof t->path - 1;
	there = (struct iovec){ (void *)t->args[which], here.iov_len };
	memset(t->path, 0, sizeof t->path);
	(void)process_vm_readv(t->pid, &here, 1, &there, 1, 0);
	t->path[strcspn(t->path, " \t\r\n")] = '\0';
	if (t->path[0] == '\0')
		(void)strcpy(t->path, "-");
}

/* --- the test that takes part --- */

static void
tell(const struct tracer *t, const char *text)
{
	size_t len = strlen(text);

	if (t->channel >= 0 && write(t->channel, text, len) != (ssize_t)len)
		die("the channel");
}

static void
ask(const struct tracer *t, const char *text)
{
	char answer;

	tell(t, text);
	if (t->channel >= 0 && read(t->channel, &answer, 1) != 1)
		die("the channel");
}

static bool
waits(long nr)
{
	return nr == SYS_ppoll || nr == SYS_poll || nr == SYS_pselect6 ||
	    nr == SYS_select || nr == SYS_clock_nanosleep;
}

static void
announce(struct tracer *t)
{
	char room[32], text[400];
	const char *name = name_of(t->nr, room);

	if (t->mode != STEP && t->mode != COUNT && !waits(t->nr))
		return;
	read_path(t);
	(void)snprintf(text, sizeof text, "call %ld %s %s\n", t->n, name,
	    t->path);
	if (t->channel < 0)
		(void)fputs(text + strlen("call "), stdout);
	else
		ask(t, text);
}

/* --- the program --- */

static void
end(const struct tracer *t, int status)
{
	char text[64];
	bool exited = WIFEXITED(status);
	int code = exited ? WEXITSTATUS(status) : WTERMSIG(status);

	(void)snprintf(text, sizeof text, "end %s %d %ld\n",
	    exited ? "exited" : "signalled", code, t->n);
	tell(t, text);
	if (fflush(stdout) != 0)
		die("standard output");
	exit(exited ? code : 128 + code);
}

static void
send_signal(const struct tracer *t, int signo)
{
	if (kill(t->pid, signo) != 0)
		die("kill");
}

static void
set_register(const struct tracer *t, bool leaving, unsigned long long to)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, t->pid, NULL, &regs) != 0)
		die("PTRACE_GETREGS");
	if (leaving)
		regs.rax = to;
	else
		regs.orig_rax = to;
	if (ptrace(PTRACE_SETREGS, t->pid, NULL, &regs) != 0)
		die("PTRACE_SETREGS");
}

/*
 * A program that forbids others to look into it would forbid us: it is told
 * that it has.
 */
static bool
hides(const struct tracer *t)
{
	return t->nr == SYS_prctl && t->args[0] == PR_SET_DUMPABLE;
}

static bool
fails(const struct tracer *t)
{
	return t->nr == t->failing || (t->mode == ERRNO && t->n == t->at);
}

static void
enter(struct tracer *t, const struct __ptrace_syscall_info *call)
{
	size_t i;

	t->nr = (long)call->entry.nr;
	for (i = 0; i < 6; i++)
		t->args[i] = call->entry.args[i];
	t->n++;
	announce(t);
	if (t->n == t->at && t->mode == ERRNOS)
		t->failing = t->nr;
	if (hides(t) || fails(t))
		set_register(t, false, (unsigned long long)-1);
	if (t->n == t->at && t->mode == KILL)
		send_signal(t, SIGKILL);
	if (t->n == t->at && t->mode == SIGNAL)
		send_signal(t, t->what);
}

static void
leave(struct tracer *t, const struct __ptrace_syscall_info *call)
{
	char text[64];

	if (t->n == t->at && t->mode == KILLAFTER)
		send_signal(t, SIGKILL);
	if (fails(t))
		set_register(t, true, (unsigned long long)-t->what);
	else if (hides(t))
		set_register(t, true, 0);
	else if ((t->nr == SYS_fsync || t->nr == SYS_fdatasync) &&
	    call->exit.rval == 0) {
		(void)snprintf(text, sizeof text, "sync %lu\n", t->args[0]);
		ask(t, text);
	}
}

static void
at_call(struct tracer *t)
{
	struct __ptrace_syscall_info call;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid,
	    (void *)sizeof call, &call) <= 0)
		die("PTRACE_GET_SYSCALL_INFO");
	if (call.op == PTRACE_SYSCALL_INFO_ENTRY ||
	    call.op == PTRACE_SYSCALL_INFO_SECCOMP)
		enter(t, &call);
	else if (call.op == PTRACE_SYSCALL_INFO_EXIT)
		leave(t, &call);
}

/* What is no stop of ours is a signal that the program is to have. */
static int
at_stop(struct tracer *t, int status)
{
	int signo = WSTOPSIG(status);

	if (signo == (SIGTRAP | 0x80) || (t->n == 0 &&
	    status >> 16 == PTRACE_EVENT_SECCOMP)) {
		at_call(t);
		return 0;
	}
	if (status >> 16 != 0)
		return 0;
	if (t->mode == SIGNAL && signo == t->what)
		tell(t, "signalled\n");
	return signo;
}

static int
next_stop(const struct tracer *t, long signo)
{
	int status;

	if (ptrace(t->n == 0 ? PTRACE_CONT : PTRACE_SYSCALL, t->pid, NULL,
	    (void *)signo) != 0 && errno != ESRCH)
		die("going on");
	while (waitpid(t->pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return status;
}

/*
 * A filter that tells of the call with which main() begins, so that all calls
 * before it, which are many, need no stop.  Arguments: their lower halves,
 * little-endian.
 */
static void
filter(void)
{
	const unsigned first = offsetof(struct seccomp_data, args[0]);
	const unsigned second = offsetof(struct seccomp_data, args[1]);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD + BPF_W + BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, SYS_fcntl, 0, 5),
		BPF_STMT(BPF_LD + BPF_W + BPF_ABS, first),
		BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, STDIN_FILENO, 0, 3),
		BPF_STMT(BPF_LD + BPF_W + BPF_ABS, second),
		BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, F_GETFD, 0, 1),
		BPF_STMT(BPF_RET + BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET + BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof code / sizeof *code, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		die("PR_SET_SECCOMP");
}

static void
start(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		die("PTRACE_TRACEME");
	(void)raise(SIGSTOP);
	/* cppcheck-suppress unreachableCode; who stops can go on */
	filter();
	(void)execvp(command[0], command);
	die(command[0]);
}

static void
follow(struct tracer *t, char **command)
{
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD |
	    PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP;
	int status, signo = 0;

	t->pid = fork();
	if (t->pid < 0)
		die("fork");
	if (t->pid == 0)
		start(command);
	if (waitpid(t->pid, &status, 0) < 0)
		die("waitpid");
	if (!WIFSTOPPED(status))
		end(t, status);
	if (ptrace(PTRACE_SETOPTIONS, t->pid, NULL, (void *)options) != 0)
		die("PTRACE_SETOPTIONS");
	for (;;) {
		status = next_stop(t, signo);
		if (!WIFSTOPPED(status))
			end(t, status);
		signo = at_stop(t, status);
	}
}

int
main(int argc, char **argv)
{
	struct tracer t = { .channel = -1, .failing = -1 };
	int i = 1;

	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		t.channel = atoi(argv[2]);
		if (fcntl(t.channel, F_SETFD, FD_CLOEXEC) != 0)
			die("the channel");
		i = 3;
	}
	t.mode = (enum mode)value(modes, argv[i++]);
	if (t.mode >= KILL && i < argc)
		t.at = atol(argv[i++]);
	if (t.mode >= ERRNO)
		t.what = value(t.mode == SIGNAL ? signals : errors, argv[i++]);
	if (i >= argc || (t.mode >= KILL && t.at < 1))
		usage();
	follow(&t, argv + i);
}
