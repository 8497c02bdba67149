/*
 * The parts of a certificate (RFC 5280 section 4.1) as the octets that they
 * are, without any being copied or made anew.
 */
#ifndef DER_H
#define DER_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

struct octets {
	const unsigned char *p;
	size_t len;
};

/* Each with its tag and length; they point into the certificate. */
struct der_certificate {
	struct octets whole;		/* octets behind it are no part of it */
	struct octets tbs;		/* what its issuer has signed */
	struct octets issuer, subject;	/* Name */
	struct octets key;		/* SubjectPublicKeyInfo */
};

/*
 * False when the octets are no certificate as far as it is read here.  Where
 * GnuTLS takes them, too, it has found the same key: pins and TLSA records
 * depend on it.
 */
bool	der_certificate(const unsigned char *, size_t len,
	    struct der_certificate *);

/*
 * The subject alone, of a certificate of which only the beginning may be there;
 * false when it is not whole within that.
 */
bool	der_subject(const unsigned char *, size_t len, struct octets *subject);

/* Is it one whole SEQUENCE and nothing else? */
bool	der_is_sequence(const unsigned char *, size_t len);

/*
 * A certificate that says no more than that the key (SubjectPublicKeyInfo) is
 * of the name: of version 1, without dates or a signature that count.
 */
struct octets der_anchor(struct octets name, struct octets key, struct pool *);

bool	octets_equal(struct octets, struct octets);

#endif
