#define _GNU_SOURCE			/* close_range() */
#include "secret.h"
#include "bearer.h"
#include "file.h"
#include "netrc.h"
#include "pool.h"
#include "prepare.h"
#include "signals.h"
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* The environment of a token's command that is run because of a refusal. */
#define RENEWAL	"SENDOFF_OAUTH_REFRESH"

enum { SECRET_MAX = 8192, NETRC_MAX = 1 << 20, COMMAND_SECONDS = 120 };

static milliseconds
patience(void)
{
	return clock_now() + (milliseconds)COMMAND_SECONDS * 1000;
}

struct source {
	const char *name;
	const char *gives;		/* "password", "token" */
	enum failure_kind none;		/* of one that has none */
};

static struct source
of_password(const char *name)
{
	return (struct source){ name, "password", FAILURE_CONFIG };
}

/* The first line is the secret; what follows it is a person's notes. */
static bool
first_line(struct buffer *secret, const struct source *source,
    struct failure *why)
{
	char *p = buffer_data(secret), *nl;
	size_t n = buffer_len(secret);

	nl = n > 0 ? memchr(p, '\n', n) : NULL;
	if (nl != NULL)
		n = (size_t)(nl - p);
	if (n > 0 && p[n - 1] == '\r')
		n--;
	secret->end = secret->start + n;
	if (n == 0)
		return fail(why, source->none, "%s has given no %s; it must "
		    "stand in the first line", source->name, source->gives);
	if (memchr(p, '\0', n) != NULL)
		return fail(why, FAILURE_CONFIG, "the %s from %s has a NUL in "
		    "it", source->gives, source->name);
	return true;
}

static bool
await(int fd, milliseconds deadline, const struct source *source,
    struct failure *why)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ready = signals_poll(&pfd, 1, deadline);

	if (ready < 0)
		return fail(why, FAILURE_INTERRUPTED, "ended by signal %d "
		    "before %s has given a %s; nothing was sent",
		    signals_caught(), source->name, source->gives);
	return ready > 0 || fail(why, source->none, "%s did not end within %d "
	    "seconds", source->name, COMMAND_SECONDS);
}

/*
 * Reads to the end, within the time, from what does not block: a FIFO that
 * nobody writes is empty.
 */
static bool
drain(int fd, milliseconds deadline, size_t most, struct buffer *secret,
    const struct source *source, struct failure *why)
{
	ssize_t n;

	for (;;) {
		n = read(fd, buffer_room(secret, 1024), 1024);
		if (n == 0)
			return true;
		if (n > 0)
			buffer_added(secret, (size_t)n);
		else if (errno != EINTR && errno != EAGAIN)
			return fail_errno(why, FAILURE_CONFIG, "%s cannot be "
			    "read", source->name);
		else if (!await(fd, deadline, source, why))
			return false;
		if (buffer_len(secret) > most)
			return fail(why, FAILURE_CONFIG, "%s gives more than "
			    "%zu octets", source->name, most);
	}
}

/* Judged on what was opened, not on a name that may be another's by now. */
static bool
is_private(int fd, const char *name, struct failure *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail_errno(why, FAILURE_CONFIG, "%s", name);
	if (st.st_uid != 0 && st.st_uid != getuid())
		return fail(why, FAILURE_PERMISSION, "%s belongs to another "
		    "user, so no password is taken from it; mend it with: "
		    "chown", name);
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0 &&
	    (st.st_mode & 027 || st.st_uid != 0))
		return fail(why, FAILURE_PERMISSION, "others can read the "
		    "password in %s; mend it with: chmod 600 %s", name, name);
	return true;
}

static bool
from_file(const char *name, struct buffer *secret, struct failure *why)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const struct source file = of_password(name);
	bool ok;

	if (fd < 0)
		return fail_errno(why, file_blame(errno), "the password file "
		    "%s cannot be read", name);
	ok = is_private(fd, name, why) && drain(fd, patience(), SECRET_MAX,
	    secret, &file, why) && first_line(secret, &file, why);
	(void)close(fd);
	return ok;
}

struct command {
	struct source source;		/* the setting that it is the value of */
	const char *text;
	bool renew;
};

/* With RENEWAL when a token is wanted anew, and else without. */
static char *const *
environment(const struct caller *c, bool renew)
{
	char *const *p = c->environment;
	char **list;
	size_t n = 0, i;

	for (i = 0; p[i] != NULL; i++)
		continue;
	list = pool_malloc((i + 2) * sizeof *list);
	for (i = 0; p[i] != NULL; i++)
		if (strncmp(p[i], RENEWAL "=", sizeof RENEWAL) != 0)
			list[n++] = p[i];
	if (renew)
		list[n++] = strcpy(pool_malloc(sizeof RENEWAL "=1"),
		    RENEWAL "=1");
	list[n] = NULL;
	return list;
}

/*
 * The child has standard error for its questions and its complaints, and of
 * ours nothing else: what a pipe gives us there may be a caller's SMTP.
 */
static void
run_child(const struct command *command, const struct caller *c, int out)
{
	int in = isatty(STDIN_FILENO) == 1 ? STDIN_FILENO :
	    open("/dev/null", O_RDONLY);

	signals_child();
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)execle("/bin/sh", "sh", "-c", command->text, (char *)NULL,
	    environment(c, command->renew));
	_exit(127);
}

/* One that is not there at all is a mistake, whatever it was to give. */
static enum failure_kind
blame(const struct command *command, int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) >= 126 ?
	    FAILURE_CONFIG : command->source.none;
}

static bool
finish_child(pid_t pid, const struct command *command, struct failure *why)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(why, FAILURE_LOCAL, "%s",
			    command->text);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return fail(why, blame(command, status), "%s \"%s\" failed with %s "
	    "%d; try it by hand", command->source.name, command->text,
	    WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ?
	    WEXITSTATUS(status) : WTERMSIG(status));
}

static bool
from_command(const struct command *command, const struct caller *c,
    struct buffer *secret, struct failure *why)
{
	int fds[2];
	bool ok;
	pid_t pid;

	if (pipe(fds) != 0)
		return fail_errno(why, FAILURE_LOCAL, "pipe");
	(void)fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		run_child(command, c, fds[1]);
	(void)close(fds[1]);
	ok = pid > 0 ? drain(fds[0], patience(), SECRET_MAX, secret,
	    &command->source, why) :
	    fail_errno(why, FAILURE_LOCAL, "fork");
	(void)close(fds[0]);
	if (pid > 0 && !ok)
		(void)kill(pid, SIGTERM);
	if (pid > 0 && ok)
		ok = finish_child(pid, command, why);
	return ok && first_line(secret, &command->source, why);
}

/* A command of the account: whose it is, and who may see it, is judged. */
static bool
by_command(const struct account *a, enum setting s, bool renew,
    const struct caller *c, struct buffer *secret, struct failure *why)
{
	const struct command command = { .source = s == SET_OAUTH_COMMAND ?
	    (struct source){ config_name(s), "token", FAILURE_TOKEN } :
	    of_password(config_name(s)), .text = a->values[s],
	    .renew = renew };

	if (a->handed)
		return fail(why, FAILURE_CONFIG, "%s of %s is not run, for it "
		    "would be yours to look into; its administrator may use %s "
		    "instead", command.source.name, a->called,
		    setting_is_password(s) ? "password" :
		    "the socket service, sendmail(8),");
	if (!a->may_run)
		return fail(why, FAILURE_PERMISSION, "others can write %s, so "
		    "its %s is not run; mend it with: chmod go-w %s", a->file,
		    command.source.name, a->file);
	return from_command(&command, c, secret, why);
}

static bool
token(const struct account *a, bool renew, const struct caller *c,
    struct buffer *secret, struct failure *why)
{
	if (!by_command(a, SET_OAUTH_COMMAND, renew, c, secret, why))
		return false;
	if (bearer_is_token(buffer_data(secret), buffer_len(secret)))
		return true;
	return fail(why, FAILURE_CONFIG, "what oauth-command \"%s\" prints is "
	    "no token; its first line must be the access token alone, "
	    "without \"Bearer\", quotes or JSON",
	    a->values[SET_OAUTH_COMMAND]);
}

/* systemd's LoadCredential=sendoff.ACCOUNT:...; false when there is none. */
static bool
credential(const struct account *a, const struct caller *c, char *name,
    size_t size)
{
	int n;

	if (c->credentials == NULL || a->withheld != NULL || a->handed ||
	    strchr(a->name, '/') != NULL)
		return false;
	n = snprintf(name, size, "%s/sendoff.%s", c->credentials, a->name);
	return n >= 0 && (size_t)n < size && access(name, F_OK) == 0;
}

static bool
from_credential(const struct account *a, const struct caller *c,
    struct buffer *secret, bool *found, struct failure *why)
{
	char name[4096];

	*found = credential(a, c, name, sizeof name);
	return !*found || from_file(name, secret, why);
}

bool
secret_is_given(const struct account *a, const struct caller *c)
{
	char name[4096];

	return a->values[SET_PASSWORD] != NULL ||
	    a->values[SET_PASSWORD_FILE] != NULL ||
	    a->values[SET_PASSWORD_COMMAND] != NULL ||
	    a->values[SET_OAUTH_COMMAND] != NULL ||
	    credential(a, c, name, sizeof name);
}

static bool
read_silently(int tty, struct buffer *secret, struct failure *why)
{
	const struct source terminal = of_password("the terminal");
	struct termios old, silent;
	struct pollfd pfd = { .fd = tty, .events = POLLIN };
	ssize_t n = 0;

	if (tcgetattr(tty, &old) != 0)
		return fail_errno(why, FAILURE_CONFIG, "/dev/tty");
	silent = old;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ECHONL;
	silent.c_cc[VSUSP] = _POSIX_VDISABLE;	/* fg would echo again */
	(void)tcsetattr(tty, TCSAFLUSH, &silent);
	if (signals_poll(&pfd, 1, -1) > 0)
		n = read(tty, buffer_room(secret, SECRET_MAX), SECRET_MAX);
	(void)tcsetattr(tty, TCSAFLUSH, &old);
	if (signals_caught() != 0)
		return fail(why, FAILURE_INTERRUPTED, "ended by signal %d at "
		    "the prompt; nothing was sent", signals_caught());
	if (n <= 0)
		return fail(why, FAILURE_CONFIG, "no password was typed");
	buffer_added(secret, (size_t)n);
	return first_line(secret, &terminal, why);
}

bool
secret_of_host(const struct caller *c, const char *host, const char *user,
    struct buffer *secret, bool *found, struct failure *why)
{
	struct buffer text = BUFFER_SECRET;
	char name[4096];
	const struct source netrc = of_password(name);
	bool ok;
	int fd;

	*found = false;
	if (c->home == NULL || host == NULL || (size_t)snprintf(name,
	    sizeof name, "%s/.netrc", c->home) >= sizeof name)
		return true;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return file_blame(errno) != FAILURE_LOCAL || fail_errno(why,
		    FAILURE_LOCAL, "%s cannot be read", name);
	ok = drain(fd, patience(), NETRC_MAX, &text, &netrc, why);
	if (ok)
		*found = netrc_find(buffer_data(&text), buffer_len(&text),
		    host, user != NULL ? user : "", secret);
	if (*found)
		ok = is_private(fd, name, why) && first_line(secret, &netrc,
		    why);
	(void)close(fd);
	buffer_wipe(&text);
	vault_sweep();
	return ok;
}

/* Only a person who watches is asked. */
static bool
from_terminal(const struct secret_use *use, const struct caller *c,
    struct buffer *secret, bool *found, struct failure *why)
{
	int tty;
	bool ok;

	if (!c->stderr_terminal)
		return true;
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (tty < 0)
		return true;
	*found = true;
	dprintf(tty, "Password of %s at %s", use->user != NULL ? use->user :
	    "nobody", use->server);
	if (use->account->line > 0)
		dprintf(tty, " (account %s)", use->account->name);
	dprintf(tty, ": ");
	ok = read_silently(tty, secret, why);
	(void)close(tty);
	return ok;
}

/* What the account itself names; *found is false when it names nothing. */
static bool
from_account(const struct secret_use *use, const struct caller *c,
    struct buffer *secret, bool *found, struct failure *why)
{
	const struct account *a = use->account;
	const char *value = a->values[SET_PASSWORD];

	*found = true;
	if (a->values[SET_OAUTH_COMMAND] != NULL)
		return token(a, use->renew, c, secret, why);
	if (value != NULL) {		/* a line that is not empty */
		buffer_put(secret, value, buffer_len(&a->password) - 1);
		return true;
	}
	if (a->values[SET_PASSWORD_FILE] != NULL)
		return from_file(a->values[SET_PASSWORD_FILE], secret, why);
	if (a->values[SET_PASSWORD_COMMAND] != NULL)
		return by_command(a, SET_PASSWORD_COMMAND, false, c, secret,
		    why);
	*found = false;
	return from_credential(a, c, secret, found, why);
}

static bool
find(const struct secret_use *use, const struct caller *c,
    struct buffer *secret, enum secret_source *source, struct failure *why)
{
	const struct account *a = use->account;
	bool found = false;

	*source = SECRET_OF_ACCOUNT;
	if (!from_account(use, c, secret, &found, why))
		return false;
	if (found)
		return true;
	*source = SECRET_OF_HOST;
	if (!secret_of_host(c, use->host, use->user, secret, &found, why))
		return false;
	if (found)
		return true;
	if (!config_has_identity(a) &&
	    !from_terminal(use, c, secret, &found, why))
		return false;
	*source = found ? SECRET_OF_ACCOUNT : SECRET_NONE;
	return true;
}

/* SECRET [NUL PREPARED] */
static bool
is_prepared(const struct buffer *secret)
{
	const char *p = buffer_data(secret);
	size_t n = buffer_len(secret);

	return prepare_is_plain(p, n) || memchr(p, '\0', n) != NULL;
}

/* The prepared form behind it, where it is not there yet. */
static bool
add_prepared(struct buffer *secret, struct failure *why)
{
	struct buffer prepared = BUFFER_SECRET;
	bool ok;

	if (is_prepared(secret))
		return true;
	ok = prepare_secret(buffer_data(secret), buffer_len(secret), &prepared,
	    why);
	if (ok) {
		buffer_put(secret, "", 1);
		buffer_put(secret, buffer_data(&prepared),
		    buffer_len(&prepared));
	}
	buffer_wipe(&prepared);
	return ok;
}

void
secret_prepare(struct account *a)
{
	struct failure ignored;

	if (a->values[SET_PASSWORD] == NULL || secret_is_at_hand(a))
		return;
	a->password.end--;		/* its NUL */
	(void)add_prepared(&a->password, &ignored);
	buffer_put(&a->password, "", 1);
	a->values[SET_PASSWORD] = buffer_data(&a->password);
	vault_sweep();
}

bool
secret_is_at_hand(const struct account *a)
{
	const char *password = a->values[SET_PASSWORD];

	return password != NULL && (prepare_is_plain(password,
	    strlen(password)) ||
	    buffer_len(&a->password) > strlen(password) + 1);
}

bool
secret_fetch(const struct secret_use *use, const struct caller *c,
    struct buffer *secret, enum secret_source *source, struct failure *why)
{
	bool ok = find(use, c, secret, source, why) &&
	    (*source == SECRET_NONE || add_prepared(secret, why));

	vault_sweep();
	return ok;
}
