/*
 * A message, for a server that offers what the first octet says: what comes
 * of it has no NUL, no line of more than 998 octets, nothing beyond ASCII
 * where nothing is offered, and as many entities as before; once more it
 * stays the same.  (But for a header that has been kept in UTF-8 for the sake
 * of a boundary which then turned out to be none.)
 */
#include "fuzz.h"
#include "../unit/letter.h"
#include "convert.h"
#include "parts.h"
#include "utf8.h"

#include <assert.h>

static void
check_text(const struct message *m, const struct convert_offer *offer)
{
	struct buffer b = letter_octets(m);
	size_t len = buffer_len(&b) - 1, column = 0, i;
	const char *p = buffer_data(&b);

	assert(memchr(p, '\0', len) == NULL);
	assert(offer->eightbitmime || offer->smtputf8 || !utf8_beyond(p, len));
	for (i = 0; i < len; i++) {
		column = p[i] == '\n' ? 0 : column + 1;
		assert(column <= MESSAGE_LINE_MAX + 1 - (p[i] != '\r'));
		assert(p[i] != '\r' || (i + 1 < len && p[i + 1] == '\n'));
		assert(p[i] != '\n' || (i > 0 && p[i - 1] == '\r'));
	}
	assert(len >= 2 && p[len - 1] == '\n');
	buffer_free(&b);
}

static bool
count(const struct message *m, size_t *n, struct pool *pool)
{
	struct parts parts;
	struct failure why;
	bool ok = parts_find(&parts, m, pool, &why);

	*n = parts.n;
	return ok;
}

static void
check_again(const struct message *done, const struct convert_offer *offer,
    size_t n, struct pool *pool)
{
	struct buffer b = letter_octets(done), c;
	struct message *again = letter_read(buffer_data(&b),
	    buffer_len(&b) - 1, pool);
	const struct message *twice;
	struct failure why;
	size_t now;

	c = letter_octets(again);
	assert(buffer_len(&b) == buffer_len(&c) && memcmp(buffer_data(&b),
	    buffer_data(&c), buffer_len(&b)) == 0);
	assert(convert_message(again, offer, &twice, pool, &why));
	assert(twice == again || (offer->smtputf8 &&
	    strcmp(twice->converted, "header") == 0));
	convert_end(again, twice);
	assert(count(again, &now, pool) && now == n);
	message_free(again);
	buffer_free(&b);
	buffer_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct convert_offer offer = { 0 };
	const struct message *done = NULL;
	struct failure why;
	struct message *m;
	size_t n;

	if (size > 0) {
		offer.eightbitmime = data[0] & 1;
		offer.smtputf8 = data[0] & 2;
		m = letter_read((const char *)data + 1, size - 1, pool);
		if (!m->header_nul && count(m, &n, pool) &&
		    convert_message(m, &offer, &done, pool, &why)) {
			check_text(done, &offer);
			if (done != m)
				check_again(done, &offer, n, pool);
		}
		convert_end(m, done);
		message_free(m);
	}
	pool_free(pool);
	return 0;
}
