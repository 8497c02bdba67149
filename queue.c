#define _GNU_SOURCE			/* pipe2() */
#include "queue.h"
#include "accounts.h"
#include "confine.h"
#include "helper.h"
#include "log.h"
#include "path.h"
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

/* Who was not told yet, by this run or one before it. */
static void
tell_owners(struct run *r)
{
	struct stored *list;
	size_t n, i;

	list = store_list(r->config, r->caller, false,
	    r->config->pool, &n);
	for (i = 0; i < n && signals_caught() == 0; i++)
		if (list[i].record.untold)
			resend_tell(r->resend, &list[i]);
}

/* Once, and not for each message. */
static int
complain(const char *program, const struct failure *why)
{
	(void)fprintf(stderr, "%s: %s\n", program, why->text);
	return failure_status(why->kind);
}

/* Whoever names one by its whole id means one that there is. */
static bool
are_there(const struct options *o, const struct caller *c,
    struct config *config, struct failure *why)
{
	struct stored *list;
	size_t n, i, j;

	for (i = 0; i < o->nselections; i++) {
		if (o->selections[i].what != '=')
			continue;
		list = store_list(config, c, true, config->pool, &n);
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

static int
run_own(const struct options *o, const struct caller *c,
    struct config *config, const char *program, const struct failure *broken)
{
	struct run r = { .options = o, .caller = c, .config = config,
	    .program = program, .gravest = FAILURE_NONE };
	struct stored *list;
	size_t n, i;

	list = store_list(config, c, false, config->pool, &n);
	if (broken != NULL && o->nselections == 0 && n > 0)
		return complain(program, broken);
	if (n == 0)
		return failure_status(FAILURE_NONE);
	if (broken == NULL)
		confine_all(o, c, config);
	r.resend = resend_new(o, c, config, broken);
	for (i = 0; i < n && signals_caught() == 0; i++)
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

/* As the owner, with the owner's configuration, and without root's terminal. */
static int
be_owner(uid_t uid, const struct options *o, const char *program)
{
	struct config config = { .pool = pool_new() };
	struct caller caller;
	struct failure why;

	(void)setsid();
	if (!caller_become(&caller, uid, config.pool, &why)) {
		log_note(LEVEL_ERROR, "%s", why.text);
		return failure_status(why.kind);
	}
	return run_own(o, &caller, &config, program, load(o, &caller, &config));
}

/*
 * Until the child has closed its end of the pipe.  Others wait for their turn,
 * and the owner can make this one last (by a server, by SIGSTOP), so it has an
 * end; a run may be cut off at any time.
 */
static int
wait_for(pid_t pid, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int status = 0;

	if (signals_poll(&pfd, 1, clock_now() + OWNER_SECONDS * 1000) <= 0) {
		(void)kill(pid, SIGTERM);
		if (signals_poll(&pfd, 1, clock_now() +
		    GRACE_SECONDS * 1000) <= 0)
			(void)kill(pid, SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return failure_status(FAILURE_LOCAL);
	return WEXITSTATUS(status);
}

/* In a process of its own. */
static int
run_as(uid_t uid, const struct options *o, const char *program)
{
	int ends[2], status = failure_status(FAILURE_LOCAL);
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return status;
	pid = fork();
	if (pid == 0)
		_exit(be_owner(uid, o, program));
	(void)close(ends[1]);
	if (pid > 0)
		status = wait_for(pid, ends[0]);
	(void)close(ends[0]);
	return status;
}

static int
run_owners(const struct options *o, struct pool *pool, const char *program)
{
	uid_t *owners;
	size_t n, i;
	int status = 0, one;

	owners = store_owners(pool, &n);
	for (i = 0; i < n && signals_caught() == 0; i++) {
		one = run_as(owners[i], o, program);
		if (one != 0)
			status = one;
	}
	return status;
}

/* Our own come last: nobody else can be become in the sandbox. */
int
queue_run(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	const struct failure *broken = load(o, c, config);
	struct failure why;
	int others = 0, status;

	if (!are_there(o, c, config, &why))
		return complain(program, &why);
	if (c->uid == 0)
		others = run_owners(o, config->pool, program);
	status = run_own(o, c, config, program, broken);
	return others != 0 ? others : status;
}
