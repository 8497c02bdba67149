/*
 * A kept file: what is read of it can be settled and struck out in its place,
 * and is then the same but for that.  The record alone: what is written is
 * read back.
 */
#define _GNU_SOURCE			/* memfd_create() */
#include "fuzz.h"
#include "keep.h"
#include "store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int
fsync(int fd)				/* nothing here is to stay */
{
	(void)fd;
	return 0;
}

static bool
same(const char *a, const char *b)
{
	return (a == NULL && b == NULL) ||
	    (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
has_octets(FILE *f, off_t at, const char *want)
{
	char text[16];
	size_t len = strlen(want);

	return pread(fileno(f), text, len, at) == (ssize_t)len &&
	    memcmp(text, want, len) == 0;
}

/* After the record was settled, and the first RCPT struck out. */
static void
look_again(FILE *f, const struct stored *s, const struct record *r,
    struct pool *pool)
{
	struct stored again = { .path = "kept" };
	FILE *anew = fdopen(dup(fileno(f)), "r");
	struct failure why;
	size_t i;

	assert(anew != NULL && store_read_open(anew, &again, pool, &why));
	(void)fclose(anew);
	assert(again.n + (s->n > 0) == s->n && again.data == s->data);
	for (i = 0; i < again.n; i++)
		assert(same(again.recipients[i], s->recipients[i + 1]) &&
		    again.at[i] == s->at[i + 1]);
	assert(same(again.sender, s->sender) && same(again.mail, s->mail));
	assert(same(again.record.id, s->record.id));
	assert(same(again.record.account, s->record.account));
	assert(again.record.created == s->record.created);
	assert(same(again.record.state, r->state));
	assert(again.record.attempts == r->attempts);
	assert(again.record.status == r->status);
	assert(again.record.tried == r->tried);
	assert(again.record.next == r->next);
	assert(again.record.locked_out == r->locked_out);
	assert(again.record.untold == r->untold);
	assert(again.record.reason != NULL);
}

static void
change(FILE *f, const struct stored *s, struct pool *pool)
{
	struct record r = s->record;
	struct failure why;
	size_t i;

	for (i = 0; i < s->n; i++)
		assert(has_octets(f, s->at[i], "RCPT "));
	assert(has_octets(f, (off_t)s->data - 6, "DATA\r\n"));
	r.attempts++;
	r.state = "unknown";
	r.locked_out = !r.locked_out;
	if (r.reason == NULL)
		r.reason = "none";
	if (r.tried < 0 || r.next < 0)		/* no time of ours */
		r.tried = r.next = 1;
	if (s->n > 0)
		assert(keep_strike(fileno(f), s->at, 1, &why));
	assert(keep_settle(fileno(f), &r, pool, &why));
	look_again(f, s, &r, pool);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stored s = { .path = "kept" };
	struct pool *pool = pool_new();
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	FILE *f = fdopen(fd, "r+");
	struct failure why;

	assert(f != NULL && write(fd, data, size) == (ssize_t)size);
	if (store_read_open(f, &s, pool, &why))
		change(f, &s, pool);
	else
		assert(why.text[0] != '\0');
	(void)fclose(f);
	pool_free(pool);
	return 0;
}
