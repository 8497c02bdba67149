#include "plan.h"
#include "address.h"
#include "crypto.h"
#include "log.h"
#include "path.h"
#include "people.h"
#include "rewrite.h"
#include "utf8.h"

#include <string.h>
#include <strings.h>
#include <time.h>

const char *
plan_header_sender(const struct message *m, struct pool *pool)
{
	const struct field *f = message_field(m, "From");
	struct failure ignored;
	struct mailbox *list;
	size_t n;

	if (f == NULL || !address_list(field_value(f, pool), pool, &list, &n,
	    &ignored) || n == 0 || list[0].domain == NULL)
		return NULL;
	return path_of(&list[0], pool);
}

/* Time and chance: sorts by age, never twice the same. */
const char *
plan_id(struct pool *pool)
{
	unsigned char octets[6];
	char hex[2 * sizeof octets + 1], stamp[32];
	time_t now = time(NULL);
	struct tm tm = { 0 };

	(void)gmtime_r(&now, &tm);
	(void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	crypto_random(octets, sizeof octets);
	crypto_hex(hex, octets, sizeof octets);
	return pool_printf(pool, "%s-%s", stamp, hex);
}

/* "" and "<>" are the null sender; of -f the account may allow some only. */
static bool
is_allowed(const struct account *a, const char *path, struct pool *pool)
{
	const char *patterns = a->values[SET_ALLOW_FROM];

	return *path == '\0' || patterns == NULL ||
	    path_matches_any(patterns, path, pool);
}

/*
 * The address of the account, or of the caller at this host when there is no
 * account that has one.
 */
static bool
own_address(const struct planning *g, const struct account *a,
    struct mailbox *m, struct failure *why)
{
	const struct caller *c = g->caller;
	const char *from = a != NULL ? a->values[SET_FROM] : NULL;

	if (from == NULL)
		from = pool_printf(g->pool, "%s@%s", c->login,
		    c->fqdn != NULL ? c->fqdn : c->hostname);
	return address_sender(from, g->pool, m, why);
}

/* The sender that -f has asked for: may it be, and is it the account's? */
static void
judge_sender(const struct planning *g, struct leg *l)
{
	if (!is_allowed(l->account, l->envelope.sender, g->pool)) {
		log_note(LEVEL_WARNING, "allow-from of %s has no pattern for "
		    "<%s>; the sender is <%s>", l->account->called,
		    l->envelope.sender, l->from);
		l->envelope.sender = l->from;
	} else if (l->account->values[SET_FROM] == NULL &&
	    *l->envelope.sender != '\0') {
		l->from = l->envelope.sender;
	}
}

/*
 * -f or the account's address.  A -f of this host's own names is what a
 * program made up (mailutils), and nobody's wish.
 */
bool
plan_sender(const struct planning *g, struct leg *l, struct failure *why)
{
	const char *asked = g->options->sender;
	struct resolver local;
	struct mailbox own, m;

	if (!own_address(g, l->account, &own, why))
		return false;
	m = own;
	if (asked != NULL && !address_sender(asked, g->pool, &m, why))
		return fail(why, why->kind, "-f: %s", why->text);
	resolve_init(&local, l->account, g->caller, false, g->pool);
	if ((*m.local != '\0' || m.domain != NULL) &&
	    resolve_is_local(&local, &m))
		m = own;
	l->envelope.sender = path_of(&m, g->pool);
	l->from = path_of(&own, g->pool);
	if (l->account != NULL && asked != NULL)
		judge_sender(g, l);
	l->envelope.sender_utf8 = utf8_beyond_ascii(l->envelope.sender);
	return true;
}

static const char *
from_field(const struct planning *g, const struct leg *l)
{
	const char *name = g->options->full_name;

	if (name == NULL && l->account != NULL)
		name = l->account->values[SET_NAME];
	if (name == NULL)
		name = g->caller->full_name;
	if (name == NULL)
		return pool_printf(g->pool, "From: %s\r\n", l->from);
	return pool_printf(g->pool, "From: %s <%s>\r\n",
	    header_phrase(name, g->pool), l->from);
}

/* What is missing is put on top (RFC 5322 section 3.6, RFC 6409 section 8). */
static void
prologue(const struct planning *g, struct leg *l)
{
	const struct message *m = g->message;
	const char *text = "";

	if (g->date != NULL)
		text = pool_printf(g->pool, "Date: %s\r\n", g->date);
	if (g->message_id != NULL)
		text = pool_printf(g->pool, "%sMessage-ID: %s\r\n", text,
		    g->message_id);
	if (message_field(m, "From") == NULL)
		text = pool_printf(g->pool, "%s%s", text, from_field(g, l));
	if (message_field(m, "To") == NULL && message_field(m, "Cc") == NULL)
		text = pool_printf(g->pool, "%sTo: "
		    "undisclosed-recipients:;\r\n", text);
	if (!l->envelope.requiretls && l->account != NULL &&
	    strcmp(config_value(l->account, SET_REQUIRE_TLS), "no") == 0 &&
	    message_field(m, "TLS-Required") == NULL)
		text = pool_printf(g->pool, "%sTLS-Required: No\r\n", text);
	l->prologue = text;
}

void
plan_header(const struct planning *g, struct leg *l)
{
	struct resolver local;
	struct rewriting w = { .resolver = &local, .from = "never",
	    .address = l->from, .full_name = g->options->full_name };

	if (l->account != NULL && l->account->values[SET_FROM] != NULL)
		w.from = config_value(l->account, SET_REWRITE_FROM);
	resolve_init(&local, l->account, g->caller, false, g->pool);
	l->instead = rewrite_fields(g->message, &w, g->pool);
	prologue(g, l);
}

/*
 * Where the terms are set: the account, or the command line alone when the
 * configuration is broken; it must not be forgotten in what is kept.
 */
static bool
terms_of(const struct planning *g, const struct account **a,
    struct failure *why)
{
	const struct override *list = g->options->overrides;
	struct account *made;
	enum setting s;
	size_t i;

	if (*a != NULL)
		return true;
	*a = made = pool_alloc(g->pool, sizeof *made);
	for (i = 0; i < g->options->noverrides; i++) {
		s = setting_find(list[i].name);
		if ((s == SET_DELIVER_BY || s == SET_HOLD_FOR ||
		    s == SET_PRIORITY) && !config_override(made, list[i].name,
		    list[i].value, g->pool, why))
			return false;
	}
	return true;
}

/* NULL: not set, or "none". */
static const char *
term(const struct account *a, enum setting s)
{
	const char *value = a->values[s];

	return value == NULL || strcasecmp(value, "none") == 0 ? NULL : value;
}

/* RFC 2852: what was not delivered in time is told by a DSN, if at all. */
static void
note_untold(const struct envelope *e)
{
	bool back = e->terms.by_mode == 'R';

	if (e->terms.by_mode != 0 && e->notify != NULL &&
	    strstr(e->notify, back ? "FAILURE" : "DELAY") == NULL)
		log_note(LEVEL_WARNING, "deliver-by wants a notice when the "
		    "message is %s, and -N %s wants none: nobody will be told",
		    back ? "returned" : "late", e->notify);
}

bool
plan_terms(const struct planning *g, struct leg *l, struct failure *why)
{
	struct terms *t = &l->envelope.terms;
	const struct account *a = l->account;
	const char *hold, *by, *priority;

	*t = (struct terms){ .since = time(NULL),
	    .hold_until = g->options->hold_until };
	if (t->hold_until != 0 && t->hold_until <= t->since)
		return fail(why, FAILURE_USAGE, "--hold-until: %s is past; "
		    "without it the message goes out at once",
		    terms_utc(t->hold_until, g->pool));
	if (!terms_of(g, &a, why))
		return false;
	hold = term(a, SET_HOLD_FOR);
	by = term(a, SET_DELIVER_BY);
	priority = term(a, SET_PRIORITY);
	if (hold != NULL && t->hold_until == 0)
		(void)terms_duration(hold, &t->hold_for);
	if (by != NULL)
		(void)terms_deliver_by(by, t);
	t->has_priority = priority != NULL &&
	    terms_priority(priority, &t->priority);
	note_untold(&l->envelope);
	return true;
}

/* Everything of the envelope but who gets it. */
static bool
leg(const struct planning *g, struct leg *l, struct failure *why)
{
	const struct options *o = g->options;
	struct envelope *e = &l->envelope;

	e->notify = o->notify;
	e->ret = o->ret;
	e->envid = o->envid == NULL ? NULL : path_xtext(o->envid, g->pool);
	e->requiretls = o->require_tls || (l->account != NULL &&
	    strcmp(config_value(l->account, SET_REQUIRE_TLS), "yes") == 0);
	e->smtputf8_always = o->smtputf8 == SMTPUTF8_ALWAYS;
	e->smtputf8_never = o->smtputf8 == SMTPUTF8_NEVER;
	if (!plan_terms(g, l, why) || !plan_sender(g, l, why))
		return false;
	plan_header(g, l);
	return true;
}

/* The leg of an account, begun when there is none. */
static struct leg *
leg_of(const struct planning *g, struct plan *p, const struct account *a,
    struct failure *why)
{
	size_t i;

	for (i = 0; i < p->nlegs; i++)
		if (p->legs[i].account == a)
			return &p->legs[i];
	p->legs = pool_grow(g->pool, p->legs, &p->nlegs, sizeof *p->legs);
	p->legs[i].account = a;
	return leg(g, &p->legs[i], why) ? &p->legs[i] : NULL;
}

/* A leg that is to have so many. */
static void
make_room(const struct planning *g, struct leg *l)
{
	l->envelope.recipients = pool_array(g->pool, l->envelope.n,
	    sizeof *l->envelope.recipients);
	l->whole = pool_array(g->pool, l->envelope.n, sizeof *l->whole);
	l->envelope.n = 0;
}

/* Each recipient goes by one account's server. */
static bool
divide(const struct planning *g, struct plan *p, const struct config *config,
    const struct choice *choice, struct failure *why)
{
	const struct people *people = &p->people;
	struct leg *l;
	size_t i;

	p->leg_of = pool_array(g->pool, people->n, sizeof (size_t));
	for (i = 0; i < people->n; i++) {
		l = leg_of(g, p, accounts_of_recipient(config, choice,
		    people->recipients[i].path), why);
		if (l == NULL)
			return false;
		p->leg_of[i] = (size_t)(l - p->legs);
		l->envelope.n++;
	}
	for (i = 0; i < p->nlegs; i++)
		make_room(g, &p->legs[i]);
	for (i = 0; i < people->n; i++) {
		l = &p->legs[p->leg_of[i]];
		l->whole[l->envelope.n] = i;
		l->envelope.recipients[l->envelope.n++] =
		    people->recipients[i];
	}
	return true;
}

/* In a Message-ID; one that has no A-labels cannot stand in every header. */
static const char *
id_domain(const struct planning *g, const struct account *a)
{
	const char *from = a != NULL ? a->values[SET_FROM] : NULL;
	const char *at = from != NULL ? strrchr(from, '@') : NULL;
	const char *domain = at != NULL ? path_ascii(at + 1, g->pool) : NULL;

	if (domain != NULL && !utf8_beyond_ascii(domain))
		return domain;
	return g->caller->fqdn != NULL ? g->caller->fqdn : g->caller->hostname;
}

const char *
plan_missing(struct planning *g, const struct account *a)
{
	const struct field *id = message_field(g->message, "Message-ID");

	if (message_field(g->message, "Date") == NULL)
		g->date = header_date(time(NULL), g->pool);
	if (id != NULL)
		return field_value(id, g->pool);
	g->message_id = header_message_id(id_domain(g, a), g->pool);
	return g->message_id;
}

bool
plan_make(struct plan *p, const struct config *config, const struct options *o,
    const struct message *m, const struct caller *c,
    const struct choice *choice, struct failure *why)
{
	struct planning g = { .options = o, .message = m, .caller = c,
	    .pool = config->pool };
	struct resolver resolver;

	*p = (struct plan){ .id = plan_id(g.pool), .account = choice->account };
	resolve_init(&resolver, choice->account, c, o->no_aliases, g.pool);
	p->message_id = plan_missing(&g, choice->account);
	if (!people_named(&p->people, o, m, &resolver, why) ||
	    !divide(&g, p, config, choice, why))
		return false;
	if (m->more_after_dot)
		log_note(LEVEL_WARNING, "what stood behind the line with a "
		    "lone dot was not read (-i reads on)");
	if (o->claims_7bit && m->body_8bit)
		log_note(LEVEL_WARNING, "the message is called 7BIT and has "
		    "8-bit content");
	if (o->ignored != NULL)
		log_note(LEVEL_INFO, "ignored on purpose: %s", o->ignored);
	return true;
}

bool
plan_session(struct plan *p, const struct config *config,
    const struct options *o, const struct message *m, const struct caller *c,
    const struct choice *choice, struct failure *why)
{
	struct planning g = { .options = o, .message = m, .caller = c,
	    .pool = config->pool };

	*p = (struct plan){ .id = plan_id(g.pool), .account = choice->account };
	p->message_id = plan_missing(&g, choice->account);
	return leg_of(&g, p, choice->account, why) != NULL;
}

bool
plan_choose(struct config *config, const struct options *o,
    const struct message *m, const struct caller *c, struct choice *choice,
    struct failure *why)
{
	const char *sender = o->sender;

	if (sender == NULL || *sender == '\0' || *sender == '<')
		sender = plan_header_sender(m, config->pool);
	return accounts_load(config, o, c, why) &&
	    accounts_choose(config, o, sender, choice, why);
}

const struct account **
plan_accounts(const struct plan *p, struct pool *pool)
{
	const struct account **list = pool_array(pool, p->nlegs,
	    sizeof *list);
	size_t i;

	for (i = 0; i < p->nlegs; i++)
		list[i] = p->legs[i].account;
	return list;
}

bool
plan_message(const struct message *m, struct failure *why)
{
	if (m->header_nul)
		return fail(why, FAILURE_MESSAGE, "the header of the message "
		    "has a NUL in it; take it out, as with: tr -d '\\000'");
	return true;
}
