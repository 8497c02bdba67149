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
 * The file, ours alone until it is closed; or -1.  What could not be removed
 * after it was sent would be sent again.  *gone: a run beside this one has
 * sent it since it was listed.
 */
static int
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
		return fd;
	else
		*gone = true;
	if (fd >= 0)
		(void)close(fd);
	return -1;
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

/* One mail for those who are left, or for as many as the server takes. */
struct attempt {
	struct relay *relay;
	int fd;				/* the file, which is ours alone, */
	FILE *f;			/* and as it is now: nothing buffered
					   is of before */
	const struct stored *kept;
	bool *named;			/* parallel to its recipients */
	size_t count;			/* of those */
	bool full;			/* the others want a mail of their own */
};

static bool
strike(const struct attempt *t, off_t at)
{
	if (pwrite(t->fd, "NOOP", 4, at) == 4)
		return true;
	log_note(LEVEL_ERROR, "who got the kept message could not be struck "
	    "out: %s", strerror(errno));
	return false;
}

/*
 * Whoever has it is never sent to again: RCPT becomes NOOP in its place, so
 * that the file is whole at every moment.
 */
static bool
strike_out(const struct attempt *t)
{
	char *line = NULL;
	size_t room = 0, command = 0, i = 0;
	bool ok = true;
	off_t at = 0;
	ssize_t len;

	rewind(t->f);
	while ((len = getline(&line, &room, t->f)) > 0 &&
	    strncmp(line, "DATA", 4) != 0) {
		if (strncmp(line, "RCPT ", 5) == 0 && i < t->kept->n &&
		    t->named[i++] && relay_took(t->relay, command++))
			ok = strike(t, at) && ok;
		at += len;
	}
	free(line);
	return fsync(t->fd) == 0 && ok;
}

/* RFC 5321 section 4.5.3.1.10; RFC 3463: x.1.x and x.2.x are a mailbox's. */
static bool
is_too_many(const struct answer *a)
{
	return (a->code == 452 || a->code == 552) && strlen(a->text) > 5 &&
	    strncmp(a->text + 5, ".1.", 3) != 0 &&
	    strncmp(a->text + 5, ".2.", 3) != 0;
}

static bool
is_of_one(const struct answer *a)
{
	return a->kind == FAILURE_NOUSER || a->kind == FAILURE_REFUSED ||
	    a->kind == FAILURE_DEFERRED;
}

/*
 * Who is refused stays kept and stops nobody else, and who is too many gets
 * another mail.  When anything else goes wrong nobody gets it.  *a: why it
 * were not all.
 */
static bool
name_all(struct attempt *t, struct answer *a)
{
	struct answer refused;
	bool all = true;
	size_t i;

	for (i = 0; i < t->kept->n; i++) {
		t->named[i] = relay_rcpt(t->relay, t->kept->rcpt[i], &refused);
		t->count += t->named[i];
		if (t->named[i])
			continue;
		if (all || failure_is_temporary(refused.kind))
			*a = refused;
		all = false;
		t->full = t->count > 0 && is_too_many(&refused);
		if (!is_of_one(&refused))
			t->count = 0;
		if (!is_of_one(&refused) || t->full)
			break;
	}
	return all;
}

static bool
submit(struct attempt *t, struct answer *a)
{
	struct answer verdict;
	bool all, ok;

	if (t->kept->n == 0)
		return cannot(a, t->kept->path, "it has no recipients");
	if (!relay_mail(t->relay, t->kept->mail, t->kept, a))
		return false;
	all = name_all(t, a);
	if (t->count == 0)
		return false;
	ok = send_data(t->relay, t->f, t->kept, &verdict);
	if (!ok)
		*a = verdict;
	if (ok && all)
		return true;
	t->full = strike_out(t) && ok && t->full;
	return false;
}

static bool
send_kept(struct attempt *t, const struct stored *kept, struct pool *pool,
    struct answer *a)
{
	int fd = fcntl(t->fd, F_DUPFD_CLOEXEC, 0);
	bool ok;

	t->kept = kept;
	t->named = pool_array(pool, kept->n, sizeof *t->named);
	t->count = 0;
	t->f = fd < 0 ? NULL : fdopen(fd, "r");
	if (t->f == NULL)
		return cannot(a, kept->path, strerror(errno));
	ok = submit(t, a);
	(void)fclose(t->f);
	return ok;
}

static bool
send_once(struct attempt *t, const char *path, struct answer *a)
{
	struct pool *pool = pool_new();
	struct stored now;
	struct failure why;
	bool ok;

	t->full = false;
	ok = store_read(path, &now, pool, &why) ?
	    send_kept(t, &now, pool, a) : cannot(a, path, why.text);
	relay_reset(t->relay);
	pool_free(pool);
	return ok;
}

static bool
retry(struct relay *r, const struct stored *s, struct pool *pool,
    struct answer *a)
{
	struct attempt t = { .relay = r };
	bool gone, ok;

	t.fd = claim(s, pool, &gone, a);
	if (t.fd < 0)
		return gone;
	do
		ok = send_once(&t, s->path, a);
	while (!ok && t.full && signals_caught() == 0);
	if (ok && unlink(s->path) != 0)
		ok = cannot(a, s->path, "it was sent, but cannot be removed");
	(void)close(t.fd);
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
