#include "dane.h"
#include "certificate.h"
#include "der.h"
#include "log.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

enum { PKIX_TA, PKIX_EE, DANE_TA_2, DANE_EE_3 };	/* RFC 7218 */
enum { SELECTOR_CERT, SELECTOR_SPKI };
enum { MATCHING_FULL, MATCHING_SHA256, MATCHING_SHA512 };
enum { CHAIN_MAX = 16, TLSA_FIXED = 3 };

struct chain {
	gnutls_x509_crt_t crts[CHAIN_MAX];
	const gnutls_datum_t *der;
	unsigned n;
	const char *const *names;
	size_t nnames;
	struct pool *pool;
	const char *objection;		/* to what matched, or NULL */
	const char *result;		/* RFC 8460 */
};

static size_t
digest_len(unsigned matching)
{
	return matching == MATCHING_SHA256 ? 32 :
	    matching == MATCHING_SHA512 ? 64 : 0;
}

static bool
is_certificate(const struct tlsa *t)
{
	const gnutls_datum_t der = { (unsigned char *)(size_t)t->data,
	    (unsigned)t->len };
	gnutls_x509_crt_t crt;
	bool ok;

	if (gnutls_x509_crt_init(&crt) != 0)
		return false;
	ok = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == 0;
	gnutls_x509_crt_deinit(crt);
	return ok;
}

static bool
is_usable(const struct tlsa *t, bool with_pkix)
{
	if (t->usage > DANE_EE_3 || t->selector > SELECTOR_SPKI ||
	    t->matching > MATCHING_SHA512 ||
	    (t->usage <= PKIX_EE && !with_pkix))
		return false;
	if (t->matching != MATCHING_FULL)
		return t->len == digest_len(t->matching);
	return t->selector == SELECTOR_CERT ? is_certificate(t) :
	    der_is_sequence(t->data, t->len);
}

static bool
is_outdone(const struct tlsa *t, const struct tlsa *all, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (all[i].usage == t->usage &&
		    all[i].selector == t->selector &&
		    t->matching != MATCHING_FULL &&
		    all[i].matching > t->matching)
			return true;
	return false;
}

void
dane_make(struct dane *dane, const struct dns_question *tlsa, bool with_pkix,
    struct pool *pool)
{
	struct tlsa *all = pool_array(pool, tlsa->n + 1, sizeof *all), *kept;
	const struct dns_record *r;
	size_t n = 0, i;

	for (i = 0; i < tlsa->n; i++) {
		r = &tlsa->records[i];
		if (r->len < TLSA_FIXED)
			continue;
		all[n] = (struct tlsa){ r->data[0], r->data[1], r->data[2],
		    r->data + TLSA_FIXED, r->len - TLSA_FIXED };
		if (is_usable(&all[n], with_pkix))
			n++;
	}
	kept = pool_array(pool, n + 1, sizeof *kept);
	*dane = (struct dane){ .records = kept,
	    .owner = pool_string(pool, tlsa->name) };
	for (i = 0; i < n; i++)
		if (!is_outdone(&all[i], all, n))
			kept[dane->n++] = all[i];
	if (dane->n == 0)
		dane->absent = "tlsa-invalid";
	log_detail("TLSA: of %zu at %s %zu count", tlsa->n, tlsa->name,
	    dane->n);
}

bool
dane_needs_pkix(const struct dane *dane)
{
	size_t i;

	for (i = 0; i < dane->n; i++)
		if (dane->records[i].usage <= PKIX_EE)
			return true;
	return false;
}

/* The octets that the selector means, as they stand in the certificate. */
static bool
matches(const struct tlsa *t, const gnutls_datum_t *der)
{
	struct der_certificate c;
	unsigned char digest[64];
	struct octets selected;

	if (!der_certificate(der->data, der->size, &c))
		return false;
	selected = t->selector == SELECTOR_SPKI ? c.key :
	    (struct octets){ der->data, der->size };
	if (t->matching == MATCHING_FULL)
		return octets_equal(selected, (struct octets){ t->data,
		    t->len });
	return gnutls_hash_fast(t->matching == MATCHING_SHA512 ?
	    GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256, selected.p, selected.len,
	    digest) == 0 && memcmp(digest, t->data, t->len) == 0;
}

static void
disliked(struct chain *c, const char *result, const char *text)
{
	c->objection = text;
	c->result = result;
}

static bool
has_name(struct chain *c)
{
	size_t i;

	for (i = 0; i < c->nnames; i++)
		if (certificate_is_for(c->crts[0], c->names[i], c->pool))
			return true;
	disliked(c, "certificate-host-mismatch", pool_printf(c->pool,
	    "its issuer matches, but it is for %s, not for %s",
	    certificate_names(c->crts[0], c->pool), c->names[0]));
	return false;
}

/* What the library's verdict says besides "not signed". */
static const struct {
	unsigned bit;
	const char *result, *text;
} objections[] = {
	{ GNUTLS_CERT_EXPIRED, "certificate-expired", "it, or a certificate "
	    "of its issuer, has expired" },
	{ GNUTLS_CERT_NOT_ACTIVATED, "validation-failure", "it, or a "
	    "certificate of its issuer, is not yet valid" },
	{ GNUTLS_CERT_PURPOSE_MISMATCH, "validation-failure", "it is not meant "
	    "for servers (no serverAuth among its purposes)" },
	{ GNUTLS_CERT_INSECURE_ALGORITHM, "validation-failure", "a key or a "
	    "signature is too weak" },
};

static bool
is_in_order(struct chain *c, unsigned status)
{
	const unsigned not_signed = GNUTLS_CERT_SIGNER_NOT_FOUND |
	    GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_SIGNATURE_FAILURE;
	size_t i;

	if (status == 0)
		return true;
	disliked(c, "validation-failure", "it is not properly signed by the "
	    "authority that matches");
	for (i = 0; i < sizeof objections / sizeof *objections; i++)
		if ((status & not_signed) == 0 &&
		    (status & objections[i].bit) != 0) {
			disliked(c, objections[i].result, objections[i].text);
			break;
		}
	return false;
}

static bool
is_authority(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
	struct der_certificate one, other;

	return der_certificate(a->data, a->size, &one) &&
	    der_certificate(b->data, b->size, &other) &&
	    octets_equal(one.subject, other.subject) &&
	    octets_equal(one.key, other.key);
}

/*
 * Does the chain lead to this anchor and to no other?  The library does not
 * find it when it is an intermediate one and sent along with certificates
 * that do not belong to it; so it is left out of what is verified.
 */
static unsigned
status_of(const struct chain *c, gnutls_x509_crt_t anchor,
    const gnutls_datum_t *der)
{
	unsigned char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st wanted = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
	    .data = purpose };
	gnutls_x509_crt_t path[CHAIN_MAX] = { c->crts[0] };
	gnutls_x509_trust_list_t list;
	unsigned status = GNUTLS_CERT_INVALID, i, n = 1;

	for (i = 1; i < c->n; i++)
		if (!is_authority(&c->der[i], der))
			path[n++] = c->crts[i];
	if (gnutls_x509_trust_list_init(&list, 0) != 0)
		return GNUTLS_CERT_INVALID;
	if (gnutls_x509_trust_list_add_cas(list, &anchor, 1, 0) != 1 ||
	    gnutls_x509_trust_list_verify_crt2(list, path, n, &wanted, 1,
	    GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
	    GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), &status,
	    NULL) != 0)
		status = GNUTLS_CERT_INVALID;
	gnutls_x509_trust_list_deinit(list, 0);
	return status;
}

static bool
leads_to(struct chain *c, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t anchor;
	bool ok;

	if (gnutls_x509_crt_init(&anchor) != 0)
		return false;
	ok = gnutls_x509_crt_import(anchor, der, GNUTLS_X509_FMT_DER) == 0 &&
	    is_in_order(c, status_of(c, anchor, der)) && has_name(c);
	gnutls_x509_crt_deinit(anchor);
	return ok;
}

static gnutls_datum_t
datum(struct octets o)
{
	return (gnutls_datum_t){ (unsigned char *)(size_t)o.p,
	    (unsigned)o.len };
}

static bool
is_signed_by(const struct chain *c, unsigned i,
    const struct der_certificate *parts, gnutls_pubkey_t key)
{
	gnutls_datum_t tbs = datum(parts->tbs), signature;
	unsigned char room[2048];
	size_t len = sizeof room;
	int algorithm = gnutls_x509_crt_get_signature_algorithm(c->crts[i]);

	if (algorithm <= 0 || gnutls_x509_crt_get_signature(c->crts[i],
	    (char *)room, &len) != 0)
		return false;
	signature = (gnutls_datum_t){ room, (unsigned)len };
	return gnutls_pubkey_verify_data2(key,
	    (gnutls_sign_algorithm_t)algorithm, 0, &tbs, &signature) >= 0;
}

/*
 * 2 1 0: a bare key, whose certificate need not be there (RFC 7671 section
 * 5.2.2).  Where it has signed, a certificate is put together from the name
 * of the signer and the key, so that nothing is spared what it has signed.
 */
static bool
leads_to_key(struct chain *c, struct octets bits)
{
	const gnutls_datum_t der = datum(bits);
	struct der_certificate parts;
	gnutls_datum_t anchor;
	gnutls_pubkey_t key;
	bool ok = false;
	unsigned i;

	if (gnutls_pubkey_init(&key) != 0)
		return false;
	if (gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER) == 0)
		for (i = 0; i < c->n && !ok; i++) {
			if (!der_certificate(c->der[i].data, c->der[i].size,
			    &parts) || !is_signed_by(c, i, &parts, key))
				continue;
			anchor = datum(der_anchor(parts.issuer, bits,
			    c->pool));
			ok = leads_to(c, &anchor);
		}
	gnutls_pubkey_deinit(key);
	return ok;
}

/* The leaf is no authority over itself: it is looked at by usage 3. */
static bool
has_anchor(struct chain *c, const struct tlsa *t)
{
	const struct octets data = { t->data, t->len };
	const gnutls_datum_t der = datum(data);
	unsigned i;

	for (i = 1; i < c->n; i++)
		if (matches(t, &c->der[i]) && leads_to(c, &c->der[i]))
			return true;
	if (t->matching != MATCHING_FULL || matches(t, &c->der[0]))
		return false;
	return t->selector == SELECTOR_CERT ? leads_to(c, &der) :
	    leads_to_key(c, data);
}

static enum dane_verdict
verdict(struct chain *c, const struct tlsa *t, bool pkix)
{
	bool end = t->usage == PKIX_EE || t->usage == DANE_EE_3;

	if (t->usage <= PKIX_EE && !pkix) {
		disliked(c, "certificate-not-trusted", "its records ask that a "
		    "public authority has signed it, too");
		return DANE_NO_MATCH;
	}
	if (end)
		return matches(t, &c->der[0]) ? DANE_EE : DANE_NO_MATCH;
	return has_anchor(c, t) ? DANE_TA : DANE_NO_MATCH;
}

static bool
import(struct chain *c, const gnutls_datum_t *der, unsigned len)
{
	c->der = der;
	for (; c->n < len && c->n < CHAIN_MAX; c->n++) {
		if (gnutls_x509_crt_init(&c->crts[c->n]) != 0)
			return false;
		if (gnutls_x509_crt_import(c->crts[c->n], &der[c->n],
		    GNUTLS_X509_FMT_DER) != 0) {
			gnutls_x509_crt_deinit(c->crts[c->n]);
			return c->n > 0;
		}
	}
	return c->n > 0;
}

enum dane_verdict
dane_verify(const struct dane *dane, const gnutls_datum_t *der, unsigned len,
    bool pkix, const char *const *names, size_t nnames, struct pool *pool,
    struct failure *why)
{
	struct chain c = { .pool = pool, .names = names, .nnames = nnames };
	enum dane_verdict found = DANE_NO_MATCH;
	size_t i;

	if (import(&c, der, len))
		for (i = 0; i < dane->n && found == DANE_NO_MATCH; i++)
			found = verdict(&c, &dane->records[i], pkix);
	if (found == DANE_NO_MATCH) {
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "the certificate of %s "
		    "does not match the TLSA records of %s (DANE)%s%s; either "
		    "its administrator has forgotten them or this is another "
		    "server", names[0], dane->owner, c.objection != NULL ?
		    ": " : "", c.objection != NULL ? c.objection : "");
		why->tls_result = c.result != NULL ? c.result :
		    "validation-failure";
	}
	while (c.n > 0)
		gnutls_x509_crt_deinit(c.crts[--c.n]);
	return found;
}
