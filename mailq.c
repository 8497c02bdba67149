#include "mailq.h"
#include "accounts.h"
#include "damage.h"
#include "due.h"
#include "fields.h"
#include "report.h"
#include "store.h"
#include "terms.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* "3m", "2h", "5d" */
static const char *
span(long long s, struct pool *pool)
{
	if (s < 60)
		return pool_printf(pool, "%llds", s < 0 ? 0 : s);
	if (s < 3600)
		return pool_printf(pool, "%lldm", s / 60);
	if (s < 2LL * 86400)
		return pool_printf(pool, "%lldh", s / 3600);
	return pool_printf(pool, "%lldd", s / 86400);
}

static const char *
age(time_t then, struct pool *pool)
{
	return then == 0 ? "?" : span((long long)time(NULL) - then, pool);
}

/* Somebody else can have written the file that root looks at. */
static const char *
shown(const char *text, struct pool *pool)
{
	size_t n = strlen(text), room = 4 * n + 1;
	char *out = pool_alloc(pool, room);

	(void)printable(out, room, text, n);
	return out;
}

struct view {
	const struct options *options;
	const struct caller *caller;
	const struct config *config;
};

/* What goes by the same name in another's configuration is not known. */
static const struct account *
account_of(const struct stored *s, const struct view *v)
{
	const struct account *a = accounts_named(v->config, s->record.account);

	return a != NULL && (a->system || s->owner == v->caller->uid) ? a :
	    NULL;
}

/* For who has mended what was wrong, and wonders. */
static void
print_wait(const struct stored *stored, const struct view *v)
{
	const char *file = v->options->config;
	const struct record *r = &stored->record;
	struct pool *pool = v->config->pool;
	bool locked;
	long s;

	if (strcmp(r->state, "queued") != 0)
		return;
	s = due_in(v->config, account_of(stored, v), r, time(NULL), &locked);
	if (s == 0)
		return;
	(void)printf("    (waits ");
	if (locked)
		(void)printf("until the configuration%s has changed",
		    s == DUE_CHANGED ? " or the password's file" : "");
	if (s != DUE_CHANGED)
		(void)printf("%sanother %s", locked ? ", or " : "",
		    span(s, pool));
	(void)printf("; to try it now: sendoff%s%s --resend %s)\n", file !=
	    NULL ? " -C " : "", file != NULL ? shown(file, pool) : "",
	    shown(r->id, pool));
}

static void
print(const struct stored *s, const struct view *v)
{
	struct pool *pool = v->config->pool;
	const struct record *r = &s->record;
	size_t i;

	(void)printf("%s  %-7s %5s %8" PRIu64 " %3u  <%s>\n",
	    shown(r->id, pool), shown(r->state, pool), age(r->created, pool),
	    s->size, r->attempts, shown(s->sender, pool));
	if (r->reason != NULL)
		(void)printf("    (%s)\n", shown(r->reason, pool));
	print_wait(s, v);
	for (i = 0; i < s->n; i++)
		(void)printf("    <%s>\n", shown(s->recipients[i], pool));
}

/* A store is there even when the configuration is not. */
static struct stored *
find(const struct options *o, const struct caller *c, struct config *config,
    size_t *n, struct unreads *unreads)
{
	struct failure ignored;

	(void)accounts_load(config, o, c, &ignored);
	accounts_log(NULL, o);
	return store_list(config, c, options_setting(o, "keep"), true,
	    config->pool, n, unreads);
}

static void
moment(const struct fields *o, const char *name, time_t t, struct pool *pool)
{
	fields_text(o, name, t == 0 ? NULL : terms_utc(t, pool));
}

static void
put_object(struct buffer *b, const struct stored *s, struct pool *pool)
{
	const struct fields o = { b, true, pool };
	const struct record *r = &s->record;

	buffer_put(b, "{", 1);
	fields_text(&o, "id", r->id);
	fields_text(&o, "state", r->state);
	fields_text(&o, "account", r->account);
	moment(&o, "created", r->created, pool);
	moment(&o, "tried", r->tried, pool);
	moment(&o, "next", r->locked_out ? 0 : r->next, pool);
	fields_number(&o, "attempts", r->attempts);
	fields_number(&o, "status", r->status);
	fields_text(&o, "reason", r->reason);
	fields_number(&o, "octets", (long long)s->size);
	fields_text(&o, "path", s->path);
	fields_text(&o, "from", s->sender);
	fields_texts(&o, "recipients", s->recipients, s->n);
	buffer_put(b, "}", 1);
}

static void
print_json(const struct stored *list, size_t n, struct pool *pool)
{
	struct buffer b = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		buffer_printf(&b, i == 0 ? "[" : ",\n ");
		put_object(&b, &list[i], pool);
	}
	buffer_printf(&b, n == 0 ? "[]\n" : "]\n");
	(void)fwrite(buffer_data(&b), 1, buffer_len(&b), stdout);
	buffer_free(&b);
}

static void
print_list(const struct stored *list, size_t n, const struct view *v)
{
	size_t i;

	if (n == 0)
		(void)puts("Mail queue is empty");
	else
		(void)printf("%-29s  %-7s %5s %8s %3s  %s\n", "ID", "State",
		    "Age", "Octets", "Try", "Sender, reason, recipients");
	for (i = 0; i < n; i++)
		print(&list[i], v);
}

int
mailq_list(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	const struct view v = { o, c, config };
	struct unreads unreads = { 0 };
	struct stored *list;
	int status, output;
	size_t n;

	list = find(o, c, config, &n, &unreads);
	if (o->json)
		print_json(list, n, config->pool);
	else if (n > 0 || unreads.n == 0)
		print_list(list, n, &v);
	output = report_output(program);
	status = damage_tell(&unreads, program);
	return output != 0 ? output : status;
}

static const struct stored *
find_one(const struct options *o, const struct caller *c,
    struct config *config, const char *id)
{
	struct stored *list;
	size_t n, i;

	list = find(o, c, config, &n, NULL);
	for (i = 0; i < n; i++)
		if (strcmp(list[i].record.id, id) == 0)
			return &list[i];
	return NULL;
}

static int
complain(const char *program, enum failure_kind kind, const char *id,
    const char *what)
{
	struct failure why;

	(void)fail(&why, kind, "%s: %s", id, what);
	return report_failure(program, &why);
}

/*
 * In a folder of another's a name may be something else by now, and so may the
 * folder's own: root touches there what its owner might.
 */
static bool
become_owner(const struct caller *c, const struct stored *s,
    struct pool *pool)
{
	struct caller owner;
	struct failure ignored;

	return c->uid != 0 || s->owner == 0 ||
	    caller_become(&owner, s->owner, pool, &ignored);
}

static FILE *
open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	FILE *f = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		f = fdopen(fd, "r");
	if (f == NULL && fd >= 0)
		(void)close(fd);
	return f;
}

int
mailq_show(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	const struct stored *s = find_one(o, c, config, o->id);
	char block[16 * 1024];
	bool whole;
	size_t n;
	FILE *f;

	if (s == NULL)
		return complain(program, FAILURE_USAGE, o->id, "there is no "
		    "kept message of this id (mailq lists them)");
	f = become_owner(c, s, config->pool) ? open_regular(s->path) : NULL;
	if (f == NULL)
		return complain(program, FAILURE_LOCAL, s->path,
		    "it cannot be read");
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		(void)fwrite(block, 1, n, stdout);
	whole = ferror(f) == 0;
	(void)fclose(f);
	if (!whole)
		return complain(program, FAILURE_INPUT, s->path, "it cannot "
		    "be read to its end");
	return report_output(program);
}

int
mailq_forget(const struct options *o, const struct caller *c,
    struct config *config, const char *program, bool *found)
{
	const struct stored *s = find_one(o, c, config, o->account);
	int fd, status = failure_status(FAILURE_NONE);

	*found = s != NULL;
	if (!*found)
		return status;
	if (!become_owner(c, s, config->pool))
		return complain(program, FAILURE_LOCAL, s->path,
		    "its owner cannot be taken for it");
	fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
		status = complain(program, FAILURE_LOCAL, s->path,
		    "a run is sending it");
	else if (unlink(s->path) != 0)
		status = complain(program, FAILURE_LOCAL, s->path,
		    "it cannot be deleted");
	if (fd >= 0)
		(void)close(fd);
	return status;
}
