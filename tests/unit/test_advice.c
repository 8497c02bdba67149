#include "advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct fixture {
	struct pool *pool;
	struct endpoint endpoint;
	struct chain chain;
	struct found_server server;
	struct findings f;
};

/* A server that nothing can be said against. */
static void
prepare(struct fixture *x)
{
	*x = (struct fixture){ .pool = pool_new(), .endpoint = {
	    .security = SECURITY_STARTTLS, .host = "mail.example.org",
	    .port = "587" } };
	x->chain.n = x->chain.sent = 2;
	x->chain.links[0] = x->chain.links[1] = (struct chain_link){
	    .subject = "CN=x", .names = "mail.example.org", .until = time(NULL) + 90 * 86400 + 60 };
	x->server.endpoint = &x->endpoint;
	x->server.tls = (struct tls_facts){ .version = "TLS1.3",
	    .binding = "tls-exporter", .found = {
	    .pkix = { .by = "pkix" } } };
	x->server.tls.chain = &x->chain;
	x->server.before.heard = x->server.within.heard = true;
	x->server.before.can.starttls = true;
	(void)strcpy(x->server.within.can.mechanisms, "SCRAM-SHA-256-PLUS "
	    "PLAIN");
	x->f.servers = &x->server;
	x->f.nservers = 1;
}

/* The one piece of advice has these words; NULL: there is none. */
static void
gives(struct fixture *x, const char *words)
{
	advise(&x->f, x->pool);
	if (words == NULL) {
		if (x->f.nadvice > 0)
			fail_msg("it says: %s", x->f.advice[0]);
	} else {
		assert_int_equal(x->f.nadvice, 1);
		if (strstr(x->f.advice[0], words) == NULL)
			fail_msg("no \"%s\" in: %s", words, x->f.advice[0]);
	}
	pool_free(x->pool);
}

static void
nothing(void **state)
{
	struct fixture x;

	(void)state;
	prepare(&x);
	gives(&x, NULL);
	prepare(&x);
	x.f.nservers = 0;
	gives(&x, NULL);
}

static void
starttls(void **state)
{
	struct fixture x;

	(void)state;
	prepare(&x);
	(void)strcpy(x.server.before.can.mechanisms, "LOGIN PLAIN");
	gives(&x, "announces PLAIN before TLS");
	prepare(&x);
	x.server.before.can.starttls = false;
	gives(&x, "does STARTTLS but does not announce it");
}

static void
dates(void **state)
{
	struct fixture x;

	(void)state;
	prepare(&x);
	x.chain.links[0].until = time(NULL) + 6 * 86400 + 60;
	gives(&x, "the certificate of CN=x ends in 6 days");
	prepare(&x);
	x.chain.links[1].until = time(NULL) + 86400 + 60;
	gives(&x, "ends in 1 day:");
	prepare(&x);			/* of a week */
	x.chain.links[0].from = time(NULL) - 86400;
	x.chain.links[0].until = time(NULL) + 6 * 86400;
	gives(&x, NULL);
	prepare(&x);
	x.chain.links[0].from = time(NULL) - 6 * 86400;
	x.chain.links[0].until = time(NULL) + 86400 + 60;
	x.chain.links[0].subject = "";
	gives(&x, "the certificate of mail.example.org ends in 1 day:");
	prepare(&x);			/* PKIX says that itself */
	x.chain.links[0].until = time(NULL) - 60;
	gives(&x, NULL);
	assert_int_equal(chain_days(time(NULL) - 60), -1);
	assert_int_equal(chain_days(time(NULL) + 60), 0);
}

static void
dane(void **state)
{
	struct found_records tlsa = { .type = "TLSA" };
	struct fixture x;

	(void)state;
	prepare(&x);
	x.server.records = &tlsa;
	x.server.nrecords = 1;
	x.server.tlsa = "_587._tcp.mail.example.org. IN TLSA 3 1 1 00";
	gives(&x, NULL);
	prepare(&x);
	x.server.records = &tlsa;
	x.server.nrecords = 1;
	x.server.tlsa = "_587._tcp.mail.example.org. IN TLSA 3 1 1 00";
	x.server.place.dane.n = 1;
	x.server.tlsa_exists = x.server.zone_signed = true;
	x.server.tls.found.dane.objection = "no match";
	gives(&x, "the record that would: _587._tcp.mail.example.org. IN TLSA "
	    "3 1 1 00");
	prepare(&x);
	x.server.records = &tlsa;
	x.server.nrecords = 1;
	x.server.tlsa = "R";
	x.server.tlsa_exists = x.f.resolver_trusted = true;
	gives(&x, "the zone is not signed");
	prepare(&x);
	x.server.records = &tlsa;
	x.server.nrecords = 1;
	x.server.tlsa = "R";
	x.server.tlsa_exists = true;
	gives(&x, "no resolver here may be trusted");
	prepare(&x);
	x.server.records = &tlsa;
	x.server.nrecords = 1;
	x.server.tlsa = "R";
	x.server.zone_signed = true;
	gives(&x, "would let clients verify the server by DANE: R");
}

static void
logins(void **state)
{
	struct fixture x;

	(void)state;
	prepare(&x);
	(void)strcpy(x.server.within.can.mechanisms, "SCRAM-SHA-256");
	gives(&x, "not SCRAM-SHA-256-PLUS");
	prepare(&x);
	(void)strcpy(x.server.within.can.mechanisms, "LOGIN PLAIN");
	gives(&x, "offers no SCRAM: with PLAIN it sees the password");
	prepare(&x);
	(void)strcpy(x.server.within.can.mechanisms, "CRAM-MD5 PLAIN");
	gives(&x, "with CRAM-MD5 it must have the password in the clear");
	prepare(&x);
	x.server.within.can.mechanisms[0] = '\0';
	gives(&x, NULL);
}

static void
addresses(void **state)
{
	struct found_records records[] = {
		{ .type = "AAAA" }, { .type = "A", .found = true }
	};
	struct found_address two[] = {
		{ .address = "192.0.2.1", .why = "refused" },
		{ .address = "192.0.2.2" }
	};
	struct fixture x;

	(void)state;
	prepare(&x);
	x.server.records = records;
	x.server.nrecords = 2;
	gives(&x, "no AAAA record");
	prepare(&x);
	x.server.addresses = two;
	x.server.naddresses = 2;
	gives(&x, "1 of 2 addresses cannot be reached");
}

static void
extensions(void **state)
{
	struct advice_extension all[ADVICE_EXTENSIONS];
	struct capabilities can = { .size = true, .size_max = 20000000,
	    .limits = true, .rcptmax = 100, .mailmax = 7 };
	struct pool *pool = pool_new();
	size_t i;

	(void)state;
	advice_extensions(&can, all, pool);
	for (i = 0; i < ADVICE_EXTENSIONS; i++) {
		assert_int_equal(all[i].offered,
		    strcmp(all[i].name, "SIZE") == 0 ||
		    strcmp(all[i].name, "LIMITS") == 0);
		if (strcmp(all[i].name, "SIZE") == 0)
			assert_non_null(strstr(all[i].meaning, "20000000"));
		if (strcmp(all[i].name, "LIMITS") == 0)
			assert_string_equal(all[i].meaning, "at most 100 "
			    "recipients in a mail, 7 mails in a connection; "
			    "the rest goes in another");
	}
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(starttls),
		cmocka_unit_test(dates),
		cmocka_unit_test(dane),
		cmocka_unit_test(logins),
		cmocka_unit_test(addresses),
		cmocka_unit_test(extensions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
