#include "handed.h"

void
handed_lost(struct account *now)
{
	if (now->values[SET_PASSWORD] == NULL)
		buffer_wipe(&now->password);
}

static size_t
count(const struct config *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++)
		n += c->accounts[i].handed;
	return n;
}

bool
handed_are_open(const struct config *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->accounts[i].handed && !c->accounts[i].closed)
			return true;
	return false;
}

bool
handed_are_mixed(const struct config *c)
{
	size_t n = count(c);

	return n > 0 && n < c->n;
}

void
handed_end(struct config *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (!c->accounts[i].handed)
			continue;
		c->accounts[i].closed = true;
		config_forget(&c->accounts[i]);
	}
}

static void
close_own(struct config *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		c->accounts[i].closed = !c->accounts[i].handed;
}

bool
handed_may(const struct account *a, struct failure *why)
{
	if (a->closed)
		return fail(why, FAILURE_CONFIG, "the account \"%s\" (%s:%zu) "
		    "cannot be used in one run with %s, which may not see each "
		    "other; give this message apart, with --account %s",
		    a->name, a->file, a->line, a->handed ? "one of yours" :
		    "one of the system's", a->name);
	return true;
}

bool
handed_use(struct config *c, const struct account *a, struct failure *why)
{
	if (!handed_may(a, why))
		return false;
	if (count(c) == 0)
		return true;
	if (a->handed)
		close_own(c);
	else
		handed_end(c);
	return true;
}
