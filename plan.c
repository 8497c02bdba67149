#include "plan.h"
#include "address.h"
#include "path.h"
#include "crypto.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

bool
plan_keeps(const struct field *f)
{
	static const char *const dropped[] = {
		"Bcc", "Resent-Bcc", "Return-Path", "Content-Length"
	};
	size_t i;

	for (i = 0; i < sizeof dropped / sizeof *dropped; i++)
		if (field_is(f, dropped[i]))
			return false;
	return true;
}

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
static const char *
make_id(struct pool *pool)
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

static bool
add_recipient(struct plan *p, const struct mailbox *m, struct pool *pool,
    struct failure *why)
{
	struct envelope *e = &p->envelope;
	struct recipient *r;
	const char *path = path_of(m, pool);

	if (m->domain == NULL)
		return fail(why, FAILURE_ADDRESS, "\"%s\" is a local name; "
		    "give the whole address, as in %s@example.org", path,
		    path);
	if (m->guessed)
		log_note(LEVEL_WARNING, "addresses were set off by something "
		    "else than a comma behind <%s>", path);
	e->recipients = pool_grow(pool, e->recipients, &e->n,
	    sizeof *e->recipients);
	r = &e->recipients[e->n - 1];
	r->path = path;
	r->utf8 = m->utf8;
	r->orcpt = m->utf8 ? NULL : pool_printf(pool, "rfc822;%s",
	    path_xtext(path, pool));
	return true;
}

static bool
add_recipients(struct plan *p, const char *text, const char *where,
    struct pool *pool, struct failure *why)
{
	struct mailbox *list = NULL;
	struct failure reason;
	size_t n = 0, i;
	bool ok = address_list(text, pool, &list, &n, &reason);

	for (i = 0; ok && i < n; i++)
		ok = add_recipient(p, &list[i], pool, &reason);
	if (ok)
		return true;
	return fail(why, reason.kind, "%s%s%s", where, *where != '\0' ? ": " :
	    "", reason.text);
}

/* The sort key: the domain in small letters, then the local part as it is. */
static int
compare(const void *a, const void *b)
{
	const char *x = (*(const struct recipient *const *)a)->path;
	const char *y = (*(const struct recipient *const *)b)->path;
	const char *at = strrchr(x, '@'), *bt = strrchr(y, '@');
	int order = strcasecmp(at, bt);

	if (order != 0)
		return order;
	if (at - x != bt - y)
		return at - x < bt - y ? -1 : 1;
	order = memcmp(x, y, (size_t)(at - x));
	if (order != 0)
		return order;
	return *(const struct recipient *const *)a <
	    *(const struct recipient *const *)b ? -1 : 1;
}

static bool
is_same(const struct recipient *a, const struct recipient *b)
{
	size_t x = (size_t)(strrchr(a->path, '@') - a->path);
	size_t y = (size_t)(strrchr(b->path, '@') - b->path);

	return x == y && memcmp(a->path, b->path, x) == 0 &&
	    strcasecmp(a->path + x, b->path + y) == 0;
}

/* Who is named twice gets one copy; the first place counts. */
static void
remove_doubles(struct envelope *e, struct pool *pool)
{
	struct recipient **sorted = pool_array(pool, e->n, sizeof *sorted);
	size_t i, kept = 0;

	for (i = 0; i < e->n; i++)
		sorted[i] = &e->recipients[i];
	qsort(sorted, e->n, sizeof *sorted, compare);
	for (i = e->n; i-- > 1;)
		if (is_same(sorted[i - 1], sorted[i]))
			sorted[i]->path = NULL;
	for (i = 0; i < e->n; i++)
		if (e->recipients[i].path != NULL)
			e->recipients[kept++] = e->recipients[i];
	e->n = kept;
}

/* The newest Resent block counts when there is one (RFC 5322 3.6.6). */
static bool
header_recipients(struct plan *p, const struct message *m, struct pool *pool,
    struct failure *why)
{
	static const char *const names[2][3] = {
		{ "To", "Cc", "Bcc" },
		{ "Resent-To", "Resent-Cc", "Resent-Bcc" }
	};
	bool resent = false;
	size_t i, j;

	for (j = 0; j < 3; j++)
		resent = resent || message_field(m, names[1][j]) != NULL;
	for (i = 0; i < m->nfields; i++)
		for (j = 0; j < 3; j++)
			if (field_is(&m->fields[i], names[resent][j]) &&
			    !add_recipients(p, field_value(&m->fields[i],
			    pool), names[resent][j], pool, why))
				return false;
	return true;
}

static bool
recipients(struct plan *p, const struct options *o, const struct message *m,
    struct pool *pool, struct failure *why)
{
	size_t i;

	for (i = 0; i < o->nrecipients; i++)
		if (!add_recipients(p, o->recipients[i], "", pool, why))
			return false;
	if (o->from_header && !header_recipients(p, m, pool, why))
		return false;
	if (p->envelope.n == 0)
		return fail(why, FAILURE_USAGE, o->from_header ? "there are no "
		    "recipients, neither in To, Cc and Bcc nor on the command "
		    "line" : "there are no recipients (-t takes them from the "
		    "header)");
	remove_doubles(&p->envelope, pool);
	return true;
}

static bool
sender(struct plan *p, const struct options *o, const struct caller *c,
    struct pool *pool, struct failure *why)
{
	const char *from = p->account != NULL ? p->account->values[SET_FROM] :
	    NULL;
	struct mailbox m;

	if (from == NULL)
		from = pool_printf(pool, "%s@%s", c->login, c->fqdn != NULL ?
		    c->fqdn : c->hostname);
	if (!address_sender(o->sender != NULL ? o->sender : from, pool, &m,
	    why))
		return false;
	if (m.domain == NULL && *m.local != '\0' &&
	    !address_sender(from, pool, &m, why))
		return false;
	p->envelope.sender = path_of(&m, pool);
	p->envelope.sender_utf8 = m.utf8;
	if (!address_sender(from, pool, &m, why))
		return false;
	if (*p->envelope.sender == '\0' || p->account == NULL ||
	    p->account->values[SET_FROM] != NULL)
		p->from = path_of(&m, pool);
	else
		p->from = p->envelope.sender;
	return true;
}

static const char *
from_field(const struct plan *p, const struct options *o,
    const struct caller *c, struct pool *pool)
{
	const char *name = o->full_name;

	if (name == NULL && p->account != NULL)
		name = p->account->values[SET_NAME];
	if (name == NULL)
		name = c->full_name;
	if (name == NULL)
		return pool_printf(pool, "From: %s\r\n", p->from);
	return pool_printf(pool, "From: %s <%s>\r\n",
	    header_phrase(name, pool), p->from);
}

/* What is missing is put on top (RFC 5322 section 3.6, RFC 6409 section 8). */
static void
prologue(struct plan *p, const struct options *o, const struct message *m,
    const struct caller *c, struct pool *pool)
{
	const struct field *id = message_field(m, "Message-ID");
	const char *at = strrchr(p->from, '@'), *text = "";

	if (message_field(m, "Date") == NULL)
		text = pool_printf(pool, "Date: %s\r\n",
		    header_date(time(NULL), pool));
	p->message_id = id != NULL ? field_value(id, pool) :
	    header_message_id(at != NULL ? at + 1 : "localhost", pool);
	if (id == NULL)
		text = pool_printf(pool, "%sMessage-ID: %s\r\n", text,
		    p->message_id);
	if (message_field(m, "From") == NULL)
		text = pool_printf(pool, "%s%s", text,
		    from_field(p, o, c, pool));
	if (message_field(m, "To") == NULL && message_field(m, "Cc") == NULL)
		text = pool_printf(pool, "%sTo: undisclosed-recipients:;\r\n",
		    text);
	if (!p->envelope.requiretls && p->account != NULL &&
	    strcmp(config_value(p->account, SET_REQUIRE_TLS), "no") == 0 &&
	    message_field(m, "TLS-Required") == NULL)
		text = pool_printf(pool, "%sTLS-Required: No\r\n", text);
	p->prologue = text;
}

bool
plan_envelope(struct plan *p, const struct options *o,
    const struct message *m, const struct caller *c, const struct account *a,
    struct pool *pool, struct failure *why)
{
	*p = (struct plan){ .id = make_id(pool), .account = a };
	p->envelope.notify = o->notify;
	p->envelope.ret = o->ret;
	p->envelope.envid = o->envid == NULL ? NULL :
	    path_xtext(o->envid, pool);
	p->envelope.requiretls = o->require_tls || (a != NULL &&
	    strcmp(config_value(a, SET_REQUIRE_TLS), "yes") == 0);
	if (!recipients(p, o, m, pool, why) || !sender(p, o, c, pool, why))
		return false;
	prologue(p, o, m, c, pool);
	if (m->more_after_dot)
		log_note(LEVEL_WARNING, "what stood behind the line with a "
		    "lone dot was not read (-i reads on)");
	if (o->ignored != NULL)
		log_note(LEVEL_INFO, "ignored on purpose: %s", o->ignored);
	return true;
}

bool
plan_message(const struct message *m, struct failure *why)
{
	if (m->header_nul)
		return fail(why, FAILURE_MESSAGE, "the header of the message "
		    "has a NUL in it");
	if (m->body_nul)
		return fail(why, FAILURE_MESSAGE, "the message has a NUL in "
		    "it, which mail cannot carry as it is; send it as an "
		    "attachment");
	if (m->longest > MESSAGE_LINE_MAX)
		return fail(why, FAILURE_MESSAGE, "a line of the message has "
		    "%zu octets, mail carries at most %d as they are",
		    m->longest, MESSAGE_LINE_MAX);
	return true;
}

static void
tls_params(struct plan *p)
{
	const struct account *a = p->account;

	p->smtp.tls = (struct tls_params){
		.ca_file = a->values[SET_CA_FILE],
		.priority = a->values[SET_TLS_PRIORITY],
		.only_tls13 =
		    strcmp(config_value(a, SET_TLS_MINIMUM), "1.3") == 0,
		.certificate = a->values[SET_CLIENT_CERTIFICATE],
		.key = a->values[SET_CLIENT_KEY],
	};
}

static void
login_params(struct plan *p)
{
	const struct account *a = p->account;
	const char *auth = config_value(a, SET_AUTH);

	p->smtp.login = strcasecmp(auth, "none") != 0;
	p->smtp.user = a->values[SET_USER] != NULL ? a->values[SET_USER] :
	    a->values[SET_FROM];
	p->smtp.sasl = (struct sasl_policy){
		.allowed = strcasecmp(auth, "auto") == 0 ? NULL : auth,
		.minimum = a->values[SET_AUTH_MINIMUM],
		.has_certificate = a->values[SET_CLIENT_CERTIFICATE] != NULL,
	};
}

/* REQUIRETLS that cannot be had is told before anything is connected. */
static bool
requiretls_possible(const struct plan *p, struct failure *why)
{
	size_t i;

	for (i = 0; p->envelope.requiretls && i < p->nendpoints; i++)
		if (p->endpoints[i].path == NULL &&
		    p->endpoints[i].security >= SECURITY_OPPORTUNISTIC) {
			(void)fail(why, FAILURE_REQUIRETLS, "the message "
			    "requires TLS all the way, but %s does not verify "
			    "it (5.7.30); write smtps:// or smtp://",
			    p->endpoints[i].text);
			(void)strcpy(why->enhanced, "5.7.30");
			return false;
		}
	return true;
}

bool
plan_session(struct plan *p, const struct options *o, const struct caller *c,
    struct pool *pool, struct failure *why)
{
	const struct account *a = p->account;
	const char *name;

	if (a->nservers == 0)
		return fail(why, FAILURE_CONFIG, "the account \"%s\" (%s:%zu) "
		    "names no server; add a line like: server "
		    "smtps://mail.example.org", a->name, a->file, a->line);
	p->endpoints = a->servers;
	p->nendpoints = a->nservers;
	p->timeout_session = config_number(a, SET_TIMEOUT_SESSION);
	p->net.timeout_connect = config_number(a, SET_TIMEOUT_CONNECT);
	p->net.family = o->family == 4 ? AF_INET : o->family == 6 ? AF_INET6 :
	    AF_UNSPEC;
	p->smtp.timeout_reply = config_number(a, SET_TIMEOUT_REPLY);
	tls_params(p);
	login_params(p);
	name = a->values[SET_HELLO] != NULL ? a->values[SET_HELLO] :
	    caller_fqdn(c, pool);
	p->smtp.hello = name;
	p->hello_literal = name == NULL;
	return requiretls_possible(p, why);
}
