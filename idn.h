/*
 * Domain names beyond ASCII, as the DNS and SMTP have them (RFC 5890, UTS 46
 * without its transitional part).  Pure.
 */
#ifndef IDN_H
#define IDN_H

#include "pool.h"

/*
 * The bare domain (no port, no literal) as A-labels in small letters, or NULL
 * when that cannot be: characters that no domain may have, an empty label,
 * one of more than 63 octets, more than 253 in all.  Labels that are ASCII
 * already may have underscores and keep all but their case.  The full stops
 * of East Asian keyboards (U+3002, U+FF0E, U+FF61) are dots; a last dot, the
 * root's, is dropped.
 */
char	*idn_ascii(const char *domain, struct pool *);

#endif
