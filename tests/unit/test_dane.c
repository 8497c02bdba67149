#include "dane.h"

#include "pki.h"
#include "pki_odd.h"

#define SERVER	"mail.example.org"
#define HOST	"D:" SERVER

static const struct pki_wish wishes[] = {
	{ .name = "root", .ca = true },
	{ .name = "inter", .issuer = "root", .ca = true },
	{ .name = "leaf", .sans = HOST, .issuer = "inter" },
	{ .name = "renewed", .sans = HOST, .issuer = "inter",
	    .key_of = "leaf" },
	{ .name = "direct", .sans = HOST, .issuer = "root" },
	{ .name = "other", .sans = "D:other.example.org", .issuer = "inter" },
	{ .name = "common", .cn = SERVER, .issuer = "inter" },
	{ .name = "wild", .sans = "D:*.example.org", .issuer = "inter" },
	{ .name = "expired", .sans = HOST, .issuer = "inter",
	    .begin = -30, .end = -1 },
	{ .name = "early", .sans = HOST, .issuer = "inter",
	    .begin = 1, .end = 90 },
	{ .name = "client", .sans = HOST, .issuer = "inter",
	    .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
	{ .name = "weak", .sans = HOST, .issuer = "inter", .rsa = 1024 },
	/* the same, signed by the root itself */
	{ .name = "direct-other", .sans = "D:other.example.org",
	    .issuer = "root" },
	{ .name = "direct-expired", .sans = HOST, .issuer = "root",
	    .begin = -30, .end = -1 },
	{ .name = "direct-early", .sans = HOST, .issuer = "root",
	    .begin = 1, .end = 90 },
	{ .name = "direct-client", .sans = HOST, .issuer = "root",
	    .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
	{ .name = "direct-weak", .sans = HOST, .issuer = "root", .rsa = 1024 },
	/* what is wrong is further up */
	{ .name = "old-root", .ca = true, .begin = -30, .end = -1 },
	{ .name = "of-old-root", .sans = HOST, .issuer = "old-root" },
	{ .name = "old-inter", .issuer = "root", .ca = true,
	    .begin = -30, .end = -1 },
	{ .name = "of-old-inter", .sans = HOST, .issuer = "old-inter" },
	{ .name = "client-inter", .issuer = "root", .ca = true,
	    .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
	{ .name = "of-client-inter", .sans = HOST, .issuer = "client-inter" },
	{ .name = "weak-inter", .issuer = "root", .ca = true, .rsa = 1024 },
	{ .name = "of-weak-inter", .sans = HOST, .issuer = "weak-inter" },
	{ .name = "narrow", .issuer = "root", .ca = true,
	    .permitted = "example.net" },
	{ .name = "of-narrow", .sans = HOST, .issuer = "narrow" },
	{ .name = "customer", .issuer = "root", .sans = "D:c.example.net" },
	{ .name = "of-customer", .sans = HOST, .issuer = "customer" },
	{ .name = "rsa-root", .ca = true, .rsa = 2048 },
	{ .name = "of-rsa-root", .sans = HOST, .issuer = "rsa-root",
	    .rsa = 2048 },
	{ .name = "weak-root", .ca = true, .rsa = 1024 },
	{ .name = "of-weak-root", .sans = HOST, .issuer = "weak-root" },
	/* signed by themselves */
	{ .name = "self", .sans = HOST },
	{ .name = "self-other", .sans = "D:other.example.org" },
	{ .name = "self-expired", .sans = HOST, .begin = -30, .end = -1 },
	{ .name = "self-early", .sans = HOST, .begin = 1, .end = 90 },
	{ .name = "self-client", .purpose = GNUTLS_KP_TLS_WWW_CLIENT },
	{ .name = "self-weak", .sans = HOST, .rsa = 1024 },
	{ .name = "nameless", .cn = "" },
	/* an attacker's */
	{ .name = "evil-root", .ca = true },
	{ .name = "evil-ca", .issuer = "evil-root", .ca = true },
	{ .name = "evil", .sans = HOST, .issuer = "evil-ca" },
	{ .name = "evil-self", .sans = HOST },
	{ .name = "evil-twin", .cn = "root", .ca = true },
	{ .name = "of-evil-twin", .sans = HOST, .issuer = "evil-twin" },
	{ .name = "evil-inter", .cn = "inter", .issuer = "evil-twin",
	    .ca = true },
	{ .name = "of-evil-inter", .sans = HOST, .issuer = "evil-inter" },
	{ .name = "forged", .sans = HOST, .issuer = "inter",
	    .forger = "evil-ca" },
	{ .name = "forged-direct", .sans = HOST, .issuer = "root",
	    .forger = "evil-ca" },
	{ .name = "stolen-key", .cn = "root", .issuer = "evil-root",
	    .key_of = "root", .ca = true },
};

static struct pki pki;
static struct pool *pool;

/* --- records ---------------------------------------------------------------- */

/*
 * "3 1 1 leaf", and one of these before the name: ! its last octet is
 * another, - it lacks the last octet, + there is one more.
 */
static void
rdata(struct dns_record *r, const char *words, size_t len)
{
	static const size_t digests[] = { 0, 32, 64 };
	unsigned char *p = pool_alloc(pool, 4096);
	size_t odd = strspn(words + 6, "!-+"), n;
	const struct pki_cert *c = pki_get(&pki, words + 6 + odd,
	    len - 6 - odd);
	const gnutls_datum_t *d = words[2] == '1' ? &c->spki : &c->der;

	p[0] = (unsigned char)(words[0] - '0');
	p[1] = (unsigned char)(words[2] - '0');
	p[2] = (unsigned char)(words[4] - '0');
	n = p[2] == 0 || p[2] > 2 ? d->size : digests[p[2]];
	assert_true(n + 4 < 4096);
	if (p[2] == 1 || p[2] == 2)
		pki_want(gnutls_hash_fast(p[2] == 1 ? GNUTLS_DIG_SHA256 :
		    GNUTLS_DIG_SHA512, d->data, d->size, p + 3), words);
	else
		memcpy(p + 3, d->data, d->size);
	if (odd > 0 && words[6] == '!')
		p[3 + n - 1] ^= 1;
	n -= odd > 0 && words[6] == '-';
	n += odd > 0 && words[6] == '+';
	*r = (struct dns_record){ .data = p, .len = 3 + n };
}

static struct dns_question
question(struct dns_record *records, size_t n)
{
	return (struct dns_question){ .name = "_465._tcp." SERVER,
	    .type = DNS_TLSA, .state = DNS_FOUND, .authenticated = true,
	    .records = records, .n = n };
}

/* "3 1 1 leaf; 2 0 1 root" */
static struct dane
records(const char *text, bool with_pkix)
{
	struct dns_record all[8];
	struct dns_question q = question(all, 0);
	struct dane dane;
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == ';' ? 2 : 0)) {
		len = strcspn(text, ";");
		assert_true(q.n < 8);
		rdata(&all[q.n++], text, len);
	}
	dane_make(&dane, &q, with_pkix, pool);
	assert_string_equal(dane.owner, "_465._tcp." SERVER);
	return dane;
}

/* --- verdicts ---------------------------------------------------------------- */

struct row {
	const char *records, *chain;
	enum dane_verdict verdict;
	const char *result;		/* RFC 8460; NULL: validation-failure */
	const char *text;		/* in the refusal */
};

static size_t
list(const char *words, const char *names[3])
{
	size_t n = 0, len;

	for (; *words != '\0'; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		names[n++] = pool_octets(pool, words, len);
	}
	return n;
}

static void
check_refusal(const struct row *row, const char *name,
    const struct failure *why)
{
	assert_int_equal(why->kind, FAILURE_TLS_UNTRUSTED);
	assert_non_null(why->tls_result);
	assert_string_equal(why->tls_result, row->result != NULL ?
	    row->result : "validation-failure");
	assert_non_null(strstr(why->text, name));
	assert_non_null(strstr(why->text, "_465._tcp." SERVER));
	if (row->text != NULL && strstr(why->text, row->text) == NULL)
		fail_msg("%s against %s: \"%s\" is not in \"%s\"", row->chain,
		    row->records, row->text, why->text);
	if (row->text == NULL && row->verdict == DANE_NO_MATCH &&
	    strstr(why->text, "(DANE);") == NULL)
		fail_msg("%s against %s: \"%s\"", row->chain, row->records,
		    why->text);
}

static void
check(const struct row *row, const struct dane *dane, bool pkix,
    const char *words)
{
	gnutls_datum_t chain[PKI_CHAIN_MAX];
	unsigned n = pki_chain(&pki, row->chain, chain);
	struct failure why = { .kind = FAILURE_NONE };
	const char *names[3] = { NULL };
	size_t nnames = list(words, names);
	enum dane_verdict got = dane_verify(dane, chain, n, pkix, names,
	    nnames, pool, &why);

	if (got != row->verdict)
		fail_msg("%s against %s: %d, not %d (%s)", row->chain,
		    row->records, got, row->verdict, why.text);
	if (got == DANE_NO_MATCH)
		check_refusal(row, names[0], &why);
	else
		assert_int_equal(why.kind, FAILURE_NONE);
}

/* Each for SERVER, without PKIX. */
static void
check_rows(const struct row *rows, size_t n)
{
	struct dane dane;
	size_t i;

	for (i = 0; i < n; i++) {
		dane = records(rows[i].records, false);
		if (dane.n == 0)
			fail_msg("none counts: %s", rows[i].records);
		assert_false(dane_needs_pkix(&dane));
		check(&rows[i], &dane, false, SERVER);
	}
}

#define CHECK(rows) check_rows(rows, sizeof (rows) / sizeof *(rows))

/*
 * What libgnutls-dane takes: the genuine authority is appended to a chain
 * that does not lead to it.
 */
static void
test_appended_anchor(void **state)
{
	static const char *const anchors[] = { "2 0 0 root", "2 0 1 root",
	    "2 0 2 root", "2 1 0 root", "2 1 1 root", "2 1 2 root" },
	    *const inters[] = { "2 0 0 inter", "2 0 1 inter", "2 0 2 inter",
	    "2 1 0 inter", "2 1 1 inter", "2 1 2 inter" };
	static const char *const chains[] = {
		"evil evil-ca root", "evil evil-ca inter root",
		"evil evil-ca evil-root root", "evil root",
		"evil root evil-ca", "evil root evil-ca evil-root",
		"evil evil-ca root evil-root", "evil inter root",
		"evil-self root", "evil-self inter root",
		"evil leaf inter root", "evil evil-ca leaf inter root",
		"of-evil-twin root", "of-evil-twin evil-twin root",
		"of-evil-inter inter root", "of-evil-inter evil-inter root",
		"of-evil-inter evil-inter evil-twin inter root",
		"forged inter root", "forged-direct root",
		"evil evil-ca stolen-key", "evil evil-ca stolen-key evil-root",
		"evil evil-ca evil-root stolen-key",
		"of-evil-twin stolen-key", "of-evil-twin stolen-key evil-root",
	};
	struct row row = { .verdict = DANE_NO_MATCH };
	struct failure why;
	struct dane dane;
	gnutls_datum_t chain[PKI_CHAIN_MAX];
	const char *name = SERVER;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof chains / sizeof *chains; i++)
		for (j = 0; j < 12; j++) {
			row.chain = chains[i];
			row.records = j < 6 ? anchors[j] : inters[j - 6];
			dane = records(row.records, false);
			assert_int_equal(dane.n, 1);
			if (dane_verify(&dane, chain, pki_chain(&pki,
			    row.chain, chain), false, &name, 1, pool, &why) !=
			    DANE_NO_MATCH)
				fail_msg("%s against %s is taken", row.chain,
				    row.records);
			assert_string_equal(why.tls_result,
			    "validation-failure");
		}
}

/* The genuine certificate behind an evil one is no match for usage 3. */
static void
test_appended_leaf(void **state)
{
	static const struct row rows[] = {
		{ "3 1 1 leaf", "evil leaf", DANE_NO_MATCH, NULL, NULL },
		{ "3 0 1 leaf", "evil leaf", DANE_NO_MATCH, NULL, NULL },
		{ "3 0 0 leaf", "evil evil-ca leaf", DANE_NO_MATCH, NULL,
		    NULL },
		{ "3 1 0 leaf", "evil-self leaf", DANE_NO_MATCH, NULL, NULL },
		{ "3 1 2 self", "evil-self self", DANE_NO_MATCH, NULL, NULL },
		{ "2 0 1 leaf", "evil leaf", DANE_NO_MATCH, NULL, "signed" },
		{ "2 0 0 leaf", "evil leaf", DANE_NO_MATCH, NULL, "signed" },
		{ "2 1 0 leaf", "evil leaf", DANE_NO_MATCH, NULL, "signed" },
	};

	(void)state;
	CHECK(rows);
}

/* RFC 7671 section 5.1: neither name nor dates nor purpose matter. */
static void
test_usage_3(void **state)
{
	static const char *const kinds[] = { "0 0", "0 1", "0 2", "1 0", "1 1",
	    "1 2" };
	static const char *const leaves[] = { "leaf", "self", "self-other",
	    "self-expired", "self-early", "self-client", "self-weak",
	    "nameless", "expired", "early", "other", "common", "client",
	    "weak" };
	struct row row = { .chain = NULL };
	struct dane dane;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof leaves / sizeof *leaves; i++)
		for (j = 0; j < 6; j++) {
			row.chain = leaves[i];
			row.records = pool_printf(pool, "3 %s %s", kinds[j],
			    leaves[i]);
			row.verdict = DANE_EE;
			dane = records(row.records, false);
			check(&row, &dane, false, SERVER);
			row.records = pool_printf(pool, "3 %s !%s", kinds[j],
			    leaves[i]);
			row.verdict = DANE_NO_MATCH;
			dane = records(row.records, false);
			if (dane.n > 0)
				check(&row, &dane, false, SERVER);
			else
				assert_string_equal(kinds[j], "0 0");
		}
}

static void
test_usage_3_chains(void **state)
{
	static const struct row rows[] = {
		{ "3 1 1 leaf", "leaf inter root", DANE_EE, NULL, NULL },
		{ "3 1 1 leaf", "leaf evil-ca", DANE_EE, NULL, NULL },
		{ "3 1 1 leaf", "renewed inter root", DANE_EE, NULL, NULL },
		{ "3 0 1 leaf", "renewed inter root", DANE_NO_MATCH, NULL,
		    NULL },
		{ "3 1 1 leaf", "other inter root", DANE_NO_MATCH, NULL,
		    NULL },
		{ "3 1 1 inter", "leaf inter root", DANE_NO_MATCH, NULL,
		    NULL },
		{ "3 0 1 root", "leaf inter root", DANE_NO_MATCH, NULL, NULL },
		{ "3 1 1 root", "root", DANE_EE, NULL, NULL },
	};

	(void)state;
	CHECK(rows);
}

/* Their keys are taken as they stand: GnuTLS would write them anew. */
static void
test_odd_keys(void **state)
{
	const char *name = SERVER;
	struct failure why;
	unsigned char data[35] = { 3, 1, 1 };
	struct dns_record r = { .data = data, .len = 35 };
	struct dns_question q = question(&r, 1);
	gnutls_datum_t pem, der;
	struct dane dane;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof pki_odd / sizeof *pki_odd; i++) {
		pem = (gnutls_datum_t){ (unsigned char *)(size_t)pki_odd[i].pem,
		    (unsigned)strlen(pki_odd[i].pem) };
		pki_want(gnutls_pem_base64_decode2("CERTIFICATE", &pem, &der),
		    pki_odd[i].what);
		n = sizeof data - 3;
		pki_want(gnutls_hex2bin(pki_odd[i].spki, 64, data + 3, &n),
		    pki_odd[i].spki);
		dane_make(&dane, &q, false, pool);
		if (dane_verify(&dane, &der, 1, false, &name, 1, pool,
		    &why) != DANE_EE)
			fail_msg("%s: %s", pki_odd[i].what, why.text);
		data[34] ^= 1;
		dane_make(&dane, &q, false, pool);
		assert_int_equal(dane_verify(&dane, &der, 1, false, &name, 1,
		    pool, &why), DANE_NO_MATCH);
		gnutls_free(der.data);
	}
}

static void
test_usage_2(void **state)
{
	static const struct row rows[] = {
		{ "2 0 1 root", "leaf inter root", DANE_TA, NULL, NULL },
		{ "2 0 2 root", "leaf inter root", DANE_TA, NULL, NULL },
		{ "2 1 1 root", "leaf inter root", DANE_TA, NULL, NULL },
		{ "2 1 2 root", "leaf inter root", DANE_TA, NULL, NULL },
		{ "2 0 0 root", "leaf inter root", DANE_TA, NULL, NULL },
		{ "2 1 0 root", "leaf inter root", DANE_TA, NULL, NULL },
		{ "2 0 1 inter", "leaf inter root", DANE_TA, NULL, NULL },
		{ "2 1 1 inter", "leaf inter", DANE_TA, NULL, NULL },
		{ "2 0 0 inter", "leaf", DANE_TA, NULL, NULL },
		{ "2 1 1 root", "direct root", DANE_TA, NULL, NULL },
		{ "2 1 1 rsa-root", "of-rsa-root rsa-root", DANE_TA, NULL,
		    NULL },
		/* sent in another order, with what does not belong to it */
		{ "2 0 1 root", "leaf root inter", DANE_TA, NULL, NULL },
		{ "2 1 1 root", "leaf evil-ca root inter", DANE_TA, NULL,
		    NULL },
		{ "2 1 1 root", "leaf leaf inter inter root root", DANE_TA,
		    NULL, NULL },
		/* a digest cannot stand for what is not there */
		{ "2 0 1 root", "leaf inter", DANE_NO_MATCH, NULL, NULL },
		{ "2 1 1 root", "leaf inter", DANE_NO_MATCH, NULL, NULL },
		{ "2 1 1 root", "direct", DANE_NO_MATCH, NULL, NULL },
		{ "2 0 1 root", "leaf root", DANE_NO_MATCH, NULL, "signed" },
		{ "2 0 1 !root", "leaf inter root", DANE_NO_MATCH, NULL,
		    NULL },
		/* the record is the certificate */
		{ "2 0 0 root", "leaf inter", DANE_TA, NULL, NULL },
		{ "2 0 0 root", "direct", DANE_TA, NULL, NULL },
		{ "2 0 0 root", "leaf", DANE_NO_MATCH, NULL, "signed" },
		{ "2 0 0 evil-root", "leaf inter", DANE_NO_MATCH, NULL,
		    "signed" },
	};

	(void)state;
	CHECK(rows);
}

/* RFC 7671 section 5.2.2 */
static void
test_bare_key(void **state)
{
	static const struct row rows[] = {
		{ "2 1 0 root", "direct", DANE_TA, NULL, NULL },
		{ "2 1 0 root", "leaf inter", DANE_TA, NULL, NULL },
		{ "2 1 0 root", "leaf evil-ca inter", DANE_TA, NULL, NULL },
		{ "2 1 0 inter", "leaf", DANE_TA, NULL, NULL },
		{ "2 1 0 inter", "leaf evil-ca", DANE_TA, NULL, NULL },
		{ "2 1 0 rsa-root", "of-rsa-root", DANE_TA, NULL, NULL },
		{ "2 1 0 old-root", "of-old-root", DANE_TA, NULL, NULL },
		{ "2 1 0 root", "leaf", DANE_NO_MATCH, NULL, NULL },
		{ "2 1 0 !root", "direct", DANE_NO_MATCH, NULL, NULL },
		{ "2 1 0 evil-root", "leaf inter", DANE_NO_MATCH, NULL, NULL },
		{ "2 1 0 root", "forged-direct", DANE_NO_MATCH, NULL, NULL },
		{ "2 1 0 root", "of-evil-twin", DANE_NO_MATCH, NULL, NULL },
		{ "2 1 0 root", "evil evil-ca inter", DANE_NO_MATCH, NULL,
		    "signed" },
		{ "2 1 0 root", "evil direct", DANE_NO_MATCH, NULL,
		    "signed" },
		{ "2 1 0 root", "evil direct inter", DANE_NO_MATCH, NULL,
		    "signed" },
		{ "2 1 0 root", "forged inter", DANE_NO_MATCH, NULL,
		    "signed" },
		{ "2 1 0 root", "of-customer customer", DANE_NO_MATCH, NULL,
		    "signed" },
		{ "2 1 0 root", "direct-other", DANE_NO_MATCH,
		    "certificate-host-mismatch", "other.example.org" },
		{ "2 1 0 root", "other inter", DANE_NO_MATCH,
		    "certificate-host-mismatch", "other.example.org" },
		{ "2 1 0 root", "direct-expired", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		{ "2 1 0 root", "expired inter", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		{ "2 1 0 root", "of-old-inter old-inter", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		{ "2 1 0 root", "direct-early", DANE_NO_MATCH, NULL,
		    "not yet" },
		{ "2 1 0 root", "early inter", DANE_NO_MATCH, NULL,
		    "not yet" },
		{ "2 1 0 root", "direct-client", DANE_NO_MATCH, NULL,
		    "not meant for servers" },
		{ "2 1 0 root", "client inter", DANE_NO_MATCH, NULL,
		    "not meant for servers" },
		{ "2 1 0 root", "of-client-inter client-inter", DANE_NO_MATCH,
		    NULL, "not meant for servers" },
		{ "2 1 0 root", "direct-weak", DANE_NO_MATCH, NULL,
		    "too weak" },
		{ "2 1 0 root", "weak inter", DANE_NO_MATCH, NULL,
		    "too weak" },
		{ "2 1 0 root", "of-weak-inter weak-inter", DANE_NO_MATCH,
		    NULL, "too weak" },
		{ "2 1 0 root", "of-narrow narrow", DANE_NO_MATCH, NULL,
		    "signed" },
	};

	(void)state;
	CHECK(rows);
}

/* RFC 7671 section 5.2: usage 2 asks for all but the authority's own dates. */
static void
test_usage_2_refusals(void **state)
{
	static const struct row rows[] = {
		{ "2 0 1 root", "other inter root", DANE_NO_MATCH,
		    "certificate-host-mismatch",
		    "it is for other.example.org, not for " SERVER },
		{ "2 0 0 root", "other inter", DANE_NO_MATCH,
		    "certificate-host-mismatch", "other.example.org" },
		{ "2 1 1 root", "common inter root", DANE_NO_MATCH,
		    "certificate-host-mismatch", "no host name at all" },
		{ "2 1 1 root", "expired inter root", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		{ "2 0 0 root", "expired inter", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		{ "2 0 1 inter", "expired inter", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		{ "2 1 1 root", "early inter root", DANE_NO_MATCH, NULL,
		    "not yet" },
		{ "2 1 1 root", "of-old-inter old-inter root", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		{ "2 1 1 root", "client inter root", DANE_NO_MATCH, NULL,
		    "not meant for servers" },
		{ "2 0 0 root", "client inter", DANE_NO_MATCH, NULL,
		    "not meant for servers" },
		{ "2 1 1 root", "of-client-inter client-inter root",
		    DANE_NO_MATCH, NULL, "not meant for servers" },
		{ "2 1 1 root", "weak inter root", DANE_NO_MATCH, NULL,
		    "too weak" },
		{ "2 1 1 root", "of-weak-inter weak-inter root",
		    DANE_NO_MATCH, NULL, "too weak" },
		{ "2 1 1 root", "of-narrow narrow root", DANE_NO_MATCH, NULL,
		    "signed" },
		{ "2 1 1 narrow", "of-narrow narrow root", DANE_NO_MATCH,
		    NULL, "signed" },
		{ "2 1 1 root", "of-customer customer root", DANE_NO_MATCH,
		    NULL, "signed" },
		{ "2 1 1 customer", "of-customer customer root",
		    DANE_NO_MATCH, NULL, "signed" },
		/* the authority's own dates are the record's affair */
		{ "2 0 1 old-root", "of-old-root old-root", DANE_TA, NULL,
		    NULL },
		{ "2 1 1 old-root", "of-old-root old-root", DANE_TA, NULL,
		    NULL },
		{ "2 0 0 old-root", "of-old-root", DANE_TA, NULL, NULL },
		{ "2 1 1 old-inter", "of-old-inter old-inter", DANE_TA, NULL,
		    NULL },
	};

	(void)state;
	CHECK(rows);
}

/* A leaf is no authority over itself, whichever way it is named. */
static void
test_usage_2_of_the_leaf(void **state)
{
	static const char *const kinds[] = { "0 0", "0 1", "0 2", "1 0", "1 1",
	    "1 2" };
	static const char *const chains[] = { "self", "leaf",
	    "leaf inter root", "self inter" };
	struct row row = { .verdict = DANE_NO_MATCH };
	struct dane dane;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof chains / sizeof *chains; i++)
		for (j = 0; j < 6; j++) {
			row.chain = chains[i];
			row.records = pool_printf(pool, "2 %s %.4s", kinds[j],
			    chains[i]);
			dane = records(row.records, false);
			assert_int_equal(dane.n, 1);
			check(&row, &dane, false, SERVER);
		}
}

/* RFC 7671 section 9, and roll-over (section 8) */
static void
test_sets(void **state)
{
	static const struct row rows[] = {
		{ "3 1 1 other; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "3 1 1 leaf; 3 1 1 other", "leaf", DANE_EE, NULL, NULL },
		{ "3 1 1 other; 2 0 1 inter", "leaf inter", DANE_TA, NULL,
		    NULL },
		{ "2 0 1 evil-ca; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "2 1 1 root; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "2 1 1 root; 3 1 1 expired", "expired inter root", DANE_EE,
		    NULL, NULL },
		{ "3 1 1 other; 2 0 1 inter", "expired inter", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		{ "2 0 1 inter; 3 1 1 other", "expired inter", DANE_NO_MATCH,
		    "certificate-expired", "expired" },
		/* the strongest digest of each usage and selector */
		{ "3 1 2 other; 3 1 1 leaf", "leaf", DANE_NO_MATCH, NULL,
		    NULL },
		{ "3 1 1 leaf; 3 1 2 other", "leaf", DANE_NO_MATCH, NULL,
		    NULL },
		{ "3 1 2 leaf; 3 1 1 other", "leaf", DANE_EE, NULL, NULL },
		{ "2 0 2 evil-ca; 2 0 1 inter", "leaf inter", DANE_NO_MATCH,
		    NULL, NULL },
		{ "3 1 2 other; 3 0 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "2 1 2 evil-ca; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "2 1 2 evil-ca; 2 0 1 inter", "leaf inter", DANE_TA, NULL,
		    NULL },
		/* one that cannot be used outdoes none */
		{ "3 1 2 -other; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "3 1 9 other; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "1 1 2 other; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		/* the full data stays, and outdoes none */
		{ "3 1 0 leaf; 3 1 2 other", "leaf", DANE_EE, NULL, NULL },
		{ "3 1 0 other; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "3 0 0 leaf; 3 0 1 other", "leaf", DANE_EE, NULL, NULL },
		{ "2 0 0 root; 2 0 1 evil-ca", "leaf inter", DANE_TA, NULL,
		    NULL },
		{ "3 1 0 other; 3 1 2 other; 3 1 1 leaf", "leaf",
		    DANE_NO_MATCH, NULL, NULL },
		/* beside what is unknown */
		{ "4 1 1 leaf; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "3 2 1 other; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "1 1 1 leaf; 3 1 1 other", "leaf", DANE_NO_MATCH, NULL,
		    NULL },
		{ "0 0 1 inter; 2 0 1 root", "leaf inter", DANE_NO_MATCH,
		    NULL, NULL },
	};

	(void)state;
	CHECK(rows);
}

/* --- which records count -------------------------------------------------- */

static void
test_usable(void **state)
{
	static const struct {
		const char *records;
		size_t n, n_with_pkix;
		bool needs_pkix;
	} rows[] = {
		{ "3 0 0 leaf", 1, 1, false },
		{ "3 0 1 leaf", 1, 1, false },
		{ "3 0 2 leaf", 1, 1, false },
		{ "3 1 0 leaf", 1, 1, false },
		{ "2 1 1 root", 1, 1, false },
		{ "0 0 0 root", 0, 1, true },
		{ "0 0 1 root", 0, 1, true },
		{ "1 1 1 leaf", 0, 1, true },
		{ "1 1 2 leaf", 0, 1, true },
		{ "4 1 1 leaf", 0, 0, false },
		{ "3 2 1 leaf", 0, 0, false },
		{ "3 1 3 leaf", 0, 0, false },
		{ "3 1 9 leaf", 0, 0, false },
		{ "3 1 1 -leaf", 0, 0, false },
		{ "3 1 1 +leaf", 0, 0, false },
		{ "3 1 2 -leaf", 0, 0, false },
		{ "3 1 2 +leaf", 0, 0, false },
		{ "3 1 0 -leaf", 0, 0, false },
		{ "3 1 0 +leaf", 0, 0, false },
		{ "3 0 0 -leaf", 0, 0, false },
		{ "2 0 0 -root", 0, 0, false },
		{ "2 1 0 -root", 0, 0, false },
		{ "1 1 1 leaf; 3 1 1 leaf", 1, 2, true },
		{ "1 1 2 leaf; 1 1 1 leaf; 1 1 0 leaf", 0, 2, true },
		{ "0 0 1 root; 0 0 2 root; 2 0 1 root", 1, 2, true },
		{ "3 1 1 leaf; 3 1 1 self; 3 1 2 leaf", 1, 1, false },
	};
	struct dane dane;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		dane = records(rows[i].records, false);
		if (dane.n != rows[i].n || dane_needs_pkix(&dane))
			fail_msg("%s: %zu", rows[i].records, dane.n);
		dane = records(rows[i].records, true);
		if (dane.n != rows[i].n_with_pkix ||
		    dane_needs_pkix(&dane) != rows[i].needs_pkix)
			fail_msg("%s, with PKIX: %zu", rows[i].records,
			    dane.n);
	}
}

static void
test_short_rdata(void **state)
{
	static const unsigned char octets[] = { 3, 1, 1 }, full[] = { 3, 0, 0,
	    0x30, 0x00 }, key[] = { 2, 1, 0, 0x30, 0x03, 0x02, 0x01 },
	    garbage[] = { 2, 0, 0, 0x30, 0x03, 0x02, 0x01, 0x00 };
	struct dns_record all[10] = {
		{ .data = NULL, .len = 0 },
		{ .data = octets, .len = 0 },
		{ .data = octets, .len = 1 },
		{ .data = octets, .len = 2 },
		{ .data = octets, .len = 3 },
		{ .data = full, .len = 3 },
		{ .data = full, .len = 5 },
		{ .data = key, .len = 7 },
		{ .data = garbage, .len = 8 },
	};
	struct dns_question q;
	const struct row row = { "them", "leaf", DANE_EE, NULL, NULL };
	struct dane dane;
	size_t i;

	(void)state;
	for (i = 0; i < 9; i++) {
		q = question(&all[i], 1);
		dane_make(&dane, &q, true, pool);
		assert_int_equal(dane.n, 0);
	}
	rdata(&all[9], "3 1 1 leaf", 10);
	q = question(all, 10);
	dane_make(&dane, &q, false, pool);
	assert_int_equal(dane.n, 1);
	check(&row, &dane, false, SERVER);
	q = question(NULL, 0);
	dane_make(&dane, &q, true, pool);
	assert_int_equal(dane.n, 0);
	assert_false(dane_needs_pkix(&dane));
}

/* As many as an answer can hold (ANSWER_RECORDS_MAX). */
static void
test_many_records(void **state)
{
	static const struct row right = { "many", "leaf inter root", DANE_EE,
	    NULL, NULL }, anchor = { "many", "leaf inter root", DANE_TA, NULL,
	    NULL }, none = { "many", "self", DANE_NO_MATCH, NULL, NULL };
	static const size_t sizes[] = { 60, ANSWER_RECORDS_MAX };
	struct dns_record all[ANSWER_RECORDS_MAX];
	struct dns_question q;
	struct dane dane;
	size_t i, j, n;

	(void)state;
	for (i = 0; i < 2; i++) {
		n = sizes[i];
		for (j = 0; j < n; j++)
			rdata(&all[j], j % 2 ? "2 0 0 evil-ca" : "3 1 1 other",
			    j % 2 ? 13 : 11);
		rdata(&all[n - 1], "3 1 1 leaf", 10);
		q = question(all, n);
		dane_make(&dane, &q, false, pool);
		assert_int_equal(dane.n, n);
		check(&right, &dane, false, SERVER);
		rdata(&all[n - 1], "2 1 0 root", 10);
		dane_make(&dane, &q, false, pool);
		check(&anchor, &dane, false, SERVER);
		rdata(&all[n - 1], "3 0 1 leaf", 10);
		dane_make(&dane, &q, false, pool);
		check(&(struct row){ "many", "self", DANE_NO_MATCH, NULL,
		    "signed" }, &dane, false, SERVER);
	}
	dane = (struct dane){ .owner = "_465._tcp." SERVER };
	check(&none, &dane, false, SERVER);
}

/* --- usages 0 and 1 (RFC 7673) ---------------------------------------------- */

static void
test_with_pkix(void **state)
{
	static const struct row in_order[] = {
		{ "1 1 1 leaf", "leaf inter", DANE_EE, NULL, NULL },
		{ "1 0 0 leaf", "leaf inter", DANE_EE, NULL, NULL },
		{ "0 0 1 inter", "leaf inter", DANE_TA, NULL, NULL },
		{ "0 1 1 inter", "leaf inter root", DANE_TA, NULL, NULL },
		{ "0 0 1 root", "leaf inter root", DANE_TA, NULL, NULL },
		{ "0 0 0 root", "leaf inter", DANE_TA, NULL, NULL },
		{ "0 1 0 root", "leaf inter", DANE_TA, NULL, NULL },
		{ "1 1 1 other", "leaf inter", DANE_NO_MATCH, NULL, NULL },
		{ "1 1 1 inter", "leaf inter", DANE_NO_MATCH, NULL, NULL },
		{ "0 0 1 leaf", "leaf inter", DANE_NO_MATCH, NULL, NULL },
		{ "0 0 1 evil-root", "leaf inter evil-root", DANE_NO_MATCH,
		    NULL, "signed" },
		{ "0 0 0 evil-root", "leaf inter", DANE_NO_MATCH, NULL,
		    "signed" },
	}, not_in_order[] = {
		{ "1 1 1 leaf", "leaf inter", DANE_NO_MATCH,
		    "certificate-not-trusted", "public authority" },
		{ "0 0 1 root", "leaf inter root", DANE_NO_MATCH,
		    "certificate-not-trusted", "public authority" },
		{ "0 0 0 root", "leaf inter", DANE_NO_MATCH,
		    "certificate-not-trusted", "public authority" },
		{ "1 1 1 leaf; 3 1 1 leaf", "leaf", DANE_EE, NULL, NULL },
		{ "0 0 1 root; 2 0 1 root", "leaf inter root", DANE_TA, NULL,
		    NULL },
		{ "1 1 1 leaf; 3 1 1 other", "leaf", DANE_NO_MATCH,
		    "certificate-not-trusted", "public authority" },
	};
	struct dane dane;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof in_order / sizeof *in_order; i++) {
		dane = records(in_order[i].records, true);
		assert_int_equal(dane.n, 1);
		check(&in_order[i], &dane, true, SERVER);
	}
	for (i = 0; i < sizeof not_in_order / sizeof *not_in_order; i++) {
		dane = records(not_in_order[i].records, true);
		check(&not_in_order[i], &dane, false, SERVER);
	}
}

/* --- chains and names ------------------------------------------------------- */

static void
test_no_chain(void **state)
{
	static const struct row rows[] = {
		{ "3 1 1 leaf", "", DANE_NO_MATCH, NULL, NULL },
		{ "2 0 0 root", "", DANE_NO_MATCH, NULL, NULL },
		{ "2 1 0 root", "", DANE_NO_MATCH, NULL, NULL },
		{ "3 1 1 leaf", "#", DANE_NO_MATCH, NULL, NULL },
		{ "3 1 1 leaf", "# leaf inter root", DANE_NO_MATCH, NULL,
		    NULL },
		{ "2 1 1 root", "# leaf inter root", DANE_NO_MATCH, NULL,
		    NULL },
		{ "3 1 1 leaf", "leaf #", DANE_EE, NULL, NULL },
		{ "2 1 1 root", "leaf inter root #", DANE_TA, NULL, NULL },
		{ "2 0 0 root", "leaf inter # #", DANE_TA, NULL, NULL },
		/* what stands behind garbage is not read */
		{ "2 1 1 root", "leaf inter # root", DANE_NO_MATCH, NULL,
		    NULL },
	};
	const char *name = SERVER;
	struct failure why = { .kind = FAILURE_NONE };
	struct dane dane = records("3 1 1 leaf", false);

	(void)state;
	CHECK(rows);
	assert_int_equal(dane_verify(&dane, NULL, 0, true, &name, 1, pool,
	    &why), DANE_NO_MATCH);
	assert_int_equal(why.kind, FAILURE_TLS_UNTRUSTED);
}

#define FOUR	" evil evil-ca other evil-root"
#define TWELVE	FOUR FOUR FOUR

static void
test_long_chain(void **state)
{
	static const struct row rows[] = {
		/* 16, the anchor among them */
		{ "2 1 1 root", "leaf" TWELVE " evil inter root", DANE_TA,
		    NULL, NULL },
		{ "2 1 0 root", "leaf" TWELVE " evil evil inter", DANE_TA,
		    NULL, NULL },
		{ "3 1 1 leaf", "leaf" TWELVE " evil inter root", DANE_EE,
		    NULL, NULL },
		/* 20: only the first 16 are looked at */
		{ "3 1 1 leaf", "leaf inter root" TWELVE FOUR " evil",
		    DANE_EE, NULL, NULL },
		{ "2 1 1 root", "leaf inter root" TWELVE FOUR " evil",
		    DANE_TA, NULL, NULL },
		{ "2 0 0 root", "leaf inter" TWELVE FOUR " evil evil",
		    DANE_TA, NULL, NULL },
		{ "2 1 1 root", "leaf inter" TWELVE FOUR " evil root",
		    DANE_NO_MATCH, NULL, NULL },
		{ "3 1 1 leaf", "evil" TWELVE FOUR " leaf inter root",
		    DANE_NO_MATCH, NULL, NULL },
	};

	(void)state;
	CHECK(rows);
}

/* 16 certificates, each signed by the next. */
static void
test_deep_chain(void **state)
{
	static struct pki_wish deep[16];
	static char names[16][8];
	struct failure why = { .kind = FAILURE_NONE };
	gnutls_datum_t chain[16];
	const char *name = SERVER;
	struct pki saved = pki;
	struct dane dane;
	size_t i;

	(void)state;
	memset(&pki, 0, sizeof pki);
	for (i = 0; i < 16; i++) {
		(void)snprintf(names[i], sizeof names[i], "ca%02zu", i);
		deep[i] = (struct pki_wish){ .name = names[i], .sans =
		    i == 15 ? HOST : NULL, .issuer = i == 0 ? NULL :
		    names[i - 1], .ca = i < 15 };
	}
	pki_make(&pki, deep, 16);
	for (i = 0; i < 16; i++)
		chain[i] = pki.certs[15 - i].der;
	dane = records("2 1 1 ca00", false);
	assert_int_equal(dane_verify(&dane, chain, 16, false, &name, 1, pool,
	    &why), DANE_TA);
	dane = records("2 1 0 ca00", false);
	assert_int_equal(dane_verify(&dane, chain, 15, false, &name, 1, pool,
	    &why), DANE_TA);
	dane = records("2 0 1 ca14", false);
	assert_int_equal(dane_verify(&dane, chain, 16, false, &name, 1, pool,
	    &why), DANE_TA);
	pki_free(&pki);
	pki = saved;
}

static void
test_names(void **state)
{
	static const struct {
		const char *names, *chain;
		enum dane_verdict verdict;
	} rows[] = {
		{ SERVER, "leaf inter root", DANE_TA },
		{ "MAIL.Example.ORG", "leaf inter root", DANE_TA },
		{ SERVER, "wild inter root", DANE_TA },
		{ "mail.sub.example.org", "wild inter root", DANE_NO_MATCH },
		{ "example.org", "wild inter root", DANE_NO_MATCH },
		{ "192.0.2.1", "leaf inter root", DANE_NO_MATCH },
		{ "example.org " SERVER, "leaf inter root", DANE_TA },
		{ SERVER " example.org", "leaf inter root", DANE_TA },
		{ "example.org other.example.org", "leaf inter root",
		    DANE_NO_MATCH },
		{ "a.example.org b.example.org " SERVER, "leaf inter root",
		    DANE_TA },
		{ "a.example.org other.example.org " SERVER,
		    "other inter root", DANE_TA },
		{ "a.example.org b.example.net c.example.org",
		    "leaf inter root", DANE_NO_MATCH },
	};
	struct dane dane = records("2 1 1 root", false);
	struct row row = { .records = "2 1 1 root",
	    .result = "certificate-host-mismatch", .text = "it is for" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		row.chain = rows[i].chain;
		row.verdict = rows[i].verdict;
		check(&row, &dane, false, rows[i].names);
	}
}

static int
setup(void **state)
{
	(void)state;
	pool = pool_new();
	pki_make(&pki, wishes, sizeof wishes / sizeof *wishes);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pki_free(&pki);
	pool_free(pool);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appended_anchor),
		cmocka_unit_test(test_appended_leaf),
		cmocka_unit_test(test_usage_3),
		cmocka_unit_test(test_usage_3_chains),
		cmocka_unit_test(test_odd_keys),
		cmocka_unit_test(test_usage_2),
		cmocka_unit_test(test_bare_key),
		cmocka_unit_test(test_usage_2_refusals),
		cmocka_unit_test(test_usage_2_of_the_leaf),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_usable),
		cmocka_unit_test(test_short_rdata),
		cmocka_unit_test(test_many_records),
		cmocka_unit_test(test_with_pkix),
		cmocka_unit_test(test_no_chain),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_deep_chain),
		cmocka_unit_test(test_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
