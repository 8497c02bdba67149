#include "scan.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/*
 * Eight octets are looked at together in a word, the first of them lowest.
 * In a mask each octet that is meant has its topmost bit set.  What a line
 * costs does not depend on what is in it, so no shape of input is slow.
 */
#define EACH(octet)	(UINT64_C(0x0101010101010101) * (octet))

enum { WORD = 8, TOP = 0x80 };

static uint64_t
load(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return le64toh(w);
}

static void
store(char *p, uint64_t w)
{
	w = htole64(w);
	memcpy(p, &w, sizeof w);
}

/* Exact for each octet; no carry goes from one to the next. */
static uint64_t
zeros(uint64_t w)
{
	return ~(((w & EACH(0x7f)) + EACH(0x7f)) | w | EACH(0x7f));
}

static uint64_t
are(uint64_t w, unsigned char octet)
{
	return zeros(w ^ EACH(octet));
}

/* Is none of them below 14?  NUL, LF and CR are. */
static bool
is_plain(uint64_t w)
{
	return ((w - EACH(0x0e)) & ~w & EACH(TOP)) == 0;
}

static unsigned
first(uint64_t mask)
{
	return (unsigned)__builtin_ctzll(mask) / 8;
}

/* What is written, and the facts of the words, while they are counted. */
struct form {
	char *out;
	size_t n;
	size_t begin;			/* of the open line; modulo size_t */
	size_t longest;
	uint64_t any;			/* all words ored */
	uint64_t nul;
	uint64_t dots;
	uint64_t cr;			/* masks of the octet before: */
	uint64_t start;			/* it ended a line, */
	uint64_t lf;			/* by LF */
};

static struct form
begin_form(const struct scan *s, char *out)
{
	return (struct form){
		.out = out,
		.begin = (size_t)0 - s->line,
		.longest = s->longest,
		.cr = s->state == SCAN_CR ? TOP : 0,
		.start = s->state != SCAN_TEXT ? TOP : 0,
		.lf = s->state == SCAN_LF ? TOP : 0,
	};
}

static void
end_form(struct scan *s, const struct form *f)
{
	s->line = f->n - f->begin;
	s->longest = f->longest > s->line ? f->longest : s->line;
	s->has_8bit = s->has_8bit || (f->any & EACH(TOP)) != 0;
	s->has_nul = s->has_nul || f->nul != 0;
	s->has_dots = s->has_dots || f->dots != 0;
	s->state = f->cr != 0 ? SCAN_CR : f->lf != 0 ? SCAN_LF : SCAN_TEXT;
}

/*
 * A word with line ends.  CR ends a line at once, and LF behind it is passed
 * over: both are ends here, but not both write one.
 */
static void
form_lines(struct form *f, uint64_t w, uint64_t ends, uint64_t writes)
{
	size_t n = f->n, len, longest = f->longest, begin = f->begin;
	unsigned done = 0, at;

	for (; ends != 0; ends &= ends - 1) {
		at = first(ends);
		store(f->out + n, w);
		n += at - done;
		len = n - begin;
		longest = len > longest ? len : longest;
		memcpy(f->out + n, "\r\n", 2);
		n += (writes >> (at * 8 + 6)) & 2;
		begin = n;
		w = (w >> ((at - done) * 8)) >> 8;
		done = at + 1;
	}
	store(f->out + n, w);
	f->n = n + WORD - done;
	f->begin = begin;
	f->longest = longest;
}

/* False: the word may hold a dot that ends the input or stands for none. */
static bool
form_word(struct form *f, uint64_t w, bool dot_ends)
{
	uint64_t cr = are(w, '\r'), lf = are(w, '\n'), dot = are(w, '.');

	if (dot_ends && (dot & (lf << 8 | f->lf)) != 0)
		return false;
	f->any |= w;
	f->nul |= zeros(w);
	f->dots |= dot & ((cr | lf) << 8 | f->start);
	form_lines(f, w, cr | lf, cr | (lf & ~(cr << 8 | f->cr)));
	f->cr = cr >> 56;
	f->lf = lf >> 56;
	f->start = f->cr | f->lf;
	return true;
}

/* As many whole words as there are before a dot that needs a closer look. */
static size_t
form_words(struct scan *s, const char *p, size_t len, char *out, size_t *taken)
{
	struct form f = begin_form(s, out);
	size_t i;
	uint64_t w;

	for (i = 0; i + WORD <= len; i += WORD) {
		w = load(p + i);
		if (is_plain(w) && f.start == 0) {
			store(f.out + f.n, w);
			f.n += WORD;
			f.any |= w;
		} else if (!form_word(&f, w, s->dot_ends)) {
			break;
		}
	}
	*taken = i;
	end_form(s, &f);
	return f.n;
}

static void
end_line(struct scan *s, char *out, size_t *n)
{
	memcpy(out + *n, "\r\n", 2);
	*n += 2;
	s->line = 0;
}

static void
put(struct scan *s, char c, char *out, size_t *n)
{
	out[(*n)++] = c;
	s->line++;
	if (s->line > s->longest)
		s->longest = s->line;
	s->state = SCAN_TEXT;
}

/* Behind a dot at the start of a line; false: c is settled with it. */
static bool
form_after_dot(struct scan *s, char c, char *out, size_t *n)
{
	bool cr = s->state == SCAN_DOT_CR;

	s->ended = c == '\n';
	if (s->ended)
		return false;
	if (!cr && c == '\r') {
		s->state = SCAN_DOT_CR;
		return false;
	}
	s->has_dots = true;
	put(s, '.', out, n);
	if (cr) {
		end_line(s, out, n);
		s->state = SCAN_CR;
	}
	return cr || c != '.';
}

static void
form_octet(struct scan *s, char c, char *out, size_t *n)
{
	if (s->state >= SCAN_DOT && !form_after_dot(s, c, out, n))
		return;
	if (c == '\r' || c == '\n') {
		if (c == '\r' || s->state != SCAN_CR)
			end_line(s, out, n);
		s->state = c == '\r' ? SCAN_CR : SCAN_LF;
		return;
	}
	if (c == '.' && s->state == SCAN_LF && s->dot_ends) {
		s->state = SCAN_DOT;
		return;
	}
	s->has_dots = s->has_dots || (c == '.' && s->state != SCAN_TEXT);
	s->has_8bit = s->has_8bit || ((unsigned char)c & TOP) != 0;
	s->has_nul = s->has_nul || c == '\0';
	put(s, c, out, n);
}

size_t
scan_octets(struct scan *s, const char *p, size_t len, char *out,
    size_t *taken)
{
	size_t n = 0, i = 0, end, words;

	while (i < len && !s->ended) {
		if (s->state < SCAN_DOT) {
			n += form_words(s, p + i, len - i, out + n, &words);
			i += words;
		}
		end = len - i < WORD ? len : i + WORD;
		while (i < end && !s->ended)
			form_octet(s, p[i++], out, &n);
	}
	*taken = i;
	return n;
}

size_t
scan_end(struct scan *s, char *out)
{
	size_t n = 0;

	if (s->state >= SCAN_DOT)
		s->ended = true;
	else if (s->state == SCAN_TEXT)
		end_line(s, out, &n);
	s->state = SCAN_LF;
	return n;
}

/* The word with a dot before each of the marked octets. */
static size_t
stuff_word(char *out, uint64_t w, uint64_t marked)
{
	size_t n = 0;
	unsigned done = 0, at;

	for (; marked != 0; marked &= marked - 1) {
		at = first(marked);
		store(out + n, w);
		n += at - done;
		out[n++] = '.';
		w >>= (at - done) * 8;
		done = at;
	}
	store(out + n, w);
	return n + WORD - done;
}

size_t
scan_stuff(const char *p, size_t len, bool *at_start, char *out)
{
	uint64_t before = *at_start ? TOP : 0, w, lf;
	size_t n = 0, i;

	for (i = 0; i + WORD <= len; i += WORD) {
		w = load(p + i);
		lf = are(w, '\n');
		n += stuff_word(out + n, w,
		    are(w, '.') & (lf << 8 | before));
		before = lf >> 56;
	}
	*at_start = before != 0;
	for (; i < len; i++) {
		if (*at_start && p[i] == '.')
			out[n++] = '.';
		out[n++] = p[i];
		*at_start = p[i] == '\n';
	}
	return n;
}
