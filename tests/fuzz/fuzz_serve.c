/*
 * -bs: what a caller says, then a line "--", then the servers' script
 * (server.h); the first octet chooses how the octets come.
 *
 * Whatever the caller says has one reply, as a slow model of the dialogue
 * counts them; a 2yz after the data means that a server has taken the message
 * for each recipient that was accepted, and nobody gets it more often than it
 * was given.
 */
#define _GNU_SOURCE			/* memfd_create(), memmem() */
#include "fuzz.h"
#include "server.h"
#include "address.h"
#include "buffer.h"
#include "command.h"
#include "path.h"
#include "serve.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static struct spool_room room = { .directory = "/dev/shm" };

static const struct caller caller = { .uid = 1000, .login = "me",
	.hostname = "client", .fqdn = "client.example.org",
	.temporary = &room };

/* --- standard input and output ------------------------------------------------- */

static bool serving;
static const char *input;
static size_t input_left, input_most;
static struct buffer output;

ssize_t	__real_read(int, void *, size_t);
ssize_t	__real_write(int, const void *, size_t);
ssize_t	__wrap_read(int, void *, size_t);
ssize_t	__wrap_write(int, const void *, size_t);

ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	if (!serving || fd != STDIN_FILENO)
		return __real_read(fd, p, n);
	if (n > input_most)
		n = input_most;
	if (n > input_left)
		n = input_left;
	memcpy(p, input, n);
	input += n;
	input_left -= n;
	return (ssize_t)n;
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (!serving || fd != STDOUT_FILENO)
		return __real_write(fd, p, n);
	buffer_put(&output, p, n);
	return (ssize_t)n;
}

/* --- the slow model of the caller's side ---------------------------------------- */

struct person {
	const char *path, *key;
	unsigned given, accepted;	/* data had any reply; a 2yz */
};

struct model {
	const char *p, *end;		/* what the caller says */
	bool known, crlf, refused, chunked, content, over;
	bool mail;
	struct person *people;		/* of the session, */
	size_t n, now[SERVED_MAX], nnow;	/* of the transaction */
	struct pool *pool;
};

/* The code of the next reply; each line is fit to be shown. */
static int
reply(void)
{
	const char *p, *end;
	int code = 0;
	bool more;

	do {
		p = buffer_data(&output);
		assert(buffer_len(&output) >= 5);
		end = memchr(p, '\n', buffer_len(&output));
		assert(end != NULL && end[-1] == '\r');
		assert(sscanf(p, "%3d", &code) == 1 && code >= 200 &&
		    code < 600);
		more = p[3] == '-';
		assert(more || p[3] == ' ' || p[3] == '\r');
		for (; p < end - 1; p++)
			assert((unsigned char)*p >= ' ' && *p != 0x7f);
		buffer_take(&output, (size_t)(end + 1 -
		    buffer_data(&output)));
	} while (more);
	return code;
}

/* The next line without its end of the session's kind; or false. */
static bool
next_line(struct model *m, const char **line, size_t *len)
{
	const char *nl;

	*line = m->p;
	for (nl = m->p; nl < m->end; nl++) {
		if (*nl != '\n')
			continue;
		if (!m->known)
			m->crlf = nl > m->p && nl[-1] == '\r';
		m->known = true;
		if (m->crlf && (nl == *line || nl[-1] != '\r'))
			continue;
		*len = (size_t)(nl - *line) - m->crlf;
		m->p = nl + 1;
		return true;
	}
	return false;
}

static void
verdict(struct model *m)
{
	size_t i;
	int code = reply();

	m->over = code == 421;
	for (i = 0; i < m->nnow; i++) {
		m->people[m->now[i]].given++;
		m->people[m->now[i]].accepted += code / 100 == 2;
	}
	m->mail = m->chunked = m->content = false;
	m->nnow = 0;
}

static void
data(struct model *m)
{
	const char *line;
	size_t len;

	m->refused = true;
	if (reply() != 354)
		return;
	m->refused = false;
	while (next_line(m, &line, &len))
		if (len == 1 && *line == '.') {
			verdict(m);
			return;
		}
	m->over = true;
}

static void
bdat(struct model *m, const char *args)
{
	bool last, fits = m->mail && m->nnow > 0;
	struct failure why;
	uint64_t octets;

	if (!command_bdat(args, &octets, &last, &why)) {
		assert(reply() == 501);
		m->over = true;
		return;
	}
	if (!fits)
		assert(reply() / 100 == 5);
	else
		m->chunked = m->content = true;
	m->over = octets > (uint64_t)(m->end - m->p);
	if (m->over)
		return;
	m->p += octets;
	if (fits && last)
		verdict(m);
	else if (fits)
		assert(reply() == 250);
}

static bool
is_local(const struct mailbox *m)
{
	return m->domain == NULL || strcasecmp(m->domain, "localhost") == 0 ||
	    strncasecmp(m->domain, "client", 6) == 0;
}

static void
note_person(struct model *m, const char *args)
{
	struct rcpt_command c;
	struct failure why;
	const char *key;
	size_t i;

	assert(command_rcpt(args, &c, m->pool, &why));
	if (is_local(&c.to))
		server.crowded = true;		/* somebody else gets it */
	key = path_key(&c.to, m->pool);
	for (i = 0; i < m->nnow; i++)
		if (strcmp(m->people[m->now[i]].key, key) == 0)
			return;
	for (i = 0; i < m->n; i++)
		if (strcmp(m->people[i].path, path_of(&c.to, m->pool)) == 0)
			break;
	if (i == m->n)
		m->people = pool_grow(m->pool, m->people, &m->n,
		    sizeof *m->people);
	m->people[i].path = path_of(&c.to, m->pool);
	m->people[i].key = key;
	if (m->nnow < SERVED_MAX)
		m->now[m->nnow++] = i;
	else
		server.crowded = true;
}

static void
forget(struct model *m)
{
	m->mail = m->chunked = m->content = false;
	m->nnow = 0;
}

static bool
is(const char *line, const char *verb)
{
	size_t n = strlen(verb);

	return strncasecmp(line, verb, n) == 0 &&
	    (line[n] == '\0' || line[n] == ' ' || line[n] == '\t');
}

static void
command(struct model *m, const char *line)
{
	int code;

	if (is(line, "DATA")) {
		data(m);
		return;
	}
	if (is(line, "BDAT")) {
		bdat(m, line + 4);
		return;
	}
	code = reply();
	if (is(line, "EHLO") || is(line, "HELO")) {
		forget(m);
	} else if (is(line, "RSET") && code == 250) {
		forget(m);
		m->refused = false;
	} else if (is(line, "MAIL")) {
		assert(!m->mail || code == 503);
		m->refused = m->refused && code / 100 != 2;
		m->mail = m->mail || code / 100 == 2;
	} else if (is(line, "RCPT")) {
		assert((m->mail && !m->chunked) || code == 503);
		m->refused = m->refused && code / 100 != 2;
		if (code / 100 == 2)
			note_person(m, line + 4);
	} else if (is(line, "QUIT")) {
		assert(code == 221);
		m->over = true;
	} else if (code == 421) {
		assert(m->refused);
		m->over = true;
	} else {
		assert(code == 500 || is(line, "NOOP") || is(line, "VRFY") ||
		    is(line, "HELP") || is(line, "RSET"));
	}
}

static void
check(struct model *m)
{
	const char *line;
	size_t len;

	assert(reply() == 220);
	while (!m->over && next_line(m, &line, &len)) {
		if (memchr(line, '\0', len) != NULL ||
		    memchr(line, '\r', len) != NULL ||
		    memchr(line, '\n', len) != NULL)
			command(m, "?");
		else
			command(m, pool_octets(m->pool, line, len));
	}
	assert(buffer_len(&output) == 0);
}

static void
check_people(const struct model *m)
{
	const struct served *s;
	size_t i;

	for (i = 0; i < m->n && !server.tricky && !server.crowded; i++) {
		s = server_find(m->people[i].path, strlen(m->people[i].path));
		if (s == NULL)
			return;
		assert(s->delivered >= m->people[i].accepted);
		assert(s->delivered <= m->people[i].given);
	}
}

/* --- the run ---------------------------------------------------------------------- */

static const char *
config_file(void)
{
	static const char text[] = "aliases none\nlog none\nsandbox no\n"
	    "default-recipient me@example.org\n"
	    "account one\nfrom me@example.org\nserver smtp:///one\n"
	    "auth none\naccount two\nfrom you@example.com\nmatch *@example.com"
	    "\nserver smtp:///two\nauth PLAIN LOGIN\npassword secret\n";
	static char name[40];
	int fd;

	if (*name != '\0')
		return name;
	fd = memfd_create("config", MFD_CLOEXEC);
	assert(fd >= 0 && fchmod(fd, 0600) == 0 &&
	    write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return name;
}

static void
run(const char *p, size_t len, struct pool *pool)
{
	struct options options = { .no_aliases = true,
	    .config = config_file(), .log_level = "error" };
	struct config config = { .pool = pool };
	struct model m = { .p = p, .end = p + len, .pool = pool };

	input = p;
	input_left = len;
	serving = true;
	assert(serve(&options, &caller, &config, "sendmail") == 0);
	serving = false;
	check(&m);
	check_people(&m);
	buffer_free(&output);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t mosts[] = { SIZE_MAX, 1, 7, 100 };
	const char *p = (const char *)data + 1, *script = NULL;
	struct pool *pool = pool_new();

	if (size > 0)
		script = memmem(p, size - 1, "\n--\n", 4);
	if (script != NULL) {
		input_most = mosts[data[0] & 3];
		server_begin(&(struct server){ .script = script + 4,
		    .len = size - (size_t)(script + 4 - (const char *)data),
		    .read_most = mosts[data[0] >> 2 & 3],
		    .write_most = SIZE_MAX });
		run(p, (size_t)(script + 1 - p), pool);
		server_end();
	}
	pool_free(pool);
	return 0;
}
