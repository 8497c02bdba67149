#include "buffer.h"
#include "pool.h"
#include "vault.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
buffer_data(const struct buffer *b)
{
	return b->data == NULL ? NULL : b->data + b->start;
}

size_t
buffer_len(const struct buffer *b)
{
	return b->end - b->start;
}

/* Old octets may be secret: what moves is wiped where it was. */
static void
enlarge(struct buffer *b, size_t n)
{
	size_t len = buffer_len(b), room = b->room < 512 ? 512 : b->room;
	char *data;

	assert(n < SIZE_MAX / 4 && len < SIZE_MAX / 4);
	while (room < len + n)
		room *= 2;
	data = b->secret ? vault_open(room, &room) : pool_malloc(room);
	if (len > 0)
		memcpy(data, buffer_data(b), len);
	buffer_wipe(b);
	*b = (struct buffer){ data, 0, len, room, b->secret };
}

char *
buffer_room(struct buffer *b, size_t n)
{
	if (b->data == NULL || b->room - b->end < n) {
		if (b->data != NULL && b->start >= n &&
		    b->start >= b->room / 2) {
			memmove(b->data, buffer_data(b), buffer_len(b));
			b->end -= b->start;
			b->start = 0;
		} else {
			enlarge(b, n);
		}
	}
	return b->data + b->end;
}

void
buffer_added(struct buffer *b, size_t n)
{
	assert(n <= b->room - b->end);
	b->end += n;
}

void
buffer_put(struct buffer *b, const char *p, size_t len)
{
	if (len == 0)
		return;
	memcpy(buffer_room(b, len), p, len);
	b->end += len;
}

void
buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	(void)buffer_room(b, (size_t)n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->end, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->end += (size_t)n;
}

void
buffer_take(struct buffer *b, size_t n)
{
	assert(n <= buffer_len(b));
	b->start += n;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void
buffer_wipe_taken(struct buffer *b)
{
	if (b->data == NULL)
		return;
	explicit_bzero(b->data, b->start);
	explicit_bzero(b->data + b->end, b->room - b->end);
}

void
buffer_wipe(struct buffer *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->room);
	buffer_free(b);
}

void
buffer_free(struct buffer *b)
{
	if (b->secret)
		vault_close(b->data, b->room);
	else
		free(b->data);
	*b = (struct buffer){ .secret = b->secret };
}
