#include "words.h"
#include "crypto.h"
#include "utf8.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

/*
 * RFC 2047 section 2 allows 75; two are left for what stands right behind the
 * word, ")" and ",", so that the line has no more than 76.
 */
enum {
	BEHIND = 2,
	WORD_MAX = 75 - BEHIND
};

struct coding {
	const char *charset;
	bool utf8;
	bool q;
	size_t around;			/* octets of "=?", "?Q?" and "?=" */
};

const char *
words_charset(const char *text, size_t len)
{
	size_t n;

	for (; len > 0; text += n, len -= n)
		if ((n = utf8_character(text, len, NULL)) == 0)
			return "unknown-8bit";
	return "UTF-8";
}

/* Section 5: what "Q" may show in every place. */
static bool
is_shown(char c)
{
	return (isalnum((unsigned char)c) && (unsigned char)c < 0x80) ||
	    (c != '\0' && strchr("!*+-/", c) != NULL);
}

static struct coding
choose(const char *text, size_t len)
{
	struct coding c = { .charset = words_charset(text, len) };
	size_t i, ascii = 0;

	for (i = 0; i < len; i++)
		ascii += (unsigned char)text[i] < 0x80;
	c.utf8 = *c.charset == 'U';
	c.q = ascii >= len / 2;
	c.around = strlen(c.charset) + 7;
	return c;
}

/*
 * Octets that must not be cut apart, and how many they come to in "Q".  What
 * is not UTF-8 has no characters that we know.
 */
static size_t
character(const struct coding *c, const char *text, size_t len,
    size_t *coded)
{
	size_t n = c->utf8 ? utf8_character(text, len, NULL) : 1;

	*coded = is_shown(*text) || *text == ' ' ? 1 : 3 * n;
	return n;
}

/* How much of the text a word of at most room octets holds. */
static size_t
fitting(const struct coding *c, const char *text, size_t len, size_t room)
{
	size_t taken = 0, used = 0, n, coded;

	while (taken < len) {
		n = character(c, text + taken, len - taken, &coded);
		used = c->q ? used + coded : (taken + n + 2) / 3 * 4;
		if (c->around + used > room)
			break;
		taken += n;
	}
	return taken;
}

static void
put_q(struct buffer *out, const char *text, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char c;
	size_t i;

	for (i = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (is_shown(text[i]))
			buffer_put(out, text + i, 1);
		else if (c == ' ')
			buffer_put(out, "_", 1);
		else
			buffer_put(out, (char[]){ '=', hex[c >> 4],
			    hex[c & 15] }, 3);
	}
}

static void
put_word(struct buffer *out, const struct coding *c, const char *text,
    size_t len)
{
	buffer_printf(out, "=?%s?%c?", c->charset, c->q ? 'Q' : 'B');
	if (c->q)
		put_q(out, text, len);
	else
		crypto_base64(out, text, len);
	buffer_put(out, "?=", 2);
}

void
words_encode(struct buffer *out, const char *text, size_t len, size_t *column)
{
	struct coding c = choose(text, len);
	size_t room = WORDS_LINE - BEHIND - *column, n, before;

	assert(*column + WORDS_ROOM <= WORDS_LINE);
	while (len > 0) {
		n = fitting(&c, text, len, room < WORD_MAX ? room : WORD_MAX);
		before = buffer_len(out);
		put_word(out, &c, text, n);
		*column += buffer_len(out) - before;
		text += n;
		len -= n;
		if (len > 0) {
			buffer_put(out, "\r\n ", 3);
			*column = 1;
			room = WORD_MAX;
		}
	}
}

/* "=?", a charset, "?Q?" or "?B?", text, "?=", and no blank in it. */
bool
words_is_encoded(const char *p, size_t len)
{
	const char *end, *mark, *s;

	if (len < 8 || memcmp(p, "=?", 2) != 0 ||
	    memcmp(p + len - 2, "?=", 2) != 0)
		return false;
	end = p + len - 2;
	for (s = p; s < p + len; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	mark = memchr(p + 2, '?', (size_t)(end - p) - 2);
	return mark != NULL && mark > p + 2 && mark + 3 <= end &&
	    strchr("QqBb", mark[1]) != NULL && mark[2] == '?' &&
	    memchr(mark + 3, '?', (size_t)(end - mark) - 3) == NULL;
}
