#include "memory.h"
#include "buffer.h"
#include "file.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 10000, FILE_MAX = 4 * 1024 * 1024 };

struct line {
	const char *account, *server;
	struct sight sight;
};

struct memory {
	const char *file;		/* NULL: keeps nothing */
	struct line *lines;
	size_t n;
	struct pool *pool;
};

static const char *
field(char **rest)
{
	char *text = strsep(rest, "\t");

	return text == NULL || strcmp(text, "-") == 0 ? NULL : text;
}

/* account, server, mechanism, TLS, day, keywords; a tab between, "-" for none. */
static void
take_line(struct memory *m, char *text)
{
	struct line l = { .account = field(&text) };

	l.server = field(&text);
	l.sight.mechanism = field(&text);
	l.sight.tls = field(&text);
	l.sight.day = field(&text);
	l.sight.offers = field(&text);
	if (l.account == NULL || l.server == NULL || l.sight.day == NULL ||
	    m->n == LINES_MAX)
		return;
	m->lines = pool_grow(m->pool, m->lines, &m->n, sizeof *m->lines);
	m->lines[m->n - 1] = l;
}

static bool
read_lines(struct memory *m)
{
	struct buffer text = { 0 };
	char *line, *rest;

	m->lines = NULL;
	m->n = 0;
	if (m->file == NULL || !file_read(m->file, FILE_MAX, &text)) {
		buffer_free(&text);
		return m->file != NULL && errno == ENOENT;
	}
	rest = pool_octets(m->pool, buffer_data(&text), buffer_len(&text));
	buffer_free(&text);
	while ((line = strsep(&rest, "\n")) != NULL)
		take_line(m, line);
	return true;
}

struct memory *
memory_open(const char *file, struct pool *pool)
{
	struct memory *m = pool_alloc(pool, sizeof *m);

	*m = (struct memory){ .file = file, .pool = pool };
	(void)read_lines(m);
	return m;
}

static struct line *
find(const struct memory *m, const char *account, const char *server)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (strcmp(m->lines[i].account, account) == 0 &&
		    strcmp(m->lines[i].server, server) == 0)
			return &m->lines[i];
	return NULL;
}

const struct sight *
memory_of(const struct memory *m, const char *account, const char *server)
{
	const struct line *l = find(m, account, server);

	return l != NULL ? &l->sight : NULL;
}

/* Every folder above the file that is missing. */
static void
make_folders(char *file)
{
	char *p;

	for (p = strchr(file + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(file, 0700);
		*p = '/';
	}
}

void
memory_prepare(const char *file, struct pool *pool)
{
	make_folders(pool_string(pool, file));
}

/* The lock is of its own: the file itself is replaced. */
static int
lock(const struct memory *m)
{
	int fd;

	if (m->file == NULL) {
		errno = ENOENT;
		return -1;
	}
	make_folders(pool_string(m->pool, m->file));
	fd = open(pool_printf(m->pool, "%s.lock", m->file), O_RDWR | O_CREAT |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static const char *
or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void
put_lines(const struct memory *m, struct buffer *b)
{
	const struct line *l;
	size_t i;

	for (i = 0; i < m->n; i++) {
		l = &m->lines[i];
		if (l->account != NULL)
			buffer_printf(b, "%s\t%s\t%s\t%s\t%s\t%s\n", l->account,
			    l->server, or_dash(l->sight.mechanism),
			    or_dash(l->sight.tls), l->sight.day,
			    or_dash(l->sight.offers));
	}
}

static bool
write_lines(const struct memory *m)
{
	const char *name = pool_printf(m->pool, "%s.new", m->file);
	struct buffer text = { 0 };
	bool ok;
	size_t len;
	int fd;

	(void)unlink(name);		/* whatever it may be a link to */
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = fd >= 0;
	put_lines(m, &text);
	len = buffer_len(&text);
	if (ok)
		ok = write(fd, buffer_data(&text), len) == (ssize_t)len;
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	buffer_free(&text);
	return ok && rename(name, m->file) == 0;
}

static const char *
today(struct pool *pool)
{
	char text[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(text, sizeof text, "%Y-%m-%d", &tm);
	return pool_string(pool, text);
}

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
can_be_written(const char *text)
{
	return *text != '\0' && text[strcspn(text, "\t\n")] == '\0';
}

static void
set(struct memory *m, const char *account, const char *server,
    const struct sight *now)
{
	struct line *l = find(m, account, server);

	if (l == NULL) {
		m->lines = pool_grow(m->pool, m->lines, &m->n,
		    sizeof *m->lines);
		l = &m->lines[m->n - 1];
		l->account = account;
		l->server = server;
	}
	l->sight = (struct sight){ now->mechanism, now->tls,
	    today(m->pool), now->offers };
}

void
memory_note(struct memory *m, const char *account, const char *server,
    const struct sight *now)
{
	const struct sight *old = memory_of(m, account, server);
	bool ok;
	int fd;

	if ((old != NULL && same(old->mechanism, now->mechanism) &&
	    same(old->tls, now->tls) && same(old->offers, now->offers)) ||
	    !can_be_written(account))
		return;
	fd = lock(m);
	ok = fd >= 0 && read_lines(m);
	set(m, account, server, now);
	ok = ok && write_lines(m);
	if (!ok)
		log_note(LEVEL_INFO, "what %s offers cannot be remembered: "
		    "%s%s%s", server, m->file != NULL ? m->file : "there is "
		    "no home", m->file != NULL ? ": " : "",
		    m->file != NULL ? strerror(errno) : "");
	if (fd >= 0)
		(void)close(fd);
}

bool
memory_forget(struct memory *m, const char *account, size_t *n,
    struct failure *why)
{
	int fd = lock(m);
	bool ok = fd >= 0 && read_lines(m);
	size_t i;

	for (*n = 0, i = 0; ok && i < m->n; i++)
		if (strcmp(m->lines[i].account, account) == 0) {
			m->lines[i].account = NULL;
			(*n)++;
		}
	ok = ok && write_lines(m);
	if (!ok)
		(void)fail_errno(why, FAILURE_LOCAL, "%s cannot be written",
		    m->file != NULL ? m->file : "without a home the memory");
	if (fd >= 0)
		(void)close(fd);
	if (ok)
		(void)read_lines(m);
	return ok;
}
