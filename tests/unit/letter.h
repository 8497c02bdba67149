/* Messages made of octets, and what goes out of them, for the tests. */
#ifndef LETTER_H
#define LETTER_H

#include "message.h"

#include <assert.h>
#include <string.h>

static inline struct message *
letter_read(const char *p, size_t len, struct pool *pool)
{
	struct input in = { .fd = -1, .eof = true };
	struct message *m = NULL;
	struct failure why;
	bool ok;

	buffer_put(&in.octets, p, len);
	ok = message_read(&in, false, NULL, pool, &m, &why);
	buffer_free(&in.octets);
	assert(ok);
	message_compose(m, "", NULL);
	return m;
}

/* With a NUL behind it, which buffer_len() counts. */
static inline struct buffer
letter_octets(const struct message *m)
{
	size_t len = (size_t)message_size(m), done = 0, n;
	struct buffer b = { 0 };
	char *p = buffer_room(&b, len + 1);
	struct failure why;
	bool ok;

	do {
		ok = message_octets(m, done, p + done, len - done + 1, &n,
		    &why);
		assert(ok);
		done += n;
	} while (n > 0);
	assert(done == len);
	p[len] = '\0';
	buffer_added(&b, len + 1);
	return b;
}

#endif
