#include "store.h"
#include "command.h"
#include "log.h"
#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char spool_parent[] = "/var/spool/sendoff";

struct listing {
	struct stored *list;
	size_t n;
	const char **seen;		/* folders, so that none comes twice */
	size_t nseen;
	struct pool *pool;
};

/* "2026-11-24T10:11:12Z" */
static time_t
moment(const char *text)
{
	struct tm tm = { 0 };

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

/* What is told behind NOOP. */
static void
note(struct stored *s, const char *text, struct pool *pool)
{
	const struct {
		const char *name;
		const char **value;
	} notes[] = {
		{ "id ", &s->id },		{ "account ", &s->account },
		{ "state ", &s->state },	{ "reason ", &s->reason },
	};
	size_t i, len;

	for (i = 0; i < sizeof notes / sizeof *notes; i++) {
		len = strlen(notes[i].name);
		if (strncmp(text, notes[i].name, len) == 0)
			*notes[i].value = pool_string(pool, text + len);
	}
	if (strncmp(text, "created ", 8) == 0)
		s->created = moment(text + 8);
}

static bool
envelope_line(struct stored *s, const char *line, struct pool *pool,
    struct failure *why)
{
	struct mail_command mail;
	struct rcpt_command rcpt;
	size_t n = s->n;

	if (strncmp(line, "NOOP ", 5) == 0) {
		note(s, line + 5, pool);
		return true;
	}
	if (strncmp(line, "MAIL ", 5) == 0) {
		s->mail = pool_string(pool, line + 5);
		if (!command_mail(s->mail, &mail, pool, why))
			return false;
		s->sender = path_of(&mail.sender, pool);
		return true;
	}
	if (strncmp(line, "RCPT ", 5) != 0)
		return true;
	s->rcpt = pool_grow(pool, s->rcpt, &n, sizeof *s->rcpt);
	s->rcpt[s->n] = pool_string(pool, line + 5);
	if (!command_rcpt(s->rcpt[s->n], &rcpt, pool, why))
		return false;
	s->recipients = pool_grow(pool, s->recipients, &s->n,
	    sizeof *s->recipients);
	s->recipients[s->n - 1] = path_of(&rcpt.to, pool);
	return true;
}

static bool
read_envelope(FILE *f, struct stored *s, struct pool *pool,
    struct failure *why)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	bool ok = true, data = false;

	while (ok && !data && (len = getline(&line, &room, f)) > 0) {
		while (len > 0 && strchr("\r\n", line[len - 1]) != NULL)
			line[--len] = '\0';
		data = strcmp(line, "DATA") == 0;
		if (!data)
			ok = envelope_line(s, line, pool, why);
	}
	free(line);
	if (!ok)
		return false;
	if (!data || s->mail == NULL || s->id == NULL || s->state == NULL)
		return fail(why, FAILURE_KEEP, "%s is no kept message",
		    s->path);
	s->data = (uint64_t)ftello(f);
	return true;
}

bool
store_read(const char *path, struct stored *s, struct pool *pool,
    struct failure *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	FILE *f;
	bool ok;

	*s = (struct stored){ .path = path };
	if (fd < 0)
		return fail_errno(why, FAILURE_KEEP, "%s", path);
	f = fdopen(fd, "r");
	if (f == NULL || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)(f != NULL ? fclose(f) : close(fd));
		return fail(why, FAILURE_KEEP, "%s is no kept message", path);
	}
	s->size = (uint64_t)st.st_size;
	ok = read_envelope(f, s, pool, why);
	(void)fclose(f);
	return ok;
}

static void
list_file(struct listing *l, const char *path)
{
	struct stored s;
	struct failure why;

	if (!store_read(path, &s, l->pool, &why)) {
		log_note(LEVEL_WARNING, "%s", why.text);
		return;
	}
	l->list = pool_grow(l->pool, l->list, &l->n, sizeof *l->list);
	l->list[l->n - 1] = s;
}

static void
list_folder(struct listing *l, const char *path)
{
	const struct dirent *entry;
	DIR *d;
	size_t i;

	for (i = 0; i < l->nseen; i++)
		if (strcmp(l->seen[i], path) == 0)
			return;
	l->seen = pool_grow(l->pool, l->seen, &l->nseen, sizeof *l->seen);
	l->seen[l->nseen - 1] = path;
	d = opendir(path);
	if (d == NULL) {
		if (errno != ENOENT)
			log_note(LEVEL_WARNING, "%s: %s", path,
			    strerror(errno));
		return;
	}
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			list_file(l, pool_printf(l->pool, "%s/%s", path,
			    entry->d_name));
	(void)closedir(d);
}

static void
list_everyone(struct listing *l)
{
	const struct dirent *entry;
	DIR *d = opendir(spool_parent);

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			list_folder(l, pool_printf(l->pool, "%s/%s",
			    spool_parent, entry->d_name));
	if (d != NULL)
		(void)closedir(d);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct stored *)a)->id,
	    ((const struct stored *)b)->id);
}

struct stored *
store_list(const struct config *config, const struct caller *c,
    struct pool *pool, size_t *n)
{
	struct listing l = { .pool = pool };
	const char *keep;
	size_t i;

	for (i = 0; i < config->n; i++) {
		keep = config->accounts[i].values[SET_KEEP];
		if (keep != NULL && *keep == '/')
			list_folder(&l, keep);
	}
	if (c->home != NULL)
		list_folder(&l, pool_printf(pool, "%s/.local/state/sendoff",
		    c->home));
	if (c->uid == 0)
		list_everyone(&l);
	else
		list_folder(&l, pool_printf(pool, "%s/%lu", spool_parent,
		    (unsigned long)c->uid));
	if (l.n > 1)
		qsort(l.list, l.n, sizeof *l.list, compare);
	*n = l.n;
	return l.list;
}
