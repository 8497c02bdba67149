/*
 * What scan.c must do, octet by octet and by whole lines: slow, and simple
 * enough to be believed.
 */
#ifndef SCAN_MODEL_H
#define SCAN_MODEL_H

#include "scan.h"

#include <stdlib.h>
#include <string.h>

struct model {
	char *out;			/* room for 2 * len + 2 */
	size_t n;
	size_t line;
	struct scan facts;		/* line and state are not used */
};

static inline void
model_end_line(struct model *m)
{
	m->out[m->n++] = '\r';
	m->out[m->n++] = '\n';
	m->line = 0;
}

static inline void
model_put(struct model *m, char c)
{
	m->out[m->n++] = c;
	m->line++;
	if (m->line > m->facts.longest)
		m->facts.longest = m->line;
	if (((unsigned char)c & 0x80) != 0)
		m->facts.has_8bit = true;
	if (c == '\0')
		m->facts.has_nul = true;
}

/* Between two real line ends; each CR in it ends a line. */
static inline void
model_line(struct model *m, const char *p, size_t len, bool whole)
{
	size_t i, text = whole && len > 0 && p[len - 1] == '\r' ? len - 1 : len;

	i = m->facts.dot_ends && len > 1 && p[0] == '.' && p[1] == '.';
	for (; i < text; i++) {
		if (p[i] == '.' && (i == 0 || p[i - 1] == '\r' ||
		    (i == 1 && m->n > 0 && m->out[m->n - 1] == '\n') ||
		    (i == 1 && m->n == 0)))
			m->facts.has_dots = true;
		if (p[i] == '\r')
			model_end_line(m);
		else
			model_put(m, p[i]);
	}
	if (whole || p[len - 1] != '\r')
		model_end_line(m);
}

static inline bool
model_is_end(const struct model *m, const char *p, size_t len)
{
	return m->facts.dot_ends && (len == 1 || (len == 2 && p[1] == '\r')) &&
	    p[0] == '.';
}

/* Returns how many octets were taken. */
static inline size_t
model_scan(struct model *m, const char *p, size_t len)
{
	size_t i, n;
	const char *lf;

	for (i = 0; i < len && !m->facts.ended; i += n + (lf != NULL)) {
		lf = memchr(p + i, '\n', len - i);
		n = lf != NULL ? (size_t)(lf - p) - i : len - i;
		if (model_is_end(m, p + i, n))
			m->facts.ended = true;
		else
			model_line(m, p + i, n, lf != NULL);
	}
	return i;
}

/* The same by scan.c, cut where cut() says, each piece in memory of its own. */
static inline size_t
scan_pieces(struct scan *s, const char *p, size_t len, char *all,
    size_t (*cut)(size_t))
{
	size_t i = 0, n = 0, piece, made, taken;
	char *in, *out;

	while (i < len && !s->ended) {
		piece = cut(len - i);
		if (piece == 0)
			abort();
		in = malloc(piece);
		out = malloc(2 * piece + SCAN_SLACK);
		if (in == NULL || out == NULL)
			abort();
		memcpy(in, p + i, piece);
		made = scan_octets(s, in, piece, out, &taken);
		memcpy(all + n, out, made);
		n += made;
		i += taken;
		free(in);
		free(out);
		if (taken < piece && !s->ended)
			abort();
	}
	if (!s->ended)
		n += scan_end(s, all + n);
	return n;
}

/* Dots at the start of lines doubled. */
static inline size_t
model_stuff(const char *p, size_t len, char *out)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (p[i] == '.' && (i == 0 || p[i - 1] == '\n'))
			out[n++] = '.';
		out[n++] = p[i];
	}
	return n;
}

static inline size_t
stuff_pieces(const char *p, size_t len, char *all, size_t (*cut)(size_t))
{
	bool at_start = true;
	size_t i, n = 0, piece, made;
	char *in, *out;

	for (i = 0; i < len; i += piece) {
		piece = cut(len - i);
		if (piece == 0)
			abort();
		in = malloc(piece);
		out = malloc(2 * piece + SCAN_SLACK);
		if (in == NULL || out == NULL)
			abort();
		memcpy(in, p + i, piece);
		made = scan_stuff(in, piece, &at_start, out);
		memcpy(all + n, out, made);
		n += made;
		free(in);
		free(out);
	}
	return n;
}

#endif
