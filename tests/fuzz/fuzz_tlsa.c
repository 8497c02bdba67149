/*
 * TLSA records against a chain: the first octet chooses whether PKIX agrees
 * and which chain; then come records of usage, selector, matching type, and an
 * octet that says what the data are: those of the leaf, the one above it, the
 * root or another, right, with one bit changed, or cut; or so many octets.
 *
 * What is matched has a record that is right for it; one that is right, alone,
 * matches.
 */
#include "fuzz.h"
#include "dane.h"
#include "../unit/pki.h"

#include <assert.h>

enum { RECORDS_MAX = 12 };

#define SERVER	"mail.example.org"

static const struct pki_wish wishes[] = {
	{ .name = "root", .ca = true },
	{ .name = "inter", .issuer = "root", .ca = true },
	{ .name = "leaf", .sans = "D:" SERVER, .issuer = "inter" },
	{ .name = "other", .sans = "D:" SERVER },
};

static struct pki pki;
static const struct pki_cert *certs[4];

static void
make_certificates(void)
{
	static const char *const names[] = { "leaf", "inter", "root",
	    "other" };
	size_t i;

	if (certs[0] != NULL)
		return;
	pki_make(&pki, wishes, sizeof wishes / sizeof *wishes);
	for (i = 0; i < 4; i++)
		certs[i] = pki_cert(&pki, names[i]);
}

enum spoilt { RIGHT, CHANGED, CUT, OTHERWISE };

struct made {
	unsigned char *p;
	size_t len;
	unsigned whose;			/* index of certs */
	enum spoilt spoilt;
};

/* What is meant by selector and matching type; false for those there are not. */
static bool
right_data(struct made *m, unsigned selector, unsigned matching)
{
	const gnutls_datum_t *d = selector == 1 ? &certs[m->whose]->spki :
	    &certs[m->whose]->der;

	if (selector > 1 || matching > 2)
		return false;
	m->len = matching == 0 ? d->size : matching == 1 ? 32 : 64;
	if (matching == 0)
		memcpy(m->p + 3, d->data, d->size);
	else
		assert(gnutls_hash_fast(matching == 1 ? GNUTLS_DIG_SHA256 :
		    GNUTLS_DIG_SHA512, d->data, d->size, m->p + 3) == 0);
	return true;
}

static size_t
make_record(struct made *m, const uint8_t *p, size_t left, struct pool *pool)
{
	size_t raw = p[3] >> 4;

	*m = (struct made){ .p = pool_alloc(pool, 4096), .whose = p[3] & 3,
	    .spoilt = p[3] >> 2 & 3 };
	memcpy(m->p, p, 3);
	if (m->spoilt != OTHERWISE && right_data(m, p[1], p[2])) {
		m->p[3 + raw * (m->len - 1) / 15] ^= m->spoilt == CHANGED;
		m->len -= m->spoilt == CUT;
		m->len += 3;
		return 4;
	}
	m->spoilt = OTHERWISE;
	if (raw > left - 4)
		raw = left - 4;
	memcpy(m->p + 3, p + 4, raw);
	m->len = 3 + raw;
	return 4 + raw;
}

/* May this record be what the verdict rests on? */
static bool
is_ground(const struct made *m, enum dane_verdict verdict, bool pkix)
{
	bool end = m->p[0] == 1 || m->p[0] == 3;

	if (m->p[0] > 3 || (m->p[0] <= 1 && !pkix))
		return false;
	if (verdict == DANE_EE)
		return end && m->spoilt == RIGHT && m->whose == 0;
	/* of an anchor that is given whole the signature is of no interest */
	return !end && (m->whose == 1 || m->whose == 2) &&
	    (m->spoilt == RIGHT || (m->p[1] == 0 && m->p[2] == 0));
}

static void
check(const struct made *made, size_t n, enum dane_verdict verdict,
    bool pkix, unsigned len)
{
	bool grounds = false;
	size_t i;

	for (i = 0; i < n; i++)
		grounds = grounds || is_ground(&made[i], verdict, pkix);
	assert(verdict == DANE_NO_MATCH || grounds);
	if (n != 1 || made[0].spoilt != RIGHT || made[0].p[0] > 3 ||
	    (made[0].p[0] <= 1 && !pkix))
		return;
	if (made[0].p[0] % 2 == 1)
		assert((verdict == DANE_EE) == (made[0].whose == 0));
	else if (made[0].whose == 1 && len > 1)
		assert(verdict == DANE_TA);
	else if (made[0].whose == 2 && (len > 2 || made[0].p[2] == 0))
		assert(verdict == DANE_TA || len == 1);
	else
		assert(verdict != DANE_EE);
}

static void
judge(const struct made *made, size_t n, bool pkix, unsigned len,
    struct pool *pool)
{
	const gnutls_datum_t chain[] = { certs[0]->der, certs[1]->der,
	    certs[2]->der };
	const char *const names[] = { SERVER };
	struct dns_record records[RECORDS_MAX];
	struct dns_question q = { .name = "_465._tcp." SERVER,
	    .type = DNS_TLSA, .state = DNS_FOUND, .authenticated = true,
	    .records = records, .n = n };
	enum dane_verdict verdict;
	struct failure why = { 0 };
	struct dane dane;
	size_t i;

	for (i = 0; i < n; i++)
		/* cppcheck-suppress unreadVariable; they are q's */
		records[i] = (struct dns_record){ .data = made[i].p,
		    .len = made[i].len };
	dane_make(&dane, &q, pkix, pool);
	assert(dane.n <= n);
	verdict = dane_verify(&dane, chain, len, pkix, names, 1, pool, &why);
	assert((verdict == DANE_NO_MATCH) ==
	    (why.kind == FAILURE_TLS_UNTRUSTED));
	check(made, n, verdict, pkix, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct made made[RECORDS_MAX];
	size_t n = 0, at = 1;

	make_certificates();
	while (n < RECORDS_MAX && size >= 4 && at <= size - 4)
		at += make_record(&made[n++], data + at, size - at, pool);
	if (n > 0)
		judge(made, n, data[0] & 1, 1U + (data[0] >> 1) % 3, pool);
	pool_free(pool);
	return 0;
}
