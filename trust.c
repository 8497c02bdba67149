#include "trust.h"
#include "buffer.h"
#include "bundle.h"
#include "crypto.h"
#include "dane.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>
#include <unistd.h>

enum { PIN_LEN = 32, PIN_HEX = 2 * PIN_LEN };

/* Where systems keep the authorities that they trust. */
static const char *const stores[] = {
	"/etc/ssl/certs/ca-certificates.crt",	/* Debian, Arch, Alpine */
	"/etc/pki/tls/certs/ca-bundle.crt",	/* Fedora */
	"/etc/ssl/ca-bundle.pem",		/* SUSE */
	"/etc/ssl/cert.pem",
};

static bool
read_whole(const char *name, struct buffer *text)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY), error;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	do {
		n = read(fd, buffer_room(text, 1 << 18), 1 << 18);
		if (n > 0)
			buffer_added(text, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	error = errno;
	(void)close(fd);
	errno = error;
	return n == 0;
}

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
	bool ok = read_whole(ca_file, &text) || fail_errno(why,
	    FAILURE_CONFIG, "ca-file %s cannot be read", ca_file);

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
	size_t i, n = 0;

	for (i = 0; i < sizeof stores / sizeof *stores && n == 0; i++) {
		if (read_whole(stores[i], &text))
			n = add_authorities(credentials, session, &text);
		buffer_free(&text);
	}
	if (n > 0 || gnutls_certificate_set_x509_system_trust(credentials) > 0)
		return true;
	return fail(why, FAILURE_TLS_UNTRUSTED, "this system has no "
	    "certificate authorities (is the package ca-certificates "
	    "installed?)");
}

static bool
add_crl(gnutls_certificate_credentials_t credentials, const char *crl_file,
    struct failure *why)
{
	int n;

	if (crl_file == NULL)
		return true;
	n = gnutls_certificate_set_x509_crl_file(credentials, crl_file,
	    GNUTLS_X509_FMT_PEM);
	return n > 0 || fail(why, FAILURE_CONFIG, "no list of revoked "
	    "certificates can be read from crl-file %s: %s", crl_file,
	    n == 0 ? "there is none in it (PEM)" : gnutls_strerror(n));
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

char *
trust_names(gnutls_session_t session, struct pool *pool)
{
	gnutls_x509_crt_t crt;
	char *names;

	if (!leaf(session, &crt))
		return pool_string(pool, "");
	names = certificate_names(crt, pool);
	gnutls_x509_crt_deinit(crt);
	return names;
}

/* The library's verdict on everything but the name, which is ours. */
static bool
status_of(gnutls_session_t session, unsigned *status)
{
	unsigned char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st data = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
	    .data = purpose };

	return gnutls_certificate_verify_peers(session, &data, 1, status) == 0;
}

static bool
is_in_order(gnutls_session_t session, const struct trust_params *params,
    struct failure *why)
{
	struct objections o = { .pool = pool_new() };
	gnutls_x509_crt_t crt;
	unsigned status = 0;

	if (!leaf(session, &crt)) {
		object(&o, "validation-failure", "it cannot be read");
	} else {
		if (!status_of(session, &status))
			object(&o, "validation-failure", "it cannot be "
			    "verified");
		certificate_judge(crt, status, &params->wanted, &o);
		gnutls_x509_crt_deinit(crt);
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
    gnutls_session_t session, const struct trust_params *params,
    struct failure *why)
{
	return (params->ca_file == NULL ?
	    system_authorities(credentials, session, why) :
	    own_authorities(credentials, session, params->ca_file, why)) &&
	    add_crl(credentials, params->crl_file, why) &&
	    is_in_order(session, params, why);
}

static bool
counts_no_authority(const struct trust_params *params)
{
	return params->ca_file != NULL &&
	    strcmp(params->ca_file, "none") == 0;
}

static const char *
verify_dane(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, const struct trust_params *params,
    struct pool *pool, struct failure *why)
{
	const struct certificate_wanted *w = &params->wanted;
	struct failure ignored;
	const gnutls_datum_t *chain;
	unsigned n = 0;
	bool pkix = dane_needs_pkix(params->dane) &&
	    !counts_no_authority(params) &&
	    verify_pkix(credentials, session, params, &ignored);

	chain = gnutls_certificate_get_peers(session, &n);
	switch (dane_verify(params->dane, chain, n, pkix, w->names, w->nnames,
	    pool, why)) {
	case DANE_EE:
		return "dane-ee";
	case DANE_TA:
		return "dane-ta";
	default:
		return NULL;
	}
}

/* Of the leaf's public key alone: what comes behind it anyone can append. */
static bool
pin_of(gnutls_session_t session, char hex[PIN_HEX + 1])
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	unsigned char digest[PIN_LEN];
	struct der_certificate c;

	if (chain == NULL || n == 0 ||
	    !der_certificate(chain[0].data, chain[0].size, &c) ||
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, c.key.p, c.key.len,
	    digest) != 0)
		return false;
	crypto_hex(hex, digest, PIN_LEN);
	return true;
}

static bool
is_pinned(gnutls_session_t session, const struct trust_params *params,
    struct failure *why)
{
	char hex[PIN_HEX + 1] = "";

	if (params->pins == NULL ||
	    (pin_of(session, hex) && strstr(params->pins, hex) != NULL))
		return true;
	(void)fail(why, FAILURE_TLS_UNTRUSTED, "the key of %s is none of those "
	    "that \"pin\" names; either the server has a new one or this is "
	    "another server (its pin is sha256:%s)", params->wanted.names[0],
	    hex);
	why->tls_result = "validation-failure";
	return false;
}

const char *
trust_judge(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, const struct trust_params *params,
    struct pool *pool, struct failure *why)
{
	if (!is_pinned(session, params, why))
		return NULL;
	if (params->dane != NULL && params->dane->n > 0)
		return verify_dane(credentials, session, params, pool, why);
	if (!counts_no_authority(params))
		return verify_pkix(credentials, session, params, why) ?
		    "pkix" : NULL;
	if (params->pins != NULL)
		return "pin";
	(void)fail(why, FAILURE_CONFIG, "\"ca-file none\" leaves nothing that "
	    "the certificate of %s could be verified by; add a pin",
	    params->wanted.names[0]);
	return NULL;
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
