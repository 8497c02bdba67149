#include "options.h"
#include "letters.h"
#include "longs.h"
#include "parse.h"

#include <string.h>

void
parse_select(struct parse *p, struct selection s)
{
	struct options *o = p->o;

	o->selections = pool_grow(p->pool, o->selections, &o->nselections,
	    sizeof s);
	o->selections[o->nselections - 1] = s;
}

/* A message is one of these: the whole of it, or its text. */
static bool
is_one_message(struct parse *p)
{
	const struct writing *w = &p->o->writing;

	if (w->data != NULL && (w->body != NULL || w->test))
		return fail(p->why, FAILURE_USAGE, "--data is a whole message "
		    "and leaves nothing for %s", w->test ? "--test" : "--body");
	return true;
}

/* There standard output is a dialogue, and perhaps standard error, too. */
static bool
has_place_for_trace(struct parse *p)
{
	const struct options *o = p->o;

	return o->mode != MODE_SERVE || (!o->trace_logins && !o->trace_data) ||
	    fail(p->why, FAILURE_USAGE, "--trace is not for -bs, where the "
	    "caller's SMTP is spoken; what goes wrong there is in the log");
}

/* --hold-until is about one message, and leaves no room for --hold-for. */
static bool
agree(struct parse *p)
{
	const struct options *o = p->o;
	size_t i;

	if (o->mode == MODE_PROBE && !longs_probe(p))
		return false;
	if (!is_one_message(p) || !has_place_for_trace(p))
		return false;
	if (o->hold_until == 0)
		return true;
	for (i = 0; i < o->noverrides; i++)
		if (strcmp(o->overrides[i].name, "hold-for") == 0)
			return fail(p->why, FAILURE_USAGE, "--hold-for and "
			    "--hold-until exclude each other");
	return o->mode != MODE_RETRY || fail(p->why, FAILURE_USAGE,
	    "--hold-until is for a new message; a kept one has its own time");
}

static bool
take_recipients(struct parse *p, bool dashes_allowed)
{
	struct options *o = p->o;
	const char *word;

	for (; p->at < p->argc; p->at++) {
		word = p->argv[p->at];
		if (*word == '-' && !dashes_allowed)
			return fail(p->why, FAILURE_USAGE, "\"%s\" stands "
			    "behind a recipient; options come first, and \"--\" "
			    "before recipients that begin with \"-\"", word);
		o->recipients = pool_grow(p->pool, o->recipients,
		    &o->nrecipients, sizeof *o->recipients);
		o->recipients[o->nrecipients - 1] = word;
	}
	return agree(p);
}

static const char *
base(const char *argv0)
{
	const char *slash = argv0 == NULL ? NULL : strrchr(argv0, '/');

	if (argv0 == NULL)
		return "";
	argv0 = slash != NULL ? slash + 1 : argv0;
	return argv0 + (*argv0 == '-');
}

bool
options_is_sendoff(const char *argv0)
{
	return strcmp(base(argv0), "sendoff") == 0;
}

/* By the other names of sendmail it does what they stand for. */
static bool
take_program(struct options *o, const char *name, struct failure *why)
{
	static const struct {
		const char *name;
		enum mode mode;
	} names[] = {
		{ "mailq", MODE_LIST },		{ "newaliases", MODE_ALIASES },
		{ "runq", MODE_RETRY },		{ "hoststat", MODE_NOTHING },
		{ "purgestat", MODE_NOTHING },
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, name) == 0)
			o->mode = names[i].mode;
	if (strcmp(name, "rmail") == 0)
		o->keep_dots = true;
	return strcmp(name, "smtpd") != 0 || fail(why, FAILURE_USAGE,
	    "smtpd: this is no daemon; it submits a message and ends, and as "
	    "\"sendmail -bs\" it speaks SMTP on standard input");
}

bool
options_parse(struct options *o, int argc, char **argv, struct pool *pool,
    struct failure *why)
{
	struct parse p = { o, pool, why, argv, argc, 1 };
	const char *name = argc > 0 ? base(argv[0]) : "";
	const char *word;

	*o = (struct options){ .sendoff = strcmp(name, "sendoff") == 0 };
	if (!take_program(o, name, why))
		return false;
	while (p.at < argc && argv[p.at][0] == '-' && argv[p.at][1] != '\0') {
		word = argv[p.at++];
		if (strcmp(word, "--") == 0)
			return take_recipients(&p, true);
		if (word[1] == '-' ? !longs_take(&p, word) :
		    !letters_take(&p, word))
			return false;
	}
	return take_recipients(&p, false);
}

const char *
options_setting(const struct options *o, const char *name)
{
	size_t i;

	for (i = o->noverrides; i > 0; i--)
		if (strcmp(o->overrides[i - 1].name, name) == 0)
			return o->overrides[i - 1].value;
	return NULL;
}
