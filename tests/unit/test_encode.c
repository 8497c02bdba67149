#include "encode.h"
#include "crypto.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* --- a decoder of RFC 2045 section 6.7, as lenient as readers are --------- */

static int
digit(char c)
{
	const char *p, *digits = "0123456789ABCDEFabcdef";

	p = c != '\0' ? strchr(digits, c) : NULL;
	return p == NULL ? -1 : p - digits < 16 ? (int)(p - digits) :
	    (int)(p - digits - 6);
}

static size_t
blanks(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && (p[n] == ' ' || p[n] == '\t'))
		n++;
	return n;
}

static bool
at_line_end(const char *p, const char *end)
{
	return p == end || (end - p >= 2 && memcmp(p, "\r\n", 2) == 0);
}

static void
qp_decode(struct buffer *out, const char *p, size_t len)
{
	const char *end = p + len;
	size_t n;

	while (p < end) {
		n = blanks(p, end);
		if (n > 0) {
			if (!at_line_end(p + n, end))
				buffer_put(out, p, n);
			p += n;
			continue;
		}
		n = blanks(p + 1, end);
		if (*p == '=' && at_line_end(p + 1 + n, end)) {
			p += 1 + n;
			p += p < end ? 2 : 0;
		} else if (*p == '=' && end - p >= 3 && digit(p[1]) >= 0 &&
		    digit(p[2]) >= 0) {
			buffer_put(out, (char[]){ (char)(digit(p[1]) * 16 +
			    digit(p[2])) }, 1);
			p += 3;
		} else {
			buffer_put(out, p++, 1);
		}
	}
}

static void
base64_decode(struct buffer *out, const char *p, size_t len)
{
	struct buffer text = { 0 };
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != '\r' && p[i] != '\n')
			buffer_put(&text, p + i, 1);
	assert_true(crypto_unbase64(out, buffer_data(&text),
	    buffer_len(&text)));
	buffer_free(&text);
}

/* --- what holds of all that is made --------------------------------------- */

static struct buffer
encode(enum encode_how how, const char *p, size_t len, size_t cut)
{
	struct encode e = { .how = how };
	struct buffer out = { 0 };

	encode_octets(&e, p, cut, &out);
	encode_octets(&e, p + cut, len - cut, &out);
	encode_end(&e, &out);
	return out;
}

static void
assert_same(const struct buffer *a, const struct buffer *b)
{
	assert_int_equal(buffer_len(a), buffer_len(b));
	if (buffer_len(a) > 0)
		assert_memory_equal(buffer_data(a), buffer_data(b),
		    buffer_len(a));
}

/* ASCII, CRLF only as such, at most 76 octets. */
static void
check_lines(const struct buffer *b)
{
	const char *p = buffer_data(b);
	size_t i, column = 0, n = buffer_len(b);

	for (i = 0; i < n; i++) {
		assert_true((unsigned char)p[i] < 0x80 && p[i] != '\0');
		if (p[i] == '\r') {
			assert_true(i + 1 < n && p[i + 1] == '\n');
			column = 0;
			i++;
			continue;
		}
		assert_int_not_equal(p[i], '\n');
		assert_true(++column <= 76);
	}
}

/* RFC 2045 section 6.7 (3): no blank ends a line. */
static void
check_ends(const struct buffer *b)
{
	size_t i, n = buffer_len(b);

	for (i = 0; i < n; i++)
		assert_true(strchr(" \t", buffer_data(b)[i]) == NULL ||
		    (i + 1 < n && buffer_data(b)[i + 1] != '\r'));
}

/* In every cut the same; of a long one those near its ends. */
static struct buffer
encode_cut(enum encode_how how, const char *p, size_t len)
{
	struct buffer whole = encode(how, p, len, 0), b;
	size_t cut;

	check_lines(&whole);
	for (cut = 1; cut <= len; cut++) {
		if (cut == 200 && len > 400)
			cut = len - 200;
		b = encode(how, p, len, cut);
		assert_same(&whole, &b);
		buffer_free(&b);
	}
	return whole;
}

/* --- what there is to encode ---------------------------------------------- */

static const char *
many(const char *what, size_t times, const char *end)
{
	static char text[20000];
	size_t n = strlen(what), i;

	for (i = 0; i < times; i++)
		memcpy(text + i * n, what, n);
	strcpy(text + times * n, end);
	return text;
}

static const char *const texts[] = {
	"", "a", " ", "\t", "=", "a=b", "\r\n", " \r\n", "a \r\nb\t\r\n\r\n",
	"  \t \r\n", "a  b", "\r", "a\rb", "\n", " \r", " \rb", "\r\r\n",
	" \r \r\n", "J\xc3\xbcrg", "\xff\xfe", ".\r\n..\r\n", "From me\r\n",
	"--b\r\n", "a\r\n--b--\r\n", "\x7f\x01\x1b",
};

static void
check_decodes(const char *text, size_t len)
{
	struct buffer want = { 0 }, back, coded;

	buffer_put(&want, text, len);
	coded = encode_cut(ENCODE_QP, text, len);
	back = (struct buffer){ 0 };
	qp_decode(&back, buffer_data(&coded), buffer_len(&coded));
	assert_same(&want, &back);
	buffer_free(&back);
	buffer_free(&coded);

	coded = encode_cut(ENCODE_BASE64, text, len);
	base64_decode(&back, buffer_data(&coded), buffer_len(&coded));
	assert_same(&want, &back);
	buffer_free(&back);
	buffer_free(&coded);
	buffer_free(&want);
}

static void
test_decodes(void **state)
{
	char octets[256];
	const char *long_line;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		check_decodes(texts[i], strlen(texts[i]));
	for (i = 0; i < sizeof octets; i++)
		octets[i] = (char)i;
	check_decodes(octets, sizeof octets);
	for (n = 50; n < 120; n++) {
		long_line = many("a", n, " \r\nb");
		check_decodes(long_line, strlen(long_line));
		long_line = many("a", n, "\xc3\xbc\r\n");
		check_decodes(long_line, strlen(long_line));
		long_line = many(" ", n, "\r\n");
		check_decodes(long_line, strlen(long_line));
		long_line = many("-", n, "\r\n");
		check_decodes(long_line, strlen(long_line));
	}
	long_line = many("line ", 1000, "");
	check_decodes(long_line, strlen(long_line));
}

static void
test_no_blank_at_the_end(void **state)
{
	const char *text;
	struct buffer b;
	size_t n;

	(void)state;
	for (n = 0; n < 200; n++) {
		text = many(n % 2 == 0 ? "a \t" : " ", n, " \r\n \t");
		b = encode(ENCODE_QP, text, strlen(text), 0);
		check_ends(&b);
		buffer_free(&b);
	}
}

static void
check_is(enum encode_how how, const char *text, const char *want)
{
	struct buffer b = encode_cut(how, text, strlen(text));

	buffer_put(&b, "", 1);
	assert_string_equal(buffer_data(&b), want);
	buffer_free(&b);
}

/* As they stand; 74 octets before what is looked at. */
#define SIXTY "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz12345678"
#define LONG SIXTY "12345678901234"

static void
test_exactly(void **state)
{
	static const struct {
		enum encode_how how;
		const char *text, *want;
	} cases[] = {
		{ ENCODE_QP, "a=\xfc \r\n", "a=3D=FC=20\r\n" },
		{ ENCODE_QP, "a b\r\n-- \r\n", "a b\r\n--=20\r\n" },
		{ ENCODE_QP, LONG "xy\r\n", LONG "x=\r\ny\r\n" },
		{ ENCODE_QP, LONG "x\r\n", LONG "x\r\n" },
		{ ENCODE_QP, LONG "\xfc\r\n", LONG "=\r\n=FC\r\n" },
		{ ENCODE_QP, LONG "x\n", LONG "x=\r\n=0A" },
		/* a soft line break makes no delimiter */
		{ ENCODE_QP, LONG "x--b\r\n", LONG "x=\r\n=2D-b\r\n" },
		{ ENCODE_QP_AGAIN, LONG "x--b\r\n", LONG "x=\r\n=2D-b\r\n" },
		{ ENCODE_QP_AGAIN, "--=\r\nb\r\n", "=2D-b\r\n" },
		{ ENCODE_QP_AGAIN, "=\r\n--b\r\n", "=2D-b\r\n" },
		{ ENCODE_BASE64, "", "" },
		{ ENCODE_BASE64, "a", "YQ==" },
		{ ENCODE_BASE64_AGAIN, "YQ\0" "==", "YQ" },
		{ ENCODE_BASE64_AGAIN, "Y Q\xfc-=\r\n=", "YQ==" },
		{ ENCODE_BASE64_AGAIN, SIXTY SIXTY, SIXTY
		    "abcdefghijklmnop\r\nqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
		    "12345678" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		check_is(cases[i].how, cases[i].text, cases[i].want);
}

/* --- what is quoted-printable already ------------------------------------- */

static void
check_again(const char *text, size_t len)
{
	struct buffer coded = encode_cut(ENCODE_QP_AGAIN, text, len);
	struct buffer want = { 0 }, back = { 0 }, twice;

	check_ends(&coded);
	qp_decode(&want, text, len);
	qp_decode(&back, buffer_data(&coded), buffer_len(&coded));
	assert_same(&want, &back);
	twice = encode(ENCODE_QP_AGAIN, buffer_data(&coded),
	    buffer_len(&coded), 0);
	assert_same(&coded, &twice);
	buffer_free(&twice);
	buffer_free(&coded);
	buffer_free(&want);
	buffer_free(&back);
}

static const char *const coded[] = {
	"a=20b", "a=\r\nb", "a= \t\r\nb", "a=", "a= ", "=", "=\r\n", "=3",
	"a=3", "=\r", "a=\r\n", "a=\r\n\r\n", "a =\r\n\r\nb\r\n", "a =\r\n",
	"a=20=\r\n\r\n", "==", "===", "==41", "=3=41", "=3\r\n", "=\r=\r\n",
	"=fc=FC=Fc", "=zz", "=4z", "=4\xfc", "=\xfc", "\xfc\xfc", "=C3\xbc",
	"a \r\nb", " \r\n", "a\r\n=\r\n=\r\nb", "= x", "= \tx", "= =41",
	"=  \r=", "a\rb", "a\nb", "--=\r\nb\r\n",
};

static void
test_again(void **state)
{
	const char *text;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof coded / sizeof *coded; i++) {
		check_again(coded[i], strlen(coded[i]));
		for (n = 65; n < 80; n++) {
			text = many("x", n, coded[i]);
			check_again(text, strlen(text));
		}
	}
	check_again("a\0b=\0c", 6);
	text = many("a=\r\n", 500, "b\r\n");
	check_again(text, strlen(text));
	text = many("Zeile =FC\xfc ", 500, "\r\n");
	check_again(text, strlen(text));
	text = many("a", 5000, " =");
	check_again(text, strlen(text));
	text = many("=3D", 1700, "\r\n");
	check_again(text, strlen(text));
}

/* Five octets of this alphabet, in every order. */
static void
test_again_all(void **state)
{
	static const char alphabet[] = "= 4a\r\n-";
	char text[5];
	size_t i, j, code;

	(void)state;
	for (i = 0; i < 7 * 7 * 7 * 7 * 7; i++) {
		for (j = 0, code = i; j < sizeof text; j++, code /= 7)
			text[j] = alphabet[code % 7];
		check_again(text, sizeof text);
	}
}

static void
test_base64_again(void **state)
{
	const char *text = many("QUJD\xfc\r\n", 600, "RA==");
	struct buffer again = encode_cut(ENCODE_BASE64_AGAIN, text,
	    strlen(text)), back = { 0 };

	(void)state;
	base64_decode(&back, buffer_data(&again), buffer_len(&again));
	assert_int_equal(buffer_len(&back), 1801);
	buffer_free(&again);
	buffer_free(&back);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decodes),
		cmocka_unit_test(test_no_blank_at_the_end),
		cmocka_unit_test(test_exactly),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_again_all),
		cmocka_unit_test(test_base64_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
