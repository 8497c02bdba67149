#include "certificate.h"
#include "der.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	NAMES_SHOWN = 6,
	TAG_IA5STRING = 0x16,
	SAN_SRV = 1003		/* GNUTLS_SAN_OTHERNAME_SRV, in newer headers */
};

/* Octets of an address, 4 or 16; 0 when name is none. */
static size_t
address_of(const char *name, unsigned char octets[16])
{
	if (inet_pton(AF_INET, name, octets) == 1)
		return 4;
	return inet_pton(AF_INET6, name, octets) == 1 ? 16 : 0;
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

bool
certificate_pin(const gnutls_datum_t *der, char pin[CRYPTO_SHA256_HEX + 1])
{
	struct der_certificate parts;

	pin[0] = '\0';
	return der_certificate(der->data, der->size, &parts) &&
	    crypto_sha256(pin, parts.key.p, parts.key.len);
}

char *
certificate_names(gnutls_x509_crt_t crt, struct pool *pool)
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

const char *
certificate_of(gnutls_x509_crt_t crt, bool issuer, struct pool *pool)
{
	gnutls_datum_t name = { 0 };
	const char *text = "";

	if ((issuer ? gnutls_x509_crt_get_issuer_dn2(crt, &name) :
	    gnutls_x509_crt_get_dn2(crt, &name)) == 0)
		text = pool_octets(pool, (char *)name.data, name.size);
	gnutls_free(name.data);
	return text;
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

bool
certificate_is_for(gnutls_x509_crt_t crt, const char *name, struct pool *pool)
{
	unsigned char octets[16];
	size_t n = address_of(name, octets);

	if (strchr(name, '*') != NULL)
		return false;
	if (n > 0)
		return gnutls_x509_crt_check_ip(crt, octets, (unsigned)n, 0);
	return has_san_of(crt, GNUTLS_SAN_DNSNAME, pool) &&
	    gnutls_x509_crt_check_hostname2(crt, name, 0);
}

/* Is the i-th otherName a SRVName? */
static bool
is_srv_name(gnutls_x509_crt_t crt, unsigned i)
{
	char oid[64];
	size_t len = sizeof oid;

	return gnutls_x509_crt_get_subject_alt_othername_oid(crt, i, oid,
	    &len) >= 0 && strcmp(oid, "1.3.6.1.5.5.7.8.7") == 0;
}

/*
 * RFC 4985: an otherName whose value is an IA5String, "_service.domain".
 * GnuTLS 3.7.9 hands its DER; with Debian's patches of deb12u7, as later ones,
 * it knows the kind and hands the name.
 */
static bool
has_srv_id(gnutls_x509_crt_t crt, const char *wanted)
{
	char value[300];
	size_t len, n = strlen(wanted);
	unsigned i;
	int kind = 0;

	for (i = 0; kind >= 0 || kind == GNUTLS_E_SHORT_MEMORY_BUFFER; i++) {
		len = sizeof value;
		kind = gnutls_x509_crt_get_subject_alt_name(crt, i, value,
		    &len, NULL);
		if (kind == SAN_SRV && len == n &&
		    strncasecmp(value, wanted, n) == 0)
			return true;
		if (kind == GNUTLS_SAN_OTHERNAME && n < 128 && len == n + 2 &&
		    value[0] == TAG_IA5STRING && (size_t)value[1] == n &&
		    strncasecmp(value + 2, wanted, n) == 0 &&
		    is_srv_name(crt, i))
			return true;
	}
	return false;
}

void
object(struct objections *o, const char *result, const char *text)
{
	o->text = o->text == NULL ? text :
	    pool_printf(o->pool, "%s; also %s", o->text, text);
	if (o->result == NULL)
		o->result = result;
}

static bool
is_for_any(gnutls_x509_crt_t crt, const struct certificate_wanted *w,
    struct pool *pool)
{
	size_t i;

	for (i = 0; i < w->nnames; i++)
		if (certificate_is_for(crt, w->names[i], pool))
			return true;
	return w->srv_id != NULL && has_srv_id(crt, w->srv_id);
}

static void
object_to_name(struct objections *o, gnutls_x509_crt_t crt,
    const struct certificate_wanted *w)
{
	if (!is_for_any(crt, w, o->pool))
		object(o, "certificate-host-mismatch", pool_printf(o->pool,
		    "it is for %s, not for %s (%s)",
		    certificate_names(crt, o->pool), w->names[0],
		    w->remedy != NULL ? w->remedy : "if that is the right "
		    "server, write one of its names as tls-name"));
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
	const char *issuer = certificate_of(crt, true, o->pool);

	if (strcmp(issuer, certificate_of(crt, false, o->pool)) == 0)
		object(o, "certificate-not-trusted", "it is signed by itself "
		    "(if it is the right one, name it with ca-file)");
	else
		object(o, "certificate-not-trusted", pool_printf(o->pool,
		    "its issuer \"%.300s\" leads to no authority that is trusted "
		    "here (does the server send its whole chain? if so, name "
		    "its authority with ca-file)", issuer));
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
		    "is too weak (the server needs a new one)" },
		{ GNUTLS_CERT_REVOKED, "it was revoked" },
		{ GNUTLS_CERT_SIGNATURE_FAILURE, "a signature is not its "
		    "issuer's: it is forged or damaged" },
		{ GNUTLS_CERT_MISSING_OCSP_STATUS, "it must come with an OCSP "
		    "answer, which the server did not send" },
	};
	size_t i;

	for (i = 0; i < sizeof rest / sizeof *rest; i++)
		if (status & rest[i].bit)
			object(o, "validation-failure", rest[i].text);
}

void
certificate_judge(gnutls_x509_crt_t crt, unsigned status,
    const struct certificate_wanted *wanted, struct objections *o)
{
	gnutls_datum_t text = { 0 };

	object_to_name(o, crt, wanted);
	object_to_dates(o, crt, status);
	if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA))
		object_to_issuer(o, crt);
	object_to_rest(o, status);
	if (status == 0 || o->text != NULL)
		return;
	if (gnutls_certificate_verification_status_print(status,
	    GNUTLS_CRT_X509, &text, 0) == 0)
		object(o, "validation-failure", pool_octets(o->pool,
		    (char *)text.data, text.size));
	else
		object(o, "validation-failure", "it is not valid");
	gnutls_free(text.data);
}
