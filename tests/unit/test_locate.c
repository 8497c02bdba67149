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

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(strcmp(name, "box.example") == 0 ? "192.0.2.9" : name,
	    port, hints, list);
}

/* --- the tests ------------------------------------------------------------ */

/* What comes of host, whose DNS is the table; NULL: there is no server. */
static bool
finds(const char *host, enum dane_policy dane, const struct dnsd_entry *table)
{
	const struct locate_params params = { AF_UNSPEC, dane };
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(is_of_another_family), TEST(is_in_hosts),
		TEST(is_in_hosts_alone), TEST(has_an_alias),
		TEST(has_an_alias_of_its_own),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
