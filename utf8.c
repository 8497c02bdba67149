#include "utf8.h"

#include <string.h>

size_t
utf8_character(const char *text, size_t len, unsigned long *code)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	unsigned long c;
	size_t n, i;

	if (len == 0)
		return 0;
	n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || n > len)
		return 0;
	c = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		return 0;
	if (code != NULL)
		*code = c;
	return n;
}

bool
utf8_is(const char *text)
{
	size_t len = strlen(text), n;

	for (; len > 0; text += n, len -= n)
		if ((n = utf8_character(text, len, NULL)) == 0)
			return false;
	return true;
}

/* RFC 3629 section 4, the table of the octets that may follow the first. */
static void
check_first(struct utf8_check *u, unsigned char c)
{
	u->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	u->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	u->wanted = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	u->bad = u->bad || (c >= 0x80 && c < 0xc2) || c > 0xf4;
}

void
utf8_check(struct utf8_check *u, const char *text, size_t len)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < len && !u->bad; i++) {
		c = (unsigned char)text[i];
		if (u->wanted == 0) {
			check_first(u, c);
			continue;
		}
		u->bad = c < u->low || c > u->high;
		u->low = 0x80;
		u->high = 0xbf;
		u->wanted--;
	}
}

/* Without a branch, for it sees every octet of what is converted. */
bool
utf8_beyond(const char *p, size_t len)
{
	unsigned char any = 0;
	size_t i;

	for (i = 0; i < len; i++)
		any |= (unsigned char)p[i];
	return any >= 0x80;
}

bool
utf8_beyond_ascii(const char *text)
{
	return utf8_beyond(text, strlen(text));
}

bool
utf8_has_control(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p != '\0'; p++)
		if (*p < ' ' || *p == 0x7f ||
		    (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			return true;
	return false;
}
