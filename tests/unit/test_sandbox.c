/*
 * In a child that has entered the sandbox everything is tried that a program
 * taken over would want, and all that a submission needs.
 */
#define _GNU_SOURCE			/* O_TMPFILE, unshare(), clone flags */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char top[] = "/tmp/sandbox.XXXXXX";
static pid_t stranger;

static bool
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool
has_socket(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool
forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static void *
nothing(void *p)
{
	return p;
}

static bool
begins_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) == 0 &&
	    pthread_join(t, NULL) == 0;
}

static bool
executes(void)
{
	static char *const argv[] = { (char *)(size_t)"true", NULL };

	(void)execv("/bin/true", argv);
	return false;			/* it would have ended in 0 */
}

/* --- what is refused: each returns true when it could be done ------------- */

static bool exec_(void) { return executes(); }
static bool fork_(void) { return forks(); }
static bool clone_(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}
static bool clone3_(void) { return syscall(SYS_clone3, NULL, 0) >= 0 ||
    errno != ENOSYS; }			/* else no way back to clone() */
static bool thread_(void) { return begins_thread(); }
static bool ptrace_(void) { return ptrace(PTRACE_ATTACH, stranger, 0, 0) ==
    0; }
static bool kill_(void) { return kill(stranger, 0) == 0; }
static bool tgkill_(void) { return syscall(SYS_tgkill, stranger, stranger, 0)
    == 0; }
static bool setuid_(void) { return setuid(getuid()) == 0; }
static bool setgid_(void) { return setresgid(getgid(), getgid(), getgid()) ==
    0; }
static bool mount_(void) { return mount("x", top, "tmpfs", 0, NULL) == 0; }
static bool unshare_(void) { return unshare(CLONE_NEWUSER) == 0; }
static bool chroot_(void) { return chroot("/") == 0; }
static bool packet_(void) { return has_socket(AF_PACKET, SOCK_RAW, 0); }
static bool raw_(void) { return has_socket(AF_INET, SOCK_RAW, IPPROTO_TCP); }
static bool vsock_(void) { return has_socket(AF_VSOCK, SOCK_STREAM, 0); }
static bool alg_(void) { return has_socket(AF_ALG, SOCK_SEQPACKET, 0); }
static bool audit_(void) { return has_socket(AF_NETLINK, SOCK_RAW, 9); }
static bool listen_(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && listen(fd, 1) == 0;
}
static bool tiocsti_(void) { return ioctl(0, TIOCSTI, "x") == 0 ||
    errno == ENOTTY; }
static bool owner_(void) { return fcntl(0, F_SETOWN, stranger) == 0; }
static bool limit_(void)
{
	static const struct rlimit l = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &l) == 0;
}
static bool dumpable_(void) { return prctl(PR_SET_DUMPABLE, 1) == 0; }
static bool chmod_(void) { return chmod(top, 0700) == 0; }
static bool bpf_(void) { return syscall(SYS_bpf, 0, NULL, 0) >= 0 ||
    errno == EINVAL || errno == EFAULT; }
static bool keys_(void) { return syscall(SYS_add_key, "user", "x", "x", 1,
    -3) >= 0; }
static bool io_uring_(void) { return syscall(SYS_io_uring_setup, 0, NULL) >=
    0 || errno == EFAULT || errno == EINVAL; }

static bool shadow_(void) { return opens("/etc/shadow", O_RDONLY); }
static bool outside_(void) { return opens("secret", O_RDONLY); }
static bool list_(void) { return opens("/", O_RDONLY | O_DIRECTORY); }
static bool write_read_only_(void) { return opens("read/file", O_WRONLY); }
static bool create_outside_(void) { return opens("new", O_RDWR | O_CREAT); }
static bool create_read_only_(void) { return opens("read/new", O_RDWR |
    O_CREAT); }
static bool nameless_(void) { return opens("spool", O_TMPFILE | O_RDWR); }
static bool mkdir_(void) { return mkdir("folder", 0700) == 0; }
static bool mkdir_inside_(void) { return mkdir("write/folder", 0700) == 0; }
static bool link_(void) { return symlink("/etc/shadow", "write/x") == 0; }
static bool unlink_(void) { return unlink("secret") == 0; }
static bool move_out_(void) { return rename("write/file", "file") == 0; }
static bool move_in_(void) { return rename("secret", "write/secret") == 0; }
static bool truncate_(void) { return truncate("read/file", 0) == 0; }

/* --- what works ----------------------------------------------------------- */

static bool read_(void) { return opens("read/file", O_RDONLY); }
static bool read_link_(void) { return opens("link", O_RDONLY); }
static bool read_folder_(void) { return opens("read", O_RDONLY |
    O_DIRECTORY); }
static bool append_(void) { return opens("log", O_WRONLY | O_APPEND); }
static bool keep_(void)
{
	return opens("write/.new", O_RDWR | O_CREAT | O_EXCL) &&
	    rename("write/.new", "write/kept") == 0 &&
	    opens("write/kept", O_RDWR | O_TRUNC) && unlink("write/kept") == 0;
}
static bool sockets_(void)
{
	return has_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0) && has_socket(AF_INET6, SOCK_STREAM, 0) &&
	    has_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) &&
	    has_socket(AF_INET6, SOCK_DGRAM, 0) &&
	    has_socket(AF_UNIX, SOCK_STREAM, 0) &&
	    has_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) &&
	    has_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}
static bool unix_(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s/socket", top);
	return connect(fd, (const void *)&un, sizeof un) == 0;
}
static bool resolve_(void)
{
	struct addrinfo *list = NULL;
	int error = getaddrinfo("localhost", "465", NULL, &list);

	if (error == 0)
		freeaddrinfo(list);
	return error == 0;
}
static bool clock_(void)
{
	struct timespec t = { 0, 1 };

	return clock_gettime(CLOCK_MONOTONIC, &t) == 0 && time(NULL) > 0;
}
static bool memory_(void)
{
	char *p = malloc(1 << 24);
	bool ok = p != NULL;

	if (ok)
		memset(p, 1, 1 << 24);
	free(p);
	return ok;
}
static bool again_(void)
{
	struct sandbox s;
	char text[SANDBOX_TEXT];

	sandbox_begin(&s);
	sandbox_enter(&s, text);
	return true;			/* once is enough, twice no crash */
}

/* Which part holds it; TOOLS: seccomp, but not for a sanitizer's sake. */
enum part { SECCOMP, TOOLS, FILES, NONE };

static const struct {
	const char *what;
	bool (*act)(void);
	enum part part;
} cases[] = {
	{ "execve", exec_, SECCOMP },
	{ "fork", fork_, TOOLS },
	{ "clone", clone_, TOOLS },
	{ "clone3", clone3_, SECCOMP },
	{ "a thread", thread_, TOOLS },
	{ "ptrace of a stranger", ptrace_, TOOLS },
	{ "kill of a stranger", kill_, SECCOMP },
	{ "tgkill of a stranger", tgkill_, SECCOMP },
	{ "setuid", setuid_, SECCOMP },
	{ "setresgid", setgid_, SECCOMP },
	{ "mount", mount_, SECCOMP },
	{ "unshare", unshare_, SECCOMP },
	{ "chroot", chroot_, SECCOMP },
	{ "a packet socket", packet_, SECCOMP },
	{ "a raw socket", raw_, SECCOMP },
	{ "a vsock socket", vsock_, SECCOMP },
	{ "a socket of the crypto API", alg_, SECCOMP },
	{ "netlink but for routes", audit_, SECCOMP },
	{ "listen", listen_, SECCOMP },
	{ "input pushed to a terminal", tiocsti_, SECCOMP },
	{ "signals by F_SETOWN", owner_, SECCOMP },
	{ "setrlimit", limit_, SECCOMP },
	{ "dumpable again", dumpable_, TOOLS },
	{ "chmod", chmod_, SECCOMP },
	{ "bpf", bpf_, SECCOMP },
	{ "a key for the keyring", keys_, SECCOMP },
	{ "io_uring", io_uring_, SECCOMP },
	{ "a symlink", link_, SECCOMP },
	{ "/etc/shadow", shadow_, FILES },
	{ "a file that nobody granted", outside_, FILES },
	{ "the root folder", list_, FILES },
	{ "writing what may be read", write_read_only_, FILES },
	{ "a new file outside", create_outside_, FILES },
	{ "a new file where one may read", create_read_only_, FILES },
	{ "a nameless file", nameless_, FILES },
	{ "a folder outside", mkdir_, FILES },
	{ "a folder inside", mkdir_inside_, FILES },
	{ "removing a file outside", unlink_, FILES },
	{ "a file moved out", move_out_, FILES },
	{ "a file moved in", move_in_, FILES },
	{ "truncate", truncate_, SECCOMP },
}, works[] = {
	{ "reading", read_, NONE },
	{ "reading through a symlink", read_link_, NONE },
	{ "reading a folder", read_folder_, NONE },
	{ "appending", append_, NONE },
	{ "keeping a message", keep_, NONE },
	{ "sockets", sockets_, NONE },
	{ "a server's unix socket", unix_, NONE },
	{ "getaddrinfo", resolve_, NONE },
	{ "the time", clock_, NONE },
	{ "memory", memory_, NONE },
	{ "the sandbox again", again_, NONE },
};

/* Not NULL where the Makefile leaves tools in the process their ways. */
static const char *const tools = SANDBOX_SEES;

enum { CASES = sizeof cases / sizeof *cases,
    WORKS = sizeof works / sizeof *works };

static void
make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static int
set_up(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_non_null(mkdtemp(top));
	assert_int_equal(chdir(top), 0);
	assert_int_equal(mkdir("read", 0700) + mkdir("write", 0700) +
	    mkdir("spool", 0700) + symlink("read/file", "link"), 0);
	make("read/file");
	make("write/file");
	make("secret");
	make("log");
	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s/socket", top);
	assert_int_equal(bind(fd, (const void *)&un, sizeof un), 0);
	assert_int_equal(listen(fd, 5), 0);
	stranger = fork();
	if (stranger == 0) {
		for (;;)
			(void)pause();
	}
	/* cppcheck-suppress resourceLeak; it listens until the end */
	return 0;
}

static int
tear_down(void **state)
{
	char command[64];

	(void)state;
	(void)kill(stranger, SIGKILL);
	(void)waitpid(stranger, NULL, 0);
	(void)snprintf(command, sizeof command, "rm -rf %s", top);
	return system(command);
}

static void
enter(bool tokens, char text[SANDBOX_TEXT])
{
	static const char *const seen[] = { "link", "read", "/usr/lib", "/lib",
	    "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf",
	    "/etc/resolv.conf", "/etc/services", "/etc/ld.so.cache",
	    "nowhere/at/all" };
	struct sandbox s;
	size_t i;

	sandbox_begin(&s);
	for (i = 0; i < sizeof seen / sizeof *seen; i++)
		sandbox_may_read(&s, seen[i]);
	sandbox_may_write(&s, "write");
	sandbox_may_write(&s, "log");
	if (tokens)
		sandbox_may_use_tokens(&s);
	sandbox_enter(&s, text);
}

/* What the child has found, in memory that is shared with it. */
struct found {
	char text[SANDBOX_TEXT];
	bool could[CASES + WORKS];
	bool ended;
};

static struct found *
try_all(bool tokens)
{
	struct found *f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	size_t i;
	pid_t pid;

	assert_true(f != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		enter(tokens, f->text);
		for (i = 0; i < CASES; i++)
			f->could[i] = (tools == NULL ||
			    cases[i].part != TOOLS) && cases[i].act();
		for (i = 0; i < WORKS; i++)
			f->could[CASES + i] = works[i].act();
		f->ended = true;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(f->ended);
	return f;
}

static bool
has_all(void)
{
	char text[SANDBOX_TEXT];

	sandbox_kernel(text);
	return strstr(text, "Landlock ABI") != NULL &&
	    strstr(text, ", seccomp") != NULL &&
	    strstr(text, "not in") == NULL;
}

static void
refused(void **state)
{
	struct found *f;
	size_t i;

	(void)state;
	if (!has_all())
		skip();
	f = try_all(false);
	for (i = 0; i < CASES; i++)
		if (f->could[i])
			fail_msg("it could: %s", cases[i].what);
}

static void
allowed(void **state)
{
	struct found *f = try_all(false);
	size_t i;

	(void)state;
	for (i = 0; i < WORKS; i++)
		if (!f->could[CASES + i])
			fail_msg("it could not: %s", works[i].what);
}

/* Without it each of them can be done, where who runs this may do it. */
static void
cases_are_real(void **state)
{
	static const char *const for_anyone[] = { "fork", "a thread",
	    "kill of a stranger", "setuid", "listen", "signals by F_SETOWN",
	    "chmod", "a symlink", "a file that nobody granted",
	    "the root folder", "writing what may be read",
	    "a new file outside", "a folder outside", "a file moved out" };
	size_t i, j;
	int status = 0;

	(void)state;
	for (i = 0; i < CASES; i++) {
		for (j = 0; j < sizeof for_anyone / sizeof *for_anyone; j++)
			if (strcmp(cases[i].what, for_anyone[j]) == 0 &&
			    !cases[i].act())
				fail_msg("%s is no test", cases[i].what);
	}
	while (waitpid(-1, &status, WNOHANG) > 0)
		continue;
	assert_int_equal(rename("file", "write/file"), 0);
}

/* A module may do what it likes with files and threads, and no more. */
static void
tokens(void **state)
{
	struct found *f = try_all(true);
	size_t i;

	(void)state;
	assert_non_null(strstr(f->text, "no Landlock (the token"));
	for (i = 0; i < CASES; i++) {
		if (strcmp(cases[i].what, "a thread") == 0)
			assert_true(f->could[i] || tools != NULL);
		else if (cases[i].part <= TOOLS && f->could[i])
			fail_msg("it could: %s", cases[i].what);
		else if (strcmp(cases[i].what, "the root folder") == 0)
			assert_true(f->could[i]);
	}
}

static void
told(void **state)
{
	char text[SANDBOX_TEXT];
	struct found *f = try_all(false);

	(void)state;
	sandbox_kernel(text);
	assert_string_equal(f->text, text);
}

/* As a service is confined whose unit knows nothing of Landlock. */
static void
kill_at(unsigned nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(99);
}

static void
confined_by_others(void **state)
{
	static const unsigned calls[] = { SYS_landlock_create_ruleset,
	    SYS_landlock_add_rule, SYS_landlock_restrict_self, SYS_acct };
	struct sandbox s;
	char text[SANDBOX_TEXT];
	int status, with;
	size_t i;
	pid_t pid;

	(void)state;
	sandbox_begin(&s);
	with = s.abi;
	if (s.rules >= 0)
		(void)close(s.rules);
	for (i = 0; i < sizeof calls / sizeof *calls; i++) {
		pid = fork();
		if (pid == 0) {
			kill_at(calls[i]);
			sandbox_begin(&s);
			sandbox_may_read(&s, top);
			sandbox_enter(&s, text);
			_exit(s.abi);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status),
		    calls[i] == SYS_acct ? with : 0);
	}
}

static void
kills_itself(void **state)
{
	char text[SANDBOX_TEXT];
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		enter(false, text);
		abort();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(allowed),
		cmocka_unit_test(told),
		cmocka_unit_test(kills_itself),
		cmocka_unit_test(confined_by_others),
		cmocka_unit_test(cases_are_real),
		cmocka_unit_test(tokens),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
