/* MAIL, RCPT, BDAT: what is understood is bounded and can be said again. */
#include "command.h"
#include "fuzz.h"
#include "path.h"

#include <assert.h>
#include <string.h>

static void
mail(const char *text, struct pool *pool)
{
	struct mail_command m, same;
	struct failure why;
	const char *path, *terms;

	if (!command_mail(text, &m, pool, &why)) {
		assert(why.kind == FAILURE_USAGE ||
		    why.kind == FAILURE_ADDRESS);
		return;
	}
	assert(m.size <= 999999999999999999);
	assert(m.envid == NULL || strpbrk(m.envid, " =\r\n") == NULL);
	path = path_of(&m.sender, pool);
	terms = terms_parameters(&m.terms, pool);
	assert(command_mail(pool_printf(pool, "FROM:<%s>%s", path, terms),
	    &same, pool, &why));
	assert(strcmp(path_of(&same.sender, pool), path) == 0);
	assert(strcmp(terms_parameters(&same.terms, pool), terms) == 0);
}

static void
rcpt(const char *text, struct pool *pool)
{
	struct rcpt_command r, same;
	struct failure why;
	const char *path;

	if (!command_rcpt(text, &r, pool, &why))
		return;
	assert(r.orcpt == NULL || strpbrk(r.orcpt, " =\r\n") == NULL);
	path = path_of(&r.to, pool);
	assert(command_rcpt(pool_printf(pool, "TO:<%s>", path), &same, pool,
	    &why));
	assert(strcmp(path_of(&same.to, pool), path) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	char *text = pool_octets(pool, (const char *)data, size);
	struct failure why;
	uint64_t octets;
	bool last;

	mail(text, pool);
	rcpt(text, pool);
	(void)command_bdat(text, &octets, &last, &why);
	pool_free(pool);
	return 0;
}
