/*
 * A host's addresses, of the DNS or of /etc/hosts, and the TLSA records that
 * count with them.
 */
#define _GNU_SOURCE			/* RTLD_NEXT */
#include "locate.h"
#include "dnsd.h"

#include <dlfcn.h>
#include <netdb.h>

static struct pool *pool;
static struct place place;
static struct failure why;

/* --- /etc/hosts as we read it, and as the library does ------------------- */

static char hosts[] = "127.0.0.1 localhost\n192.0.2.9\tbox.example\n";

FILE *
fopen(const char *name, const char *mode)
{
	FILE *(*real)(const char *, const char *);

	if (strcmp(name, "/etc/hosts") == 0)
		return fmemopen(hosts, sizeof hosts - 1, "r");
	*(void **)&real = dlsym(RTLD_NEXT, "fopen");
	return real(name, mode);
}

int
getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
    struct addrinfo **list)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);

	if (strcmp(name, "mail.example") == 0)
		return EAI_NONAME;		/* the DNS alone has it */
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(strcmp(name, "box.example") == 0 ? "192.0.2.9" : name,
	    port, hints, list);
}

/* --- the tests ------------------------------------------------------------ */

/* What comes of host, whose DNS is the table; NULL: there is no server. */
static bool
finds_of(const char *host, enum dane_policy dane, int family,
    const struct dnsd_entry *table)
{
	const struct locate_params params = { family, dane };
	const struct endpoint e = { .host = host, .port = "465" };
	struct dns *dns;
	bool ok;

	if (table != NULL)
		dnsd_begin(table);
	else
		dnsd_nobody();
	dns = dns_open(dnsd.address);
	why = (struct failure){ 0 };
	ok = locate(dns, &e, &params, pool, &place, &why);
	dns_close(dns);
	return ok;
}

static bool
finds(const char *host, enum dane_policy dane, const struct dnsd_entry *table)
{
	return finds_of(host, dane, AF_UNSPEC, table);
}

static void
cannot_tell(const char *words)
{
	assert_int_equal(why.kind, FAILURE_RESOLVE_TEMPORARY);
	assert_string_equal(why.tls_result, "dnssec-invalid");
	assert_non_null(strstr(why.text, words));
	assert_non_null(strstr(why.text, "\"dane off\""));
}

/* An address has one family alone: nothing to wait for, nothing misspelt. */
static void
is_of_another_family(void **state)
{
	static const struct {
		const char *host;
		int family;
	} cases[] = { { "127.0.0.1", AF_INET6 }, { "::1", AF_INET } };
	struct locate_params params = { .dane = DANE_OFF };
	struct endpoint e = { .port = "465" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		e.host = cases[i].host;
		params.family = AF_UNSPEC;
		assert_true(locate(NULL, &e, &params, pool, &place, &why));
		assert_int_equal(place.n, 1);
		params.family = cases[i].family;
		assert_false(locate(NULL, &e, &params, pool, &place, &why));
		assert_int_equal(why.kind, FAILURE_RESOLVE_NONE);
		assert_non_null(strstr(why.text, e.host));
		assert_non_null(strstr(why.text, "(-4 or -6)"));
	}
}

/* RFC 8305 section 4: by turns, IPv6 first; one family when it is asked for. */
static void
has_both_families(void **state)
{
	static const struct dnsd_entry both[] = {
		{ "mail.example", DNS_A, ANSWERED, "192.0.2.1; 192.0.2.2; "
		    "192.0.2.3", NULL },
		{ "mail.example", DNS_AAAA, ANSWERED, "2001:db8::1; "
		    "2001:db8::2", NULL },
		{ 0 } }, four[] = {
		{ "mail.example", DNS_A, ANSWERED, "192.0.2.1", NULL },
		{ 0 } };
	static const struct {
		const struct dnsd_entry *table;
		int family;
		const char *order;
	} cases[] = {
		{ both, AF_UNSPEC, "64644" },
		{ both, AF_INET, "444" },
		{ both, AF_INET6, "66" },
		{ four, AF_UNSPEC, "4" },
		{ four, AF_INET, "4" },
		{ four, AF_INET6, "" },
	};
	char order[ADDRESSES_MAX + 1];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(finds_of("mail.example", DANE_OFF,
		    cases[i].family, cases[i].table), cases[i].order[0] !=
		    '\0');
		for (j = 0; j < place.n; j++)
			order[j] = place.addresses[j].address.ss_family ==
			    AF_INET ? '4' : '6';
		order[place.n] = '\0';
		assert_string_equal(order, cases[i].order);
		assert_int_equal(dnsd_asked(NULL, DNS_A), cases[i].family !=
		    AF_INET6);
	}
	assert_int_equal(why.kind, FAILURE_RESOLVE_NONE);
}

#define KEY "3 1 1 " \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void
is_in_hosts(void **state)
{
	static const struct dnsd_entry none[] = { { 0 } }, key[] = {
		{ "_465._tcp.box.example", DNS_TLSA, AUTHENTICATED, KEY, NULL },
		{ 0 } };
	const struct sockaddr_in *four = (const void *)
	    &place.addresses[0].address;

	(void)state;
	assert_true(finds("box.example", DANE_AUTO, none));
	assert_int_equal(place.n, 1);
	assert_int_equal(ntohl(four->sin_addr.s_addr), 0xc0000209);
	assert_int_equal(place.dane.n, 0);
	assert_int_equal(dnsd_asked("box.example", 0), 0);
	assert_true(finds("box.example", DANE_AUTO, key));
	assert_int_equal(place.dane.n, 1);
	assert_string_equal(place.base, "box.example");
}

/* No resolver is not one that fails: that could hide the records. */
static void
is_in_hosts_alone(void **state)
{
	static const struct dnsd_entry fails[] = {
		{ "_465._tcp.box.example", DNS_TLSA, SERVFAIL, NULL, NULL },
		{ 0 } };

	(void)state;
	assert_true(finds("box.example", DANE_AUTO, NULL));
	assert_int_equal(place.n, 1);
	assert_int_equal(place.dane.n, 0);
	assert_false(finds("box.example", DANE_REQUIRE, NULL));
	assert_int_equal(why.kind, FAILURE_TLS_UNTRUSTED);
	assert_false(finds("box.example", DANE_AUTO, fails));
	cannot_tell("TLSA record");
	assert_true(finds("box.example", DANE_OFF, fails));
	assert_int_equal(dnsd_asked(NULL, 0), 0);
	assert_false(finds("mail.example", DANE_AUTO, NULL));
}

/* The end of an authenticated alias comes first, then the name. */
static void
has_an_alias(void **state)
{
	static const struct dnsd_entry both[] = {
		{ "mail.example", DNS_A, AUTHENTICATED, "192.0.2.1",
		    "host.example" },
		{ "_465._tcp.mail.example", DNS_TLSA, AUTHENTICATED, KEY,
		    NULL },
		{ "_465._tcp.host.example", DNS_TLSA, AUTHENTICATED, KEY,
		    NULL },
		{ 0 } };
	static const struct dnsd_entry own[] = {
		{ "mail.example", DNS_A, AUTHENTICATED, "192.0.2.1",
		    "host.example" },
		{ "_465._tcp.mail.example", DNS_TLSA, AUTHENTICATED, KEY,
		    NULL },
		{ 0 } };
	static const struct dnsd_entry fails[] = {
		{ "mail.example", DNS_A, AUTHENTICATED, "192.0.2.1",
		    "host.example" },
		{ "_465._tcp.mail.example", DNS_TLSA, SERVFAIL, NULL, NULL },
		{ 0 } };

	(void)state;
	assert_true(finds("mail.example", DANE_AUTO, both));
	assert_string_equal(place.dane.owner, "_465._tcp.host.example");
	assert_string_equal(place.base, "host.example");
	assert_true(finds("mail.example", DANE_AUTO, own));
	assert_string_equal(place.dane.owner, "_465._tcp.mail.example");
	assert_string_equal(place.base, "mail.example");
	assert_int_equal(dnsd_asked("_465._tcp.host.example", 0), 1);
	assert_int_equal(dnsd_asked("_465._tcp.mail.example", 0), 1);
	assert_false(finds("mail.example", DANE_AUTO, fails));
	cannot_tell("_465._tcp.mail.example");
}

/*
 * RFC 7672 section 2.2.2: the alias leads into a zone that is not signed, and
 * may itself be.
 */
static bool
finds_behind_alias(enum dane_policy dane, enum dnsd_how how)
{
	const struct dnsd_entry table[] = {
		{ "mail.example", DNS_A, ANSWERED, "192.0.2.1",
		    "host.example" },
		{ "mail.example", DNS_CNAME, how, "host.example", NULL },
		{ "_465._tcp.mail.example", DNS_TLSA, AUTHENTICATED, KEY,
		    NULL },
		{ 0 } };

	return finds("mail.example", dane, table);
}

static void
has_an_alias_of_its_own(void **state)
{
	static const enum dnsd_how cases[] = { SERVFAIL, REFUSED };
	size_t i;

	(void)state;
	assert_true(finds_behind_alias(DANE_AUTO, AUTHENTICATED));
	assert_string_equal(place.dane.owner, "_465._tcp.mail.example");
	assert_int_equal(place.dane.n, 1);
	assert_true(finds_behind_alias(DANE_AUTO, ANSWERED));
	assert_null(place.dane.owner);
	assert_true(finds_behind_alias(DANE_AUTO, NXDOMAIN));
	assert_null(place.dane.owner);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_false(finds_behind_alias(DANE_AUTO, cases[i]));
		cannot_tell("the alias of mail.example");
		assert_true(finds_behind_alias(DANE_OFF, cases[i]));
		assert_int_equal(dnsd_asked(NULL, DNS_CNAME), 0);
	}
}

#define A(how, alias)	{ "mail.example", DNS_A, how, "192.0.2.1", alias }
#define TLSA(host, how, records, alias) \
	{ "_465._tcp." host, DNS_TLSA, how, records, alias }

/* The rows of mox's TestGatherTLSA, and those of its dane_test on aliases. */
static const struct {
	struct dnsd_entry table[5];
	bool ok;
	const char *owner;		/* NULL: no records count */
} gathers[] = {
	{ { A(ANSWERED, NULL), TLSA("mail.example", AUTHENTICATED, KEY,
	    NULL) }, true, NULL },
	{ { A(AUTHENTICATED, NULL), TLSA("mail.example", AUTHENTICATED, KEY,
	    NULL) }, true, "_465._tcp.mail.example" },
	/* 3: the end of the alias before the name */
	{ { A(AUTHENTICATED, "host.example"), TLSA("mail.example",
	    AUTHENTICATED, KEY, NULL), TLSA("host.example", AUTHENTICATED,
	    KEY, NULL) }, true, "_465._tcp.host.example" },
	/* 4, 6, 8: an alias that leads out of what is signed */
	{ { A(ANSWERED, "host.example"), { "mail.example", DNS_CNAME,
	    AUTHENTICATED, "host.example", NULL }, TLSA("mail.example",
	    AUTHENTICATED, KEY, NULL), TLSA("host.example", AUTHENTICATED,
	    KEY, NULL) }, true, "_465._tcp.mail.example" },
	/* 5: the records themselves have an alias */
	{ { A(AUTHENTICATED, NULL), TLSA("mail.example", AUTHENTICATED, KEY,
	    "_dane.example") }, true, "_465._tcp.mail.example" },
	/* 7, 10: a circle of aliases is what the resolver fails with */
	{ { A(AUTHENTICATED, NULL), TLSA("mail.example", SERVFAIL, NULL,
	    NULL) }, false, NULL },
	/* 9: records that are not signed */
	{ { A(AUTHENTICATED, NULL), TLSA("mail.example", ANSWERED, KEY,
	    NULL) }, true, NULL },
	/* 11: the end's are not signed, or its alias is not */
	{ { A(AUTHENTICATED, "host.example"), TLSA("mail.example",
	    AUTHENTICATED, KEY, NULL), TLSA("host.example", ANSWERED, KEY,
	    NULL) }, true, "_465._tcp.mail.example" },
	{ { A(AUTHENTICATED, "host.example"), TLSA("mail.example",
	    AUTHENTICATED, KEY, NULL), TLSA("host.example", ANSWERED, KEY,
	    "_dane.example") }, true, "_465._tcp.mail.example" },
	/* 12: the end's alias leads nowhere */
	{ { A(AUTHENTICATED, "host.example"), TLSA("mail.example",
	    AUTHENTICATED, KEY, NULL), TLSA("host.example", AUTHENTICATED,
	    NULL, "_dane.example") }, true, "_465._tcp.mail.example" },
	/* 13: nor is there anything else */
	{ { A(AUTHENTICATED, "host.example"), TLSA("mail.example",
	    AUTHENTICATED, NULL, "_dane.example"), TLSA("host.example",
	    AUTHENTICATED, NULL, "_dane.example") }, true, NULL },
	/* none at all */
	{ { A(AUTHENTICATED, NULL) }, true, NULL },
};

static void
gathers_records(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof gathers / sizeof *gathers; i++) {
		if (finds("mail.example", DANE_AUTO, gathers[i].table) !=
		    gathers[i].ok)
			fail_msg("%zu: %s", i, why.text);
		if (!gathers[i].ok) {
			cannot_tell("TLSA record");
		} else if (gathers[i].owner == NULL) {
			assert_null(place.dane.owner);
			assert_int_equal(place.dane.n, 0);
		} else {
			assert_non_null(place.dane.owner);
			assert_string_equal(place.dane.owner,
			    gathers[i].owner);
			assert_int_equal(place.dane.n, 1);
		}
	}
}

static int
fresh(void **state)
{
	(void)state;
	pool = pool_new();
	return 0;
}

static int
done(void **state)
{
	(void)state;
	pool_free(pool);
	dnsd_end();
	return 0;
}

/* What is only told never stops anything, and says why there is nothing. */
static void
is_told(void **state)
{
	static const struct {
		enum dnsd_how how;
		const char *record, *absent;
	} cases[] = {
		{ AUTHENTICATED, KEY, NULL },
		{ AUTHENTICATED, "3 1 1 00", "tlsa-invalid" },
		{ ANSWERED, KEY, "none" },
		{ NXDOMAIN, NULL, "none" },
		{ SERVFAIL, NULL, "dnssec-invalid" },
	};
	struct dnsd_entry table[] = {
		{ "mail.example", DNS_A, AUTHENTICATED, "192.0.2.1", NULL },
		{ "_465._tcp.mail.example", DNS_TLSA, AUTHENTICATED, NULL,
		    NULL },
		{ 0 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		table[1].how = cases[i].how;
		table[1].records = cases[i].record;
		assert_true(finds("mail.example", DANE_TELL, table));
		assert_int_equal(place.n, 1);
		assert_int_equal(place.dane.n, cases[i].absent == NULL);
		if (cases[i].absent == NULL)
			assert_null(place.dane.absent);
		else
			assert_string_equal(place.dane.absent,
			    cases[i].absent);
	}
	assert_true(finds_behind_alias(DANE_TELL, SERVFAIL));
	assert_string_equal(place.dane.absent, "dnssec-invalid");
	assert_true(finds("mail.example", DANE_OFF, table));
	assert_null(place.dane.absent);
}

/* "dane both" wants records as "dane require" does, and says so by its name. */
static void
are_required(void **state)
{
	static const struct dnsd_entry none[] = {
		{ "mail.example", DNS_A, AUTHENTICATED, "192.0.2.1", NULL },
		{ 0 } };
	static const struct {
		enum dane_policy policy;
		const char *words;
	} cases[] = {
		{ DANE_REQUIRE, "\"dane require\"" },
		{ DANE_BOTH, "\"dane both\"" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_false(finds("mail.example", cases[i].policy, none));
		assert_int_equal(why.kind, FAILURE_TLS_UNTRUSTED);
		assert_string_equal(why.tls_result, "dane-required");
		assert_non_null(strstr(why.text, cases[i].words));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(is_of_another_family), TEST(is_in_hosts),
		TEST(is_in_hosts_alone), TEST(has_an_alias),
		TEST(has_an_alias_of_its_own), TEST(has_both_families),
		TEST(gathers_records), TEST(is_told), TEST(are_required),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
