/*
 * When and how urgently: what is understood of a text is written, and
 * understood again as the same.
 */
#include "fuzz.h"
#include "terms.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool
is_same(const struct terms *a, const struct terms *b)
{
	return a->by_mode == b->by_mode && a->by_trace == b->by_trace &&
	    a->by == b->by && a->hold_for == b->hold_for &&
	    a->hold_until == b->hold_until &&
	    a->has_priority == b->has_priority && a->priority == b->priority;
}

/* "NAME=VALUE" with blanks between. */
static bool
take_all(struct terms *t, char *text)
{
	char *word, *rest = text, *value;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		value = strchr(word, '=');
		if (value == NULL)
			return false;
		*value++ = '\0';
		if (!terms_take(t, word, value))
			return false;
	}
	return true;
}

static void
check_parameters(const char *text, struct pool *pool)
{
	struct terms t = { 0 }, same = { 0 }, later;
	const char *said;

	if (!take_all(&t, pool_string(pool, text)))
		return;
	assert(t.hold_for == 0 || t.hold_until == 0);
	assert(!t.has_priority || (t.priority >= -9 && t.priority <= 9));
	assert(t.by_mode == 0 || t.by_mode == 'N' || t.by_mode == 'R');
	said = terms_parameters(&t, pool);
	assert(strpbrk(said, "\r\n") == NULL);
	assert(take_all(&same, pool_string(pool, said)) && is_same(&t, &same));
	later = t;
	later.since = 1700000000;
	if (terms_count_from(&later, 1700000100)) {
		assert(later.hold_for == 0);
		assert(t.by_mode == 0 || later.by == t.by - 100 ||
		    later.by < t.by);
	}
	terms_prefer(&same, &later);
}

static void
check_texts(const char *text, struct pool *pool)
{
	struct terms t = { 0 }, same = { 0 };
	time_t when, again;
	long seconds;
	int priority;

	if (terms_duration(text, &seconds))
		assert(seconds >= 1 && seconds <= 999999999);
	if (terms_priority(text, &priority))
		assert(priority >= -9 && priority <= 9);
	if (terms_date_time(text, &when) && when != 0)
		assert(terms_date_time(terms_utc(when, pool), &again) &&
		    when == again);
	(void)terms_time(text, &when);
	if (terms_deliver_by(text, &t))
		assert(terms_take(&same, "BY", terms_by(&t, pool)) &&
		    is_same(&t, &same));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	char *text = pool_octets(pool, (const char *)data, size);

	check_parameters(text, pool);
	check_texts(text, pool);
	pool_free(pool);
	return 0;
}
