#include "report.h"
#include "buffer.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

int
report_status(const struct report *r)
{
	return r->outcome != NULL ? outcome_status(r->outcome) :
	    r->failure != NULL ? failure_status(r->failure->kind) : EX_OK;
}

static const struct failure *
decisive(const struct report *r)
{
	return r->outcome != NULL ? outcome_gravest(r->outcome) : r->failure;
}

/* How many got it, when it is not the same for all. */
static void
put_count(struct buffer *line, const struct outcome *o)
{
	size_t sent = outcome_count(o, VERDICT_SENT);
	size_t unknown = outcome_count(o, VERDICT_UNKNOWN);
	size_t refused = outcome_count(o, VERDICT_REFUSED);

	if (outcome_count(o, o->results[0].verdict) == o->n)
		return;
	buffer_printf(line, " [of %zu recipients %zu sent, %zu refused, "
	    "%zu deferred, %zu unknown]", o->n, sent, refused,
	    outcome_count(o, VERDICT_DEFERRED), unknown);
}

/* The other reasons, when recipients failed in different ways. */
static void
put_others(struct buffer *line, const struct outcome *o,
    const struct failure *first)
{
	size_t i, shown = 0;

	for (i = 0; i < o->n && shown < 3; i++) {
		if (o->results[i].why == NULL || o->results[i].why == first ||
		    (i > 0 && o->results[i].why == o->results[i - 1].why))
			continue;
		buffer_printf(line, "; %s", o->results[i].why->text);
		shown++;
	}
}

static void
to_stderr(const struct report *r)
{
	const struct failure *why = decisive(r);
	struct buffer line = { 0 };

	if (why == NULL)
		return;
	buffer_printf(&line, "%s: %s", r->program, why->text);
	if (r->outcome != NULL) {
		put_others(&line, r->outcome, why);
		put_count(&line, r->outcome);
	}
	if (r->kept != NULL)
		buffer_printf(&line, " (kept as %s)", r->kept->path);
	buffer_printf(&line, "\n");
	if (r->keep_failure != NULL)
		buffer_printf(&line, "%s: the message could not be kept: %s\n",
		    r->program, r->keep_failure->text);
	(void)fwrite(buffer_data(&line), 1, buffer_len(&line), stderr);
	buffer_free(&line);
}

/* JSON and logfmt share the escapes of a quoted string (RFC 8259). */
static void
put_quoted(struct buffer *b, const char *s)
{
	char clean[4096];

	(void)printable(clean, sizeof clean, s, strlen(s));
	buffer_put(b, "\"", 1);
	for (s = clean; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buffer_put(b, "\\", 1);
		buffer_put(b, s, 1);
	}
	buffer_put(b, "\"", 1);
}

struct out {
	struct buffer *b;
	bool json;
};

static void
key(const struct out *o, const char *name)
{
	char last = buffer_len(o->b) > 0 ?
	    buffer_data(o->b)[buffer_len(o->b) - 1] : '{';

	if (last != '{' && last != '[')
		buffer_put(o->b, o->json ? "," : " ", 1);
	buffer_printf(o->b, o->json ? "\"%s\":" : "%s=", name);
}

static void
text(const struct out *o, const char *name, const char *value)
{
	if (value == NULL)
		return;
	key(o, name);
	if (!o->json && *value != '\0' && strpbrk(value, " \"=\\\t\r\n") == NULL)
		buffer_put(o->b, value, strlen(value));
	else
		put_quoted(o->b, value);
}

static void
number(const struct out *o, const char *name, long long value)
{
	key(o, name);
	buffer_printf(o->b, "%lld", value);
}

static void
connection(const struct out *o, const struct report *r)
{
	const struct tls_facts *tls = &r->smtp->tls;

	text(o, "server", r->server);
	text(o, "host", r->net->host);
	text(o, "address", r->net->address);
	if (r->net->address != NULL)
		text(o, "tls", tls->version != NULL ? tls->version : "none");
	text(o, "cipher", tls->cipher);
	if (tls->version != NULL)
		text(o, "verified", tls->verified ? "yes" : "no");
	text(o, "tls-objection", tls->objection);
	text(o, "mechanism", r->smtp->mechanism);
	number(o, "greeting-ms", r->smtp->greeting_ms);
	number(o, "tls-ms", r->smtp->tls_ms);
	number(o, "auth-ms", r->smtp->auth_ms);
}

static void
one_recipient(const struct out *o, const struct report *r, size_t i)
{
	const struct result *result = &r->outcome->results[i];
	const struct failure *why = result->why;

	text(o, o->json ? "address" : "to",
	    r->plan->envelope.recipients[i].path);
	text(o, o->json ? "outcome" : "result", verdict_word(result->verdict));
	text(o, "reply", result->reply);
	if (why != NULL) {
		text(o, "kind", failure_word(why->kind));
		if (o->json && why->reply > 0)
			number(o, "code", why->reply);
		if (o->json && *why->enhanced != '\0')
			text(o, "enhanced", why->enhanced);
		text(o, "reason", why->text);
	}
}

/* In logfmt ten thousand recipients are counted, not named. */
static void
recipients(const struct out *o, const struct report *r)
{
	const struct outcome *all = r->outcome;
	size_t i;

	if (o->json) {
		key(o, "recipients");
		buffer_put(o->b, "[", 1);
		for (i = 0; i < all->n; i++) {
			buffer_printf(o->b, i > 0 ? ",{" : "{");
			one_recipient(o, r, i);
			buffer_put(o->b, "}", 1);
		}
		buffer_put(o->b, "]", 1);
		return;
	}
	if (all->n > 1) {
		number(o, "recipients", (long long)all->n);
		number(o, "sent", (long long)outcome_count(all, VERDICT_SENT));
	}
	for (i = 0; i < all->n && i < 20; i++)
		one_recipient(o, r, i);
}

static void
fields(const struct out *o, const struct report *r)
{
	const struct failure *why = decisive(r);

	if (r->plan != NULL) {
		text(o, "id", r->plan->id);
		text(o, "account", r->plan->account != NULL ?
		    r->plan->account->name : NULL);
		text(o, "from", r->plan->envelope.sender);
		text(o, "message-id", r->plan->message_id);
	}
	if (r->server != NULL)
		connection(o, r);
	if (r->octets > 0)
		number(o, "octets", (long long)r->octets);
	number(o, "ms", r->total_ms);
	number(o, "status", report_status(r));
	if (why != NULL) {
		text(o, "kind", failure_word(why->kind));
		text(o, "tls-result", why->tls_result);
		text(o, "error", why->text);
	}
	if (r->kept != NULL) {
		text(o, "state", r->kept->state);
		text(o, "kept", r->kept->path);
	}
	if (r->keep_failure != NULL)
		text(o, "keep-error", r->keep_failure->text);
	if (r->outcome != NULL)
		recipients(o, r);
}

static char *
line_of(const struct report *r, bool json, struct pool *pool)
{
	struct buffer b = { 0 };
	struct out o = { &b, json };
	char *line;

	if (json)
		buffer_put(&b, "{", 1);
	fields(&o, r);
	if (json)
		buffer_put(&b, "}", 1);
	line = pool_octets(pool, buffer_data(&b), buffer_len(&b));
	buffer_free(&b);
	return line;
}

void
report_result(const struct report *r, struct pool *pool)
{
	log_line(report_status(r) == EX_OK ? LEVEL_INFO : LEVEL_ERROR,
	    line_of(r, log_is_json(), pool));
	to_stderr(r);
	if (r->json) {
		(void)puts(line_of(r, true, pool));
		(void)fflush(stdout);
	}
}
