#include "reply.h"
#include "keys.h"
#include "terms.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Up to three digits at p, none beyond end; their count. */
static size_t
digits(const char *p, const char *end)
{
	size_t n = 0;

	while (n < 4 && p + n < end && isdigit((unsigned char)p[n]))
		n++;
	return n <= 3 ? n : 0;
}

/* RFC 3463 section 2: class "." subject "." detail, of the reply's class. */
static void
enhanced_code(struct reply *r, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t n;

	if (len < 5 || p[0] != '0' + r->code / 100 || p[1] != '.')
		return;
	p += 2;
	n = digits(p, end);
	if (n == 0 || p + n >= end || p[n] != '.')
		return;
	p += n + 1;
	n = digits(p, end);
	p += n;
	if (n == 0 || (p < end && *p != ' ') ||
	    (size_t)(p - text) >= sizeof r->enhanced)
		return;
	memcpy(r->enhanced, text, (size_t)(p - text));
	r->enhanced[p - text] = '\0';
}

static void
append(struct reply *r, const char *p, size_t len)
{
	size_t room = sizeof r->text - 1 - r->len;

	if (len > room)
		len = room;
	memcpy(r->text + r->len, p, len);
	r->len += len;
	r->text[r->len] = '\0';
}

/*
 * 0 when it is no code.  RFC 5321 section 4.2 has none like 571, but there are
 * servers that say it, and what counts is the first digit (section 4.3.2).
 */
static int
code_of(const char *p, size_t len)
{
	if (len < 3 || p[0] < '2' || p[0] > '5' || p[1] < '0' || p[1] > '9' ||
	    p[2] < '0' || p[2] > '9')
		return 0;
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

enum reply_state
reply_add(struct reply *r, const char *line, size_t len, const char **text,
    size_t *text_len, struct failure *why)
{
	int code = code_of(line, len);

	if (code == 0 || (len > 3 && line[3] != ' ' && line[3] != '-')) {
		(void)fail(why, FAILURE_PROTOCOL, "this is no SMTP reply: %.*s",
		    (int)(len < 200 ? len : 200), line);
		return REPLY_BROKEN;
	}
	if (r->lines > 0 && code != r->code) {
		(void)fail(why, FAILURE_PROTOCOL, "one reply with two codes, "
		    "%d and %d", r->code, code);
		return REPLY_BROKEN;
	}
	if (++r->lines > REPLY_LINES_MAX) {
		(void)fail(why, FAILURE_PROTOCOL, "a reply of more than %d "
		    "lines", REPLY_LINES_MAX);
		return REPLY_BROKEN;
	}
	r->code = code;
	*text = line + (len > 3 ? 4 : 3);
	*text_len = len > 3 ? len - 4 : 0;
	if (r->enhanced[0] == '\0')
		enhanced_code(r, *text, *text_len);
	if (r->lines == 1) {
		append(r, line, 3);
		append(r, " ", *text_len > 0);
	} else {
		append(r, " / ", 3);
	}
	append(r, *text, *text_len);
	return len > 3 && line[3] == '-' ? REPLY_MORE : REPLY_COMPLETE;
}

bool
reply_is_success(const struct reply *r)
{
	return r->code / 100 == 2;
}

bool
reply_is_temporary(const struct reply *r)
{
	return r->code / 100 == 4;
}

bool
reply_is_permanent(const struct reply *r)
{
	return r->code / 100 == 5;
}

/* The next word of the line, and the rest behind it. */
static size_t
word(const char **p, const char *end, const char **start)
{
	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
	*start = *p;
	while (*p < end && **p != ' ' && **p != '\t')
		(*p)++;
	return (size_t)(*p - *start);
}

static bool
is(const char *start, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(start, name, len) == 0;
}

/* A number without sign; false when it is none or does not fit. */
static bool
number(const char *p, size_t len, uint64_t *value)
{
	size_t i;

	*value = 0;
	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)p[i]) ||
		    *value > (UINT64_MAX - 9) / 10)
			return false;
		*value = *value * 10 + (uint64_t)(p[i] - '0');
	}
	return len > 0;
}

/* RFC 1870 section 4; a size that is no number limits nothing. */
static void
size_line(struct capabilities *c, const char *p, const char *end)
{
	const char *start;
	size_t n = word(&p, end, &start);

	c->size = true;
	if (!number(start, n, &c->size_max))
		c->size_max = 0;
}

/*
 * RFC 4954 section 3, and the older "AUTH=" form.  Lines add to each other.
 * A word that does not fit whole, or has a NUL, is left out, never cut.
 */
static void
auth_line(struct capabilities *c, const char *p, const char *end)
{
	size_t used = strlen(c->mechanisms), n, i;
	const char *start;

	c->auth = true;
	while ((n = word(&p, end, &start)) > 0) {
		if (n > 64 || used + n + 2 > sizeof c->mechanisms ||
		    memchr(start, '\0', n) != NULL)
			continue;
		if (used > 0)
			c->mechanisms[used++] = ' ';
		for (i = 0; i < n; i++)
			c->mechanisms[used++] =
			    (char)toupper((unsigned char)start[i]);
		c->mechanisms[used] = '\0';
	}
}

bool
capabilities_offer(const struct capabilities *c, const char *mechanism)
{
	const char *p = c->mechanisms, *end = p + strlen(p), *start;
	size_t n;

	while ((n = word(&p, end, &start)) > 0)
		if (is(start, n, mechanism))
			return true;
	return false;
}

/* RFC 9422 section 4: 1 to 6 digits, not zero; anything else is no limit. */
static unsigned
limit_value(const char *p, size_t len)
{
	uint64_t value;

	return len <= 6 && number(p, len, &value) ? (unsigned)value : 0;
}

/* Names compare without case; a line can have thousands of them. */
static bool
is_new(struct keys *names, const char *p, size_t n, struct pool *pool)
{
	char *name = pool_octets(pool, p, n);
	size_t i;

	for (i = 0; i < n; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
	if (keys_find(names, name, &i))
		return false;
	keys_add(names, name, 0, pool);
	return true;
}

static bool
limit(struct capabilities *c, const char *p, size_t len, struct keys *seen,
    struct pool *pool)
{
	static const char *const names[] = {
		"RCPTMAX", "MAILMAX", "RCPTDOMAINMAX"
	};
	unsigned *values[] = { &c->rcptmax, &c->mailmax, &c->rcptdomainmax };
	const char *equals = memchr(p, '=', len), *q;
	size_t i, n;

	if (equals == NULL || equals == p)
		return false;
	for (q = p; q < p + len; q++) {
		if (q < equals ? !isalnum((unsigned char)*q) && *q != '-' &&
		    *q != '_' : *q < 0x21 || *q > 0x7e || *q == ';')
			return false;
	}
	n = (size_t)(equals - p);
	if (!is_new(seen, p, n, pool))
		return false;
	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (is(p, n, names[i]))
			*values[i] = limit_value(equals + 1, len - n - 1);
	return true;
}

/* One word out of form, or one limit twice, and the whole line is void. */
static void
limits_line(struct capabilities *c, const char *p, const char *end)
{
	struct pool *pool = pool_new();
	struct keys seen = { 0 };
	const char *start;
	size_t n;

	c->limits = true;
	while (c->limits && (n = word(&p, end, &start)) > 0)
		c->limits = limit(c, start, n, &seen, pool);
	keys_free(&seen);
	pool_free(pool);
	if (!c->limits)
		c->rcptmax = c->mailmax = c->rcptdomainmax = 0;
}

/* RFC 2852 section 4: [min-by-time] *( "," extension-token ) */
static void
deliverby_line(struct capabilities *c, const char *p, const char *end)
{
	const char *start;
	size_t n = word(&p, end, &start);
	const char *comma = memchr(start, ',', n);

	c->deliverby = true;
	if (!number(start, comma != NULL ? (size_t)(comma - start) : n,
	    &c->by_min))
		c->by_min = 0;
}

/* RFC 4865 section 4 wants both maxima. */
static void
futurerelease_line(struct capabilities *c, const char *p, const char *end)
{
	const char *start;
	char moment[64] = "";
	size_t n = word(&p, end, &start);

	if (!number(start, n, &c->hold_max))
		return;
	n = word(&p, end, &start);
	if (n < sizeof moment)
		memcpy(moment, start, n);
	c->futurerelease = terms_date_time(moment, &c->hold_until_max);
}

void
capabilities_line(struct capabilities *c, const char *line, size_t len)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "STARTTLS", &c->starttls },
		{ "PIPELINING", &c->pipelining },
		{ "CHUNKING", &c->chunking },
		{ "8BITMIME", &c->eightbitmime },
		{ "SMTPUTF8", &c->smtputf8 },
		{ "DSN", &c->dsn },
		{ "ENHANCEDSTATUSCODES", &c->enhancedstatuscodes },
		{ "REQUIRETLS", &c->requiretls },
		{ "MT-PRIORITY", &c->mt_priority },
	};
	const char *p = line, *end = line + len, *start;
	size_t n = word(&p, end, &start), i;

	for (i = 0; i < sizeof flags / sizeof *flags; i++)
		if (is(start, n, flags[i].name))
			*flags[i].flag = true;
	if (is(start, n, "SIZE"))
		size_line(c, p, end);
	else if (is(start, n, "AUTH"))
		auth_line(c, p, end);
	else if (n > 5 && strncasecmp(start, "AUTH=", 5) == 0)
		auth_line(c, start + 5, end);
	else if (is(start, n, "LIMITS"))
		limits_line(c, p, end);
	else if (is(start, n, "DELIVERBY"))
		deliverby_line(c, p, end);
	else if (is(start, n, "FUTURERELEASE"))
		futurerelease_line(c, p, end);
}

char *
capabilities_text(const struct capabilities *c, struct pool *pool)
{
	const struct {
		const char *name;
		bool offered;
	} flags[] = {
		{ ",8BITMIME", c->eightbitmime }, { ",SMTPUTF8", c->smtputf8 },
		{ ",PIPELINING", c->pipelining }, { ",CHUNKING", c->chunking },
		{ ",DSN", c->dsn }, { ",REQUIRETLS", c->requiretls },
		{ ",MT-PRIORITY", c->mt_priority },
	};
	char text[256] = "", *p = text;
	size_t i;

	for (i = 0; i < sizeof flags / sizeof *flags; i++)
		if (flags[i].offered)
			p = stpcpy(p, flags[i].name);
	if (c->size)
		p += sprintf(p, ",SIZE %" PRIu64, c->size_max);
	if (c->deliverby)
		(void)sprintf(p, ",DELIVERBY %" PRIu64, c->by_min);
	return pool_string(pool, *text == '\0' ? "none" : text + 1);
}

void
capabilities_read(struct capabilities *c, const char *text)
{
	size_t n;

	for (c->extended = true; *text != '\0'; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		capabilities_line(c, text, n);
	}
}
