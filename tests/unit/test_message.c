#include "message.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static bool
read_fd(int fd, bool dot_ends, struct pool *pool, struct message **m,
    struct failure *why)
{
	struct input in = { .fd = fd };
	bool ok = message_read(&in, dot_ends, NULL, pool, m, why);

	buffer_free(&in.octets);
	return ok;
}

/* A line is too long also when the whole of it has come at once. */
static void
test_line_at_once(void **state)
{
	static const char text[] = "1234\n12345\n";
	struct input in = { .fd = -1, .eof = true };
	struct failure why;
	size_t len, end;

	(void)state;
	buffer_put(&in.octets, text, sizeof text - 1);
	assert_true(input_line(&in, 4, &len, &end, &why));
	assert_int_equal(end, 5);
	buffer_take(&in.octets, end);
	assert_false(input_line(&in, 4, &len, &end, &why));
	assert_int_equal(why.kind, FAILURE_MESSAGE);
	buffer_free(&in.octets);
}

/* A child writes the text in chunks that the reader sees one by one. */
static int
chunked(const char *text, size_t len, size_t chunk, pid_t *pid)
{
	int fds[2];
	size_t n;

	assert_int_equal(pipe(fds), 0);
	*pid = fork();
	if (*pid == 0) {
		(void)close(fds[0]);
		for (; len > 0; text += n, len -= n) {
			n = len < chunk ? len : chunk;
			if (write(fds[1], text, n) != (ssize_t)n)
				_exit(1);
			(void)usleep(300);
		}
		_exit(0);
	}
	(void)close(fds[1]);
	return fds[0];
}

static struct message *
read_chunks(const char *text, size_t len, size_t chunk, bool dot_ends,
    struct pool *pool)
{
	struct message *m = NULL;
	struct failure why = { 0 };
	pid_t pid;
	int fd = chunked(text, len, chunk, &pid);

	assert_true(read_fd(fd, dot_ends, pool, &m, &why));
	(void)close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return m;
}

static struct message *
read_file(const char *text, size_t len, bool dot_ends, struct pool *pool)
{
	struct message *m = NULL;
	struct failure why = { 0 };
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fflush(f), 0);
	rewind(f);
	assert_true(read_fd(fileno(f), dot_ends, pool, &m, &why));
	(void)fclose(f);
	return m;
}

static char *
octets(const struct message *m, size_t room, struct pool *pool)
{
	char *out = pool_alloc(pool, (size_t)message_size(m) + 1);
	struct failure why = { 0 };
	uint64_t at = 0;
	size_t n;

	for (;;) {
		assert_true(message_octets(m, at, out + at,
		    message_size(m) - at < room ? (size_t)(message_size(m) -
		    at) + 1 : room, &n, &why));
		if (n == 0)
			break;
		at += n;
		assert_true(at <= message_size(m));
	}
	assert_true(at == message_size(m));
	return out;
}

static const struct form {
	const char *in;
	bool dot_ends;
	const char *out;		/* header, blank line, body */
} forms[] = {
	{ "", true, "\r\n" },
	{ "A: b\n\nc\n", true, "A: b\r\n\r\nc\r\n" },
	{ "A: b\r\n\r\nc\r\n", true, "A: b\r\n\r\nc\r\n" },
	{ "A: b\n\nc\r\nd\ne", true, "A: b\r\n\r\nc\r\nd\r\ne\r\n" },
	{ "A: b", true, "A: b\r\n\r\n" },
	{ "A: b\n\nc", true, "A: b\r\n\r\nc\r\n" },
	{ "A: b\n\n\n\nc\n", true, "A: b\r\n\r\n\r\n\r\nc\r\n" },
	/* bare CR */
	{ "A: b\rc\n\nd\n", true, "A: b c\r\n\r\nd\r\n" },
	{ "A: b\n\nc\rd\n", true, "A: b\r\n\r\nc\r\nd\r\n" },
	{ "A: b\n\nc\r\r\nd\n", true, "A: b\r\n\r\nc\r\n\r\nd\r\n" },
	{ "A: b\n\nc\r", true, "A: b\r\n\r\nc\r\n" },
	{ "A: b\n\nc\n\rd\n", true, "A: b\r\n\r\nc\r\n\r\nd\r\n" },
	/* the smuggler's line ends do not end the input */
	{ "A: b\n\nc\r.\rd\n", true, "A: b\r\n\r\nc\r\n.\r\nd\r\n" },
	/* dots */
	{ "A: b\n\nc\n.\nd\n", true, "A: b\r\n\r\nc\r\n" },
	{ "A: b\n\nc\r\n.\r\nd\r\n", true, "A: b\r\n\r\nc\r\n" },
	{ "A: b\n\nc\n.", true, "A: b\r\n\r\nc\r\n" },
	{ "A: b\n.\nc\n", true, "A: b\r\n\r\n" },
	{ "A: b\n\n.\nc\n", true, "A: b\r\n\r\n" },
	{ "A: b\n\nc\n.\nd\n", false, "A: b\r\n\r\nc\r\n.\r\nd\r\n" },
	{ "A: b\n\n..\n..c\n.d\n...\n", true,
	    "A: b\r\n\r\n.\r\n.c\r\n.d\r\n..\r\n" },
	{ "A: b\n\n..\n..c\n.d\n", false,
	    "A: b\r\n\r\n..\r\n..c\r\n.d\r\n" },
	{ "A: b\n\n. \nc..\n", true, "A: b\r\n\r\n. \r\nc..\r\n" },
	{ "A: b\n\n..", true, "A: b\r\n\r\n.\r\n" },
	/* the end of the header */
	{ "A: b\nno field\n", true, "A: b\r\n\r\nno field\r\n" },
	{ "no field\nA: b\n", true, "\r\nno field\r\nA: b\r\n" },
	{ "\nA: b\n", true, "\r\nA: b\r\n" },
	{ " A: b\n", true, "\r\n A: b\r\n" },
	{ "A: b\n c\n\td\nE: f\n\ng\n", true,
	    "A: b\r\n c\r\n\td\r\nE: f\r\n\r\ng\r\n" },
	{ "A: b\n \n\nc\n", true, "A: b\r\n \r\n\r\nc\r\n" },
	/* mbox */
	{ "From me Thu Jan  1\nA: b\n\nFrom c\n", true,
	    "A: b\r\n\r\nFrom c\r\n" },
	{ ">From me\r\nA: b\r\n\r\nc\r\n", true, "A: b\r\n\r\nc\r\n" },
	{ "A: b\nFrom me\n\nc\n", true, "A: b\r\n\r\nFrom me\r\n\r\nc\r\n" },
	{ "From: b\n\nc\n", true, "From: b\r\n\r\nc\r\n" },
};

static void
test_forms(void **state)
{
	const struct form *f;

	(void)state;
	for (f = forms; f < forms + sizeof forms / sizeof *forms; f++) {
		struct pool *pool = pool_new();
		struct message *m = read_file(f->in, strlen(f->in),
		    f->dot_ends, pool);

		message_compose(m, "", NULL);
		assert_string_equal(octets(m, 100, pool), f->out);
		message_free(m);
		pool_free(pool);
	}
}

/* Wherever the input is cut, the message is the same. */
static void
test_chunks(void **state)
{
	const struct form *f;
	size_t chunk;

	(void)state;
	for (f = forms; f < forms + sizeof forms / sizeof *forms; f++) {
		for (chunk = 1; chunk <= 3; chunk++) {
			struct pool *pool = pool_new();
			struct message *m = read_chunks(f->in, strlen(f->in),
			    chunk, f->dot_ends, pool);

			message_compose(m, "", NULL);
			assert_string_equal(octets(m, 1, pool), f->out);
			message_free(m);
			pool_free(pool);
		}
	}
}

static void
test_facts(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		bool header_8bit, header_nul, body_8bit, body_nul, dots;
		size_t longest;
		bool ended_by_dot, more_after_dot;
	} cases[] = {
#define IN(s) s, sizeof s - 1
		{ IN("A: b\n\nc\n"), 0, 0, 0, 0, 0, 4, 0, 0 },
		{ IN("A: \xc3\xbc\n\nc\n"), 1, 0, 0, 0, 0, 5, 0, 0 },
		{ IN("A: \0\n\nc\n"), 0, 1, 0, 0, 0, 4, 0, 0 },
		{ IN("A: b\n\n\xff\n"), 0, 0, 1, 0, 0, 4, 0, 0 },
		{ IN("A: b\n\nabcde\0f\n"), 0, 0, 0, 1, 0, 7, 0, 0 },
		{ IN("A: b\n\n..c\n"), 0, 0, 0, 0, 1, 4, 0, 0 },
		{ IN("A: b\n\nc\r.d\n"), 0, 0, 0, 0, 1, 4, 0, 0 },
		{ IN(".A: b\n\nc\n"), 0, 0, 0, 0, 1, 5, 0, 0 },
		{ IN("A: b\n\nc\n.\n"), 0, 0, 0, 0, 0, 4, 1, 0 },
		{ IN("A: b\n\nc\n.\nd"), 0, 0, 0, 0, 0, 4, 1, 1 },
		{ IN("A: b\n\n123456\r\n1\n"), 0, 0, 0, 0, 0, 6, 0, 0 },
#undef IN
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pool *pool = pool_new();
		struct message *m = read_file(cases[i].in, cases[i].len, true,
		    pool);

		assert_int_equal(m->header_8bit, cases[i].header_8bit);
		assert_int_equal(m->header_nul, cases[i].header_nul);
		assert_int_equal(m->body_8bit, cases[i].body_8bit);
		assert_int_equal(m->body_nul, cases[i].body_nul);
		assert_int_equal(m->dots, cases[i].dots);
		assert_int_equal(m->longest, cases[i].longest);
		assert_int_equal(m->ended_by_dot, cases[i].ended_by_dot);
		assert_int_equal(m->more_after_dot, cases[i].more_after_dot);
		message_free(m);
		pool_free(pool);
	}
}

static void
test_fields(void **state)
{
	static const char in[] = "To: a\n b\nBcc : c\nto: d\n\n";
	struct pool *pool = pool_new();
	struct message *m = read_file(in, strlen(in), true, pool);
	const char *instead[] = { NULL, "", "to: \xc3\xbc\r\n" };

	(void)state;
	assert_int_equal(m->nfields, 3);
	assert_ptr_equal(message_field(m, "TO"), &m->fields[0]);
	assert_string_equal(field_value(&m->fields[0], pool), "a b");
	assert_string_equal(field_value(message_field(m, "bcc"), pool), "c");
	assert_null(message_field(m, "b"));
	assert_int_equal(m->fields[0].len, strlen("To: a\r\n b\r\n"));
	message_compose(m, "X: y\r\n", instead);
	assert_string_equal(octets(m, 3, pool),
	    "X: y\r\nTo: a\r\n b\r\nto: \xc3\xbc\r\n\r\n");
	assert_true(m->header_8bit);
	instead[2] = NULL;
	message_compose(m, "", instead);
	assert_false(m->header_8bit);
	message_free(m);
	pool_free(pool);
}

static void
test_signed(void **state)
{
	static const struct {
		const char *in;
		bool is_signed;
	} cases[] = {
		{ "Subject: s\n\n", false },
		{ "DKIM-Signature: v=1\n\n", true },
		{ "ARC-Seal: i=1\n\n", true },
		{ "arc-message-signature: i=1\n\n", true },
		{ "Content-Type: multipart/signed; micalg=x\n\n", true },
		{ "Content-Type:\n Multipart/SIGNED\n\n", true },
		{ "Content-Type: application/pkcs7-mime\n\n", true },
		{ "Content-Type: application/x-pkcs7-mime;\n\n", true },
		{ "Content-Type: multipart/signedness\n\n", false },
		{ "Content-Type: text/plain; x=multipart/signed\n\n", false },
	};
	struct pool *pool;
	struct message *m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		pool = pool_new();
		m = read_file(cases[i].in, strlen(cases[i].in), true, pool);
		assert_int_equal(message_is_signed(m, pool),
		    cases[i].is_signed);
		message_free(m);
		pool_free(pool);
	}
}

/* Past SPOOL_MEMORY the body is in a file; no chunk of it is out of place. */
static void
test_spooled(void **state)
{
	struct pool *pool = pool_new();
	size_t lines = 3 * SPOOL_MEMORY / 16, i;
	char *in = pool_alloc(pool, lines * 16 + 100), *p = in, *out;
	struct message *m;

	(void)state;
	p += sprintf(p, "A: b\n\n");
	for (i = 0; i < lines; i++)
		p += sprintf(p, "..%012zu\n", i);
	m = read_chunks(in, (size_t)(p - in), 60000, true, pool);
	message_compose(m, "", NULL);
	assert_int_equal(m->longest, 13);
	assert_int_equal(message_size(m), 8 + lines * 15);
	out = octets(m, 70001, pool);
	for (i = 0; i < lines; i++) {
		char want[32];

		(void)snprintf(want, sizeof want, ".%012zu\r\n", i);
		assert_memory_equal(out + 8 + i * 15, want, 15);
	}
	message_free(m);
	pool_free(pool);
}

/* One line that is longer than every buffer. */
static void
test_long_line(void **state)
{
	struct pool *pool = pool_new();
	size_t len = 2 * SPOOL_MEMORY + 17;
	char *in = pool_alloc(pool, len + 100);
	struct message *m;

	(void)state;
	memcpy(in, "A: b\n\n", 6);
	memset(in + 6, 'x', len);
	m = read_file(in, 6 + len, true, pool);
	message_compose(m, "", NULL);
	assert_int_equal(m->longest, len);
	assert_int_equal(message_size(m), 8 + len + 2);
	message_free(m);
	pool_free(pool);
}

/* Nor is it too long for a header when it is none. */
static void
test_long_text(void **state)
{
	struct pool *pool = pool_new();
	size_t len = MESSAGE_HEADER_MAX + 17;
	char *in = pool_alloc(pool, len + 1);
	struct input field = { .fd = -1, .eof = true };
	struct failure why;
	struct message *m;

	(void)state;
	memset(in, 'x', len);
	m = read_file(in, len, true, pool);
	message_compose(m, "", NULL);
	assert_int_equal(m->longest, len);
	message_free(m);
	in[1] = ':';
	buffer_put(&field.octets, in, len);
	assert_false(message_read(&field, true, NULL, pool, &m, &why));
	assert_int_equal(why.kind, FAILURE_MESSAGE);
	buffer_free(&field.octets);
	pool_free(pool);
}

static void
test_closed(void **state)
{
	struct pool *pool = pool_new();
	struct message *m = NULL;
	struct failure why = { 0 };
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	(void)close(fd);
	assert_false(read_fd(fd, true, pool, &m, &why));
	assert_int_equal(why.kind, FAILURE_NOINPUT);
	fd = open("/", O_RDONLY);
	assert_false(read_fd(fd, true, pool, &m, &why));
	assert_int_equal(why.kind, FAILURE_INPUT);
	(void)close(fd);
	message_free(NULL);
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_spooled),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_line_at_once),
		cmocka_unit_test(test_closed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
