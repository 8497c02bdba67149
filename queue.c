#include "queue.h"
#include "accounts.h"
#include "input.h"
#include "log.h"
#include "relay.h"
#include "store.h"

#include <inttypes.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* "3m", "2h", "5d": how long ago. */
static const char *
age(time_t then, struct pool *pool)
{
	long long s = (long long)time(NULL) - then;

	if (then == 0)
		return "?";
	if (s < 60)
		return pool_printf(pool, "%llds", s < 0 ? 0 : s);
	if (s < 3600)
		return pool_printf(pool, "%lldm", s / 60);
	if (s < 2 * 86400)
		return pool_printf(pool, "%lldh", s / 3600);
	return pool_printf(pool, "%lldd", s / 86400);
}

static void
print(const struct stored *s, struct pool *pool)
{
	size_t i;

	(void)printf("%s  %-7s %5s %8" PRIu64 "  <%s>\n", s->id, s->state,
	    age(s->created, pool), s->size, s->sender);
	if (s->reason != NULL)
		(void)printf("    (%s)\n", s->reason);
	for (i = 0; i < s->n; i++)
		(void)printf("    <%s>\n", s->recipients[i]);
}

/* A store is there even when the configuration is not. */
static struct stored *
find(const struct options *o, const struct caller *c, struct config *config,
    size_t *n)
{
	struct failure ignored;

	(void)accounts_load(config, o, c, &ignored);
	accounts_log(NULL, o);
	return store_list(config, c, config->pool, n);
}

int
queue_list(const struct options *o, const struct caller *c,
    struct config *config)
{
	struct stored *list;
	size_t n, i;

	list = find(o, c, config, &n);
	if (n == 0)
		(void)puts("Mail queue is empty");
	else
		(void)printf("%-29s  %-7s %5s %8s  %s\n", "ID", "State",
		    "Age", "Octets", "Sender, reason, recipients");
	for (i = 0; i < n; i++)
		print(&list[i], config->pool);
	return failure_status(fflush(stdout) == 0 ? FAILURE_NONE :
	    FAILURE_INPUT);
}

static bool
holds(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static bool
fits(const struct stored *s, const struct selection *which)
{
	bool yes = false;
	size_t i;

	if (which->what == 'I')
		yes = holds(s->id, which->text);
	else if (which->what == 'S')
		yes = holds(s->sender, which->text);
	for (i = 0; which->what == 'R' && i < s->n; i++)
		yes = yes || holds(s->recipients[i], which->text);
	return yes != which->turned;
}

static bool
is_selected(const struct stored *s, const struct options *o)
{
	size_t i;

	for (i = 0; i < o->nselections; i++)
		if (!fits(s, &o->selections[i]))
			return false;
	return o->nselections > 0;
}

/* The octets of the data as they were before the dots were doubled. */
struct unstuffed {
	FILE *f;
	char *line;
	size_t room;
};

static bool
more(struct input *in, struct failure *why)
{
	struct unstuffed *u = in->context;
	ssize_t len = getline(&u->line, &u->room, u->f);

	if (len < 0 || strcmp(u->line, ".\r\n") == 0) {
		in->eof = true;
		return len >= 0 || fail(why, FAILURE_INPUT, "the kept message "
		    "has no end");
	}
	buffer_put(&in->octets, u->line + (u->line[0] == '.'),
	    (size_t)len - (u->line[0] == '.'));
	return true;
}

static bool
send_data(struct relay *r, const struct stored *s, struct answer *a)
{
	struct unstuffed u = { .f = fopen(s->path, "re") };
	struct input in = { .fd = -1, .more = more, .context = &u };
	bool ok;

	if (u.f == NULL || fseeko(u.f, (off_t)s->data, SEEK_SET) != 0) {
		*a = (struct answer){ 451, "451 4.3.0 the kept message cannot "
		    "be read" };
		if (u.f != NULL)
			(void)fclose(u.f);
		return false;
	}
	ok = relay_data(r, &in, a);
	(void)fclose(u.f);
	free(u.line);
	buffer_free(&in.octets);
	return ok;
}

/* All of it or nothing: a message that not every recipient gets stays. */
static bool
retry(struct relay *r, const struct stored *s, struct answer *a)
{
	size_t i;

	if (!relay_mail(r, s->mail, a))
		return false;
	for (i = 0; i < s->n; i++)
		if (!relay_rcpt(r, s->rcpt[i], a))
			return false;
	return send_data(r, s, a);
}

int
queue_retry(const struct options *o, const struct caller *c,
    struct config *config, const char *program)
{
	struct stored *list;
	struct relay *relay;
	struct answer a;
	enum failure_kind gravest = FAILURE_NONE;
	size_t n, i;

	list = find(o, c, config, &n);
	relay = relay_new(o, c, config, program);
	for (i = 0; i < n; i++) {
		if (!is_selected(&list[i], o))
			continue;
		if (retry(relay, &list[i], &a)) {
			(void)unlink(list[i].path);
			continue;
		}
		(void)fprintf(stderr, "%s: %s stays kept: %s\n", program,
		    list[i].id, a.text);
		if (gravest != FAILURE_DEFERRED)
			gravest = a.code / 100 == 4 ? FAILURE_DEFERRED :
			    FAILURE_REFUSED;
		relay_reset(relay);
	}
	relay_free(relay);
	return failure_status(gravest);
}
