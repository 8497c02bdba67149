#include "trust.h"
#include "buffer.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NAMES_SHOWN = 6 };

bool
trust_anchors(gnutls_certificate_credentials_t credentials,
    gnutls_session_t session, const char *ca_file, struct failure *why)
{
	int n;

	(void)session;
	if (ca_file == NULL) {
		n = gnutls_certificate_set_x509_system_trust(credentials);
		if (n > 0)
			return true;
		return fail(why, FAILURE_TLS_UNTRUSTED, "this system has no "
		    "certificate authorities (is the package ca-certificates "
		    "installed?)");
	}
	n = gnutls_certificate_set_x509_trust_file(credentials, ca_file,
	    GNUTLS_X509_FMT_PEM);
	if (n > 0)
		return true;
	return fail(why, FAILURE_CONFIG, "no certificate can be read from "
	    "ca-file %s: %s", ca_file, n == 0 ? "there is none in it" :
	    gnutls_strerror(n));
}

/* Octets of an address, 4 or 16; 0 when name is none. */
static size_t
address_octets(const char *name, unsigned char octets[16])
{
	if (inet_pton(AF_INET, name, octets) == 1)
		return 4;
	return inet_pton(AF_INET6, name, octets) == 1 ? 16 : 0;
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

/* One subject alternative name as text; NULL behind the last. */
static char *
san(gnutls_x509_crt_t crt, unsigned i, unsigned *type, struct pool *pool)
{
	char name[512], text[INET6_ADDRSTRLEN];
	size_t len = sizeof name;
	int kind = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &len,
	    NULL);

	if (kind < 0 && kind != GNUTLS_E_SHORT_MEMORY_BUFFER)
		return NULL;
	*type = (unsigned)kind;
	if (kind == GNUTLS_SAN_IPADDRESS && (len == 4 || len == 16) &&
	    inet_ntop(len == 4 ? AF_INET : AF_INET6, name, text,
	    sizeof text) != NULL)
		return pool_string(pool, text);
	return kind < 0 ? pool_string(pool, "?") :
	    pool_octets(pool, name, len);
}

static char *
names_of(gnutls_x509_crt_t crt, struct pool *pool)
{
	char *text = NULL, *name;
	unsigned i, type = 0, shown = 0;

	for (i = 0; (name = san(crt, i, &type, pool)) != NULL; i++) {
		if (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_IPADDRESS)
			continue;
		if (shown++ < NAMES_SHOWN)
			text = text == NULL ? name :
			    pool_printf(pool, "%s, %s", text, name);
	}
	if (text == NULL)
		return pool_string(pool, "no host name at all");
	if (shown > NAMES_SHOWN)
		return pool_printf(pool, "%s, and %u more", text,
		    shown - NAMES_SHOWN);
	return text;
}

char *
trust_names(gnutls_session_t session, struct pool *pool)
{
	gnutls_x509_crt_t crt;
	char *names;

	if (!leaf(session, &crt))
		return pool_string(pool, "");
	names = names_of(crt, pool);
	gnutls_x509_crt_deinit(crt);
	return names;
}

static const char *
distinguished(gnutls_x509_crt_t crt, bool issuer, struct pool *pool)
{
	char text[512];
	size_t len = sizeof text;
	int error = issuer ? gnutls_x509_crt_get_issuer_dn(crt, text, &len) :
	    gnutls_x509_crt_get_dn(crt, text, &len);

	return error == 0 ? pool_octets(pool, text, len) : "an unnamed issuer";
}

static const char *
day(time_t when, struct pool *pool)
{
	char text[40];
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		return "an unknown date";
	return pool_string(pool, text);
}

/* RFC 9525: a name counts only as subjectAltName of its own type. */
static bool
has_san_of(gnutls_x509_crt_t crt, unsigned wanted, struct pool *pool)
{
	unsigned i, type = 0;

	for (i = 0; san(crt, i, &type, pool) != NULL; i++)
		if (type == wanted)
			return true;
	return false;
}

static bool
carries(gnutls_x509_crt_t crt, const char *name, struct pool *pool)
{
	unsigned char octets[16];
	size_t n = address_octets(name, octets);

	if (n > 0)
		return gnutls_x509_crt_check_ip(crt, octets, (unsigned)n, 0);
	return has_san_of(crt, GNUTLS_SAN_DNSNAME, pool) &&
	    gnutls_x509_crt_check_hostname2(crt, name, 0);
}

struct objections {
	struct pool *pool;
	const char *text;
	const char *result;
};

static void
object(struct objections *o, const char *result, const char *text)
{
	o->text = o->text == NULL ? text :
	    pool_printf(o->pool, "%s; also %s", o->text, text);
	if (o->result == NULL)
		o->result = result;
}

static void
object_to_name(struct objections *o, gnutls_x509_crt_t crt, const char *name)
{
	if (!carries(crt, name, o->pool))
		object(o, "certificate-host-mismatch", pool_printf(o->pool,
		    "it is for %s, not for %s (if that is the right server, "
		    "write its name as tls-name)", names_of(crt, o->pool),
		    name));
}

static void
object_to_dates(struct objections *o, gnutls_x509_crt_t crt, unsigned status)
{
	time_t now = time(NULL), begin, end;

	begin = gnutls_x509_crt_get_activation_time(crt);
	end = gnutls_x509_crt_get_expiration_time(crt);
	if (end < now)
		object(o, "certificate-expired", pool_printf(o->pool,
		    "it expired on %s (the server needs a new one)",
		    day(end, o->pool)));
	else if (begin > now)
		object(o, "validation-failure", pool_printf(o->pool,
		    "it is valid only from %s (is the clock of this machine "
		    "right?)", day(begin, o->pool)));
	else if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		object(o, "certificate-expired", "a certificate of its issuer "
		    "is outside its dates");
}

static void
object_to_issuer(struct objections *o, gnutls_x509_crt_t crt)
{
	const char *issuer = distinguished(crt, true, o->pool);

	if (strcmp(issuer, distinguished(crt, false, o->pool)) == 0)
		object(o, "certificate-not-trusted", "it is signed by itself "
		    "(if it is the right one, name it with ca-file)");
	else
		object(o, "certificate-not-trusted", pool_printf(o->pool,
		    "its issuer \"%s\" leads to no authority that is trusted "
		    "here (ca-file names others)", issuer));
}

static void
object_to_rest(struct objections *o, unsigned status)
{
	static const struct {
		unsigned bit;
		const char *text;
	} rest[] = {
		{ GNUTLS_CERT_PURPOSE_MISMATCH, "it is not meant for servers "
		    "(no serverAuth among its purposes)" },
		{ GNUTLS_CERT_INSECURE_ALGORITHM, "its key or its signature "
		    "is too weak" },
		{ GNUTLS_CERT_REVOKED, "it was revoked" },
		{ GNUTLS_CERT_MISSING_OCSP_STATUS, "it must come with an OCSP "
		    "answer, which the server did not send" },
	};
	size_t i;

	for (i = 0; i < sizeof rest / sizeof *rest; i++)
		if (status & rest[i].bit)
			object(o, "validation-failure", rest[i].text);
}

static bool
judge(gnutls_session_t session, gnutls_x509_crt_t crt, const char *name,
    unsigned status, struct objections *o)
{
	gnutls_datum_t text = { 0 };

	(void)session;
	object_to_name(o, crt, name);
	object_to_dates(o, crt, status);
	if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA))
		object_to_issuer(o, crt);
	object_to_rest(o, status);
	if (status != 0 && o->text == NULL) {
		if (gnutls_certificate_verification_status_print(status,
		    GNUTLS_CRT_X509, &text, 0) == 0)
			object(o, "validation-failure", pool_octets(o->pool,
			    (char *)text.data, text.size));
		else
			object(o, "validation-failure", "it is not valid");
		gnutls_free(text.data);
	}
	return o->text == NULL;
}

/* The library's verdict on everything but the name, which we check too. */
static bool
status_of(gnutls_session_t session, const char *name, unsigned *status)
{
	unsigned char octets[16], purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
	char host[256];
	size_t n = address_octets(name, octets);
	gnutls_typed_vdata_st data[] = {
		{ .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = purpose },
		{ .type = n > 0 ? GNUTLS_DT_IP_ADDRESS :
		    GNUTLS_DT_DNS_HOSTNAME },
	};

	if ((size_t)snprintf(host, sizeof host, "%s", name) >= sizeof host)
		return false;
	data[1].data = n > 0 ? octets : (unsigned char *)host;
	data[1].size = n > 0 ? (unsigned)n : (unsigned)strlen(host);
	return gnutls_certificate_verify_peers(session, data, 2, status) == 0;
}

bool
trust_verify(gnutls_session_t session, const char *name, struct failure *why)
{
	struct objections o = { .pool = pool_new() };
	gnutls_x509_crt_t crt;
	unsigned status = 0;
	bool ok = false;

	if (!leaf(session, &crt)) {
		object(&o, "validation-failure", "it cannot be read");
	} else {
		if (!status_of(session, name, &status))
			object(&o, "validation-failure", "it cannot be "
			    "verified");
		ok = judge(session, crt, name, status, &o);
		gnutls_x509_crt_deinit(crt);
	}
	if (!ok) {
		(void)fail(why, FAILURE_TLS_UNTRUSTED, "the certificate of %s "
		    "is not in order: %s", name, o.text);
		why->tls_result = o.result;	/* a constant */
	}
	pool_free(o.pool);
	return ok;
}
