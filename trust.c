#include "trust.h"
#include "buffer.h"
#include "bundle.h"
#include "crypto.h"
#include "dane.h"
#include "file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PIN_LEN = 32,
	PIN_HEX = CRYPTO_SHA256_HEX,
	CHAIN_MAX = 16,
	FILE_MAX = 64 * 1024 * 1024	/* octets of certificates */
};

/* Where systems keep the authorities that they trust. */
static const char *const stores[] = {
	"/etc/ssl/certs/ca-certificates.crt",	/* Debian, Arch, Alpine */
	"/etc/pki/tls/certs/ca-bundle.crt",	/* Fedora */
	"/etc/ssl/ca-bundle.pem",		/* SUSE */
	"/etc/ssl/cert.pem",
};

/* Continues also behind an authority that the library does not take. */
static bool
add_authority(void *context, struct octets der)
{
	gnutls_certificate_credentials_t credentials = context;
	const gnutls_datum_t datum = { (unsigned char *)(size_t)der.p,
	    (unsigned)der.len };

	(void)gnutls_certificate_set_x509_trust_mem(credentials, &datum,
	    GNUTLS_X509_FMT_DER);
	return true;
}

/* Those of the text that the session's chain can end in. */
static size_t
add_authorities(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, const struct buffer *text)
{
	struct bundle_names names = { .n = 0 };
	const gnutls_datum_t *chain;
	unsigned n = 0, i;

	chain = gnutls_certificate_get_peers(session, &n);
	for (i = 0; i < n; i++)
		bundle_name(&names, chain[i].data, chain[i].size);
	return bundle_scan(buffer_data(text), buffer_len(text), &names,
	    add_authority, credentials);
}

static bool
own_authorities(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, const char *ca_file, struct failure *why)
{
	struct buffer text = { 0 };
	bool ok = file_read(ca_file, FILE_MAX, &text) || fail(why,
	    file_blame(errno), "ca-file %s cannot be read: %s", ca_file,
	    file_error(errno));

	ok = ok && (add_authorities(credentials, session, &text) > 0 ||
	    fail(why, FAILURE_CONFIG, "no certificate can be read from "
	    "ca-file %s: there is none in it (PEM)", ca_file));
	buffer_free(&text);
	return ok;
}

static bool
system_authorities(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, struct failure *why)
{
	struct buffer text = { 0 };
	const char *unread = NULL;
	size_t i, n = 0;
	int error = 0;

	for (i = 0; i < sizeof stores / sizeof *stores && n == 0; i++) {
		if (file_read(stores[i], FILE_MAX, &text)) {
			n = add_authorities(credentials, session, &text);
		} else if (errno != ENOENT && unread == NULL) {
			unread = stores[i];
			error = errno;
		}
		buffer_free(&text);
	}
	if (n > 0 || gnutls_certificate_set_x509_system_trust(credentials) > 0)
		return true;
	if (unread != NULL)
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "the certificate "
		    "authorities of this system cannot be read: %s: %s",
		    unread, file_error(error));
	else
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "this system has no "
		    "certificate authorities (is the package ca-certificates "
		    "installed?)");
	why->tls_result = "certificate-not-trusted";
	return false;
}

/* Has an issuer of the chain made this list of revoked certificates? */
static bool
is_of_chain(gnutls_session_t session, gnutls_x509_crl_t crl)
{
	gnutls_datum_t issuer = { 0 };
	const gnutls_datum_t *chain;
	struct der_certificate c;
	unsigned n = 0, i;
	bool found = false;

	chain = gnutls_certificate_get_peers(session, &n);
	if (gnutls_x509_crl_get_raw_issuer_dn(crl, &issuer) != 0)
		return false;
	for (i = 0; i < n && !found; i++)
		found = der_certificate(chain[i].data, chain[i].size, &c) &&
		    octets_equal(c.issuer, (struct octets){ issuer.data,
		    issuer.size });
	gnutls_free(issuer.data);
	return found;
}

/*
 * The library does not look at the dates of lists that it is given.  That one
 * is stale is told only when no certificate is in it.
 */
static void
note_dates(gnutls_x509_crl_t crl, const char *crl_file, struct failure *why)
{
	time_t now = time(NULL), next = gnutls_x509_crl_get_next_update(crl);

	if (gnutls_x509_crl_get_this_update(crl) > now)
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "crl-file %s is of a "
		    "day to come (is the clock of this machine right?)",
		    crl_file);
	else if (next != (time_t)-1 && next < now)
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "crl-file %s is out of "
		    "date (fetch a new one)", crl_file);
	else
		return;
	why->tls_result = "validation-failure";
}

/* Takes those of the chain's issuers; frees all. */
static void
take_crls(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, gnutls_x509_crl_t *crls, unsigned n,
    const char *crl_file, struct failure *stale)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (is_of_chain(session, crls[i])) {
			note_dates(crls[i], crl_file, stale);
			(void)gnutls_certificate_set_x509_crl(credentials,
			    &crls[i], 1);
		}
		gnutls_x509_crl_deinit(crls[i]);
	}
	gnutls_free(crls);
}

static bool
add_crls(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, const char *crl_file, struct failure *stale,
    struct failure *why)
{
	struct buffer text = { 0 };
	gnutls_x509_crl_t *crls = NULL;
	gnutls_datum_t datum;
	unsigned n = 0;
	bool ok;

	if (crl_file == NULL)
		return true;
	ok = file_read(crl_file, FILE_MAX, &text) || fail(why,
	    file_blame(errno), "crl-file %s cannot be read: %s", crl_file,
	    file_error(errno));
	buffer_put(&text, "", 1);		/* the library wants an end */
	datum = (gnutls_datum_t){ (unsigned char *)buffer_data(&text),
	    (unsigned)buffer_len(&text) - 1 };
	ok = ok && ((gnutls_x509_crl_list_import2(&crls, &n, &datum,
	    GNUTLS_X509_FMT_PEM, 0) >= 0 && n > 0) || fail(why,
	    FAILURE_CONFIG, "no list of revoked certificates can be read from "
	    "crl-file %s: there is none in it (PEM)", crl_file));
	if (ok)
		take_crls(credentials, session, crls, n, crl_file, stale);
	buffer_free(&text);
	return ok;
}

/* The leaf is all that is imported; the chain is the library's affair. */
static bool
leaf(gnutls_session_t session, gnutls_x509_crt_t *crt)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);

	if (chain == NULL || n == 0 || gnutls_x509_crt_init(crt) != 0)
		return false;
	if (gnutls_x509_crt_import(*crt, &chain[0], GNUTLS_X509_FMT_DER) == 0)
		return true;
	gnutls_x509_crt_deinit(*crt);
	return false;
}

/* The library's verdict on everything but the name, which is ours. */
static bool
status_of(gnutls_session_t session, unsigned *status)
{
	unsigned char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st wanted = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
	    .data = purpose };

	return gnutls_certificate_verify_peers(session, &wanted, 1, status) == 0;
}

static bool
counts_no_authority(const struct trust_params *params)
{
	return params->ca_file != NULL &&
	    strcmp(params->ca_file, "none") == 0;
}

/* crt NULL: there is none that can be read. */
static bool
is_in_order(gnutls_session_t session, gnutls_x509_crt_t crt,
    const struct trust_params *params, struct failure *why)
{
	struct objections o = { .pool = pool_new() };
	unsigned status = 0;

	if (crt == NULL) {
		object(&o, "validation-failure", "it cannot be read");
	} else {
		if (!status_of(session, &status))
			object(&o, "validation-failure", "it cannot be "
			    "verified");
		certificate_judge(crt, status, &params->wanted, &o);
	}
	if (o.text != NULL) {
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "the certificate of %s "
		    "is not in order: %s", params->wanted.names[0], o.text);
		why->tls_result = o.result;	/* a constant */
	}
	pool_free(o.pool);
	return o.text == NULL;
}

static bool
verify_pkix(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, gnutls_x509_crt_t crt,
    const struct trust_params *params, struct failure *why)
{
	struct failure stale = { .kind = FAILURE_NONE };

	if (!(params->ca_file == NULL || counts_no_authority(params) ?
	    system_authorities(credentials, session, why) :
	    own_authorities(credentials, session, params->ca_file, why)) ||
	    !add_crls(credentials, session, params->crl_file, &stale, why) ||
	    !is_in_order(session, crt, params, why))
		return false;
	if (stale.kind != FAILURE_NONE)
		*why = stale;
	return stale.kind == FAILURE_NONE;
}

/*
 * The chain with the authorities behind it, which servers seldom send, but
 * usage 0 may mean (RFC 6698 section 2.1.1).
 */
static unsigned
with_authorities(gnutls_certificate_credentials_t credentials,
    const gnutls_datum_t *chain, unsigned n,
    gnutls_datum_t all[2 * CHAIN_MAX])
{
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t crt, issuer;
	unsigned total, i;

	memcpy(all, chain, n * sizeof *chain);
	gnutls_certificate_get_trust_list(credentials, &list);
	for (total = n, i = 0; i < n; i++) {
		if (gnutls_x509_crt_init(&crt) != 0)
			break;
		if (gnutls_x509_crt_import(crt, &chain[i],
		    GNUTLS_X509_FMT_DER) == 0 &&
		    gnutls_x509_trust_list_get_issuer(list, crt, &issuer,
		    GNUTLS_TL_GET_COPY) == 0) {
			total += gnutls_x509_crt_export2(issuer,
			    GNUTLS_X509_FMT_DER, &all[total]) == 0;
			gnutls_x509_crt_deinit(issuer);
		}
		gnutls_x509_crt_deinit(crt);
	}
	return total;
}

/* pkix: it has said yes. */
static const char *
verify_dane(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, const struct trust_params *params, bool pkix,
    struct pool *pool, struct failure *why)
{
	const struct certificate_wanted *w = &params->wanted;
	gnutls_datum_t all[2 * CHAIN_MAX];
	const gnutls_datum_t *chain;
	unsigned n = 0, total;
	enum dane_verdict verdict;

	chain = gnutls_certificate_get_peers(session, &n);
	if (!pkix || !dane_needs_pkix(params->dane))
		verdict = dane_verify(params->dane, chain, n, false, w->names,
		    w->nnames, pool, why);
	else {
		n = n > CHAIN_MAX ? CHAIN_MAX : n;
		total = with_authorities(credentials, chain, n, all);
		verdict = dane_verify(params->dane, all, total, true,
		    w->names, w->nnames, pool, why);
		while (total > n)
			gnutls_free(all[--total].data);
	}
	return verdict == DANE_EE ? "dane-ee" : verdict == DANE_TA ?
	    "dane-ta" : NULL;
}

static bool
has_records(const struct trust_params *params)
{
	return params->dane != NULL && params->dane->n > 0;
}

static void
find_pin(gnutls_session_t session, struct trust_findings *found)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);

	if (chain != NULL && n > 0)
		(void)certificate_pin(&chain[0], found->pin);
}

static bool
is_pinned(const struct trust_params *params, const char *hex,
    struct failure *why)
{
	if (params->pins == NULL ||
	    (*hex != '\0' && strstr(params->pins, hex) != NULL))
		return true;
	if (*hex == '\0')
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "the certificate of %s "
		    "is not in form and has no key that \"pin\" could name; "
		    "this is another server, or somebody is in between",
		    params->wanted.names[0]);
	else
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "the key of %s is none "
		    "of those that \"pin\" names; either the server has a new "
		    "one or this is another server (its pin is sha256:%s)",
		    params->wanted.names[0], hex);
	why->tls_result = "validation-failure";
	return false;
}

static void
settle(struct trust_verdict *v, const char *by, const struct failure *why,
    struct pool *pool)
{
	v->by = by;
	if (by != NULL)
		return;
	v->result = why->tls_result != NULL ? why->tls_result :
	    "validation-failure";
	v->objection = pool_string(pool, why->text);
}

/* Whichever counts: it costs no more than where there is PKIX alone. */
static bool
asks_pkix(const struct trust_params *params)
{
	if (counts_no_authority(params))
		return params->describe;
	return !has_records(params) || params->both || params->tell ||
	    params->describe || dane_needs_pkix(params->dane);
}

static void
look(gnutls_certificate_credentials_t credentials, gnutls_session_t session,
    const struct trust_params *params, struct trust_findings *found,
    struct pool *pool, struct failure *pkix, struct failure *dane)
{
	gnutls_x509_crt_t crt = NULL;

	find_pin(session, found);
	if (leaf(session, &crt)) {
		found->names = certificate_names(crt, pool);
		found->until = gnutls_x509_crt_get_expiration_time(crt);
	}
	if (asks_pkix(params))
		settle(&found->pkix, verify_pkix(credentials, session, crt,
		    params, pkix) ? "pkix" : NULL, pkix, pool);
	if (has_records(params))
		settle(&found->dane, verify_dane(credentials, session, params,
		    found->pkix.by != NULL && !counts_no_authority(params),
		    pool, dane), dane, pool);
	else if (params->dane != NULL)
		found->dane.result = params->dane->absent;
	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
}

/* "dane both": what one says is told with what the other says. */
static const char *
judge_both(const struct trust_findings *found, const struct failure *pkix,
    const struct failure *dane, struct pool *pool, struct failure *why)
{
	if (found->dane.by != NULL && found->pkix.by != NULL)
		return pool_printf(pool, "%s+pkix", found->dane.by);
	*why = found->dane.by == NULL ? *dane : *pkix;
	if (why->kind != FAILURE_TLS_UNTRUSTED)
		return NULL;
	if (found->dane.by != NULL)
		fail_more(why, "; its TLSA records match, but \"dane both\" "
		    "wants an authority as well (\"dane require\" does "
		    "without)");
	else if (found->pkix.by != NULL)
		fail_more(why, "; an authority vouches for it, but \"dane "
		    "both\" wants both");
	else
		fail_more(why, pool_printf(pool, "; no authority vouches for "
		    "it either: %s", pkix->text));
	return NULL;
}

const char *
trust_judge(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, const struct trust_params *params,
    struct trust_findings *found, struct pool *pool, struct failure *why)
{
	struct failure pkix = { .kind = FAILURE_NONE }, dane = pkix;
	const struct failure *decisive = has_records(params) ? &dane : &pkix;

	*found = (struct trust_findings){ 0 };
	look(credentials, session, params, found, pool, &pkix, &dane);
	if (!is_pinned(params, found->pin, why))
		return NULL;
	if (params->both && has_records(params))
		return judge_both(found, &pkix, &dane, pool, why);
	if (has_records(params) || !counts_no_authority(params)) {
		if (decisive->kind != FAILURE_NONE)
			*why = *decisive;
		return has_records(params) ? found->dane.by : found->pkix.by;
	}
	if (params->pins != NULL)
		return "pin";
	(void)fail(why, FAILURE_CONFIG, "\"ca-file none\" leaves nothing that "
	    "the certificate of %s could be verified by; add a pin",
	    params->wanted.names[0]);
	return NULL;
}

const char *
trust_word(const struct trust_verdict *v)
{
	return v->by == NULL ? v->result : strcmp(v->by, "pkix") == 0 ? "ok" :
	    v->by;
}

static bool
is_hex(const char *s, size_t len)
{
	return len == PIN_HEX &&
	    strspn(s, "0123456789abcdefABCDEF") >= PIN_HEX;
}

/* Colons between the octets of hexadecimal digits are left out. */
static char *
without_colons(const char *text, struct pool *pool)
{
	char *copy = pool_string(pool, text), *to = copy;

	for (; *text != '\0'; text++)
		if (*text != ':')
			*to++ = *text;
	*to = '\0';
	return copy;
}

bool
trust_pin(const char *text, char **pin, struct pool *pool,
    struct failure *why)
{
	const char *rest = strncmp(text, "sha256:", 7) == 0 ? text + 7 :
	    strncmp(text, "sha256//", 8) == 0 ? text + 8 : text;
	char *hex = without_colons(rest, pool), *p;
	struct buffer digest = { 0 };
	bool ok = is_hex(hex, strlen(hex));

	for (p = hex; ok && *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'F' ? (char)(*p + ('a' - 'A')) : *p;
	if (!ok && crypto_unbase64(&digest, rest, strlen(rest)) &&
	    buffer_len(&digest) == PIN_LEN) {
		hex = pool_alloc(pool, PIN_HEX + 1);
		crypto_hex(hex, buffer_data(&digest), PIN_LEN);
		ok = true;
	}
	buffer_free(&digest);
	*pin = pool_printf(pool, "sha256:%s", hex);
	return ok || fail(why, FAILURE_CONFIG, "\"%s\" is no pin: it is the "
	    "SHA-256 of a public key, sha256: and 64 hexadecimal digits", text);
}
