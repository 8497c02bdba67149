/*
 * ca DIR: a folder of certificates for the tests, good ones and bad ones.
 *
 * The root is ca.pem; other-ca.pem is a second root that nobody should trust;
 * ca_cases.h has the others.  A folder that is complete and younger than 20
 * hours is left as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "ca_cases.h"

enum {
	FRESH_SECONDS	= 20 * 3600,
	DAY		= 24 * 3600,
	PATH_OCTETS	= 4096,
	PEM_OCTETS	= 16384,
};

struct identity {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

struct authority {
	struct identity root, other, intermediate;
};

static void
die(const char *what, const char *cause)
{
	(void)fprintf(stderr, "ca: %s: %s\n", what, cause);
	exit(1);
}

/* The names of all files by their index; NULL after the last. */

static const char *
file_name(size_t i, char name[64])
{
	if (i == 0)
		return "ca.pem";
	if (i == 1)
		return "other-ca.pem";
	if (i - 2 >= 2 * (size_t)LEAVES)
		return NULL;
	(void)snprintf(name, 64, "%s.%s", leaves[(i - 2) / 2].name,
	    i % 2 == 0 ? "pem" : "key");
	return name;
}

static void
join(char path[PATH_OCTETS], const char *dir, const char *name)
{
	int n = snprintf(path, PATH_OCTETS, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_OCTETS)
		die(dir, "the name is too long");
}

static bool
is_fresh(const char *dir)
{
	char path[PATH_OCTETS], buffer[64];
	const char *name;
	struct stat st;

	for (size_t i = 0; (name = file_name(i, buffer)) != NULL; i++) {
		join(path, dir, name);
		if (stat(path, &st) != 0 ||
		    time(NULL) - st.st_mtime > FRESH_SECONDS)
			return false;
	}
	return true;
}

static void
want(int error, const char *what)
{
	if (error < 0)
		die(what, gnutls_strerror(error));
}

static gnutls_x509_privkey_t
new_key(gnutls_pk_algorithm_t algorithm, unsigned bits)
{
	gnutls_x509_privkey_t key;

	want(gnutls_x509_privkey_init(&key), "key");
	want(gnutls_x509_privkey_generate(key, algorithm, bits, 0), "key");
	return key;
}

static void
set_serial(gnutls_x509_crt_t crt)
{
	unsigned char serial[16];

	want(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial), "serial");
	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
	want(gnutls_x509_crt_set_serial(crt, serial, sizeof serial), "serial");
}

static void
set_key_identifier(gnutls_x509_crt_t crt)
{
	unsigned char id[64];
	size_t octets = sizeof id;

	want(gnutls_x509_crt_get_key_id(crt, 0, id, &octets), "key id");
	want(gnutls_x509_crt_set_subject_key_id(crt, id, octets), "key id");
}

/* What all certificates have; the rest, and the signature, come later. */

static gnutls_x509_crt_t
new_certificate(const char *cn, gnutls_x509_privkey_t key, int begin, int end)
{
	gnutls_x509_crt_t crt;

	want(gnutls_x509_crt_init(&crt), cn);
	want(gnutls_x509_crt_set_version(crt, 3), cn);
	set_serial(crt);
	want(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
	    cn, (unsigned)strlen(cn)), cn);
	want(gnutls_x509_crt_set_activation_time(crt,
	    time(NULL) + (time_t)begin * DAY), cn);
	want(gnutls_x509_crt_set_expiration_time(crt,
	    time(NULL) + (time_t)end * DAY), cn);
	want(gnutls_x509_crt_set_key(crt, key), cn);
	set_key_identifier(crt);
	return crt;
}

static void
sign(gnutls_x509_crt_t crt, const struct identity *issuer,
    gnutls_digest_algorithm_t digest)
{
	unsigned char id[64];
	size_t octets = sizeof id;

	want(gnutls_x509_crt_get_subject_key_id(issuer->certificate, id,
	    &octets, NULL), "issuer");
	want(gnutls_x509_crt_set_authority_key_id(crt, id, octets), "issuer");
	want(gnutls_x509_crt_sign2(crt, issuer->certificate, issuer->key,
	    digest, 0), "signature");
}

/* A CA certificate, signed by itself where there is no issuer. */

static void
make_ca(struct identity *ca, const char *cn, const struct identity *issuer)
{
	ca->key = new_key(P256);
	ca->certificate = new_certificate(cn, ca->key, -2, 3650);
	want(gnutls_x509_crt_set_basic_constraints(ca->certificate, 1, -1), cn);
	want(gnutls_x509_crt_set_key_usage(ca->certificate,
	    GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN), cn);
	sign(ca->certificate, issuer != NULL ? issuer : ca, SHA256);
}

static void
free_identity(struct identity *identity)
{
	gnutls_x509_crt_deinit(identity->certificate);
	gnutls_x509_privkey_deinit(identity->key);
}

static size_t
ip_octets(const char *text, unsigned char octets[16])
{
	static const unsigned char v4[4] = { 127, 0, 0, 1 };

	if (strcmp(text, "127.0.0.1") == 0) {
		memcpy(octets, v4, sizeof v4);
		return sizeof v4;
	}
	memset(octets, 0, 16);		/* the other one is ::1 */
	octets[15] = 1;
	return 16;
}

/*
 * A dNSName with a NUL for its "|", as the only name.  GnuTLS would end it
 * there, so that the extension is put together here.
 */
static void
add_nul_san(gnutls_x509_crt_t crt, const char *name)
{
	const size_t n = strlen(name);
	unsigned char der[128] = { 0x30, 0, 0x82, 0 };

	if (n > 100)
		die(name, "too long");
	der[1] = (unsigned char)(n + 2);
	der[3] = (unsigned char)n;
	memcpy(der + 4, name, n);
	*(unsigned char *)memchr(der + 4, '|', n) = '\0';
	want(gnutls_x509_crt_set_extension_by_oid(crt,
	    GNUTLS_X509EXT_OID_SAN, der, n + 4, 0), "SAN");
}

/* One word of a leaf's names. */

static void
add_san(gnutls_x509_crt_t crt, const char *word, size_t length)
{
	char value[128];
	unsigned char ip[16];
	gnutls_x509_subject_alt_name_t type = GNUTLS_SAN_DNSNAME;

	(void)snprintf(value, sizeof value, "%.*s", (int)length - 2, word + 2);
	length = strlen(value);
	if (*word == 'N') {
		add_nul_san(crt, value);
		return;
	}
	if (*word == 'I') {
		length = ip_octets(value, ip);
		memcpy(value, ip, length);
		type = GNUTLS_SAN_IPADDRESS;
	} else if (*word == 'E') {
		type = GNUTLS_SAN_RFC822NAME;
	} else if (*word == 'U') {
		type = GNUTLS_SAN_URI;
	}
	want(gnutls_x509_crt_set_subject_alt_name(crt, type, value,
	    (unsigned)length, GNUTLS_FSAN_APPEND), "SAN");
}

static void
add_sans(gnutls_x509_crt_t crt, const char *words)
{
	while (*words != '\0') {
		size_t length = strcspn(words, " ");

		add_san(crt, words, length);
		words += length + (words[length] == ' ');
	}
}

static const struct identity *
issuer_of(const struct leaf *leaf, const struct identity *own,
    const struct authority *authority)
{
	switch (leaf->issuer) {
	case BY_ROOT:
		return &authority->root;
	case BY_OTHER:
		return &authority->other;
	case BY_ITSELF:
		return own;
	case BY_INTERMEDIATE:
		break;
	}
	return &authority->intermediate;
}

static void
make_leaf(struct identity *own, const struct leaf *leaf,
    const struct authority *authority)
{
	gnutls_x509_crt_t crt;

	own->key = new_key(leaf->algorithm, leaf->bits);
	crt = new_certificate(leaf->cn, own->key, leaf->begin_days,
	    leaf->end_days);
	own->certificate = crt;
	want(gnutls_x509_crt_set_basic_constraints(crt, 0, -1), leaf->name);
	want(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE),
	    leaf->name);
	want(gnutls_x509_crt_set_key_purpose_oid(crt, leaf->purpose, 0),
	    leaf->name);
	add_sans(crt, leaf->sans);
	sign(crt, issuer_of(leaf, own, authority), leaf->digest);
}

static void
write_file(const char *dir, const char *name, const char *text, size_t octets)
{
	char path[PATH_OCTETS];
	size_t written;
	int fd;
	FILE *f;

	join(path, dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL,
	    strstr(name, ".key") != NULL ? 0600 : 0644);
	if (fd < 0 || (f = fdopen(fd, "w")) == NULL) {
		die(path, strerror(errno));
		return;
	}
	written = fwrite(text, 1, octets, f);
	if (fclose(f) != 0 || written != octets)
		die(path, strerror(errno));
}

static size_t
pem(gnutls_x509_crt_t crt, char *text, size_t room)
{
	want(gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, text, &room),
	    "PEM");
	return room;
}

static void
write_root(const char *dir, const char *name, const struct identity *root)
{
	char text[PEM_OCTETS];

	write_file(dir, name, text,
	    pem(root->certificate, text, sizeof text));
}

static void
write_leaf(const char *dir, const struct leaf *leaf,
    const struct authority *authority)
{
	char text[PEM_OCTETS], name[64];
	struct identity own;
	size_t octets;

	make_leaf(&own, leaf, authority);
	octets = pem(own.certificate, text, sizeof text);
	if (!leaf->lonely)
		octets += pem(authority->intermediate.certificate,
		    text + octets, sizeof text - octets);
	(void)snprintf(name, sizeof name, "%s.pem", leaf->name);
	write_file(dir, name, text, octets);

	octets = sizeof text;
	want(gnutls_x509_privkey_export_pkcs8(own.key, GNUTLS_X509_FMT_PEM,
	    NULL, GNUTLS_PKCS_PLAIN, text, &octets), leaf->name);
	(void)snprintf(name, sizeof name, "%s.key", leaf->name);
	write_file(dir, name, text, octets);
	free_identity(&own);
}

static void
fill(const char *dir)
{
	struct authority a;

	if (mkdir(dir, 0755) != 0)
		die(dir, strerror(errno));
	make_ca(&a.root, "sendoff test root", NULL);
	make_ca(&a.other, "sendoff other root", NULL);
	make_ca(&a.intermediate, "sendoff test intermediate", &a.root);
	write_root(dir, "ca.pem", &a.root);
	write_root(dir, "other-ca.pem", &a.other);
	for (size_t i = 0; i < LEAVES; i++)
		write_leaf(dir, &leaves[i], &a);
	free_identity(&a.intermediate);
	free_identity(&a.other);
	free_identity(&a.root);
}

/* Only what we have made is removed: DIR may be a slip of the finger. */

static void
remove_folder(const char *dir)
{
	char path[PATH_OCTETS], buffer[64];
	const char *name;

	for (size_t i = 0; (name = file_name(i, buffer)) != NULL; i++) {
		join(path, dir, name);
		(void)unlink(path);
	}
	if (rmdir(dir) != 0)
		die(dir, strerror(errno));
}

static void
want_our_folder(const char *dir)
{
	char path[PATH_OCTETS];

	join(path, dir, "ca.pem");
	if (rmdir(dir) != 0 && errno != ENOENT && access(path, F_OK) != 0)
		die(dir, "not a folder of certificates");
}

static void
replace(const char *dir)
{
	char fresh[PATH_OCTETS], stale[PATH_OCTETS], suffix[32];

	(void)snprintf(suffix, sizeof suffix, "%ld", (long)getpid());
	if (snprintf(fresh, sizeof fresh, "%s.new.%s", dir, suffix) >=
	    PATH_OCTETS ||
	    snprintf(stale, sizeof stale, "%s.old.%s", dir, suffix) >=
	    PATH_OCTETS)
		die(dir, "the name is too long");
	want_our_folder(dir);
	fill(fresh);
	if (rename(dir, stale) != 0 && errno != ENOENT)
		die(dir, strerror(errno));
	if (rename(fresh, dir) != 0)
		die(dir, strerror(errno));
	if (access(stale, F_OK) == 0)
		remove_folder(stale);
}

/* One process at a time makes folders in this parent; others wait here. */

static void
lock_parent(const char *dir)
{
	char parent[PATH_OCTETS];
	char *slash;
	int fd;

	join(parent, ".", "");
	if (strrchr(dir, '/') != NULL)
		(void)snprintf(parent, sizeof parent, "%s", dir);
	slash = strrchr(parent, '/');
	if (slash != NULL)
		slash[slash == parent] = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		die(parent, strerror(errno));
	/* cppcheck-suppress resourceLeak; the lock ends with the program */
}

int
main(int argc, char **argv)
{
	char *dir;

	if (argc != 2 || *argv[1] == '\0') {
		(void)fprintf(stderr, "usage: ca DIR\n");
		return 64;
	}
	dir = argv[1];
	for (size_t n = strlen(dir); n > 1 && dir[n - 1] == '/'; n--)
		dir[n - 1] = '\0';
	if (is_fresh(dir))
		return 0;
	lock_parent(dir);
	if (!is_fresh(dir))
		replace(dir);
	return 0;
}
