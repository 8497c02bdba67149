/*
 * peak FILE COMMAND...: runs it, then writes into FILE its peak memory in KiB
 * and its processor time in microseconds.  A small process of its own, since
 * ru_maxrss of a child begins with what its parent had.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long long
microseconds(struct timeval t)
{
	return (long long)t.tv_sec * 1000000 + t.tv_usec;
}

static int
tell(const char *file, const struct rusage *usage)
{
	FILE *f = fopen(file, "w");

	if (f == NULL)
		return -1;
	(void)fprintf(f, "%ld %lld\n", usage->ru_maxrss,
	    microseconds(usage->ru_utime) + microseconds(usage->ru_stime));
	return fclose(f);
}

int
main(int argc, char **argv)
{
	struct rusage usage;
	int status = 0;
	pid_t pid;

	if (argc < 3)
		return 64;
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid ||
	    tell(argv[1], &usage) != 0)
		return 71;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 75;
}
