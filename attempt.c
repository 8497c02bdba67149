#include "attempt.h"
#include "keep.h"
#include "log.h"
#include "path.h"
#include "resolve.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct way *
way_to(struct ways *r, const struct account *a)
{
	struct way *w;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->list[i]->account == a)
			return r->list[i];
	w = pool_alloc(r->config->pool, sizeof *w);
	w->account = a;
	r->list = pool_grow(r->config->pool, r->list, &r->n,
	    sizeof *r->list);
	r->list[r->n - 1] = w;
	return w;
}

/* --- the file, ours alone ------------------------------------------------- */

static bool
cannot(struct failure *why, const char *path, const char *what)
{
	return fail(why, FAILURE_LOCAL, "%s: %s", path, what);
}

/* What could not be removed after it was sent would be sent again. */
static bool
may_remove(const char *path, struct pool *pool)
{
	char *folder = pool_string(pool, path);

	*strrchr(folder, '/') = '\0';
	return access(folder, W_OK | X_OK) == 0;
}

/* *gone: a run beside this one has sent it since it was listed. */
bool
attempt_claim(struct attempt *a, bool *gone, struct failure *why)
{
	const char *path = a->stored.path;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st = { 0 };
	bool ok = false;

	*gone = fd < 0 && errno == ENOENT;
	if (fd < 0 || fstat(fd, &st) != 0 || !may_remove(path, a->pool))
		(void)cannot(why, path, strerror(errno));
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		a->busy = !cannot(why, path, "another run is sending it");
	else if (fstat(fd, &st) == 0 && st.st_nlink == 0)
		*gone = true;
	else
		ok = true;
	if (ok)
		a->f = fdopen(fd, "r+");
	else if (fd >= 0)
		(void)close(fd);
	return ok;
}

/* A file that was cut short does not end like this. */
static bool
is_whole(const struct attempt *a)
{
	static const char end[] = "\r\n.\r\nQUIT\r\n";
	char text[sizeof end - 1];
	off_t at = (off_t)(a->stored.size - sizeof text);

	return a->stored.size > sizeof text && pread(fileno(a->f), text,
	    sizeof text, at) == (ssize_t)sizeof text &&
	    memcmp(text, end, sizeof text) == 0;
}

static bool
damaged(struct attempt *a, const char *how, struct failure *why)
{
	a->damaged = true;
	return fail(why, FAILURE_MESSAGE, "%s is damaged (%s) and is not sent; "
	    "read what is left of it, send that anew, and delete the file",
	    a->stored.path, how);
}

/* The data as they were before the dots were doubled. */
static bool
read_message(struct attempt *a, struct failure *why)
{
	struct input in = { .fd = fileno(a->f) };
	bool ok;

	if (!is_whole(a))
		return damaged(a, "it has no end", why);
	if (lseek(in.fd, (off_t)a->stored.data, SEEK_SET) < 0)
		return fail_errno(why, FAILURE_LOCAL, "%s", a->stored.path);
	ok = message_read(&in, true, a->ways->caller->temporary, a->pool,
	    &a->message, why);
	buffer_free(&in.octets);
	return ok;
}

/* --- the lots ------------------------------------------------------------- */

static bool
terms_over(const struct terms *t, struct failure *why)
{
	(void)fail(why, FAILURE_REFUSED, "the message was to be returned "
	    "%ld seconds ago (--deliver-by) and is not sent any more (5.4.7)",
	    -t->by);
	(void)strcpy(why->enhanced, "5.4.7");
	why->of_mail = true;		/* no other day mends it */
	return false;
}

/*
 * Its time has run on since it was kept.  What the account asks for is in it
 * already, unless it was kept without one.
 */
static bool
set_terms(const struct attempt *a, const struct planning *g, struct leg *l,
    struct failure *why)
{
	const struct record *r = &a->stored.record;
	struct terms *t = &l->envelope.terms;
	time_t now = time(NULL);

	if (r->account == NULL && !plan_terms(g, l, why))
		return false;
	terms_prefer(t, &a->mail.terms);
	t->since = r->created != 0 ? r->created : now;
	return terms_count_from(t, now) || terms_over(t, why);
}

static void
begin_lot(struct attempt *a, struct lot *l, const struct account *account)
{
	const struct planning g = { .options = &a->asked,
	    .message = a->message, .caller = a->ways->caller, .pool = a->pool };
	struct envelope *e = &l->leg.envelope;

	l->leg.account = account;
	e->ret = a->mail.ret;
	e->envid = a->mail.envid;
	e->smtputf8_always = a->mail.smtputf8;
	e->requiretls = a->mail.requiretls || a->ways->options->require_tls ||
	    strcmp(config_value(account, SET_REQUIRE_TLS), "yes") == 0;
	l->way = way_to(a->ways, account);
	l->errand = (struct errand){ .leg = &l->leg, .message = a->message,
	    .session = &l->way->session, .more_follow = true,
	    .pool = a->pool, .session_pool = a->ways->config->pool };
	l->in_trouble = !plan_sender(&g, &l->leg, &l->trouble) ||
	    !set_terms(a, &g, &l->leg, &l->trouble);
	plan_header(&g, &l->leg);
}

static struct lot *
lot_of(struct attempt *a, const struct account *account)
{
	struct lot *l;
	size_t i;

	for (i = 0; i < a->nlots; i++)
		if (a->lots[i]->leg.account == account)
			return a->lots[i];
	l = pool_alloc(a->pool, sizeof *l);
	a->lots = pool_grow(a->pool, a->lots, &a->nlots, sizeof *a->lots);
	a->lots[a->nlots - 1] = l;
	begin_lot(a, l, account);
	return l;
}

/* One who is behind RCPT number i. */
static void
add(struct attempt *a, size_t i, const struct recipient *who)
{
	struct lot *l = lot_of(a, accounts_of_recipient(a->ways->config,
	    &a->choice, who->path));
	struct envelope *e = &l->leg.envelope;
	size_t n = e->n;

	e->recipients = pool_grow(a->pool, e->recipients, &e->n,
	    sizeof *e->recipients);
	e->recipients[n] = *who;
	l->leg.whole = pool_grow(a->pool, l->leg.whole, &n,
	    sizeof *l->leg.whole);
	l->leg.whole[n - 1] = i;
	a->members[i]++;
}

static struct recipient
recipient(const struct attempt *a, const struct mailbox *m,
    const struct rcpt_command *c)
{
	struct recipient who = { .path = path_of(m, a->pool),
	    .key = path_key(m, a->pool), .notify = c->notify,
	    .orcpt = c->orcpt, .orcpt_given = c->orcpt != NULL };

	who.utf8 = utf8_beyond_ascii(who.path);
	return who;
}

/* Who is behind another RCPT alone, too, gets one copy and is done with it. */
static bool
is_twin(struct attempt *a, size_t i, const char *key)
{
	if (keys_find(&a->named, key, &a->twin[i]))
		return true;
	keys_add(&a->named, key, i, a->pool);
	return false;
}

/* Whom a RCPT of the file stands for; who cannot be told keeps its place. */
static bool
add_rcpt(struct attempt *a, struct resolver *resolver, size_t i,
    struct failure *why)
{
	struct rcpt_command c;
	struct recipient who;
	struct mailbox *list = NULL;
	struct failure trouble;
	size_t n = 0, j;

	if (!command_rcpt(a->stored.rcpt[i], &c, a->pool, why))
		return false;
	a->twin[i] = i;
	(void)fail(&trouble, FAILURE_CONFIG, "nobody is behind %s",
	    a->stored.recipients[i]);
	if (!resolve_mailbox(resolver, &c.to, &list, &n, &trouble))
		n = 0;
	if (n == 0) {
		who = recipient(a, &c.to, &c);
		who.trouble = failure_keep(&trouble, a->pool);
		add(a, i, &who);
	}
	for (j = 0; j < n; j++) {
		who = recipient(a, &list[j], &c);
		if (n > 1 || !is_twin(a, i, who.key))
			add(a, i, &who);
	}
	return true;
}

static bool
choose(struct attempt *a, struct failure *why)
{
	const struct account *own = accounts_named(a->ways->config,
	    a->stored.record.account);
	const char *sender;

	if (!command_mail(a->stored.mail, &a->mail, a->pool, why))
		return false;
	sender = path_of(&a->mail.sender, a->pool);
	a->asked = *a->ways->options;
	a->asked.sender = *sender != '\0' ? sender : "<>";
	if (a->asked.account == NULL && own != NULL)
		a->asked.account = own->name;
	return accounts_choose(a->ways->config, &a->asked,
	    a->mail.sender.domain != NULL ? sender : NULL, &a->choice, why);
}

static bool
make_lots(struct attempt *a, struct failure *why)
{
	struct resolver resolver;
	size_t i, n = a->stored.n;

	if (n == 0)
		return damaged(a, "it has no recipients", why);
	a->members = pool_array(a->pool, n, sizeof *a->members);
	a->got = pool_array(a->pool, n, sizeof *a->got);
	a->struck = pool_array(a->pool, n, sizeof *a->struck);
	a->twin = pool_array(a->pool, n, sizeof *a->twin);
	a->gone = pool_array(a->pool, n, sizeof *a->gone);
	if (!choose(a, why))
		return false;
	accounts_log(a->choice.account, a->ways->options);
	resolve_init(&resolver, a->choice.account, a->ways->caller,
	    a->ways->options->no_aliases, a->pool);
	for (i = 0; i < n; i++)
		if (!add_rcpt(a, &resolver, i, why))
			return false;
	return true;
}

/* --- what the file says meanwhile ----------------------------------------- */

bool
attempt_settle(struct attempt *a, struct failure *why)
{
	return keep_settle(fileno(a->f), &a->stored.record, a->pool, why);
}

/* The server may have all of it from here on: nobody knows until it says. */
static bool
before(void *context, struct failure *why)
{
	struct attempt *a = context;

	a->stored.record.state = "unknown";
	a->stored.record.reason = "an attempt was cut off when the server may "
	    "have had all of it";
	return attempt_settle(a, why);
}

static void
count(struct attempt *a)
{
	struct lot *l = a->now;
	size_t i;

	for (i = 0; i < l->leg.envelope.n; i++) {
		if (l->counted[i] ||
		    l->errand.outcome.results[i].verdict != VERDICT_SENT)
			continue;
		l->counted[i] = true;
		a->got[l->leg.whole[i]]++;
	}
}

bool
attempt_is_done(const struct attempt *a, size_t i)
{
	i = a->twin[i];
	return a->got[i] == a->members[i];
}

/* What another account's server has of it may be unknown, too. */
static bool
any_unknown(const struct attempt *a)
{
	size_t i;

	for (i = 0; i < a->nlots; i++)
		if (outcome_count(&a->lots[i]->errand.outcome,
		    VERDICT_UNKNOWN) > 0)
			return true;
	return false;
}

static bool
all_done(const struct attempt *a)
{
	size_t i;

	for (i = 0; i < a->stored.n; i++)
		if (!attempt_is_done(a, i))
			return false;
	return true;
}

static bool
strike(struct attempt *a, struct failure *why)
{
	size_t i, n = 0;

	for (i = 0; i < a->stored.n; i++) {
		if (a->struck[i] || !attempt_is_done(a, i))
			continue;
		a->gone[n++] = a->stored.at[i];
		a->struck[i] = true;
	}
	return keep_strike(fileno(a->f), a->gone, n, why);
}

/*
 * Whoever has it is never sent to again: RCPT becomes NOOP, and only then is
 * the state what it was.  When that cannot be written it stays "unknown".
 */
static void
after(void *context)
{
	struct attempt *a = context;
	struct failure why;

	count(a);
	if (all_done(a) || a->spoilt)
		return;			/* the file goes, or stays as it is */
	a->spoilt = !strike(a, &why);
	if (!a->spoilt && !any_unknown(a)) {
		a->stored.record.state = a->state;
		a->stored.record.reason = a->reason;
	}
	if (!a->spoilt)
		a->spoilt = !attempt_settle(a, &why);
	if (a->spoilt)
		log_note(LEVEL_ERROR, "%s: %s", a->stored.path, why.text);
}

/*
 * A server that is down, or refuses the login, is not asked again for each
 * message: that costs minutes, or the account.
 */
void
way_go(const struct ways *ways, struct way *w, struct errand *e,
    const struct failure *trouble)
{
	struct failure closed;

	if (w->closed != NULL)
		failure_copy(&closed, w->closed);
	errand_do(e, ways->options, ways->caller, trouble != NULL ? trouble :
	    w->closed != NULL ? &closed : NULL);
	if (e->unreachable && outcome_gravest(&e->outcome) != NULL)
		w->closed = failure_keep(outcome_gravest(&e->outcome),
		    ways->config->pool);
}

static void
gather(struct attempt *a)
{
	const struct outcome *o;
	size_t i, j, n = 0;

	for (i = 0; i < a->nlots; i++)
		n += a->lots[i]->leg.envelope.n;
	outcome_init(&a->all, n, a->pool);
	for (i = 0, n = 0; i < a->nlots; i++) {
		o = &a->lots[i]->errand.outcome;
		for (j = 0; j < o->n; j++)
			outcome_copy(&a->all, n++, &o->results[j]);
	}
}

void
attempt_send(struct attempt *a)
{
	const struct watch watch = { .before = before, .after = after,
	    .context = a };
	size_t i;

	a->state = a->stored.record.state;
	a->reason = a->stored.record.reason;
	a->stored.record.attempts++;
	a->stored.record.tried = time(NULL);
	for (i = 0; i < a->nlots; i++) {
		a->now = a->lots[i];
		a->now->counted = pool_array(a->pool,
		    a->now->leg.envelope.n, sizeof *a->now->counted);
		a->now->errand.watch = &watch;
		way_go(a->ways, a->now->way, &a->now->errand,
		    a->now->in_trouble ? &a->now->trouble : NULL);
	}
	gather(a);
}

bool
attempt_read_envelope(struct attempt *a, struct failure *why)
{
	return store_read_open(a->f, &a->stored, a->pool, why);
}

bool
attempt_read(struct attempt *a, struct failure *why)
{
	return attempt_read_envelope(a, why) && read_message(a, why) &&
	    make_lots(a, why);
}

void
attempt_end(struct attempt *a)
{
	if (a->f != NULL)
		(void)fclose(a->f);
	message_free(a->message);
	keys_free(&a->named);
	pool_free(a->pool);
}
