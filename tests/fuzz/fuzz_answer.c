/* A DNS packet, as the answer to each type of question that it may fit. */
#include "answer.h"
#include "dane.h"
#include "fuzz.h"

#include <arpa/nameser.h>
#include <assert.h>
#include <resolv.h>
#include <string.h>

/* The question that the packet itself repeats, so that it is not foreign. */
static const char *
name_of(const uint8_t *data, size_t size, char *name, int room)
{
	int n = size > NS_HFIXEDSZ ? dn_expand(data, data + size,
	    data + NS_HFIXEDSZ, name, room) : -1;

	return n > 0 ? name : "mail.example.org";
}

static void
look_at(const struct dns_question *q)
{
	size_t i;

	assert(q->n <= ANSWER_RECORDS_MAX);
	assert((q->state == DNS_FOUND) == (q->n > 0));
	assert(!q->authenticated || q->state <= DNS_NO_NAME);
	for (i = 0; i < q->n; i++) {
		if (q->type == DNS_A)
			assert(q->records[i].len == 4);
		if (q->type == DNS_AAAA)
			assert(q->records[i].len == 16);
		if (q->type == DNS_SRV || q->type == DNS_CNAME)
			assert(strlen(q->records[i].target) < NS_MAXDNAME);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = { DNS_A, DNS_CNAME, DNS_AAAA,
	    DNS_SRV, DNS_TLSA };
	unsigned id = size >= 2 ? (unsigned)(data[0] << 8 | data[1]) : 0;
	struct pool *pool = pool_new();
	char name[NS_MAXDNAME];
	struct dns_question q;
	struct dane dane;
	size_t i;

	for (i = 0; i < sizeof types / sizeof *types; i++) {
		q = (struct dns_question){ .type = types[i],
		    .name = name_of(data, size, name, sizeof name) };
		if (answer_parse(&q, data, size, id, true, pool) !=
		    ANSWER_IS_DONE)
			continue;
		look_at(&q);
		if (q.type == DNS_TLSA)
			dane_make(&dane, &q, true, pool);
	}
	pool_free(pool);
	return 0;
}
