#include "letters.h"
#include "command.h"
#include "path.h"

#include <string.h>
#include <strings.h>

enum { TAG_ROOM = 64 };			/* octets that syslog is shown */

/*
 * Every letter that a sendmail knows, with its number of arguments: one that
 * were taken wrongly would turn its argument into a recipient.
 */
struct letter {
	char letter;
	enum argument argument;
	bool (*take)(struct parse *, char, const char *);
};

static bool
ignore(struct parse *p, char letter, const char *value)
{
	(void)p;
	(void)letter;
	(void)value;
	return true;
}

/*
 * Flags of strangers that could name a file or a policy: said in the log, each
 * letter once, however often it comes.
 */
static bool
ignore_aloud(struct parse *p, char letter, const char *value)
{
	const char *before = p->o->ignored != NULL ? p->o->ignored : "";

	(void)value;
	if (strchr(before, letter) == NULL)
		p->o->ignored = pool_printf(p->pool, "%s%s-%c", before,
		    *before != '\0' ? " " : "", letter);
	return true;
}

static bool
take_flag(struct parse *p, char letter, const char *value)
{
	(void)value;
	switch (letter) {
	case 't':
		p->o->from_header = true;
		break;
	case 'i':
		p->o->keep_dots = true;
		break;
	case 'n':
		p->o->no_aliases = true;
		break;
	case 'v':
		p->o->verbose++;
		break;
	case '4':
		p->o->family = 4;
		break;
	case '6':
		p->o->family = 6;
		break;
	}
	return true;
}

static bool
take_sender(struct parse *p, char letter, const char *value)
{
	(void)letter;
	p->o->sender = value;
	return true;
}

static bool
take_name(struct parse *p, char letter, const char *value)
{
	(void)letter;
	p->o->full_name = *value != '\0' ? value : NULL;
	return true;
}

/* A wrong word is ignored, as Postfix does. */
static bool
take_notify(struct parse *p, char letter, const char *value)
{
	p->o->notify = command_notify(value, p->pool);
	return p->o->notify != NULL || ignore_aloud(p, letter, value);
}

/* A claim; the content decides. */
static bool
take_body(struct parse *p, char letter, const char *value)
{
	(void)letter;
	p->o->claims_7bit = strcasecmp(value, "7BIT") == 0;
	return true;
}

static bool
take_ret(struct parse *p, char letter, const char *value)
{
	if (strcasecmp(value, "full") == 0)
		p->o->ret = "FULL";
	else if (strcasecmp(value, "hdrs") == 0)
		p->o->ret = "HDRS";
	else
		return ignore_aloud(p, letter, value);
	return true;
}

static bool
take_envid(struct parse *p, char letter, const char *value)
{
	const char *v;

	(void)letter;
	for (v = value; *v != '\0'; v++)
		if (*v < ' ' || *v > '~')
			return fail(p->why, FAILURE_USAGE, "-V wants "
			    "printable ASCII, not \"%s\"", value);
	if (strlen(path_xtext(value, p->pool)) > PATH_ENVID_MAX)
		return fail(p->why, FAILURE_USAGE, "-V takes at most %d "
		    "characters; a blank, \"+\" and \"=\" count as three",
		    PATH_ENVID_MAX);
	/* An empty ENVID= is no parameter, and would cost the message. */
	p->o->envid = *value != '\0' ? value : NULL;
	return true;
}

static bool
take_small_o(struct parse *p, char letter, const char *value)
{
	(void)letter;
	if (strcmp(value, "i") == 0 || strcmp(value, "itrue") == 0)
		p->o->keep_dots = true;
	return true;
}

/* What Postfix means by it; only a stronger policy is taken from a caller. */
static bool
take_big_o(struct parse *p, char letter, const char *value)
{
	if (strcasecmp(value, "requiretls=yes") == 0) {
		p->o->require_tls = true;
		return true;
	}
	if (strcasecmp(value, "smtputf8=yes") == 0 ||
	    strcasecmp(value, "smtputf8=no") == 0) {
		p->o->smtputf8 = value[9] == 'y' || value[9] == 'Y' ?
		    SMTPUTF8_ALWAYS : SMTPUTF8_NEVER;
		return true;
	}
	return ignore_aloud(p, letter, value);
}

static bool
take_config(struct parse *p, char letter, const char *value)
{
	if (!p->o->sendoff)
		return ignore_aloud(p, letter, value);
	p->o->config = value;
	return true;
}

/* What follows -b: the modes, and those that only a daemon has. */
static bool
take_mode(struct parse *p, char letter, const char *value)
{
	static const struct {
		char name;
		enum mode mode;
	} modes[] = {
		{ 'm', MODE_SUBMIT },	{ 's', MODE_SERVE },
		{ 'p', MODE_LIST },	{ 'i', MODE_ALIASES },
		{ 'v', MODE_VERIFY },	{ 'V', MODE_VERSION },
		{ 'h', MODE_NOTHING },	{ 'H', MODE_NOTHING },
	};
	size_t i;

	(void)letter;
	for (i = 0; i < sizeof modes / sizeof *modes; i++) {
		if (*value == modes[i].name && value[1] == '\0') {
			p->o->mode = modes[i].mode;
			return true;
		}
	}
	return fail(p->why, FAILURE_USAGE, "-b%s: this is no daemon; it "
	    "submits a message and ends, and what is queued goes out by a timer "
	    "that runs: sendmail -q", value);
}

static bool
take_aliases(struct parse *p, char letter, const char *value)
{
	(void)letter;
	(void)value;
	p->o->mode = MODE_ALIASES;
	return true;
}

/* -d0 and -d0.1 ask a sendmail what it is; other debugging is none of ours. */
static bool
take_debug(struct parse *p, char letter, const char *value)
{
	(void)letter;
	if (strcmp(value, "0") == 0 || strcmp(value, "0.1") == 0)
		p->o->mode = MODE_VERSION;
	return true;
}

/*
 * -q, -qf, -q15m: all; -qI, -qR, -qS with text: whose id, recipient or sender
 * holds it, "!" before the letter turns that round.  A bare -qI takes the next
 * word.
 */
static bool
take_queue(struct parse *p, char letter, const char *value)
{
	struct selection s = { .turned = *value == '!' };

	if (letter == 'Q')
		return ignore_aloud(p, letter, value);
	p->o->mode = MODE_RETRY;
	value += s.turned;
	if (*value == '\0' || strchr("IRS", *value) == NULL)
		return true;
	s.what = *value++;
	if (*value == '\0' && p->at < p->argc)
		value = p->argv[p->at++];
	if (*value == '\0')		/* which all of them hold */
		return fail(p->why, FAILURE_USAGE, "-q%c wants a part of what "
		    "it looks for, as in: -q%c 2026", s.what, s.what);
	s.text = value;
	parse_select(p, s);
	return true;
}

/* syslog shows it as the program: no line of it begins another. */
static bool
take_tag(struct parse *p, char letter, const char *value)
{
	char shown[TAG_ROOM];

	(void)letter;
	(void)printable(shown, sizeof shown, value, strlen(value));
	p->o->tag = pool_string(p->pool, shown);
	return true;
}

static const struct letter letters[] = {
	{ 'A', YES, ignore },		{ 'B', YES, take_body },
	{ 'b', YES, take_mode },	{ 'C', YES, take_config },
	{ 'c', NO, ignore },		{ 'D', YES, ignore_aloud },
	{ 'd', ATTACHED, take_debug },	{ 'E', ATTACHED, ignore },
	{ 'e', YES, ignore },		{ 'F', YES, take_name },
	{ 'f', YES, take_sender },	{ 'G', NO, ignore },
	{ 'h', YES, ignore },		{ 'I', NO, take_aliases },
	{ 'i', NO, take_flag },		{ 'J', ATTACHED, ignore },
	{ 'L', YES, take_tag },		{ 'M', YES, ignore },
	{ 'm', NO, ignore },		{ 'N', YES, take_notify },
	{ 'n', NO, take_flag },		{ 'O', YES, take_big_o },
	{ 'o', YES, take_small_o },	{ 'p', YES, ignore },
	{ 'q', ATTACHED, take_queue },	{ 'Q', ATTACHED, take_queue },
	{ 'R', YES, take_ret },		{ 'r', YES, take_sender },
	{ 's', NO, ignore },		{ 'T', NO, ignore },
	{ 't', NO, take_flag },		{ 'U', NO, ignore },
	{ 'V', YES, take_envid },	{ 'v', NO, take_flag },
	{ 'X', YES, ignore_aloud },	{ 'x', NO, ignore },
	{ '4', NO, take_flag },		{ '6', NO, take_flag },
};

static const struct letter *
find_letter(char c)
{
	size_t i;

	for (i = 0; i < sizeof letters / sizeof *letters; i++)
		if (letters[i].letter == c)
			return &letters[i];
	return NULL;
}

/* Flags in a cluster; an argument ends it. */
bool
letters_take(struct parse *p, const char *word)
{
	const struct letter *l;
	const char *value;

	for (word++; *word != '\0'; word++) {
		l = find_letter(*word);
		if (l == NULL)
			return fail(p->why, FAILURE_USAGE, "there is no "
			    "option -%s (man sendmail lists them)",
			    pool_octets(p->pool, word, 1));
		if (l->argument == NO) {
			if (!l->take(p, *word, NULL))
				return false;
			continue;
		}
		value = word + 1;
		if (*value == '\0' && l->argument == YES) {
			if (p->at >= p->argc)
				return fail(p->why, FAILURE_USAGE, "-%s wants "
				    "something behind it (see: man sendmail)",
				    pool_octets(p->pool, word, 1));
			value = p->argv[p->at++];
		}
		return l->take(p, *word, value);
	}
	return true;
}
