/*
 * The certificates that build/ca makes: each line becomes NAME.pem, which is
 * the leaf and what it needs to reach the root, and NAME.key.
 */
#ifndef CA_CASES_H
#define CA_CASES_H

#include <stdbool.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum issuer { BY_INTERMEDIATE, BY_ROOT, BY_OTHER, BY_ITSELF };

struct leaf {
	const char *name;
	const char *cn;
	/* D:name I:address E:mailbox U:uri, and N:a|b with a NUL for its | */
	const char *sans;
	enum issuer issuer;
	int begin_days, end_days;	/* from now */
	const char *purpose;
	gnutls_pk_algorithm_t algorithm;
	unsigned bits;
	gnutls_digest_algorithm_t digest;
	bool lonely;			/* the file lacks the intermediate */
};

#define SERVER	GNUTLS_KP_TLS_WWW_SERVER
#define CLIENT	GNUTLS_KP_TLS_WWW_CLIENT
#define P256	GNUTLS_PK_ECDSA, \
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)
#define ED25519	GNUTLS_PK_EDDSA_ED25519, \
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519)
#define RSA1024	GNUTLS_PK_RSA, 1024
#define SHA256	GNUTLS_DIG_SHA256
#define MAIL	"mail.example.test"
#define NAMES	"D:localhost D:mail.example.test D:*.wild.example.test"
#define IPS	"I:127.0.0.1 I:::1"
#define NORMAL	NAMES " " IPS
#define ALICE	"E:alice@example.test"

static const struct leaf leaves[] = {
	{ "good", MAIL, NORMAL,
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, false },
	{ "wrong-name", MAIL, "D:other.example.test",
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, false },
	{ "expired", MAIL, NORMAL,
	    BY_INTERMEDIATE, -30, -1, SERVER, P256, SHA256, false },
	{ "not-yet", MAIL, NORMAL,
	    BY_INTERMEDIATE, 30, 90, SERVER, P256, SHA256, false },
	{ "self-signed", MAIL, NORMAL,
	    BY_ITSELF, -1, 90, SERVER, P256, SHA256, true },
	{ "unknown-ca", MAIL, NORMAL,
	    BY_OTHER, -1, 90, SERVER, P256, SHA256, true },
	{ "missing-intermediate", MAIL, NORMAL,
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, true },
	{ "cn-only", "localhost", "",
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, false },
	{ "client-only", MAIL, NORMAL,
	    BY_INTERMEDIATE, -1, 90, CLIENT, P256, SHA256, false },
	{ "rsa1024", MAIL, NORMAL,
	    BY_INTERMEDIATE, -1, 90, SERVER, RSA1024, SHA256, false },
	{ "sha1", MAIL, NORMAL,
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, GNUTLS_DIG_SHA1, false },
	{ "ip-only", MAIL, IPS,
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, false },
	{ "dns-only", MAIL, "D:localhost",
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, false },
	{ "wildcard", MAIL, "D:*.example.test",
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, false },
	{ "urisan", "localhost", "U:smtp://localhost/",
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, false },
	{ "nulsan", MAIL, "N:localhost|.evil.test",
	    BY_INTERMEDIATE, -1, 90, SERVER, P256, SHA256, false },
	{ "client", "alice", ALICE,
	    BY_ROOT, -1, 90, CLIENT, P256, SHA256, true },
	{ "client-other", "alice", ALICE,
	    BY_OTHER, -1, 90, CLIENT, P256, SHA256, true },
	{ "client-ed25519", "alice", ALICE,
	    BY_ROOT, -1, 90, CLIENT, ED25519, SHA256, true },
};

enum { LEAVES = sizeof leaves / sizeof leaves[0] };

#endif
