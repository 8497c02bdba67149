#include "convert.h"
#include "letter.h"
#include "parts.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define UE "\xc3\xbc"
#define MIXED "Content-Type: multipart/mixed; boundary=b\n"
#define SIGNED "--b\nContent-Type: multipart/signed; boundary=s\n\n"

enum offers { NONE, EIGHT, UTF8, BOTH, ANYWAY };

static struct convert_offer
offer_of(enum offers o)
{
	return (struct convert_offer){ .eightbitmime = o != NONE && o != UTF8,
	    .smtputf8 = o >= UTF8, .smtputf8_anyway = o == ANYWAY };
}

/* Lines end in CRLF, which is left out here; no want: nothing changes. */
static const struct {
	const char *text;
	enum offers offers;
	const char *want, *converted;
} cases[] = {
	{ "A: b\n\nc\n", NONE, NULL, NULL },
	{ "A: b\n\n" UE "\n", EIGHT, NULL, NULL },
	{ "A: " UE "\n\n" UE "\n", ANYWAY, NULL, NULL },
	/* the header alone */
	{ "A: " UE "\n\n" UE "\n", EIGHT,
	    "A: =?UTF-8?B?w7w=?=\n\n" UE "\n", "header" },
	{ "A: " UE "\n\n" UE "\n", BOTH,
	    "A: =?UTF-8?B?w7w=?=\n\n" UE "\n", "header" },
	{ "A: " UE "\nContent-Type: text/plain\n\nx\n", NONE,
	    "A: =?UTF-8?B?w7w=?=\nContent-Type: text/plain\n\nx\n", "header" },
	{ "A: " UE "\nTo: " UE "@b\n\nx\n", BOTH, NULL, NULL },
	{ "A: \xfc\nTo: " UE "@b\n\nx\n", BOTH,
	    "A: =?unknown-8bit?Q?=FC?=\nTo: " UE "@b\n\nx\n", "header" },
	{ "A: " UE "\nTo: \xfc@b\n\nx\n", BOTH, "A: =?UTF-8?B?w7w=?=\n"
	    "To: =?unknown-8bit?Q?=FC=40b?= :;\n\nx\n", "header" },
	{ MIXED "A: " UE "\nContent-Type: multipart/x; boundary=" UE "\n\nx\n",
	    BOTH, NULL, NULL },
	/* text */
	{ "A: b\n\n" UE " \n", NONE, "A: b\nMIME-Version: 1.0\nContent-Type: "
	    "text/plain; charset=UTF-8\nContent-Transfer-Encoding: "
	    "quoted-printable\n\n=C3=BC=20\n", "body" },
	{ "A: " UE "\nMIME-Version: 1.0\nContent-Type: text/plain; \n\n\xfc\n",
	    NONE, "A: =?UTF-8?B?w7w=?=\nMIME-Version: 1.0\nContent-Type: "
	    "text/plain;\n charset=unknown-8bit\nContent-Transfer-Encoding: "
	    "quoted-printable\n\n=FC\n", "header,body" },
	{ "MIME-Version: 1.0\nContent-Type: text/html\n"
	    "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: 8bit\n"
	    "\n\xfc\n", NONE, "MIME-Version: 1.0\nContent-Type: text/html\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n=FC\n", "body" },
	{ "MIME-Version: 1.0\nContent-Type: text/plain; charset*=x'y'z\n\n\xfc\n",
	    NONE, "MIME-Version: 1.0\nContent-Type: text/plain; charset*="
	    "x'y'z\nContent-Transfer-Encoding: quoted-printable\n\n=FC\n",
	    "body" },
	{ "MIME-Version: 1.0\nContent-Type: text\nContent-Type: x/y\n\n" UE "\n",
	    NONE, "MIME-Version: 1.0\nContent-Type: text/plain; "
	    "charset=UTF-8\nContent-Transfer-Encoding: quoted-printable\n\n"
	    "=C3=BC\n", "body" },
	/* other content; what is encoded already */
	{ "MIME-Version: 1.0\nContent-Type: image/png\n\n\xff\n", NONE,
	    "MIME-Version: 1.0\nContent-Type: image/png\n"
	    "Content-Transfer-Encoding: base64\n\n/w0K\n", "body" },
	{ "MIME-Version: 1.0\nContent-Type: image/png\n"
	    "Content-Transfer-Encoding: base64\n\nQ\xffUJD\n\n", NONE,
	    "MIME-Version: 1.0\nContent-Type: image/png\n"
	    "Content-Transfer-Encoding: base64\n\nQUJD\n", "body" },
	{ "MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\n"
	    UE "=\n", NONE, "MIME-Version: 1.0\nContent-Transfer-Encoding: "
	    "quoted-printable\n\n=C3=BC\n", "body" },
	{ "MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\n"
	    UE " =\n", NONE, "MIME-Version: 1.0\nContent-Transfer-Encoding: "
	    "quoted-printable\n\n=C3=BC =\n", "body" },
	/* a multipart: labels, what is around, headers */
	{ MIXED "MIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\n" UE
	    "\n--b\n\na\n--b\nContent-Type: text/plain; x=" UE "\n\nc\n--b--\n"
	    UE "\n", NONE, MIXED "MIME-Version: 1.0\nContent-Transfer-Encoding:"
	    " 7bit\n\n?" "?\n--b\n\na\n--b\nContent-Type: text/plain; "
	    "x*=UTF-8''%C3%BC\n\nc\n--b--\n?" "?\n", "body" },
	{ MIXED "MIME-Version: 1.0\n\n--b\nContent-Type: x/y\n\n" UE "\n--b--\n",
	    NONE, MIXED "MIME-Version: 1.0\n\n--b\nContent-Type: x/y\n"
	    "Content-Transfer-Encoding: base64\n\nw7w=\n--b--\n", "body" },
	{ MIXED "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n--b\n\n"
	    UE "\n--b--\n", NONE, MIXED "MIME-Version: 1.0\n"
	    "Content-Transfer-Encoding: 7bit\n\n--b\nContent-Type: text/plain; "
	    "charset=UTF-8\nContent-Transfer-Encoding: quoted-printable\n\n"
	    "=C3=BC\n--b--\n", "body" },
	{ MIXED "MIME-Version: 1.0\n\na\n--b--\n" UE "\n", NONE,
	    "Content-Type: text/plain; charset=UTF-8\nMIME-Version: 1.0\n"
	    "Content-Transfer-Encoding: quoted-printable\n\na\n--b--\n"
	    "=C3=BC\n", "body" },
	/* no blank line behind a header: what follows must stay behind it */
	{ MIXED "MIME-Version: 1.0\n\n--b\nContent-Type: message/rfc822\n"
	    UE ": a\n--b--\n", NONE, MIXED "MIME-Version: 1.0\n\n--b\n"
	    "Content-Type: message/rfc822\n\nMIME-Version: 1.0\nContent-Type: "
	    "text/plain; charset=UTF-8\nContent-Transfer-Encoding: "
	    "quoted-printable\n\n=C3=BC: a\n--b--\n", "body" },
	{ MIXED "MIME-Version: 1.0\n\n--b\nContent-Type: multipart/x; "
	    "boundary=c\n" UE ": a\n--c\n\nd\n--c--\n--b--\n", NONE, MIXED
	    "MIME-Version: 1.0\n\n--b\nContent-Type: multipart/x; boundary=c\n"
	    "\n?" "?: a\n--c\n\nd\n--c--\n--b--\n", "body" },
	{ MIXED "MIME-Version: 1.0\n\n" UE "\n--b\nContent-Type: "
	    "multipart/x; boundary=b\n--b\n\na\n--b--\n", NONE, MIXED
	    "MIME-Version: 1.0\n\n?" "?\n--b\nContent-Type: multipart/x; "
	    "boundary=b\n--b\n\na\n--b--\n", "body" },
	/* blocks of fields */
	{ "MIME-Version: 1.0\nContent-Type: message/delivery-status\n\nA: " UE
	    "\n b\n\n" UE "\nC: d\n", NONE, "MIME-Version: 1.0\nContent-Type: "
	    "message/delivery-status\n\nA: =?UTF-8?B?w7w=?= b\n\n?" "?\nC: d\n",
	    "body" },
	/* what is signed stays as it is, labels and all */
	{ MIXED "MIME-Version: 1.0\n\n" SIGNED UE "\n--s\n"
	    "Content-Transfer-Encoding: 8bit\n\na\n--s--\n--b--\n", NONE, MIXED
	    "MIME-Version: 1.0\n\n" SIGNED "?" "?\n--s\n"
	    "Content-Transfer-Encoding: 8bit\n\na\n--s--\n--b--\n", "body" },
	{ "DKIM-Signature: x\nA: " UE "\n\n" UE "\n", BOTH, NULL, NULL },
};

/* CR left out, and a NUL behind. */
static struct buffer
unix_octets(const struct message *m)
{
	struct buffer b = letter_octets(m), out = { 0 };
	size_t i;

	for (i = 0; i < buffer_len(&b); i++)
		if (buffer_data(&b)[i] != '\r')
			buffer_put(&out, buffer_data(&b) + i, 1);
	buffer_free(&b);
	return out;
}

static void
assert_octets(const struct message *m, const char *want)
{
	struct buffer b = unix_octets(m);

	assert_string_equal(buffer_data(&b), want);
	buffer_free(&b);
}

/* What has been converted needs nothing more. */
static void
check_again(const struct message *done, const struct convert_offer *offer,
    struct pool *pool)
{
	struct buffer b = letter_octets(done);
	struct message *m = letter_read(buffer_data(&b), buffer_len(&b) - 1,
	    pool);
	const struct message *again;
	struct failure why;

	assert_int_equal(m->header_8bit, done->header_8bit);
	assert_int_equal(m->body_8bit, done->body_8bit);
	assert_int_equal(m->body_nul, done->body_nul);
	assert_true(convert_message(m, offer, &again, pool, &why));
	assert_ptr_equal(again, m);
	buffer_free(&b);
	message_free(m);
}

static void
test_converts(void **state)
{
	const struct message *done;
	struct convert_offer offer;
	struct failure why;
	struct message *m;
	struct pool *pool;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		pool = pool_new();
		m = letter_read(cases[i].text, strlen(cases[i].text), pool);
		offer = offer_of(cases[i].offers);
		assert_true(convert_message(m, &offer, &done, pool, &why));
		if (cases[i].want == NULL) {
			assert_ptr_equal(done, m);
		} else {
			assert_octets(done, cases[i].want);
			assert_string_equal(done->converted,
			    cases[i].converted);
		}
		check_again(done, &offer, pool);
		convert_end(m, done);
		assert_octets(m, cases[i].text);
		message_free(m);
		pool_free(pool);
	}
}

/* --- what cannot be ------------------------------------------------------- */

static const struct {
	const char *text;
	size_t len;
	enum offers offers;
	enum failure_kind kind;
	const char *says;
} failures[] = {
#define TEXT(s) s, sizeof s - 1
	{ TEXT("DKIM-Signature: x\n\n" UE "\n"), NONE, FAILURE_EXTENSION,
	    "8BITMIME" },
	{ TEXT("DKIM-Signature: x\nA: " UE "\n\nb\n"), EIGHT,
	    FAILURE_EXTENSION, "SMTPUTF8" },
	{ TEXT("Content-Type: multipart/signed\n\na\0\n"), BOTH,
	    FAILURE_MESSAGE, "NUL" },
	{ TEXT(MIXED "\n" SIGNED "--s\n\n" UE "\n"), NONE, FAILURE_MESSAGE,
	    "signed" },
	{ TEXT(MIXED "\n" SIGNED "--s\nA: " UE "\n\na\n"), NONE,
	    FAILURE_MESSAGE, "signed" },
	{ TEXT(MIXED "\n" SIGNED "--s\nContent-Type: multipart/x; boundary=c\n"
	    "\n" UE "\n--c\n\na\n"), NONE, FAILURE_MESSAGE, "signed" },
	{ TEXT(MIXED "\n" SIGNED "--s\nContent-Type: message/delivery-status\n"
	    "\n" UE "\n"), NONE, FAILURE_MESSAGE, "signed" },
	{ TEXT("Content-Type: message/partial\n\n" UE "\n"), NONE,
	    FAILURE_MESSAGE, "partial" },
	{ TEXT("Content-Transfer-Encoding: x\n\n" UE "\n"), NONE,
	    FAILURE_MESSAGE, "not known" },
	{ TEXT("Content-Type: multipart/x; boundary=" UE "\n\n--" UE "\n\na\n"),
	    UTF8, FAILURE_MESSAGE, "boundary" },
	{ TEXT("Content-Type: multipart/x; boundary=" UE "\n\n--" UE "\n\na\n"),
	    EIGHT, FAILURE_MESSAGE, "boundary" },
	{ TEXT("Content-Type: multipart/x; boundary=\xfc\n\n--\xfc\n\na\n"),
	    BOTH, FAILURE_MESSAGE, "boundary" },
	{ TEXT("Content-Type: multipart/x; boundary*=''%FC\n\n--\xfc\n\na\n"),
	    NONE, FAILURE_MESSAGE, "boundary" },
#undef TEXT
};

static void
test_fails(void **state)
{
	const struct message *done;
	struct convert_offer offer;
	struct failure why;
	struct message *m;
	struct pool *pool;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof failures / sizeof *failures; i++) {
		pool = pool_new();
		m = letter_read(failures[i].text, failures[i].len, pool);
		offer = offer_of(failures[i].offers);
		assert_false(convert_message(m, &offer, &done, pool, &why));
		assert_ptr_equal(done, m);
		assert_int_equal(why.kind, failures[i].kind);
		assert_non_null(strstr(why.text, failures[i].says));
		convert_end(m, done);
		if (memchr(failures[i].text, '\0', failures[i].len) == NULL)
			assert_octets(m, failures[i].text);
		message_free(m);
		pool_free(pool);
	}
}

/* --- NUL, and what is long ------------------------------------------------ */

static void
put(struct buffer *b, const char *s)
{
	buffer_put(b, s, strlen(s));
}

static void
put_many(struct buffer *b, char c, size_t n)
{
	memset(buffer_room(b, n), c, n);
	buffer_added(b, n);
}

/* Every kind of line that is too long, and NUL, to a server with all. */
static struct buffer
long_message(size_t n)
{
	struct buffer b = { 0 };

	put(&b, "MIME-Version: 1.0\nTo: " UE "@a");
	while (n > 0 && buffer_len(&b) < 1100)
		put(&b, ", J" UE "rg <" UE "@b>");
	put(&b, "\nContent-Transfer-Encoding: binary\n" MIXED "\n");
	put_many(&b, UE[0], n);
	buffer_put(&b, n > 0 ? "\0" : "", n > 0);
	put(&b, "\n--b");
	put_many(&b, ' ', n < 2000 ? n : 2000);
	put(&b, "\nA: ");
	put_many(&b, 'a', n);
	buffer_put(&b, n > 0 ? "\0" : "", n > 0);
	put(&b, UE);
	put(&b, "\nContent-Type: text/plain; charset=x\n\n");
	put_many(&b, 'b', n);
	put(&b, "\n--b\nContent-Type: image/x\nContent-Transfer-Encoding: base64"
	    "\n\n");
	put_many(&b, 'Q', n);
	put(&b, "\n--b\n\n" UE "\n--b--\n");
	return b;
}

static void
check_lines(const struct message *m)
{
	struct buffer b = unix_octets(m);
	size_t column = 0, i;

	for (i = 0; i + 1 < buffer_len(&b); i++) {
		assert_int_not_equal(buffer_data(&b)[i], '\0');
		column = buffer_data(&b)[i] == '\n' ? 0 : column + 1;
		assert_true(column <= MESSAGE_LINE_MAX);
	}
	buffer_free(&b);
}

static void
test_long(void **state)
{
	static const size_t lengths[] = { 0, 999, 5000, 200000 };
	const struct convert_offer offer = offer_of(BOTH);
	struct pool *pool = pool_new();
	const struct message *done;
	struct parts before, after;
	struct buffer b;
	struct failure why;
	struct message *m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		b = long_message(lengths[i]);
		m = letter_read(buffer_data(&b), buffer_len(&b), pool);
		assert_true(convert_message(m, &offer, &done, pool, &why));
		assert_int_equal(done == m, lengths[i] == 0);
		check_lines(done);
		check_again(done, &offer, pool);
		assert_true(done->header_8bit);
		assert_true(parts_find(&before, m, pool, &why));
		assert_true(parts_find(&after, done, pool, &why));
		assert_int_equal(before.n, 4);
		assert_int_equal(after.n, 4);
		assert_int_equal(after.list[0].encoding, lengths[i] == 0 ?
		    MIME_BINARY : MIME_8BIT);
		convert_end(m, done);
		message_free(m);
		buffer_free(&b);
	}
	pool_free(pool);
}

static void
test_end(void **state)
{
	const struct convert_offer offer = offer_of(NONE);
	struct pool *pool = pool_new();
	struct message *m = letter_read("A: " UE "\n\nx\n", 9, pool);
	const struct message *done;
	struct failure why;

	(void)state;
	convert_end(m, NULL);
	convert_end(m, m);
	assert_true(convert_message(m, &offer, &done, pool, &why));
	assert_ptr_equal(done->body, m->body);
	assert_false(done->header_8bit);
	convert_end(m, done);
	assert_octets(m, "A: " UE "\n\nx\n");
	message_free(m);
	pool_free(pool);
}

/*
 * What is put for octets around the parts makes no delimiter of a line, and
 * neither does the cut of a long one.
 */
static void
test_makes_no_delimiter(void **state)
{
	const struct convert_offer offer = offer_of(0);
	struct pool *pool = pool_new();
	const struct message *done;
	struct parts before, after;
	struct buffer b = { 0 };
	struct failure why;
	struct message *m;

	(void)state;
	buffer_printf(&b, "Content-Type: multipart/mixed; boundary=\"a?b\"\n"
	    "\n--a\204b\n\nno part\n--a?b%1000sx\n\nnor this\n"
	    "--a?b%993s\n\none\n--a?b--\n", "", "");
	m = letter_read(buffer_data(&b), buffer_len(&b), pool);
	assert_true(convert_message(m, &offer, &done, pool, &why));
	assert_ptr_not_equal(done, m);
	check_lines(done);
	assert_true(parts_find(&before, m, pool, &why));
	assert_true(parts_find(&after, done, pool, &why));
	assert_int_equal(before.n, 2);
	assert_int_equal(after.n, 2);
	convert_end(m, done);
	message_free(m);
	buffer_free(&b);
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_converts),
		cmocka_unit_test(test_fails),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_makes_no_delimiter),
		cmocka_unit_test(test_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
