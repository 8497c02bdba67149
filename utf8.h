/*
 * UTF-8 (RFC 3629).  Pure.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Octets of the character at text, of which len octets are there: 1 to 4, or 0
 * when it is none (overlong, a surrogate, beyond U+10FFFF, cut).  *code, when
 * wanted, is its number.
 */
size_t	utf8_character(const char *text, size_t len, unsigned long *code);

/* Is all of the text UTF-8? */
bool	utf8_is(const char *text);

/* Is any octet of it, or of those len octets, beyond ASCII? */
bool	utf8_beyond_ascii(const char *text);
bool	utf8_beyond(const char *, size_t len);

/*
 * The same of octets that come in pieces: a zeroed struct to begin with; at
 * the end the text is UTF-8 when nothing was bad and nothing is wanted.
 */
struct utf8_check {
	bool bad;
	unsigned wanted;		/* octets of the character at the end */
	unsigned char low, high;	/* what the next of them may be */
};

void	utf8_check(struct utf8_check *, const char *, size_t len);

/* Does it hold a control character, of ASCII or of U+0080 to U+009F? */
bool	utf8_has_control(const char *text);

#endif
