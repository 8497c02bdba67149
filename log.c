#include "log.h"
#include "failure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { WAITING_MAX = 16, LINE_MAX_OCTETS = 16384 };

/*
 * The only writable globals of the house, with the flag of signals.c and the
 * last word of pool.c.
 */
static struct {
	enum { TO_NOWHERE_YET, TO_SYSLOG, TO_FILE, TO_NONE } where;
	int fd;
	bool json;
	enum log_level most;
	int trace;
	bool logins, data;		/* in the trace */
	int nwaiting;
	struct {
		enum log_level level;
		char text[512];
	} waiting[WAITING_MAX];
	void (*hide)(void *);		/* what stands on the terminal */
	void *context;
} state = { .fd = -1, .most = LEVEL_INFO };

static const struct {
	const char *word;
	int priority;
} levels[] = {
	[LEVEL_ERROR]	= { "error",	LOG_ERR },
	[LEVEL_WARNING]	= { "warning",	LOG_WARNING },
	[LEVEL_INFO]	= { "info",	LOG_INFO },
	[LEVEL_DEBUG]	= { "debug",	LOG_DEBUG },
};

/* How many could be written. */
static size_t
write_all(int fd, const char *p, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = write(fd, p + done, len - done);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			done += (size_t)n;
	}
	return done;
}

/*
 * A line that a full disk or a limit on file sizes has cut is taken back, or
 * the next one would be glued to it; unless another program, which knows
 * nothing of the lock, has written behind it.
 */
static void
take_back(off_t end, size_t written)
{
	struct stat st;

	if (written > 0 && fstat(state.fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == end + (off_t)written)
		(void)!ftruncate(state.fd, end);
}

/* Under a lock, so that lines of several processes stay whole. */
static bool
append(const char *text, size_t len)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;
	size_t done;
	off_t end;

	(void)fcntl(state.fd, F_SETLKW, &lock);
	end = fstat(state.fd, &st) == 0 ? st.st_size : 0;
	done = write_all(state.fd, text, len);
	if (done < len)
		take_back(end, done);
	lock.l_type = F_UNLCK;
	(void)fcntl(state.fd, F_SETLK, &lock);
	return done == len;
}

/* False when it does not get there: syslog has it instead. */
static bool
to_file(const char *line)
{
	char text[LINE_MAX_OCTETS + 64], stamp[40];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return false;
	if (state.json && line[0] == '{')
		n = snprintf(text, sizeof text, "{\"time\":\"%s\",%s\n",
		    stamp, line + 1);
	else
		n = snprintf(text, sizeof text, "time=%s pid=%ld %s\n", stamp,
		    (long)getpid(), line);
	if (n < 0)
		return false;
	if ((size_t)n >= sizeof text) {
		n = sizeof text - 1;
		text[n - 1] = '\n';
	}
	return append(text, (size_t)n);
}

void
log_line(enum log_level level, const char *line)
{
	if (level > state.most)
		return;
	if (state.where == TO_SYSLOG ||
	    (state.where == TO_FILE && !to_file(line)))
		syslog(levels[level].priority, "%s", line);
}

/* The text goes into quotes, of logfmt and of JSON alike. */
static void
quoted(char *out, size_t size, const char *text)
{
	size_t o = 0;

	for (; *text != '\0' && o + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			out[o++] = '\\';
		out[o++] = *text;
	}
	out[o] = '\0';
}

static void
note_line(enum log_level level, const char *text)
{
	char quote[1400], line[1500];

	quoted(quote, sizeof quote, text);
	(void)snprintf(line, sizeof line, state.json ?
	    "{\"level\":\"%s\",\"note\":\"%s\"}" : "level=%s note=\"%s\"",
	    levels[level].word, quote);
	log_line(level, line);
}

/* What stands on the terminal's line would run into ours. */
static void
uncover(void)
{
	if (state.hide != NULL)
		state.hide(state.context);
}

void
log_note(enum log_level level, const char *fmt, ...)
{
	char raw[512], text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	(void)printable(text, sizeof text, raw, strlen(raw));
	if (state.trace > 0) {
		uncover();
		dprintf(STDERR_FILENO, "# %s\n", text);
	}
	if (state.where != TO_NOWHERE_YET) {
		note_line(level, text);
	} else if (state.nwaiting < WAITING_MAX) {
		state.waiting[state.nwaiting].level = level;
		(void)strcpy(state.waiting[state.nwaiting++].text, text);
	}
}

static bool
is_ours(uid_t uid)
{
	return uid == 0 || uid == getuid();
}

/* A stranger's link would lead what is written into any file of ours. */
static bool
is_strange(int fd, const char *name)
{
	struct stat st;

	if (lstat(name, &st) == 0 && S_ISLNK(st.st_mode) &&
	    !is_ours(st.st_uid))
		return true;
	return fstat(fd, &st) != 0 || (S_ISREG(st.st_mode) &&
	    (st.st_nlink > 1 || !is_ours(st.st_uid)));
}

static int
open_to_append(const char *name)
{
	int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK, 0600);

	if (fd < 0 || !is_strange(fd, name))
		return fd;
	(void)close(fd);
	errno = EPERM;
	return -1;
}

static bool
is_file(const char *where)
{
	return strcmp(where, "none") != 0 && strcmp(where, "syslog") != 0;
}

bool
log_prepare(const char *where)
{
	int fd = is_file(where) ? open_to_append(where) : -1;

	if (fd >= 0)
		(void)close(fd);
	return is_file(where);
}

static void
open_file(const char *name)
{
	state.fd = open_to_append(name);
	state.where = state.fd < 0 ? TO_SYSLOG : TO_FILE;
}

static enum log_level
level_of(const char *word)
{
	int i;

	for (i = LEVEL_ERROR; word != NULL && i <= LEVEL_DEBUG; i++)
		if (strcasecmp(levels[i].word, word) == 0)
			return (enum log_level)i;
	return LEVEL_INFO;
}

void
log_open(const char *where, bool json, const char *level, const char *tag)
{
	int i, error = 0;

	log_close();
	state.json = json;
	state.most = level_of(level);
	if (strcmp(where, "none") == 0) {
		state.where = TO_NONE;
	} else if (strcmp(where, "syslog") == 0) {
		state.where = TO_SYSLOG;
	} else {
		open_file(where);
		error = state.where == TO_FILE ? 0 : errno;
	}
	if (state.where == TO_SYSLOG || state.where == TO_FILE)
		openlog(tag != NULL ? tag : "sendoff", LOG_PID, LOG_MAIL);
	for (i = 0; i < state.nwaiting; i++)
		note_line(state.waiting[i].level, state.waiting[i].text);
	state.nwaiting = 0;
	if (error != 0)
		log_note(LEVEL_WARNING, "cannot write the log %s (%s), "
		    "using syslog", where, error == EPERM ? "it is another "
		    "user's, or has a second name" : strerror(error));
}

void
log_close(void)
{
	if (state.where == TO_SYSLOG || state.where == TO_FILE)
		closelog();
	if (state.fd >= 0)
		(void)close(state.fd);
	state.fd = -1;
	state.where = TO_NOWHERE_YET;
}

bool
log_is_json(void)
{
	return state.json;
}

void
log_cover(void (*hide)(void *), void *context)
{
	state.hide = hide;
	state.context = context;
}

void
log_trace_level(int level)
{
	state.trace = level;
}

void
log_trace_also(bool logins, bool data)
{
	state.logins = logins;
	state.data = data;
}

bool
log_traces_logins(void)
{
	return state.trace > 0 && state.logins;
}

bool
log_traces_data(void)
{
	return state.trace > 0 && state.data;
}

void
log_trace(char who, const char *text, size_t len)
{
	char line[4608];
	int n;

	if (state.trace == 0)
		return;
	line[0] = who;
	n = 1;
	if (who == 'S' || who == 'C')
		line[n++] = ':';
	if (len > 0) {
		line[n++] = ' ';
		(void)printable(line + n, sizeof line - (size_t)n - 1, text,
		    len);
		n = (int)strlen(line);
	}
	line[n++] = '\n';
	uncover();
	(void)write_all(STDERR_FILENO, line, (size_t)n);
}

void
log_detail(const char *fmt, ...)
{
	char raw[1024], text[1024];
	va_list ap;
	int n;

	if (state.trace < 2)
		return;
	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	(void)printable(text, sizeof text, raw, strlen(raw));
	uncover();
	dprintf(STDERR_FILENO, "# %s\n", text);
}
