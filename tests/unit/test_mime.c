#include "mime.h"
#include "buffer.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void
read_header(struct mime *m, const char *text, bool in_digest,
    struct pool *pool)
{
	struct field *fields = NULL;
	size_t n = 0;

	header_split(text, strlen(text), &fields, &n, pool);
	mime_read(m, fields, n, in_digest, pool);
}

/* --- Content-Type --------------------------------------------------------- */

static const struct {
	const char *value;
	bool has_type;
	enum mime_kind kind;
	const char *charset, *boundary;
} types[] = {
	{ "text/plain", true, MIME_TEXT, NULL, NULL },
	{ "", false, MIME_TEXT, NULL, NULL },
	{ "text", false, MIME_TEXT, NULL, NULL },
	{ "text/", false, MIME_TEXT, NULL, NULL },
	{ "/plain", false, MIME_TEXT, NULL, NULL },
	{ "; charset=x", false, MIME_TEXT, NULL, NULL },
	{ "IMAGE/Png", true, MIME_OTHER, NULL, NULL },
	{ "x-y/z", true, MIME_OTHER, NULL, NULL },
	{ "(c (d)) text / html (x)", true, MIME_TEXT, NULL, NULL },
	{ "text/plain; charset=us-ascii", true, MIME_TEXT, "us-ascii", NULL },
	{ "text/plain; Charset = \"a\\\"b\" (c)", true, MIME_TEXT, "a\"b",
	    NULL },
	{ "text/plain; charset=utf-8 (c; boundary=x)", true, MIME_TEXT,
	    "utf-8", NULL },
	{ "text/plain; (a (b; c) \\) =d)\tcharset=utf-8", true, MIME_TEXT,
	    "utf-8", NULL },
	{ "text/plain; (c=d); charset=a", true, MIME_TEXT, "a", NULL },
	{ "text/plain; (charset=a", true, MIME_TEXT, NULL, NULL },
	{ "text/plain; charset=a; charset=b", true, MIME_TEXT, "a", NULL },
	{ "text/plain; name=\"; charset=x\"", true, MIME_TEXT, NULL, NULL },
	{ "text/plain; name=\"; charset=x", true, MIME_TEXT, NULL, NULL },
	{ "text/plain;charset=x;;", true, MIME_TEXT, "x", NULL },
	{ "text/plain; charset", true, MIME_TEXT, NULL, NULL },
	{ "text/plain; charset=", true, MIME_TEXT, "", NULL },
	{ "text/plain; charset*=us-ascii'en'iso-8859-1", true, MIME_TEXT,
	    "iso-8859-1", NULL },
	{ "message/rfc822", true, MIME_MESSAGE, NULL, NULL },
	{ "message/global", true, MIME_MESSAGE, NULL, NULL },
	{ "message/partial; id=x", true, MIME_FRAGMENT, NULL, NULL },
	{ "message/delivery-status", true, MIME_FIELDS, NULL, NULL },
	{ "message/http", true, MIME_OTHER, NULL, NULL },
	{ "image/rfc822", true, MIME_OTHER, NULL, NULL },
	{ "multipart/mixed", true, MIME_MULTIPART, NULL, NULL },
	{ "multipart/mixed; boundary=b", true, MIME_MULTIPART, NULL, "b" },
	{ "multipart/mixed; boundary=\"a b \"", true, MIME_MULTIPART, NULL,
	    "a b" },
	{ "multipart/mixed; (c) boundary=a", true, MIME_MULTIPART, NULL, "a" },
	{ "multipart/mixed; boundary=a b", true, MIME_MULTIPART, NULL,
	    "a b" },
	{ "multipart/mixed; boundary=a(b)c", true, MIME_MULTIPART, NULL,
	    "a(b)c" },
	{ "multipart/mixed; boundary=\"b;c\"", true, MIME_MULTIPART, NULL,
	    "b;c" },
	{ "multipart/mixed; boundary==_x", true, MIME_MULTIPART, NULL,
	    "=_x" },
	{ "multipart/mixed; boundary=\"\"", true, MIME_MULTIPART, NULL, "" },
	/* RFC 2231 */
	{ "multipart/mixed; boundary*0=\"a;\"; boundary*1=b", true,
	    MIME_MULTIPART, NULL, "a;b" },
	{ "multipart/mixed; boundary*1=b; boundary*0=a; boundary*3=c", true,
	    MIME_MULTIPART, NULL, "ab" },
	{ "multipart/mixed; boundary*=''a%20b%3D%", true, MIME_MULTIPART,
	    NULL, "a b=%" },
	{ "multipart/mixed; boundary*0*=x'y'a%27; boundary*1=%27'", true,
	    MIME_MULTIPART, NULL, "a'%27'" },
	{ "multipart/mixed; boundary*=x; boundary=y", true, MIME_MULTIPART,
	    NULL, "y" },
};

static void
assert_text(const char *is, const char *want)
{
	assert_int_equal(is == NULL, want == NULL);
	if (want != NULL)
		assert_string_equal(is, want);
}

static void
test_type(void **state)
{
	struct pool *pool = pool_new();
	struct mime m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof types / sizeof *types; i++) {
		read_header(&m, pool_printf(pool, "Content-Type: %s\r\n",
		    types[i].value), false, pool);
		assert_int_equal(m.has_type, types[i].has_type);
		assert_int_equal(m.kind, types[i].kind);
		assert_text(m.charset, types[i].charset);
		assert_text(m.boundary, types[i].boundary);
	}
	pool_free(pool);
}

static void
test_encoding(void **state)
{
	static const struct {
		const char *value;
		enum mime_encoding is;
	} encodings[] = {
		{ "7bit", MIME_7BIT }, { "", MIME_7BIT },
		{ "8Bit (c)", MIME_8BIT }, { "(c) binary", MIME_BINARY },
		{ "Quoted-Printable", MIME_QUOTED_PRINTABLE },
		{ "\"base64\"", MIME_BASE64 }, { "base64;", MIME_BASE64 },
		{ "x-uuencode", MIME_UNKNOWN }, { "7bits", MIME_UNKNOWN },
		{ "utf-8", MIME_UNKNOWN }, { "=?x?q?y?=", MIME_UNKNOWN },
		{ "(c)", MIME_7BIT }, { "\"\"", MIME_7BIT },
	};
	struct pool *pool = pool_new();
	struct mime m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof encodings / sizeof *encodings; i++) {
		read_header(&m, pool_printf(pool,
		    "Content-Transfer-Encoding: %s\r\n", encodings[i].value),
		    false, pool);
		assert_int_equal(m.encoding, encodings[i].is);
	}
	pool_free(pool);
}

/* The first of doubled fields; digests; what there is none of. */
static void
test_header(void **state)
{
	struct pool *pool = pool_new();
	struct mime m;

	(void)state;
	read_header(&m, "", false, pool);
	assert_true(m.kind == MIME_TEXT && m.encoding == MIME_7BIT &&
	    !m.has_type && !m.has_version);
	read_header(&m, "", true, pool);
	assert_int_equal(m.kind, MIME_MESSAGE);
	read_header(&m, "Content-Type: text/plain\r\n", true, pool);
	assert_int_equal(m.kind, MIME_TEXT);
	read_header(&m, "mime-version: 1.0\r\ncontent-type :\r\n image/png\r\n"
	    "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n", false, pool);
	assert_true(m.has_version && m.kind == MIME_OTHER &&
	    m.encoding == MIME_BASE64);
	read_header(&m, "Content-Type: multipart/digest\r\n", false, pool);
	assert_true(m.is_digest && !m.is_signed);
	read_header(&m, "Content-Type: multipart/Signed\r\n", false, pool);
	assert_true(m.is_signed && !m.is_digest);
	pool_free(pool);
}

/* --- parameters ----------------------------------------------------------- */

/* "name=value[text]" for each; the first ";" */
static const struct {
	const char *value;
	size_t first;
	const char *want;
} lists[] = {
	{ "a/b", 3, "" },
	{ "a/b;", 4 - 1, "=[]" },
	{ "a/b ; C = d ;e=\"f;\\\"g\" (x;y)", 4,
	    "c=d[C = d ]e=f;\"g[e=\"f;\\\"g\" (x;y)]" },
	{ "a (;\\)b;) ;c=d", 10, "c=d[c=d]" },
	{ "a;b;=c;d=", 1, "=[b]=[=c]d=[d=]" },
	{ "a; b=c (d", 1, "b=c[b=c (d]" },
	{ "a;(b;c)d=e;f", 1, "d=e[(b;c)d=e]=[f]" },
	{ "a; b=\"c\\", 1, "b=c\\[b=\"c\\]" },
	{ "a; b=c(d;e)f", 1, "b=c(d[b=c(d]=[e)f]" },
	{ "a;  ;\t", 1, "=[]=[]" },
};

static void
test_parameters(void **state)
{
	struct pool *pool = pool_new();
	struct mime_parameter *p;
	struct buffer b = { 0 };
	size_t i, j, n, first;

	(void)state;
	for (i = 0; i < sizeof lists / sizeof *lists; i++) {
		p = mime_parameters(lists[i].value, &n, &first, pool);
		assert_int_equal(first, lists[i].first);
		for (j = 0; j < n; j++)
			buffer_printf(&b, "%s=%s[%.*s]", p[j].name, p[j].value,
			    (int)(p[j].end - p[j].start),
			    lists[i].value + p[j].start);
		buffer_put(&b, "", 1);
		assert_string_equal(buffer_data(&b), lists[i].want);
		buffer_free(&b);
	}
	pool_free(pool);
}

/* --- delimiters ----------------------------------------------------------- */

static void
test_delimiter(void **state)
{
	static const struct {
		const char *line, *boundary;
		bool is, last;
	} lines[] = {
		{ "--b", "b", true, false }, { "--b--", "b", true, true },
		{ "--b \t", "b", true, false }, { "--b-- ", "b", true, true },
		{ "--b-", "b", false, false }, { "--bb", "b", false, false },
		{ "--b--x", "b", false, false }, { "--b x", "b", false, false },
		{ "-b", "b", false, false }, { " --b", "b", false, false },
		{ "--B", "b", false, false }, { "--", "b", false, false },
		{ "", "b", false, false }, { "--b--", "b--", true, false },
		{ "--b----", "b--", true, true }, { "--b", "bb", false, false },
		{ "--a b", "a b", true, false }, { "--b --", "b", false, false },
	};
	size_t i;
	bool last;

	(void)state;
	for (i = 0; i < sizeof lines / sizeof *lines; i++) {
		last = false;
		assert_int_equal(mime_is_delimiter(lines[i].line,
		    strlen(lines[i].line), lines[i].boundary, &last),
		    lines[i].is);
		assert_int_equal(lines[i].is && last, lines[i].last);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_delimiter),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
