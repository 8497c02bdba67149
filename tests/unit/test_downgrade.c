#include "downgrade.h"
#include "folded.h"
#include "utf8.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
	const char *field, *want;
} cases[] = {
	/* words and blanks */
	{ "Subject:\xc3\xbc\r\n",
	    "Subject: =?UTF-8?B?w7w=?=\r\n" },
	{ "Subject : J\xfc\r\n",
	    "Subject: =?unknown-8bit?Q?J=FC?=\r\n" },
	{ "Subject: a\r\n\t\xc3\xbc b\r\n",
	    "Subject: a\t=?UTF-8?B?w7w=?= b\r\n" },
	{ "Subject: \xc3\xbc  \xc3\xb6 x\r\n",
	    "Subject: =?UTF-8?B?w7wgIMO2?= x\r\n" },
	{ "Subject: \xc3\xbc =?utf-8?q?x?= \xc3\xb6\r\n",
	    "Subject: =?UTF-8?Q?=C3=BC_?= =?utf-8?q?x?= =?UTF-8?Q?_=C3=B6"
	    "?=\r\n" },
	{ "Subject: =?utf-8?q?x?= \xc3\xbc\r\n",
	    "Subject: =?utf-8?q?x?= =?UTF-8?Q?_=C3=BC?=\r\n" },
	{ "Subject: a                                                  "
	    "          \xc3\xbc\r\n",
	    "Subject: a\r\n =?UTF-8?B?w7w=?=\r\n" },
	{ "Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
	    "\xc3\xbc bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c\r\n",
	    "Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
	    " =?UTF-8?B?w7w=?= bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c\r\n" },
	{ "X-nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	    "nn: \xc3\xbc\r\n",
	    "X-nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	    "nn:\r\n =?UTF-8?B?w7w=?=\r\n" },
	/* mailboxes */
	{ "To: J\xc3\xbcrg<j@x>\r\n",
	    "To: =?UTF-8?Q?J=C3=BCrg?= <j@x>\r\n" },
	{ "From: \xc3\xbc  <a@b> (c), b@c\r\n",
	    "From: =?UTF-8?B?w7w=?=  <a@b> (c), b@c\r\n" },
	{ "To: \"J\xc3\xbcrg \\\"x\\\", Y\" <j@x>\r\n",
	    "To: =?UTF-8?Q?J=C3=BCrg_=22x=22=2C_Y?= <j@x>\r\n" },
	{ "To: J\xc3\xbcrg\"x\"\xc3\xbc <a@b>\r\n",
	    "To: =?UTF-8?Q?J=C3=BCrgx=C3=BC?= <a@b>\r\n" },
	{ "To: J\xc3\xbcrg M. =?utf-8?q?x?= <a@b>\r\n",
	    "To: =?UTF-8?Q?J=C3=BCrg?= M. =?utf-8?q?x?= <a@b>\r\n" },
	{ "To: \"=?utf-8?q?x?=\" \xc3\xbc <a@b>\r\n",
	    "To: \"=?utf-8?q?x?=\" =?UTF-8?B?w7w=?= <a@b>\r\n" },
	{ "To: Zo\xc3\xab <z@e>,Zo\xc3\xab <y@e>,\xc3\x96" "ff:a@e;,b@c\r\n",
	    "To: =?UTF-8?Q?Zo=C3=AB?= <z@e>, =?UTF-8?Q?Zo=C3=AB?= <y@e>,\r\n"
	    " =?UTF-8?Q?=C3=96ff?= :a@e;,b@c\r\n" },
	{ "From: j\xc3\xbcrgen@e.org <j@e.org>\r\n",
	    "From: =?UTF-8?Q?j=C3=BCrgen=40e=2Eorg?= <j@e.org>\r\n" },
	{ "From: j\xc3\xbcrgen@e.org (c) <j@e.org>\r\n",
	    "From: =?UTF-8?Q?j=C3=BCrgen=40e=2Eorg?= (c) <j@e.org>\r\n" },
	{ "To: a@b (=?utf-8?q?x?= \xc3\xbc), b@c\r\n",
	    "To: a@b (=?utf-8?q?x?= =?UTF-8?Q?_=C3=BC?=), b@c\r\n" },
	{ "To: (a (\xc3\xbc) b) c@d, (\\) \xc3\xbc) e@f, ( \xc3\xbc )g@"
	    "h\r\n",
	    "To: (=?UTF-8?Q?a_=28=C3=BC=29_b?=) c@d, (=?UTF-8?Q?=29_=C3=B"
	    "C?=) e@f,\r\n (=?UTF-8?B?w7w=?=)g@h\r\n" },
	/* 50 blanks: with "(" a new line would have no room for a word */
	{ "To: a@b" "                         " "                         "
	    "(\xc3\xbc)\r\n",
	    "To: a@b\r\n (=?UTF-8?B?w7w=?=)\r\n" },
	{ "To: (\xc3\xbc)J\xc3\xbcrg(\xc3\xbc)<a@b>\r\n",
	    "To: (=?UTF-8?B?w7w=?=) =?UTF-8?Q?J=C3=BCrg?= (=?UTF-8?B?w7w="
	    "?=)<a@b>\r\n" },
	{ "To: a@M\xc3\xbcnchen.de, <b@b\xc3\xbc" "cher.example>\r\n",
	    "To: a@xn--mnchen-3ya.de, <b@xn--bcher-kva.example>\r\n" },
	{ "To: <@a,@b:c@b\xc3\xbc" "cher.example>\r\n",
	    "To: <@a,@b:c@xn--bcher-kva.example>\r\n" },
	{ "To: \"unclosed \xc3\xbc <a@b>\r\n",
	    "To: \"unclosed =?UTF-8?B?w7w=?= <a@b>\r\n" },
	{ "To: \xc3\xbc@[1.2.3.4], a@[\xc3\xbc]\r\n",
	    "To: =?UTF-8?Q?=C3=BC=40=5B1=2E2=2E3=2E4=5D?= :;, =?UTF-8?Q?a"
	    "=40=5B=C3=BC?=\r\n =?UTF-8?Q?=5D?= :;\r\n" },
	/* addresses that get lost */
	{ "To: a@b, x <j\xc3\xbcrg@x>, \"\xc3\xbc\"@x\r\n",
	    "To: a@b, x =?UTF-8?Q?j=C3=BCrg=40x?= :;, =?UTF-8?Q?=22=C3=BC"
	    "=22=40x?= :;\r\n" },
	{ "To: G: j\xc3\xbcrg@x, a@b;, j\xc3\xbcrg@x\r\n",
	    "To: G: =?UTF-8?Q?j=C3=BCrg=40x?= <address@invalid>, a@b;,\r\n"
	    " =?UTF-8?Q?j=C3=BCrg=40x?= :;\r\n" },
	{ "To: J\xc3\xbcrg (c)@x\r\n",
	    "To: =?UTF-8?Q?J=C3=BCrg_=28c=29=40x?= :;\r\n" },
	{ "To: <j\xc3\xbcrg>, j\xc3\xbcrg@, @j\xc3\xbcrg\r\n",
	    "To: =?UTF-8?Q?j=C3=BCrg?= :;, =?UTF-8?Q?j=C3=BCrg=40?= :;,@\r\n"
	    " =?UTF-8?Q?j=C3=BCrg?=\r\n" },
	{ "To: <a@b (\xc3\xbc)>\r\n",
	    "To: =?UTF-8?Q?a=40b_=28=C3=BC=29?= :;\r\n" },
	{ "Cc: c@\xc3\xbc_\xc3\xbc\r\n",
	    "Cc: =?UTF-8?Q?c=40=C3=BC=5F=C3=BC?= :;\r\n" },
	{ "To: J\xc3\xbcrg<j\xc3\xbcrg@x>\r\n",
	    "To: =?UTF-8?Q?J=C3=BCrg?= =?UTF-8?Q?_j=C3=BCrg=40x?= :;\r\n" },
	{ "To: j\xfcrg@x\r\n",
	    "To: =?unknown-8bit?Q?j=FCrg=40x?= :;\r\n" },
	/* comments and no other text */
	{ "Date: Tue, 5 Mar 2024 10:11:12 +0100 (Mitteleurop\xc3\xa4isc"
	    "he Zeit)\r\n",
	    "Date: Tue, 5 Mar 2024 10:11:12 +0100 (=?UTF-8?Q?Mitteleurop="
	    "C3=A4ische?=\r\n Zeit)\r\n" },
	{ "Received: from ger\xc3\xa4t (HELO ger\xc3\xa4t) (\xc3\xbc) b"
	    "y b;\r\n Tue, 5 Mar 2024\r\n",
	    "Received: from ger__t (HELO =?UTF-8?Q?ger=C3=A4t?=)\r\n"
	    " (=?UTF-8?B?w7w=?=) by b; Tue, 5 Mar 2024\r\n" },
	{ "References: <\xc3\xbc@x><a@b>\r\n",
	    "References: <__@x><a@b>\r\n" },
	{ "Content-Transfer-Encoding: \xc3\xbcy (\xc3\xbc)\r\n",
	    "Content-Transfer-Encoding: __y (=?UTF-8?B?w7w=?=)\r\n" },
	{ "Message-ID: (x\r\n",
	    "Message-ID: (x\r\n" },
	/* parameters */
	{ "Content-Type: text/plain (\xc3\xbc); x; ; name=\xc3\xbc (c);"
	    " charset=\"utf-8\"; y*=UTF-8''\xc3\xbc;\r\n",
	    "Content-Type: text/plain (__); x; name*=UTF-8''%C3%BC; ch"
	    "arset=\"utf-8\";\r\n y*=UTF-8''%C3%BC\r\n" },
	{ "Content-Disposition: attachment; filename=\"Gr\xc3\xb6\xc3"
	    "\x9f" "e\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe\r\n",
	    "Content-Disposition: attachment; filename*=UTF-8''Gr%C3%B6%C3%9F"
	    "e\r\n" },
	{ "Content-Disposition: attachment; filename=\"\xc3\xbc\"; File"
	    "Name*0=x\r\n",
	    "Content-Disposition: attachment; FileName*0=x\r\n" },
	{ "Content-Disposition: attachment; a*=''x; a=\xc3\xbc; b*=''y; b=\xfc\r\n",
	    "Content-Disposition: attachment; a*=''x; b*=''y\r\n" },
	{ "Content-Disposition: attachment; filename=\"\xc3\xbc\xe2\x82"
	    "\xac\xc3\xbc\xe2\x82\xac\xc3\xbc\xe2\x82\xac\xc3\xbc\xe2\x82"
	    "\xac\xc3\xbc\xe2\x82\xac\xc3\xbc\xe2\x82\xac\xc3\xbc\xe2\x82"
	    "\xac\xc3\xbc\xe2\x82\xac\xc3\xbc\xe2\x82\xac\xc3\xbc\xe2\x82"
	    "\xac\xc3\xbc\xe2\x82\xac\xc3\xbc\xe2\x82\xac\xc3\xbc\xe2\x82"
	    "\xac\xc3\xbc\xe2\x82\xac.pdf\"\r\n",
	    "Content-Disposition: attachment;\r\n"
	    " filename*0*=UTF-8''%C3%BC%E2%82%AC%C3%BC%E2%82%AC%C3%BC;\r\n"
	    " filename*1*=%E2%82%AC%C3%BC%E2%82%AC%C3%BC%E2%82%AC;\r\n"
	    " filename*2*=%C3%BC%E2%82%AC%C3%BC%E2%82%AC%C3%BC;\r\n"
	    " filename*3*=%E2%82%AC%C3%BC%E2%82%AC%C3%BC%E2%82%AC;\r\n"
	    " filename*4*=%C3%BC%E2%82%AC%C3%BC%E2%82%AC%C3%BC;\r\n"
	    " filename*5*=%E2%82%AC%C3%BC%E2%82%AC.pdf\r\n" },
	{ "Content-Type: a/b; c=\xc3\xbc; d; C=e; d; f=g; f=\xfc\r\n",
	    "Content-Type: a/b; c*=UTF-8''%C3%BC; d; d; f=g\r\n" },
	{ "Content-Type: a/b; c\"d=\xfc\"; e=f\r\n",
	    "Content-Type: a/b; c\"d=_\"; e=f\r\n" },
	{ "Content-Type: x/\xc3\xbcy; a=b\r\n",
	    "Content-Type: x/__y; a=b\r\n" },
	{ "Content-Type: text/plain; Name=\"a\\\"\xc3\xbc;b\"\r\n",
	    "Content-Type: text/plain; name*=UTF-8''a%22%C3%BC%3Bb\r\n" },
	{ "Content-Type: text/plain; n\xfc=\xfc; x=\xfc\r\n",
	    "Content-Type: text/plain; n_=_; x*=unknown-8bit''%FC\r\n" },
};

static struct field
field_of(const char *text, struct pool *pool)
{
	struct field *list = NULL;
	size_t n = 0;

	header_split(text, strlen(text), &list, &n, pool);
	assert_int_equal(n, 1);
	return *list;
}

static void
test_field(void **state)
{
	struct pool *pool = pool_new();
	struct failure why = { 0 };
	struct field f;
	const char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		f = field_of(cases[i].field, pool);
		assert_true(downgrade_field(&f, &text, pool, &why));
		assert_string_equal(text, cases[i].want);
		f = field_of(text, pool);
		assert_false(downgrade_is_needed(&f));
		assert_false(downgrade_loses(&f, pool));
	}
	pool_free(pool);
}

static void
test_loses(void **state)
{
	static const struct {
		const char *field;
		bool loses;
	} losses[] = {
		{ "To: j\xc3\xbcrg@x\r\n", true },
		{ "To: J <j\xc3\xbcrg@x>\r\n", true },
		{ "To: a@b, G: c@d, j\xc3\xbcrg (x) @x;\r\n", true },
		{ "To: <@a,@b:j\xc3\xbcrg@x>\r\n", true },
		{ "To: a@\xc3\xbc_\r\n", true },
		{ "Subject: j\xc3\xbcrg@x\r\n", false },
		{ "To: J\xc3\xbcrg <a@b>, \"\xc3\xbc@x\" <a@b>\r\n", false },
		{ "To: j\xc3\xbcrg@x <a@b>\r\n", false },
		{ "To: j\xc3\xbcrg@x (c) <a@b>\r\n", false },
		{ "To: (j\xc3\xbcrg@x) a@b (\xc3\xbc)\r\n", false },
		{ "To: a@m\xc3\xbcnchen.de, <a@m\xc3\xbcnchen.de>\r\n", false },
		{ "To: \"j\xc3\xbcrg@x\r\n", false },
		{ "To: a@b\r\n", false },
	};
	struct pool *pool = pool_new();
	struct field f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof losses / sizeof *losses; i++) {
		f = field_of(losses[i].field, pool);
		assert_int_equal(downgrade_loses(&f, pool), losses[i].loses);
	}
	pool_free(pool);
}

/* The field is too long as it stands. */
static void
check_long(const char *name, const char *what, size_t times, bool can)
{
	struct pool *pool = pool_new();
	struct buffer text = { 0 };
	struct failure why = { 0 };
	struct field f;
	const char *done;

	buffer_printf(&text, "%s: ", name);
	while (times-- > 0)
		buffer_put(&text, what, strlen(what));
	buffer_put(&text, "z\r\n", 4);
	f = field_of(buffer_data(&text), pool);
	assert_true(downgrade_is_too_long(&f) && downgrade_is_needed(&f));
	assert_int_equal(downgrade_field(&f, &done, pool, &why), can);
	f = field_of(done, pool);
	assert_int_equal(downgrade_is_needed(&f), !can);
	assert_null(strstr(done, " \r\n"));
	if (!can)
		assert_int_equal(why.kind, FAILURE_MESSAGE);
	buffer_free(&text);
	pool_free(pool);
}

static void
test_long(void **state)
{
	(void)state;
	check_long("To", "user@example.org,", 100, true);
	check_long("To", "user@example.org, ", 100, true);
	check_long("To", "<a@example.org>,B<b@example.org>,", 100, true);
	check_long("References", "<a@example.org>", 100, true);
	check_long("References", "a", 1000, false);
	check_long("Subject", "a", 1000, true);
	check_long("Subject", "a ", 1000, true);
	check_long("Subject", " ", 1000, true);
	check_long("Subject", "a          ", 1000, true);
	check_long("From", "a", 1000, true);
	check_long("From", "<", 1000, true);
	check_long("From", ",", 1000, false);
	check_long("Content-Type", "; a=b", 1000, true);
	check_long("Content-Type", "; ", 1000, true);
	check_long("Content-Type", ";name=", 1000, true);
	check_long("Content-Type", "x", 1000, false);
}

static void
test_is_needed(void **state)
{
	struct field f = { .text = "A: b\0c\r\n", .len = 8, .name_len = 1,
	    .body = 2 };
	char text[1005];
	struct failure why = { 0 };
	struct pool *pool = pool_new();
	const char *done;

	(void)state;
	assert_true(downgrade_is_needed(&f));
	assert_false(downgrade_is_too_long(&f));
	assert_true(downgrade_field(&f, &done, pool, &why));
	assert_string_equal(done, "A: b?c\r\n");
	memset(text, 'a', sizeof text);
	memcpy(text, "A:", 2);
	memcpy(text + 998, "\r\n b\r\n", 7);
	f = field_of(text, pool);
	assert_false(downgrade_is_needed(&f));
	memcpy(text + 997, "aa\r\n", 5);
	f = field_of(text, pool);
	assert_true(downgrade_is_needed(&f) && downgrade_is_too_long(&f));
	pool_free(pool);
}

/* Where it may stay UTF-8 it is not encoded. */
static void
test_fold(void **state)
{
	struct pool *pool = pool_new();
	struct buffer text = { 0 };
	const char *done, *value;
	struct field f;
	size_t i;

	(void)state;
	buffer_printf(&text, "To: ");
	for (i = 0; i < 100; i++)
		buffer_printf(&text, "J\xc3\xbcrg  <j\xc3\xbcrg@x>,\t");
	buffer_put(&text, "\r\n", 3);
	f = field_of(buffer_data(&text), pool);
	value = field_value(&f, pool);
	assert_true(downgrade_fold(&f, &done, pool));
	f = field_of(done, pool);
	assert_false(downgrade_is_too_long(&f));
	assert_string_equal(field_value(&f, pool), value);
	buffer_free(&text);
	buffer_printf(&text, "To: ");
	for (i = 0; i < 500; i++)
		buffer_put(&text, "\xc3\xbc", 2);
	buffer_put(&text, "\r\n", 3);
	f = field_of(buffer_data(&text), pool);
	assert_false(downgrade_fold(&f, &done, pool));
	buffer_free(&text);
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_loses),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_is_needed),
		cmocka_unit_test(test_fold),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
