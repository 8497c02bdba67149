#include "terms.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SECONDS_MAX = 999999999 };	/* RFC 2852, RFC 4865: 1*9DIGIT */

/* 1*9DIGIT and where it ends. */
static bool
nine_digits(const char **text, long *n)
{
	size_t digits = strspn(*text, "0123456789");

	if (digits == 0 || digits > 9)
		return false;
	*n = strtol(*text, NULL, 10);
	*text += digits;
	return true;
}

bool
terms_duration(const char *text, long *seconds)
{
	static const struct {
		char unit;
		long seconds;
	} units[] = {
		{ '\0', 1 },	{ 's', 1 },	{ 'm', 60 },
		{ 'h', 3600 },	{ 'd', 86400 },	{ 'w', 604800 },
	};
	const char *p = text;
	size_t i;
	long n;

	if (!nine_digits(&p, &n) || n == 0 || (*p != '\0' && p[1] != '\0'))
		return false;
	for (i = 0; i < sizeof units / sizeof *units; i++)
		if (tolower((unsigned char)*p) == units[i].unit)
			break;
	if (i == sizeof units / sizeof *units ||
	    n > SECONDS_MAX / units[i].seconds)
		return false;
	*seconds = n * units[i].seconds;
	return true;
}

/* One word behind the duration; each but once. */
static bool
deliver_by_word(const char *word, size_t len, struct terms *t)
{
	static const char *const words[] = { "notify", "return", "trace" };
	size_t i;

	for (i = 0; i < 3; i++)
		if (strlen(words[i]) == len &&
		    strncasecmp(words[i], word, len) == 0)
			break;
	if (i == 3 || (i == 2 ? t->by_trace : t->by_mode != 0))
		return false;
	if (i == 2)
		t->by_trace = true;
	else
		t->by_mode = i == 0 ? 'N' : 'R';
	return true;
}

bool
terms_deliver_by(const char *text, struct terms *t)
{
	struct terms got = { 0 };
	char duration[16] = "";
	const char *p = text + strspn(text, " ,\t");
	size_t len = strcspn(p, " ,\t");

	if (len >= sizeof duration)
		return false;
	memcpy(duration, p, len);
	if (!terms_duration(duration, &got.by))
		return false;
	for (;;) {
		p += len;
		p += strspn(p, " ,\t");
		len = strcspn(p, " ,\t");
		if (len == 0)
			break;
		if (!deliver_by_word(p, len, &got))
			return false;
	}
	t->by = got.by;
	t->by_mode = got.by_mode != 0 ? got.by_mode : 'N';
	t->by_trace = got.by_trace;
	return true;
}

/* RFC 6710 section 7: (["-"] NZDIGIT) / "0" */
bool
terms_priority(const char *text, int *priority)
{
	bool negative = *text == '-';
	const char *digit = text + negative;

	if (!isdigit((unsigned char)*digit) || digit[1] != '\0' ||
	    (negative && *digit == '0'))
		return false;
	*priority = negative ? '0' - *digit : *digit - '0';
	return true;
}

/* One of the octets before (none: ""), then just so many digits. */
static bool
field(const char **p, const char *before, int digits, int max, int *value)
{
	if (*before != '\0' && (**p == '\0' || strchr(before, **p) == NULL))
		return false;
	*p += *before != '\0';
	for (*value = 0; digits > 0; digits--, ++*p) {
		if (!isdigit((unsigned char)**p))
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return *value <= max;
}

/* RFC 3339 section 5.6: time-secfrac, time-offset; then nothing. */
static bool
zone(const char *p, int *minutes)
{
	int hour, minute, sign = *p == '-' ? -1 : 1;

	*minutes = 0;
	if (tolower((unsigned char)*p) == 'z')
		return p[1] == '\0';
	if (!field(&p, "+-", 2, 23, &hour) || !field(&p, ":", 2, 59, &minute))
		return false;
	*minutes = sign * (hour * 60 + minute);
	return *p == '\0';
}

struct moment {
	struct tm tm;
	bool leap;			/* the second was 60 */
	bool fraction;			/* and more than a whole one */
};

/* Date and time without the zone; seconds may be missing when optional. */
static bool
date_and_time(const char **p, const char *between, bool optional,
    struct moment *m)
{
	struct tm *tm = &m->tm;
	size_t n;

	if (!field(p, "", 4, 9999, &tm->tm_year) ||
	    !field(p, "-", 2, 12, &tm->tm_mon) ||
	    !field(p, "-", 2, 31, &tm->tm_mday) ||
	    !field(p, between, 2, 23, &tm->tm_hour) ||
	    !field(p, ":", 2, 59, &tm->tm_min))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	if (optional && **p != ':')
		return true;
	if (!field(p, ":", 2, 60, &tm->tm_sec))
		return false;
	m->leap = tm->tm_sec == 60;
	tm->tm_sec -= m->leap;
	if (**p != '.')
		return true;
	n = strspn(++*p, "0123456789");
	m->fraction = strspn(*p, "0") < n;
	*p += n;
	return n > 0;
}

/* There is no 30 February, and an hour of a night in spring is missing. */
static bool
is_same(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon &&
	    a->tm_mday == b->tm_mday && a->tm_hour == b->tm_hour &&
	    a->tm_min == b->tm_min;
}

static bool
from_utc(const struct tm *tm, time_t *t)
{
	struct tm copy = *tm, back = { 0 };

	*t = timegm(&copy);
	return gmtime_r(t, &back) != NULL && is_same(tm, &back);
}

/* The latest of the moments that the local clock shows like this. */
static bool
from_local(const struct tm *tm, time_t *t)
{
	struct tm copy, back;
	bool found = false;
	time_t one;
	int dst;

	for (dst = -1; dst <= 1; dst++) {
		copy = *tm;
		copy.tm_isdst = dst;
		one = mktime(&copy);
		if (localtime_r(&one, &back) == NULL || !is_same(tm, &back))
			continue;
		if (!found || one > *t)
			*t = one;
		found = true;
	}
	return found;
}

/* With a zone behind it. */
static bool
from_zone(const struct tm *tm, const char *offset, time_t *t)
{
	int minutes;

	if (!zone(offset, &minutes) || !from_utc(tm, t))
		return false;
	*t -= (time_t)minutes * 60;
	return true;
}

/* From the first to the last second that RFC 3339 can write. */
static bool
round_up(const struct moment *m, time_t *t)
{
	*t += m->leap || m->fraction;
	return (long long)*t >= -62167219200LL &&
	    (long long)*t <= 253402300799LL;
}

bool
terms_date_time(const char *text, time_t *t)
{
	struct moment m = { .leap = false };

	return date_and_time(&text, "Tt", false, &m) &&
	    from_zone(&m.tm, text, t) && round_up(&m, t);
}

bool
terms_time(const char *text, time_t *t)
{
	struct moment m = { .leap = false };

	if (!date_and_time(&text, "Tt ", true, &m))
		return false;
	if (*text == '\0' ? !from_local(&m.tm, t) :
	    !from_zone(&m.tm, text, t))
		return false;
	return round_up(&m, t);
}

const char *
terms_utc(time_t t, struct pool *pool)
{
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	return pool_printf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

/*
 * RFC 2852 section 4: by-time ";" by-mode [by-trace], and no time that is over
 * with "R".
 */
static bool
take_by(struct terms *t, const char *p)
{
	bool negative = *p == '-';
	long n;
	char mode;

	p += *p == '-' || *p == '+';
	if (!nine_digits(&p, &n) || *p++ != ';')
		return false;
	mode = (char)toupper((unsigned char)*p);
	if (mode != 'N' && mode != 'R')
		return false;
	t->by_trace = tolower((unsigned char)p[1]) == 't';
	t->by = negative ? -n : n;
	t->by_mode = mode;
	return p[1 + t->by_trace] == '\0' && (mode == 'N' || t->by > 0);
}

bool
terms_take(struct terms *t, const char *name, const char *value)
{
	if (value == NULL)
		return false;
	if (strcasecmp(name, "BY") == 0)
		return t->by_mode == 0 && take_by(t, value);
	if (strcasecmp(name, "MT-PRIORITY") == 0 && !t->has_priority) {
		t->has_priority = true;
		return terms_priority(value, &t->priority);
	}
	if (t->hold_for != 0 || t->hold_until != 0)
		return false;		/* RFC 4865: one of them, once */
	if (strcasecmp(name, "HOLDFOR") == 0)
		return nine_digits(&value, &t->hold_for) && *value == '\0' &&
		    t->hold_for > 0;
	return strcasecmp(name, "HOLDUNTIL") == 0 &&
	    terms_date_time(value, &t->hold_until) && t->hold_until > 0;
}

const char *
terms_by(const struct terms *t, struct pool *pool)
{
	return pool_printf(pool, "%ld;%c%s", t->by, t->by_mode,
	    t->by_trace ? "T" : "");
}

const char *
terms_parameters(const struct terms *t, struct pool *pool)
{
	const char *text = "";

	if (t->by_mode != 0)
		text = pool_printf(pool, " BY=%s", terms_by(t, pool));
	if (t->hold_for != 0)
		text = pool_printf(pool, "%s HOLDFOR=%ld", text, t->hold_for);
	if (t->hold_until != 0)
		text = pool_printf(pool, "%s HOLDUNTIL=%s", text,
		    terms_utc(t->hold_until, pool));
	if (t->has_priority)
		text = pool_printf(pool, "%s MT-PRIORITY=%d", text,
		    t->priority);
	return text;
}

void
terms_prefer(struct terms *t, const struct terms *other)
{
	if (other->by_mode != 0) {
		t->by = other->by;
		t->by_mode = other->by_mode;
		t->by_trace = other->by_trace;
	}
	if (other->hold_for != 0 || other->hold_until != 0) {
		t->hold_for = other->hold_for;
		t->hold_until = other->hold_until;
	}
	if (other->has_priority) {
		t->has_priority = true;
		t->priority = other->priority;
	}
}

bool
terms_count_from(struct terms *t, time_t now)
{
	long long passed = now > t->since ? (long long)now - t->since : 0;
	long long left = t->by - passed;

	if (t->by_mode != 0)
		t->by = (long)(left < -SECONDS_MAX ? -SECONDS_MAX : left);
	if (t->hold_for != 0)
		t->hold_until = t->since + t->hold_for;
	t->hold_for = 0;
	if (t->hold_until <= now)
		t->hold_until = 0;
	t->since = now;
	return t->by_mode != 'R' || t->by > 0;
}
