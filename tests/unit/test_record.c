/* What changes has one length, whatever it says, and is read back. */
#include "record.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_MAX_SMTP = 512, REASON_MAX = 479 };

/* So many times the same text, then another. */
static const char *
times(const char *text, size_t n, const char *rest, struct pool *pool)
{
	char *all = pool_string(pool, "");

	while (n-- > 0)
		all = pool_printf(pool, "%s%s", all, text);
	return pool_printf(pool, "%s%s", all, rest);
}

/* Each line is a NOOP that SMTP can read. */
static size_t
check_lines(const char *text, size_t len)
{
	const char *end;
	size_t n = 0, i;

	for (; len > 0; n++) {
		end = memchr(text, '\n', len);
		assert_non_null(end);
		i = (size_t)(end - text) + 1;
		assert_true(i >= strlen("NOOP\r\n") && i <= LINE_MAX_SMTP);
		assert_memory_equal(text, "NOOP", 4);
		assert_true(text[4] == ' ' || text[4] == '\r');
		assert_true(text[i - 2] == '\r');
		text += i;
		len -= i;
	}
	return n;
}

static void
take_all(struct record *r, const char *text, size_t len, struct pool *pool)
{
	char *copy = pool_octets(pool, text, len), *line, *end;

	*r = (struct record){ 0 };
	for (line = copy; *line != '\0'; line = end + 2) {
		end = strstr(line, "\r\n");
		assert_non_null(end);
		*end = '\0';
		if (strncmp(line, "NOOP ", 5) == 0)
			record_take(r, line + 5, pool);
	}
}

static void
same_text(const char *got, const char *want)
{
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

static void
check(const struct record *want, const char *reason, struct pool *pool)
{
	struct buffer b = { 0 };
	struct record got;

	buffer_put(&b, "before", 6);
	record_put(&b, want, pool);
	assert_int_equal(buffer_len(&b), 6 + RECORD_ROOM);
	record_put_fixed(&b, want, pool);
	(void)check_lines(buffer_data(&b) + 6, buffer_len(&b) - 6);
	assert_memory_equal(buffer_data(&b) + 6, "NOOP sendoff 1\r\n"
	    "NOOP state ", 27);
	assert_memory_equal(buffer_data(&b) + 6 + RECORD_ROOM, "NOOP id ", 8);
	take_all(&got, buffer_data(&b) + 6, buffer_len(&b) - 6, pool);
	buffer_free(&b);
	assert_string_equal(got.state, want->state);
	assert_int_equal(got.attempts, want->attempts);
	assert_true(got.tried == want->tried && got.next == want->next);
	assert_true(got.created == want->created);
	assert_true(got.locked_out == want->locked_out);
	assert_true(got.untold == want->untold);
	assert_int_equal(got.status, reason != NULL ? want->status : 0);
	same_text(got.reason, reason);
	same_text(got.id, want->id);
	same_text(got.account, want->account);
}

static void
one_length(void **state)
{
	static const char *const states[] = { "queued", "held", "refused",
	    "unknown" };
	struct pool *pool = pool_new();
	const struct {
		const char *given, *kept;
	} reasons[] = {
		{ NULL, NULL }, { "", "" }, { "x", "x" },
		{ "451 4.3.0 later: \"x\"", "451 4.3.0 later: \"x\"" },
		{ "a\r\nNOOP state held", "a\\x0d\\x0aNOOP state held" },
		{ "\xc3\xbc \x1b[2J \xff", "\xc3\xbc \\x1b[2J \\xff" },
		{ times("a", REASON_MAX, "", pool),
		    times("a", REASON_MAX, "", pool) },
		{ times("a", REASON_MAX + 1, "", pool),
		    times("a", REASON_MAX - 3, "...", pool) },
		{ times("b", 1199, "", pool),
		    times("b", REASON_MAX - 3, "...", pool) },
		{ times("\x01", 1199, "", pool),
		    times("\\x01", (REASON_MAX - 3) / 4, "...", pool) },
		{ times("\xe2\x82\xac", 399, "", pool),
		    times("\xe2\x82\xac", (REASON_MAX - 3) / 3, "...", pool) },
	};
	struct record r;
	size_t i, flags;

	(void)state;
	for (i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		for (flags = 0; flags < 64; flags++) {
			r = (struct record){ .state = states[flags % 4],
			    .attempts = flags & 1 ? UINT_MAX : 1,
			    .tried = flags & 2 ? 253402300799 : 0,
			    .next = flags & 4 ? 1 : 0,
			    .locked_out = flags & 8, .untold = flags & 16,
			    .status = flags & 32 ? INT_MIN : 75,
			    .reason = reasons[i].given,
			    .id = "20261125T090554Z-7b2cf1e7f42a",
			    .account = flags & 1 ? "a b" : NULL,
			    .created = flags & 2 ? 1764061554 : 0 };
			check(&r, reasons[i].kept, pool);
		}
	}
	pool_free(pool);
}

/* Every length of what must be filled up. */
static void
every_length(void **state)
{
	struct pool *pool = pool_new();
	struct record r = { .state = "queued", .attempts = 1, .status = 75,
	    .id = "i" };
	size_t i;

	(void)state;
	for (i = 0; i <= REASON_MAX; i++) {
		r.reason = times("r", i, "", pool);
		check(&r, r.reason, pool);
		pool_free(pool);
		pool = pool_new();
	}
	pool_free(pool);
}

/* What somebody has edited: never more than it says. */
static void
damaged(void **state)
{
	static const struct {
		const char *line;
		struct record want;
	} cases[] = {
		{ "", { 0 } },			{ "state", { 0 } },
		{ "state ", { .state = "" } },	{ "State held", { 0 } },
		{ "stateheld", { 0 } },		{ " state held", { 0 } },
		{ "state  held", { .state = " held" } },
		{ "locked-out", { .locked_out = true } },
		{ "locked-out yes", { 0 } },	{ "locked-ou", { 0 } },
		{ "untold", { .untold = true } },
		{ "untold ", { 0 } },
		{ "attempts", { 0 } },		{ "attempts x", { 0 } },
		{ "attempts 3", { .attempts = 3 } },
		{ "attempts 3x", { .attempts = 3 } },
		{ "status x", { 0 } },		{ "status 69", { .status = 69 } },
		{ "tried", { 0 } },		{ "tried yesterday", { 0 } },
		{ "tried 2026-02-30T00:00:00Z", { 0 } },
		{ "next 2026-01-01", { 0 } },
		{ "next 1970-01-01T00:01:00Z", { .next = 60 } },
		{ "next 1970-01-01T00:01:00Z ", { 0 } },
		{ "created 1970-01-01T01:01:00+01:00", { .created = 60 } },
		{ "id a b", { .id = "a b" } },
		{ "account ", { .account = "" } },
		{ "reason a reason", { .reason = "a reason" } },
		{ "sendoff 1", { 0 } },		{ "something else", { 0 } },
	};
	struct pool *pool = pool_new();
	struct record got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		got = (struct record){ 0 };
		record_take(&got, cases[i].line, pool);
		if (got.attempts != cases[i].want.attempts ||
		    got.tried != cases[i].want.tried ||
		    got.next != cases[i].want.next ||
		    got.created != cases[i].want.created ||
		    got.status != cases[i].want.status ||
		    got.locked_out != cases[i].want.locked_out ||
		    got.untold != cases[i].want.untold)
			fail_msg("\"%s\"", cases[i].line);
		same_text(got.state, cases[i].want.state);
		same_text(got.reason, cases[i].want.reason);
		same_text(got.id, cases[i].want.id);
		same_text(got.account, cases[i].want.account);
	}
	got = (struct record){ .next = 7 };
	record_take(&got, "next never", pool);
	assert_true(got.next == 0);		/* the last one counts */
	pool_free(pool);
}

/* Whatever was read can be written. */
static void
large_numbers(void **state)
{
	static const char *const lines[] = { "attempts 99999999999999999999",
	    "attempts 4294967296", "attempts -1" };
	struct pool *pool = pool_new();
	struct buffer b = { 0 };
	struct record r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lines / sizeof *lines; i++) {
		r = (struct record){ .state = "queued", .id = "i" };
		record_take(&r, lines[i], pool);
		record_put(&b, &r, pool);
		assert_int_equal(buffer_len(&b), RECORD_ROOM);
		buffer_free(&b);
		b = (struct buffer){ 0 };
	}
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_length),
		cmocka_unit_test(every_length),
		cmocka_unit_test(damaged),
		cmocka_unit_test(large_numbers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
