#include "identity.h"
#include "buffer.h"
#include "certificate.h"
#include "file.h"
#include "url.h"
#include "vault.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_MAX = 1024 * 1024,		/* octets of a certificate or key */
	SEED_DIGITS = 43,		/* in base64, without its padding */
	SERIAL_OCTETS = 16
};

/* Of dates: 2000, and "no end" (RFC 5280 section 4.1.2.5) where time has it. */
static const int64_t begin = 946684800, never = 253402300799;

/* A certificate that is made, and its key. */
struct made {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

/* --- a key alone ----------------------------------------------------------- */

/* RFC 4648 sections 4 and 5, 64 for no digit. */
static unsigned
digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(digits, c == '-' ? '+' : c == '_' ? '/' : c);

	return at == NULL || *at == '\0' ? 64 : (unsigned)(at - digits);
}

/*
 * The octets go behind what is in seed, a BUFFER_SECRET.  GnuTLS would leave a
 * copy of the text on the heap.
 */
static bool
decode(const char *text, struct buffer *seed)
{
	unsigned bits = 0, value, i;
	unsigned char octet;

	for (i = 0; i < SEED_DIGITS; i++) {
		value = digit(text[i]);
		if (value == 64)
			return false;
		bits = bits << 6 | value;
		octet = (unsigned char)(bits >> (6 - 2 * (i % 4)) % 8);
		if (i % 4 != 0)
			buffer_put(seed, (char *)&octet, 1);
	}
	return strcmp(text + i, "") == 0 || strcmp(text + i, "=") == 0;
}

bool
identity_is_seed(const char *text)
{
	struct buffer seed = BUFFER_SECRET;
	bool ok = decode(text, &seed);

	buffer_wipe(&seed);
	vault_sweep();
	return ok;
}

/* As PKCS #8 (RFC 8410 section 7), of which the library makes the public key. */
static int
import_seed(gnutls_x509_privkey_t key, const char *seed)
{
	static const char head[] = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03"
	    "\x2b\x65\x70\x04\x22\x04\x20";
	struct buffer der = BUFFER_SECRET;
	gnutls_datum_t all;
	int error = GNUTLS_E_BASE64_DECODING_ERROR;

	buffer_put(&der, head, sizeof head - 1);
	if (decode(seed, &der)) {
		all.data = (unsigned char *)buffer_data(&der);
		all.size = (unsigned)buffer_len(&der);
		error = gnutls_x509_privkey_import_pkcs8(key, &all,
		    GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN);
	}
	buffer_wipe(&der);
	vault_sweep();
	return error;
}

/*
 * Made of the key and nothing else: no clock counts, and who knows the
 * certificate and not the key sees the same one each time.  Its number is as
 * unlikely to be another's as the key.
 */
static int
name_certificate(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	unsigned char id[CRYPTO_SHA256_HEX / 2];
	size_t n = sizeof id;
	int error = gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256,
	    id, &n);

	if (error != 0)
		return error;
	id[0] = (id[0] & 0x3f) | 0x40;	/* positive, and of full length */
	error = gnutls_x509_crt_set_serial(crt, id, SERIAL_OCTETS);
	if (error == 0)
		error = gnutls_x509_crt_set_dn(crt, "CN=client", NULL);
	if (error == 0)
		error = gnutls_x509_crt_set_activation_time(crt, (time_t)begin);
	if (error == 0)
		error = gnutls_x509_crt_set_expiration_time(crt,
		    sizeof(time_t) > 4 ? (time_t)never : INT32_MAX);
	return error;
}

static int
sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	int error = gnutls_x509_crt_set_version(crt, 3);

	if (error == 0)
		error = gnutls_x509_crt_set_key(crt, key);
	if (error == 0)
		error = name_certificate(crt, key);
	if (error == 0)
		error = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (error == 0)
		error = gnutls_x509_crt_set_key_usage(crt,
		    GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (error == 0)
		error = gnutls_x509_crt_set_key_purpose_oid(crt,
		    GNUTLS_KP_TLS_WWW_CLIENT, 0);
	if (error == 0)			/* the digest that is in Ed25519 */
		error = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA512,
		    0);
	return error;
}

static void
unmake(struct made *m)
{
	if (m->crt != NULL)
		gnutls_x509_crt_deinit(m->crt);
	if (m->key != NULL)
		gnutls_x509_privkey_deinit(m->key);
}

/* To be unmade also when this fails. */
static bool
make(const char *seed, struct made *m, struct failure *why)
{
	int error;

	*m = (struct made){ 0 };
	error = gnutls_x509_privkey_init(&m->key);
	if (error == 0)
		error = gnutls_x509_crt_init(&m->crt);
	if (error == 0)
		error = import_seed(m->key, seed);
	if (error == 0)
		error = sign(m->crt, m->key);
	return error == 0 || fail(why, FAILURE_CONFIG, "no certificate can be "
	    "made to client-key-ed25519: %s", gnutls_strerror(error));
}

static bool
load_seed(gnutls_certificate_credentials_t c, const struct identity *id,
    struct failure *why)
{
	struct made m;
	bool ok = make(id->seed, &m, why);
	int error = ok ? gnutls_certificate_set_x509_key(c, &m.crt, 1,
	    m.key) : 0;

	unmake(&m);
	vault_sweep();
	return ok && (error >= 0 || fail(why, FAILURE_CONFIG,
	    "client-key-ed25519 cannot be used: %s", gnutls_strerror(error)));
}

/* --- files and tokens ------------------------------------------------------- */

/* The library would wait for a FIFO, and read a device or 10 GB to the end. */
static bool
is_file(const char *what, const char *name, struct failure *why)
{
	struct stat st;
	int fd;

	if (url_is_pkcs11(name))
		return true;
	fd = file_open(name);
	if (fd < 0)
		return fail(why, file_blame(errno), "%s %s cannot be read: %s",
		    what, name, file_error(errno));
	if (fstat(fd, &st) != 0)
		st.st_size = 0;
	(void)close(fd);
	return st.st_size <= FILE_MAX || fail(why, FAILURE_CONFIG, "%s %s is "
	    "too large for one: it has %lld octets", what, name,
	    (long long)st.st_size);
}

/* Not twice: a token is locked after some wrong ones. */
static int
give_pin(void *context, int attempt, const char *token, const char *label,
    unsigned flags, char *pin, size_t room)
{
	const char *known = context;

	(void)token;
	(void)label;
	(void)flags;
	if (attempt > 0 || strlen(known) >= room)
		return -1;
	(void)strcpy(pin, known);
	return 0;
}

#define WANTED	"a certificate (BEGIN CERTIFICATE) and its key (BEGIN " \
	"PRIVATE KEY) are wanted there, in PEM"

/* The library's words for files do not say what is wrong with them. */
static const struct {
	int error;
	const char *text;
} faults[] = {
	{ GNUTLS_E_CERTIFICATE_KEY_MISMATCH, "the key is another "
	    "certificate's" },
	{ GNUTLS_E_DECRYPTION_FAILED, "the key is locked with a passphrase; "
	    "\"openssl pkey -in FILE\" writes it without" },
	{ GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE, WANTED },
	{ GNUTLS_E_BASE64_DECODING_ERROR, WANTED },
	{ GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR, WANTED },
};

static const char *
fault(const struct identity *id, const char *key, int error)
{
	size_t i;

	for (i = 0; i < sizeof faults / sizeof *faults; i++)
		if (faults[i].error == error && !url_is_pkcs11(key) &&
		    !url_is_pkcs11(id->certificate))
			return faults[i].text;
	return gnutls_strerror(error);
}

static bool
load_files(gnutls_certificate_credentials_t c, const struct identity *id,
    struct pool *pool, struct failure *why)
{
	const char *key = id->key != NULL ? id->key : id->certificate;
	int error;

	if (!is_file("client-certificate", id->certificate, why) ||
	    !is_file("client-key", key, why))
		return false;
	if (id->pin != NULL)
		gnutls_certificate_set_pin_function(c, give_pin,
		    (void *)(size_t)id->pin);
	error = gnutls_certificate_set_x509_key_file(c,
	    url_without_pin(id->certificate, pool), url_without_pin(key, pool),
	    GNUTLS_X509_FMT_PEM);
	return error >= 0 || fail(why, FAILURE_CONFIG, "the client certificate "
	    "%s with the key %s cannot be used: %s", url_shown(id->certificate,
	    pool), url_shown(key, pool), fault(id, key, error));
}

bool
identity_load(gnutls_certificate_credentials_t c, const struct identity *id,
    struct pool *pool, struct failure *why)
{
	if (id->seed != NULL)
		return load_seed(c, id, why);
	return id->certificate == NULL || load_files(c, id, pool, why);
}

/* Signing has left some on the stack. */
void
identity_unload(gnutls_certificate_credentials_t c, const struct identity *id)
{
	if (id->seed == NULL && id->certificate == NULL)
		return;
	gnutls_certificate_free_keys(c);
	vault_sweep();
}

const char *
identity_name(const struct identity *id, struct pool *pool)
{
	if (id->seed != NULL)
		return "certificate of client-key-ed25519";
	return id->certificate == NULL ? NULL : pool_printf(pool,
	    "certificate %s", url_shown(id->certificate, pool));
}

/* --- described -------------------------------------------------------------- */

static int
describe(gnutls_x509_crt_t crt, struct identity_facts *facts,
    struct pool *pool)
{
	gnutls_datum_t der, pem;
	int error = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);

	if (error != 0)
		return error;
	error = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
	if (error == 0) {
		facts->pem = pool_octets(pool, (char *)pem.data, pem.size);
		gnutls_free(pem.data);
	}
	if (error == 0 && !certificate_pin(&der, facts->pin))
		error = GNUTLS_E_ASN1_DER_ERROR;
	gnutls_free(der.data);
	return error;
}

/* The key may stand in the same file. */
static int
import_file(gnutls_x509_crt_t crt, const char *name)
{
	struct buffer text = BUFFER_SECRET;
	gnutls_datum_t pem;
	int error = GNUTLS_E_FILE_ERROR;

	if (file_read(name, FILE_MAX, &text)) {
		pem.data = (unsigned char *)buffer_data(&text);
		pem.size = (unsigned)buffer_len(&text);
		error = gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	}
	buffer_wipe(&text);
	return error;
}

static bool
describe_file(const struct identity *id, struct identity_facts *facts,
    struct pool *pool, struct failure *why)
{
	const char *name = id->certificate;
	gnutls_x509_crt_t crt = NULL;
	int error;

	if (url_is_pkcs11(name))
		return fail(why, FAILURE_CONFIG, "the client certificate is in "
		    "a token; p11tool --export prints it");
	if (!is_file("client-certificate", name, why))
		return false;
	error = gnutls_x509_crt_init(&crt);
	if (error == 0)
		error = import_file(crt, name);
	if (error == 0)
		error = describe(crt, facts, pool);
	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
	return error == 0 || fail(why, FAILURE_CONFIG, "client-certificate %s "
	    "is none, as is wanted there, in PEM (BEGIN CERTIFICATE): %s",
	    name, gnutls_strerror(error));
}

bool
identity_describe(const struct identity *id, struct identity_facts *facts,
    struct pool *pool, struct failure *why)
{
	struct made m;
	int error;
	bool ok;

	*facts = (struct identity_facts){ 0 };
	if (id->seed == NULL)
		return describe_file(id, facts, pool, why);
	ok = make(id->seed, &m, why);
	error = ok ? describe(m.crt, facts, pool) : 0;
	unmake(&m);
	vault_sweep();
	return ok && (error == 0 || fail(why, FAILURE_CONFIG, "the certificate "
	    "of client-key-ed25519 cannot be shown: %s",
	    gnutls_strerror(error)));
}
