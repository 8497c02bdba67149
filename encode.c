#include "encode.h"
#include "crypto.h"

#include <ctype.h>
#include <string.h>

enum {
	LINE = 76,			/* octets, without CRLF */
	GROUP = LINE / 4 * 3		/* octets that a line of base64 holds */
};

static const char hex[] = "0123456789ABCDEF";

/* --- quoted-printable ----------------------------------------------------- */

static void
end_line(struct encode *e, const char *end, struct buffer *out)
{
	buffer_put(out, end, strlen(end));
	e->column = 0;
	e->blank = false;
}

/* A soft line break when there is no room for n more and its "=". */
static void
put_token(struct encode *e, const char *p, size_t n, struct buffer *out)
{
	if (e->column + n > LINE - 1)
		end_line(e, "=\r\n", out);
	buffer_put(out, p, n);
	e->column += n;
	e->blank = *p == ' ' || *p == '\t';
}

static void
put_coded(struct encode *e, char c, struct buffer *out)
{
	unsigned char u = (unsigned char)c;

	put_token(e, (char[]){ '=', hex[u >> 4], hex[u & 15] }, 3, out);
}

/*
 * A "-" where a soft line break begins or has joined a line could make it the
 * delimiter of a multipart around.
 */
static bool
is_literal(const struct encode *e, char c)
{
	if (c == '-')
		return e->column < LINE - 1 &&
		    (e->column > 0 || e->how == ENCODE_QP);
	return (c >= ' ' && c < 0x7f && c != '=') || c == '\t';
}

static void
put_octet(struct encode *e, char c, struct buffer *out)
{
	if (is_literal(e, c))
		put_token(e, &c, 1, out);
	else
		put_coded(e, c, out);
}

/* Held is a blank, which must not end a line, a CR, or a blank and a CR. */
static void
release(struct encode *e, bool at_end, struct buffer *out)
{
	size_t i;

	for (i = 0; i < e->nheld; i++) {
		if (at_end || e->held[i] == '\r')
			put_coded(e, e->held[i], out);
		else
			put_octet(e, e->held[i], out);
	}
	e->nheld = 0;
}

static void
qp_octet(struct encode *e, char c, struct buffer *out)
{
	bool cr = e->nheld > 0 && e->held[e->nheld - 1] == '\r';

	if (c == '\n' && cr) {
		e->nheld--;
		release(e, true, out);
		end_line(e, "\r\n", out);
		return;
	}
	if (cr || (e->nheld > 0 && c != '\r'))
		release(e, false, out);
	if (c == '\r' || c == ' ' || c == '\t')
		e->held[e->nheld++] = c;
	else
		put_octet(e, c, out);
}

/* How many octets from here on stand for themselves wherever they come. */
static size_t
plain(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] > ' ' && p[n] < 0x7f && p[n] != '=' &&
	    p[n] != '-')
		n++;
	return n;
}

/* Most octets of a text are plain: they are taken as far as the line goes. */
static void
qp_octets(struct encode *e, const char *p, size_t len, struct buffer *out)
{
	size_t n, room;

	for (; len > 0; p += n, len -= n) {
		room = LINE - 1 - e->column;
		n = e->nheld > 0 ? 0 : plain(p, len < room ? len : room);
		if (n > 0) {
			put_token(e, p, n, out);
			continue;
		}
		qp_octet(e, *p, out);
		n = 1;
	}
}

/* --- quoted-printable once more ------------------------------------------- */

/* What is held is none of the sequences: it was meant as it stands. */
static void
release_again(struct encode *e, struct buffer *out)
{
	size_t i;

	for (i = 0; i < e->nheld; i++)
		put_octet(e, e->held[i], out);
	e->nheld = 0;
}

enum match { NOTHING, BEGUN, BREAK, OCTET };

/*
 * Is what is held a soft line break, perhaps with blanks before its end, or a
 * coded octet, or could it become one?  The break goes, but where a blank
 * would be the last of its line without.
 */
static enum match
match(const struct encode *e)
{
	const char *p = e->held;
	size_t n = e->nheld, i;

	if (n == 1 || (n == 2 && isxdigit((unsigned char)p[1])))
		return BEGUN;
	if (n == 3 && isxdigit((unsigned char)p[1]) &&
	    isxdigit((unsigned char)p[2]))
		return OCTET;
	for (i = 1; i < n && (p[i] == ' ' || p[i] == '\t'); i++)
		;
	if (i == n)
		return n < sizeof e->held ? BEGUN : NOTHING;
	if (p[i] == '\r' && i + 1 == n)
		return BEGUN;
	return p[i] == '\r' && p[i + 1] == '\n' && i + 2 == n ? BREAK : NOTHING;
}

/* Held are blanks, which nobody is shown at the end of a line, and a CR. */
static void
plain_again(struct encode *e, char c, struct buffer *out)
{
	bool cr = e->nheld > 0 && e->held[e->nheld - 1] == '\r';
	bool blank = c == ' ' || c == '\t';

	if (cr && c == '\n') {
		e->nheld = 0;
		end_line(e, "\r\n", out);
		return;
	}
	if (cr || (!blank && c != '\r') || e->nheld == sizeof e->held - 1)
		release_again(e, out);
	if (blank || c == '\r' || c == '=')
		e->held[e->nheld++] = c;
	else
		put_octet(e, c, out);
}

static void
qp_again_octet(struct encode *e, char c, struct buffer *out)
{
	if (e->nheld == 0 || e->held[0] != '=') {
		plain_again(e, c, out);
		return;
	}
	e->held[e->nheld++] = c;
	switch (match(e)) {
	case OCTET:
		put_token(e, e->held, e->nheld, out);
		e->nheld = 0;
		break;
	case BREAK:
		e->nheld = 0;
		if (e->blank)
			end_line(e, "=\r\n", out);
		break;
	case NOTHING:			/* but c may begin the next one */
		e->nheld--;
		release_again(e, out);
		plain_again(e, c, out);
		break;
	case BEGUN:
		break;
	}
}

/* "=" at the very end, perhaps with blanks, is a break whose end follows. */
static void
end_again(struct encode *e, struct buffer *out)
{
	if (e->nheld > 0 && strchr("= \t", e->held[e->nheld - 1]) != NULL) {
		if (e->held[0] == '=' && e->blank)
			buffer_put(out, "=", 1);
		e->nheld = 0;
	}
	release_again(e, out);
}

/* --- base64 --------------------------------------------------------------- */

static void
put_group(struct encode *e, struct buffer *out)
{
	if (e->nheld == 0)
		return;
	if (e->column > 0)
		buffer_put(out, "\r\n", 2);
	crypto_base64(out, e->held, e->nheld);
	e->column = LINE;
	e->nheld = 0;
}

static void
base64_octets(struct encode *e, const char *p, size_t len,
    struct buffer *out)
{
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = GROUP - e->nheld < len ? GROUP - e->nheld : len;
		memcpy(e->held + e->nheld, p, n);
		e->nheld += n;
		if (e->nheld == GROUP)
			put_group(e, out);
	}
}

/* Section 6.8: all other characters must be ignored. */
static void
base64_again_octet(struct encode *e, char c, struct buffer *out)
{
	if ((unsigned char)c >= 0x80 || (!isalnum((unsigned char)c) &&
	    c != '+' && c != '/' && c != '='))
		return;
	if (e->column == LINE)
		end_line(e, "\r\n", out);
	buffer_put(out, &c, 1);
	e->column++;
}

void
encode_octets(struct encode *e, const char *p, size_t len,
    struct buffer *out)
{
	static void (*const octet[])(struct encode *, char,
	    struct buffer *) = { [ENCODE_QP_AGAIN] = qp_again_octet,
	    [ENCODE_BASE64_AGAIN] = base64_again_octet };
	size_t i;

	if (e->how == ENCODE_BASE64)
		base64_octets(e, p, len, out);
	else if (e->how == ENCODE_QP)
		qp_octets(e, p, len, out);
	else
		for (i = 0; i < len; i++)
			octet[e->how](e, p[i], out);
}

void
encode_end(struct encode *e, struct buffer *out)
{
	if (e->how == ENCODE_BASE64)
		put_group(e, out);
	else if (e->how == ENCODE_QP)
		release(e, true, out);
	else if (e->how == ENCODE_QP_AGAIN)
		end_again(e, out);
}
