#include "aliases.h"
#include "buffer.h"
#include "failure.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool
is_local(const struct mailbox *m, const void *host)
{
	return m->domain == NULL || strcmp(m->domain, host) == 0;
}

/* Files that entries include, by their names. */
static const struct {
	const char *name, *text;
} lists[] = {
	{ "/list", "# comment\na@x, b@x\r\n\n  # another\nroot" },
	{ "/a list, long", "c@x\n" },
	{ "/empty", "# nobody yet\n" },
	{ "/refused", "a@x\n\n|cmd\n" },
	{ "/bad", "a@x\nb@\n" },
	{ "/nested", ":include:/list\n" },
	{ "/unsafe", "a@x\n" },
};

static FILE *
open_list(const char *name, bool *safe)
{
	static char half[ALIASES_FILE_MAX / 2];
	size_t i;

	*safe = strcmp(name, "/unsafe") != 0;
	if (strcmp(name, "/folder") == 0)
		return fopen(".", "r");
	if (strcmp(name, "/half") == 0) {
		memset(half, '\n', sizeof half);
		return fmemopen(half, sizeof half, "r");
	}
	for (i = 0; i < sizeof lists / sizeof *lists; i++)
		if (strcmp(name, lists[i].name) == 0)
			return fmemopen((void *)(uintptr_t)lists[i].text,
			    strlen(lists[i].text), "r");
	errno = ENOENT;
	return NULL;
}

static void
read_octets(struct aliases *a, const char *text, size_t len,
    struct pool *pool)
{
	FILE *f = len > 0 ? fmemopen((void *)(uintptr_t)text, len, "r") :
	    fopen("/dev/null", "r");

	assert_non_null(f);
	aliases_init(a, pool);
	aliases_read(a, f, "f", open_list);
	(void)fclose(f);
}

static void
read_text(struct aliases *a, const char *text, struct pool *pool)
{
	read_octets(a, text, strlen(text), pool);
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

	if (!aliases_expand(a, local, is_local, "localhost", pool, &list, &n,
	    &found, &why))
		return pool_printf(pool, "%s: %s", failure_word(why.kind),
		    why.text);
	for (i = 0; i < n; i++)
		out = pool_printf(pool, "%s%s%s%s%s", out, i > 0 ? " " : "",
		    list[i].local, list[i].domain != NULL ? "@" : "",
		    list[i].domain != NULL ? list[i].domain : "");
	assert_int_equal(found, n > 0);
	return found ? out : "-";
}

#define ONLY ", but mail goes to addresses only: "
#define NONE ONLY "no command is run and no file is written"
#define FATE ONLY "there are no other fates here"

static const struct {
	const char *file, *local, *want;
} cases[] = {
	/* lines */
	{ "", "root", "-" },
	{ "\n# c: x\n", "c", "-" },
	{ "root: a@x\n", "root", "a@x" },
	{ "root: a@x", "root", "a@x" },
	{ "root: a@x\r\n", "root", "a@x" },
	{ "root: a@x,\r\n b@x\r\n", "root", "a@x b@x" },
	{ "root: a@x\r", "root", "a@x" },
	{ "root:\n\ta@x", "root", "a@x" },
	{ "root\n : a@x", "root", "a@x" },
	{ "root: a@x,\n  b@x,\n\n# c\n  # d\n \t\n\tc@x\nx: y\n", "root",
	    "a@x b@x c@x" },
	{ "root: a@x,\n#b@x,\n c@x", "root", "a@x c@x" },
	{ "a: b@x\n\nc: d@x", "c", "d@x" },
	{ "a: b@x\rc@x\n", "a", "address: f:1: \"b@x\\x0dc@x\" is no address: "
	    "a character in it must be quoted" },
	/* names */
	{ "root: a@x\n", "ROOT", "a@x" },
	{ "Root : a@x\n", "root", "a@x" },
	{ "root: a@x\n", "roo", "-" },
	{ "roo: a@x\n", "root", "-" },
	{ "a.b+c-d: e@x", "a.b+c-d", "e@x" },
	{ "\"a b\": c@x\n", "a b", "c@x" },
	{ "\"a:b\": c@x\n", "a:b", "c@x" },
	{ "\"a\\\"b\": c@x\n", "a\"b", "c@x" },
	{ "\"root\": c@x\n", "root", "c@x" },
	{ "default: d@x\na: b@x\n", "a", "b@x" },
	{ "default: d@x\na: b@x\n", "z", "d@x" },
	{ "*: d@x\n", "z", "d@x" },
	{ "*: s@x\ndefault: d@x\n", "z", "d@x" },
	{ "default: d\n", "z", "d" },
	{ "default: d\nd: e@x\n", "z", "e@x" },
	{ "a: 1@x\nb: 2@x\nA: 3@x\na: 4@x\n", "a", "1@x" },
	{ "a: 1@x\nb: 2@x\nA: 3@x\na: 4@x\n", "b", "2@x" },
	/* members */
	{ "root: a@x,b@x,\n", "root", "a@x b@x" },
	{ "root: ,,a@x , ,b@x\n", "root", "a@x b@x" },
	{ "root: a@x b@x; c@x\n", "root", "a@x b@x c@x" },
	{ "root: \"A, B\" <a@x> (c, d), b@x\n", "root", "a@x b@x" },
	{ "root: A \\\" <a@x>, b@x\n", "root", "address: f:1: \"A \\\" <a@x>, "
	    "b@x\" is no address: a character in it must be quoted" },
	{ "root: \"a\\\",b\"@x, c@x\n", "root", "a\",b@x c@x" },
	{ "root: a@x (\\), b), c@x\n", "root", "a@x c@x" },
	{ "root: \"a(<\"@x, :include:/list\n", "root", "a(<@x a@x b@x root" },
	{ "root: \"Second\n Man\" <a@x>\n", "root", "a@x" },
	{ "root: \"first last\", b@x\n", "root", "first last b@x" },
	{ "root: \\\"a, b\", c@x\n", "root", "a, b c@x" },
	{ "root: \"/S=a/\"@x, \"|b\"@x, \":c\"@x", "root", "/S=a/@x |b@x :c@x" },
	{ "root: \xc3\xbc@x\n", "root", "\xc3\xbc@x" },
	/* what is looked up again */
	{ "a: b\nb: c\nc: d@x\n", "a", "d@x" },
	{ "a: B\nb: d@x\n", "a", "d@x" },
	{ "a: b@localhost\nb: d@x\n", "a", "d@x" },
	{ "a: b@elsewhere\nb: d@x\n", "a", "b@elsewhere" },
	{ "a: b@localhost\n", "a", "b@localhost" },
	{ "a: \\b\nb: c@x\n", "a", "b" },
	{ "a: \\b@localhost\nb: c@x\n", "a", "b@localhost" },
	{ "a: b\n", "a", "b" },
	/* order; each once */
	{ "a: b, 2@x\nb: 1@x, c\nc: 0@x\n", "a", "1@x 0@x 2@x" },
	{ "a: b, c@x, c@X, b\nb: d@x, c@x\n", "a", "d@x c@x" },
	{ "a: c@x, C@x, c, c@y, c\n", "a", "c@x C@x c c@y" },
	{ "a: 3@x, 1@x, 2@x, 1@x, 3@x, 2@x", "a", "3@x 1@x 2@x" },
	/* loops */
	{ "a: a, b@x\n", "a", "a b@x" },
	{ "a: A\n", "a", "A" },
	{ "a: a@localhost\n", "a", "a" },
	{ "a: b\nb: a, c@x\n", "a", "a c@x" },
	{ "a: b, c\nb: c\nc: b, d@x\n", "a", "b d@x c" },
	{ "a: b, b\nb: c@x\n", "a", "c@x" },
	{ "default: foo, bar@x\n", "z", "foo bar@x" },
	{ "default: \"\"@localhost, \"|c\"@localhost, b@x\n", "z",
	    "@localhost |c@localhost b@x" },
	/* included files */
	{ "a: :include:/list\nroot: r@x\n", "a", "a@x b@x r@x" },
	{ "a: :Include: /list, z@x\n", "a", "a@x b@x root z@x" },
	{ "a: \":include:/a list, long\", z@x\n", "a", "c@x z@x" },
	{ "a: z@x,\n :include:/none, y@x\n", "a", "config: f:2: \"/none\" is "
	    "not read: No such file or directory" },
	{ "a: :include:/unsafe\n", "a", "config: f:1: \"/unsafe\" is not read: "
	    "others than root can write it" },
	{ "a: :include:list\n", "a", "config: f:1: \"list\" is not read: its "
	    "name does not begin with \"/\"" },
	{ "a: :include:/empty\n", "a", "config: f:1: nobody stands behind a" },
	{ "a: :include:/refused\n", "a", "address: /refused:3: a names "
	    "\"|cmd\"" NONE },
	{ "a: :include:/bad\n", "a", "address: /bad:2: \"b@\" is no address: "
	    "its domain is missing" },
	{ "a: :include:/nested\n", "a", "config: /nested:1: \"/list\" is not "
	    "read: no file is included here" },
	{ "a: :include:/folder\n", "a", "config: f:1: /folder cannot be read: "
	    "Is a directory" },
	/* what is refused, and that nobody is left out in silence */
	{ "a: |cmd\n", "a", "address: f:1: a names \"|cmd\"" NONE },
	{ "x: y@z\na: \"|cmd a, b\", c@x\n", "a", "address: f:2: a names "
	    "\"|cmd a, b\"" NONE },
	{ "a: b@x,\n# c\n c@x,\n \"|cmd \\\"a\\\"\"\n", "a", "address: f:4: a "
	    "names \"|cmd \"a\"\"" NONE },
	{ "a: <\"|cmd\">\n", "a", "address: f:1: a names \"|cmd\"" NONE },
	{ "a: \\|cmd\n", "a", "address: f:1: a names \"|cmd\"" NONE },
	{ "a: /dev/null\n", "a", "address: f:1: a names \"/dev/null\"" NONE },
	{ "a: \"/var/mail/a b\"\n", "a", "address: f:1: a names "
	    "\"/var/mail/a b\"" NONE },
	{ "a: /file@x\n", "a", "address: f:1: a names \"/file@x\"" NONE },
	{ "a: :fail: gone\n", "a", "address: f:1: a names \":fail: gone\""
	    FATE },
	{ "a: :blackhole:\n", "a", "address: f:1: a names \":blackhole:\""
	    FATE },
	{ "a: \":defer:\"\n", "a", "address: f:1: a names \":defer:\"" FATE },
	{ "a: b@x; \"|cmd\"\n", "a", "address: f:1: \"b@x; \"|cmd\"\" is no "
	    "list of addresses" },
	{ "a: \"\"\n", "a", "address: f:1: \"\"\"\" is no list of "
	    "addresses" },
	{ "a: (nobody)\n", "a", "address: f:1: \"(nobody)\" is no list of "
	    "addresses" },
	{ "a: b@\n", "a", "address: f:1: \"b@\" is no address: its domain is "
	    "missing" },
	{ "a: \\b@\n", "a", "address: f:1: \"b@\" is no address: its domain "
	    "is missing" },
	{ "b: c,\n d@\na: b@localhost\n", "a", "address: f:2: \"d@\" is no "
	    "address: its domain is missing" },
	{ "a:\n", "a", "config: f:1: nobody stands behind a" },
	{ "a: ,\n ,\nb: c@x\n", "a", "config: f:1: nobody stands behind a" },
	{ "a: |cmd\nb: c@x\n", "b", "c@x" },
};

static void
expands(void **state)
{
	struct aliases a;
	struct pool *pool;
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		pool = pool_new();
		read_text(&a, cases[i].file, pool);
		got = expanded(&a, cases[i].local, pool);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s\n%s -> %s, not %s", cases[i].file,
			    cases[i].local, got, cases[i].want);
		pool_free(pool);
	}
}

#define NO_ALIAS "this is no alias: it wants a local name, in quotes when " \
	"it has blanks, \":\" and addresses\n"

/* All of the errors, each with a newline behind it. */
static const struct {
	const char *file, *errors;
} wrongs[] = {
	{ "", "" },
	{ "a: b@x, root, \\c, :include:/list\n", "" },
	{ "a: b@,\n c@x,\n\n #\n d@\n", "f:1: \"b@\" is no address: its domain "
	    "is missing\nf:5: \"d@\" is no address: its domain is missing\n" },
	{ "a:\n\n \"b\n c\" <d@>\n", "f:3: \"\"b  c\" <d@>\" is no address: its "
	    "domain is missing\n" },
	{ "a: \"b\n c\" <d@x>, e@\n", "f:2: \"e@\" is no address: its domain "
	    "is missing\n" },
	{ "a\n : b@\n", "f:2: \"b@\" is no address: its domain is missing\n" },
	{ "no colon\nc: d@x\n", "f:1: " NO_ALIAS },
	{ "no colon", "f:1: " NO_ALIAS },
	{ ": x\n", "f:1: " NO_ALIAS },
	{ "\n\"\": x\n", "f:2: " NO_ALIAS },
	{ "a b: x\n", "f:1: " NO_ALIAS },
	{ "a@x: y\n", "f:1: " NO_ALIAS },
	{ "a, b: x\n", "f:1: " NO_ALIAS },
	{ "a@x b@x: y\n", "f:1: " NO_ALIAS },
	{ "\"a: x\nb: c@x\n", "f:1: " NO_ALIAS },
	{ "e:\n", "f:1: nobody stands behind e\n" },
	{ " x\n# c\n\ty@z\na: b@\n", "f:1: this line continues nothing\n"
	    "f:3: this line continues nothing\n"
	    "f:4: \"b@\" is no address: its domain is missing\n" },
	{ "a: :include:/bad, :include:/refused, c@\n",
	    "/bad:2: \"b@\" is no address: its domain is missing\n"
	    "/refused:3: a names \"|cmd\"" NONE "\n"
	    "f:1: \"c@\" is no address: its domain is missing\n" },
	{ "a: |c, /f, :fail:\n", "f:1: a names \"|c\"" NONE "\n"
	    "f:1: a names \"/f\"" NONE "\nf:1: a names \":fail:\"" FATE "\n" },
	{ "a: 1@x\nb: 2@x\nA: 3@\na: 4@x\n",
	    "f:3: \"3@\" is no address: its domain is missing\n"
	    "f:3: there is an alias A already, in line 1\n"
	    "f:4: there is an alias a already, in line 1\n" },
	{ "a: |\033[2J\n", "f:1: a names \"|\\x1b[2J\"" NONE "\n" },
};

static const char *
errors(const struct aliases *a, struct pool *pool)
{
	const char *all = "";
	size_t i;

	for (i = 0; i < a->nerrors; i++)
		all = pool_printf(pool, "%s%s\n", all, a->errors[i]);
	return all;
}

static void
tells_every_error(void **state)
{
	struct pool *pool = pool_new();
	struct aliases a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		read_text(&a, wrongs[i].file, pool);
		assert_string_equal(errors(&a, pool), wrongs[i].errors);
	}
	pool_free(pool);
}

static void
includes_nothing_without_a_function(void **state)
{
	static char text[] = "a: :include:/list";
	FILE *f = fmemopen(text, strlen(text), "r");
	struct pool *pool = pool_new();
	struct aliases a;

	(void)state;
	aliases_init(&a, pool);
	aliases_read(&a, f, "f", NULL);
	(void)fclose(f);
	assert_string_equal(expanded(&a, "a", pool), "config: f:1: \"/list\" "
	    "is not read: no file is included here");
	pool_free(pool);
}

/* A line that is none takes its entry along, not the one before. */
static void
spoils_an_entry(void **state)
{
	static const char file[] = "x: y@x\na: b\0c@x\n d@x\nb: c@x,\n \0\n"
	    "#\0\nc: c@x,\n d@\0\n";
	struct pool *pool = pool_new();
	struct aliases a;

	(void)state;
	read_octets(&a, file, sizeof file - 1, pool);
	assert_string_equal(errors(&a, pool),
	    "f:2: the line has a NUL in it\nf:5: the line has a NUL in it\n"
	    "f:6: the line has a NUL in it\nf:8: the line has a NUL in it\n");
	assert_string_equal(expanded(&a, "x", pool), "y@x");
	assert_string_equal(expanded(&a, "a", pool), "config: f:2: the line "
	    "has a NUL in it");
	assert_string_equal(expanded(&a, "b", pool), "c@x");
	assert_string_equal(expanded(&a, "c", pool), "config: f:8: the line "
	    "has a NUL in it");
	pool_free(pool);
}

/* "a: " and blanks, then an address, in n octets. */
static void
put_line(struct buffer *b, size_t n)
{
	buffer_put(b, "a: ", 3);
	for (n -= 6; n > 0; n--)
		buffer_put(b, " ", 1);
	buffer_put(b, "b@x\n", 4);
}

static void
bounds_lines(void **state)
{
	struct pool *pool = pool_new();
	struct buffer b = { 0 };
	struct aliases a;
	size_t i;

	(void)state;
	put_line(&b, ALIASES_LINE_MAX);
	read_octets(&a, buffer_data(&b), buffer_len(&b), pool);
	assert_string_equal(expanded(&a, "a", pool), "b@x");
	buffer_free(&b);
	put_line(&b, ALIASES_LINE_MAX + 1);
	read_octets(&a, buffer_data(&b), buffer_len(&b), pool);
	assert_string_equal(expanded(&a, "a", pool), "config: f:1: the line "
	    "is too long");
	buffer_free(&b);
	for (i = 0; i < ALIASES_ENTRY_MAX / ALIASES_LINE_MAX + 1; i++) {
		buffer_put(&b, " ", i > 0);
		put_line(&b, ALIASES_LINE_MAX - 1);
	}
	buffer_put(&b, "b: c@x", 6);
	read_octets(&a, buffer_data(&b), buffer_len(&b), pool);
	assert_string_equal(expanded(&a, "a", pool), "config: f:16: the entry "
	    "is too long");
	assert_string_equal(expanded(&a, "b", pool), "c@x");
	buffer_free(&b);
	pool_free(pool);
}

/* What cannot be read to its end is not taken for all that there is. */
static void
reads_all_or_nothing(void **state)
{
	char *text = calloc(1, ALIASES_FILE_MAX + 1);
	struct pool *pool = pool_new();
	FILE *f = fopen(".", "r");
	struct aliases a;

	(void)state;
	assert_non_null(f);
	aliases_init(&a, pool);
	aliases_read(&a, f, "f", NULL);
	(void)fclose(f);
	assert_string_equal(errors(&a, pool), "f:1: the file cannot be read "
	    "from here on: Is a directory\n");
	assert_string_equal(expanded(&a, "a", pool), "config: f:1: the file "
	    "cannot be read from here on: Is a directory");
	assert_non_null(text);
	memset(text, '\n', ALIASES_FILE_MAX + 1);
	memcpy(text, "a: b@x", 6);
	read_octets(&a, text, ALIASES_FILE_MAX - 1, pool);
	assert_string_equal(expanded(&a, "a", pool), "b@x");
	read_octets(&a, text, ALIASES_FILE_MAX + 1, pool);
	assert_non_null(a.broken);
	assert_non_null(strstr(expanded(&a, "a", pool), "config: f:16777211: "
	    "the file cannot be read from here on: it is too long"));
	read_text(&a, "a: b@x\nb: c@x, :include:/half, :include:/half\nc: d@x\n",
	    pool);
	assert_string_equal(errors(&a, pool), "f:2: /half cannot be read: it "
	    "is too long\nf:4: the file cannot be read from here on: it is "
	    "too long\n");
	assert_non_null(a.broken);
	free(text);
	pool_free(pool);
}

/* a0 to an: each names the next one, some number of times. */
static void
read_chain(struct aliases *a, size_t n, const char *twice, struct pool *pool)
{
	struct buffer b = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		buffer_printf(&b, "a%zu: a%zu%s%.0zu\n", i, i + 1, twice,
		    *twice == '\0' ? (size_t)0 : i + 1);
	read_octets(a, buffer_data(&b), buffer_len(&b), pool);
	buffer_free(&b);
}

static void
bounds_depth(void **state)
{
	struct pool *pool = pool_new();
	struct aliases a;

	(void)state;
	read_chain(&a, ALIASES_DEPTH_MAX, "", pool);
	assert_string_equal(expanded(&a, "a0", pool), "a32");
	read_chain(&a, ALIASES_DEPTH_MAX + 1, "", pool);
	assert_string_equal(expanded(&a, "a0", pool), "config: f:33: the "
	    "alias a32 leads on too deeply");
	assert_string_equal(expanded(&a, "a1", pool), "a33");
	read_chain(&a, 10, ", a", pool);
	assert_string_equal(expanded(&a, "a0", pool), "a10");
	read_chain(&a, 20, ", a", pool);
	assert_non_null(strstr(expanded(&a, "a0", pool), "has too many "
	    "members"));
	pool_free(pool);
}

static void
read_members(struct aliases *a, size_t n, struct pool *pool)
{
	struct buffer b = { 0 };
	size_t i;

	buffer_put(&b, "z: y@x\nall:", 11);
	for (i = 0; i < n; i++)
		buffer_printf(&b, " %zu@x,\n", i);
	read_octets(a, buffer_data(&b), buffer_len(&b), pool);
	buffer_free(&b);
}

static void
bounds_members(void **state)
{
	struct pool *pool = pool_new();
	struct mailbox *list;
	struct failure why;
	struct aliases a;
	bool found;
	size_t n;

	(void)state;
	read_members(&a, ALIASES_MEMBERS_MAX, pool);
	assert_int_equal(a.nerrors, 0);
	assert_true(aliases_expand(&a, "all", is_local, "localhost", pool,
	    &list, &n, &found, &why));
	assert_int_equal(n, ALIASES_MEMBERS_MAX);
	assert_string_equal(list[0].local, "0");
	assert_string_equal(list[n - 1].local, "9999");
	read_members(&a, ALIASES_MEMBERS_MAX + 1, pool);
	assert_string_equal(expanded(&a, "all", pool), "config: f:2: the "
	    "alias all has too many members");
	pool_free(pool);
}

static void
finds_each_of_many(void **state)
{
	struct pool *pool = pool_new();
	struct buffer b = { 0 };
	struct aliases a;
	size_t i;

	(void)state;
	for (i = 0; i < 2000; i++)
		buffer_printf(&b, "User%zu: %zu@x\n", i * 7919 % 2000, i);
	read_octets(&a, buffer_data(&b), buffer_len(&b), pool);
	assert_int_equal(a.n, 2000);
	for (i = 0; i < 2000; i++)
		assert_string_equal(expanded(&a, pool_printf(pool, "user%zu",
		    i * 7919 % 2000), pool), pool_printf(pool, "%zu@x", i));
	assert_string_equal(expanded(&a, "user2000", pool), "-");
	buffer_free(&b);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands),
		cmocka_unit_test(tells_every_error),
		cmocka_unit_test(includes_nothing_without_a_function),
		cmocka_unit_test(spoils_an_entry),
		cmocka_unit_test(bounds_lines),
		cmocka_unit_test(reads_all_or_nothing),
		cmocka_unit_test(bounds_depth),
		cmocka_unit_test(bounds_members),
		cmocka_unit_test(finds_each_of_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
