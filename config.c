#include "config.h"
#include "file.h"
#include "line.h"
#include "utf8.h"
#include "vault.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_OCTETS_MAX = 1024 * 1024,
	LINE_OCTETS_MAX = 8192,
	INCLUDES_MAX = 8
};

struct reading {
	struct config *config;
	const char *file;
	size_t line;
	char *text;			/* of the line, which is wiped */
	enum origin origin;
	bool private;			/* nobody else may read the file */
	bool trusted;			/* nobody else may have written it */
	config_open *open;
	int depth;
	struct account *defaults;	/* settings before any account */
	size_t first;			/* the file's first account */
	size_t account;			/* SIZE_MAX: none begun yet */
};

const char *
config_name(enum setting setting)
{
	return setting_kind(setting)->name;
}

bool
config_is_secret(enum setting setting)
{
	return setting_kind(setting)->secret;
}

const char *
config_value(const struct account *a, enum setting setting)
{
	return a->values[setting] != NULL ? a->values[setting] :
	    setting_kind(setting)->standard;
}

int
config_number(const struct account *a, enum setting setting)
{
	return atoi(config_value(a, setting));
}

static void
error_at(struct reading *r, size_t column, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
add_error(struct reading *r, size_t column, const char *text)
{
	struct config *c = r->config;

	c->errors = pool_grow(c->pool, c->errors, &c->nerrors,
	    sizeof *c->errors);
	c->errors[c->nerrors - 1] = pool_printf(c->pool, "%s:%zu:%zu: %s",
	    r->file, r->line, column, text);
}

/* What stands in a line of a handed file could be the password. */
static void
error_at(struct reading *r, size_t column, const char *fmt, ...)
{
	va_list ap;

	if (r->origin == CONFIG_HANDED) {
		add_error(r, column, "there is an error that is not for your "
		    "eyes; root sees it with: sendoff --check");
		return;
	}
	va_start(ap, fmt);
	add_error(r, column, pool_vprintf(r->config->pool, fmt, ap));
	va_end(ap);
}

bool
config_has_identity(const struct account *a)
{
	return a->values[SET_CLIENT_CERTIFICATE] != NULL ||
	    a->values[SET_CLIENT_KEY_ED25519] != NULL;
}

static bool
add_server(struct account *a, const char *text, struct pool *pool,
    struct failure *why)
{
	struct endpoint e;

	if (!url_parse(text, &e, pool, why))
		return false;
	a->servers = pool_grow(pool, a->servers, &a->nservers,
	    sizeof *a->servers);
	a->servers[a->nservers - 1] = e;
	a->values[SET_SERVER] = a->nservers == 1 ? e.text :
	    pool_printf(pool, "%s %s", a->values[SET_SERVER], e.text);
	return true;
}

static struct account *
current(struct reading *r)
{
	return r->account == SIZE_MAX ? r->defaults :
	    &r->config->accounts[r->account];
}

static void
begin_account(struct reading *r, const char *name)
{
	struct config *c = r->config;
	struct account *a;

	c->accounts = pool_grow(c->pool, c->accounts, &c->n, sizeof *a);
	r->account = c->n - 1;
	a = &c->accounts[r->account];
	a->name = name;
	a->file = r->file;
	a->line = r->line;
	a->called = pool_printf(c->pool, "the account \"%s\" (%s:%zu)", name,
	    r->file, r->line);
	a->system = r->origin != CONFIG_USERS;
	a->handed = r->origin == CONFIG_HANDED;
}

static void
account_line(struct reading *r, const struct word *words, size_t n)
{
	bool ill;
	size_t i;

	if (n != 2 || *words[1].text == '\0') {
		error_at(r, words[0].column, "\"account\" wants one name");
		return;
	}
	ill = utf8_has_control(words[1].text);
	if (ill)
		error_at(r, words[1].column, "the name of an account must not "
		    "hold control characters");
	for (i = r->first; !ill && i < r->config->n; i++)
		if (strcmp(r->config->accounts[i].name, words[1].text) == 0)
			error_at(r, words[1].column, "there is an account "
			    "\"%s\" already, in line %zu", words[1].text,
			    r->config->accounts[i].line);
	begin_account(r, words[1].text);
}

/* What does not look like one is not shown: it may stand in any file. */
static void
unknown_key(struct reading *r, const struct word *word)
{
	const char *meant = setting_meant(word->text);

	if (meant != NULL)
		error_at(r, word->column, "there is no setting \"%s\"; is "
		    "\"%s\" meant?", word->text, meant);
	else
		error_at(r, word->column, "this is no setting (man "
		    "sendoff.conf lists them)");
}

static void
server_line(struct reading *r, const struct word *words, size_t n)
{
	struct failure why;
	size_t i;

	for (i = 1; i < n; i++)
		if (!add_server(current(r), words[i].text, r->config->pool,
		    &why))
			error_at(r, words[i].column, "%s", why.text);
	if (n == 1)
		error_at(r, words[0].column, "server has no value");
}

/* A name from "/" on, or a word in its place. */
static bool
is_fixed(const char *name)
{
	return *name == '/' || strcmp(name, "none") == 0 ||
	    strcmp(name, "never") == 0 || strcmp(name, "syslog") == 0 ||
	    url_is_pkcs11(name);
}

static void
judge_name(struct reading *r, enum setting s, const struct word *word)
{
	if (s == SET_KEEP && r->origin == CONFIG_USERS &&
	    *word->text != '\0' && *word->text != '~' &&
	    !is_fixed(word->text))
		error_at(r, word->column, "the folder is to be found again from "
		    "everywhere, so its name begins with \"/\", and not as in "
		    "\"%s\"", word->text);
	if (r->origin != CONFIG_USERS && !is_fixed(word->text))
		error_at(r, word->column, "in the system's configuration the "
		    "name of a file begins with \"/\", and not as in \"%s\"",
		    word->text);
}

static struct buffer *
vault_of(struct account *a, enum setting s)
{
	return s == SET_CLIENT_KEY_ED25519 ? &a->seed : &a->password;
}

static const char *
hold(struct buffer *secret, const char *text)
{
	secret->secret = true;
	buffer_wipe(secret);
	buffer_put(secret, text, strlen(text) + 1);
	return buffer_data(secret);
}

void
config_forget(struct account *a)
{
	buffer_wipe(&a->password);
	buffer_wipe(&a->pin);
	buffer_wipe(&a->seed);
	a->values[SET_PASSWORD] = a->values[SET_CLIENT_KEY_ED25519] = NULL;
}

void
config_forget_all(struct config *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		config_forget(&c->accounts[i]);
}

/*
 * The PINs of its words go from the line to the vault, the first to stay; what
 * is shown, and outlasts the line, is masked.
 */
static void
take_pins(struct reading *r, enum setting s, struct word *words, size_t n)
{
	struct account *a = current(r);
	size_t i;

	for (i = 1; i < n; i++) {
		if (!url_has_pin(words[i].text))
			continue;
		if (!r->private)
			error_at(r, words[i].column, "others can read this "
			    "file, so no PIN may stand in it; mend it with: "
			    "chmod 600 %s", r->file);
		if (s == SET_CLIENT_KEY || buffer_len(&a->pin) == 0) {
			a->pin.secret = true;
			buffer_wipe(&a->pin);
			url_pin(words[i].text, &a->pin);
			buffer_put(&a->pin, "", 1);
		}
		words[i].text = (char *)(size_t)url_shown(words[i].text,
		    r->config->pool);
	}
}

static void
setting_line(struct reading *r, enum setting s, const struct word *words,
    size_t n)
{
	const struct setting_kind *kind = setting_kind(s);
	struct account *a = current(r);
	struct failure why;
	const char *value, *rival;

	if (n > 2 && (strcmp(words[1].text, "=") == 0 ||
	    strcmp(words[1].text, ":") == 0)) {
		error_at(r, words[1].column, "a blank alone stands between %s "
		    "and its value", kind->name);
		return;
	}
	if (kind->shape == SERVER) {
		server_line(r, words, n);
		return;
	}
	if (n == 1 || (n > 2 && !setting_takes_several(s))) {
		error_at(r, words[n == 1 ? 0 : 2].column, n == 1 ?
		    "%s has no value" : "%s has one value; put it in quotes "
		    "when it holds blanks", kind->name);
		return;
	}
	if (a->values[s] != NULL)
		error_at(r, words[0].column, "%s is set twice",
		    kind->name);
	rival = setting_rival(a->values, s);
	if (rival != NULL)
		error_at(r, words[0].column, "%s", rival);
	if (kind->secret && !r->private)
		error_at(r, words[0].column, "others can read this file, so "
		    "no %s may stand in it; mend it with: chmod 600 %s",
		    s == SET_PASSWORD ? "password" : "key", r->file);
	if (kind->shape == FILE_NAME)
		judge_name(r, s, &words[1]);
	value = kind->secret ? hold(vault_of(a, s), words[1].text) :
	    line_join(words + 1, n - 1, r->config->pool);
	if (!setting_check(s, &value, r->config->pool, &why))
		error_at(r, words[1].column, "%s", why.text);
	a->values[s] = value;
	if (s == SET_PASSWORD_COMMAND || s == SET_OAUTH_COMMAND)
		a->may_run = r->trusted;	/* this file, not its includer */
}

/* NOLINTBEGIN(misc-no-recursion): as deep as INCLUDES_MAX. */
static void	read_lines(struct reading *, FILE *);

/* A file within a file: the same account goes on behind it. */
static void
include_line(struct reading *r, const struct word *words, size_t n)
{
	struct reading inner = *r;
	struct failure why;
	FILE *f;

	if (n != 2) {
		error_at(r, words[0].column, "\"include\" wants one file");
		return;
	}
	if (!setting_check_file("include", words[1].text, &why)) {
		error_at(r, words[1].column, "%s", why.text);
		return;
	}
	if (r->open == NULL || r->depth >= INCLUDES_MAX) {
		error_at(r, words[1].column, "files include each other too "
		    "deeply");
		return;
	}
	judge_name(r, SETTINGS, &words[1]);
	f = r->open(words[1].text);
	if (f == NULL && r->origin == CONFIG_HANDED && errno == EACCES) {
		add_error(r, words[1].column, "what is included here must be "
		    "a file that you may read, too");
		return;
	}
	if (f == NULL) {
		r->config->scarce = r->config->scarce ||
		    file_blame(errno) == FAILURE_LOCAL;
		error_at(r, words[1].column, "%s cannot be read: %s",
		    words[1].text, file_error(errno));
		return;
	}
	inner.file = words[1].text;
	inner.depth++;
	read_lines(&inner, f);
	(void)fclose(f);
	r->account = inner.account;
}

static void
statement(struct reading *r)
{
	struct word words[LINE_WORDS_MAX + 1] = { 0 };
	const char *ill;
	size_t n, column;
	enum setting s;

	ill = line_split(r->text, words, &n, &column);
	if (ill != NULL)
		error_at(r, column, "%s", ill);
	if (ill != NULL || n == 0)
		return;
	s = setting_find(words[0].text);
	if (s < SETTINGS && config_is_secret(s)) {
		setting_line(r, s, words, n);
		return;
	}
	if (s == SETTINGS && strcmp(words[0].text, "account") != 0 &&
	    strcmp(words[0].text, "include") != 0) {
		unknown_key(r, &words[0]);	/* of a password, perhaps */
		return;
	}
	if (setting_is_certificate(s))	/* a PIN may be in it */
		take_pins(r, s, words, n);
	line_settle(words, n, r->config->pool);
	if (s < SETTINGS)
		setting_line(r, s, words, n);
	else if (strcmp(words[0].text, "account") == 0)
		account_line(r, words, n);
	else
		include_line(r, words, n);
}

/* Judged on what was opened: a secret in it must be its owner's alone. */
static void
judge_file(struct reading *r, FILE *f)
{
	const char *doubt;
	struct stat st;

	r->private = r->trusted = true;
	if (fileno(f) < 0 || fstat(fileno(f), &st) != 0)
		return;			/* in memory, as a test has it */
	r->private = (st.st_mode & (r->origin != CONFIG_USERS ? 07 : 077)) == 0;
	doubt = file_doubt(fileno(f));
	r->trusted = doubt == NULL;
	if (!r->trusted && !r->config->chosen)
		error_at(r, 1, "%s, so it is not believed; mend it with: "
		    "chmod go-w %s, or chown", doubt, r->file);
}

/* A line without its end; false when it cannot be one. */
static bool
usable(struct reading *r, char *text, size_t len)
{
	if (len > LINE_OCTETS_MAX) {
		error_at(r, LINE_OCTETS_MAX, "the line has more than %d "
		    "octets", LINE_OCTETS_MAX);
		return false;
	}
	if (memchr(text, '\0', len) != NULL) {
		error_at(r, strlen(text) + 1, "the line has a NUL in it");
		return false;
	}
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	if (len > 0 && text[len - 1] == '\r')
		text[--len] = '\0';
	return true;
}

static bool
take_in(struct reading *r, FILE *f, struct buffer *text)
{
	bool ok = file_take_in(f, FILE_OCTETS_MAX, text);

	if (!ok && errno == EFBIG)
		error_at(r, 1, "the file has more than %d octets",
		    FILE_OCTETS_MAX);
	else if (!ok)
		error_at(r, 1, "the file cannot be read: %s", strerror(errno));
	return ok;
}

static void
take_apart(struct reading *r, char *p, const char *end)
{
	char *nl;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = p + (end - p) - 1;
		r->text = p;
		if (usable(r, p, (size_t)(nl - p) + 1))
			statement(r);
		r->line++;
	}
}

static void
read_lines(struct reading *r, FILE *f)
{
	struct buffer text = BUFFER_SECRET;
	struct config *c = r->config;

	c->files = pool_grow(c->pool, c->files, &c->nfiles, sizeof *c->files);
	c->files[c->nfiles - 1] = r->file;
	r->line = 1;
	judge_file(r, f);
	if (take_in(r, f, &text)) {
		buffer_put(&text, "", 1);
		take_apart(r, buffer_data(&text), buffer_data(&text) +
		    buffer_len(&text) - 1);
	}
	buffer_wipe(&text);
}
/* NOLINTEND(misc-no-recursion) */

static bool
has_inherited(const struct reading *r, const struct account *a, enum setting s)
{
	return a->values[s] == r->defaults->values[s];
}

/* A copy, for each account wipes its own. */
static void
inherit_secret(const struct reading *r, struct account *a, enum setting s)
{
	if (a->values[s] != NULL && has_inherited(r, a, s))
		a->values[s] = hold(vault_of(a, s), a->values[s]);
}

/* What stood before the first account line is every account's. */
static void
inherit(struct reading *r)
{
	struct account *a;
	size_t i, s;

	for (i = r->first; i < r->config->n; i++) {
		a = &r->config->accounts[i];
		if (a->values[SET_PASSWORD_COMMAND] == NULL &&
		    a->values[SET_OAUTH_COMMAND] == NULL)
			a->may_run = r->defaults->may_run;
		for (s = 0; s < SETTINGS; s++)
			if (a->values[s] == NULL && s != SET_SERVER &&
			    setting_rival(a->values, (enum setting)s) == NULL)
				a->values[s] = r->defaults->values[s];
		inherit_secret(r, a, SET_PASSWORD);
		inherit_secret(r, a, SET_CLIENT_KEY_ED25519);
		if (has_inherited(r, a, SET_CLIENT_KEY) &&
		    has_inherited(r, a, SET_CLIENT_CERTIFICATE) &&
		    r->defaults->pin.data != NULL)
			(void)hold(&a->pin, buffer_data(&r->defaults->pin));
		if (a->nservers == 0) {
			a->servers = r->defaults->servers;
			a->nservers = r->defaults->nservers;
			a->values[SET_SERVER] =
			    r->defaults->values[SET_SERVER];
		}
	}
}

void
config_read(struct config *config, FILE *f, const char *file,
    enum origin origin, config_open *open)
{
	struct account defaults = { 0 };
	struct reading r = { .config = config, .file = file, .origin = origin,
	    .open = open, .defaults = &defaults, .first = config->n,
	    .account = SIZE_MAX };
	size_t s, set = 0;

	read_lines(&r, f);
	for (s = 0; s < SETTINGS; s++)
		set += defaults.values[s] != NULL;
	if (config->n == r.first && set > 0) {
		r.line = 1;
		begin_account(&r, "default");
	}
	inherit(&r);
	config_forget(&defaults);
	vault_sweep();
}

bool
config_has_option(const char *name)
{
	enum setting s = setting_find(name);

	return s < SETTINGS && !setting_kind(s)->no_option;
}

bool
config_override(struct account *a, const char *name, const char *value,
    struct pool *pool, struct failure *why)
{
	enum setting s = setting_find(name);
	bool ok;

	if (!config_has_option(name))
		return fail(why, FAILURE_USAGE, "there is no option --%s",
		    name);
	if (url_has_pin(value))
		return fail(why, FAILURE_USAGE, "--%s: everybody can read a "
		    "command line, so no PIN may stand in it; write it into a "
		    "file, and here: pin-source=/path", name);
	if (s == SET_SERVER) {
		a->servers = NULL;
		a->nservers = 0;
		ok = add_server(a, value, pool, why);
	} else {
		ok = setting_check(s, &value, pool, why);
		a->values[s] = value;
	}
	if (!ok)
		return fail(why, FAILURE_USAGE, "--%s: %s", name,
		    pool_string(pool, why->text));
	return true;
}
