#include "der.h"

#include <stdint.h>
#include <string.h>

enum {
	TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30, TAG_VERSION = 0xa0,
	LENGTH_OCTETS_MAX = 4
};

/* Takes one value of the tag off the front: with its head, and its inside. */
static bool
take(struct octets *from, unsigned char tag, struct octets *whole,
    struct octets *inside)
{
	size_t head = 2, len, n, i;

	if (from->len < 2 || from->p[0] != tag)
		return false;
	len = from->p[1];
	if (len >= 0x80) {
		n = len & 0x7f;
		if (n == 0 || n > LENGTH_OCTETS_MAX || from->len < 2 + n)
			return false;
		for (len = 0, i = 0; i < n; i++)
			len = len << 8 | from->p[2 + i];
		head += n;
	}
	if (len > from->len - head)
		return false;
	*whole = (struct octets){ from->p, head + len };
	*inside = (struct octets){ from->p + head, len };
	from->p += whole->len;
	from->len -= whole->len;
	return true;
}

bool
der_certificate(const unsigned char *p, size_t len,
    struct der_certificate *c)
{
	struct octets all = { p, len }, inside, tbs, skipped, in;

	if (!take(&all, TAG_SEQUENCE, &c->whole, &inside) ||
	    !take(&inside, TAG_SEQUENCE, &c->tbs, &tbs))
		return false;
	(void)take(&tbs, TAG_VERSION, &skipped, &in);
	return take(&tbs, TAG_INTEGER, &skipped, &in) &&	/* serial */
	    take(&tbs, TAG_SEQUENCE, &skipped, &in) &&		/* signature */
	    take(&tbs, TAG_SEQUENCE, &c->issuer, &in) &&
	    take(&tbs, TAG_SEQUENCE, &skipped, &in) &&		/* validity */
	    take(&tbs, TAG_SEQUENCE, &c->subject, &in) &&
	    take(&tbs, TAG_SEQUENCE, &c->key, &in);
}

bool
der_is_sequence(const unsigned char *p, size_t len)
{
	struct octets all = { p, len }, whole, inside;

	return take(&all, TAG_SEQUENCE, &whole, &inside) && all.len == 0 &&
	    inside.len > 0;
}

bool
octets_equal(struct octets a, struct octets b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}
