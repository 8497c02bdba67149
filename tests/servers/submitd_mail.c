#define _GNU_SOURCE		/* memrchr() */
#include "submitd_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MAX_RECIPIENTS = 100000 };

static void
refuse_parameters(struct session *s, enum parameters result)
{
	if (result == PARAMETERS_UNKNOWN)
		session_reply(s, 555, "5.5.4", "unknown parameter");
	else
		session_reply(s, 501, "5.5.4", "bad parameter");
}

/* May there be a transaction now?  Else it has been answered. */

static bool
is_welcome(struct session *s)
{
	if (s->hello[0] == '\0')
		session_reply(s, 503, "5.5.1", "say EHLO first");
	else if (s->mail.sender != NULL)
		session_reply(s, 503, "5.5.1", "one MAIL is enough");
	else if (s->options->auth && s->mechanism == NULL)
		session_reply(s, 530, "5.7.0", "authentication required");
	else if (s->options->transactions_max > 0 &&
	    s->mails >= s->options->transactions_max)
		session_reply(s, 451, "4.5.3", "MAILMAX reached");
	else
		return true;
	return false;
}

static bool
is_too_large(const struct session *s, unsigned long long size)
{
	return s->options->size > 0 && size > s->options->size;
}

/* RFC 2852 section 4: a time below the announced minimum */

static bool
is_too_soon(const struct session *s, const struct mail_facts *facts)
{
	return facts->by_return > 0 &&
	    facts->by_return < strtoul(s->options->deliverby, NULL, 10);
}

/* RFC 4865 section 4: both at once, past, or beyond what was announced */

static bool
is_bad_hold(const struct session *s, const struct mail_facts *facts)
{
	const char *until = facts->hold_until, *max;
	time_t now = time(NULL);
	char past[32] = "";
	struct tm tm;

	if (facts->hold_for > 0 && *until != '\0')
		return true;
	if (facts->hold_for > 0)
		return facts->hold_for >
		    strtoul(s->options->futurerelease, NULL, 10);
	if (*until == '\0')
		return false;
	(void)strftime(past, sizeof past, "%Y-%m-%dT%H:%M:%SZ",
	    gmtime_r(&now, &tm));
	max = strchr(s->options->futurerelease, ' ');
	return strcmp(until, past) <= 0 || max == NULL ||
	    strcmp(until, max + 1) > 0;
}

/* Does a reply that was asked for, or a fault, take the command over? */

static bool
is_answered(struct session *s, const char *path, size_t length)
{
	struct asked asked;

	if (session_fault(s, FAULT_CLOSE_AT_MAIL)) {
		session_stop(s, ENDING_ABRUPT);
		return true;
	}
	if (session_fault(s, FAULT_SILENT_AT_MAIL)) {
		conn_ignore(s->conn);	/* until the client has enough */
		session_stop(s, ENDING_ABRUPT);
		return true;
	}
	if (!path_asks(path, length, &asked) || asked.code < 400)
		return false;
	session_reply_asked(s, &asked);
	return true;
}

static void
begin(struct session *s, const char *text, const struct mail_facts *facts)
{
	s->mail.sender = strdup(text);
	if (s->mail.sender == NULL) {
		session_reply(s, 451, "4.3.0", "no memory");
		return;
	}
	s->mail.smtputf8 = facts->smtputf8;
	session_reply(s, 250, "2.1.0", "sender ok");
}

static bool
is_good_sender(const char *path, size_t length)
{
	return length > 0 && (path_is_null(path, length) ||
	    path_is_complete(path, length));
}

void
mail_sender(struct session *s, char *args)
{
	const char *path = args + 5;
	struct mail_facts facts;
	enum parameters result;
	bool is_ascii = true;
	size_t length;

	if (!is_welcome(s))
		return;
	s->mails++;
	length = strncasecmp(args, "FROM:", 5) == 0 ?
	    path_length(path, &is_ascii) : 0;
	if (!is_good_sender(path, length)) {
		session_reply(s, 501, "5.1.7", "bad sender address");
		return;
	}
	result = parameters_mail(path + length, s->announced, &facts);
	if (result != PARAMETERS_OK)
		refuse_parameters(s, result);
	else if (!is_ascii && !facts.smtputf8)
		session_reply(s, 553, "5.6.7", "address needs SMTPUTF8");
	else if (is_too_large(s, facts.size))
		session_reply(s, 552, "5.3.4", "too large");
	else if (is_too_soon(s, &facts))
		session_reply(s, 555, "5.5.4", "BY is too soon");
	else if (is_bad_hold(s, &facts))
		session_reply(s, 501, "5.5.4", "no such time to hold it");
	else if (!is_answered(s, path, length))
		begin(s, path, &facts);
}

/* --- RCPT --- */

/* gcc 12 loses sight of a copy that is put into what realloc() returned. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
static void
add(struct session *s, const char *text, const struct asked *asked)
{
	struct transaction *mail = &s->mail;
	struct recipient *more = realloc(mail->recipients,
	    (mail->count + 1) * sizeof *more);
	char *copy = strdup(text);

	if (more != NULL)
		mail->recipients = more;
	if (more == NULL || copy == NULL) {
		free(copy);
		session_reply(s, 451, "4.3.0", "no memory");
		return;
	}
	more = &mail->recipients[mail->count++];
	*more = (struct recipient){ .text = copy };
	if (asked->is_late)
		more->late = *asked;
	if (asked->code != 0 && !asked->is_late)
		session_reply_asked(s, asked);
	else
		session_reply(s, 250, "2.1.5", "recipient ok");
}
#pragma GCC diagnostic pop

static bool
is_full(const struct session *s)
{
	const size_t max = s->options->recipients_max;

	return s->mail.count == (max > 0 ? max : MAX_RECIPIENTS);
}

/* RFC 9422 section 6.3: so many domains in one session. */

static bool
is_strange(struct session *s, const char *path, size_t length)
{
	const char *at = memrchr(path, '@', length);
	char domain[256];
	size_t i;

	if (s->options->domains_max == 0 || at == NULL)
		return false;
	(void)snprintf(domain, sizeof domain, "%.*s",
	    (int)(path + length - 1 - at), at + 1);
	for (i = 0; i < s->domains_count; i++) {
		if (strcasecmp(s->domains[i], domain) == 0)
			return false;
	}
	if (i == s->options->domains_max)
		return true;
	(void)strcpy(s->domains[s->domains_count++], domain);
	return false;
}

static void
judge(struct session *s, const char *path, size_t length)
{
	struct asked asked;

	if (!path_asks(path, length, &asked))
		asked = (struct asked){ 0 };
	if (asked.code >= 400 && !asked.is_late)
		session_reply_asked(s, &asked);
	else if (is_full(s))
		session_reply(s, 452, "4.5.3", "too many recipients");
	else if (is_strange(s, path, length))
		session_reply(s, 451, "4.5.3", "RCPTDOMAINMAX reached");
	else
		add(s, path, &asked);
}

void
mail_recipient(struct session *s, char *args)
{
	const char *path = args + 3;
	enum parameters result;
	bool is_ascii = true;
	size_t length;

	if (s->mail.sender == NULL || s->mail.store != NULL) {
		session_reply(s, 503, "5.5.1", "not now");
		return;
	}
	length = strncasecmp(args, "TO:", 3) == 0 ?
	    path_length(path, &is_ascii) : 0;
	if (length == 0 || !path_is_complete(path, length)) {
		session_reply(s, 501, "5.1.3", "bad recipient address");
		return;
	}
	result = parameters_rcpt(path + length, s->announced);
	if (result != PARAMETERS_OK)
		refuse_parameters(s, result);
	else if (!is_ascii && !s->mail.smtputf8)
		session_reply(s, 553, "5.6.7", "address needs SMTPUTF8");
	else
		judge(s, path, length);
}

/* --- the envelope --- */

static void
print(FILE *f, const struct session *s)
{
	const struct transaction *mail = &s->mail;
	gnutls_session_t tls = conn_tls(s->conn);

	(void)fprintf(f, "helo %s\n", s->hello);
	(void)fprintf(f, "tls %s\n", tls != NULL ? tls_version(tls) : "none");
	(void)fprintf(f, "mechanism %s\n",
	    s->mechanism != NULL ? s->mechanism : "none");
	(void)fprintf(f, "user %s\n", s->mechanism != NULL ? s->user : "none");
	(void)fprintf(f, "mail %s\n", mail->sender);
	for (size_t i = 0; i < mail->count; i++) {
		if (mail->recipients[i].late.code == 0 || !s->is_lmtp)
			(void)fprintf(f, "rcpt %s\n",
			    mail->recipients[i].text);
	}
	(void)fprintf(f, "size %zu\n", store_size(mail->store));
	(void)fprintf(f, "bdat %s\n", mail->is_bdat ? "yes" : "no");
	(void)fprintf(f, "bare %s\n",
	    store_has_bare(mail->store) ? "yes" : "no");
}

char *
mail_envelope(const struct session *s)
{
	char *text = NULL;
	size_t octets;
	FILE *f = open_memstream(&text, &octets);

	if (f == NULL)
		return NULL;
	print(f, s);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}
