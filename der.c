#include "der.h"

#include <stdint.h>
#include <string.h>

enum {
	TAG_INTEGER = 0x02, TAG_SEQUENCE = 0x30, TAG_VERSION = 0xa0,
	LENGTH_OCTETS_MAX = 4
};

/* The head of a value of the tag: its own octets, and how many follow it. */
static bool
read_head(const struct octets *from, unsigned char tag, size_t *head,
    size_t *len)
{
	size_t n, i;

	*head = 2;
	if (from->len < 2 || from->p[0] != tag)
		return false;
	*len = from->p[1];
	if (*len < 0x80)
		return true;
	n = *len & 0x7f;
	if (n == 0 || n > LENGTH_OCTETS_MAX || from->len < 2 + n)
		return false;
	for (*len = 0, i = 0; i < n; i++)
		*len = *len << 8 | from->p[2 + i];
	*head += n;
	return true;
}

/* Takes one value of the tag off the front: with its head, and its inside. */
static bool
take(struct octets *from, unsigned char tag, struct octets *whole,
    struct octets *inside)
{
	size_t head, len;

	if (!read_head(from, tag, &head, &len) || len > from->len - head)
		return false;
	*whole = (struct octets){ from->p, head + len };
	*inside = (struct octets){ from->p + head, len };
	from->p += whole->len;
	from->len -= whole->len;
	return true;
}

/* Into a SEQUENCE, as far as there is anything of it. */
static bool
enter(struct octets *in)
{
	size_t head, len;

	if (!read_head(in, TAG_SEQUENCE, &head, &len))
		return false;
	in->p += head;
	in->len -= head;
	if (in->len > len)
		in->len = len;
	return true;
}

/*
 * A number and nothing else, or version 1.  GnuTLS reads on behind the number
 * and does not look at how long its tag says that it is: to it another key may
 * follow there than behind the tag.
 */
static bool
skip_version(struct octets *tbs)
{
	struct octets whole, in, number, digits;

	if (tbs->len == 0 || tbs->p[0] != TAG_VERSION)
		return true;
	return take(tbs, TAG_VERSION, &whole, &in) &&
	    take(&in, TAG_INTEGER, &number, &digits) && in.len == 0;
}

/* What stands before the key. */
static bool
take_names(struct octets *tbs, struct octets *issuer, struct octets *subject)
{
	struct octets skipped, in;

	return skip_version(tbs) &&
	    take(tbs, TAG_INTEGER, &skipped, &in) &&		/* serial */
	    take(tbs, TAG_SEQUENCE, &skipped, &in) &&		/* signature */
	    take(tbs, TAG_SEQUENCE, issuer, &in) &&
	    take(tbs, TAG_SEQUENCE, &skipped, &in) &&		/* validity */
	    take(tbs, TAG_SEQUENCE, subject, &in);
}

bool
der_subject(const unsigned char *p, size_t len, struct octets *subject)
{
	struct octets in = { p, len }, issuer;

	if (!enter(&in))
		return false;
	return enter(&in) && take_names(&in, &issuer, subject);
}

bool
der_certificate(const unsigned char *p, size_t len,
    struct der_certificate *c)
{
	struct octets all = { p, len }, inside, tbs, in;

	return take(&all, TAG_SEQUENCE, &c->whole, &inside) &&
	    take(&inside, TAG_SEQUENCE, &c->tbs, &tbs) &&
	    take_names(&tbs, &c->issuer, &c->subject) &&
	    take(&tbs, TAG_SEQUENCE, &c->key, &in);
}

bool
der_is_sequence(const unsigned char *p, size_t len)
{
	struct octets all = { p, len }, whole, inside;

	return take(&all, TAG_SEQUENCE, &whole, &inside) && all.len == 0 &&
	    inside.len > 0;
}

static size_t
put_head(unsigned char *p, unsigned char tag, size_t len)
{
	size_t n = 0, i;

	p[0] = tag;
	p[1] = (unsigned char)len;
	if (len < 0x80)
		return 2;
	while (n < LENGTH_OCTETS_MAX && len >> (8 * n) != 0)
		n++;
	p[1] = (unsigned char)(0x80 | n);
	for (i = 0; i < n; i++)
		p[2 + i] = (unsigned char)(len >> (8 * (n - 1 - i)));
	return 2 + n;
}

/* One SEQUENCE of all parts. */
static struct octets
sequence(const struct octets *parts, size_t n, struct pool *pool)
{
	size_t len = 0, at, i;
	unsigned char *p;

	for (i = 0; i < n; i++)
		len += parts[i].len;
	p = pool_alloc(pool, 2 + LENGTH_OCTETS_MAX + len);
	at = put_head(p, TAG_SEQUENCE, len);
	for (i = 0; i < n; at += parts[i++].len)
		memcpy(p + at, parts[i].p, parts[i].len);
	return (struct octets){ p, at };
}

#define OCTETS(text) { (const unsigned char *)(text), sizeof (text) - 1 }

struct octets
der_anchor(struct octets name, struct octets key, struct pool *pool)
{
	static const struct octets serial = OCTETS("\x02\x01\x01"),
	    ecdsa_with_sha256 = OCTETS("\x30\x0a\x06\x08\x2a\x86\x48\xce"
	    "\x3d\x04\x03\x02"),
	    validity = OCTETS("\x30\x1e\x17\x0d" "700101000000Z"
	    "\x17\x0d" "491231235959Z"),
	    signature = OCTETS("\x03\x02\x00\x00");
	const struct octets tbs = sequence((const struct octets []){ serial,
	    ecdsa_with_sha256, name, validity, name, key }, 6, pool);

	return sequence((const struct octets []){ tbs, ecdsa_with_sha256,
	    signature }, 3, pool);
}

bool
octets_equal(struct octets a, struct octets b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}
