/*
 * The names of system calls that a program like ours can make, by number.
 */
#ifndef CALLS_H
#define CALLS_H

#include <sys/syscall.h>

#define NAME(call) [SYS_##call] = #call

static const char *const calls[] = {
	NAME(read), NAME(write), NAME(open), NAME(close), NAME(stat),
	NAME(fstat), NAME(lstat), NAME(poll), NAME(lseek), NAME(mmap),
	NAME(mprotect), NAME(munmap), NAME(brk), NAME(rt_sigaction),
	NAME(rt_sigprocmask), NAME(rt_sigreturn), NAME(ioctl), NAME(pread64),
	NAME(pwrite64), NAME(readv), NAME(writev), NAME(access), NAME(pipe),
	NAME(select), NAME(mremap), NAME(madvise), NAME(dup), NAME(dup2),
	NAME(nanosleep), NAME(getpid), NAME(socket), NAME(connect),
	NAME(sendto), NAME(recvfrom), NAME(sendmsg), NAME(recvmsg),
	NAME(shutdown), NAME(bind), NAME(getsockname), NAME(getpeername),
	NAME(socketpair), NAME(setsockopt), NAME(getsockopt), NAME(clone),
	NAME(fork), NAME(vfork), NAME(execve), NAME(exit), NAME(wait4),
	NAME(kill), NAME(uname), NAME(fcntl), NAME(flock), NAME(fsync),
	NAME(fdatasync), NAME(truncate), NAME(ftruncate), NAME(getdents),
	NAME(getcwd), NAME(chdir), NAME(rename), NAME(mkdir), NAME(rmdir),
	NAME(creat), NAME(link), NAME(unlink), NAME(symlink), NAME(readlink),
	NAME(chmod), NAME(fchmod), NAME(chown), NAME(fchown), NAME(umask),
	NAME(gettimeofday), NAME(getrlimit), NAME(getuid), NAME(getgid),
	NAME(setuid), NAME(setgid), NAME(geteuid), NAME(getegid),
	NAME(getgroups), NAME(setgroups), NAME(setresuid), NAME(setresgid),
	NAME(getresuid), NAME(getresgid), NAME(statfs), NAME(fstatfs),
	NAME(prctl), NAME(sync), NAME(gettid), NAME(time), NAME(futex),
	NAME(getdents64), NAME(fadvise64), NAME(clock_gettime),
	NAME(clock_nanosleep), NAME(exit_group), NAME(openat), NAME(mkdirat),
	NAME(newfstatat), NAME(unlinkat), NAME(renameat), NAME(linkat),
	NAME(symlinkat), NAME(readlinkat), NAME(fchmodat), NAME(faccessat),
	NAME(pselect6), NAME(ppoll), NAME(sync_file_range), NAME(utimensat),
	NAME(fallocate), NAME(dup3), NAME(pipe2), NAME(prlimit64),
	NAME(syncfs), NAME(sendmmsg), NAME(renameat2), NAME(getrandom),
	NAME(statx), NAME(close_range), NAME(faccessat2),
};

#undef NAME

#endif
