#include "aliases.h"
#include "buffer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bool
is_local(const struct mailbox *m, const void *context)
{
	(void)context;
	return m->domain == NULL || strcmp(m->domain, "localhost") == 0;
}

static FILE *
open_list(const char *name, bool *safe)
{
	static char list[] = "# comment\na@x, b@x\n\nroot\n";

	*safe = strcmp(name, "/unsafe") != 0;
	if (strcmp(name, "/none") != 0)
		return fmemopen(list, strlen(list), "r");
	errno = ENOENT;
	return NULL;
}

static void
read_octets(struct aliases *a, const char *text, size_t len,
    struct pool *pool)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, len, "r");

	assert_non_null(f);
	aliases_init(a, pool);
	aliases_read(a, f, "f", open_list);
	(void)fclose(f);
}

/* "a@x root": local names come without a domain; "-": not found. */
static const char *
expanded(const struct aliases *a, const char *local, struct pool *pool)
{
	struct mailbox *list = NULL;
	struct failure why;
	const char *out = "";
	size_t n = 0, i;
	bool found;

	if (!aliases_expand(a, local, is_local, NULL, pool, &list, &n, &found,
	    &why))
		return pool_string(pool, why.text);
	for (i = 0; i < n; i++)
		out = pool_printf(pool, "%s%s%s%s%s", out, i > 0 ? " " : "",
		    list[i].local, list[i].domain != NULL ? "@" : "",
		    list[i].domain != NULL ? list[i].domain : "");
	return found ? out : "-";
}

static const struct {
	const char *file, *local, *want;
} cases[] = {
	{ "", "root", "-" },
	{ "root: a@x\n", "root", "a@x" },
	{ "root: a@x", "ROOT", "a@x" },
	{ "Root : a@x\r\n", "root", "a@x" },
	{ "root: a@x\n", "other", "-" },
	{ "root: a@x,b@x,\n", "root", "a@x b@x" },
	{ "root: a@x,\n  b@x,\n\n# c\n\tc@x\nx: y\n", "root", "a@x b@x c@x" },
	{ "root: \"A, B\" <a@x> (c, d), b@x\n", "root", "a@x b@x" },
	{ "\"a b\": c@x\n", "a b", "c@x" },
	{ "\"a:b\": c@x\n", "a:b", "c@x" },
	{ "a: b\nb: c\nc: d@x\n", "a", "d@x" },
	{ "a: b@localhost\nb: d@x\n", "a", "d@x" },
	{ "a: b@elsewhere\nb: d@x\n", "a", "b@elsewhere" },
	{ "a: a, b@x\n", "a", "a b@x" },
	{ "a: a@localhost\n", "a", "a" },
	{ "a: b\nb: a, c@x\n", "a", "a c@x" },
	{ "a: \\b\nb: c@x\n", "a", "b" },
	{ "a: b\n", "a", "b" },
	{ "default: d@x\na: b@x\n", "a", "b@x" },
	{ "default: d@x\na: b@x\n", "z", "d@x" },
	{ "*: d@x\n", "z", "d@x" },
	{ "*: s@x\ndefault: d@x\n", "z", "d@x" },
	{ "default: d\n", "z", "d" },
	{ "a: :include:/list\nroot: r@x\n", "a", "a@x b@x r@x" },
	{ "a: \":include:/list\"\n", "a", "a@x b@x root" },
	{ "a: |cmd\n", "a", "f:1: a names \"|cmd\", but mail goes to "
	    "addresses only: no command is run and no file is written" },
	{ "x: y@z\na: \"|cmd a, b\", c@x\n", "a", "f:2: a names \"\"|cmd a, "
	    "b\"\", but mail goes to addresses only: no command is run and no "
	    "file is written" },
	{ "a: /dev/null\n", "a", "f:1: a names \"/dev/null\", but mail goes "
	    "to addresses only: no command is run and no file is written" },
	{ "a: :fail: gone\n", "a", "f:1: a names \":fail: gone\", but mail "
	    "goes to addresses only: no command is run and no file is "
	    "written" },
	{ "a: b@\n", "a", "f:1: \"b@\" is no address: its domain is missing" },
};

static void
test_expand(void **state)
{
	struct aliases a;
	struct pool *pool;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		pool = pool_new();
		read_octets(&a, *cases[i].file != '\0' ? cases[i].file : "\n",
		    strlen(cases[i].file) + (*cases[i].file == '\0'), pool);
		assert_string_equal(expanded(&a, cases[i].local, pool),
		    cases[i].want);
		pool_free(pool);
	}
}

static void
test_errors(void **state)
{
	static const char file[] = "a: b@\nno colon\n: x\nc:\n d@x\n\ne:\n"
	    "A: again@x\nf: |cmd\ng: :include:/none\nh: :include:/unsafe\n";
	static const char *const wanted[] = {
		"f:1: \"b@\" is no address: its domain is missing",
		"f:2: this is no alias: it wants a name, \":\" and addresses",
		"f:3: this is no alias: it wants a name, \":\" and addresses",
		"f:7: nobody stands behind e",
		"f:9: |cmd: mail goes to addresses only; no command is run "
		"and no file is written",
		"f:10: /none cannot be read: No such file or directory",
		"f:11: /unsafe is not read: others than root can write it",
		"f:8: there is an alias a already, in line 1",
	};
	struct pool *pool = pool_new();
	struct aliases a;
	size_t i;

	(void)state;
	read_octets(&a, file, strlen(file), pool);
	for (i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		assert_true(i < a.nerrors);
		assert_string_equal(a.errors[i], wanted[i]);
	}
	assert_int_equal(a.nerrors, i);
	read_octets(&a, " x\na: b\0c\n", 10, pool);
	assert_int_equal(a.nerrors, 2);
	assert_string_equal(a.errors[0], "f:1: this line continues nothing");
	assert_string_equal(a.errors[1], "f:2: the line is too long or has a "
	    "NUL in it");
	pool_free(pool);
}

/* A chain of n aliases, each naming the next one twice. */
static char *
chain(size_t n, struct pool *pool)
{
	struct buffer b = { 0 };
	char *text;
	size_t i;

	for (i = 0; i < n; i++)
		buffer_printf(&b, "a%zu: a%zu, a%zu\n", i, i + 1, i + 1);
	text = pool_octets(pool, buffer_data(&b), buffer_len(&b));
	buffer_free(&b);
	return text;
}

static void
test_limits(void **state)
{
	struct pool *pool = pool_new();
	struct buffer b = { 0 };
	struct aliases a;
	char *text;
	size_t i;

	(void)state;
	text = chain(20, pool);
	read_octets(&a, text, strlen(text), pool);
	assert_non_null(strstr(expanded(&a, "a0", pool),
	    "has too many members"));
	for (i = 0; i < 40; i++)
		buffer_printf(&b, "a%zu: a%zu\n", i, i + 1);
	read_octets(&a, buffer_data(&b), buffer_len(&b), pool);
	assert_string_equal(expanded(&a, "a0", pool), "f:33: the alias a32 "
	    "leads on too deeply");
	assert_string_equal(expanded(&a, "a10", pool), "a40");
	buffer_free(&b);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
