/*
 * Preloaded by tests/resources.t and retry.t in front of libc: the $SCARCE-th allocation
 * of the process fails, and all behind it when $SCARCE_ALL is set.  How many
 * there were is in the file $SCARCE_COUNT, which has the room for it, as an
 * octet-wise copy of an unsigned long.
 *
 * When $SCARCE_CLOSE is set, the first close() of the second end of a pipe in
 * the process that has made it fails, and leaves it open.
 *
 * getpwuid(3) is spared: glibc 2.36 dies within it, of SIGSEGV or of an
 * assertion, when the database of its name services finds no memory.
 */
#define _GNU_SOURCE			/* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void	*__libc_malloc(size_t);
void	*__libc_calloc(size_t, size_t);
void	*__libc_realloc(void *, size_t);

static unsigned long at, own, *made = &own;
static int all, spared = 1;
static struct passwd *(*user)(uid_t);
static int pipe_end = -1;
static pid_t pipe_maker;

/* A mapping outlives the closing of what is open, and the sandbox. */
__attribute__((constructor)) static void
begin(void)
{
	const char *name = getenv("SCARCE_COUNT"), *n = getenv("SCARCE");
	int fd = name != NULL ? open(name, O_RDWR | O_CLOEXEC) : -1;
	void *p = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);

	if (p != MAP_FAILED)
		made = p;
	if (fd >= 0)
		(void)close(fd);
	all = getenv("SCARCE_ALL") != NULL;
	*(void **)&user = dlsym(RTLD_NEXT, "getpwuid");
	spared = 0;
	*made = 0;
	at = n != NULL ? strtoul(n, NULL, 10) : 0;
}

static int
fails(void)
{
	if (spared)
		return 0;
	++*made;
	if (at == 0 || (*made != at && (!all || *made < at)))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

struct passwd *
getpwuid(uid_t uid)
{
	struct passwd *pw;

	spared = 1;
	pw = user(uid);
	spared = 0;
	return pw;
}

int
pipe2(int ends[2], int flags)
{
	int made_it = (int)syscall(SYS_pipe2, ends, flags);

	if (made_it == 0 && getenv("SCARCE_CLOSE") != NULL) {
		pipe_end = ends[1];
		pipe_maker = getpid();
	}
	return made_it;
}

int
close(int fd)
{
	if (fd < 0 || fd != pipe_end || getpid() != pipe_maker)
		return (int)syscall(SYS_close, fd);
	pipe_end = -1;
	errno = EIO;
	return -1;
}
