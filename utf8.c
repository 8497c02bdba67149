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

bool
utf8_beyond_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return true;
	return false;
}

bool
utf8_has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}
