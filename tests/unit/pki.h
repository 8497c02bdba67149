/*
 * Certificates made in memory for the tests of trust.c, dane.c and bundle.c:
 * a table of wishes comes in, each is then known by its name.
 */
#ifndef PKI_H
#define PKI_H

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { PKI_MAX = 96, PKI_DAY = 24 * 3600, PKI_CHAIN_MAX = 24 };

struct pki_wish {
	const char *name;		/* by which the test knows it */
	const char *cn;			/* common name; NULL: name,
					   "": an empty subject */
	const char *sans;		/* "D:host I:address S:_srv.domain" */
	const char *issuer;		/* made before; NULL: itself */
	const char *forger;		/* whose key signs, if not issuer's */
	const char *key_of;		/* has the key of that one */
	int begin, end;			/* days from now; 0 0: -1 90 */
	bool ca;
	bool must_staple;		/* RFC 7633 */
	bool no_key_ids;
	const char *purpose;		/* NULL: none of a CA, else serverAuth */
	const char *permitted, *excluded;	/* name constraints */
	unsigned rsa;			/* bits; 0: P-256 */
};

struct pki_cert {
	const struct pki_wish *wish;
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der, spki;
};

struct pki {
	struct pki_cert certs[PKI_MAX];
	size_t n;
};

static inline void
pki_want(int error, const char *what)
{
	if (error < 0)
		fail_msg("%s: %s", what, gnutls_strerror(error));
}

static inline const struct pki_cert *
pki_get(const struct pki *pki, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < pki->n; i++)
		if (strlen(pki->certs[i].wish->name) == len &&
		    strncmp(pki->certs[i].wish->name, name, len) == 0)
			return &pki->certs[i];
	fail_msg("no certificate has the name %.*s", (int)len, name);
	return NULL;
}

static inline const struct pki_cert *
pki_cert(const struct pki *pki, const char *name)
{
	return pki_get(pki, name, strlen(name));
}

static inline void
pki_set_key(struct pki *pki, struct pki_cert *c)
{
	const struct pki_wish *w = c->wish;

	pki_want(gnutls_x509_privkey_init(&c->key), w->name);
	if (w->key_of != NULL)
		pki_want(gnutls_x509_privkey_cpy(c->key,
		    pki_cert(pki, w->key_of)->key), w->name);
	else
		pki_want(gnutls_x509_privkey_generate(c->key, w->rsa > 0 ?
		    GNUTLS_PK_RSA : GNUTLS_PK_ECDSA, w->rsa > 0 ? w->rsa :
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		    w->name);
	pki_want(gnutls_x509_crt_set_key(c->crt, c->key), w->name);
}

static inline void
pki_set_serial(struct pki_cert *c)
{
	unsigned char serial[16];

	pki_want(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial), "rnd");
	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
	pki_want(gnutls_x509_crt_set_serial(c->crt, serial, sizeof serial),
	    "serial");
}

static inline void
pki_set_dates(struct pki_cert *c)
{
	const struct pki_wish *w = c->wish;
	bool usual = w->begin == 0 && w->end == 0;
	time_t now = time(NULL);

	pki_want(gnutls_x509_crt_set_activation_time(c->crt,
	    now + (usual ? -1 : w->begin) * PKI_DAY), w->name);
	pki_want(gnutls_x509_crt_set_expiration_time(c->crt,
	    now + (usual ? 90 : w->end) * PKI_DAY), w->name);
}

/* RFC 4985: an IA5String. */
static inline void
pki_add_srv(gnutls_x509_crt_t crt, const char *name)
{
	unsigned char der[130] = { 0x16 };
	size_t n = strlen(name);

	assert_true(n < 128);
	der[1] = (unsigned char)n;
	memcpy(der + 2, name, n);
	pki_want(gnutls_x509_crt_set_subject_alt_othername(crt,
	    "1.3.6.1.5.5.7.8.7", der, (unsigned)n + 2, GNUTLS_FSAN_APPEND),
	    name);
}

static inline void
pki_add_san(gnutls_x509_crt_t crt, char kind, const char *value)
{
	unsigned char ip[16];
	unsigned n;

	if (kind == 'S') {
		pki_add_srv(crt, value);
	} else if (kind == 'I') {
		n = strchr(value, ':') != NULL ? 16 : 4;
		assert_int_equal(inet_pton(n == 4 ? AF_INET : AF_INET6, value,
		    ip), 1);
		pki_want(gnutls_x509_crt_set_subject_alt_name(crt,
		    GNUTLS_SAN_IPADDRESS, ip, n, GNUTLS_FSAN_APPEND), value);
	} else {
		pki_want(gnutls_x509_crt_set_subject_alt_name(crt,
		    kind == 'U' ? GNUTLS_SAN_URI : GNUTLS_SAN_DNSNAME, value,
		    (unsigned)strlen(value), GNUTLS_FSAN_APPEND), value);
	}
}

/* Calls with each word of a list and, after its colon if any, the rest. */
static inline void
pki_add_sans(gnutls_x509_crt_t crt, const char *sans)
{
	char value[200];
	size_t n;

	for (; sans != NULL && *sans != '\0'; sans += n + (sans[n] == ' ')) {
		n = strcspn(sans, " ");
		(void)snprintf(value, sizeof value, "%.*s", (int)n - 2,
		    sans + 2);
		pki_add_san(crt, sans[0], value);
	}
}

static inline void
pki_set_extensions(struct pki_cert *c)
{
	const struct pki_wish *w = c->wish;
	gnutls_x509_tlsfeatures_t features;

	pki_want(gnutls_x509_crt_set_basic_constraints(c->crt, w->ca, -1),
	    w->name);
	pki_want(gnutls_x509_crt_set_key_usage(c->crt, w->ca ?
	    GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN :
	    GNUTLS_KEY_DIGITAL_SIGNATURE), w->name);
	if (w->purpose != NULL || !w->ca)
		pki_want(gnutls_x509_crt_set_key_purpose_oid(c->crt,
		    w->purpose != NULL ? w->purpose :
		    GNUTLS_KP_TLS_WWW_SERVER, 0), w->name);
	pki_add_sans(c->crt, w->sans);
	if (!w->must_staple)
		return;
	pki_want(gnutls_x509_tlsfeatures_init(&features), w->name);
	pki_want(gnutls_x509_tlsfeatures_add(features, 5), w->name);
	pki_want(gnutls_x509_crt_set_tlsfeatures(c->crt, features), w->name);
	gnutls_x509_tlsfeatures_deinit(features);
}

static inline void
pki_set_constraints(struct pki_cert *c)
{
	const char *yes = c->wish->permitted, *no = c->wish->excluded;
	const char *domain = yes != NULL ? yes : no;
	gnutls_x509_name_constraints_t nc;
	gnutls_datum_t name;

	if (domain == NULL)
		return;
	name = (gnutls_datum_t){ (unsigned char *)(size_t)domain,
	    (unsigned)strlen(domain) };
	pki_want(gnutls_x509_name_constraints_init(&nc), domain);
	pki_want(yes != NULL ?
	    gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_DNSNAME,
	    &name) : gnutls_x509_name_constraints_add_excluded(nc,
	    GNUTLS_SAN_DNSNAME, &name), domain);
	pki_want(gnutls_x509_crt_set_name_constraints(c->crt, nc, 1), domain);
	gnutls_x509_name_constraints_deinit(nc);
}

static inline void
pki_set_key_ids(struct pki_cert *c, const struct pki_cert *issuer)
{
	unsigned char id[64];
	size_t len = sizeof id;

	if (c->wish->no_key_ids)
		return;
	pki_want(gnutls_x509_crt_get_key_id(c->crt, 0, id, &len), "id");
	pki_want(gnutls_x509_crt_set_subject_key_id(c->crt, id, len), "id");
	len = sizeof id;
	if (gnutls_x509_crt_get_subject_key_id(issuer->crt, id, &len,
	    NULL) == 0)
		pki_want(gnutls_x509_crt_set_authority_key_id(c->crt, id, len),
		    "id");
}

static inline void
pki_export(struct pki_cert *c)
{
	gnutls_pubkey_t key;

	pki_want(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_DER,
	    &c->der), "DER");
	pki_want(gnutls_pubkey_init(&key), "key");
	pki_want(gnutls_pubkey_import_x509(key, c->crt, 0), "key");
	pki_want(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &c->spki),
	    "key");
	gnutls_pubkey_deinit(key);
}

static inline void
pki_add(struct pki *pki, const struct pki_wish *w)
{
	struct pki_cert *c = &pki->certs[pki->n];
	const struct pki_cert *issuer = w->issuer == NULL ? c :
	    pki_cert(pki, w->issuer), *signer = w->forger == NULL ? issuer :
	    pki_cert(pki, w->forger);
	const char *cn = w->cn != NULL ? w->cn : w->name;

	assert_true(pki->n < PKI_MAX);
	c->wish = w;
	pki_want(gnutls_x509_crt_init(&c->crt), w->name);
	pki_want(gnutls_x509_crt_set_version(c->crt, 3), w->name);
	if (*cn != '\0')
		pki_want(gnutls_x509_crt_set_dn_by_oid(c->crt,
		    GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)strlen(cn)),
		    w->name);
	pki_set_key(pki, c);
	pki_set_serial(c);
	pki_set_dates(c);
	pki_set_extensions(c);
	pki_set_constraints(c);
	pki_set_key_ids(c, issuer);
	pki_want(gnutls_x509_crt_sign2(c->crt, issuer->crt, signer->key,
	    GNUTLS_DIG_SHA256, 0), w->name);
	pki_export(c);
	pki->n++;
}

static inline void
pki_make(struct pki *pki, const struct pki_wish *wishes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		pki_add(pki, &wishes[i]);
}

static inline void
pki_free(struct pki *pki)
{
	struct pki_cert *c;

	while (pki->n > 0) {
		c = &pki->certs[--pki->n];
		gnutls_x509_crt_deinit(c->crt);
		gnutls_x509_privkey_deinit(c->key);
		gnutls_free(c->der.data);
		gnutls_free(c->spki.data);
	}
}

/*
 * "leaf inter root": their DER, in this order.  "#" is something that is no
 * certificate.  The octets stay the store's.
 */
static inline unsigned
pki_chain(const struct pki *pki, const char *words,
    gnutls_datum_t chain[PKI_CHAIN_MAX])
{
	static unsigned char garbage[] = "\x30\x03\x02\x01";
	unsigned count = 0;
	size_t n;

	for (; *words != '\0'; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		assert_true(count < PKI_CHAIN_MAX);
		chain[count++] = words[0] == '#' ?
		    (gnutls_datum_t){ garbage, 4 } :
		    pki_get(pki, words, n)->der;
	}
	return count;
}

static inline void
pki_write(const char *file, const char *mode, const void *p, size_t len)
{
	FILE *f = fopen(file, mode);
	size_t n = f != NULL ? fwrite(p, 1, len, f) : 0;

	if (f == NULL || fclose(f) != 0 || n != len)
		fail_msg("%s cannot be written", file);
}

/* Appends certificates to a file, as PEM. */
static inline void
pki_append(const struct pki *pki, const char *file, const char *words)
{
	gnutls_datum_t chain[PKI_CHAIN_MAX], text;
	unsigned i, n = pki_chain(pki, words, chain);

	for (i = 0; i < n; i++) {
		pki_want(gnutls_pem_base64_encode2("CERTIFICATE", &chain[i],
		    &text), "PEM");
		pki_write(file, "a", text.data, text.size);
		gnutls_free(text.data);
	}
}

/* Writes a list of revoked certificates of one issuer; dates in days. */
static inline void
pki_write_crl(const struct pki *pki, const char *file, const char *issuer,
    const char *revoked, int begin, int end)
{
	const struct pki_cert *ca = pki_cert(pki, issuer);
	time_t now = time(NULL);
	gnutls_x509_crl_t crl;
	gnutls_datum_t text;
	unsigned char number = 1;

	pki_want(gnutls_x509_crl_init(&crl), issuer);
	pki_want(gnutls_x509_crl_set_version(crl, 2), issuer);
	pki_want(gnutls_x509_crl_set_number(crl, &number, 1), issuer);
	pki_want(gnutls_x509_crl_set_this_update(crl, now + begin * PKI_DAY),
	    issuer);
	pki_want(gnutls_x509_crl_set_next_update(crl, now + end * PKI_DAY),
	    issuer);
	if (revoked != NULL)
		pki_want(gnutls_x509_crl_set_crt(crl,
		    pki_cert(pki, revoked)->crt, now + begin * PKI_DAY),
		    revoked);
	pki_want(gnutls_x509_crl_sign2(crl, ca->crt, ca->key,
	    GNUTLS_DIG_SHA256, 0), issuer);
	pki_want(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &text),
	    issuer);
	pki_write(file, "a", text.data, text.size);
	gnutls_free(text.data);
	gnutls_x509_crl_deinit(crl);
}

#endif
