#include "parts.h"
#include "letter.h"

#include <stdlib.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define MIXED "Content-Type: multipart/mixed; boundary="

/* The header's octets or the content's, CR left out. */
static void
put_octets(struct buffer *out, const struct message *m, uint64_t from,
    uint64_t to)
{
	struct failure why;
	size_t n;
	char c;

	for (; from < to; from++) {
		assert_true(spool_read(m->body, from, &c, 1, &n, &why));
		assert_int_equal(n, 1);
		if (c != '\r')
			buffer_put(out, &c, 1);
	}
}

/*
 * Of each entity but the message: parent, kind (Text, Other, multipart (X),
 * Message, Fields, Partial), "s" within a signed one, its header and the
 * content of a leaf.
 */
static void
put_entity(struct buffer *out, const struct message *m,
    const struct entity *e, size_t i)
{
	if (i > 0)
		buffer_printf(out, "%zu", e->parent);
	buffer_put(out, &"TOXMFP"[e->kind], 1);
	if (e->in_signed)
		buffer_put(out, "s", 1);
	if (i > 0) {
		buffer_put(out, "[", 1);
		put_octets(out, m, e->header, e->body);
		buffer_put(out, "]", 1);
	}
	if (e->kind == MIME_MULTIPART || e->kind == MIME_MESSAGE)
		return;
	buffer_put(out, "{", 1);
	put_octets(out, m, e->body, e->end);
	buffer_put(out, "}", 1);
}

static struct buffer
described(const char *text, size_t len)
{
	struct pool *pool = pool_new();
	struct message *m = letter_read(text, len, pool);
	struct failure why = { 0 };
	struct buffer out = { 0 };
	struct parts parts;
	size_t i;

	if (!parts_find(&parts, m, pool, &why)) {
		assert_int_equal(why.kind, FAILURE_MESSAGE);
		buffer_printf(&out, "%s", why.text);
		parts.n = 0;
	}
	for (i = 0; i < parts.n; i++)
		put_entity(&out, m, &parts.list[i], i);
	buffer_put(&out, "", 1);
	message_free(m);
	pool_free(pool);
	return out;
}

static const struct {
	const char *text, *want;
} cases[] = {
	{ "", "T{}" },
	{ "A: b\n\nc\n\nd", "T{c\n\nd\n}" },
	{ MIXED "b\n\nx\n--b\n\na\n--b\nB: c\n\nb\n\n--b--\ny\n",
	    "X0T[\n]{a}0T[B: c\n\n]{b\n}" },
	/* nothing in it, nothing behind it */
	{ MIXED "b\n\n--b\n--b\n\n--b\n\n\n--b--", "X0T[]{}0T[\n]{}0T[\n]{}" },
	{ MIXED "b\n\n--b\n\na", "X0T[\n]{a\n}" },
	{ MIXED "b\n\n--b\n", "X0T[]{}" },
	{ MIXED "b\n\n--b\nA: b\n", "X0T[A: b\n]{}" },
	{ MIXED "b\n\n--b\nA: b\n c\n--b--\n", "X0T[A: b\n c\n]{}" },
	/* behind the last delimiter */
	{ MIXED "b\n\n--b\n\na\n--b--\n--b\n\nb\n", "X0T[\n]{a}" },
	/* a header without a blank line */
	{ MIXED "b\n\n--b\nno header\n--b--", "X0T[]{no header}" },
	{ MIXED "b\n\n--b\n x: y\n--b--", "X0T[]{ x: y}" },
	{ MIXED "b\n\n--b\nA: b\nno header\n", "X0T[A: b\n]{no header\n}" },
	{ MIXED "b\n\n--b\nA: b\n \n\n\nc\n", "X0T[A: b\n \n\n]{\nc\n}" },
	{ MIXED "b\n\n--b\n" MIXED "c\n--c\n\na\n--c--\n--b--\n",
	    "X0X[" MIXED "c\n]1T[\n]{a}" },
	/* no boundary, no delimiter, only the last */
	{ "Content-Type: multipart/mixed\n\n--b\n\na\n--b--\n",
	    "T{--b\n\na\n--b--\n}" },
	{ MIXED "\"\"\n\n--\n\na\n----\n", "T{--\n\na\n----\n}" },
	{ MIXED "b\n\na\n", "T{a\n}" },
	{ MIXED "b\n\na\n--b--\nc\n", "T{a\n--b--\nc\n}" },
	{ MIXED "b\n\na\n--b--\n--b\nc\n", "X0T[]{c\n}" },
	{ MIXED "b\n\n--b\n" MIXED "b\n\na\n--b--\n--b\nc\n",
	    "X0T[" MIXED "b\n\n]{a}" },
	/* boundaries that begin alike, and are the same */
	{ MIXED "b\n\n--b\n" MIXED "bb\n\n--bb\n\na\n--b b\n--bb--\n--b--\n",
	    "X0X[" MIXED "bb\n\n]1T[\n]{a\n--b b}" },
	{ MIXED "bb\n\n--bb\n" MIXED "b\n\n--b\n\na\n--bb--\n--b\n",
	    "X0X[" MIXED "b\n\n]1T[\n]{a}" },
	{ MIXED "b--\n\n--b--\n\na\n--b\n--b----\n", "X0T[\n]{a\n--b}" },
	{ MIXED "b\n\n--b\n" MIXED "b\n\n--b\n\na\n--b--\n--b\n\nc\n--b--\n",
	    "X0X[" MIXED "b\n\n]1T[\n]{a}0T[\n]{c}" },
	/* the outer one ends the inner ones */
	{ MIXED "b\n\n--b\n" MIXED "c\n\n--c\n\na\n--b\n\nb\n--c\n--b--\n",
	    "X0X[" MIXED "c\n\n]1T[\n]{a}0T[\n]{b\n--c}" },
	{ MIXED "b\n\n--b\n" MIXED "c\n--b--\n--c\n\na\n",
	    "X0T[" MIXED "c\n]{}" },
	/* messages */
	{ MIXED "b\n\n--b\nContent-Type: message/rfc822\n\nA: b\n\nc\n--b--\n",
	    "X0M[Content-Type: message/rfc822\n\n]1T[A: b\n\n]{c}" },
	{ MIXED "b\n\n--b\nContent-Type: message/rfc822\n--b--\n",
	    "X0M[Content-Type: message/rfc822\n]1T[]{}" },
	{ MIXED "b\n\n--b\nContent-Type: message/rfc822\nno header\n--b--\n",
	    "X0M[Content-Type: message/rfc822\n]1T[]{no header}" },
	{ "Content-Type: message/rfc822\n\n" MIXED "b\n\n--b\n\na\n--b--\n",
	    "M0X[" MIXED "b\n\n]1T[\n]{a}" },
	{ "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n"
	    "A: b\n", "M0M[Content-Type: message/rfc822\n\n]1T[A: b\n]{}" },
	{ "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
	    "A: b\n", "O{A: b\n}" },
	/* digests: a part is a message unless it says otherwise */
	{ "Content-Type: multipart/digest; boundary=b\n\n--b\n\nA: b\n\nc\n--b\n"
	    "Content-Type: text/plain\n\nd\n--b\n--b--\n",
	    "X0M[\n]1T[A: b\n\n]{c}0T[Content-Type: text/plain\n\n]{d}"
	    "0M[]4T[]{}" },
	/* fields and fragments are leaves */
	{ MIXED "b\n\n--b\nContent-Type: message/delivery-status\n\nA: b\n\n"
	    "C: d\n--b\nContent-Type: message/partial\n\nx\n--b--\n",
	    "X0F[Content-Type: message/delivery-status\n\n]{A: b\n\nC: d}"
	    "0P[Content-Type: message/partial\n\n]{x}" },
	/* an encoding that a multipart cannot have */
	{ MIXED "b\nContent-Transfer-Encoding: base64\n\n--b\n\na\n--b--\n",
	    "X0T[\n]{a}" },
	{ MIXED "b\nContent-Transfer-Encoding: base64\n\na\n", "O{a\n}" },
	{ "Content-Type: multipart/mixed\nContent-Transfer-Encoding: x\n\na\n",
	    "O{a\n}" },
	/* what is signed */
	{ MIXED "b\n\n--b\nContent-Type: multipart/signed; boundary=s\n\n--s\n"
	    "Content-Type: message/rfc822\n\nA: b\n\nc\n--s\n\nd\n--s--\n--b\n"
	    "\ne\n--b--\n", "X0X[Content-Type: multipart/signed; boundary=s\n"
	    "\n]1Ms[Content-Type: message/rfc822\n\n]2Ts[A: b\n\n]{c}"
	    "1Ts[\n]{d}0T[\n]{e}" },
	/* RFC 2231 */
	{ "Content-Type: multipart/mixed; boundary*0=a; boundary*1*=%62\n\n"
	    "--ab\n\na\n--ab--\n", "X0T[\n]{a}" },
	/* looks like a field */
	{ MIXED "\"a:b\"\n\n--a:b\nA: b\n--a:b\n\nc\n--a:b--\n",
	    "X0T[A: b\n]{}0T[\n]{c}" },
};

static void
test_entities(void **state)
{
	struct buffer b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		b = described(cases[i].text, strlen(cases[i].text));
		assert_string_equal(buffer_data(&b), cases[i].want);
		buffer_free(&b);
	}
}

static void
fill(struct buffer *b, char c, size_t n)
{
	memset(buffer_room(b, n), c, n);
	buffer_added(b, n);
}

/* Delimiters everywhere around the end of the block of 64 KiB. */
static void
test_block(void **state)
{
	struct buffer text = { 0 }, out;
	size_t i, at;

	(void)state;
	for (at = 65536 - 40; at < 65536 + 10; at++) {
		buffer_printf(&text, MIXED "b\n\n--b\n\n");
		for (i = 0; i < at / 2; i++)
			buffer_put(&text, "\n", 1);
		buffer_put(&text, "x", at % 2);
		buffer_printf(&text, "\n--b \nC: d\n\nyy\n--b--\n");
		out = described(buffer_data(&text), buffer_len(&text));
		assert_non_null(strstr(buffer_data(&out),
		    "}0T[C: d\n\n]{yy}"));
		buffer_free(&out);
		buffer_free(&text);
	}
}

static void
find(const char *text, size_t len, struct parts *parts, struct pool *pool)
{
	struct message *m = letter_read(text, len, pool);
	struct failure why = { 0 };

	assert_true(parts_find(parts, m, pool, &why));
	message_free(m);
}

/* Lines of 200 KB in a part's header, in its content, and a delimiter's. */
static void
test_long_lines(void **state)
{
	struct pool *pool = pool_new();
	struct buffer text = { 0 };
	struct parts parts;

	(void)state;
	buffer_printf(&text, MIXED "b\n\n--b\nA: b\nC: ");
	fill(&text, 'x', 200000);
	buffer_printf(&text, "\nContent-Type: image/png\n\n");
	fill(&text, '-', 200000);
	buffer_printf(&text, "\n--b\n\n--b ");
	fill(&text, ' ', 200000);
	buffer_printf(&text, "x\n--b ");
	fill(&text, ' ', 1500);
	buffer_printf(&text, "\n\nz\n--b--\n");
	find(buffer_data(&text), buffer_len(&text), &parts, pool);
	assert_int_equal(parts.n, 4);
	assert_int_equal(parts.list[1].kind, MIME_OTHER);
	assert_int_equal(parts.list[1].header_facts.longest, 200003);
	assert_int_equal(parts.list[1].facts.longest, 200000);
	assert_int_equal(parts.list[1].end - parts.list[1].body, 200000);
	assert_int_equal(parts.list[2].facts.longest, 200005);
	assert_int_equal(parts.list[3].facts.longest, 1);
	assert_int_equal(parts.list[0].facts.longest, 1504);
	buffer_free(&text);
	pool_free(pool);
}

static void
test_facts(void **state)
{
	static const struct {
		const char *content;
		size_t len;
		bool beyond, nul, not_utf8;
		size_t longest;
	} facts[] = {
		{ "", 0, false, false, false, 0 },
		{ "a\nbcd\n\nx\n", 9, false, false, false, 3 },
		{ "a\0b\n", 4, false, true, false, 3 },
		{ "\xc3\xbc\n", 3, true, false, false, 2 },
		{ "\xc3\n\xbc\n", 4, true, false, true, 1 },
		{ "\xc3\n\n", 3, true, false, true, 1 },
		{ "a\xfc\n", 3, true, false, true, 2 },
	};
	struct pool *pool = pool_new();
	struct buffer text = { 0 };
	const struct part_facts *f;
	struct parts parts;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof facts / sizeof *facts; i++) {
		buffer_printf(&text, MIXED "b\n\n\xc3\xa4\n--b\nA: \xff\n\n");
		buffer_put(&text, facts[i].content, facts[i].len);
		buffer_printf(&text, "\n--b\n\nxyzw\n--b--\n");
		find(buffer_data(&text), buffer_len(&text), &parts, pool);
		buffer_free(&text);
		assert_int_equal(parts.n, 3);
		f = &parts.list[1].facts;
		assert_int_equal(f->beyond, facts[i].beyond);
		assert_int_equal(f->nul, facts[i].nul);
		assert_int_equal(f->not_utf8, facts[i].not_utf8);
		assert_int_equal(f->longest, facts[i].longest);
		assert_true(parts.list[1].header_facts.not_utf8);
		assert_true(parts.list[0].facts.beyond &&
		    !parts.list[0].facts.not_utf8);
	}
	pool_free(pool);
}

/* The same many times over. */
static struct buffer
repeated(const char *before, const char *what, size_t times)
{
	struct buffer text = { 0 }, out;
	size_t i;

	buffer_put(&text, before, strlen(before));
	for (i = 0; i < times; i++)
		buffer_put(&text, what, strlen(what));
	out = described(buffer_data(&text), buffer_len(&text));
	buffer_free(&text);
	return out;
}

static void
test_limits(void **state)
{
	static const struct {
		const char *before, *what;
		size_t times;
		const char *says;
	} limits[] = {
		{ MIXED "b\n\n", "--b\n\nx\n", PARTS_MAX - 1, NULL },
		{ MIXED "b\n\n", "--b\n\nx\n", PARTS_MAX, "parts" },
		{ "", "Content-Type: message/rfc822\n\n", PARTS_DEPTH_MAX,
		    NULL },
		{ "", "Content-Type: message/rfc822\n\n", PARTS_DEPTH_MAX + 1,
		    "deeper" },
		{ MIXED "b\n\n", "--b\n" MIXED "b\n\n", PARTS_DEPTH_MAX,
		    NULL },
		{ MIXED "b\n\n", "--b\n" MIXED "b\n\n", PARTS_DEPTH_MAX + 1,
		    "deeper" },
		{ MIXED "b\n\n--b\n", "A: 456\n", PARTS_HEADER_MAX / 8, NULL },
		{ MIXED "b\n\n--b\n", "A: 456\n", PARTS_HEADER_MAX / 8 + 2,
		    "header" },
	};
	struct buffer out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof limits / sizeof *limits; i++) {
		out = repeated(limits[i].before, limits[i].what,
		    limits[i].times);
		if (limits[i].says == NULL)
			assert_non_null(strchr("XM", *buffer_data(&out)));
		else
			assert_non_null(strstr(buffer_data(&out),
			    limits[i].says));
		buffer_free(&out);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entities),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
