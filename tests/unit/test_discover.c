/* The order of SRV records (RFC 2782), and whom a certificate may be for. */
#include "discover.h"
#include "dnsd.h"

static unsigned draws[8], drawn, sums[8];

/* What a test has put down; the sums that it is asked for are noted. */
static unsigned
chance(unsigned n)
{
	assert_true(drawn < 8);
	sums[drawn] = n;
	assert_true(draws[drawn] <= n);
	return draws[drawn++];
}

/* "priority weight name" each; the order that comes of the draws. */
static void
order(const char *records, const char *drawing, const char *wanted)
{
	struct dns_record r[8];
	char names[8][8], got[80] = "";
	size_t n = 0, i, at = 0;
	int len;

	memset(draws, 0, sizeof draws);
	for (drawn = 0; sscanf(drawing, "%u%n", &draws[drawn], &len) == 1;
	    drawn++)
		drawing += len;
	drawn = 0;
	for (; sscanf(records, " %u %u %7s%n", &r[n].priority,
	    &r[n].weight, names[n], &len) == 3; n++) {
		r[n].target = names[n];
		records += len;
	}
	discover_order(r, n, chance);
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(got + at, sizeof got - at, "%s",
		    r[i].target);
	assert_string_equal(got, wanted);
}

static void
by_priority(void **state)
{
	(void)state;
	order("20 0 a 10 0 b 30 0 c 0 0 d", "", "dbac");
	order("65535 1 a 0 1 b", "", "ba");
}

static void
by_weight(void **state)
{
	(void)state;
	order("1 10 a 1 20 b 1 70 c", "0", "abc");
	order("1 10 a 1 20 b 1 70 c", "10 20", "abc");
	assert_int_equal(sums[0], 100);
	assert_int_equal(sums[1], 90);
	order("1 10 a 1 20 b 1 70 c", "11", "bac");
	order("1 10 a 1 20 b 1 70 c", "30", "bac");
	order("1 10 a 1 20 b 1 70 c", "31", "cba");
	order("1 10 a 1 20 b 1 70 c", "100 20 0", "cba");
	order("1 10 a 1 20 b 1 70 c 0 1 d", "0 90 20 10", "dcba");
}

/* Weight 0 has a chance, a very small one. */
static void
by_no_weight(void **state)
{
	(void)state;
	order("1 0 a 1 0 b", "0 0", "ab");
	order("1 5 a 1 0 b", "0", "ba");
	order("1 5 a 1 0 b", "1", "ab");
	order("1 5 a 1 0 b", "5", "ab");
	order("1 65535 a 1 65535 b", "65536", "ba");
}

static void
wants(const char *host, bool authentic, const char *names, bool asks)
{
	const struct endpoint e = { .security = SECURITY_IMPLICIT,
	    .host = host, .domain = "example.org", .authentic = authentic,
	    .port = "465", .text = "smtps://x:465" };
	struct certificate_wanted w;
	struct pool *pool = pool_new();

	discover_wanted(&e, &w, pool);
	assert_string_equal(pool_printf(pool, "%s%s%s", w.names[0],
	    w.nnames > 1 ? " " : "", w.nnames > 1 ? w.names[1] : ""), names);
	assert_string_equal(w.srv_id, "_submissions.example.org");
	assert_int_equal(w.remedy != NULL, asks);
	if (asks)
		assert_non_null(strstr(w.remedy,
		    "add the line: server smtps://x:465"));
	pool_free(pool);
}

static void
names(void **state)
{
	(void)state;
	wants("mail.example.org", false, "mail.example.org example.org",
	    false);
	wants("a.b.Example.ORG", false, "a.b.Example.ORG example.org", false);
	wants("example.org", false, "example.org example.org", false);
	wants("evilexample.org", false, "example.org", true);
	wants("example.org.evil.test", false, "example.org", true);
	wants("org", false, "example.org", true);
	wants("mail.example.net", false, "example.org", true);
	wants("mail.example.net", true, "mail.example.net example.org", false);
}

/* The whole name beyond ASCII would lose its underscores on the way. */
static void
beyond_ascii(void **state)
{
	static const struct dnsd_entry table[] = {
		{ "_submissions._tcp.xn--bcher-kva.example", DNS_SRV, ANSWERED,
		    "0 1 465 mail.xn--bcher-kva.example", NULL },
		{ 0 }
	};
	struct pool *pool = pool_new();
	struct endpoint *endpoints = NULL;
	struct certificate_wanted w;
	struct failure why;
	struct dns *dns;
	size_t n = 0;

	(void)state;
	dnsd_begin(table);
	dns = dns_open(dnsd.address);
	assert_true(discover(dns, "B\u00fccher.example", pool, &endpoints, &n,
	    &why));
	assert_int_equal(n, 1);
	assert_string_equal(endpoints[0].host, "mail.xn--bcher-kva.example");
	assert_int_equal(dnsd_asked(table[0].name, DNS_SRV), 1);
	assert_int_equal(dnsd_asked("_submission._tcp.xn--bcher-kva.example",
	    DNS_SRV), 1);
	assert_int_equal(dnsd_asked(NULL, 0), 2);
	discover_wanted(&endpoints[0], &w, pool);
	assert_string_equal(w.srv_id, "_submissions.xn--bcher-kva.example");
	assert_string_equal(w.names[1], "xn--bcher-kva.example");
	assert_false(discover(dns, "\U0001f600.example", pool, &endpoints, &n,
	    &why));
	assert_int_equal(why.kind, FAILURE_CONFIG);
	dns_close(dns);
	dnsd_end();
	pool_free(pool);
}

/* No answer is not the answer that there are none. */
static void
nobody_answers(void **state)
{
	struct pool *pool = pool_new();
	struct endpoint *endpoints = NULL;
	struct failure why;
	struct dns *dns;
	size_t n = 0;

	(void)state;
	dnsd_nobody();
	dns = dns_open(dnsd.address);
	assert_false(discover(dns, "example.org", pool, &endpoints, &n, &why));
	assert_int_equal(why.kind, FAILURE_RESOLVE_TEMPORARY);
	dns_close(dns);
	pool_free(pool);
}

static void
one_question_fails(const struct dnsd_entry *table, const char *wanted)
{
	struct pool *pool = pool_new();
	struct endpoint *endpoints = NULL;
	struct failure why = { 0 };
	struct dns *dns;
	size_t n = 0;
	bool ok;

	dnsd_begin(table);
	dns = dns_open(dnsd.address);
	ok = discover(dns, "example.org", pool, &endpoints, &n, &why);
	assert_int_equal(ok, wanted != NULL);
	if (ok) {
		assert_int_equal(n, 1);
		assert_string_equal(endpoints[0].text, wanted);
	} else {
		assert_int_equal(why.kind, FAILURE_RESOLVE_TEMPORARY);
	}
	dns_close(dns);
	dnsd_end();
	pool_free(pool);
}

/* RFC 8314 section 5.1: implicit TLS comes first, so it is enough. */
static void
one_answer(void **state)
{
	static const struct dnsd_entry implicit[] = {
		{ "_submissions._tcp.example.org", DNS_SRV, ANSWERED,
		    "0 1 465 mail.example.org", NULL },
		{ "_submission._tcp.example.org", DNS_SRV, SERVFAIL, NULL,
		    NULL },
		{ 0 }
	}, starttls[] = {
		{ "_submissions._tcp.example.org", DNS_SRV, SERVFAIL, NULL,
		    NULL },
		{ "_submission._tcp.example.org", DNS_SRV, ANSWERED,
		    "0 1 587 mail.example.org", NULL },
		{ 0 }
	}, none[] = {
		{ "_submissions._tcp.example.org", DNS_SRV, ANSWERED,
		    "0 0 0 .", NULL },
		{ "_submission._tcp.example.org", DNS_SRV, SERVFAIL, NULL,
		    NULL },
		{ 0 }
	};

	(void)state;
	one_question_fails(implicit, "smtps://mail.example.org:465");
	one_question_fails(starttls, NULL);
	one_question_fails(none, NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_priority), cmocka_unit_test(by_weight),
		cmocka_unit_test(by_no_weight), cmocka_unit_test(names),
		cmocka_unit_test(beyond_ascii),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(one_answer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
