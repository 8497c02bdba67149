#include "idn.h"
#include "utf8.h"

#include <ctype.h>
#include <idn2.h>
#include <stdbool.h>
#include <string.h>

enum {
	LABEL_MAX = 63,			/* RFC 1035 section 2.3.4 */
	DOMAIN_MAX = 253,		/* 255 with length and root */
	INPUT_MAX = 1024
};

/* Octets of the dot that stands there, or 0 (RFC 3490 section 3.1). */
static size_t
dot(const char *s)
{
	static const char *const dots[] = { ".", "\xe3\x80\x82",
	    "\xef\xbc\x8e", "\xef\xbd\xa1" };
	size_t i;

	for (i = 0; i < sizeof dots / sizeof *dots; i++)
		if (strncmp(s, dots[i], strlen(dots[i])) == 0)
			return strlen(dots[i]);
	return 0;
}

/* Letters, digits, hyphens, and the further characters. */
static bool
is_label(const char *label, const char *further)
{
	const char *p;

	for (p = label; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' &&
		    strchr(further, *p) == NULL)
			return false;
	return p > label && p - label <= LABEL_MAX;
}

/*
 * The library maps and encodes but lets blanks, dots and underscores that come
 * of it pass, and deletes them when told to be strict: so each label goes to
 * it alone, and what comes back is looked at.
 */
static const char *
converted(const char *label, struct pool *pool)
{
	char *ascii = NULL, *out = NULL;

	if (idn2_to_ascii_8z(label, &ascii, IDN2_NFC_INPUT |
	    IDN2_NONTRANSITIONAL) != IDN2_OK)
		return NULL;
	if (is_label(ascii, "") && *ascii != '-' &&
	    ascii[strlen(ascii) - 1] != '-')
		out = pool_string(pool, ascii);
	idn2_free(ascii);
	return out;
}

static const char *
label_of(const char *label, struct pool *pool)
{
	if (utf8_beyond_ascii(label))
		return converted(label, pool);
	return is_label(label, "_") ? label : NULL;
}

char *
idn_ascii(const char *domain, struct pool *pool)
{
	char out[DOMAIN_MAX + 1], *p;
	const char *label;
	size_t used = 0, n, len;

	if (strlen(domain) > INPUT_MAX)
		return NULL;
	do {
		for (n = 0; domain[n] != '\0' && dot(domain + n) == 0; n++)
			;
		label = label_of(pool_octets(pool, domain, n), pool);
		len = label != NULL ? strlen(label) : 0;
		if (len == 0 || used + len > DOMAIN_MAX)
			return NULL;
		memcpy(out + used, label, len);
		used += len;
		out[used++] = '.';
		domain += n + dot(domain + n);
	} while (*domain != '\0');
	for (p = out; p < out + used; p++)
		*p = (char)tolower((unsigned char)*p);
	return pool_octets(pool, out, used - 1);
}
