#include "exhibit.h"
#include "advice.h"
#include "terms.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	COLUMNS = 80,
	TEXT_AT = 16,			/* where what is behind a label begins */
	LABEL_MAX = COLUMNS - 8		/* octets of one, with its end */
};

enum tone { PLAIN, GOOD, BAD, HEAD };

static void
tone(const struct exhibit *e, enum tone t)
{
	static const char *const codes[] = { [PLAIN] = "\033[0m",
	    [GOOD] = "\033[32m", [BAD] = "\033[31m", [HEAD] = "\033[1m" };

	if (e->colour)
		(void)fputs(codes[t], stdout);
}

static void
head(struct exhibit *e, const char *text)
{
	if (e->begun)
		(void)putchar('\n');
	e->begun = true;
	tone(e, HEAD);
	(void)printf("%.*s", COLUMNS, text);
	tone(e, PLAIN);
	(void)putchar('\n');
}

/* Columns of n octets: one for each character. */
static size_t
width(const char *p, size_t n)
{
	size_t i, columns = 0;

	for (i = 0; i < n; i++)
		columns += ((unsigned char)p[i] & 0xc0) != 0x80;
	return columns;
}

/*
 * Words, made printable, from this column on; those that do not fit go below, a
 * long one as far left as it must.
 */
static void
wrap(const char *words, size_t column, size_t at)
{
	char clean[4096];
	const char *text = clean;
	size_t n, w, gap = 0;

	(void)printable(clean, sizeof clean, words, strlen(words));
	for (; *text != '\0'; text += n + strspn(text + n, " ")) {
		n = strcspn(text, " ");
		w = width(text, n);
		if (column + gap + w >= COLUMNS && column > 0) {
			column = at + w < COLUMNS ? at : w + 4 < COLUMNS ?
			    COLUMNS - w - 1 : 0;
			(void)printf("\n%*s", (int)column, "");
			gap = 0;
		}
		(void)printf("%*s%.*s", (int)gap, "", (int)n, text);
		column += gap + w;
		gap = 1;
	}
	(void)putchar('\n');
}

__attribute__((format(printf, 4, 5)))
static void
line(const struct exhibit *e, enum tone t, const char *label, const char *fmt,
    ...)
{
	char text[4096], name[LABEL_MAX];
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)printable(name, sizeof name, label, strlen(label));
	n = width(name, strlen(name));
	(void)printf("  %s%*s", name, n < TEXT_AT - 3 ? (int)(TEXT_AT - 3 - n) :
	    0, "");
	(void)putchar(' ');
	tone(e, t);
	wrap(text, n + 3 > TEXT_AT ? n + 3 : TEXT_AT, TEXT_AT);
	if (t != PLAIN)
		tone(e, PLAIN);
}

void
exhibit_begin(struct exhibit *e, bool on, bool colour, struct pool *pool)
{
	*e = (struct exhibit){ .on = on, .colour = on && colour,
	    .pool = pool };
}

/* The first with its name and its time, the others below it. */
static void
show_records(const struct exhibit *e, const struct found_records *r,
    const char *label)
{
	size_t i;

	if (!r->found)
		line(e, PLAIN, label, "none: %s (%lld ms)", r->state, r->ms);
	for (i = 0; i < r->n; i++) {
		if (i == 0)
			line(e, PLAIN, label, "%s (%lld ms%s)", r->values[i],
			    r->ms, r->authenticated ? ", DNSSEC" : "");
		else
			line(e, PLAIN, "", "%s", r->values[i]);
	}
}

void
exhibit_services(struct exhibit *e, const struct findings *f)
{
	char label[32];
	size_t i;

	if (!e->on || f->nservices == 0)
		return;
	head(e, "Servers that the domain names (SRV)");
	line(e, PLAIN, "domain", "%s", f->domain);
	for (i = 0; i < f->nservices; i++) {
		(void)snprintf(label, sizeof label, "%.*s",
		    (int)strcspn(f->services[i].name, "."),
		    f->services[i].name);
		show_records(e, &f->services[i], label);
	}
	(void)fflush(stdout);
}

static void
show_addresses(const struct exhibit *e, const struct found_server *s)
{
	size_t i;

	for (i = 0; i < s->naddresses; i++)
		if (s->addresses[i].why == NULL)
			line(e, GOOD, "reached", "%s (%lld ms)",
			    s->addresses[i].address, s->addresses[i].ms);
		else
			line(e, BAD, "not reached", "%s (%lld ms)",
			    s->addresses[i].why, s->addresses[i].ms);
}

void
exhibit_place(struct exhibit *e, const struct findings *f)
{
	const struct found_server *s = findings_server(f);
	size_t i;

	if (!e->on)
		return;
	assert(s != NULL);
	head(e, "Server");
	line(e, PLAIN, "URL", "%s", s->endpoint->text);
	for (i = 0; i < s->nrecords; i++)
		show_records(e, &s->records[i], s->records[i].type);
	if (f->asked_dns && !f->resolver_trusted && s->nrecords > 0)
		line(e, PLAIN, "DNSSEC", "no resolver here may be trusted "
		    "with it");
	show_addresses(e, s);
	if (s->why.kind != FAILURE_NONE)
		line(e, BAD, "failed", "%s", s->why.text);
	(void)fflush(stdout);
}

static void
show_steps(const struct exhibit *e, const struct found_server *s)
{
	size_t i;

	for (i = 0; i < s->nsteps; i++)
		line(e, PLAIN, s->steps[i].name, "%s%s(%lld ms)",
		    s->steps[i].said != NULL ? s->steps[i].said : "",
		    s->steps[i].said != NULL ? " " : "", s->steps[i].ms);
	if (s->why.kind != FAILURE_NONE)
		line(e, BAD, "failed", "%s", s->why.text);
}

static void
show_link(struct exhibit *e, const struct chain_link *l, size_t nth)
{
	long days = chain_days(l->until);
	char label[24];

	(void)snprintf(label, sizeof label, "%zu. subject", nth);
	line(e, PLAIN, label, "%s", *l->subject != '\0' ? l->subject :
	    "none");
	line(e, PLAIN, "   issuer", "%s", l->issuer);
	if (nth == 1)
		line(e, PLAIN, "   names", "%s", l->names);
	line(e, PLAIN, "   key", "%s", l->key);
	line(e, days < 0 ? BAD : PLAIN, "   days left", "%ld (from %.10s "
	    "until %.10s)", days, terms_utc(l->from, e->pool),
	    terms_utc(l->until, e->pool));
	(void)printf("     pin sha256:%s\n", l->pin);	/* 80 columns */
	(void)printf("     SHA-256 %s\n", l->fingerprint);
}

static void
show_verdict(const struct exhibit *e, const char *label,
    const struct trust_verdict *v, const char *none)
{
	if (v->by != NULL)
		line(e, GOOD, label, "verified (%s)", v->by);
	else if (v->objection != NULL)
		line(e, BAD, label, "%s", v->objection);
	else
		line(e, PLAIN, label, "%s", none);
}

/* Where there is no verdict: see dane.h. */
static const char *
without_dane(const struct trust_verdict *v)
{
	if (v->result == NULL)
		return "not asked";
	return strcmp(v->result, "dnssec-invalid") == 0 ? "the DNS does not "
	    "say whether there is a TLSA record" : "no TLSA record that counts";
}

static void
show_tls(struct exhibit *e, const struct found_server *s)
{
	const struct tls_facts *t = &s->tls;
	size_t i;

	if (t->version == NULL || t->chain == NULL)
		return;
	head(e, "TLS");
	line(e, PLAIN, "protocol", "%s, %s, %s", t->version, t->suite,
	    t->group != NULL ? t->group : "no group");
	if (t->alpn != NULL)
		line(e, PLAIN, "ALPN", "%s", t->alpn);
	line(e, PLAIN, "binding", "%s", t->binding != NULL ? t->binding :
	    "none");
	for (i = 0; i < t->chain->n; i++)
		show_link(e, &t->chain->links[i], i + 1);
	if (t->chain->sent > t->chain->n)
		line(e, PLAIN, "", "and %zu more",
		    t->chain->sent - t->chain->n);
	show_verdict(e, "PKIX", &t->found.pkix, "not looked at");
	show_verdict(e, "DANE", &t->found.dane, without_dane(&t->found.dane));
	if (t->verified)
		line(e, GOOD, "so it is", "verified, by %s", t->verified_by);
	else
		line(e, BAD, "so it is", "not verified");
}

static void
show_extensions(struct exhibit *e, const struct found_server *s)
{
	struct advice_extension all[ADVICE_EXTENSIONS];
	size_t i;

	if (!s->within.heard)
		return;
	head(e, "What it offers, and what that is for a message");
	advice_extensions(&s->within.can, all, e->pool);
	for (i = 0; i < ADVICE_EXTENSIONS; i++)
		line(e, PLAIN, all[i].name, "%s: %s", all[i].offered ? "yes" :
		    "no", all[i].meaning);
}

void
exhibit_dialogue(struct exhibit *e, const struct findings *f)
{
	const struct found_server *s = findings_server(f);

	if (!e->on)
		return;
	assert(s != NULL);
	head(e, "Dialogue");
	show_steps(e, s);
	show_tls(e, s);
	show_extensions(e, s);
	(void)fflush(stdout);
}

void
exhibit_login(struct exhibit *e, const struct findings *f)
{
	const struct found_server *s = findings_server(f);
	const struct found_mechanism *m;
	size_t i;

	if (!e->on)
		return;
	assert(s != NULL);
	head(e, "Login, as a submission does it");
	if (f->nmechanisms == 0)
		line(e, PLAIN, "AUTH", "is not offered");
	for (i = 0; i < f->nmechanisms; i++) {
		m = &f->mechanisms[i];
		line(e, PLAIN, m->name, "%s%s", m->verdict, s->before.heard &&
		    m->before && m->within ? " (and before TLS)" : "");
	}
	if (f->user != NULL)
		line(e, PLAIN, "user", "%s", f->user);
	if (f->mechanism != NULL)
		line(e, GOOD, "logged in", "by %s (%lld ms, connection and "
		    "all)", f->mechanism, f->login_ms);
	else if (f->no_login != NULL)
		line(e, PLAIN, "not tried", "%s", f->no_login);
	if (f->why.kind != FAILURE_NONE)
		line(e, BAD, "failed", "%s", f->why.text);
	(void)fflush(stdout);
}

void
exhibit_recipients(struct exhibit *e, const struct findings *f)
{
	const struct found_recipient *r;
	size_t i;

	if (!e->on)
		return;
	head(e, "Recipients (nothing was sent)");
	line(e, PLAIN, "sender", "<%s> %s", f->sender,
	    f->sender_reply != NULL ? f->sender_reply : "no reply");
	for (i = 0; i < f->nrecipients; i++) {
		r = &f->recipients[i];
		line(e, r->accepted ? GOOD : BAD, r->accepted ? "accepted" :
		    r->reply != NULL ? "not accepted" : "not asked", "<%s> %s",
		    r->path, r->reply != NULL ? r->reply : r->why);
	}
	(void)fflush(stdout);
}

void
exhibit_end(struct exhibit *e, const struct findings *f)
{
	size_t i;

	if (!e->on)
		return;
	if (f->nadvice > 0)
		head(e, "Advice");
	for (i = 0; i < f->nadvice; i++) {
		(void)printf("  - ");
		wrap(f->advice[i], 4, 4);
	}
	head(e, "Verdict");
	(void)printf("  ");
	tone(e, f->why.kind != FAILURE_NONE ? BAD : GOOD);
	if (f->why.kind != FAILURE_NONE)
		(void)printf("a message could not be sent (exit status %d)",
		    f->status);
	else
		(void)printf("%s", f->mechanism == NULL && f->no_login != NULL
		    ? "all is in order, as far as can be seen without a login"
		    : "a message could be sent");
	if (e->colour)
		tone(e, PLAIN);
	(void)putchar('\n');
}
