#include "queue.h"
#include "accounts.h"
#include "input.h"
#include "log.h"
#include "path.h"
#include "relay.h"
#include "signals.h"
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* "3m", "2h", "5d": how long ago. */
static const char *
age(time_t then, struct pool *pool)
{
	long long s = (long long)time(NULL) - then;

	if (then == 0)
		return "?";
	if (s < 60)
		return pool_printf(pool, "%llds", s < 0 ? 0 : s);
	if (s < 3600)
		return pool_printf(pool, "%lldm", s / 60);
	if (s < 2 * 86400)
		return pool_printf(pool, "%lldh", s / 3600);
	return pool_printf(pool, "%lldd", s / 86400);
}

static void
print(const struct stored *s, struct pool *pool)
{
	size_t i;

	(void)printf("%s  %-7s %5s %8" PRIu64 "  <%s>\n", s->id, s->state,
	    age(s->created, pool), s->size, s->sender);
	if (s->reason != NULL)
		(void)printf("    (%s)\n", s->reason);
	for (i = 0; i < s->n; i++)
		(void)printf("    <%s>\n", s->recipients[i]);
}

/* A store is there even when the configuration is not. */
static struct stored *
find(const struct options *o, const struct caller *c, struct config *config,
    size_t *n, bool *whole, struct failure *broken)
{
	*whole = accounts_load(config, o, c, broken);
	accounts_log(NULL, o);
	return store_list(config, c, config->pool, n);
}

int
queue_list(const struct options *o, const struct caller *c,
    struct config *config)
{
	struct stored *list;
	struct failure broken;
	size_t n, i;
	bool whole;

	list = find(o, c, config, &n, &whole, &broken);
	if (n == 0)
		(void)puts("Mail queue is empty");
	else
		(void)printf("%-29s  %-7s %5s %8s  %s\n", "ID", "State",
		    "Age", "Octets", "Sender, reason, recipients");
	for (i = 0; i < n; i++)
		print(&list[i], config->pool);
	return failure_status(fflush(stdout) == 0 ? FAILURE_NONE :
	    FAILURE_INPUT);
}

static bool
holds(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* A domain may be written either way. */
static bool
names(const char *path, const char *part, struct pool *pool)
{
	return holds(path, part) ||
	    holds(path_ascii(path, pool), path_ascii(part, pool));
}

static bool
fits(const struct stored *s, const struct selection *which, struct pool *pool)
{
	bool yes = false;
	size_t i;

	if (which->what == 'I')
		yes = holds(s->id, which->text);
	else if (which->what == 'S')
		yes = names(s->sender, which->text, pool);
	for (i = 0; which->what == 'R' && i < s->n; i++)
		yes = yes || names(s->recipients[i], which->text, pool);
	return yes != which->turned;
}

static bool
is_selected(const struct stored *s, const struct options *o, struct pool *pool)
{
	size_t i;

	for (i = 0; i < o->nselections; i++)
		if (!fits(s, &o->selections[i], pool))
			return false;
	return o->nselections > 0;
}

/* The octets of the data as they were before the dots were doubled. */
struct unstuffed {
	FILE *f;
	char *line;
	size_t room;
};

static bool
more(struct input *in, struct failure *why)
{
	struct unstuffed *u = in->context;
	ssize_t len = getline(&u->line, &u->room, u->f);

	if (len < 0 || strcmp(u->line, ".\r\n") == 0) {
		in->eof = true;
		return len >= 0 || fail(why, FAILURE_INPUT, "the kept message "
		    "has no end");
	}
	buffer_put(&in->octets, u->line + (u->line[0] == '.'),
	    (size_t)len - (u->line[0] == '.'));
	return true;
}

static bool
cannot(struct answer *a, const char *path, const char *what)
{
	a->kind = FAILURE_LOCAL;
	a->code = 451;
	(void)snprintf(a->text, sizeof a->text, "451 4.3.0 %.700s: %.400s",
	    path, what);
	return false;
}

/*
 * The file, ours alone until it is closed; or NULL.  What could not be removed
 * after it was sent would be sent again.  *gone: a run beside this one has
 * sent it since it was listed.
 */
static FILE *
claim(const struct stored *s, struct pool *pool, bool *gone, struct answer *a)
{
	char *folder = pool_string(pool, s->path);
	int fd = open(s->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st = { 0 };

	*strrchr(folder, '/') = '\0';
	*gone = fd < 0 && errno == ENOENT;
	if (fd < 0 || fstat(fd, &st) != 0 || access(folder, W_OK | X_OK) != 0)
		(void)cannot(a, s->path, strerror(errno));
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		(void)cannot(a, s->path, "another run is sending it");
	else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_nlink > 0)
		return fdopen(fd, "r+");
	else
		*gone = true;
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

static bool
send_data(struct relay *r, FILE *f, const struct stored *s, struct answer *a)
{
	struct unstuffed u = { .f = f };
	struct input in = { .fd = -1, .more = more, .context = &u };
	bool ok;

	if (fseeko(f, (off_t)s->data, SEEK_SET) != 0)
		return cannot(a, s->path, strerror(errno));
	ok = relay_data(r, &in, a);
	free(u.line);
	buffer_free(&in.octets);
	return ok;
}

/*
 * Whoever has it is never sent to again: RCPT becomes NOOP in its place, so
 * that the file is whole at every moment.
 */
static void
strike_out(FILE *f, const struct relay *r)
{
	char *line = NULL;
	size_t room = 0, command = 0;
	off_t at = 0;
	ssize_t len;

	rewind(f);
	while ((len = getline(&line, &room, f)) > 0 &&
	    strncmp(line, "DATA", 4) != 0) {
		if (strncmp(line, "RCPT ", 5) == 0 &&
		    relay_took(r, command++) &&
		    pwrite(fileno(f), "NOOP", 4, at) != 4)
			log_note(LEVEL_ERROR, "who got the kept message could "
			    "not be struck out: %s", strerror(errno));
		at += len;
	}
	free(line);
	(void)fsync(fileno(f));
}

/* When one recipient is refused beforehand nobody gets it, and all stay. */
static bool
submit(struct relay *r, FILE *f, const struct stored *s, struct answer *a)
{
	size_t i;
	bool ok;

	if (s->n == 0)
		return cannot(a, s->path, "it has no recipients");
	if (!relay_mail(r, s->mail, s, a))
		return false;
	for (i = 0; i < s->n; i++)
		if (!relay_rcpt(r, s->rcpt[i], a))
			return false;
	ok = send_data(r, f, s, a);
	if (!ok)
		strike_out(f, r);
	return ok;
}

static bool
retry(struct relay *r, const struct stored *s, struct pool *pool,
    struct answer *a)
{
	struct stored now;
	struct failure why;
	bool gone, ok;
	FILE *f = claim(s, pool, &gone, a);

	if (f == NULL)
		return gone;
	ok = store_read(s->path, &now, pool, &why) ?
	    submit(r, f, &now, a) : cannot(a, s->path, why.text);
	if (ok && unlink(s->path) != 0)
		ok = cannot(a, s->path, "it was sent, but cannot be removed");
	(void)fclose(f);
	relay_reset(r);
	return ok;
}

/* Another day may do (EX_TEMPFAIL) before what another day will not mend. */
static enum failure_kind
graver(enum failure_kind a, const struct answer *b)
{
	enum failure_kind kind = b->kind == FAILURE_UNKNOWN ||
	    failure_is_temporary(b->kind) ? FAILURE_DEFERRED : b->kind;

	return a == FAILURE_DEFERRED ? a : kind;
}

int
queue_retry(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	struct stored *list;
	struct relay *relay;
	struct failure broken;
	struct answer a;
	enum failure_kind gravest = FAILURE_NONE;
	size_t n, i;
	bool whole;

	list = find(o, c, config, &n, &whole, &broken);
	relay = relay_new(o, c, config, whole ? NULL : &broken, program);
	for (i = 0; i < n && signals_caught() == 0; i++) {
		if (!is_selected(&list[i], o, config->pool) ||
		    retry(relay, &list[i], config->pool, &a))
			continue;
		(void)fprintf(stderr, "%s: %s stays kept: %s\n", program,
		    list[i].id, a.text);
		gravest = graver(gravest, &a);
	}
	relay_free(relay);
	return failure_status(gravest);
}
