/*
 * Base64 and quoted-printable.  The first octet chooses how and where the
 * octets are cut.  What is encoded is, decoded by the slow model here, what it
 * was, in lines of at most 76 octets, wherever the input was cut; what the
 * strict decoder takes is what the encoder gives.
 */
#include "fuzz.h"
#include "crypto.h"
#include "encode.h"

#include <assert.h>
#include <string.h>

static int
digit(char c)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
	    "nopqrstuvwxyz0123456789+/";
	const char *p = c == '\0' ? NULL : strchr(all, c);

	return p == NULL ? -1 : (int)(p - all);
}

/* Passes over what is no base64 (RFC 2045 section 6.8). */
static void
plain_base64(struct buffer *out, const char *p, size_t len)
{
	unsigned bits = 0, n = 0;
	char c;

	for (; len > 0; p++, len--) {
		if (digit(*p) < 0)
			continue;
		bits = bits << 6 | (unsigned)digit(*p);
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		c = (char)(bits >> n);
		buffer_put(out, &c, 1);
	}
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ?
	    c - 'A' + 10 : -1;
}

/* Of what ENCODE_QP makes, which has no blanks at the ends of lines. */
static void
plain_qp(struct buffer *out, const char *p, size_t len)
{
	const char *end = len > 0 ? p + len : p;
	char c;

	while (p < end) {
		if (*p != '=') {
			assert(*p == '\r' || *p == '\n' || *p == '\t' ||
			    (*p >= ' ' && *p <= '~'));
			buffer_put(out, p++, 1);
			continue;
		}
		assert(end - p >= 3);
		if (p[1] != '\r') {
			assert(hex(p[1]) >= 0 && hex(p[2]) >= 0);
			c = (char)(hex(p[1]) << 4 | hex(p[2]));
			buffer_put(out, &c, 1);
		}
		p += 3;
	}
}

static void
check_lines(const char *p, size_t len, bool may_be_padded)
{
	size_t column = 0, i;

	for (i = 0; i < len; i++) {
		if (p[i] == '\r') {
			assert(i + 1 < len && p[i + 1] == '\n');
			assert(may_be_padded || i == 0 ||
			    (p[i - 1] != ' ' && p[i - 1] != '\t'));
			column = 0;
			i++;
			continue;
		}
		assert(p[i] != '\n' && ++column <= 76);
	}
}

static void
encode(struct buffer *out, enum encode_how how, const char *p, size_t len,
    size_t piece)
{
	struct encode e = { .how = how };
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = piece < len ? piece : len;
		encode_octets(&e, p, n, out);
	}
	encode_end(&e, out);
}

/* Line ends as a message that was read has them. */
static void
normalise(struct buffer *out, const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] == '\n')
			buffer_put(out, "\r\n", 2);
		else
			buffer_put(out, p[i] == '\r' ? " " : p + i, 1);
	}
}

static bool
is_same(const struct buffer *a, const struct buffer *b)
{
	return buffer_len(a) == buffer_len(b) && (buffer_len(a) == 0 ||
	    memcmp(buffer_data(a), buffer_data(b), buffer_len(a)) == 0);
}

static void
check_encode(enum encode_how how, const char *p, size_t len, size_t piece)
{
	struct buffer in = { 0 }, out = { 0 }, pieces = { 0 }, back = { 0 };

	normalise(&in, p, len);
	encode(&out, how, buffer_data(&in), buffer_len(&in), SIZE_MAX);
	encode(&pieces, how, buffer_data(&in), buffer_len(&in), piece);
	assert(is_same(&out, &pieces));
	check_lines(buffer_data(&out), buffer_len(&out),
	    how == ENCODE_QP_AGAIN);	/* as it was; it means nothing */
	if (how == ENCODE_QP)
		plain_qp(&back, buffer_data(&out), buffer_len(&out));
	if (how == ENCODE_BASE64)
		plain_base64(&back, buffer_data(&out), buffer_len(&out));
	assert(how > ENCODE_BASE64 || is_same(&in, &back));
	buffer_free(&in);
	buffer_free(&out);
	buffer_free(&pieces);
	buffer_free(&back);
}

static void
check_strict(const char *p, size_t len)
{
	struct buffer coded = { 0 }, plain = { 0 };

	crypto_base64(&coded, p, len);
	assert(crypto_unbase64(&plain, buffer_data(&coded),
	    buffer_len(&coded)));
	assert(buffer_len(&plain) == len &&
	    (len == 0 || memcmp(buffer_data(&plain), p, len) == 0));
	buffer_free(&coded);
	buffer_free(&plain);
	if (crypto_unbase64(&plain, p, len)) {
		crypto_base64(&coded, buffer_data(&plain),
		    buffer_len(&plain));
		assert(buffer_len(&coded) == len && (len == 0 ||
		    memcmp(buffer_data(&coded), p, len) == 0));
	}
	buffer_free(&coded);
	buffer_free(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1;

	if (size == 0)
		return 0;
	check_encode((enum encode_how)(data[0] & 3), p, size - 1,
	    (data[0] >> 2) + 1U);
	check_strict(p, size - 1);
	return 0;
}
