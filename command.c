#include "command.h"
#include "path.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
syntax(struct failure *why, const char *what)
{
	(void)fail(why, FAILURE_USAGE, "%s", what);
	(void)strcpy(why->enhanced, "5.5.4");
	return false;
}

/*
 * "FROM:" or "TO:", then the path: *path in the pool, *rest behind it.  A
 * ">" within a quoted string does not end it.
 */
static bool
split(const char *text, const char *word, const char **path,
    const char **rest, struct pool *pool, struct failure *why)
{
	const char *p = text + strspn(text, " \t"), *start;
	bool quoted = false;
	char end;

	if (strncasecmp(p, word, strlen(word)) != 0)
		return syntax(why, "there is no path in the command");
	p += strlen(word);
	p += strspn(p, " \t");
	end = *p == '<' ? '>' : ' ';
	start = p;
	for (p += *p == '<'; *p != '\0' && (quoted || *p != end); p++) {
		if (*p == '\\' && quoted && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	if (end == '>' && *p != '>')
		return syntax(why, "the path lacks its \">\"");
	p += *p == '>';
	if (p == start)
		return syntax(why, "the path is missing");
	if (*p != '\0' && *p != ' ' && *p != '\t')
		return syntax(why, "there is no blank behind the path");
	*path = pool_octets(pool, start, (size_t)(p - start));
	*rest = p;
	return true;
}

/* The next parameter, cut at "=": *value is NULL without one. */
static bool
parameter(const char **rest, char **name, char **value, struct pool *pool)
{
	const char *p = *rest + strspn(*rest, " \t");
	size_t len = strcspn(p, " \t");

	*rest = p + len;
	if (len == 0)
		return false;
	*name = pool_octets(pool, p, len);
	*value = strchr(*name, '=');
	if (*value != NULL)
		*(*value)++ = '\0';
	return true;
}

/* Digits only, and no more than fit. */
static bool
number(const char *text, uint64_t *n)
{
	char *end;

	if (!isdigit((unsigned char)*text) || strlen(text) > 18)
		return false;
	*n = strtoull(text, &end, 10);
	return *end == '\0';
}

/* RFC 3461 section 4: "+" is followed by two capital hexadecimal digits. */
static bool
is_xtext(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < '!' || *s > '~' || *s == '=')
			return false;
		if (*s == '+' && (strspn(s + 1, "0123456789ABCDEF") < 2))
			return false;
	}
	return true;
}

/* Each word once, however often it comes. */
const char *
command_notify(const char *list, struct pool *pool)
{
	static const char *const words[] = { "SUCCESS", "FAILURE", "DELAY" };
	const char *out = NULL;
	size_t len, i;

	if (strcasecmp(list, "NEVER") == 0)
		return "NEVER";
	for (;; list += len + 1) {
		len = strcspn(list, ",");
		for (i = 0; i < 3; i++)
			if (strlen(words[i]) == len &&
			    strncasecmp(list, words[i], len) == 0)
				break;
		if (i == 3)
			return NULL;
		if (out == NULL)
			out = words[i];
		else if (strstr(out, words[i]) == NULL)
			out = pool_printf(pool, "%s,%s", out, words[i]);
		if (list[len] == '\0')
			return out;
	}
}

/* RET and ENVID come once, as do NOTIFY and ORCPT (RFC 3461 section 4). */
static bool
mail_parameter(struct mail_command *m, const char *name, const char *value)
{
	if (value == NULL) {
		m->smtputf8 = m->smtputf8 || strcasecmp(name, "SMTPUTF8") == 0;
		m->requiretls = m->requiretls ||
		    strcasecmp(name, "REQUIRETLS") == 0;
		return strcasecmp(name, "SMTPUTF8") == 0 ||
		    strcasecmp(name, "REQUIRETLS") == 0;
	}
	if (strcasecmp(name, "SIZE") == 0)
		return number(value, &m->size);
	if (strcasecmp(name, "BODY") == 0) {
		m->body_8bit = strcasecmp(value, "8BITMIME") == 0;
		return m->body_8bit || strcasecmp(value, "7BIT") == 0;
	}
	if (strcasecmp(name, "RET") == 0 && m->ret == NULL) {
		m->ret = strcasecmp(value, "FULL") == 0 ? "FULL" :
		    strcasecmp(value, "HDRS") == 0 ? "HDRS" : NULL;
		return m->ret != NULL;
	}
	if (strcasecmp(name, "ENVID") == 0 && m->envid == NULL &&
	    strlen(value) <= PATH_ENVID_MAX) {
		m->envid = value;
		return *value != '\0' && is_xtext(value);
	}
	return terms_take(&m->terms, name, value);
}

static bool
rcpt_parameter(struct rcpt_command *r, const char *name, const char *value,
    struct pool *pool)
{
	if (value == NULL)
		return false;
	if (strcasecmp(name, "NOTIFY") == 0 && r->notify == NULL) {
		r->notify = command_notify(value, pool);
		return r->notify != NULL;
	}
	if (strcasecmp(name, "ORCPT") == 0 && r->orcpt == NULL) {
		r->orcpt = value;
		return strlen(value) <= PATH_ORCPT_MAX &&
		    strchr(value, ';') != NULL && is_xtext(value);
	}
	return false;
}

bool
command_mail(const char *text, struct mail_command *m, struct pool *pool,
    struct failure *why)
{
	const char *path, *rest;
	char *name, *value;

	*m = (struct mail_command){ 0 };
	if (!split(text, "FROM:", &path, &rest, pool, why) ||
	    !address_sender(path, pool, &m->sender, why))
		return false;
	while (parameter(&rest, &name, &value, pool))
		if (!mail_parameter(m, name, value))
			return syntax(why, pool_printf(pool, "the parameter "
			    "%s is not understood", name));
	return true;
}

bool
command_rcpt(const char *text, struct rcpt_command *r, struct pool *pool,
    struct failure *why)
{
	const char *path, *rest;
	char *name, *value;

	*r = (struct rcpt_command){ 0 };
	if (!split(text, "TO:", &path, &rest, pool, why) ||
	    !address_sender(path, pool, &r->to, why))
		return false;
	if (*r->to.local == '\0' && r->to.domain == NULL)
		return fail(why, FAILURE_ADDRESS, "the recipient is empty");
	while (parameter(&rest, &name, &value, pool))
		if (!rcpt_parameter(r, name, value, pool))
			return syntax(why, pool_printf(pool, "the parameter "
			    "%s is not understood", name));
	return true;
}

bool
command_bdat(const char *text, uint64_t *octets, bool *last,
    struct failure *why)
{
	char digits[20] = "";
	size_t n;

	text += strspn(text, " \t");
	n = strcspn(text, " \t");
	if (n < sizeof digits)
		memcpy(digits, text, n);
	text += n;
	text += strspn(text, " \t");
	*last = strcasecmp(text, "LAST") == 0;
	if (!number(digits, octets) || (*text != '\0' && !*last))
		return syntax(why, "BDAT wants a number of octets");
	return true;
}
