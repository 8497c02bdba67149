/*
 * A configuration file: errors or accounts; what has no errors is written
 * down, read again, and is the same.
 */
#include "fuzz.h"
#include "buffer.h"
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void
read_text(struct config *config, char *text, size_t size)
{
	FILE *f = size > 0 ? fmemopen(text, size, "r") : NULL;

	if (f == NULL)
		return;
	config_read(config, f, "fuzz", false, NULL);
	(void)fclose(f);
}

static void
put_value(struct buffer *b, const char *name, const char *value)
{
	buffer_printf(b, "%s \"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buffer_put(b, "\\", 1);
		buffer_put(b, value, 1);
	}
	buffer_put(b, "\"\n", 2);
}

static void
put_account(struct buffer *b, const struct account *a)
{
	size_t s, i;

	put_value(b, "account", a->name);
	for (s = 0; s < SETTINGS; s++)
		if (a->values[s] != NULL && s != SET_SERVER)
			put_value(b, config_name((enum setting)s),
			    a->values[s]);
	for (i = 0; i < a->nservers; i++)
		put_value(b, "server", a->servers[i].text);
}

static void
check_same(const struct account *a, const struct account *b)
{
	size_t s;

	assert(strcmp(a->name, b->name) == 0 && a->nservers == b->nservers);
	for (s = 0; s < SETTINGS; s++) {
		assert((a->values[s] == NULL) == (b->values[s] == NULL));
		assert(a->values[s] == NULL ||
		    strcmp(a->values[s], b->values[s]) == 0);
	}
}

static void
check(const struct config *config)
{
	struct config again = { .pool = config->pool };
	struct buffer text = { 0 };
	size_t i;

	for (i = 0; i < config->n; i++)
		put_account(&text, &config->accounts[i]);
	read_text(&again, buffer_data(&text), buffer_len(&text));
	assert(again.nerrors == 0 && again.n == config->n);
	for (i = 0; i < config->n; i++) {
		check_same(&config->accounts[i], &again.accounts[i]);
		assert(config_number(&config->accounts[i],
		    SET_TIMEOUT_CONNECT) >= 0);
	}
	buffer_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = { .pool = pool_new() };
	size_t i;

	read_text(&config, pool_octets(config.pool, (const char *)data, size),
	    size);
	for (i = 0; i < config.nerrors; i++)
		assert(strncmp(config.errors[i], "fuzz:", 5) == 0);
	if (config.nerrors == 0)
		check(&config);
	config_forget_all(&config);
	pool_free(config.pool);
	return 0;
}
