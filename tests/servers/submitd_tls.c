#include "submitd_tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

struct tls {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;	/* empty without --tickets */
	gnutls_certificate_request_t request;
	const char *alpn;		/* the protocol that must be meant by
					   who names any; or NULL */
	const char *client_key;		/* SHA-256 in hexadecimal, or NULL */
};

static void
want(int error, const char *what)
{
	if (error >= 0)
		return;
	(void)fprintf(stderr, "submitd: %s: %s\n", what,
	    gnutls_strerror(error));
	exit(1);
}

/* The SubjectPublicKeyInfo, as it stands in the certificate. */
static bool
has_key(gnutls_session_t session, const char *wanted)
{
	unsigned char id[32];
	char hex[2 * sizeof id + 1] = "";
	size_t n = sizeof id, room = sizeof hex;
	unsigned count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session,
	    &count);
	gnutls_datum_t raw = { id, sizeof id };
	gnutls_x509_crt_t crt;

	if (count != 1 || gnutls_x509_crt_init(&crt) != 0)
		return false;
	if (gnutls_x509_crt_import(crt, chain, GNUTLS_X509_FMT_DER) == 0 &&
	    gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id,
	    &n) == 0)
		(void)gnutls_hex_encode(&raw, hex, &room);
	gnutls_x509_crt_deinit(crt);
	return strcmp(hex, wanted) == 0;
}

static bool
is_verified(gnutls_session_t session)
{
	const struct tls *tls = gnutls_session_get_ptr(session);
	char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st data = {
		GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)purpose, 0
	};
	unsigned status;

	if (tls->client_key != NULL)
		return has_key(session, tls->client_key);
	return gnutls_certificate_verify_peers(session, &data, 1, &status) ==
	    0 && status == 0;
}

/* Called in the handshake; what is not 0 ends it. */

static int
refuse_unverified(gnutls_session_t session)
{
	return is_verified(session) ? 0 : -1;
}

static void
load(struct tls *tls, const struct options *o)
{
	char crt[4096], key[4096];

	(void)snprintf(crt, sizeof crt, "%s/%s.pem", o->ca, o->certificate);
	(void)snprintf(key, sizeof key, "%s/%s.key", o->ca, o->certificate);
	want(gnutls_certificate_set_x509_key_file(tls->credentials, crt, key,
	    GNUTLS_X509_FMT_PEM), crt);
}

static void
ask_for_clients(struct tls *tls, const struct options *o)
{
	char root[4096];

	(void)snprintf(root, sizeof root, "%s/ca.pem", o->ca);
	if (o->client_key == NULL)
		want(gnutls_certificate_set_x509_trust_file(tls->credentials,
		    root, GNUTLS_X509_FMT_PEM), root);
	tls->client_key = o->client_key;
	tls->request = GNUTLS_CERT_REQUEST;
	if (!o->require_client_cert)
		return;
	tls->request = GNUTLS_CERT_REQUIRE;
	gnutls_certificate_set_verify_function(tls->credentials,
	    refuse_unverified);
}

struct tls *
tls_new(const struct options *o)
{
	struct tls *tls = calloc(1, sizeof *tls);

	if (tls == NULL)
		abort();
	want(gnutls_certificate_allocate_credentials(&tls->credentials), "TLS");
	want(gnutls_priority_init(&tls->priority, o->tls_priority, NULL),
	    o->tls_priority);
	load(tls, o);
	tls->request = GNUTLS_CERT_IGNORE;
	tls->alpn = o->alpn;
	if (o->client_ca)
		ask_for_clients(tls, o);
	if (o->tickets)
		want(gnutls_session_ticket_key_generate(&tls->ticket_key),
		    "ticket key");
	return tls;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	gnutls_certificate_free_credentials(tls->credentials);
	gnutls_priority_deinit(tls->priority);
	gnutls_free(tls->ticket_key.data);
	free(tls);
}

static void
want_protocol(gnutls_session_t session, const char *name)
{
	const gnutls_datum_t protocol = { (unsigned char *)(size_t)name,
	    (unsigned)strlen(name) };

	want(gnutls_alpn_set_protocols(session, &protocol, 1,
	    GNUTLS_ALPN_MANDATORY), "ALPN");
}

gnutls_session_t
tls_session(const struct tls *tls)
{
	gnutls_session_t session;

	if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL) != 0)
		return NULL;
	if (gnutls_priority_set(session, tls->priority) != 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
	    tls->credentials) != 0 || (tls->ticket_key.data != NULL &&
	    gnutls_session_ticket_enable_server(session,
	    &tls->ticket_key) != 0)) {
		gnutls_deinit(session);
		return NULL;
	}
	gnutls_session_set_ptr(session, (void *)(size_t)tls);
	gnutls_certificate_server_set_request(session, tls->request);
	if (tls->alpn != NULL)
		want_protocol(session, tls->alpn);
	return session;
}

const char *
tls_version(gnutls_session_t session)
{
	return gnutls_protocol_get_name(gnutls_protocol_get_version(session));
}

static bool
common_name(const gnutls_datum_t *der, char *name, size_t room)
{
	gnutls_x509_crt_t crt;
	bool ok;

	if (gnutls_x509_crt_init(&crt) != 0)
		return false;
	ok = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0 &&
	    gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME,
	    0, 0, name, &room) == 0;
	gnutls_x509_crt_deinit(crt);
	return ok;
}

bool
tls_identity(gnutls_session_t session, char *name, size_t room)
{
	unsigned count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session,
	    &count);

	return chain != NULL && count > 0 && is_verified(session) &&
	    common_name(&chain[0], name, room);
}

void
tls_server_name(gnutls_session_t session, char *name, size_t room)
{
	unsigned type;

	if (gnutls_server_name_get(session, name, &room, &type, 0) != 0)
		*name = '\0';
}

static char *
base64(const gnutls_datum_t *raw)
{
	gnutls_datum_t text;
	char *copy;

	if (gnutls_base64_encode2(raw, &text) != 0)
		return NULL;
	copy = strdup((const char *)text.data);
	gnutls_free(text.data);
	return copy;
}

/* Of a server that does not ask for TLS 1.2's extended master secret. */
char *
tls_binding(gnutls_session_t session, bool *is_exporter)
{
	gnutls_channel_binding_t type = GNUTLS_CB_TLS_UNIQUE;
	gnutls_datum_t raw;
	char *text;

	*is_exporter =
	    gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;
	if (*is_exporter)
		type = GNUTLS_CB_TLS_EXPORTER;
	if (gnutls_session_channel_binding(session, type, &raw) != 0)
		return NULL;
	text = base64(&raw);
	gnutls_free(raw.data);
	return text;
}
