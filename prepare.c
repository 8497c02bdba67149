#include "prepare.h"

#include <errno.h>
#include <gsasl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool
prepare_is_plain(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

void
prepare(const char *text, size_t len, struct buffer *out)
{
	struct buffer whole = BUFFER_SECRET;
	char *prepared = NULL;
	int error;

	buffer_put(&whole, text, len);
	buffer_put(&whole, "", 1);
	if (!prepare_is_plain(text, len) && gsasl_saslprep(
	    buffer_data(&whole), 0, &prepared, &error) == GSASL_OK) {
		buffer_put(out, prepared, strlen(prepared));
		explicit_bzero(prepared, strlen(prepared));
		gsasl_free(prepared);
	} else {
		buffer_put(out, text, len);
	}
	buffer_wipe(&whole);
}

/* One write: a pipe holds more than any password has. */
static void
run_child(const char *text, size_t len, int out)
{
	struct buffer prepared = BUFFER_SECRET;
	ssize_t n;

	prepare(text, len, &prepared);
	n = write(out, buffer_data(&prepared), buffer_len(&prepared));
	_exit(n == (ssize_t)buffer_len(&prepared) ? 0 : 1);
}

static bool
hear_child(pid_t pid, int in, struct buffer *out)
{
	ssize_t n;
	int status;

	do {
		n = read(in, buffer_room(out, 1024), 1024);
		if (n > 0)
			buffer_added(out, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return n == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
in_child(const char *text, size_t len, struct buffer *out)
{
	int fds[2];
	bool ok = false;
	pid_t pid;

	if (pipe(fds) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		run_child(text, len, fds[1]);
	(void)close(fds[1]);
	if (pid > 0)
		ok = hear_child(pid, fds[0], out);
	(void)close(fds[0]);
	return ok;
}

bool
prepare_secret(const char *text, size_t len, struct buffer *out,
    struct failure *why)
{
	if (!prepare_is_plain(text, len))
		return in_child(text, len, out) || fail(why, FAILURE_LOCAL,
		    "there is no process to prepare the password in "
		    "(SASLprep)");
	buffer_put(out, text, len);
	return true;
}
