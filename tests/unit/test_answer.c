/* DNS packets taken apart: made by hand here, octet by octet. */
#include "answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

enum { ID = 0x2a17, QR = 0x8000, AD = 0x20, TC = 0x200 };

static struct packet {
	unsigned char p[65535];
	size_t n;
} pk;

static void
put16(unsigned v)
{
	pk.p[pk.n++] = (unsigned char)(v >> 8);
	pk.p[pk.n++] = (unsigned char)v;
}

static void
put(const void *p, size_t n)
{
	memcpy(pk.p + pk.n, p, n);
	pk.n += n;
}

static void
put_name(const char *name)
{
	size_t len;

	while (*name != '\0') {
		len = strcspn(name, ".");
		pk.p[pk.n++] = (unsigned char)len;
		put(name, len);
		name += len + (name[len] == '.');
	}
	pk.p[pk.n++] = 0;
}

static void
head(unsigned flags, unsigned questions)
{
	pk.n = 0;
	put16(ID);
	put16(QR | flags);
	put16(questions);
	put16(0);
	put16(0);
	put16(0);
}

static void
asks(const char *name, unsigned type)
{
	put_name(name);
	put16(type);
	put16(1);
}

/* A record in the answer section. */
static void
answers(const char *name, unsigned type, const void *rdata, size_t len)
{
	unsigned n = (unsigned)(pk.p[6] << 8 | pk.p[7]) + 1;

	put_name(name);
	put16(type);
	put16(1);
	put16(0);
	put16(60);
	put16((unsigned)len);
	put(rdata, len);
	pk.p[6] = (unsigned char)(n >> 8);
	pk.p[7] = (unsigned char)n;
}

/* The same with a name for its data, behind fixed octets. */
static void
points(const char *name, unsigned type, const char *fixed, size_t len,
    const char *target)
{
	unsigned char rdata[512];
	size_t at = pk.n, n;

	memcpy(rdata, fixed, len);
	put_name(target);
	n = pk.n - at;
	memcpy(rdata + len, pk.p + at, n);
	pk.n = at;
	answers(name, type, rdata, len + n);
}

static enum answer_again
parse_as(struct dns_question *q, bool trusted, struct pool *pool)
{
	unsigned char *exact = malloc(pk.n > 0 ? pk.n : 1);
	enum answer_again again;

	assert_non_null(exact);
	memcpy(exact, pk.p, pk.n);
	again = answer_parse(q, exact, pk.n, ID, trusted, pool);
	free(exact);
	return again;
}

static struct dns_question
parsed(const char *name, enum dns_type type, struct pool *pool)
{
	struct dns_question q = { .name = name, .type = type };

	assert_int_equal(parse_as(&q, true, pool), ANSWER_IS_DONE);
	return q;
}

static void
finds(void **state)
{
	struct dns_question q;

	head(AD, 1);
	asks("Mail.Example.ORG", DNS_A);
	answers("mail.example.org", DNS_A, "\300\0\2\1", 4);
	answers("mail.example.org", DNS_A, "\300\0\2\2", 4);
	answers("mail.example.org", DNS_A, "\300\0\2", 3);
	answers("other.example.org", DNS_A, "\300\0\2\3", 4);
	answers("mail.example.org", DNS_AAAA, "0123456789abcdef", 16);
	q = parsed("mail.example.org", DNS_A, *state);
	assert_int_equal(q.state, DNS_FOUND);
	assert_true(q.authenticated);
	assert_int_equal(q.n, 2);
	assert_memory_equal(q.records[1].data, "\300\0\2\2", 4);
	assert_string_equal(q.canonical, "mail.example.org");
	assert_int_equal(parse_as(&q, false, *state), ANSWER_IS_DONE);
	assert_false(q.authenticated);
}

static void
finds_servers(void **state)
{
	static const char name[] = "_submissions._tcp.example.org";
	struct dns_question q;

	head(0, 1);
	asks(name, DNS_SRV);
	points(name, DNS_SRV, "\0\1\0\2\1\321", 6, "Mail.Example.ORG");
	points(name, DNS_SRV, "\0\5\0\6\0\1", 6, "");
	points(name, DNS_SRV, "\0\5\0\6\0\1", 6, "a b.example.org");
	points(name, DNS_SRV, "\0\5\0\6\0\1", 6, "a>.example.org");
	points(name, DNS_SRV, "\0\5\0\6\0\1", 5, "x");
	answers(name, DNS_SRV, "\0\1\0\2\1\321\1", 7);
	answers(name, DNS_SRV, "\0\1\0\2\1\321", 6);
	answers(name, DNS_SRV, "", 0);
	q = parsed(name, DNS_SRV, *state);
	assert_int_equal(q.n, 2);
	assert_int_equal(q.records[0].priority, 1);
	assert_int_equal(q.records[0].weight, 2);
	assert_int_equal(q.records[0].port, 465);
	assert_string_equal(q.records[0].target, "mail.example.org");
	assert_string_equal(q.records[1].target, "");
	assert_false(q.authenticated);
}

static void
finds_tlsa_of_any_length(void **state)
{
	static const size_t lengths[] = { 0, 1, 2, 3, 35, 500 };
	unsigned char data[500] = { 3, 1, 1 };
	struct dns_question q;
	size_t i;

	head(AD, 1);
	asks("t", DNS_TLSA);
	for (i = 0; i < 6; i++)
		answers("t", DNS_TLSA, data, lengths[i]);
	q = parsed("t", DNS_TLSA, *state);
	assert_int_equal(q.n, 6);
	for (i = 0; i < 6; i++)
		assert_int_equal(q.records[i].len, lengths[i]);
	head(AD, 1);
	asks("t", DNS_TLSA);
	for (i = 0; i < 500; i++)
		answers("t", DNS_TLSA, data, 35);
	assert_int_equal(parsed("t", DNS_TLSA, *state).n, ANSWER_RECORDS_MAX);
}

static void
tells_states_apart(void **state)
{
	static const struct {
		unsigned flags;
		enum dns_state state;
		bool authenticated;
	} cases[] = {
		{ AD, DNS_NO_DATA, true }, { 0, DNS_NO_DATA, false },
		{ AD | 3, DNS_NO_NAME, true }, { 3, DNS_NO_NAME, false },
		{ AD | 2, DNS_SERVER_FAILED, false },
		{ AD | 5, DNS_REFUSED, false }, { 9, DNS_REFUSED, false },
	};
	struct dns_question q;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		head(cases[i].flags, 1);
		asks("a.b", DNS_SRV);
		q = parsed("a.b", DNS_SRV, *state);
		assert_int_equal(q.state, cases[i].state);
		assert_int_equal(q.authenticated, cases[i].authenticated);
	}
	head(AD, 1);
	asks("a.b", DNS_A);
	answers("a.b", DNS_A, "123", 3);
	q = parsed("a.b", DNS_A, *state);
	assert_int_equal(q.state, DNS_GARBAGE);
}

static void
asks_again(void **state)
{
	struct dns_question q = { .name = "a.b", .type = DNS_A };

	head(TC | 3, 1);
	asks("a.b", DNS_A);
	assert_int_equal(parse_as(&q, true, *state), ANSWER_BY_TCP);
	head(1, 1);
	asks("a.b", DNS_A);
	assert_int_equal(parse_as(&q, true, *state), ANSWER_WITHOUT_EDNS);
	head(4, 0);
	assert_int_equal(parse_as(&q, true, *state), ANSWER_WITHOUT_EDNS);
}

static void
is_foreign(void **state)
{
	struct dns_question q = { .name = "a.b", .type = DNS_A };
	size_t n;

	head(0, 1);
	asks("a.c", DNS_A);
	assert_int_equal(parse_as(&q, true, *state), ANSWER_IS_FOREIGN);
	head(0, 1);
	asks("a.b", DNS_AAAA);
	assert_int_equal(parse_as(&q, true, *state), ANSWER_IS_FOREIGN);
	head(0, 0);
	assert_int_equal(parse_as(&q, true, *state), ANSWER_IS_FOREIGN);
	head(0, 2);
	asks("a.b", DNS_A);
	asks("a.b", DNS_A);
	assert_int_equal(parse_as(&q, true, *state), ANSWER_IS_FOREIGN);
	head(0, 1);
	asks("a.b", DNS_A);
	pk.p[pk.n - 1] = 3;			/* class CHAOS */
	assert_int_equal(parse_as(&q, true, *state), ANSWER_IS_FOREIGN);
	head(0, 1);
	asks("a.b", DNS_A);
	pk.p[1]++;
	assert_int_equal(parse_as(&q, true, *state), ANSWER_IS_FOREIGN);
	pk.p[1]--;
	pk.p[2] = 0;				/* a question, no answer */
	assert_int_equal(parse_as(&q, true, *state), ANSWER_IS_FOREIGN);
	for (n = 0; n < 12; n++) {
		pk.n = n;
		assert_int_equal(parse_as(&q, true, *state),
		    ANSWER_IS_FOREIGN);
	}
}

static const char *
link_name(unsigned i, struct pool *pool)
{
	return i == 0 ? "mail.x" : pool_printf(pool, "l%u.x", i);
}

/* In reverse order: each link behind the one that it leads to. */
static struct dns_question
chain(unsigned links, struct pool *pool)
{
	unsigned i;

	head(AD, 1);
	asks("mail.x", DNS_A);
	answers(link_name(links, pool), DNS_A, "\1\2\3\4", 4);
	for (i = links; i-- > 0;)
		points(link_name(i, pool), DNS_CNAME, "", 0,
		    link_name(i + 1, pool));
	return parsed("mail.x", DNS_A, pool);
}

static void
follows_aliases(void **state)
{
	struct dns_question q = chain(15, *state);

	assert_int_equal(q.state, DNS_FOUND);
	assert_string_equal(q.canonical, "l15.x");
	q = chain(17, *state);
	assert_int_equal(q.state, DNS_GARBAGE);
	assert_false(q.authenticated);
	head(AD, 1);
	asks("mail.x", DNS_A);
	points("mail.x", DNS_CNAME, "", 0, "b.x");
	points("b.x", DNS_CNAME, "", 0, "mail.x");
	assert_int_equal(parsed("mail.x", DNS_A, *state).state, DNS_GARBAGE);
	head(AD, 1);
	asks("mail.x", DNS_CNAME);
	points("mail.x", DNS_CNAME, "", 0, "B.x");
	q = parsed("mail.x", DNS_CNAME, *state);
	assert_string_equal(q.records[0].target, "b.x");
	assert_string_equal(q.canonical, "mail.x");
}

/* An alias that leads nowhere; what else is said of others does not count. */
static void
ignores_strangers(void **state)
{
	struct dns_question q;

	head(AD, 1);
	asks("mail.x", DNS_A);
	points("mail.x", DNS_CNAME, "", 0, "b.x");
	answers("mail.x", DNS_A, "\1\2\3\4", 4);
	answers("c.x", DNS_A, "\1\2\3\4", 4);
	q = parsed("mail.x", DNS_A, *state);
	assert_int_equal(q.state, DNS_NO_DATA);
	assert_string_equal(q.canonical, "b.x");
}

/* Compressed names that point to themselves, on, or beyond the packet. */
static void
survives_pointers(void **state)
{
	static const unsigned places[] = { 12, 17, 31, 32, 33, 60, 0x3fff };
	struct dns_question q;
	size_t i;

	for (i = 0; i < sizeof places / sizeof *places; i++) {
		head(AD, 1);
		asks("mail.x", DNS_CNAME);
		answers("mail.x", DNS_CNAME, "xx", 2);
		pk.p[pk.n - 2] = (unsigned char)(0xc0 | places[i] >> 8);
		pk.p[pk.n - 1] = (unsigned char)places[i];
		q = parsed("mail.x", DNS_CNAME, *state);
		if (i == 0)
			assert_string_equal(q.records[0].target, "mail.x");
		else
			assert_true(q.state == DNS_GARBAGE || q.n == 1);
	}
}

/* A record whose owner cannot be read may have been the one. */
static void
owner_is_unknown(void **state)
{
	static const unsigned places[] = { 24, 40, 0x3fff };
	struct dns_question q;
	size_t i, at;

	for (i = 0; i < sizeof places / sizeof *places; i++) {
		head(AD, 1);
		asks("mail.x", DNS_A);
		at = pk.n;
		answers("mail.x", DNS_A, "\177\0\0\1", 4);
		memmove(pk.p + at + 2, pk.p + at + 8, pk.n - at - 8);
		pk.n -= 6;
		pk.p[at] = (unsigned char)(0xc0 | places[i] >> 8);
		pk.p[at + 1] = (unsigned char)places[i];
		q = parsed("mail.x", DNS_A, *state);
		assert_int_equal(q.state, DNS_GARBAGE);
	}
}

static void
survives_cuts(void **state)
{
	struct dns_question q = { .name = "mail.x", .type = DNS_SRV };
	size_t whole;

	head(AD, 1);
	asks("mail.x", DNS_SRV);
	points("mail.x", DNS_SRV, "\0\1\0\2\1\321", 6, "a.b.c");
	whole = pk.n;
	for (pk.n = 12; pk.n < whole; pk.n++) {
		q.state = DNS_FOUND;
		if (parse_as(&q, true, *state) == ANSWER_IS_DONE) {
			assert_int_equal(q.state, DNS_GARBAGE);
			assert_false(q.authenticated);
			assert_int_equal(q.n, 0);
		}
	}
}

static int
fresh(void **state)
{
	*state = pool_new();
	return 0;
}

static int
done(void **state)
{
	pool_free(*state);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(finds), TEST(finds_servers),
		TEST(finds_tlsa_of_any_length), TEST(tells_states_apart),
		TEST(asks_again), TEST(is_foreign), TEST(follows_aliases),
		TEST(ignores_strangers), TEST(survives_pointers), TEST(owner_is_unknown),
		TEST(survives_cuts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
