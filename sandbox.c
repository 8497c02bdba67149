#define _GNU_SOURCE			/* O_PATH */
#include "sandbox.h"
#include "filter.h"		/* made when this is built */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Landlock: which files ------------------------------------------------ */

/* Newer than the oldest headers that we are built with. */
enum {
	LATER_TRUNCATE = 1 << 14,	/* ABI 3 */
	LATER_IOCTL_DEV = 1 << 15,	/* ABI 5 */
	LATER_SCOPED = 3		/* ABI 6: abstract sockets, signals */
};

struct ruleset {
	uint64_t files;
	/* cppcheck-suppress unusedStructMember; the kernel reads it */
	uint64_t net;			/* ABI 4 */
	uint64_t scoped;		/* ABI 6 */
};

static const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t writing = LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LATER_TRUNCATE;
static const uint64_t of_a_file = LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_WRITE_FILE | LATER_TRUNCATE;

/* All that each ABI can forbid: the kinds of access are numbered in order. */
static uint64_t
handled_by(int abi)
{
	uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all |= LATER_TRUNCATE;
	if (abi >= 5)
		all |= LATER_IOCTL_DEV;
	return all;
}

/* All that will be asked of Landlock, asked in vain. */
static void
ask(void)
{
	(void)syscall(SYS_landlock_create_ruleset, NULL, 0, 0);
	(void)syscall(SYS_landlock_add_rule, -1, 0, NULL, 0);
	(void)syscall(SYS_landlock_restrict_self, -1, 0);
}

/*
 * A filter that is not ours, as systemd's SystemCallFilter=@system-service,
 * may kill whoever asks; a child finds out.
 */
static bool
may_ask(void)
{
	int status = -1;
	pid_t pid;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) <= 0)
		return true;
	pid = fork();
	if (pid == 0) {
		ask();
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			break;
	errno = EPERM;
	return status == 0;
}

static int
landlock_abi(void)
{
	if (!may_ask())
		return -1;
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
}

/*
 * Ports are not held: SRV records name any, and a proxy or a resolver may
 * have another.
 */
void
sandbox_begin(struct sandbox *s)
{
	struct ruleset set = { 0 };
	size_t size;

	*s = (struct sandbox){ .abi = landlock_abi(), .rules = -1 };
	if (s->abi < 1) {
		s->error = errno;
		s->abi = 0;
		return;
	}
	set.files = s->handled = handled_by(s->abi);
	set.scoped = s->abi >= 6 ? LATER_SCOPED : 0;
	size = s->abi >= 6 ? sizeof set : sizeof set.files;
	s->rules = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
	s->error = s->rules < 0 ? errno : 0;
}

static void
give_up(struct sandbox *s, int error)
{
	if (s->rules >= 0)
		(void)close(s->rules);
	s->rules = -1;
	s->error = error;
}

static bool
is_no_place(int error)
{
	return error == ENOENT || error == EACCES || error == ENOTDIR ||
	    error == ELOOP || error == ENAMETOOLONG;
}

/*
 * A rule that should be and cannot might cost a message: then none holds.
 */
static void
grant(struct sandbox *s, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { 0 };
	struct stat st;
	int fd;

	if (s->rules < 0 || path == NULL)
		return;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		if (!is_no_place(errno))
			give_up(s, errno);
		return;
	}
	rule.parent_fd = fd;
	rule.allowed_access = access & s->handled;
	if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode))
		rule.allowed_access &= of_a_file;
	if (syscall(SYS_landlock_add_rule, s->rules, LANDLOCK_RULE_PATH_BENEATH,
	    &rule, 0) != 0)
		give_up(s, errno);
	(void)close(fd);
}

void
sandbox_may_read(struct sandbox *s, const char *path)
{
	grant(s, path, reading);
}

void
sandbox_may_write(struct sandbox *s, const char *path)
{
	grant(s, path, writing);
}

void
sandbox_may_use_tokens(struct sandbox *s)
{
	give_up(s, 0);
	s->tokens = true;
}

/* --- seccomp: which system calls (filter/calls.c) -------------------------- */

static bool
load(const struct sock_filter *made, size_t n)
{
	struct sock_filter copy[FILTER_MAX];
	const struct sock_fprog program = { (unsigned short)n, copy };
	size_t i;

	memcpy(copy, made, n * sizeof *made);
	for (i = 0; i < n; i++)
		if (copy[i].k == FILTER_OURSELVES)
			copy[i].k = (uint32_t)getpid();
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool
enter_seccomp(const struct sandbox *s)
{
	return s->tokens ? load(filter_with_threads,
	    sizeof filter_with_threads / sizeof *filter_with_threads) :
	    load(filter, sizeof filter / sizeof *filter);
}

/* --- both ----------------------------------------------------------------- */

/* Why the kernel has no Landlock for us, or no rules could be made. */
static void
landlock_text(const struct sandbox *s, char text[SANDBOX_TEXT / 2])
{
	if (s->rules >= 0)
		(void)snprintf(text, SANDBOX_TEXT / 2, "Landlock ABI %d",
		    s->abi);
	else if (s->tokens)
		(void)snprintf(text, SANDBOX_TEXT / 2, "no Landlock (the "
		    "token of PKCS#11 needs more)");
	else
		(void)snprintf(text, SANDBOX_TEXT / 2, s->error == ENOSYS ?
		    "Landlock not in this kernel" : s->error == EOPNOTSUPP ?
		    "Landlock not switched on" : "no Landlock (%s)",
		    strerror(s->error));
}

static void
tell(char text[SANDBOX_TEXT], const struct sandbox *s, bool privs,
    bool seccomp)
{
	char landlock[SANDBOX_TEXT / 2];

	landlock_text(s, landlock);
	(void)snprintf(text, SANDBOX_TEXT, "%s, %s, %s", privs ?
	    "no_new_privs" : "no_new_privs not in this kernel", landlock,
	    seccomp ? "seccomp" : "seccomp not in this kernel");
}

void
sandbox_enter(struct sandbox *s, char text[SANDBOX_TEXT])
{
	bool privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

	grant(s, SANDBOX_SEES, reading);
	if (s->rules >= 0 && syscall(SYS_landlock_restrict_self, s->rules, 0)
	    != 0)
		give_up(s, errno);
	tell(text, s, privs, privs && enter_seccomp(s));
	if (s->rules >= 0)
		(void)close(s->rules);
	s->rules = -1;
}

void
sandbox_kernel(char text[SANDBOX_TEXT])
{
	struct sandbox s;

	sandbox_begin(&s);
	tell(text, &s, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0,
	    prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0);
	if (s.rules >= 0)
		(void)close(s.rules);
}
