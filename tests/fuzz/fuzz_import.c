/*
 * Another program's configuration: damaged, or a sendoff.conf that is read
 * without an error and has the same accounts with the same values.  The first
 * octet says whose it is; behind a line "%%" stands what any other file has in
 * it.  A terminal's copy has no password.
 */
#include "fuzz.h"
#include "config.h"
#include "fair.h"
#include "import.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool
open_beside(void *context, const char *name, struct buffer *text)
{
	const char *beside = context;

	(void)name;
	errno = ENOENT;
	if (beside == NULL)
		return false;
	buffer_put(text, beside, strlen(beside) + 1);
	text->end--;
	return true;
}

static void
read_copy(struct draft *d, bool masked, struct config *config)
{
	struct buffer text = { 0 };
	FILE *f;

	fair_copy(d, masked, &text);
	f = fmemopen(buffer_data(&text), buffer_len(&text), "r");
	assert(f != NULL);
	config_read(config, f, "copy", CONFIG_USERS, NULL);
	(void)fclose(f);
	assert(config->nerrors == 0 && config->n == d->n);
	buffer_free(&text);
}

static void
check_account(const struct draft_account *a, const struct account *b)
{
	size_t s;

	assert(strcmp(a->name, b->name) == 0);
	assert(b->nservers <= a->nservers);
	for (s = 0; s < SETTINGS; s++) {
		if (s == SET_SERVER)
			continue;
		assert((a->values[s] == NULL) == (b->values[s] == NULL));
		assert(a->values[s] == NULL ||
		    strcmp(a->values[s], b->values[s]) == 0);
	}
}

static void
check(struct draft *d)
{
	struct config config = { .pool = d->pool };
	struct config masked = { .pool = d->pool };
	size_t i;

	read_copy(d, false, &config);
	read_copy(d, true, &masked);
	for (i = 0; i < d->n; i++) {
		check_account(d->accounts[i], &config.accounts[i]);
		assert(masked.accounts[i].values[SET_PASSWORD] == NULL);
	}
	config_forget_all(&config);
	config_forget_all(&masked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draft d = { .pool = pool_new(), .file = "fuzz", .home = "/home",
	    .open = open_beside };
	const struct import_kind *const *kinds, *kind;
	char *text, *beside;
	size_t n, i;

	if (size == 0 || memchr(data, '\0', size) != NULL) {
		pool_free(d.pool);
		return 0;
	}
	text = pool_octets(d.pool, (const char *)data + 1, size - 1);
	beside = strstr(text, "\n%%\n");
	if (beside != NULL)
		beside[1] = '\0';
	d.context = beside != NULL ? beside + 4 : NULL;
	kinds = import_kinds(&n);
	kind = data[0] >= 'a' && data[0] - 'a' < (int)n ? kinds[data[0] - 'a'] :
	    import_kind_of(&d.file, text);
	if (kind != NULL) {
		d.program = kind->program;
		kind->read(&d, text);
		for (i = 0; i < d.nerrors; i++)
			assert(strlen(d.errors[i]) > 4);
		if (d.nerrors == 0)
			check(&d);
	}
	pool_free(d.pool);
	return 0;
}
