#include "longs.h"
#include "config.h"
#include "header.h"
#include "terms.h"

#include <string.h>

/* An option that is no setting of an account; value: NULL when it has none. */
struct option {
	const char *name;
	enum argument argument;
	bool (*take)(struct parse *, const char *name, const char *value);
};

static bool
take_mode(struct parse *p, const char *name, const char *value)
{
	static const struct {
		const char *name;
		enum mode mode;
	} modes[] = {
		{ "check", MODE_CHECK },	{ "help", MODE_HELP },
		{ "print-certificate", MODE_CERTIFICATE },
		{ "queue", MODE_LIST },		{ "talk", MODE_TRIAL },
		{ "version", MODE_VERSION },
	};
	size_t i;

	(void)value;
	p->o->talk = p->o->talk || strcmp(name, "talk") == 0;
	for (i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(modes[i].name, name) == 0)
			p->o->mode = modes[i].mode;
	return true;
}

static bool
take_flag(struct parse *p, const char *name, const char *value)
{
	struct options *o = p->o;

	(void)value;
	o->json = o->json || strcmp(name, "json") == 0;
	o->keep = o->keep || strcmp(name, "keep") == 0;
	o->progress = o->progress || strcmp(name, "progress") == 0;
	o->require_tls = o->require_tls || strcmp(name, "require-tls") == 0;
	o->writing.test = o->writing.test || strcmp(name, "test") == 0;
	o->verbose += strcmp(name, "verbose") == 0;
	return true;
}

static bool
take_text(struct parse *p, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **target;
	} own[] = {
		{ "account", &p->o->account },
		{ "body", &p->o->writing.body },
		{ "config", &p->o->config },
		{ "data", &p->o->writing.data },
		{ "log-level", &p->o->log_level },
	};
	size_t i;

	for (i = 0; i < sizeof own / sizeof *own; i++)
		if (strcmp(own[i].name, name) == 0)
			*own[i].target = value;
	return true;
}

/* What is done with one kept message; --forget has an account, too. */
static bool
take_kept(struct parse *p, const char *name, const char *value)
{
	if (strcmp(name, "forget") == 0) {
		p->o->mode = MODE_FORGET;
		p->o->account = value;
	} else if (strcmp(name, "show") == 0) {
		p->o->mode = MODE_SHOW;
		p->o->id = value;
	} else {
		p->o->mode = MODE_RETRY;
		parse_select(p, (struct selection){ .what = '=',
		    .text = value });
	}
	return true;
}

static void
add(struct parse *p, const char ***list, size_t *n, const char *value)
{
	*list = pool_grow(p->pool, *list, n, sizeof **list);
	(*list)[*n - 1] = value;
}

static bool
take_file(struct parse *p, const char *name, const char *value)
{
	(void)name;
	add(p, &p->o->writing.files, &p->o->writing.nfiles, value);
	return true;
}

/* A line end in it would be a field that nobody has asked for. */
static bool
take_field(struct parse *p, const char *name, const char *value)
{
	size_t len = strlen(value);

	if (strcmp(name, "subject") == 0) {
		value = pool_printf(p->pool, "Subject: %s", value);
		len = strlen(value);
	}
	if (header_name(value, len) == 0 || strpbrk(value, "\r\n") != NULL)
		return fail(p->why, FAILURE_USAGE, "--%s: \"%s\" is no header "
		    "field; it is one line like \"Subject: hello\"", name,
		    value);
	add(p, &p->o->writing.fields, &p->o->writing.nfields, value);
	return true;
}

static bool
take_stage(struct parse *p, const char *name, const char *value)
{
	p->o->mode = MODE_TRIAL;
	p->o->last = stage_find(value);
	return p->o->last != STAGE_ALL || fail(p->why, FAILURE_USAGE, "--%s "
	    "is %s, not \"%s\"", name, stage_words(), value);
}

static bool
take_level(struct options *o, const char *word, size_t len)
{
	const struct {
		const char *word;
		bool *also;
	} levels[] = {
		{ "protocol", NULL },
		{ "auth", &o->trace_logins },
		{ "data", &o->trace_data },
	};
	size_t i;

	for (i = 0; i < sizeof levels / sizeof *levels; i++) {
		if (strlen(levels[i].word) != len ||
		    memcmp(levels[i].word, word, len) != 0)
			continue;
		if (levels[i].also != NULL)
			*levels[i].also = true;
		return true;
	}
	return false;
}

/* What may be private is asked for by its name, and by no number of -v. */
static bool
take_trace(struct parse *p, const char *name, const char *value)
{
	const char *word = value;
	size_t len = strcspn(word, ",");

	for (; take_level(p->o, word, len); len = strcspn(word, ",")) {
		if (word[len] == '\0') {
			p->o->verbose += p->o->verbose == 0;
			return true;
		}
		word += len + 1;
	}
	return fail(p->why, FAILURE_USAGE, "--%s is protocol, auth or data, or "
	    "several with commas between, not \"%s\"", name, value);
}

static bool
take_import(struct parse *p, const char *name, const char *value)
{
	(void)name;
	p->o->mode = MODE_IMPORT;
	p->o->import = value;
	return true;
}

static bool
take_hold_until(struct parse *p, const char *name, const char *value)
{
	(void)name;
	if (!terms_time(value, &p->o->hold_until))
		return fail(p->why, FAILURE_USAGE, "--hold-until is a time, as "
		    "in \"2026-12-01 08:00\" or 2026-12-01T08:00:00+01:00, "
		    "not \"%s\"", value);
	if (p->o->hold_until <= 0)
		p->o->hold_until = 1;	/* 0 is none; this is as long past */
	return true;
}

static bool
take_setting(struct parse *p, const char *name, const char *value)
{
	struct options *o = p->o;

	o->overrides = pool_grow(p->pool, o->overrides, &o->noverrides,
	    sizeof *o->overrides);
	o->overrides[o->noverrides - 1] = (struct override){ name, value };
	return true;
}

static bool
take_explain(struct parse *p, const char *name, const char *value)
{
	p->o->mode = MODE_EXPLAIN;
	p->o->live = value != NULL;
	return value == NULL || strcmp(value, "live") == 0 || fail(p->why,
	    FAILURE_USAGE, "--%s is alone or \"live\", not \"%s\"", name,
	    value);
}

/* The server is what --server would name. */
static bool
take_probe(struct parse *p, const char *name, const char *value)
{
	(void)name;
	p->o->mode = MODE_PROBE;
	if (value == NULL)
		return true;
	if (strcmp(value, "rcpt") != 0)
		return take_setting(p, "server", value);
	p->o->probe_rcpt = true;
	return true;
}

bool
longs_probe(struct parse *p)
{
	struct options *o = p->o;

	if (o->nrecipients > 0 && strstr(o->recipients[0], "://") != NULL) {
		(void)take_setting(p, "server", *o->recipients++);
		o->nrecipients--;
	}
	if (o->probe_rcpt && o->nrecipients == 0)
		return fail(p->why, FAILURE_USAGE, "--probe=rcpt wants "
		    "recipients to ask the server about");
	return o->probe_rcpt || o->nrecipients == 0 || fail(p->why,
	    FAILURE_USAGE, "--probe takes the URL of a server, as in "
	    "smtps://mail.example.org, not \"%s\" (--from=ADDRESS looks for "
	    "an address's; recipients are for --probe=rcpt)", o->recipients[0]);
}

static bool
take_tls_required(struct parse *p, const char *name, const char *value)
{
	if (strcmp(value, "no") != 0)
		return fail(p->why, FAILURE_USAGE, "--%s is \"no\" (or "
		    "--require-tls), not \"%s\"", name, value);
	return take_setting(p, "require-tls", value);
}

static const struct option options[] = {
	{ "account", YES, take_text },	{ "attach", YES, take_file },
	{ "body", YES, take_text },	{ "check", NO, take_mode },
	{ "config", YES, take_text },	{ "data", YES, take_text },
	{ "explain", ATTACHED, take_explain },
	{ "forget", YES, take_kept },	{ "header", YES, take_field },
	{ "help", NO, take_mode },	{ "hold-until", YES, take_hold_until },
	{ "import", YES, take_import },
	{ "json", NO, take_flag },	{ "keep", NO, take_flag },
	{ "log-level", YES, take_text },
	{ "print-certificate", NO, take_mode },
	{ "queue", NO, take_mode },
	{ "probe", ATTACHED, take_probe }, { "progress", NO, take_flag },
	{ "quit-after", YES, take_stage },
	{ "require-tls", NO, take_flag }, { "resend", YES, take_kept },
	{ "show", YES, take_kept },	{ "subject", YES, take_field },
	{ "talk", NO, take_mode },	{ "test", NO, take_flag },
	{ "tls-required", YES, take_tls_required },
	{ "trace", YES, take_trace },
	{ "verbose", NO, take_flag },	{ "version", NO, take_mode },
};

/*
 * --require-tls is an option of its own; with a value it is the setting.
 */
static bool
find(const char *name, bool has_value, struct option *found)
{
	size_t i;

	for (i = 0; i < sizeof options / sizeof *options; i++) {
		if (strcmp(options[i].name, name) != 0 ||
		    (options[i].argument == NO && has_value))
			continue;
		*found = options[i];
		return true;
	}
	*found = (struct option){ name, YES, take_setting };
	return config_has_option(name);
}

/* A misspelt one; NULL when none is like it. */
static const char *
meant(const char *name)
{
	const char *setting = setting_meant(name);
	size_t i;

	for (i = 0; i < sizeof options / sizeof *options; i++)
		if (setting_resembles(name, options[i].name))
			return options[i].name;
	return setting != NULL && config_has_option(setting) ? setting : NULL;
}

static bool
unknown(const struct parse *p, const char *name)
{
	const char *other = meant(name);

	if (other != NULL && strcmp(other, name) == 0)
		return fail(p->why, FAILURE_USAGE, "--%s takes no value", name);
	if (other != NULL)
		return fail(p->why, FAILURE_USAGE, "there is no option --%s; "
		    "is --%s meant?", name, other);
	return fail(p->why, FAILURE_USAGE, "there is no option --%s (sendoff "
	    "--help lists them)", name);
}

bool
longs_take(struct parse *p, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	struct option o;

	if (!p->o->sendoff && strcmp(name, "version") != 0)
		return fail(p->why, FAILURE_USAGE, "\"%s\": as sendmail this "
		    "program has no long options; call it sendoff", word);
	if (equals != NULL)
		name = pool_octets(p->pool, name, (size_t)(equals - name));
	if (!find(name, equals != NULL, &o))
		return unknown(p, name);
	if (equals != NULL)
		return o.take(p, name, equals + 1);
	if (o.argument != YES)
		return o.take(p, name, NULL);
	if (p->at >= p->argc && o.take == take_kept)
		return fail(p->why, FAILURE_USAGE, "--%s wants the id of a "
		    "kept message (mailq lists them)", name);
	if (p->at >= p->argc)
		return fail(p->why, FAILURE_USAGE, "--%s wants a value, "
		    "as in --%s=VALUE (sendoff --help has them)", name, name);
	return o.take(p, name, p->argv[p->at++]);
}
