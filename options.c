#include "options.h"
#include "command.h"
#include "config.h"
#include "terms.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { TAG_ROOM = 64 };			/* octets that syslog is shown */

struct parse {
	struct options *o;
	struct pool *pool;
	struct failure *why;
	char **argv;
	int argc;
	int at;
};

enum argument { NO, YES, ATTACHED };	/* ATTACHED: optional, in this word */

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
			return fail(p->why, FAILURE_USAGE, "-V wants printable ASCII, not \"%s\"",
			    value);
	if (strlen(value) > 100)
		return fail(p->why, FAILURE_USAGE, "-V takes at most 100 characters");
	p->o->envid = value;
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
	    "submits a message and ends", value);
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

static void
select_kept(struct options *o, struct selection s, struct pool *pool)
{
	o->selections = pool_grow(pool, o->selections, &o->nselections,
	    sizeof s);
	o->selections[o->nselections - 1] = s;
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
	if (*value == '\0') {
		if (p->at >= p->argc)
			return fail(p->why, FAILURE_USAGE, "-q%c wants an "
			    "argument", s.what);
		value = p->argv[p->at++];
	}
	s.text = value;
	select_kept(p->o, s, p->pool);
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

/* One word of letters: flags in a cluster, an argument ends it. */
static bool
cluster(struct parse *p, const char *word)
{
	const struct letter *l;
	const char *value;

	for (word++; *word != '\0'; word++) {
		l = find_letter(*word);
		if (l == NULL)
			return fail(p->why, FAILURE_USAGE, "there is no option -%s",
			    pool_octets(p->pool, word, 1));
		if (l->argument == NO) {
			if (!l->take(p, *word, NULL))
				return false;
			continue;
		}
		value = word + 1;
		if (*value == '\0' && l->argument == YES) {
			if (p->at >= p->argc)
				return fail(p->why, FAILURE_USAGE, "-%s wants an argument",
				    pool_octets(p->pool, word, 1));
			value = p->argv[p->at++];
		}
		return l->take(p, *word, value);
	}
	return true;
}

/* Options that are no setting of an account. */
static bool
own_option(struct parse *p, const char *name, size_t len, bool *known)
{
	static const char *const names[] = {
		"check", "version", "help", "json", "keep", "require-tls",
		"verbose", "queue"
	};
	struct options *o = p->o;
	size_t i, n = sizeof names / sizeof *names;

	for (i = 0; i < n; i++)
		if (strlen(names[i]) == len &&
		    memcmp(names[i], name, len) == 0)
			break;
	*known = i < n && name[len] == '\0';
	if (!*known)
		return true;
	o->mode = i == 0 ? MODE_CHECK : i == 1 ? MODE_VERSION : i == 2 ?
	    MODE_HELP : i == 7 ? MODE_LIST : o->mode;
	o->json = o->json || i == 3;
	o->keep = o->keep || i == 4;
	o->require_tls = o->require_tls || i == 5;
	o->verbose += i == 6;
	return true;
}

static bool
take_hold_until(struct parse *p, const char *value)
{
	if (!terms_time(value, &p->o->hold_until))
		return fail(p->why, FAILURE_USAGE, "--hold-until is a time, as "
		    "in \"2026-12-01 08:00\" or 2026-12-01T08:00:00+01:00, "
		    "not \"%s\"", value);
	if (p->o->hold_until <= 0)
		p->o->hold_until = 1;	/* 0 is none; this is as long past */
	return true;
}

/* What is done with one kept message; --forget has an account, too. */
static bool
kept_option(struct options *o, const char *name, const char *value,
    struct pool *pool)
{
	if (strcmp(name, "forget") == 0) {
		o->mode = MODE_FORGET;
		o->account = value;
	} else if (strcmp(name, "show") == 0) {
		o->mode = MODE_SHOW;
		o->id = value;
	} else if (strcmp(name, "resend") == 0) {
		o->mode = MODE_RETRY;
		select_kept(o, (struct selection){ .what = '=',
		    .text = value }, pool);
	} else {
		return false;
	}
	return true;
}

static bool
valued_option(struct parse *p, const char *name, const char *value)
{
	struct options *o = p->o;
	const struct {
		const char *name;
		const char **target;
	} own[] = {
		{ "account", &o->account },
		{ "config", &o->config },
		{ "log-level", &o->log_level },
	};
	size_t i;

	for (i = 0; i < sizeof own / sizeof *own; i++) {
		if (strcmp(own[i].name, name) == 0) {
			*own[i].target = value;
			return true;
		}
	}
	if (kept_option(o, name, value, p->pool))
		return true;
	if (strcmp(name, "hold-until") == 0)
		return take_hold_until(p, value);
	if (strcmp(name, "tls-required") == 0) {
		if (strcmp(value, "no") != 0)
			return fail(p->why, FAILURE_USAGE, "--tls-required is \"no\" (or "
			    "--require-tls), not \"%s\"", value);
		name = "require-tls";
	}
	o->overrides = pool_grow(p->pool, o->overrides, &o->noverrides,
	    sizeof *o->overrides);
	o->overrides[o->noverrides - 1] = (struct override){ name, value };
	return true;
}

static bool
takes_value(const char *name)
{
	return config_has_option(name) || strcmp(name, "account") == 0 ||
	    strcmp(name, "forget") == 0 || strcmp(name, "hold-until") == 0 ||
	    strcmp(name, "show") == 0 || strcmp(name, "resend") == 0 ||
	    strcmp(name, "config") == 0 || strcmp(name, "log-level") == 0 ||
	    strcmp(name, "tls-required") == 0;
}

static bool
long_option(struct parse *p, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	bool known;

	if (strcmp(word, "--version") == 0) {
		p->o->mode = MODE_VERSION;
		return true;
	}
	if (!p->o->sendoff)
		return fail(p->why, FAILURE_USAGE, "\"%s\": as sendmail this program has no long "
		    "options; call it sendoff", word);
	if (!own_option(p, name, len, &known) || known)
		return true;
	name = pool_octets(p->pool, name, len);
	if (!takes_value(name))
		return fail(p->why, FAILURE_USAGE, "there is no option --%s (sendoff --help "
		    "lists them)", name);
	if (equals != NULL)
		return valued_option(p, name, equals + 1);
	if (p->at >= p->argc)
		return fail(p->why, FAILURE_USAGE, "--%s wants a value", name);
	return valued_option(p, name, p->argv[p->at++]);
}

/* --hold-until is about one message, and leaves no room for --hold-for. */
static bool
agree(struct parse *p)
{
	const struct options *o = p->o;
	size_t i;

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
			return fail(p->why, FAILURE_USAGE, "\"%s\" stands behind a recipient; "
			    "options come first, and \"--\" before recipients "
			    "that begin with \"-\"", word);
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
	    "smtpd: this is no daemon; it submits a message and ends");
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
		if (word[1] == '-' ? !long_option(&p, word) :
		    !cluster(&p, word))
			return false;
	}
	return take_recipients(&p, false);
}
