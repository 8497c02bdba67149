#define _GNU_SOURCE			/* setresgid(), clearenv() */
#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, ANY_GROUP = -1 };

const char privilege_file[] = SYSCONFDIR "/sendoff.conf";

/* Judged on what was opened.  What everybody reads needs no privilege. */
static const char *
objection_to(const struct stat *st, gid_t group)
{
	if (!S_ISREG(st->st_mode))
		return "it is no plain file";
	if (st->st_uid != 0)
		return "it is not root's";
	if (group != (gid_t)ANY_GROUP && st->st_gid != group)
		return "its group is not the program's";
	if ((st->st_mode & 027) != 0)
		return "its mode is not 640";
	return NULL;
}

static const char *
failed(struct privilege *p)
{
	p->error = errno;
	return strerror(errno);
}

static const char *
read_text(struct privilege *p, int fd)
{
	struct buffer *text = &p->text;
	ssize_t n;

	do {
		n = read(fd, buffer_room(text, 4096), 4096);
		if (n > 0)
			buffer_added(text, (size_t)n);
	} while ((n > 0 && buffer_len(text) <= TEXT_MAX) ||
	    (n < 0 && errno == EINTR));
	if (n == 0)
		return NULL;
	buffer_wipe(text);
	return n < 0 ? failed(p) : "it is too long";
}

/* A name that does not exist, or is a link, is left to the caller's rights. */
static void
read_file(struct privilege *p, gid_t group)
{
	int fd = open(privilege_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0) {
		p->objection = errno == ELOOP ? "it is a symbolic link" :
		    failed(p);
		return;
	}
	p->objection = fstat(fd, &st) != 0 ? failed(p) :
	    objection_to(&st, group);
	if (p->objection == NULL)
		p->objection = read_text(p, fd);
	(void)close(fd);
}

static void
clear_environment(struct privilege *p)
{
	p->environment = environ;
	(void)clearenv();
	(void)setenv("PATH", "/usr/bin:/bin", 1);
}

/* What Date needs; the library distrusts paths in it. */
static void
restore_zone(const struct privilege *p)
{
	char **e;

	for (e = p->environment; e != NULL && *e != NULL; e++)
		if (strncmp(*e, "TZ=", 3) == 0)
			(void)putenv(*e);
}

/* Else what is opened next would be standard input, output or error. */
static bool
are_open(struct failure *why)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return fail(why, FAILURE_LOCAL, "descriptor %d is "
			    "closed and /dev/null cannot be opened", fd);
	return true;
}

/* Root can take any group back, and may. */
static bool
is_gone(gid_t group)
{
	gid_t real = getgid(), r, e, s;

	if (getresgid(&r, &e, &s) != 0 || r != real || e != real || s != real)
		return false;
	return geteuid() == 0 || setresgid(group, group, group) != 0;
}

static bool
give_up(gid_t group, struct failure *why)
{
	gid_t real = getgid();

	if (setresgid(real, real, real) != 0)
		return fail_errno(why, FAILURE_LOCAL, "the set-gid group "
		    "cannot be given up");
	if (!is_gone(group))
		return fail(why, FAILURE_LOCAL, "the set-gid group was given "
		    "up, and is still there");
	(void)prctl(PR_SET_DUMPABLE, 0);	/* the kernel may have set it */
	return true;
}

bool
privilege_drop(struct privilege *p, struct failure *why)
{
	uid_t uid, euid, suid;
	gid_t gid, group, sgid;

	*p = (struct privilege){ .text = BUFFER_SECRET };
	if (getresuid(&uid, &euid, &suid) != 0 ||
	    getresgid(&gid, &group, &sgid) != 0)
		return fail_errno(why, FAILURE_LOCAL, "who calls");
	if (euid != uid || suid != uid)
		return fail(why, FAILURE_CONFIG, "this program is installed "
		    "set-uid, and must not be; mend it with: chmod u-s");
	if (group == gid && sgid == gid && getauxval(AT_SECURE) == 0)
		return true;
	if (!are_open(why))
		return false;
	clear_environment(p);
	p->lent = group != gid;
	if (p->lent)
		read_file(p, group);
	if ((group != gid || sgid != gid) && !give_up(group, why)) {
		privilege_end(p);
		return false;
	}
	restore_zone(p);
	return true;
}

void
privilege_read(struct privilege *p)
{
	*p = (struct privilege){ .text = BUFFER_SECRET };
	read_file(p, (gid_t)ANY_GROUP);
}

void
privilege_end(struct privilege *p)
{
	buffer_wipe(&p->text);
}
