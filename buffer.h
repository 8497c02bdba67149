/*
 * Octets that grow: the one growable buffer of the house, with checked
 * arithmetic.  A zeroed struct is an empty buffer.  Out of memory ends the
 * process as in pool.h.  One that begins as BUFFER_SECRET has its octets in the
 * vault (vault.h) and stays such a one when it is wiped.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *data;			/* not terminated */
	size_t start;			/* octets before it were taken */
	size_t end;
	size_t room;
	bool secret;
};

#define BUFFER_SECRET ((struct buffer){ .secret = true })

/* The octets that wait, and how many they are. */
char	*buffer_data(const struct buffer *);
size_t	buffer_len(const struct buffer *);

/* Room for at least n more octets behind the last; buffer_added() counts. */
char	*buffer_room(struct buffer *, size_t n);
void	buffer_added(struct buffer *, size_t n);

void	buffer_put(struct buffer *, const char *, size_t len);
void	buffer_printf(struct buffer *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Forgets the first n octets, which must be there. */
void	buffer_take(struct buffer *, size_t n);

/* Overwrites what is in it but does not wait: all that was taken. */
void	buffer_wipe_taken(struct buffer *);

/* Overwrites all that was ever in it with zeros and frees it. */
void	buffer_wipe(struct buffer *);
void	buffer_free(struct buffer *);

#endif
