/*
 * The fast scan against the slow model of it, wherever the input is cut: the
 * same octets, the same facts.
 */
#include "fuzz.h"
#include "tests/unit/scan_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t piece;

static size_t
cut(size_t left)
{
	return piece < left ? piece : left;
}

static void
check_scan(const char *p, size_t len, bool dot_ends)
{
	struct model m = { .out = malloc(2 * len + 2),
	    .facts.dot_ends = dot_ends };
	struct scan s = { .dot_ends = dot_ends };
	char *out = malloc(2 * len + SCAN_SLACK);
	size_t n;

	assert(m.out != NULL && out != NULL);
	(void)model_scan(&m, p, len);
	n = scan_pieces(&s, p, len, out, cut);
	assert(n == m.n && memcmp(out, m.out, n) == 0);
	assert(s.has_8bit == m.facts.has_8bit);
	assert(s.has_nul == m.facts.has_nul);
	assert(s.has_dots == m.facts.has_dots);
	assert(s.longest == m.facts.longest);
	assert(s.ended == m.facts.ended);
	free(m.out);
	free(out);
}

static void
check_stuffing(const char *p, size_t len)
{
	char *want = malloc(2 * len + 1), *got = malloc(2 * len + 1);
	size_t n;

	assert(want != NULL && got != NULL);
	n = model_stuff(p, len, want);
	assert(stuff_pieces(p, len, got, cut) == n);
	assert(memcmp(got, want, n) == 0);
	free(want);
	free(got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p;

	if (size < 2)
		return 0;
	piece = (size_t)data[1] + 1;
	p = (const char *)data + 2;
	check_scan(p, size - 2, (data[0] & 1) != 0);
	check_stuffing(p, size - 2);
	return 0;
}
