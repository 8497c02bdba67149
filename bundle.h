/*
 * A file of authorities (PEM), of which only those are taken out that a
 * chain can end in: reading all of the system's costs 65 million instructions
 * and 4 MB, this less than one.
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "der.h"

/* What a chain can end in bears one of these names. */
struct bundle_names {
	struct octets names[32];	/* issuers and subjects of the chain */
	size_t n;
};

/* Adds both names of a certificate; one that cannot be read adds none. */
void	bundle_name(struct bundle_names *, const unsigned char *der,
	    size_t len);

/* Called with each authority found; its octets live as long as the call. */
typedef bool bundle_found(void *context, struct octets der);

/*
 * Goes through the PEM text for certificates whose subject is one of the names.
 * Returns how many certificates of whatever name the text holds; those that
 * are damaged do not count, as far as it is seen: once there is one, others are
 * read up to their subject.  Ends early when found() returns false.
 */
size_t	bundle_scan(const char *text, size_t len, const struct bundle_names *,
	    bundle_found *, void *context);

#endif
