#include "import.h"
#include "fair.h"
#include "file.h"
#include "report.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OCTETS_MAX = 1024 * 1024 };

static const struct import_kind *const kinds[] = {
	&import_msmtp, &import_ssmtp, &import_nullmailer, &import_dma,
	&import_esmtp, &import_mox, &import_mailrc, &import_postfix,
};

const struct import_kind *const *
import_kinds(size_t *n)
{
	*n = sizeof kinds / sizeof *kinds;
	return kinds;
}

/* Is it one of the words, each with a blank around it? */
static bool
is_among(const char *words, const char *word, size_t len)
{
	const char *p;

	for (p = words; (p = strchr(p, ' ')) != NULL; p++)
		if (len > 0 && strncmp(p + 1, word, len) == 0 &&
		    p[1 + len] == ' ')
			return true;
	return false;
}

static const struct import_kind *
said(const char **name)
{
	size_t i, n;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		n = strlen(kinds[i]->name);
		if (strncmp(*name, kinds[i]->name, n) == 0 &&
		    (*name)[n] == ':') {
			*name += n + 1;
			return kinds[i];
		}
	}
	return NULL;
}

static const struct import_kind *
named(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash == NULL ? name : slash + 1;
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (is_among(kinds[i]->files, base, strlen(base)))
			return kinds[i];
	slash = strstr(name, "msmtp/config");
	return slash != NULL && strcmp(slash, "msmtp/config") == 0 ?
	    &import_msmtp : NULL;
}

/* How many lines begin with a word of it. */
static size_t
score(const struct import_kind *kind, const char *text)
{
	size_t n, found = 0;
	char word[64];

	assert(kind != NULL);
	for (; *text != '\0'; text += *text == '\n') {
		text += strspn(text, " \t");
		n = strcspn(text, " \t\r\n=:");
		if (n > 0 && n < sizeof word) {
			memcpy(word, text, n);
			word[n] = '\0';
			found += kind->signs != NULL ?
			    is_among(kind->signs, word, n) :
			    draft_find(kind->rows, word) < kind->rows->n;
		}
		text += strcspn(text, "\n");
	}
	return found;
}

static const struct import_kind *
recognised(const char *text)
{
	const struct import_kind *best = NULL;
	size_t i, n, most = 0;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		n = score(kinds[i], text);
		if (n == most)
			best = NULL;
		if (n <= most)
			continue;
		most = n;
		best = kinds[i];
	}
	return best;
}

const struct import_kind *
import_kind_of(const char **name, const char *text)
{
	const struct import_kind *kind = said(name);

	if (kind == NULL)
		kind = named(*name);
	return kind != NULL || text == NULL ? kind : recognised(text);
}

/* With a NUL behind it that is not counted. */
static bool
open_beside(void *context, const char *name, struct buffer *text)
{
	(void)context;
	if (!file_read(name, OCTETS_MAX, text))
		return false;
	buffer_put(text, "", 1);
	text->end--;
	return true;
}

static bool
read_named(const char *name, struct buffer *text, struct failure *why)
{
	FILE *f = file_stream_any(name);
	bool ok = f != NULL && file_take_in(f, OCTETS_MAX, text);

	if (!ok)
		(void)fail(why, FAILURE_NOINPUT, "--import: %s cannot be read: "
		    "%s", name, file_error(errno));
	if (f != NULL)
		(void)fclose(f);
	if (ok && memchr(buffer_data(text), '\0', buffer_len(text)) != NULL)
		return fail(why, FAILURE_MESSAGE, "--import: %s is no text: "
		    "there is a NUL in it", name);
	buffer_put(text, "", 1);
	return ok;
}

static int
print(struct draft *d, const char *program)
{
	struct buffer text = BUFFER_SECRET;
	size_t i;

	for (i = 0; i < d->nerrors; i++)
		(void)fprintf(stderr, "%s\n", d->errors[i]);
	if (d->nerrors > 0)
		return failure_status(FAILURE_MESSAGE);
	fair_copy(d, isatty(STDOUT_FILENO) == 1, &text);
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	(void)fwrite(buffer_data(&text), 1, buffer_len(&text), stdout);
	buffer_wipe(&text);
	return report_output(program);
}

static int
import_text(const struct caller *c, const char *name, char *text,
    struct pool *pool, const char *program)
{
	struct draft d = { .pool = pool, .home = c->home,
	    .open = open_beside };
	const struct import_kind *kind = import_kind_of(&name, text);

	if (kind == NULL) {
		(void)fprintf(stderr, "%s: --import: nothing in this file "
		    "tells whose it is; say so, as in --import=msmtp:%s "
		    "(msmtp, ssmtp, nullmailer, dma, esmtp, mox, mailrc, "
		    "postfix)\n", program, name);
		return failure_status(FAILURE_USAGE);
	}
	d.file = name;
	d.program = kind->program;
	kind->read(&d, text);
	return print(&d, program);
}

int
import_configuration(const struct options *o, const struct caller *c,
    const char *program)
{
	struct buffer text = BUFFER_SECRET;
	struct pool *pool = pool_new();
	struct failure why = { 0 };
	const char *name = o->import;
	int status;

	(void)said(&name);
	if (read_named(name, &text, &why))
		status = import_text(c, o->import, buffer_data(&text), pool,
		    program);
	else
		status = report_failure(program, &why);
	buffer_wipe(&text);
	pool_free(pool);
	return status;
}
