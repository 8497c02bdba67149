/*
 * TLS on a stream: the handshake, the verdict on the server's certificate,
 * the channel binding.  TLS 1.2 and 1.3 only; no session is ever resumed.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "chain.h"
#include "failure.h"
#include "identity.h"
#include "pool.h"
#include "stream.h"
#include "trust.h"

struct tls_params {
	struct trust_params trust;	/* what the server must prove */
	const char *sni;		/* the name that it is asked for */
	bool verify;			/* false: opportunistic */
	const char *priority;		/* GnuTLS's words added, or NULL */
	bool only_tls13;
	const char *alpn;		/* protocols, blanks between, or NULL */
	struct identity identity;	/* what we prove */
	bool describe;			/* the chain is noted */
};

/*
 * What came of the handshake; strings live in the pool.  Of a certificate that
 * has ended it, what follows "verified" is known all the same.
 */
struct tls_facts {
	bool begun;			/* it was wanted, and came this far */
	bool refused;			/* by us, for the certificate */
	const char *version;		/* "TLS1.3"; NULL: there is no TLS */
	const char *cipher;		/* "AES-256-GCM" */
	const char *suite;		/* "TLS_AES_256_GCM_SHA384" */
	const char *group;		/* of the key exchange, or NULL */
	const char *alpn;		/* the protocol that the server has
					   chosen, or NULL */
	bool verified;			/* it is the server that was meant */
	const char *verified_by;	/* "pkix", as trust_judge() has it */
	const char *objection;		/* to the certificate, or NULL */
	const char *result;		/* RFC 8460 section 4.3: of the
					   objection, or that there is no TLS
					   where it was wanted; or NULL */
	struct trust_findings found;	/* in the certificate, and about it */
	const struct chain *chain;	/* when it is to be described */
	bool asked_for_certificate;	/* the server did, of us */
	bool unfit;			/* and knows no key of its kind */
	const char *binding;		/* "tls-exporter", "tls-unique", NULL */
	unsigned char binding_data[64];
	size_t binding_len;
};

struct tls;

/*
 * The handshake on the stream, which carries TLS from then on.  The step and
 * its deadline have been set by the caller.  With verify set, a certificate
 * that is not in order is FAILURE_TLS_UNTRUSTED, with the certificate, the
 * name or the date in the text; the server hears an alert.
 * *tls is to be ended after the stream's last use, also when this fails.
 */
bool	tls_begin(struct stream *, const struct tls_params *, struct pool *,
	    struct tls **tls, struct tls_facts *, struct failure *why);

/* Says goodbye, not waiting for an answer, when polite; frees.  Takes NULL. */
void	tls_end(struct tls *, bool polite);

/* Are these words for the priority string right?  Nothing is connected. */
bool	tls_check_priority(const char *words, struct failure *why);

/* Names of protocols with blanks between (RFC 7301), or "none". */
bool	tls_check_alpn(const char *words, struct failure *why);

/*
 * Loads the modules of PKCS#11 now, with what they begin, and not when a
 * token's key is first wanted.
 */
void	tls_load_tokens(void);

/* "3.7.9", of the library in use. */
const char *tls_library(void);

#endif
