/*
 * The file of what was seen once: whatever stands in it, what is noted is
 * there afterwards, and so is whatever was understood before; what is
 * forgotten is not.
 */
#define _GNU_SOURCE			/* mkdtemp() */
#include "fuzz.h"
#include "log.h"
#include "memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/dev/shm/sendoff-fuzz-XXXXXX";
static char name[64], lock[64];

static void
remove_all(void)
{
	(void)unlink(name);
	(void)unlink(lock);
	(void)rmdir(folder);
}

static void
write_file(const uint8_t *data, size_t size)
{
	FILE *f;

	if (*name == '\0') {
		assert(mkdtemp(folder) != NULL);
		(void)snprintf(name, sizeof name, "%s/seen", folder);
		(void)snprintf(lock, sizeof lock, "%s/seen.lock", folder);
		(void)atexit(remove_all);
	}
	f = fopen(name, "w");
	assert(f != NULL && fwrite(data, 1, size, f) == size);
	(void)fclose(f);
}

static bool
same(const char *a, const char *b)
{
	return (a == NULL && b == NULL) ||
	    (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Of each line the account and the server, as far as it has them. */
static void
compare(const struct memory *m, const struct memory *now, char *text,
    bool is_whole)
{
	const struct sight *a, *b;
	char *line, *account, *server;

	while ((line = strsep(&text, "\n")) != NULL) {
		account = strsep(&line, "\t");
		server = strsep(&line, "\t");
		if (server == NULL)
			continue;
		a = memory_of(m, account, server);
		b = memory_of(now, account, server);
		if (strcmp(account, "default") == 0 && !is_whole) {
			assert(b == NULL);
			continue;
		}
		if (strcmp(account, "default") == 0 &&
		    strcmp(server, "smtps://new.example") == 0)
			continue;
		assert((a == NULL) == (b == NULL));
		if (a != NULL)
			assert(same(a->mechanism, b->mechanism) &&
			    same(a->tls, b->tls) && same(a->day, b->day));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sight sight = { .mechanism = "PLAIN", .tls = "TLS1.3" };
	struct pool *pool = pool_new();
	struct memory *before, *m, *now;
	const struct sight *got;
	struct failure why;
	size_t n;

	log_open("none", false, NULL, NULL);
	write_file(data, size);
	before = memory_open(name, pool);
	m = memory_open(name, pool);
	memory_note(m, "default", "smtps://new.example", &sight);
	now = memory_open(name, pool);
	got = memory_of(now, "default", "smtps://new.example");
	assert(got != NULL && same(got->mechanism, "PLAIN") &&
	    same(got->tls, "TLS1.3") && got->day != NULL);
	compare(before, now, pool_octets(pool, (const char *)data, size),
	    true);
	assert(memory_forget(m, "default", &n, &why) && n >= 1);
	now = memory_open(name, pool);
	compare(before, now, pool_octets(pool, (const char *)data, size),
	    false);
	pool_free(pool);
	return 0;
}
