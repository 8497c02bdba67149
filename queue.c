#define _GNU_SOURCE			/* pipe2() */
#include "queue.h"
#include "accounts.h"
#include "confine.h"
#include "damage.h"
#include "handed.h"
#include "helper.h"
#include "log.h"
#include "path.h"
#include "report.h"
#include "resend.h"
#include "signals.h"
#include "store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWNER_SECONDS = 3600, GRACE_SECONDS = 30 };

struct run {
	const struct options *options;
	const struct caller *caller;
	struct config *config;
	const char *program;
	struct resend *resend;
	enum failure_kind gravest;
};

struct found {
	const struct stored *list;
	size_t n;
};

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

	if (which->what == '=')
		yes = strcmp(s->record.id, which->text) == 0;
	else if (which->what == 'I')
		yes = holds(s->record.id, which->text);
	else if (which->what == 'S')
		yes = names(s->sender, which->text, pool);
	for (i = 0; which->what == 'R' && i < s->n; i++)
		yes = yes || names(s->recipients[i], which->text, pool);
	return yes != which->turned;
}

/* Of several of one letter any will do, as with Sendmail. */
static bool
is_selected(const struct stored *s, const struct options *o, struct pool *pool)
{
	const struct selection *which = o->selections;
	bool yes = o->nselections > 0;
	size_t i, j;

	for (i = 0; i < o->nselections && yes; i++) {
		yes = false;
		for (j = 0; j < o->nselections && !yes; j++)
			yes = which[j].what == which[i].what &&
			    fits(s, &which[j], pool);
	}
	return yes;
}

/* Another day may do (EX_TEMPFAIL) before what another day will not mend. */
static enum failure_kind
graver(enum failure_kind a, enum failure_kind b)
{
	if (b == FAILURE_UNKNOWN || failure_is_temporary(b))
		b = FAILURE_DEFERRED;
	return a == FAILURE_DEFERRED ? a : b;
}

/*
 * What stays queued is in the log; a timer that wrote of it each time would
 * hide what a person must see to.  Root sees here what an owner has written.
 */
static void
try_one(struct run *r, const struct stored *s, bool named)
{
	const char *state;
	struct failure why;
	char id[256];

	if (resend_try(r->resend, s, &state, &why) || (!named &&
	    state != NULL && strcmp(state, "queued") == 0))
		return;
	(void)printable(id, sizeof id, s->record.id, strlen(s->record.id));
	(void)fprintf(stderr, "%s: %s stays kept%s%s: %s\n", r->program,
	    id, state != NULL ? ", " : "", state != NULL ? state :
	    "", why.text);
	r->gravest = graver(r->gravest, why.kind);
}

static void
see_to(struct run *r, const struct stored *s)
{
	bool queued = strcmp(s->record.state, "queued") == 0;

	if (r->options->nselections > 0) {
		if (is_selected(s, r->options, r->config->pool))
			try_one(r, s, true);
	} else if (queued && resend_is_due(r->resend, s)) {
		try_one(r, s, false);
	} else if (!queued) {
		resend_expire(r->resend, s);
	}
}

/* Handed accounts (handed.h) and others have each a run of their own. */
static bool
is_of_run(const struct run *r, const struct stored *s)
{
	const struct account *a = accounts_named(r->config, s->record.account);

	if (a == NULL && r->config->n > 0)
		a = &r->config->accounts[0];
	return a == NULL || !a->closed;
}

/* Who was not told yet, by this run or one before it. */
static void
tell_owners(struct run *r)
{
	struct stored *list;
	size_t n, i;

	list = store_list(r->config, r->caller, options_setting(r->options,
	    "keep"), false, r->config->pool, &n, NULL);
	for (i = 0; i < n && signals_caught() == 0; i++)
		if (list[i].record.untold && is_of_run(r, &list[i]))
			resend_tell(r->resend, &list[i]);
}

/* Whoever names one by its whole id means one that there is. */
static bool
are_there(const struct options *o, const struct caller *c,
    struct config *config, struct failure *why)
{
	struct stored *list = NULL;
	bool listed = false;
	size_t n = 0, i, j;

	for (i = 0; i < o->nselections; i++) {
		if (o->selections[i].what != '=')
			continue;
		if (!listed)
			list = store_list(config, c, options_setting(o,
			    "keep"), true, config->pool, &n, NULL);
		listed = true;
		for (j = 0; j < n; j++)
			if (fits(&list[j], &o->selections[i], config->pool))
				break;
		if (j == n)
			return fail(why, FAILURE_USAGE, "%s: there is no kept "
			    "message of this id (mailq lists them)",
			    o->selections[i].text);
	}
	return true;
}

/* Before any of them is touched. */
static bool
may_show(const struct run *r, const struct stored *list, size_t n,
    struct failure *why)
{
	size_t i;

	for (i = 0; r->options->trace_logins && i < n; i++)
		if (is_of_run(r, &list[i]) && (r->options->nselections == 0 ||
		    is_selected(&list[i], r->options, r->config->pool)) &&
		    !handed_may_show(r->config, why))
			return false;
	return true;
}

static int
run_own(const struct options *o, const struct caller *c,
    struct config *config, const char *program, const struct failure *broken,
    const struct found *found)
{
	struct run r = { .options = o, .caller = c, .config = config,
	    .program = program, .gravest = FAILURE_NONE };
	const struct stored *list = found->list;
	size_t n = found->n, i;
	struct failure why;

	if (broken != NULL && o->nselections == 0 && n > 0)
		return report_failure(program, broken);
	if (!may_show(&r, list, n, &why))
		return report_failure(program, &why);
	if (n == 0)
		return failure_status(FAILURE_NONE);
	if (broken == NULL)
		confine_all(o, c, config);
	r.resend = resend_new(o, c, config, broken);
	for (i = 0; i < n && signals_caught() == 0; i++)
		if (is_of_run(&r, &list[i]))
			see_to(&r, &list[i]);
	if (o->nselections == 0)
		tell_owners(&r);
	resend_free(r.resend);
	helper_end(config);
	return failure_status(r.gravest);
}

/* NULL, or why the configuration cannot be used; a store is there anyhow. */
static const struct failure *
load(const struct options *o, const struct caller *c, struct config *config)
{
	struct failure why;
	bool ok = accounts_load(config, o, c, &why);

	accounts_log(NULL, o);
	return ok ? NULL : failure_keep(&why, config->pool);
}

/*
 * A process of its own, 0 in it.  *fd is a pipe whose other end it has, which
 * wait_for() wants.
 */
static pid_t
begin(int *fd)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	*fd = ends[0];
	if (pid != 0)
		(void)close(ends[1]);
	if (pid < 0)
		(void)close(ends[0]);
	return pid;
}

/*
 * Its end of the pipe tells at once; but somebody else may have that, too: we,
 * when it could not be closed, or what the child has left behind.  Then a
 * second is soon enough.
 */
static bool
has_ended(pid_t pid, int fd, int seconds, int *status)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	milliseconds end = clock_now() + (milliseconds)seconds * 1000, next;
	int closed;
	pid_t ended;

	do {
		next = clock_now() + 1000;
		closed = signals_poll(&pfd, 1, next < end ? next : end);
		ended = waitpid(pid, status, closed > 0 ? 0 : WNOHANG);
	} while (ended == 0 && closed >= 0 && clock_now() < end);
	return ended != 0;
}

/*
 * Others wait for their turn, and the owner can make this one last (by a
 * server, by SIGSTOP), so it has an end; a run may be cut off at any time.
 */
static int
wait_for(pid_t pid, int fd)
{
	int status = -1;

	if (pid < 0)
		return failure_status(FAILURE_LOCAL);
	if (!has_ended(pid, fd, OWNER_SECONDS, &status)) {
		(void)kill(pid, SIGTERM);
		if (!has_ended(pid, fd, GRACE_SECONDS, &status)) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
		}
	}
	(void)close(fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    failure_status(FAILURE_LOCAL);
}

/* One's own accounts and handed ones, which may not see each other. */
static int
run_both(const struct options *o, const struct caller *c,
    struct config *config, const char *program, const struct found *found)
{
	struct failure why;
	int fd = -1, status, own;
	pid_t pid = begin(&fd);
	size_t i;

	if (pid == 0) {
		handed_end(config);
		_exit(run_own(o, c, config, program, NULL, found));
	}
	own = wait_for(pid, fd);
	for (i = 0; !config->accounts[i].handed; i++)
		;
	(void)handed_use(config, &config->accounts[i], &why);
	status = run_own(o, c, config, program, NULL, found);
	return status != 0 ? status : own;
}

/*
 * Could the file be one that is named, or in the folder?  Only its name is
 * known, which is id.
 */
static bool
may_be_named(const struct unread *u, const struct options *o)
{
	const char *id = strrchr(u->path, '/') + 1;
	const struct selection *which;
	bool by_id = false;
	size_t i;

	for (i = 0; i < o->nselections; i++) {
		which = &o->selections[i];
		if (which->what != '=' && which->what != 'I')
			continue;
		if (which->turned || (which->what == 'I' ? holds(id,
		    which->text) : strcmp(id, which->text) == 0))
			return true;
		by_id = true;
	}
	return !by_id || u->folder;
}

/* To a person each time, who looks on or has named messages. */
static int
tell_unread(const struct options *o, const struct caller *c,
    struct unreads *u, const char *program, struct pool *pool)
{
	size_t i, n = 0;

	for (i = 0; i < u->n; i++)
		if (may_be_named(&u->list[i], o))
			u->list[n++] = u->list[i];
	u->n = n;
	return o->nselections > 0 || c->stderr_terminal ?
	    damage_tell(u, program) : damage_tell_once(u, c, program, pool);
}

static int
run_all(const struct options *o, const struct caller *c,
    struct config *config, const char *program, const struct failure *broken)
{
	struct unreads unreads = { 0 };
	struct found found;
	int unread, status;

	found.list = store_list(config, c, options_setting(o, "keep"), false,
	    config->pool, &found.n, &unreads);
	unread = tell_unread(o, c, &unreads, program, config->pool);
	status = broken == NULL && handed_are_mixed(config) ?
	    run_both(o, c, config, program, &found) :
	    run_own(o, c, config, program, broken, &found);
	return status != 0 ? status : unread;
}

/*
 * As the owner, with the owner's configuration, and without root's terminal.
 * The system's is handed on when the owner may not read it.
 */
static int
be_owner(uid_t uid, const struct options *o, const char *program,
    struct privilege *handed)
{
	struct config config = { .pool = pool_new(), .handed = handed };
	struct caller caller;
	struct failure why;
	int status;

	(void)setsid();
	if (!caller_become(&caller, uid, config.pool, &why)) {
		log_note(LEVEL_ERROR, "%s", why.text);
		return failure_status(why.kind);
	}
	status = run_all(o, &caller, &config, program,
	    load(o, &caller, &config));
	config_forget_all(&config);
	return status;
}

/* Root has read nothing of its own yet: this process can be the owner's. */
static int
run_owners(const struct options *o, const char *program)
{
	struct pool *pool = pool_new();
	struct privilege handed;
	uid_t *owners;
	size_t n, i;
	int fd = -1, one, status = 0;
	pid_t pid;

	accounts_log(NULL, o);
	owners = store_owners(pool, &n);
	if (n > 0)
		privilege_read(&handed);
	for (i = 0; i < n && signals_caught() == 0; i++) {
		pid = begin(&fd);
		if (pid == 0)
			_exit(be_owner(owners[i], o, program, &handed));
		one = wait_for(pid, fd);
		status = one != 0 ? one : status;
	}
	if (n > 0)
		privilege_end(&handed);
	pool_free(pool);
	return status;
}

/*
 * The messages that are named, before any of them is gone; in a process of its
 * own, or what becomes the owners' would have root's configuration.
 */
static int
check_names(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	struct failure why;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)load(o, c, config);
		_exit(are_there(o, c, config, &why) ? 0 :
		    report_failure(program, &why));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		(void)fail_errno(&why, FAILURE_LOCAL, "no other process");
		return report_failure(program, &why);
	}
	return WEXITSTATUS(status);
}

/* Our own come last: nobody else can be become in the sandbox. */
static int
run_everyone(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	const struct failure *broken;
	int status = 0, others;

	if (o->nselections > 0)
		status = check_names(o, c, config, program);
	if (status != 0)
		return status;
	others = run_owners(o, program);
	broken = load(o, c, config);
	status = run_all(o, c, config, program, broken);
	return others != 0 ? others : status;
}

int
queue_run(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	const struct failure *broken;
	struct failure why;

	if (c->uid == 0)
		return run_everyone(o, c, config, program);
	broken = load(o, c, config);
	if (!are_there(o, c, config, &why))
		return report_failure(program, &why);
	return run_all(o, c, config, program, broken);
}
