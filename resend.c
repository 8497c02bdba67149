#include "resend.h"
#include "accounts.h"
#include "attempt.h"
#include "due.h"
#include "keep.h"
#include "limit.h"
#include "log.h"
#include "notice.h"
#include "remains.h"
#include "report.h"
#include "utf8.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

struct resend {
	struct ways ways;
	const struct failure *broken;
};

struct resend *
resend_new(const struct options *o, const struct caller *c,
    struct config *config, const struct failure *broken)
{
	struct resend *r = pool_alloc(config->pool, sizeof *r);

	r->ways = (struct ways){ .options = o, .caller = c,
	    .config = config };
	r->broken = broken;
	return r;
}

void
resend_free(struct resend *r)
{
	size_t i;

	for (i = 0; r != NULL && i < r->ways.n; i++)
		session_end(&r->ways.list[i]->session);
}

/* --- whose turn it is ----------------------------------------------------- */

static bool
is_time(const struct resend *r, const struct account *a,
    const struct record *record)
{
	bool locked;

	return due_in(r->ways.config, a, record, time(NULL), &locked) == 0;
}

bool
resend_is_due(const struct resend *r, const struct stored *s)
{
	const struct account *a = accounts_named(r->ways.config,
	    s->record.account);

	return a == NULL || limit_is_over(a, s->record.created) ||
	    is_time(r, a, &s->record);
}

/* One line in the log for each account's part. */
static void
tell_log(const struct attempt *a)
{
	const struct field *id = message_field(a->message, "Message-ID");
	struct plan plan = { .id = a->stored.record.id,
	    .message_id = id == NULL ? NULL : field_value(id, a->pool),
	    .account = a->choice.account };
	struct report_leg leg = { 0 };
	struct report told = { .plan = &plan, .legs = &leg, .nlegs = 1,
	    .octets = message_size(a->message), .silent = true,
	    .total_ms = clock_now() - a->begun };
	size_t i;

	for (i = 0; i < a->nlots; i++) {
		leg.leg = &a->lots[i]->leg;
		leg.outcome = &a->lots[i]->errand.outcome;
		leg.session = a->lots[i]->errand.session;
		told.outcome = leg.outcome;
		report_result(&told, a->pool);
	}
}

/* A run beside this one may have been quicker. */
static bool
is_as_listed(struct attempt *a, const struct stored *s, struct failure *why)
{
	const struct record *now = &a->stored.record, *then = &s->record;

	a->busy = now->attempts != then->attempts ||
	    strcmp(now->state, then->state) != 0;
	return !a->busy || fail(why, FAILURE_LOCAL, "%s: another run has "
	    "tried it", s->path);
}

/* Once: a timer would find it as it is each time. */
static const char *
hold(struct attempt *a, const struct failure *why)
{
	struct record *r = &a->stored.record;
	struct failure store;

	r->state = "held";
	r->untold = true;
	r->tried = time(NULL);
	r->next = 0;
	r->locked_out = false;
	r->status = failure_status(why->kind);
	r->reason = why->text;
	return attempt_settle(a, &store) ? r->state : NULL;
}

static bool
attempt(struct attempt *a, const struct stored *s, const char **state,
    struct failure *why)
{
	const struct failure *told;
	struct failure store;

	if (!attempt_read(a, why)) {
		*state = s->record.state;
		if (a->damaged && is_as_listed(a, s, &store) &&
		    strcmp(*state, "queued") == 0)
			*state = hold(a, why);
		return false;
	}
	if (!is_as_listed(a, s, why))
		return false;
	attempt_send(a);
	tell_log(a);
	told = remains_reason(a);
	if (told != NULL)
		failure_copy(why, told);
	if (!remains_settle(a, state, &store)) {
		*why = store;
		*state = NULL;
		return false;
	}
	return told == NULL;
}

bool
resend_try(struct resend *r, const struct stored *s, const char **state,
    struct failure *why)
{
	struct attempt a = { .ways = &r->ways, .pool = pool_new(),
	    .begun = clock_now(), .stored = { .path = s->path } };
	bool gone = false, ok;

	*state = NULL;
	if (r->broken != NULL)
		ok = fail(why, r->broken->kind, "%s", r->broken->text);
	else if (!attempt_claim(&a, &gone, why))
		ok = gone;
	else
		ok = attempt(&a, s, state, why);
	if (a.busy)
		*state = s->record.state;
	attempt_end(&a);
	return ok;
}

void
resend_expire(struct resend *r, const struct stored *s)
{
	const struct record *record = &s->record;
	struct attempt a = { .ways = &r->ways, .pool = pool_new(),
	    .stored = { .path = s->path } };
	const struct account *account = accounts_named(r->ways.config,
	    record->account);
	struct failure ignored;
	bool gone;

	if (limit_is_over(account, record->tried) &&
	    attempt_claim(&a, &gone, &ignored) &&
	    attempt_read_envelope(&a, &ignored) &&
	    is_as_listed(&a, s, &ignored) && unlink(s->path) == 0) {
		accounts_log(account, r->ways.options);
		log_note(LEVEL_WARNING, "the kept message %s (%s) is deleted: "
		    "nobody has asked for it in time (retry-for)", record->id,
		    record->state);
	}
	attempt_end(&a);
}

/* A mail from and to the account's address.  NULL: it is sent. */
static const struct failure *
send_notice(struct attempt *a, const struct account *account)
{
	struct way *way = way_to(a->ways, account);
	const char *address = account->values[SET_FROM];
	struct recipient who = { .path = address, .key = address,
	    .utf8 = utf8_beyond_ascii(address), .notify = "NEVER" };
	struct leg leg = { .account = account, .prologue = "", .envelope = {
	    .sender = "", .recipients = &who, .n = 1 } };
	struct errand e = { .leg = &leg, .more_follow = true,
	    .session = &way->session, .pool = a->pool,
	    .session_pool = a->ways->config->pool };
	struct failure why;
	struct input in;
	bool ok;

	leg.envelope.requiretls =
	    strcmp(config_value(account, SET_REQUIRE_TLS), "yes") == 0;
	notice_make(&in, &a->stored, address, a->pool);
	ok = message_read(&in, false, a->ways->caller->temporary, a->pool,
	    &a->message, &why);
	buffer_free(&in.octets);
	if (!ok)
		return failure_keep(&why, a->pool);
	e.message = a->message;
	way_go(a->ways, way, &e, NULL);
	return outcome_gravest(&e.outcome);
}

/* What heals is tried again, in its time; why: of the notice, or NULL. */
static void
note_notice(struct record *r, const struct failure *why)
{
	time_t now = time(NULL);

	r->untold = why != NULL && why->kind != FAILURE_UNKNOWN &&
	    (failure_is_temporary(why->kind) || !why->of_mail);
	r->next = r->untold ? keep_next(r->attempts + 1, now) : 0;
	r->locked_out = r->untold && why->kind == FAILURE_AUTH;
	if (r->locked_out)
		r->tried = now;
}

void
resend_tell(struct resend *r, const struct stored *s)
{
	const struct account *account = accounts_named(r->ways.config,
	    s->record.account);
	struct attempt a = { .ways = &r->ways, .pool = pool_new(),
	    .stored = { .path = s->path } };
	struct failure why;
	bool gone;

	if (account != NULL && account->values[SET_FROM] != NULL &&
	    strcmp(config_value(account, SET_NOTIFY), "yes") == 0 &&
	    attempt_claim(&a, &gone, &why) &&
	    attempt_read_envelope(&a, &why) &&
	    a.stored.record.untold && is_time(r, account, &a.stored.record)) {
		note_notice(&a.stored.record, send_notice(&a, account));
		if (!attempt_settle(&a, &why))
			log_note(LEVEL_ERROR, "%s", why.text);
	}
	attempt_end(&a);
}
