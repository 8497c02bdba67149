#include "handed.h"
#include "privilege.h"

void
handed_lost(struct account *now)
{
	if (now->values[SET_PASSWORD] == NULL)
		buffer_wipe(&now->password);
	if (now->values[SET_CLIENT_KEY_ED25519] == NULL)
		buffer_wipe(&now->seed);
}

static size_t
count(const struct config *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++)
		n += c->accounts[i].handed;
	return n;
}

/* The first of those that may be used, or NULL. */
static const struct account *
open_one(const struct config *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->accounts[i].handed && !c->accounts[i].closed)
			return &c->accounts[i];
	return NULL;
}

bool
handed_are_open(const struct config *c)
{
	return open_one(c) != NULL;
}

bool
handed_may_show(const struct config *c, struct failure *why)
{
	const struct account *a = open_one(c);

	return a == NULL || !c->handed->lent || fail(why, FAILURE_USAGE,
	    "--trace=auth is not for %s: who may not read that file may not "
	    "see its login; -v shows all but that", a->called);
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
		return fail(why, FAILURE_CONFIG, "%s cannot be used in one run "
		    "with %s, which may not see each other; give this message "
		    "apart, with --account %s", a->called, a->handed ?
		    "one of yours" : "one of the system's", a->name);
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
