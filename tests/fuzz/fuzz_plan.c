/*
 * A submission planned: the lines before "--" are arguments of sendmail, what
 * follows is the message.  Everybody is in one leg, once, by an address that is
 * understood again; the header that goes out shows nobody of Bcc, has a date,
 * a name and a From, and is read again as it is.
 */
#define _GNU_SOURCE			/* memmem() */
#include "fuzz.h"
#include "../unit/letter.h"
#include "log.h"
#include "path.h"
#include "plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 40 };

static const struct caller caller = { .uid = 1000, .login = "joe",
	.full_name = "Joe D\303\266", .hostname = "h", .fqdn = "h.example.net" };

static void
read_config(struct config *c)
{
	static char text[] = "aliases none\nlog none\naccount one\n"
	    "from me@example.org\nserver smtps://one.example.org\n"
	    "account two\nfrom you@example.com\nmatch *@example.com\n"
	    "server smtps://two.example.com\ndomain example.com\n"
	    "default-recipient root@example.com\n";
	FILE *f = fmemopen(text, sizeof text - 1, "r");

	assert(f != NULL);
	config_read(c, f, "fuzz", false, NULL);
	(void)fclose(f);
	assert(c->nerrors == 0);
}

static bool
read_options(struct options *o, char *text, struct pool *pool)
{
	char *argv[WORDS_MAX + 1] = { (char[]){ "sendmail" } };
	struct failure why;
	int argc = 1;

	for (text = strtok(text, "\n"); text != NULL && argc < WORDS_MAX;
	    text = strtok(NULL, "\n"))
		argv[argc++] = text;
	return options_parse(o, argc, argv, pool, &why) &&
	    o->mode == MODE_SUBMIT;
}

static void
check_path(const char *path, struct pool *pool)
{
	struct mailbox m;
	struct failure why;

	assert(strpbrk(path, "\r\n") == NULL);
	assert(address_sender(path, pool, &m, &why));
	assert(strcmp(path_of(&m, pool), path) == 0);
}

static void
check_envelope(const struct plan *p, const struct envelope *e,
    struct pool *pool)
{
	size_t i, j;

	check_path(e->sender, pool);
	assert(e->envid == NULL || strpbrk(e->envid, " =\r\n") == NULL);
	for (i = 0; i < e->n; i++) {
		if (e->recipients[i].trouble == NULL)
			check_path(e->recipients[i].path, pool);
		assert(e->recipients[i].orcpt == NULL ||
		    strpbrk(e->recipients[i].orcpt, " =\r\n") == NULL);
	}
	for (i = 0; i < p->people.n && i < 100; i++)
		for (j = 0; j < i; j++)
			assert(strcmp(p->people.recipients[i].key,
			    p->people.recipients[j].key) != 0);
}

/* A header that is no longer one, or has a NUL, is not sent (plan_message()). */
static void
check_header(struct message *m, const struct leg *l, struct pool *pool)
{
	struct buffer b, c;
	struct message *again;
	struct failure why;

	if (!plan_message(m, &why))
		return;
	message_compose(m, l->prologue, l->instead);
	b = letter_octets(m);
	again = letter_read(buffer_data(&b), buffer_len(&b) - 1, pool);
	c = letter_octets(again);
	assert(buffer_len(&b) == buffer_len(&c) && memcmp(buffer_data(&b),
	    buffer_data(&c), buffer_len(&b)) == 0);
	assert(message_field(again, "Bcc") == NULL);
	assert(message_field(again, "Resent-Bcc") == NULL);
	assert(message_field(again, "Return-Path") == NULL);
	assert(message_field(again, "Date") != NULL);
	assert(message_field(again, "Message-ID") != NULL);
	assert(message_field(again, "From") != NULL);
	message_free(again);
	buffer_free(&b);
	buffer_free(&c);
}

static void
plan(const struct options *o, struct message *m, struct config *config)
{
	struct pool *pool = config->pool;
	struct choice choice;
	struct failure why;
	struct plan p;
	size_t i, n = 0;

	if (!accounts_choose(config, o, o->sender != NULL ? o->sender :
	    plan_header_sender(m, pool), &choice, &why))
		return;
	if (!plan_make(&p, config, o, m, &caller, &choice, &why)) {
		assert(why.kind == FAILURE_ADDRESS ||
		    why.kind == FAILURE_USAGE);
		return;
	}
	assert(p.nlegs >= 1 && p.people.n >= 1);
	for (i = 0; i < p.nlegs; i++) {
		n += p.legs[i].envelope.n;
		check_envelope(&p, &p.legs[i].envelope, pool);
		check_header(m, &p.legs[i], pool);
	}
	assert(n == p.people.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? memmem(data, size, "\n--\n", 4) : NULL;
	struct config config = { .pool = pool_new() };
	struct options options;
	struct message *m;
	size_t len;

	log_open("none", false, NULL, NULL);
	if (text != NULL) {
		read_config(&config);
		len = (size_t)(text - (const char *)data);
		if (read_options(&options, pool_octets(config.pool,
		    (const char *)data, len), config.pool)) {
			m = letter_read(text + 4, size - len - 4,
			    config.pool);
			plan(&options, m, &config);
			message_free(m);
		}
	}
	pool_free(config.pool);
	return 0;
}
