/*
 * A kept message tried again, and again while a timer would, against servers
 * that say what the input has (server.h): the first octet chooses its
 * recipients, the second its state.
 *
 * After each attempt the store still has everybody who has not got it, and
 * queued as before who was not refused; who may have it is in no file but one
 * that says "unknown"; and nobody gets it twice.
 */
#define _GNU_SOURCE			/* mkdtemp() */
#include "fuzz.h"
#include "server.h"
#include "keep.h"
#include "log.h"
#include "resend.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEOPLE = 5, RUNS = 3 };

static char folder[] = "/dev/shm/sendoff-fuzz-XXXXXX";

/* The power stays on here. */
int
fsync(int fd)
{
	(void)fd;
	return 0;
}

/* Those of example.com go by the second account. */
static const char *const people[PEOPLE] = { "a@example.net", "b@example.com",
	"c@example.net", "d@example.com", "e@example.net" };

static void
remove_folder(void)
{
	(void)rmdir(folder);
}

/* Each file of the store; whether it is to be removed. */
static void
each_file(void (*act)(const char *name, void *), void *context)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;

	assert(d != NULL);
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			act(entry->d_name, context);
	(void)closedir(d);
}

static void
remove_file(const char *name, void *context)
{
	char path[400];

	(void)context;
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	assert(unlink(path) == 0);
}

static void
make_folder(void)
{
	static bool made;

	if (!made) {
		assert(mkdtemp(folder) != NULL);
		(void)atexit(remove_folder);
	}
	made = true;
}

static void
read_config(struct config *config)
{
	char text[600];
	FILE *f;
	int n = snprintf(text, sizeof text, "aliases none\nlog none\nsandbox no\nkeep %s\n"
	    "account one\nfrom me@example.org\nserver smtp:///one\nauth none\n"
	    "account two\nfrom you@example.com\nmatch *@example.com\n"
	    "server smtp:///two\nauth PLAIN\npassword secret\n", folder);

	f = fmemopen(text, (size_t)n, "r");
	assert(f != NULL);
	config_read(config, f, "fuzz", false, NULL);
	(void)fclose(f);
	assert(config->nerrors == 0);
}

static struct message *
read_message(struct pool *pool)
{
	static const char text[] = "Subject: x\n\n.\n..\nDATA\n";
	struct input in = { .fd = -1, .eof = true };
	struct message *m = NULL;
	struct failure why;

	buffer_put(&in.octets, text, sizeof text - 1);
	assert(message_read(&in, false, NULL, pool, &m, &why));
	buffer_free(&in.octets);
	message_compose(m, "", NULL);
	return m;
}

static void
keep_it(unsigned who, const char *state, const struct config *config,
    const struct caller *caller)
{
	struct recipient r[PEOPLE] = { { 0 } };
	struct envelope e = { .sender = "me@example.org", .recipients = r };
	struct outcome o;
	bool which[PEOPLE] = { true, true, true, true, true };
	struct pool *pool = config->pool;
	struct message *m = read_message(pool);
	struct record was = { .state = state, .attempts = 1,
	    .created = time(NULL) };
	struct leftover l = { .id = "1", .account = &config->accounts[0],
	    .envelope = &e, .message = m, .outcome = &o, .which = which,
	    .state = state, .was = &was, .folder = folder,
	    .caller = caller, .pool = pool };
	struct failure why;
	struct kept kept;
	size_t i;

	for (i = 0; i < PEOPLE; i++)
		if (who >> i & 1)
			r[e.n++] = (struct recipient){ .path = people[i],
			    .key = people[i] };
	outcome_init(&o, e.n, pool);
	(void)fail(&why, FAILURE_DEFERRED, "not yet");
	outcome_rest_failed(&o, &why);
	assert(keep_message(&l, &kept, &why));
	message_free(m);
}

/* --- what the store says ----------------------------------------------------- */

struct found {
	unsigned sure, unknown;		/* who is in files, by their state */
	unsigned queued;		/* of those that are sure */
	struct stored list[16];
	size_t n;
	struct pool *pool;
};

static void
take_file(const char *name, void *context)
{
	struct found *found = context;
	struct stored s = { .path = pool_printf(found->pool, "%s/%s", folder,
	    name) };
	struct failure why;
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	size_t i, j;
	unsigned *set;

	assert(*name != '.' && fd >= 0);
	assert(store_read(fd, name, &s, found->pool, &why));
	(void)close(fd);
	assert(found->n < 16);
	found->list[found->n++] = s;
	set = strcmp(s.record.state, "unknown") == 0 ? &found->unknown :
	    &found->sure;
	for (i = 0; i < s.n; i++)
		for (j = 0; j < PEOPLE; j++)
			if (strcmp(s.recipients[i], people[j]) == 0) {
				*set |= 1U << j;
				if (strcmp(s.record.state, "queued") == 0)
					found->queued |= 1U << j;
			}
}

static void
look(struct found *found, unsigned who, bool queued, struct pool *pool)
{
	const struct served *s;
	size_t i;

	*found = (struct found){ .pool = pool };
	each_file(take_file, found);
	for (i = 0; i < PEOPLE && !server.tricky; i++) {
		if ((who >> i & 1) == 0)
			continue;
		s = server_find(people[i], strlen(people[i]));
		if (s->delivered > 0 || s->maybe > 0)
			assert((found->sure >> i & 1) == 0);
		if (s->delivered == 0)
			assert(((found->sure | found->unknown) >> i & 1) == 1);
		if (queued && !s->exposed && !server.refused)
			assert((found->queued >> i & 1) == 1);
	}
}

static void
submit(unsigned who, const char *state, struct pool *pool)
{
	const struct caller caller = { .uid = getuid(), .login = "me",
	    .hostname = "client", .fqdn = "client.example.org" };
	const struct options options = { .no_aliases = true };
	struct config config = { .pool = pool };
	struct resend *resend;
	struct found found;
	const char *now;
	struct failure why;
	size_t run, i;

	make_folder();
	read_config(&config);
	keep_it(who, state, &config, &caller);
	resend = resend_new(&options, &caller, &config, NULL);
	look(&found, who, strcmp(state, "queued") == 0, pool);
	for (run = 0; run < RUNS; run++) {
		for (i = 0; i < found.n; i++) {
			if (run > 0 && strcmp(found.list[i].record.state,
			    "queued") != 0)
				continue;
			if (!resend_try(resend, &found.list[i], &now, &why))
				assert(now != NULL && why.text[0] != '\0');
		}
		look(&found, who, strcmp(state, "queued") == 0, pool);
	}
	resend_free(resend);
	each_file(remove_file, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const states[] = { "queued", "held", "refused" };
	struct pool *pool = pool_new();

	log_open("none", false, NULL, NULL);
	if (size >= 2 && data[0] % 32 != 0) {
		server_begin(&(struct server){ .once = true,
		    .script = (const char *)data + 2, .len = size - 2,
		    .read_most = SIZE_MAX, .write_most = SIZE_MAX });
		submit(data[0] % 32, states[data[1] % 3], pool);
		server_end();
	}
	pool_free(pool);
	return 0;
}
