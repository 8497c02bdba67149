/*
 * calls [ARCHITECTURE]: writes filter.h, the seccomp filters of sandbox.c, for
 * the machine that it runs on or another that libseccomp knows ("aarch64").
 *
 * They are made when the program is built, for made anew in each run they
 * would cost a twentieth of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where this stands in a filter, the process puts its own number. */
enum { OURSELVES = 0x6f757273 };

enum { FILTER_MAX = 1024 };

static const int allowed[] = {
	/* files, which Landlock judges */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read),
	SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(_llseek),
	SCMP_SYS(stat), SCMP_SYS(stat64), SCMP_SYS(fstat), SCMP_SYS(fstat64),
	SCMP_SYS(lstat), SCMP_SYS(lstat64), SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(getdents),
	SCMP_SYS(getdents64), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate),
	SCMP_SYS(flock), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	/* the network */
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(send), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(recv), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(recvmmsg_time64),
	SCMP_SYS(shutdown),
	/* waiting */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64),
	SCMP_SYS(select), SCMP_SYS(_newselect), SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(restart_syscall), SCMP_SYS(wait4), SCMP_SYS(waitpid),
	/* the time, and who we are */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres), SCMP_SYS(clock_getres_time64),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid),
	SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid),
	SCMP_SYS(getuid32), SCMP_SYS(geteuid), SCMP_SYS(geteuid32),
	SCMP_SYS(getgid), SCMP_SYS(getgid32), SCMP_SYS(getegid),
	SCMP_SYS(getegid32), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	SCMP_SYS(getrusage), SCMP_SYS(sched_getaffinity), SCMP_SYS(getrandom),
	/* memory, signals, the end */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock),
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigtimedwait_time64),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Of these some forms alone. */
enum { TYPE = 0xf };			/* of socket(), without its flags */

#define WHICH 0xffffffffU		/* all of an int */
#define IS(arg, mask, value) { arg, SCMP_CMP_MASKED_EQ, mask, value }
#define UP_TO(arg, value) { arg, SCMP_CMP_LE, value, 0 }

static const struct form {
	int call;
	unsigned n;
	struct scmp_arg_cmp args[3];
} forms[] = {
	{ SCMP_SYS(socket), 2, { IS(0, WHICH, AF_INET),
	    IS(1, TYPE, SOCK_STREAM) } },
	{ SCMP_SYS(socket), 2, { IS(0, WHICH, AF_INET),
	    IS(1, TYPE, SOCK_DGRAM) } },
	{ SCMP_SYS(socket), 2, { IS(0, WHICH, AF_INET6),
	    IS(1, TYPE, SOCK_STREAM) } },
	{ SCMP_SYS(socket), 2, { IS(0, WHICH, AF_INET6),
	    IS(1, TYPE, SOCK_DGRAM) } },
	{ SCMP_SYS(socket), 1, { IS(0, WHICH, AF_UNIX) } },
	/* getaddrinfo() asks which addresses there are: NETLINK_ROUTE */
	{ SCMP_SYS(socket), 2, { IS(0, WHICH, AF_NETLINK), IS(2, WHICH, 0) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, WHICH, TCGETS) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, WHICH, FIONREAD) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, WHICH, SIOCGIFINDEX) } },
	/* F_SETOWN would send signals to others */
	{ SCMP_SYS(fcntl), 1, { UP_TO(1, F_SETLKW) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, WHICH, F_DUPFD_CLOEXEC) } },
	{ SCMP_SYS(fcntl64), 1, { UP_TO(1, F_SETLKW) } },
	{ SCMP_SYS(fcntl64), 1, { IS(1, WHICH, F_DUPFD_CLOEXEC) } },
	/* limits are looked at, and not of others */
	{ SCMP_SYS(prlimit64), 2, { IS(0, WHICH, 0),
	    { 2, SCMP_CMP_EQ, 0, 0 } } },
	{ SCMP_SYS(tgkill), 1, { IS(0, WHICH, OURSELVES) } },	/* abort() */
};

/* CLONE_THREAD, CLONE_SIGHAND, CLONE_VM: what shares all is a thread. */
static const struct form thread = { SCMP_SYS(clone), 1,
    { IS(0, 0x10900, 0x10900) } };

/*
 * Refused in words; what is named nowhere does not exist (ENOSYS), for a C
 * library newer than this list has a way round each call that older kernels
 * lack.
 */
static const int refused[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(kill), SCMP_SYS(ptrace),
};

/* What a build with tools in the process that are not ours needs: Makefile. */
static const int of_tools[] = { FILTER_ALSO };

static void
must(int error, const char *what)
{
	if (error == 0 || error == -EEXIST)
		return;
	(void)fprintf(stderr, "calls: %s: %s\n", what, strerror(-error));
	exit(1);
}

static void
add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		must(seccomp_rule_add(filter, action, calls[i], 0), "a call");
}

static void
add_form(scmp_filter_ctx filter, const struct form *f)
{
	must(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, f->call, f->n,
	    f->args), "a form of a call");
}

static scmp_filter_ctx
make(const char *architecture)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	uint32_t token;

	if (filter == NULL)
		exit(1);
	if (architecture == NULL)
		return filter;
	token = seccomp_arch_resolve_name(architecture);
	must(token == 0 ? -EINVAL : 0, architecture);
	must(seccomp_arch_add(filter, token), architecture);
	if (token != seccomp_arch_native())
		must(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), "here");
	return filter;
}

static void
fill(scmp_filter_ctx filter, bool threads)
{
	size_t i;

	add(filter, SCMP_ACT_ALLOW, of_tools,
	    sizeof of_tools / sizeof *of_tools);
	add(filter, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed);
	add(filter, SCMP_ACT_ERRNO(EPERM), refused,
	    sizeof refused / sizeof *refused);
	for (i = 0; i < sizeof forms / sizeof *forms; i++)
		add_form(filter, &forms[i]);
	if (threads)
		add_form(filter, &thread);
}

/* One filter as an array of C. */
static void
print(const char *name, const char *architecture, bool threads)
{
	static struct sock_filter code[FILTER_MAX];
	scmp_filter_ctx filter = make(architecture);
	FILE *f = tmpfile();
	size_t n, i;

	if (f == NULL)
		exit(1);
	fill(filter, threads);
	must(seccomp_export_bpf(filter, fileno(f)), "the filter");
	rewind(f);
	n = fread(code, sizeof *code, FILTER_MAX, f);
	must(n == 0 || n == FILTER_MAX ? -E2BIG : 0, "the filter");
	(void)printf("\nstatic const struct sock_filter %s[] = {\n", name);
	for (i = 0; i < n; i++)
		(void)printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", code[i].code,
		    code[i].jt, code[i].jf, code[i].k);
	(void)printf("};\n");
	(void)fclose(f);
	seccomp_release(filter);
}

int
main(int argc, char **argv)
{
	const char *architecture = argc > 1 ? argv[1] : NULL;

	(void)printf("/* Made by filter/calls.c. */\n#ifndef FILTER_H\n"
	    "#define FILTER_H\n\n#include <linux/filter.h>\n\n"
	    "enum { FILTER_MAX = %d, FILTER_OURSELVES = %#x };\n",
	    FILTER_MAX, (unsigned)OURSELVES);
	print("filter", architecture, false);
	print("filter_with_threads", architecture, true);
	(void)printf("\n#endif\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
