#include "submitd_path.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- paths --- */

static bool
is_atext(char c)
{
	return (c & 0x80) != 0 || isalnum((unsigned char)c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_ldh(char c)
{
	return (c & 0x80) != 0 || isalnum((unsigned char)c) || c == '-' ||
	    c == '_';
}

/* Words of such characters with single dots between them. */

static size_t
dotted(const char *text, bool (*is_part)(char))
{
	size_t n = 0;

	for (;;) {
		size_t begin = n;

		while (is_part(text[n]))
			n++;
		if (n == begin)
			return 0;
		if (text[n] != '.')
			return n;
		n++;
	}
}

static size_t
quoted(const char *text)
{
	size_t n = 1;

	while (text[n] != '"') {
		if (text[n] == '\\')
			n++;
		if (iscntrl((unsigned char)text[n]))
			return 0;
		n++;
	}
	return n + 1;
}

static size_t
local_part(const char *text)
{
	return *text == '"' ? quoted(text) : dotted(text, is_atext);
}

static size_t
domain(const char *text)
{
	size_t n;

	if (*text != '[')
		return dotted(text, is_ldh);
	n = 1 + strspn(text + 1, "0123456789abcdefABCDEF.:IPv");
	return n > 1 && text[n] == ']' ? n + 1 : 0;
}

/* "@one,@two:" (RFC 5321 section 4.1.2, A-d-l), which nobody uses. */

static size_t
source_route(const char *text)
{
	size_t n = 0, length;

	while (text[n] == '@') {
		length = domain(text + n + 1);
		if (length == 0)
			return 0;
		n += 1 + length;
		if (text[n] == ':')
			return n + 1;
		if (text[n] != ',')
			return 0;
		n++;
	}
	return 0;
}

size_t
path_length(const char *text, bool *is_ascii)
{
	size_t n, length;

	*is_ascii = true;
	if (strncmp(text, "<>", 2) == 0)
		return 2;
	if (*text != '<')
		return 0;
	n = 1 + source_route(text + 1);
	length = local_part(text + n);
	if (length == 0)
		return 0;
	n += length;
	if (text[n] == '@') {
		length = domain(text + n + 1);
		if (length == 0)
			return 0;
		n += 1 + length;
	}
	for (size_t i = 0; i < n; i++)
		*is_ascii &= (text[i] & 0x80) == 0;
	return text[n] == '>' ? n + 1 : 0;
}

bool
path_is_null(const char *path, size_t length)
{
	return length == 2 && strncmp(path, "<>", 2) == 0;
}

bool
path_is_complete(const char *path, size_t length)
{
	size_t n = 1 + source_route(path + 1);

	return path[n + local_part(path + n)] == '@' ||
	    (length == 12 && strncasecmp(path, "<postmaster>", 12) == 0);
}

bool
path_is_domain(const char *text, size_t length)
{
	return length > 0 && domain(text) == length;
}

/* --- replies that were asked for --- */

static size_t
digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* D.DDD.DDD, all of the text. */

static bool
is_enhanced(const char *text)
{
	size_t n;

	if (digits(text) != 1 || text[1] != '.')
		return false;
	n = digits(text + 2);
	if (n < 1 || n > 3 || text[2 + n] != '.')
		return false;
	text += 3 + n;
	n = digits(text);
	return n >= 1 && n <= 3 && text[n] == '\0';
}

static bool
asks(const char *text, struct asked *asked)
{
	if (digits(text) != 3 || strchr("245", *text) == NULL)
		return false;
	asked->code = atoi(text);
	asked->enhanced[0] = '\0';
	asked->text = "as you wish";
	if (text[3] == '\0')
		return true;
	if (text[3] != '-' || strlen(text + 4) >= sizeof asked->enhanced ||
	    !is_enhanced(text + 4))
		return false;
	(void)snprintf(asked->enhanced, sizeof asked->enhanced, "%s",
	    text + 4);
	return true;
}

bool
field_asks(const char *text, struct asked *asked)
{
	size_t word = strcspn(text, "-");

	asked->is_late = false;
	if (asks(text, asked))
		return true;
	return text[word] == '-' && asks(text + word + 1, asked);
}

bool
path_asks(const char *path, size_t length, struct asked *asked)
{
	char local[64];
	size_t n = strcspn(path, "@>");

	if (n > length || n == 0 || n - 1 >= sizeof local)
		return false;
	(void)snprintf(local, sizeof local, "%.*s", (int)n - 1, path + 1);
	if (isdigit((unsigned char)*local) || !field_asks(local, asked))
		return false;
	asked->is_late = strncmp(local, "late-", 5) == 0;
	return true;
}

/* --- parameters --- */

static bool
is_xtext(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '+') {
			if (strspn(text + 1, "0123456789ABCDEF") < 2)
				return false;
			text += 2;
		} else if (*text < '!' || *text > '~' || *text == '=') {
			return false;
		}
	}
	return true;
}

static bool
is_body(const char *value)
{
	return strcasecmp(value, "7BIT") == 0 ||
	    strcasecmp(value, "8BITMIME") == 0;
}

static bool
is_size(const char *value)
{
	size_t n = digits(value);

	return n > 0 && n <= 20 && value[n] == '\0';
}

static bool
is_ret(const char *value)
{
	return strcasecmp(value, "FULL") == 0 || strcasecmp(value, "HDRS") == 0;
}

static bool
is_envid(const char *value)
{
	return *value != '\0' && strlen(value) <= 100 && is_xtext(value);
}

static bool
is_sender(const char *value)
{
	return *value != '\0' && strlen(value) <= 500 && is_xtext(value);
}

static bool
is_notify(const char *value)
{
	static const char *const words[] = { "SUCCESS", "FAILURE", "DELAY" };

	if (strcasecmp(value, "NEVER") == 0)
		return true;
	for (;;) {
		size_t length = strcspn(value, ","), i = 0;

		while (i < 3 && (strlen(words[i]) != length ||
		    strncasecmp(value, words[i], length) != 0))
			i++;
		if (i == 3)
			return false;
		if (value[length] == '\0')
			return true;
		value += length + 1;
	}
}

/* "rfc822;xtext", or of RFC 6533 "utf-8;..." with octets above 127. */

static bool
is_orcpt(const char *value)
{
	const char *semicolon = strchr(value, ';');

	if (semicolon == NULL || semicolon == value || semicolon[1] == '\0' ||
	    strlen(value) > 500)
		return false;
	return strncasecmp(value, "utf-8;", 6) == 0 ||
	    is_xtext(semicolon + 1);
}

/* Digits, as many as nine; what is behind them, or NULL. */

static const char *
behind_nine(const char *value)
{
	size_t n = digits(value);

	return n > 0 && n <= 9 ? value + n : NULL;
}

/* RFC 2852 section 4 */

static bool
is_by(const char *value)
{
	const char *p = behind_nine(value + (*value == '-' || *value == '+'));
	bool is_return;

	if (p == NULL || p[0] != ';' || p[1] == '\0' ||
	    strchr("NnRr", p[1]) == NULL)
		return false;
	is_return = strchr("Rr", p[1]) != NULL;
	p += 2;
	p += *p == 'T' || *p == 't';
	return *p == '\0' && (!is_return || atol(value) > 0);
}

/* RFC 4865 section 4; of the date-times the one in UTC that we send */

static bool
is_hold_for(const char *value)
{
	const char *p = behind_nine(value);

	return p != NULL && *p == '\0' && *value != '0';
}

static bool
is_hold_until(const char *value)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	size_t i;

	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)value[i]) :
		    value[i] != form[i])
			return false;
	return value[i] == '\0';
}

/* RFC 6710 section 7 */

static bool
is_priority(const char *value)
{
	if (strcmp(value, "0") == 0)
		return true;
	value += *value == '-';
	return *value >= '1' && *value <= '9' && value[1] == '\0';
}

struct parameter {
	const char *name;
	enum extension extension;
	bool (*is_value)(const char *);		/* NULL: has none */
};

static const struct parameter mail_parameters[] = {
	{ "BODY",	EXT_8BITMIME,	is_body },	/* RFC 6152 */
	{ "SIZE",	EXT_SIZE,	is_size },	/* RFC 1870 */
	{ "SMTPUTF8",	EXT_SMTPUTF8,	NULL },		/* RFC 6531 */
	{ "RET",	EXT_DSN,	is_ret },	/* RFC 3461 */
	{ "ENVID",	EXT_DSN,	is_envid },
	{ "AUTH",	EXT_AUTH,	is_sender },	/* RFC 4954 */
	{ "REQUIRETLS",	EXT_REQUIRETLS,	NULL },		/* RFC 8689 */
	{ "BY",		EXT_DELIVERBY,	is_by },	/* RFC 2852 */
	{ "HOLDFOR",	EXT_FUTURERELEASE, is_hold_for }, /* RFC 4865 */
	{ "HOLDUNTIL",	EXT_FUTURERELEASE, is_hold_until },
	{ "MT-PRIORITY", EXT_MT_PRIORITY, is_priority }, /* RFC 6710 */
	{ NULL,		EXT_ALWAYS,	NULL },
};

static const struct parameter rcpt_parameters[] = {
	{ "NOTIFY",	EXT_DSN,	is_notify },	/* RFC 3461 */
	{ "ORCPT",	EXT_DSN,	is_orcpt },
	{ NULL,		EXT_ALWAYS,	NULL },
};

static void
note(const struct parameter *row, const char *value, struct mail_facts *facts)
{
	if (row->is_value == is_size)
		facts->size = strtoull(value, NULL, 10);
	if (row->extension == EXT_SMTPUTF8)
		facts->smtputf8 = true;
	if (row->is_value == is_by && strpbrk(value, "Rr") != NULL)
		facts->by_return = strtoul(value, NULL, 10);
	if (row->is_value == is_hold_for)
		facts->hold_for = strtoul(value, NULL, 10);
	if (row->is_value == is_hold_until)
		(void)snprintf(facts->hold_until, sizeof facts->hold_until,
		    "%s", value);
}

/* One "NAME" or "NAME=value". */

static enum parameters
take(char *word, const struct parameter *table, uint32_t announced,
    struct mail_facts *facts)
{
	char *equals = strchr(word, '=');
	uint32_t i = 0;

	if (equals != NULL)
		*equals = '\0';
	while (table[i].name != NULL && strcasecmp(table[i].name, word) != 0)
		i++;
	if (*word == '\0')
		return PARAMETERS_SYNTAX;
	if (table[i].name == NULL ||
	    (announced & 1u << table[i].extension) == 0)
		return PARAMETERS_UNKNOWN;
	if ((facts->seen & 1u << i) != 0 ||
	    (equals != NULL) != (table[i].is_value != NULL))
		return PARAMETERS_SYNTAX;
	facts->seen |= 1u << i;
	if (equals != NULL && !table[i].is_value(equals + 1))
		return PARAMETERS_SYNTAX;
	note(&table[i], equals != NULL ? equals + 1 : "", facts);
	return PARAMETERS_OK;
}

static enum parameters
parameters(const char *text, const struct parameter *table,
    uint32_t announced, struct mail_facts *facts)
{
	enum parameters result;
	char word[1024];

	while (*text != '\0') {
		size_t length = strcspn(text + 1, " ");

		if (*text != ' ' || length >= sizeof word)
			return PARAMETERS_SYNTAX;
		(void)snprintf(word, sizeof word, "%.*s", (int)length,
		    text + 1);
		result = take(word, table, announced, facts);
		if (result != PARAMETERS_OK)
			return result;
		text += 1 + length;
	}
	return PARAMETERS_OK;
}

enum parameters
parameters_mail(const char *text, uint32_t announced, struct mail_facts *facts)
{
	*facts = (struct mail_facts){ 0 };
	return parameters(text, mail_parameters, announced, facts);
}

enum parameters
parameters_rcpt(const char *text, uint32_t announced)
{
	struct mail_facts none = { 0 };

	return parameters(text, rcpt_parameters, announced, &none);
}
