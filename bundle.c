#define _GNU_SOURCE			/* memmem */
#include "bundle.h"
#include "buffer.h"

#include <string.h>

enum { SUBJECT_ROOM = 520 };	/* 8 lines: most subjects end within them */

void
bundle_name(struct bundle_names *names, const unsigned char *der, size_t len)
{
	struct der_certificate c;

	if (!der_certificate(der, len, &c) ||
	    names->n + 2 > sizeof names->names / sizeof *names->names)
		return;
	names->names[names->n++] = c.issuer;
	names->names[names->n++] = c.subject;
}

static bool
is_wanted(const struct bundle_names *names, struct octets subject)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (octets_equal(names->names[i], subject))
			return true;
	return false;
}

/* RFC 4648 section 4, each value one more, so that 0 is none. */
static const unsigned char values[256] = {
	['+'] = 63, ['/'] = 64,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
	40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
};

static int
value_of(char c)
{
	return values[(unsigned char)c] - 1;
}

/* The common case: four of them on end are three octets. */
static bool
quartet(const char *p, char *out)
{
	unsigned a = values[(unsigned char)p[0]],
	    b = values[(unsigned char)p[1]],
	    c = values[(unsigned char)p[2]],
	    d = values[(unsigned char)p[3]], bits;

	if (a == 0 || b == 0 || c == 0 || d == 0)
		return false;
	bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
	out[0] = (char)(bits >> 16);
	out[1] = (char)(bits >> 8);
	out[2] = (char)bits;
	return true;
}

/*
 * RFC 7468: base64 with line ends anywhere.  No padding is asked for: what is
 * not a whole certificate is found out later.
 */
static bool
decode(const char *p, const char *end, struct buffer *der)
{
	char *out = buffer_room(der, (size_t)(end - p));
	unsigned bits = 0, n = 0;
	size_t len = 0;
	int value;

	while (p < end) {
		if (n % 4 == 0 && end - p >= 4 && quartet(p, out + len)) {
			p += 4;
			len += 3;
			continue;
		}
		value = value_of(*p);
		if (value < 0 && (*p == '\0' ||
		    strchr("\n\r \t=", *p) == NULL))
			return false;
		p++;
		if (value < 0)
			continue;
		bits = bits << 6 | (unsigned)value;
		if (++n % 4 != 1)
			out[len++] = (char)(bits >> (6 - 2 * ((n - 1) % 4)));
	}
	buffer_added(der, len);
	return true;
}

/* The next certificate's text, or false; *at is behind it then. */
static bool
next(const char **at, const char *end, struct octets *text)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----",
	    old[] = "-----BEGIN X509 CERTIFICATE-----", stop[] = "-----END";
	const char *p = memmem(*at, (size_t)(end - *at), "-----BEGIN ", 11),
	    *q;
	size_t head;

	for (; p != NULL; p = memmem(p + 11, (size_t)(end - p) - 11,
	    "-----BEGIN ", 11)) {
		head = (size_t)(end - p) > sizeof begin && strncmp(p, begin,
		    sizeof begin - 1) == 0 ? sizeof begin - 1 :
		    (size_t)(end - p) > sizeof old && strncmp(p, old,
		    sizeof old - 1) == 0 ? sizeof old - 1 : 0;
		if (head == 0)
			continue;
		q = memmem(p + head, (size_t)(end - p) - head, stop,
		    sizeof stop - 1);
		if (q == NULL)
			return false;
		*text = (struct octets){ (const unsigned char *)p + head,
		    (size_t)(q - p) - head };
		*at = q;
		return true;
	}
	return false;
}

/* Is it another's?  Its beginning is enough to see that. */
static bool
is_other(const char *p, size_t len, const struct bundle_names *names,
    struct buffer *der)
{
	struct octets subject;

	buffer_take(der, buffer_len(der));
	return decode(p, p + (len < SUBJECT_ROOM ? len : SUBJECT_ROOM), der) &&
	    der_subject((const unsigned char *)buffer_data(der),
	    buffer_len(der), &subject) && !is_wanted(names, subject);
}

size_t
bundle_scan(const char *text, size_t len, const struct bundle_names *names,
    bundle_found *found, void *context)
{
	const char *at = text, *end = text + len, *p;
	struct buffer der = { 0 };
	struct der_certificate c;
	struct octets block;
	bool more = true;
	size_t n = 0;

	while (more && next(&at, end, &block)) {
		p = (const char *)block.p;
		if (n > 0 && is_other(p, block.len, names, &der)) {
			n++;
			continue;
		}
		buffer_take(&der, buffer_len(&der));
		if (!decode(p, p + block.len, &der) || !der_certificate(
		    (const unsigned char *)buffer_data(&der),
		    buffer_len(&der), &c))
			continue;
		n++;
		if (is_wanted(names, c.subject))
			more = found(context, (struct octets){
			    (const unsigned char *)buffer_data(&der),
			    buffer_len(&der) });
	}
	buffer_free(&der);
	return n;
}
