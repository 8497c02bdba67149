#include "pool.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct chunk {
	struct chunk *next;
	size_t size;			/* of data, octets */
	max_align_t data[];
};

struct pool {
	struct chunk *chunks;
};

/* A buffer that finds no room has no pool to ask: this is the process's. */
static struct {
	int (*say)(const void *);
	const void *context;
} last_word;

void
pool_last_word(int (*say)(const void *), const void *context)
{
	last_word.say = say;
	last_word.context = context;
}

_Noreturn void
pool_exhausted(void)
{
	static const char text[] = "sendoff: out of memory\n";

	if (last_word.say != NULL)
		_exit(last_word.say(last_word.context));
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(EX_OSERR);
}

void *
pool_malloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		pool_exhausted();
	return p;
}

void *
pool_realloc(void *old, size_t size)
{
	void *p = realloc(old, size > 0 ? size : 1);

	if (p == NULL)
		pool_exhausted();
	return p;
}

struct pool *
pool_new(void)
{
	struct pool *pool = pool_malloc(sizeof *pool);

	pool->chunks = NULL;
	return pool;
}

void
pool_free(struct pool *pool)
{
	struct chunk *c, *next;

	if (pool == NULL)
		return;
	for (c = pool->chunks; c != NULL; c = next) {
		next = c->next;
		explicit_bzero(c->data, c->size);
		free(c);
	}
	free(pool);
}

static void *
alloc_or_none(struct pool *pool, size_t size)
{
	struct chunk *c;

	if (size > SIZE_MAX - sizeof *c ||
	    (c = calloc(1, sizeof *c + size)) == NULL)
		return NULL;
	c->next = pool->chunks;
	c->size = size;
	pool->chunks = c;
	return c->data;
}

void *
pool_alloc(struct pool *pool, size_t size)
{
	void *p = alloc_or_none(pool, size);

	if (p == NULL)
		pool_exhausted();
	return p;
}

void *
pool_array(struct pool *pool, size_t n, size_t size)
{
	if (size > 0 && n > SIZE_MAX / size)
		pool_exhausted();
	return pool_alloc(pool, n * size);
}

char *
pool_octets(struct pool *pool, const char *p, size_t len)
{
	char *s = pool_alloc(pool, len + 1);

	if (len > 0)
		memcpy(s, p, len);
	return s;
}

char *
pool_string(struct pool *pool, const char *s)
{
	return pool_octets(pool, s, strlen(s));
}

char *
pool_string_or_none(struct pool *pool, const char *s)
{
	char *copy = alloc_or_none(pool, strlen(s) + 1);

	return copy != NULL ? strcpy(copy, s) : NULL;
}

char *
pool_vprintf(struct pool *pool, const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		pool_exhausted();
	s = pool_alloc(pool, (size_t)n + 1);
	(void)vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

char *
pool_printf(struct pool *pool, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = pool_vprintf(pool, fmt, ap);
	va_end(ap);
	return s;
}

/*
 * Room doubles, so a list is copied only when its length is a power of two.
 * Most lists have one element, and there may be ten thousand of them.
 */
void *
pool_grow(struct pool *pool, void *array, size_t *n, size_t size)
{
	void *more;

	if (*n == 0)
		array = pool_array(pool, 1, size);
	else if ((*n & (*n - 1)) == 0) {
		if (*n > SIZE_MAX / 2)
			pool_exhausted();
		more = pool_array(pool, *n * 2, size);
		memcpy(more, array, *n * size);
		array = more;
	}
	(*n)++;
	return array;
}
