/*
 * Memory with one lifetime: a pool for each run (in a fuzz target, for each
 * input).  Nothing in it is freed on its own; all of it is overwritten when the
 * pool ends, for a password may be there.  No function here returns NULL:
 * when memory is out, one line goes to standard error and the process ends
 * with EX_OSERR, or as pool_last_word() has it.
 */
#ifndef POOL_H
#define POOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct pool;

struct pool *pool_new(void);
void	pool_free(struct pool *);			/* takes NULL */

/* Zeroed memory, aligned for any object. */
void	*pool_alloc(struct pool *, size_t size);

/* As pool_alloc(), for n objects of size octets; the product is checked. */
void	*pool_array(struct pool *, size_t n, size_t size);

/* A terminated copy of len octets, or of a string. */
char	*pool_octets(struct pool *, const char *, size_t len);
char	*pool_string(struct pool *, const char *);

char	*pool_printf(struct pool *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
char	*pool_vprintf(struct pool *, const char *fmt, va_list)
	    __attribute__((format(printf, 2, 0)));

/*
 * A list that grows: makes room for one more element of size octets behind
 * the *n that array holds and counts it.  Returns the array, perhaps moved;
 * the new element is zeroed.
 */
void	*pool_grow(struct pool *, void *array, size_t *n, size_t size);

/* As pool_string(), of what can be done without: NULL when memory is out. */
char	*pool_string_or_none(struct pool *, const char *);

/* Ends the process, as when memory is out. */
_Noreturn void pool_exhausted(void);

/*
 * Who knows more than that memory is out, as that a message has been sent, has
 * the last word from now on: it tells what is to be told, without memory, and
 * returns the exit status.  NULL: nobody.
 */
void	pool_last_word(int (*)(const void *), const void *context);

/* malloc() and realloc() that do not return NULL, for who must free. */
void	*pool_malloc(size_t);
void	*pool_realloc(void *, size_t);

#endif
