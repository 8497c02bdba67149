#include "tls.h"
#include "dane.h"
#include "log.h"
#include "trust.h"
#include "url.h"

#include <assert.h>
#include <gnutls/gnutls.h>
#include <gnutls/pkcs11.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALPN_MAX = 8,			/* protocols, as many as GnuTLS takes */
	ALPN_NAME_MAX = 31		/* octets of each, likewise */
};

struct tls {
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	const struct tls_params *params;
	struct tls_facts *facts;
	struct pool *pool;
	struct failure verdict;		/* on the certificate */
	bool judged;
	bool pending;			/* a write is not finished */
};

static const char versions[] = "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
    ":%PROFILE_MEDIUM";
static const char version13[] = "-VERS-ALL:+VERS-TLS1.3:%PROFILE_MEDIUM";

const char *
tls_library(void)
{
	return gnutls_check_version(NULL);
}

void
tls_load_tokens(void)
{
	(void)gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_AUTO, NULL);
}

/* Alerts by which a server says that our certificate is missing or wrong. */
static bool
is_about_us(gnutls_alert_description_t alert)
{
	switch (alert) {
	case GNUTLS_A_CERTIFICATE_REQUIRED:
	case GNUTLS_A_BAD_CERTIFICATE:
	case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
	case GNUTLS_A_CERTIFICATE_REVOKED:
	case GNUTLS_A_CERTIFICATE_EXPIRED:
	case GNUTLS_A_CERTIFICATE_UNKNOWN:
	case GNUTLS_A_UNKNOWN_CA:
	case GNUTLS_A_ACCESS_DENIED:
		return true;
	default:
		return false;
	}
}

/* RFC 7301 section 3.2: a server that knows none of the names must refuse. */
static bool
no_protocol(const struct tls *t, struct failure *why)
{
	if (t->params->alpn == NULL)
		return fail(why, FAILURE_PROTOCOL, "the server wants to hear "
		    "which protocol is meant (ALPN) and is told none; write "
		    "one as tls-alpn, as in: tls-alpn smtp");
	return fail(why, FAILURE_PROTOCOL, "the server takes none of the "
	    "protocols that \"tls-alpn\" names (%s); write %s, or leave "
	    "tls-alpn out", t->params->alpn,
	    strchr(t->params->alpn, ' ') == NULL ? "the one that it knows" :
	    "the one that it knows, and that one alone (some refuse several)");
}

static bool
unfit(const struct tls *t, struct failure *why)
{
	return fail(why, FAILURE_AUTH, "the server knows no key of the kind "
	    "that the client %s has; an ECDSA or RSA key will do "
	    "(client-certificate, client-key)",
	    identity_name(&t->params->identity, t->pool));
}

/* We were asked for a certificate, have one, and it was not sent. */
static bool
is_unfit(const struct tls *t)
{
	return identity_name(&t->params->identity, t->pool) != NULL &&
	    gnutls_certificate_client_get_request_status(t->session) != 0 &&
	    gnutls_certificate_get_ours(t->session) == NULL;
}

/*
 * TLS 1.2 has no alert of its own for a certificate of ours that is missing:
 * OpenSSL says the one, GnuTLS the other.
 */
static bool
misses_ours(const struct tls *t, gnutls_alert_description_t alert)
{
	return (alert == GNUTLS_A_HANDSHAKE_FAILURE ||
	    alert == GNUTLS_A_DECODE_ERROR) &&
	    identity_name(&t->params->identity, t->pool) == NULL &&
	    gnutls_certificate_client_get_request_status(t->session) != 0;
}

static bool
alert(const struct tls *t, struct failure *why)
{
	gnutls_alert_description_t a = gnutls_alert_get(t->session);
	const char *name = gnutls_alert_get_name(a);
	const char *ours = identity_name(&t->params->identity, t->pool);

	if (name == NULL)
		name = "of an unknown kind";
	if (a == GNUTLS_A_NO_APPLICATION_PROTOCOL)
		return no_protocol(t, why);
	if (!is_about_us(a) && !misses_ours(t, a))
		return fail(why, FAILURE_PROTOCOL, "the server has ended TLS "
		    "with the alert \"%s\"", name);
	if (t->facts->unfit)
		return unfit(t, why);
	if (ours == NULL)
		return fail(why, FAILURE_AUTH, "the server wants a client "
		    "certificate and there is none (client-certificate); its "
		    "alert is \"%s\"", name);
	return fail(why, FAILURE_AUTH, "the server does not accept the client "
	    "%s: its alert is \"%s\"", ours, name);
}

static const char no_tls[] = "the server does not speak TLS here (smtps:// is "
    "for implicit TLS, smtp:// for STARTTLS)";

/* Errors of the library in the user's words. */
static const struct {
	int error;
	const char *text;
} faults[] = {
	{ GNUTLS_E_UNEXPECTED_PACKET, no_tls },
	{ GNUTLS_E_UNEXPECTED_PACKET_LENGTH, no_tls },
	{ GNUTLS_E_RECORD_OVERFLOW, no_tls },
	{ GNUTLS_E_UNSUPPORTED_VERSION_PACKET, "the server speaks no TLS that "
	    "is safe today (1.2 or 1.3): it must be updated" },
	{ GNUTLS_E_REHANDSHAKE, "the server asks to renegotiate TLS" },
};

static bool
in_words(int error, struct failure *why)
{
	size_t i;

	for (i = 0; i < sizeof faults / sizeof *faults; i++)
		if (faults[i].error == error)
			return fail(why, FAILURE_PROTOCOL, "%s",
			    faults[i].text);
	return fail(why, FAILURE_PROTOCOL, "TLS failed: %s",
	    gnutls_strerror(error));
}

static bool
was_cut(int error)
{
	return error == GNUTLS_E_PREMATURE_TERMINATION ||
	    error == GNUTLS_E_PULL_ERROR || error == GNUTLS_E_PUSH_ERROR;
}

static bool
explain(const struct tls *t, int error, struct failure *why)
{
	if (was_cut(error))
		return fail(why, FAILURE_LOST, "the connection was cut within "
		    "TLS");
	if (error == GNUTLS_E_FATAL_ALERT_RECEIVED)
		(void)alert(t, why);
	else if (error == GNUTLS_E_UNWANTED_ALGORITHM &&	/* TLS 1.2 */
	    identity_name(&t->params->identity, t->pool) != NULL)
		(void)unfit(t, why);
	else
		(void)in_words(error, why);
	why->tls_result = "validation-failure";
	return false;
}

static enum transport_state
wanted(const struct tls *t)
{
	return gnutls_record_get_direction(t->session) == 0 ?
	    TRANSPORT_WANT_READ : TRANSPORT_WANT_WRITE;
}

static enum transport_state
tls_read(void *context, char *p, size_t room, size_t *done,
    struct failure *why)
{
	struct tls *t = context;
	ssize_t n;
	int harmless = 0;

	do
		n = gnutls_record_recv(t->session, p, room);
	while (n < 0 && n != GNUTLS_E_AGAIN && n != GNUTLS_E_REHANDSHAKE &&
	    !gnutls_error_is_fatal((int)n) && harmless++ < 32);
	if (n == GNUTLS_E_AGAIN)
		return wanted(t);
	if (n == 0)
		return TRANSPORT_END;
	if (n < 0) {
		(void)explain(t, (int)n, why);
		return TRANSPORT_FAILED;
	}
	*done = (size_t)n;
	return TRANSPORT_DONE;
}

/* A write that was not finished is continued without octets (GnuTLS). */
static enum transport_state
tls_write(void *context, const char *p, size_t len, size_t *done,
    struct failure *why)
{
	struct tls *t = context;
	ssize_t n;

	do
		n = gnutls_record_send(t->session, t->pending ? NULL : p,
		    t->pending ? 0 : len);
	while (n == GNUTLS_E_INTERRUPTED);
	t->pending = n == GNUTLS_E_AGAIN;
	if (t->pending)
		return wanted(t);
	if (n < 0) {
		(void)explain(t, (int)n, why);
		return TRANSPORT_FAILED;
	}
	*done = (size_t)n;
	return TRANSPORT_DONE;
}

/*
 * Called by the library in the handshake, before our own certificate is sent
 * and before anything can be written: a bad one is answered by an alert.
 */
static int
verify(gnutls_session_t session)
{
	struct tls *t = gnutls_session_get_ptr(session);

	t->judged = true;
	t->facts->verified_by = trust_judge(t->credentials, session,
	    &t->params->trust, &t->facts->found, t->pool, &t->verdict);
	t->facts->verified = t->facts->verified_by != NULL;
	if (t->params->describe)
		t->facts->chain = chain_of(session, t->pool);
	if (t->facts->verified)
		return 0;
	t->facts->objection = pool_string(t->pool, t->verdict.text);
	t->facts->result = t->verdict.tls_result;
	return t->params->verify ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

static int
priority_init(gnutls_priority_t *priority, const char *words, bool only13,
    const char **position)
{
	struct pool *pool = pool_new();
	char *all = words == NULL ? pool_string(pool, only13 ? version13 :
	    versions) : pool_printf(pool, "%s:%s", only13 ? version13 :
	    versions, words);
	int error = gnutls_priority_init2(priority, all, position,
	    GNUTLS_PRIORITY_INIT_DEF_APPEND);

	if (error != 0 && position != NULL && words != NULL)
		*position = strlen(*position) > strlen(words) ? words :
		    words + strlen(words) - strlen(*position);
	pool_free(pool);
	return error;
}

bool
tls_check_priority(const char *words, struct failure *why)
{
	const char *position = "";
	gnutls_priority_t priority;

	if (priority_init(&priority, words, false, &position) == 0) {
		gnutls_priority_deinit(priority);
		return true;
	}
	return fail(why, FAILURE_CONFIG, "GnuTLS does not understand \"%s\" "
	    "from \"%s\" on", words, position);
}

/* 0: there are none, too many, or one is too long. */
static unsigned
alpn_names(const char *words, gnutls_datum_t names[ALPN_MAX])
{
	unsigned n = 0;
	size_t len;

	for (; *words != '\0'; words += len + strspn(words + len, " ")) {
		len = strcspn(words, " ");
		if (n == ALPN_MAX || len == 0 || len > ALPN_NAME_MAX)
			return 0;
		names[n++] = (gnutls_datum_t){
		    (unsigned char *)(size_t)words, (unsigned)len };
	}
	return n;
}

bool
tls_check_alpn(const char *words, struct failure *why)
{
	gnutls_datum_t names[ALPN_MAX];

	return alpn_names(words, names) > 0 || fail(why, FAILURE_CONFIG,
	    "tls-alpn is \"none\" or at most %d names of protocols of at most "
	    "%d octets, as in: tls-alpn smtp, not \"%s\"", ALPN_MAX,
	    ALPN_NAME_MAX, words);
}

static int
offer_protocols(struct tls *t)
{
	gnutls_datum_t names[ALPN_MAX];
	unsigned n;

	if (t->params->alpn == NULL)
		return 0;
	n = alpn_names(t->params->alpn, names);
	return gnutls_alpn_set_protocols(t->session, names, n, 0);
}

static int
prepare(struct tls *t, int fd)
{
	const struct tls_params *p = t->params;
	gnutls_priority_t priority;
	int error;

	error = gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
	    GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS | GNUTLS_FORCE_CLIENT_CERT);
	if (error != 0)
		return error;
	error = priority_init(&priority, p->priority, p->only_tls13, NULL);
	if (error != 0)
		return error;
	error = gnutls_priority_set(t->session, priority);
	gnutls_priority_deinit(priority);
	if (error == 0 && !url_is_address(p->sni))
		error = gnutls_server_name_set(t->session, GNUTLS_NAME_DNS,
		    p->sni, strlen(p->sni));
	if (error == 0)
		error = offer_protocols(t);
	if (error == 0)
		error = gnutls_credentials_set(t->session,
		    GNUTLS_CRD_CERTIFICATE, t->credentials);
	gnutls_session_set_ptr(t->session, t);
	gnutls_session_set_verify_function(t->session, verify);
	gnutls_transport_set_int(t->session, fd);
	return error;
}

/* RFC 8460 section 4.3.1: what no other word is for. */
static void
count_failure(struct failure *why)
{
	if (why->tls_result == NULL && (why->kind == FAILURE_LOST ||
	    why->kind == FAILURE_TIMEOUT || why->kind == FAILURE_PROTOCOL))
		why->tls_result = "validation-failure";
}

static bool
handshake(struct tls *t, struct stream *s, struct failure *why)
{
	struct failure reason;
	int error, harmless = 0;

	for (;;) {
		error = gnutls_handshake(t->session);
		if (error == 0)
			return true;
		if (error == GNUTLS_E_AGAIN) {
			if (!stream_wait(s, wanted(t), why))
				return false;
		} else if (gnutls_error_is_fatal(error) || harmless++ > 32) {
			break;
		}
	}
	t->facts->refused = t->judged && !t->facts->verified &&
	    t->params->verify;
	if (t->facts->refused)
		reason = t->verdict;
	else
		(void)explain(t, error, &reason);
	(void)gnutls_alert_send_appropriate(t->session, error);
	(void)stream_fail(s, why, reason.kind, "%s", reason.text);
	why->tls_result = reason.tls_result;
	return false;
}

/* RFC 9266 for TLS 1.3; RFC 5929 for 1.2, with extended master secret only. */
static void
note_binding(struct tls *t)
{
	struct tls_facts *f = t->facts;
	bool is13 = gnutls_protocol_get_version(t->session) == GNUTLS_TLS1_3;
	gnutls_datum_t data = { 0 };

	if (!is13 && gnutls_session_ext_master_secret_status(t->session) == 0)
		return;
	if (gnutls_session_channel_binding(t->session, is13 ?
	    GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_UNIQUE, &data) != 0)
		return;
	if (data.size > 0 && data.size <= sizeof f->binding_data) {
		memcpy(f->binding_data, data.data, data.size);
		f->binding_len = data.size;
		f->binding = is13 ? "tls-exporter" : "tls-unique";
	}
	gnutls_free(data.data);
}

static void
note_protocol(struct tls *t)
{
	gnutls_datum_t name;

	if (gnutls_alpn_get_selected_protocol(t->session, &name) == 0)
		t->facts->alpn = pool_octets(t->pool, (const char *)name.data,
		    name.size);
}

static void
note_facts(struct tls *t)
{
	struct tls_facts *f = t->facts;
	const char *pkix, *dane;

	f->version = gnutls_protocol_get_name(
	    gnutls_protocol_get_version(t->session));
	f->cipher = gnutls_cipher_get_name(gnutls_cipher_get(t->session));
	f->suite = gnutls_ciphersuite_get(t->session);
	f->group = gnutls_group_get_name(gnutls_group_get(t->session));
	note_protocol(t);
	f->asked_for_certificate =
	    gnutls_certificate_client_get_request_status(t->session) != 0;
	note_binding(t);
	log_detail("%s, %s, %s, certificate for %s: %s", f->version, f->suite,
	    f->group != NULL ? f->group : "no group", f->found.names == NULL ?
	    "nobody" : f->found.names, f->verified ? f->verified_by :
	    f->objection == NULL ? "not looked at" : f->objection);
	pkix = trust_word(&f->found.pkix);
	dane = trust_word(&f->found.dane);
	log_detail("PKIX: %s; DANE: %s; its key is sha256:%s", pkix != NULL ?
	    pkix : "not asked", dane != NULL ? dane : "not asked",
	    f->found.pin);
}

bool
tls_begin(struct stream *s, const struct tls_params *params,
    struct pool *pool, struct tls **tls, struct tls_facts *facts,
    struct failure *why)
{
	struct tls *t = pool_malloc(sizeof *t);
	struct failure reason;
	int error;

	*facts = (struct tls_facts){ .begun = true };
	*t = (struct tls){ .params = params, .facts = facts, .pool = pool };
	*tls = t;
	error = gnutls_certificate_allocate_credentials(&t->credentials);
	if (error != 0)
		return stream_fail(s, why, FAILURE_LOCAL, "%s",
		    gnutls_strerror(error));
	if (!identity_load(t->credentials, &params->identity, pool, &reason))
		return stream_fail(s, why, reason.kind, "%s", reason.text);
	error = prepare(t, stream_fd(s));
	if (error != 0)
		return stream_fail(s, why, FAILURE_LOCAL, "TLS cannot begin: "
		    "%s", gnutls_strerror(error));
	if (!stream_switch(s, &(struct transport){ tls_read, tls_write, t },
	    why) || !handshake(t, s, why)) {
		count_failure(why);
		return false;
	}
	note_facts(t);
	facts->unfit = is_unfit(t);
	identity_unload(t->credentials, &params->identity);
	return true;
}

void
tls_end(struct tls *t, bool polite)
{
	if (t == NULL)
		return;
	if (t->session != NULL) {
		if (polite)
			(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
		gnutls_deinit(t->session);
	}
	if (t->credentials != NULL)
		gnutls_certificate_free_credentials(t->credentials);
	free(t);
}
