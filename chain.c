#include "chain.h"
#include "certificate.h"

#include <gnutls/x509.h>

enum { DAY = 86400 };			/* seconds */

static const char *
key_of(gnutls_x509_crt_t crt, struct pool *pool)
{
	unsigned bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
	const char *name = algorithm < 0 ? NULL : gnutls_pk_get_name(
	    (gnutls_pk_algorithm_t)algorithm);

	return pool_printf(pool, "%s, %u bits", name != NULL ? name :
	    "of an unknown kind", bits);
}

static void
describe(struct chain_link *l, gnutls_x509_crt_t crt, const gnutls_datum_t *der,
    struct pool *pool)
{
	*l = (struct chain_link){
		.subject = certificate_of(crt, false, pool),
		.issuer = certificate_of(crt, true, pool),
		.names = certificate_names(crt, pool),
		.key = key_of(crt, pool),
		.from = gnutls_x509_crt_get_activation_time(crt),
		.until = gnutls_x509_crt_get_expiration_time(crt)
	};
	(void)crypto_sha256(l->fingerprint, der->data, der->size);
	(void)certificate_pin(der, l->pin);
}

long
chain_days(time_t until)
{
	time_t left = until - time(NULL);

	return (long)(left >= 0 ? left / DAY : (left - DAY + 1) / DAY);
}

const struct chain *
chain_of(gnutls_session_t session, struct pool *pool)
{
	struct chain *chain = pool_alloc(pool, sizeof *chain);
	const gnutls_datum_t *der;
	gnutls_x509_crt_t crt;
	unsigned n = 0, i;

	der = gnutls_certificate_get_peers(session, &n);
	*chain = (struct chain){ .sent = n };
	for (i = 0; i < n && chain->n < CHAIN_LINKS_MAX; i++) {
		if (gnutls_x509_crt_init(&crt) != 0)
			break;
		if (gnutls_x509_crt_import(crt, &der[i],
		    GNUTLS_X509_FMT_DER) == 0)
			describe(&chain->links[chain->n++], crt, &der[i],
			    pool);
		gnutls_x509_crt_deinit(crt);
	}
	return chain;
}
