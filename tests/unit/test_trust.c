#include "trust.h"
#include "dane.h"
#include "der.h"

#include "pki.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * Each verdict is asked for within a real handshake, and is held against that
 * of GnuTLS with all of the authorities loaded.
 */
#define BUNDLE	"/etc/ssl/certs/ca-certificates.crt"
#define SERVER	"mail.example.org"
#define HOST	"D:" SERVER
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.%d:%%PROFILE_MEDIUM"

static const struct pki_wish wishes[] = {
	{ .name = "root", .ca = true },
	{ .name = "root2", .ca = true },
	{ .name = "inter", .issuer = "root", .ca = true },
	{ .name = "inter-cross", .cn = "inter", .key_of = "inter",
	    .issuer = "root2", .ca = true },
	{ .name = "root-cross", .cn = "root", .key_of = "root",
	    .issuer = "root2", .ca = true },
	{ .name = "leaf", .sans = HOST, .issuer = "inter" },
	{ .name = "renewed", .sans = HOST, .issuer = "inter",
	    .key_of = "leaf" },
	{ .name = "direct", .sans = HOST, .issuer = "root" },
	{ .name = "other", .sans = "D:other.example.org D:www.example.org",
	    .issuer = "inter" },
	{ .name = "common", .cn = SERVER, .issuer = "inter" },
	{ .name = "common-and-address", .cn = SERVER, .sans = "I:192.0.2.1",
	    .issuer = "inter" },
	{ .name = "address", .sans = "I:192.0.2.1 I:2001:db8::1",
	    .issuer = "inter" },
	{ .name = "address-as-name", .sans = "D:192.0.2.1",
	    .issuer = "inter" },
	{ .name = "wild", .sans = "D:*.example.org", .issuer = "inter" },
	{ .name = "many", .sans = "D:a.example.org D:b.example.org "
	    "D:c.example.org D:d.example.org D:e.example.org "
	    "D:f.example.org D:g.example.org " HOST, .issuer = "inter" },
	{ .name = "srv", .sans = "S:_submissions.example.org",
	    .issuer = "inter" },
	{ .name = "srv-other", .sans = "S:_submission.example.org "
	    "S:_imaps.example.org S:_submissions.sub.example.org "
	    "S:_submissions.example.orgs S:example.org "
	    "U:_submissions.example.org", .issuer = "inter" },
	{ .name = "srv-as-name", .sans = "D:_submissions.example.org",
	    .issuer = "inter" },
	{ .name = "expired", .sans = HOST, .issuer = "inter",
	    .begin = -30, .end = -1 },
	{ .name = "expired-other", .sans = "D:other.example.org",
	    .issuer = "inter", .begin = -30, .end = -1,
	    .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
	{ .name = "early", .sans = HOST, .issuer = "inter",
	    .begin = 1, .end = 90 },
	{ .name = "client", .sans = HOST, .issuer = "inter",
	    .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
	{ .name = "weak", .sans = HOST, .issuer = "inter", .rsa = 1024 },
	{ .name = "staple", .sans = HOST, .issuer = "inter",
	    .must_staple = true },
	{ .name = "old-root", .ca = true, .begin = -30, .end = -1 },
	{ .name = "of-old-root", .sans = HOST, .issuer = "old-root" },
	{ .name = "old-inter", .issuer = "root", .ca = true,
	    .begin = -30, .end = -1 },
	{ .name = "of-old-inter", .sans = HOST, .issuer = "old-inter" },
	{ .name = "client-inter", .issuer = "root", .ca = true,
	    .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
	{ .name = "of-client-inter", .sans = HOST, .issuer = "client-inter" },
	{ .name = "narrow", .issuer = "root", .ca = true,
	    .permitted = "example.net" },
	{ .name = "of-narrow", .sans = HOST, .issuer = "narrow" },
	{ .name = "not-here", .issuer = "root", .ca = true,
	    .excluded = "example.org" },
	{ .name = "of-not-here", .sans = HOST, .issuer = "not-here" },
	{ .name = "customer", .issuer = "root", .sans = "D:c.example.net" },
	{ .name = "of-customer", .sans = HOST, .issuer = "customer" },
	{ .name = "self", .sans = HOST },
	{ .name = "self-other", .sans = "D:other.example.org" },
	{ .name = "self-expired", .sans = HOST, .begin = -30, .end = -1 },
	/* another root of the same name */
	{ .name = "twin", .cn = "root", .ca = true },
	{ .name = "of-twin", .sans = HOST, .issuer = "twin" },
	{ .name = "bare", .ca = true, .no_key_ids = true },
	{ .name = "bare-twin", .cn = "bare", .ca = true, .no_key_ids = true },
	{ .name = "of-bare", .sans = HOST, .issuer = "bare",
	    .no_key_ids = true },
	{ .name = "of-bare-twin", .sans = HOST, .issuer = "bare-twin",
	    .no_key_ids = true },
	/* an attacker's */
	{ .name = "evil-root", .ca = true },
	{ .name = "evil-ca", .issuer = "evil-root", .ca = true },
	{ .name = "evil", .sans = HOST, .issuer = "evil-ca" },
	{ .name = "forged", .sans = HOST, .issuer = "inter",
	    .forger = "evil-ca" },
	{ .name = "rsa", .sans = HOST, .rsa = 2048 },
	{ .name = "nameless", .cn = "", .sans = HOST, .issuer = "inter" },
};

static struct pki pki;
static char folder[] = "/tmp/test_trust.XXXXXX";
static gnutls_datum_t bundle;		/* the system's, PEM */
static gnutls_x509_crt_t *roots;	/* all that are in it */
static unsigned nroots;

static const char *
file(const char *name)
{
	static char path[4][128];
	static unsigned turn;

	turn = (turn + 1) % 4;
	(void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

/* --- one handshake ------------------------------------------------------------- */

struct server {
	gnutls_pcert_st certs[PKI_CHAIN_MAX];
	unsigned n;
	gnutls_privkey_t key;
};

static int
present(gnutls_session_t session, const gnutls_datum_t *authorities,
    int nauthorities, const gnutls_pk_algorithm_t *algorithms,
    int nalgorithms, gnutls_pcert_st **certs, unsigned *n,
    gnutls_privkey_t *key)
{
	struct server *server = gnutls_session_get_ptr(session);

	(void)authorities;
	(void)nauthorities;
	(void)algorithms;
	(void)nalgorithms;
	*certs = server->certs;
	*n = server->n;
	*key = server->key;
	return 0;
}

/* The chain as it is, be it what it may; key is for the handshake. */
static void
server_init(struct server *server, const gnutls_datum_t *chain, unsigned n,
    const char *key)
{
	const struct pki_cert *c = pki_cert(&pki, key);
	unsigned i;

	*server = (struct server){ .n = n };
	pki_want(gnutls_privkey_init(&server->key), key);
	pki_want(gnutls_privkey_import_x509(server->key, c->key, 0), key);
	pki_want(gnutls_pubkey_init(&server->certs[0].pubkey), key);
	pki_want(gnutls_pubkey_import_x509(server->certs[0].pubkey, c->crt,
	    0), key);
	for (i = 0; i < n; i++) {
		server->certs[i].cert = chain[i];
		server->certs[i].type = GNUTLS_CRT_X509;
	}
}

static void
server_end(struct server *server)
{
	gnutls_pubkey_deinit(server->certs[0].pubkey);
	gnutls_privkey_deinit(server->key);
}

/* What the client has made of it. */
struct judgement {
	const struct trust_params *params;	/* NULL: GnuTLS alone */
	gnutls_certificate_credentials_t credentials;
	struct pool *pool;
	const char *by;
	struct failure why;
	struct trust_findings found;
	bool asked;
	int error;			/* of GnuTLS, with what there is */
	unsigned status;
};

static int
judge(gnutls_session_t session)
{
	struct judgement *j = gnutls_session_get_ptr(session);
	unsigned char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st wanted = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
	    .data = purpose };

	assert_false(j->asked);
	j->asked = true;
	if (j->params != NULL) {
		j->by = trust_judge(j->credentials, session, j->params,
		    &j->found, j->pool, &j->why);
	}
	j->error = gnutls_certificate_verify_peers(session, &wanted, 1,
	    &j->status);
	return j->by != NULL ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static void
session_init(gnutls_session_t *session, unsigned side, int version,
    gnutls_certificate_credentials_t credentials, void *context, int fd)
{
	char priority[80];

	(void)snprintf(priority, sizeof priority, side == GNUTLS_CLIENT ?
	    PRIORITY : "NORMAL:-VERS-ALL:+VERS-TLS1.%d", version);
	pki_want(gnutls_init(session, side | GNUTLS_NONBLOCK |
	    GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS), "session");
	pki_want(gnutls_priority_set_direct(*session, priority, NULL),
	    priority);
	pki_want(gnutls_credentials_set(*session, GNUTLS_CRD_CERTIFICATE,
	    credentials), "credentials");
	gnutls_session_set_ptr(*session, context);
	gnutls_transport_set_int(*session, fd);
}

/* Returns the client's result. */
static int
converse(gnutls_session_t client, gnutls_session_t server)
{
	int c = GNUTLS_E_AGAIN, s = GNUTLS_E_AGAIN, turns = 0;

	while (c == GNUTLS_E_AGAIN || (c == 0 && s == GNUTLS_E_AGAIN)) {
		assert_true(turns++ < 1000);
		if (c == GNUTLS_E_AGAIN)
			c = gnutls_handshake(client);
		if (s == GNUTLS_E_AGAIN)
			s = gnutls_handshake(server);
	}
	return c;
}

static int
handshake(struct judgement *j, struct server *server, int version)
{
	gnutls_certificate_credentials_t own;
	gnutls_session_t here, there;
	int fds[2], error;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	pki_want(gnutls_certificate_allocate_credentials(&own), "server");
	gnutls_certificate_set_retrieve_function2(own, present);
	session_init(&there, GNUTLS_SERVER, version, own, server, fds[1]);
	session_init(&here, GNUTLS_CLIENT, version, j->credentials, j, fds[0]);
	gnutls_session_set_verify_function(here, judge);
	error = converse(here, there);
	gnutls_deinit(here);
	gnutls_deinit(there);
	gnutls_certificate_free_credentials(own);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return error;
}

/* --- the product's verdict, and GnuTLS's with everything loaded --------- */

static struct judgement
ours(struct server *server, const struct trust_params *params,
    struct pool *pool, int version)
{
	struct judgement j = { .params = params, .pool = pool };
	int error;

	pki_want(gnutls_certificate_allocate_credentials(&j.credentials),
	    "client");
	error = handshake(&j, server, version);
	gnutls_certificate_free_credentials(j.credentials);
	assert_true(j.asked);
	assert_int_equal(error, j.by != NULL ? 0 : GNUTLS_E_CERTIFICATE_ERROR);
	assert_int_equal(j.why.kind == FAILURE_NONE, j.by != NULL);
	return j;
}

static struct judgement
theirs(struct server *server, gnutls_certificate_credentials_t store,
    int version)
{
	struct judgement j = { .credentials = store };

	assert_int_equal(handshake(&j, server, version),
	    GNUTLS_E_CERTIFICATE_ERROR);
	assert_true(j.asked);
	return j;
}

/*
 * Stores that were loaded, by the names of what was put in the midst of the
 * system's bundle; "" is the bundle as it is.
 */
static struct store {
	char *words, *file;
	gnutls_certificate_credentials_t credentials;
} stores[24];
static size_t nstores;

static void
write_store(const char *name, const char *words)
{
	const char *middle = strstr((char *)bundle.data + bundle.size / 2,
	    "-----BEGIN");
	size_t half;

	assert_non_null(middle);
	half = (size_t)(middle - (char *)bundle.data);
	pki_write(name, "w", bundle.data, half);
	pki_append(&pki, name, words);
	pki_write(name, "a", middle, bundle.size - half);
}

static const struct store *
store(const char *words)
{
	struct store *s;
	char name[16];
	size_t i;

	for (i = 0; i < nstores; i++)
		if (strcmp(stores[i].words, words) == 0)
			return &stores[i];
	assert_true(nstores < sizeof stores / sizeof *stores);
	(void)snprintf(name, sizeof name, "%zu.pem", nstores);
	s = &stores[nstores++];
	s->words = strdup(words);
	s->file = strdup(file(name));
	write_store(s->file, words);
	pki_want(gnutls_certificate_allocate_credentials(&s->credentials),
	    words);
	pki_want(gnutls_certificate_set_x509_trust_file(s->credentials,
	    s->file, GNUTLS_X509_FMT_PEM), words);
	return s;
}

static void
stores_end(void)
{
	while (nstores > 0) {
		gnutls_certificate_free_credentials(
		    stores[--nstores].credentials);
		(void)unlink(stores[nstores].file);
		free(stores[nstores].words);
		free(stores[nstores].file);
	}
}

static void
first_word(char word[64], const char *words)
{
	(void)snprintf(word, 64, "%.*s", (int)strcspn(words, " "), words);
}

static struct judgement
judge_chain(const char *words, const char *key,
    const struct trust_params *params, struct pool *pool, int version)
{
	gnutls_datum_t chain[PKI_CHAIN_MAX];
	unsigned n = pki_chain(&pki, words, chain);
	struct server server;
	struct judgement j;

	server_init(&server, chain, n, key);
	j = ours(&server, params, pool, version);
	server_end(&server);
	return j;
}

static struct judgement
reference(const char *words, const char *key,
    gnutls_certificate_credentials_t all, int version)
{
	gnutls_datum_t chain[PKI_CHAIN_MAX];
	unsigned n = pki_chain(&pki, words, chain);
	struct server server;
	struct judgement j;

	server_init(&server, chain, n, key);
	j = theirs(&server, all, version);
	server_end(&server);
	return j;
}

/* --- chains ----------------------------------------------------------------- */

struct row {
	const char *chain, *authorities;
	const char *result;		/* RFC 8460; NULL: it is in order */
	const char *text;
};

static void
check_refusal(const struct judgement *j, const char *chain,
    const char *result, const char *text)
{
	if (j->by != NULL)
		fail_msg("%s is taken", chain);
	assert_int_equal(j->why.kind, FAILURE_TLS_UNTRUSTED);
	assert_non_null(j->why.tls_result);
	if (strcmp(j->why.tls_result, result) != 0 ||
	    strstr(j->why.text, text) == NULL)
		fail_msg("%s: %s, %s", chain, j->why.tls_result, j->why.text);
}

static void
check_row(const struct row *row, int version)
{
	const struct store *s = store(row->authorities);
	const struct trust_params params = { .wanted = { .names = { SERVER },
	    .nnames = 1 }, .ca_file = s->file };
	struct pool *pool = pool_new();
	struct judgement own, all;
	char key[64];

	first_word(key, row->chain);
	own = judge_chain(row->chain, key, &params, pool, version);
	all = reference(row->chain, key, s->credentials, version);
	if (own.error != all.error || own.status != all.status)
		fail_msg("%s by %s: %x, with all of them %x", row->chain,
		    row->authorities, own.status, all.status);
	if (row->result != NULL) {
		check_refusal(&own, row->chain, row->result, row->text);
		assert_non_null(strstr(own.why.text, "certificate of "
		    SERVER));
	} else if (own.by == NULL) {
		fail_msg("%s by %s: %s", row->chain, row->authorities,
		    own.why.text);
	} else {
		assert_string_equal(own.by, "pkix");
		assert_int_equal(all.error, 0);
		assert_int_equal(all.status, 0);
	}
	pool_free(pool);
}

static void
check_rows(const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		check_row(&rows[i], 3);
		check_row(&rows[i], 2);
	}
}

#define CHECK(rows) check_rows(rows, sizeof (rows) / sizeof *(rows))
#define UNTRUSTED "certificate-not-trusted"
#define NO_WAY	"leads to no authority"

static void
test_chains(void **state)
{
	static const struct row rows[] = {
		{ "leaf inter", "root", NULL, NULL },
		{ "leaf inter root", "root", NULL, NULL },
		{ "leaf root inter", "root", NULL, NULL },
		{ "leaf leaf inter inter root root", "root", NULL, NULL },
		{ "leaf inter evil-ca evil", "root", NULL, NULL },
		{ "leaf evil evil-ca inter", "root", NULL, NULL },
		{ "direct", "root", NULL, NULL },
		{ "direct evil-root", "root", NULL, NULL },
		{ "leaf", "root", UNTRUSTED,
		    "its issuer \"CN=inter\" " NO_WAY },
		{ "leaf root", "root", UNTRUSTED, NO_WAY },
		{ "leaf inter", "root2", UNTRUSTED, NO_WAY },
		{ "leaf inter root", "root2", UNTRUSTED, NO_WAY },
		{ "leaf inter", "", UNTRUSTED, NO_WAY },
		{ "evil evil-ca evil-root", "root", UNTRUSTED, NO_WAY },
		{ "evil evil-ca root", "root", UNTRUSTED, NO_WAY },
		{ "evil evil-ca inter root", "root", UNTRUSTED, NO_WAY },
		{ "evil leaf inter", "root", UNTRUSTED, NO_WAY },
	};

	(void)state;
	CHECK(rows);
}

static void
test_cross_signed(void **state)
{
	static const struct row rows[] = {
		{ "leaf inter-cross", "root2", NULL, NULL },
		{ "leaf inter-cross root2", "root2", NULL, NULL },
		{ "leaf inter-cross", "root", UNTRUSTED, NO_WAY },
		{ "leaf inter inter-cross", "root", NULL, NULL },
		{ "leaf inter-cross inter", "root2", NULL, NULL },
		{ "leaf inter inter-cross", "root root2", NULL, NULL },
		{ "leaf inter root-cross", "root", NULL, NULL },
		{ "leaf inter root-cross", "root2", NULL, NULL },
		{ "leaf inter root-cross root2", "root", NULL, NULL },
		{ "leaf inter root-cross root2", "root2", NULL, NULL },
		{ "leaf inter root root-cross", "root", NULL, NULL },
		{ "direct root-cross", "root2", NULL, NULL },
		{ "direct", "root-cross", NULL, NULL },
	};

	(void)state;
	CHECK(rows);
}

static void
test_authorities_of_other_kinds(void **state)
{
	static const struct row rows[] = {
		{ "leaf inter", "inter", NULL, NULL },
		{ "leaf inter root", "inter", NULL, NULL },
		{ "leaf", "inter", NULL, NULL },
		{ "leaf inter-cross", "inter", NULL, NULL },
		{ "leaf evil-ca", "inter", NULL, NULL },
		{ "self", "self", NULL, NULL },
		{ "self evil-ca", "self", NULL, NULL },
		{ "leaf", "leaf", NULL, NULL },
		{ "renewed", "leaf", UNTRUSTED, NO_WAY },
		{ "self", "root", UNTRUSTED, "signed by itself" },
		{ "rsa", "self", UNTRUSTED, "signed by itself" },
		{ "self-expired", "self-expired", "certificate-expired",
		    "it expired on " },
		/* two of one name: whichever has signed */
		{ "of-twin", "twin", NULL, NULL },
		{ "of-twin", "root twin", NULL, NULL },
		{ "of-twin", "twin root", NULL, NULL },
		{ "direct", "twin root", NULL, NULL },
		{ "of-twin", "root", UNTRUSTED, NO_WAY },
		/* the library tries one of two that only differ in the key */
		{ "of-bare", "bare bare-twin", "validation-failure",
		    "a signature is not its issuer's" },
		{ "of-bare-twin", "bare bare-twin", NULL, NULL },
		{ "of-bare", "bare-twin", "validation-failure",
		    "a signature is not its issuer's" },
	};

	(void)state;
	CHECK(rows);
}

static void
test_objections(void **state)
{
	static const struct row rows[] = {
		{ "expired inter", "root", "certificate-expired",
		    "it expired on " },
		{ "early inter", "root", "validation-failure",
		    "it is valid only from " },
		{ "of-old-root", "old-root", "certificate-expired",
		    "issuer is outside its dates" },
		{ "of-old-inter old-inter", "root", "certificate-expired",
		    "issuer is outside its dates" },
		{ "client inter", "root", "validation-failure",
		    "not meant for servers" },
		{ "of-client-inter client-inter", "root",
		    "validation-failure", "not meant for servers" },
		{ "weak inter", "root", "validation-failure", "too weak" },
		{ "staple inter", "root", "validation-failure",
		    "OCSP" },
		{ "of-customer customer", "root", UNTRUSTED, NO_WAY },
		{ "of-narrow narrow", "root", "validation-failure",
		    "certificate" },
		{ "of-not-here not-here", "root", "validation-failure",
		    "certificate" },
		{ "forged inter", "root", "validation-failure",
		    "a signature is not its issuer's" },
		{ "other inter", "root", "certificate-host-mismatch",
		    "it is for other.example.org, www.example.org, not for "
		    SERVER },
		{ "common inter", "root", "certificate-host-mismatch",
		    "it is for no host name at all, not for " SERVER },
		{ "common-and-address inter", "root",
		    "certificate-host-mismatch", "it is for 192.0.2.1" },
		/* all of them, in one sentence */
		{ "expired-other inter", "root", "certificate-host-mismatch",
		    "; also it expired on " },
		{ "self-other", "root", "certificate-host-mismatch",
		    "; also it is signed by itself" },
	};

	(void)state;
	CHECK(rows);
}

/* Whose a certificate is, when it says it in its alternative names alone. */
static void
test_no_subject(void **state)
{
	gnutls_x509_crt_t crt = pki_cert(&pki, "nameless")->crt;
	struct pool *pool = pool_new();

	(void)state;
	assert_string_equal(certificate_of(crt, false, pool), "");
	assert_string_equal(certificate_of(crt, true, pool), "CN=inter");
	pool_free(pool);
}

#define FOUR	" evil evil-ca other customer"

/* GnuTLS looks at no more than 16. */
static void
test_long_chains(void **state)
{
	static const struct row rows[] = {
		{ "leaf inter" FOUR FOUR FOUR " evil evil-ca", "root", NULL,
		    NULL },
		{ "leaf" FOUR FOUR FOUR " evil evil-ca inter", "root", NULL,
		    NULL },
		{ "leaf inter" FOUR FOUR FOUR FOUR, "root",
		    "validation-failure", "cannot be verified" },
		{ "leaf" FOUR FOUR FOUR FOUR " evil evil evil inter", "root",
		    "validation-failure", "cannot be verified" },
	};

	(void)state;
	CHECK(rows);
}

/* --- the system's authorities ------------------------------------------------ */

/* A server's certificate of which someone says that this root has signed it. */
static void
put_sequence(unsigned char *out, size_t *n, const unsigned char *inside,
    size_t len)
{
	const unsigned char head[] = { 0x30, 0x82, (unsigned char)(len >> 8),
	    (unsigned char)len };

	memmove(out + sizeof head, inside, len);
	memcpy(out, head, sizeof head);
	*n = sizeof head + len;
}

/* The issuer's name is put in, all else is as it was signed by another. */
static void
forge(gnutls_x509_crt_t root, gnutls_datum_t *der)
{
	const struct pki_cert *leaf = pki_cert(&pki, "leaf");
	static unsigned char out[8192];
	struct der_certificate c, of_root;
	const unsigned char *behind, *end;
	gnutls_datum_t whole;
	size_t n = 0, tbs = 0, total = 0;

	pki_want(gnutls_x509_crt_export2(root, GNUTLS_X509_FMT_DER, &whole),
	    "root");
	assert_true(der_certificate(whole.data, whole.size, &of_root));
	assert_true(der_certificate(leaf->der.data, leaf->der.size, &c));
	behind = c.issuer.p + c.issuer.len;
	end = c.tbs.p + c.tbs.len;
	n = (size_t)(c.issuer.p - c.tbs.p) - 4;	/* without its head */
	memcpy(out, c.tbs.p + 4, n);
	memcpy(out + n, of_root.subject.p, of_root.subject.len);
	n += of_root.subject.len;
	memcpy(out + n, behind, (size_t)(end - behind));
	n += (size_t)(end - behind);
	put_sequence(out, &tbs, out, n);
	memcpy(out + tbs, end, (size_t)(c.whole.p + c.whole.len - end));
	put_sequence(out, &total, out, tbs +
	    (size_t)(c.whole.p + c.whole.len - end));
	der->data = gnutls_malloc(total);
	assert_non_null(der->data);
	memcpy(der->data, out, total);
	der->size = (unsigned)total;
	gnutls_free(whole.data);
}

static void
check_against_system(const gnutls_datum_t *chain, unsigned n,
    const char *key, int version, const char *result, struct judgement *own)
{
	const struct trust_params params = { .wanted = { .names = { SERVER },
	    .nnames = 1 } };
	struct pool *pool = pool_new();
	struct judgement all;
	struct server server;

	server_init(&server, chain, n, key);
	*own = ours(&server, &params, pool, version);
	all = theirs(&server, store("")->credentials, version);
	assert_int_equal(own->error, all.error);
	assert_int_equal(own->status, all.status);
	assert_null(own->by);
	if (result != NULL)
		check_refusal(own, "a root", result, "the certificate of "
		    SERVER);
	server_end(&server);
	pool_free(pool);
}

/* None of them has signed it, whatever it says. */
static void
test_no_root_is_issuer(void **state)
{
	gnutls_datum_t chain[2];
	struct judgement j;
	unsigned i;

	(void)state;
	for (i = 0; i < nroots; i++) {
		forge(roots[i], &chain[0]);
		pki_want(gnutls_x509_crt_export2(roots[i],
		    GNUTLS_X509_FMT_DER, &chain[1]), "root");
		check_against_system(chain, 1 + i % 2, "leaf", 2 + (i & 1),
		    NULL, &j);
		assert_int_not_equal(j.status, 0);
		gnutls_free(chain[0].data);
		gnutls_free(chain[1].data);
	}
}

/*
 * Each is found and trusted: shown as if it were the server's own, only its
 * name is objected to.  TLS 1.2 asks for the verdict before the key is used.
 */
static void
test_every_root_is_trusted(void **state)
{
	gnutls_datum_t der;
	struct judgement j;
	unsigned i;

	(void)state;
	for (i = 0; i < nroots; i++) {
		pki_want(gnutls_x509_crt_export2(roots[i],
		    GNUTLS_X509_FMT_DER, &der), "root");
		check_against_system(&der, 1, gnutls_x509_crt_get_pk_algorithm(
		    roots[i], NULL) == GNUTLS_PK_RSA ? "rsa" : "leaf", 2,
		    "certificate-host-mismatch", &j);
		assert_int_equal(j.error, 0);
		if (gnutls_x509_crt_get_expiration_time(roots[i]) <
		    time(NULL)) {
			assert_non_null(strstr(j.why.text, "; also it expired"));
		} else {
			assert_int_equal(j.status, 0);
			assert_null(strstr(j.why.text, "; also"));
		}
		gnutls_free(der.data);
	}
}

/* --- names --------------------------------------------------------------------- */

static void
test_names(void **state)
{
	static const struct {
		const char *chain, *names[3], *srv_id;
		bool ok;
	} rows[] = {
		{ "leaf inter", { SERVER }, NULL, true },
		{ "leaf inter", { "MAIL.example.ORG" }, NULL, true },
		{ "leaf inter", { "example.org", SERVER }, NULL, true },
		{ "leaf inter", { "a", "b", SERVER }, NULL, true },
		{ "leaf inter", { "a", "b", "example.org" }, NULL, false },
		{ "leaf inter", { "mail.example.or" }, NULL, false },
		{ "leaf inter", { "192.0.2.1" }, NULL, false },
		{ "many inter", { SERVER }, NULL, true },
		{ "wild inter", { SERVER }, NULL, true },
		{ "wild inter", { "example.org" }, NULL, false },
		{ "wild inter", { "a.mail.example.org" }, NULL, false },
		{ "wild inter", { "*.example.org" }, NULL, false },
		{ "common inter", { SERVER }, NULL, false },
		{ "common-and-address inter", { SERVER }, NULL, false },
		{ "common-and-address inter", { "192.0.2.1" }, NULL, true },
		{ "address inter", { "192.0.2.1" }, NULL, true },
		{ "address inter", { "2001:db8::1" }, NULL, true },
		{ "address inter", { "2001:DB8:0::0:1" }, NULL, true },
		{ "address inter", { "192.0.2.2" }, NULL, false },
		{ "address inter", { "::ffff:192.0.2.1" }, NULL, false },
		{ "address-as-name inter", { "192.0.2.1" }, NULL, false },
		{ "srv inter", { "example.org" },
		    "_submissions.example.org", true },
		{ "srv inter", { "example.org" },
		    "_Submissions.Example.ORG", true },
		{ "srv inter", { "example.org" }, NULL, false },
		{ "srv inter", { "_submissions.example.org" }, NULL, false },
		{ "srv inter", { "example.org" },
		    "_submission.example.org", false },
		{ "srv inter", { "example.org" },
		    "_submissions.example.net", false },
		{ "srv inter", { "example.org" }, "", false },
		{ "srv-other inter", { "example.org" },
		    "_submissions.example.org", false },
		{ "srv-other inter", { "x" }, "_imaps.example.org", true },
		{ "srv-as-name inter", { "example.org" },
		    "_submissions.example.org", false },
		{ "leaf inter", { SERVER }, "_submissions.example.org",
		    true },
		{ "leaf inter", { "example.org" },
		    "_submissions.example.org", false },
	};
	struct trust_params params = { .ca_file = store("root")->file };
	struct pool *pool = pool_new();
	struct judgement j;
	char key[64];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		params.wanted = (struct certificate_wanted){
		    .srv_id = rows[i].srv_id };
		for (n = 0; n < 3 && rows[i].names[n] != NULL; n++)
			params.wanted.names[n] = rows[i].names[n];
		params.wanted.nnames = n;
		first_word(key, rows[i].chain);
		j = judge_chain(rows[i].chain, key, &params, pool, 3);
		assert_int_equal(j.status, 0);
		if (rows[i].ok != (j.by != NULL))
			fail_msg("%s for %s, %s: %s", rows[i].chain,
			    rows[i].names[0], rows[i].srv_id, j.why.text);
		if (!rows[i].ok)
			check_refusal(&j, rows[i].chain,
			    "certificate-host-mismatch", rows[i].names[0]);
	}
	pool_free(pool);
}

static void
test_names_in_words(void **state)
{
	static const struct {
		const char *chain, *names;
	} rows[] = {
		{ "leaf inter", SERVER },
		{ "wild inter", "*.example.org" },
		{ "common inter", "no host name at all" },
		{ "srv inter", "no host name at all" },
		{ "address inter", "192.0.2.1, 2001:db8::1" },
		{ "many inter", "a.example.org, b.example.org, "
		    "c.example.org, d.example.org, e.example.org, "
		    "f.example.org, and 2 more" },
	};
	struct trust_params params = { .ca_file = store("root")->file,
	    .wanted = { .names = { "nobody.example.net" }, .nnames = 1 } };
	struct pool *pool = pool_new();
	struct judgement j;
	char key[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		first_word(key, rows[i].chain);
		params.wanted.remedy = NULL;
		j = judge_chain(rows[i].chain, key, &params, pool, 3);
		assert_string_equal(j.found.names, rows[i].names);
		check_refusal(&j, key, "certificate-host-mismatch",
		    rows[i].names);
		assert_non_null(strstr(j.why.text, "tls-name"));
		params.wanted.remedy = "ask the administrator";
		j = judge_chain(rows[i].chain, key, &params, pool, 3);
		check_refusal(&j, key, "certificate-host-mismatch",
		    "(ask the administrator)");
		assert_null(strstr(j.why.text, "tls-name"));
	}
	pool_free(pool);
}

/* --- files ------------------------------------------------------------------ */

static void
test_revoked(void **state)
{
	static const struct {
		const char *issuer, *revoked;
		int begin, end;
		const char *chain, *text;
	} rows[] = {
		{ "inter", "leaf", -1, 5, "leaf inter", "it was revoked" },
		{ "inter", "other", -1, 5, "leaf inter", NULL },
		{ "inter", NULL, -1, 5, "leaf inter", NULL },
		{ "root", "inter", -1, 5, "leaf inter", "it was revoked" },
		{ "root", "leaf", -1, 5, "leaf inter", NULL },
		{ "root", "direct", -1, 5, "direct", "it was revoked" },
		{ "evil-root", NULL, -1, 5, "leaf inter", NULL },
		{ "inter", "leaf", -9, -2, "leaf inter", "it was revoked" },
		{ "inter", NULL, -9, -2, "leaf inter", "out of date" },
		{ "root", NULL, -9, -2, "leaf inter", "out of date" },
		{ "inter", NULL, 2, 9, "leaf inter", "of a day to come" },
		{ "evil-root", NULL, -9, -2, "leaf inter", NULL },
	};
	struct trust_params params = { .ca_file = store("root")->file,
	    .crl_file = file("crl.pem"),
	    .wanted = { .names = { SERVER }, .nnames = 1 } };
	struct pool *pool = pool_new();
	struct judgement j;
	char key[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		(void)unlink(params.crl_file);
		pki_write_crl(&pki, params.crl_file, rows[i].issuer,
		    rows[i].revoked, rows[i].begin, rows[i].end);
		first_word(key, rows[i].chain);
		j = judge_chain(rows[i].chain, key, &params, pool, 3);
		if ((j.by == NULL) != (rows[i].text != NULL))
			fail_msg("%zu: %s", i, j.why.text);
		if (rows[i].text != NULL)
			check_refusal(&j, rows[i].chain, "validation-failure",
			    rows[i].text);
	}
	(void)unlink(params.crl_file);
	pool_free(pool);
}

static void
check_config(const struct trust_params *params, const char *text)
{
	struct pool *pool = pool_new();
	struct judgement j = judge_chain("leaf inter", "leaf", params, pool,
	    3);

	assert_null(j.by);
	assert_int_equal(j.why.kind, FAILURE_CONFIG);
	assert_null(j.why.tls_result);
	if (strstr(j.why.text, text) == NULL)
		fail_msg("%s", j.why.text);
	pool_free(pool);
}

static void
test_files(void **state)
{
	static const char rubbish[] = "-----BEGIN RUBBISH-----\nAAAA\n"
	    "-----END RUBBISH-----\n";
	struct trust_params params = { .wanted = { .names = { SERVER },
	    .nnames = 1 } };

	(void)state;
	params.ca_file = file("missing.pem");
	check_config(&params, "missing.pem cannot be read");
	params.ca_file = folder;
	check_config(&params, "cannot be read");
	params.ca_file = file("rubbish.pem");
	pki_write(params.ca_file, "w", "", 0);
	check_config(&params, "there is none in it");
	pki_write(params.ca_file, "w", rubbish, sizeof rubbish - 1);
	check_config(&params, "there is none in it");
	params.ca_file = "none";
	check_config(&params, "add a pin");

	params.ca_file = store("root")->file;
	params.crl_file = file("missing.pem");
	check_config(&params, "missing.pem");
	params.crl_file = file("rubbish.pem");
	check_config(&params, "rubbish.pem");
	pki_write(params.crl_file, "w", "", 0);
	check_config(&params, "rubbish.pem");
	params.crl_file = params.ca_file;
	check_config(&params, params.ca_file);
	(void)unlink(file("rubbish.pem"));
}

/* --- pins -------------------------------------------------------------------- */

static const char *
pin(const char *name, struct pool *pool)
{
	const struct pki_cert *c = pki_cert(&pki, name);
	unsigned char digest[32];
	char hex[65];
	size_t n = sizeof hex;
	const gnutls_datum_t d = { digest, sizeof digest };

	pki_want(gnutls_hash_fast(GNUTLS_DIG_SHA256, c->spki.data,
	    c->spki.size, digest), name);
	pki_want(gnutls_hex_encode(&d, hex, &n), name);
	return pool_printf(pool, "sha256:%s", hex);
}

static void
test_pins(void **state)
{
	static const struct {
		const char *chain, *pins[2], *authorities, *by, *result;
	} rows[] = {
		{ "leaf inter", { "leaf" }, "root", "pkix", NULL },
		{ "leaf inter", { "self", "leaf" }, "root", "pkix", NULL },
		{ "leaf inter", { "leaf", "self" }, "root", "pkix", NULL },
		{ "renewed inter", { "leaf" }, "root", "pkix", NULL },
		{ "leaf inter", { "self" }, "root", NULL, "key" },
		{ "leaf inter", { "inter" }, "root", NULL, "key" },
		{ "leaf inter", { "root", "inter" }, "root", NULL, "key" },
		{ "leaf inter", { "leaf" }, "root2", NULL, UNTRUSTED },
		{ "other inter", { "other" }, "root", NULL,
		    "certificate-host-mismatch" },
		{ "expired inter", { "expired" }, "root", NULL,
		    "certificate-expired" },
		{ "self", { "self" }, NULL, "pin", NULL },
		{ "self", { "leaf", "self" }, NULL, "pin", NULL },
		{ "self-other", { "self-other" }, NULL, "pin", NULL },
		{ "self-expired", { "self-expired" }, NULL, "pin", NULL },
		{ "leaf", { "leaf" }, NULL, "pin", NULL },
		{ "self", { "leaf" }, NULL, NULL, "key" },
		{ "leaf inter", { "inter" }, NULL, NULL, "key" },
		/* what comes behind the leaf anyone can append */
		{ "evil leaf", { "leaf" }, NULL, NULL, "key" },
		{ "evil leaf inter", { "leaf" }, "root", NULL, "key" },
		{ "evil self", { "self" }, NULL, NULL, "key" },
		{ "evil evil-ca self", { "self" }, "evil-root", NULL, "key" },
	};
	struct trust_params params = { .wanted = { .names = { SERVER },
	    .nnames = 1 } };
	struct pool *pool = pool_new();
	struct judgement j;
	char key[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		params.ca_file = rows[i].authorities == NULL ? "none" :
		    store(rows[i].authorities)->file;
		params.pins = rows[i].pins[1] == NULL ?
		    pin(rows[i].pins[0], pool) : pool_printf(pool, "%s %s",
		    pin(rows[i].pins[0], pool), pin(rows[i].pins[1], pool));
		first_word(key, rows[i].chain);
		j = judge_chain(rows[i].chain, key, &params, pool, 3);
		if (rows[i].by == NULL && strcmp(rows[i].result, "key") == 0) {
			check_refusal(&j, rows[i].chain, "validation-failure",
			    pool_printf(pool, "(its pin is %s)",
			    pin(key, pool)));
			assert_non_null(strstr(j.why.text, "\"pin\""));
		} else if (rows[i].by == NULL) {
			check_refusal(&j, rows[i].chain, rows[i].result,
			    SERVER);
		} else if (j.by == NULL) {
			fail_msg("%s: %s", rows[i].chain, j.why.text);
		} else {
			assert_string_equal(j.by, rows[i].by);
		}
	}
	pool_free(pool);
}

#define HEX	"e3b0c44298fc1c149afbf4c8996fb924" \
		"27ae41e4649b934ca495991b7852b855"
#define UPPER	"E3B0C44298FC1C149AFBF4C8996FB924" \
		"27AE41E4649B934CA495991B7852B855"
#define COLONS	"e3:b0:c4:42:98:fc:1c:14:9a:fb:f4:c8:99:6f:b9:24:" \
		"27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55"
#define BASE64	"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void
test_pin_forms(void **state)
{
	static const char *const good[] = {
		HEX, UPPER, COLONS, BASE64, "sha256:" HEX, "sha256:" UPPER,
		"sha256:" COLONS, "sha256//" BASE64,
	}, *const bad[] = {
		"", "sha256:", "sha256//", "rubbish", "sha256:rubbish",
		"sha256//rubbish", HEX "0", HEX "00", "sha256:" HEX "ab",
		"e3b0c44298fc1c149afbf4c8996fb924", "sha1:" HEX,
		"sha512:" HEX, "sha256:sha256:" HEX, "sha256//sha256:" HEX,
		HEX " " HEX, " " HEX, HEX " ", "0x" HEX,
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
		"sha256//47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
		"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==",
		"sha256//" BASE64 "\n", "sha256//" BASE64 BASE64,
		"g3b0c44298fc1c149afbf4c8996fb924"
		"27ae41e4649b934ca495991b7852b855",
		"sha256/" BASE64, "SHA256:" HEX, ":::",
	};
	struct pool *pool = pool_new();
	struct failure why;
	char *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof *good; i++) {
		why = (struct failure){ .kind = FAILURE_NONE };
		if (!trust_pin(good[i], &got, pool, &why))
			fail_msg("%s", why.text);
		assert_string_equal(got, "sha256:" HEX);
		assert_int_equal(why.kind, FAILURE_NONE);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (trust_pin(bad[i], &got, pool, &why))
			fail_msg("%s is taken for %s", bad[i], got);
		assert_int_equal(why.kind, FAILURE_CONFIG);
		assert_non_null(strstr(why.text, "is no pin"));
	}
	pool_free(pool);
}

/* --- DANE, as far as it is here -------------------------------------------- */

static struct dane
tlsa(unsigned char usage, const char *name, struct pool *pool)
{
	const struct pki_cert *c = pki_cert(&pki, name);
	unsigned char *data = pool_alloc(pool, 35);
	struct dns_record r = { .data = data, .len = 35 };
	const struct dns_question q = { .name = "_465._tcp." SERVER,
	    .type = DNS_TLSA, .state = DNS_FOUND, .authenticated = true,
	    .records = &r, .n = 1 };
	struct dane dane;

	data[0] = usage;
	data[1] = data[2] = 1;
	pki_want(gnutls_hash_fast(GNUTLS_DIG_SHA256, c->spki.data,
	    c->spki.size, data + 3), name);
	dane_make(&dane, &q, true, pool);
	assert_int_equal(dane.n, 1);
	return dane;
}

static void
test_dane(void **state)
{
	static const struct {
		const char *chain;
		unsigned char usage;
		const char *record, *authorities, *pin, *by, *result;
	} rows[] = {
		/* no authority is asked */
		{ "self", 3, "self", "root", NULL, "dane-ee", NULL },
		{ "self-expired", 3, "self-expired", "none", NULL, "dane-ee",
		    NULL },
		{ "leaf inter root", 2, "root", "none", NULL, "dane-ta",
		    NULL },
		{ "evil evil-ca evil-root", 2, "evil-root", "root", NULL,
		    "dane-ta", NULL },
		/* nor can one make up for what does not match */
		{ "leaf inter", 3, "self", "root", NULL, NULL,
		    "validation-failure" },
		{ "leaf inter", 2, "root2", "root", NULL, NULL,
		    "validation-failure" },
		{ "expired inter root", 2, "root", "root", NULL, NULL,
		    "certificate-expired" },
		{ "other inter root", 2, "root", "root", NULL, NULL,
		    "certificate-host-mismatch" },
		/* both */
		{ "leaf inter", 1, "leaf", "root", NULL, "dane-ee", NULL },
		{ "leaf inter", 0, "inter", "root", NULL, "dane-ta", NULL },
		{ "leaf inter root", 0, "root", "root", NULL, "dane-ta",
		    NULL },
		/* RFC 6698 section 2.1.1: servers seldom send the root */
		{ "leaf inter", 0, "root", "root", NULL, "dane-ta", NULL },
		{ "leaf inter evil-ca", 0, "root", "root", NULL, "dane-ta",
		    NULL },
		{ "direct", 0, "root", "root", NULL, "dane-ta", NULL },
		{ "leaf inter", 0, "root2", "root root2", NULL, NULL,
		    "validation-failure" },
		{ "leaf inter", 2, "root", "root", NULL, NULL,
		    "validation-failure" },
		{ "leaf inter", 1, "leaf", "root2", NULL, NULL, UNTRUSTED },
		{ "leaf inter", 0, "inter", "root2", NULL, NULL, UNTRUSTED },
		{ "leaf inter root", 0, "root", "none", NULL, NULL,
		    UNTRUSTED },
		{ "leaf inter", 1, "leaf", "none", NULL, NULL, UNTRUSTED },
		{ "expired inter", 1, "expired", "root", NULL, NULL,
		    UNTRUSTED },
		{ "other inter", 1, "other", "root", NULL, NULL, UNTRUSTED },
		{ "leaf inter", 1, "self", "root", NULL, NULL,
		    "validation-failure" },
		/* a pin must be right in any case */
		{ "self", 3, "self", "none", "self", "dane-ee", NULL },
		{ "self", 3, "self", "none", "leaf", NULL,
		    "validation-failure" },
		{ "self", 3, "leaf", "none", "self", NULL,
		    "validation-failure" },
	};
	struct trust_params params = { .wanted = { .names = { SERVER },
	    .nnames = 1 } };
	struct pool *pool = pool_new();
	struct judgement j;
	struct dane dane;
	char key[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		dane = tlsa(rows[i].usage, rows[i].record, pool);
		params.dane = &dane;
		params.ca_file = strcmp(rows[i].authorities, "none") == 0 ?
		    "none" : store(rows[i].authorities)->file;
		params.pins = rows[i].pin == NULL ? NULL :
		    pin(rows[i].pin, pool);
		first_word(key, rows[i].chain);
		j = judge_chain(rows[i].chain, key, &params, pool, 3);
		if (rows[i].by == NULL)
			check_refusal(&j, rows[i].chain, rows[i].result,
			    SERVER);
		else if (j.by == NULL)
			fail_msg("%s, %u %s: %s", rows[i].chain,
			    rows[i].usage, rows[i].record, j.why.text);
		else
			assert_string_equal(j.by, rows[i].by);
	}
	dane.n = 0;			/* an empty set is none */
	params.pins = NULL;
	params.ca_file = store("root")->file;
	j = judge_chain("leaf inter", "leaf", &params, pool, 3);
	assert_non_null(j.by);
	assert_string_equal(j.by, "pkix");
	pool_free(pool);
}

/* What stands between the version of a certificate and the end of its key. */
static struct octets
up_to_key(const struct pki_cert *c, struct der_certificate *parts)
{
	const unsigned char *p;

	assert_true(der_certificate(c->der.data, c->der.size, parts));
	assert_int_equal(parts->tbs.p[1], 0x82);
	p = parts->tbs.p + 4 + 5;		/* its head, and the version */
	return (struct octets){ p, (size_t)(parts->key.p + parts->key.len -
	    p) };
}

static size_t
put(unsigned char *out, size_t at, const unsigned char *p, size_t len)
{
	assert_true(at + len <= 4000);
	memcpy(out + at, p, len);
	return at + len;
}

static size_t
put_tag(unsigned char *out, size_t at, unsigned char tag, size_t len)
{
	const unsigned char head[] = { tag, 0x82, (unsigned char)(len >> 8),
	    (unsigned char)len };

	return put(out, at, head, sizeof head);
}

/*
 * The key of `used' stands behind the version in the tag that is the version's,
 * where GnuTLS finds it; that of `shown' behind the tag, within what is for
 * GnuTLS the issuerUniqueID.
 */
static gnutls_datum_t
two_keys(const char *used, const char *shown)
{
	static unsigned char out[4096 + 8];
	struct der_certificate c, other;
	struct octets mine = up_to_key(pki_cert(&pki, used), &c);
	struct octets yours = up_to_key(pki_cert(&pki, shown), &other);
	const unsigned char *rest = c.key.p + c.key.len;
	const unsigned char *end = c.tbs.p + c.tbs.len;
	size_t n;

	n = put_tag(out, 0, 0xa0, 3 + mine.len + 5);
	n = put(out, n, (const unsigned char *)"\2\1\2", 3);
	n = put(out, n, mine.p, mine.len);
	n = put_tag(out, n, 0x81, 1 + yours.len);
	n = put(out, n, (const unsigned char *)"", 1);
	n = put(out, n, yours.p, yours.len);
	n = put(out, n, rest, (size_t)(end - rest));
	put_sequence(out, &n, out, n);
	n = put(out, n, end, (size_t)(c.whole.p + c.whole.len - end));
	put_sequence(out, &n, out, n);
	return (gnutls_datum_t){ out, (unsigned)n };
}

/* Who has the one key shows the other, which is pinned, or in the DNS. */
static void
test_two_keys(void **state)
{
	static const struct {
		bool pinned;
		unsigned usage;
	} rows[] = { { true, 0 }, { false, 3 }, { true, 3 } };
	struct trust_params params = { .wanted = { .names = { SERVER },
	    .nnames = 1 }, .ca_file = "none" };
	struct pool *pool = pool_new();
	gnutls_datum_t chain[2] = { two_keys("evil", "self") };
	struct server server;
	struct judgement j;
	struct dane dane;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		params.pins = rows[i].pinned ? pin("self", pool) : NULL;
		dane = tlsa(3, "self", pool);
		params.dane = rows[i].usage != 0 ? &dane : NULL;
		server_init(&server, chain, 1, "evil");
		j = ours(&server, &params, pool, 3);
		assert_null(j.by);
		assert_string_equal(j.found.pin, "");
		assert_int_equal(strstr(j.why.text, "is not in form") != NULL,
		    rows[i].pinned);
		server_end(&server);
	}
	chain[0] = pki_cert(&pki, "evil")->der;
	chain[1] = two_keys("evil-ca", "inter");
	dane = tlsa(2, "inter", pool);
	params.pins = NULL;
	server_init(&server, chain, 2, "evil");
	j = ours(&server, &params, pool, 3);
	assert_null(j.by);
	server_end(&server);
	pool_free(pool);
}

/* Each way of verifying says what it has to say, whichever counts. */
static void
test_verdicts(void **state)
{
	static const struct {
		const char *chain, *record, *authorities, *pin, *pkix, *dane;
		bool both;
		const char *by, *result;
	} rows[] = {
		{ "leaf inter", "leaf", "root", NULL, "ok", "dane-ee", false,
		    "dane-ee", NULL },
		{ "leaf inter", "leaf", "root", NULL, "ok", "dane-ee", true,
		    "dane-ee+pkix", NULL },
		{ "leaf inter", "self", "root", NULL, "ok",
		    "validation-failure", true, NULL, "validation-failure" },
		{ "self", "self", "root", NULL, UNTRUSTED, "dane-ee", false,
		    "dane-ee", NULL },
		{ "self", "self", "root", NULL, UNTRUSTED, "dane-ee", true,
		    NULL, UNTRUSTED },
		{ "expired inter", "self", "root", NULL,
		    "certificate-expired", "validation-failure", true, NULL,
		    "validation-failure" },
		{ "other inter", "other", "root", NULL,
		    "certificate-host-mismatch", "dane-ee", true, NULL,
		    "certificate-host-mismatch" },
		{ "leaf inter", NULL, "root", NULL, "ok", "none", false,
		    "pkix", NULL },
		{ "self", NULL, "root", NULL, UNTRUSTED, "none", false, NULL,
		    UNTRUSTED },
		{ "self", "self", "none", NULL, NULL, "dane-ee", false,
		    "dane-ee", NULL },
		{ "leaf inter", "leaf", "root", "self", "ok", "dane-ee", true,
		    NULL, "validation-failure" },
	};
	static const struct dane nothing = { .absent = "none" };
	struct pool *pool = pool_new();
	struct judgement j;
	struct dane dane;
	char key[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct trust_params params = { .wanted = { .names = {
		    SERVER }, .nnames = 1 }, .both = rows[i].both, .tell = true,
		    .ca_file = strcmp(rows[i].authorities, "none") == 0 ?
		    "none" : store(rows[i].authorities)->file,
		    .pins = rows[i].pin == NULL ? NULL :
		    pin(rows[i].pin, pool) };

		dane = rows[i].record == NULL ? nothing :
		    tlsa(3, rows[i].record, pool);
		params.dane = &dane;
		first_word(key, rows[i].chain);
		j = judge_chain(rows[i].chain, key, &params, pool, 3);
		assert_ptr_equal(j.by == NULL ? NULL : "", rows[i].by == NULL ?
		    NULL : "");
		if (rows[i].by != NULL)
			assert_string_equal(j.by, rows[i].by);
		else
			assert_string_equal(j.why.tls_result, rows[i].result);
		assert_string_equal(trust_word(&j.found.dane), rows[i].dane);
		if (rows[i].pkix == NULL)
			assert_null(trust_word(&j.found.pkix));
		else
			assert_string_equal(trust_word(&j.found.pkix),
			    rows[i].pkix);
		assert_true(strstr(pin(key, pool), j.found.pin) != NULL);
	}
	pool_free(pool);
}

/* Where records decide and nobody listens, no authority is looked for. */
static void
test_verdicts_unheard(void **state)
{
	struct pool *pool = pool_new();
	const struct dane dane = tlsa(3, "leaf", pool);
	struct trust_params params = { .wanted = { .names = { SERVER },
	    .nnames = 1 }, .ca_file = store("root")->file, .dane = &dane };
	struct judgement j = judge_chain("leaf inter", "leaf", &params, pool,
	    3);

	(void)state;
	assert_string_equal(j.by, "dane-ee");
	assert_null(trust_word(&j.found.pkix));
	params.both = true;
	j = judge_chain("leaf inter", "leaf", &params, pool, 3);
	assert_string_equal(j.by, "dane-ee+pkix");
	assert_string_equal(trust_word(&j.found.pkix), "ok");
	pool_free(pool);
}

/* However little of a certificate is there: its subject, or none. */
static void
test_subject_of_a_beginning(void **state)
{
	struct der_certificate c;
	struct octets subject;
	gnutls_datum_t der;
	unsigned i, len;

	(void)state;
	for (i = 0; i < nroots; i++) {
		pki_want(gnutls_x509_crt_export2(roots[i],
		    GNUTLS_X509_FMT_DER, &der), "root");
		assert_true(der_certificate(der.data, der.size, &c));
		for (len = 0; len <= der.size; len++)
			if (der_subject(der.data, len, &subject))
				assert_true(octets_equal(subject, c.subject) &&
				    subject.p == c.subject.p);
			else
				assert_true(der.data + len <
				    c.subject.p + c.subject.len);
		gnutls_free(der.data);
	}
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	pki_make(&pki, wishes, sizeof wishes / sizeof *wishes);
	pki_want(gnutls_load_file(BUNDLE, &bundle), BUNDLE);
	pki_want(gnutls_x509_crt_list_import2(&roots, &nroots, &bundle,
	    GNUTLS_X509_FMT_PEM, 0), BUNDLE);
	return nroots > 100 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	stores_end();
	while (nroots > 0)
		gnutls_x509_crt_deinit(roots[--nroots]);
	gnutls_free(roots);
	gnutls_free(bundle.data);
	pki_free(&pki);
	return rmdir(folder);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_cross_signed),
		cmocka_unit_test(test_authorities_of_other_kinds),
		cmocka_unit_test(test_objections),
		cmocka_unit_test(test_no_subject),
		cmocka_unit_test(test_long_chains),
		cmocka_unit_test(test_no_root_is_issuer),
		cmocka_unit_test(test_every_root_is_trusted),
		cmocka_unit_test(test_subject_of_a_beginning),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_in_words),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_pin_forms),
		cmocka_unit_test(test_dane),
		cmocka_unit_test(test_two_keys),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_verdicts_unheard),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
