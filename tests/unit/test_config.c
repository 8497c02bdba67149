/* Files to accounts: every setting, every error with its place. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define NO_SETTING "this is no setting (man sendoff.conf lists them)"
#define PIN_REST "0123456789abcdef0123456789abcdef0123456789abcdef"
#define PIN_FORM "sha256:0123456789abcdef" PIN_REST
#define PIN_BASE64 "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8="
#define MECHANISMS_KNOWN "EXTERNAL, SCRAM-SHA-256-PLUS, SCRAM-SHA-256, " \
    "SCRAM-SHA-1-PLUS, SCRAM-SHA-1, CRAM-MD5, OAUTHBEARER, XOAUTH2, " \
    "PLAIN, LOGIN"

enum { ERRORS_MAX = 4 };

static uid_t stranger;			/* who calls, when it is not 0 */

uid_t
getuid(void)
{
	return stranger != 0 ? stranger : geteuid();
}

static void
read_text(struct config *c, const char *text, config_open *open)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(f);
	config_read(c, f, "f", false, open);
	(void)fclose(f);
}

/*
 * Each setting: a good value, its form when that is another, the default; a
 * bad value and what is said of it.
 */
static const struct {
	const char *name, *good, *form, *standard, *bad, *error;
} all[] = {
	[SET_FROM] = { "from", "<me@example.org.>", "me@example.org",
	    NULL, "@b",
	    "f:1:6: \"@b\" is no address: its local part is missing" },
	[SET_NAME] = { "name", "'J. \"Q\" D'", "J. \"Q\" D", NULL, "''",
	    "f:1:6: name has no value" },
	[SET_HELLO] = { "hello", "h.example.org.", "h.example.org", NULL, "''",
	    "f:1:7: hello is a name of this machine, or its address as in "
	    "[192.0.2.1], not \"\"" },
	[SET_MATCH] = { "match", "*@a  b.c", "*@a b.c", NULL, "''",
	    "f:1:7: match has no value" },
	[SET_SERVER] = { "server", "smtp://x smtps://[::1]:466",
	    "smtp://x:587 smtps://[::1]:466", NULL, "smtps://",
	    "f:1:8: \"\" of \"smtps://\" is no host name or address" },
	[SET_USER] = { "user", "me", NULL, NULL, "''",
	    "f:1:6: user has no value" },
	[SET_PASSWORD] = { "password", "\"a b\"", "a b", NULL, "''",
	    "f:1:10: password has no value" },
	[SET_PASSWORD_FILE] = { "password-file", "/a", NULL, NULL, "''",
	    "f:1:15: password-file has no value" },
	[SET_PASSWORD_COMMAND] = { "password-command", "\"pass a\"", "pass a",
	    NULL, "''", "f:1:18: password-command has no value" },
	[SET_OAUTH_COMMAND] = { "oauth-command", "\"oama a\"", "oama a",
	    NULL, "''", "f:1:15: oauth-command has no value" },
	[SET_AUTH] = { "auth", "scram-sha-256 PLAIN", "SCRAM-SHA-256 PLAIN",
	    "auto", "plain digest-md5", "f:1:6: \"DIGEST-MD5\" is no "
	    "mechanism known here (" MECHANISMS_KNOWN ")" },
	[SET_AUTH_MINIMUM] = { "auth-minimum", "cram-md5", "CRAM-MD5", NULL,
	    "none", "f:1:14: \"NONE\" is no mechanism known here ("
	    MECHANISMS_KNOWN ")" },
	[SET_CA_FILE] = { "ca-file", "/a", NULL, NULL, "''",
	    "f:1:9: ca-file has no value" },
	[SET_CRL_FILE] = { "crl-file", "/a", NULL, NULL, "''",
	    "f:1:10: crl-file has no value" },
	[SET_PIN] = { "pin", "sha256:01:23:45:67:89:AB:CD:EF" PIN_REST " "
	    PIN_BASE64 " sha256//" PIN_BASE64, PIN_FORM " " PIN_FORM " "
	    PIN_FORM, NULL, "sha256:0123", "f:1:5: \"sha256:0123\" is no pin: "
	    "it is the SHA-256 of a public key, sha256: and 64 hexadecimal "
	    "digits" },
	[SET_DANE] = { "dane", "require", NULL, "auto", "yes",
	    "f:1:6: dane is one of auto require both off, not \"yes\"" },
	[SET_TLS_NAME] = { "tls-name", "mx.example.org", NULL, NULL, "''",
	    "f:1:10: tls-name has no value" },
	[SET_TLS_MINIMUM] = { "tls-minimum", "1.3", NULL, "1.2", "1",
	    "f:1:13: tls-minimum is one of 1.2 1.3, not \"1\"" },
	[SET_TLS_PRIORITY] = { "tls-priority", "-CIPHER-ALL:+AES-256-GCM",
	    NULL, NULL, "-CIPHER-ALL:+NO-SUCH", "f:1:14: GnuTLS does not "
	    "understand \"-CIPHER-ALL:+NO-SUCH\" from \"+NO-SUCH\" on" },
	[SET_TLS_ALPN] = { "tls-alpn", "smtp h2", NULL, "none",
	    "a b c d e f g h i", "f:1:10: tls-alpn is \"none\" or at most 8 "
	    "names of protocols of at most 31 octets, as in: tls-alpn smtp, "
	    "not \"a b c d e f g h i\"" },
	[SET_CLIENT_CERTIFICATE] = { "client-certificate", "/a", NULL, NULL,
	    "''", "f:1:20: client-certificate has no value" },
	[SET_CLIENT_KEY] = { "client-key", "/a", NULL, NULL, "''",
	    "f:1:12: client-key has no value" },
	[SET_CLIENT_KEY_ED25519] = { "client-key-ed25519",
	    "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", NULL, NULL,
	    "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2", "f:1:20: "
	    "client-key-ed25519 is 32 octets in base64, which are 43 "
	    "characters, as \"openssl rand -base64 32\" prints them" },
	[SET_REQUIRE_TLS] = { "require-tls", "YES", "yes", "default", "maybe",
	    "f:1:13: require-tls is one of yes no default, not \"maybe\"" },
	[SET_DELIVER_BY] = { "deliver-by", "1h, return", NULL, NULL,
	    "1h never", "f:1:12: deliver-by is a duration (as in 90, 90s, 15m, "
	    "2h, 3d or 1w), then \"notify\" or \"return\", and \"trace\", not "
	    "\"1h never\"" },
	[SET_HOLD_FOR] = { "hold-for", "15m", NULL, NULL, "0",
	    "f:1:10: hold-for is a duration of at most 999999999 seconds, as "
	    "in 90, 90s, 15m, 2h, 3d or 1w, not \"0\"" },
	[SET_PRIORITY] = { "priority", "-9", NULL, NULL, "10",
	    "f:1:10: priority is a number from -9 to 9, not \"10\"" },
	[SET_RESOLVER] = { "resolver", "[::1]:5353", NULL, NULL, "dns.example",
	    "f:1:10: \"dns.example\" is no resolver's address, as in "
	    "127.0.0.1, 192.0.2.1:5353 or [2001:db8::1]:53" },
	[SET_SOURCE] = { "source", "2001:db8::1", NULL, NULL, "eth0",
	    "f:1:8: source is an address of this machine, not \"eth0\"" },
	[SET_PROXY] = { "proxy", "socks5://me@[::1]:9050", NULL, NULL,
	    "http://x", "f:1:7: \"http://x\" is no proxy; it is written "
	    "socks5://host:port" },
	[SET_TIMEOUT_CONNECT] = { "timeout-connect", "9999999", NULL, "30",
	    "-1", "f:1:17: timeout-connect is a number of seconds, not "
	    "\"-1\"" },
	[SET_TIMEOUT_REPLY] = { "timeout-reply", "0", NULL, "0", "''",
	    "f:1:15: timeout-reply is a number of seconds, not \"\"" },
	[SET_TIMEOUT_SESSION] = { "timeout-session", "1", NULL, "7200", "1.5",
	    "f:1:17: timeout-session is a number of seconds, not \"1.5\"" },
	[SET_ALIASES] = { "aliases", "none", NULL, NULL, "''",
	    "f:1:9: aliases has no value" },
	[SET_DEFAULT_RECIPIENT] = { "default-recipient", "a@b.c d@e.f", NULL,
	    NULL, "a@b.c,d", "f:1:19: \"a@b.c,d\" is no whole address, as "
	    "in me@example.org" },
	[SET_DOMAIN] = { "domain", "d.example.", "d.example", NULL, "'a b'",
	    "f:1:8: \"a b\" is no domain" },
	[SET_REWRITE_FROM] = { "rewrite-from", "always", NULL, "local", "''",
	    "f:1:14: rewrite-from is one of local always never, not \"\"" },
	[SET_ALLOW_FROM] = { "allow-from", "*", NULL, NULL, "''",
	    "f:1:12: allow-from has no value" },
	[SET_ALLOW_USER] = { "allow-user", "alice  @web 33", "alice @web 33",
	    NULL, "'a b' @", "f:1:12: allow-user is a list of login names, "
	    "user ids and @group with blanks between, not \"a b @\"" },
	[SET_KEEP] = { "keep", "/a", NULL, NULL, "''",
	    "f:1:6: keep has no value" },
	[SET_KEEP_LIMIT] = { "keep-limit", "20m  5", "20m 5", "1G 1000",
	    "1000", "f:1:12: keep-limit is a size and a number of messages, "
	    "as in 1G 1000, not \"1000\"" },
	[SET_RETRY] = { "retry", "YES", "yes", "no", "maybe",
	    "f:1:7: retry is one of yes no, not \"maybe\"" },
	[SET_RETRY_FOR] = { "retry-for", "12h", NULL, "5d", "forever",
	    "f:1:11: retry-for is a duration, as in 90s, 15m, 2h or 5d, not "
	    "\"forever\"" },
	[SET_NOTIFY] = { "notify", "yes", NULL, "no", "1",
	    "f:1:8: notify is one of yes no, not \"1\"" },
	[SET_LOG] = { "log", "none", NULL, "syslog", "''",
	    "f:1:5: log has no value" },
	[SET_LOG_FORMAT] = { "log-format", "JSON", "json", "logfmt", "xml",
	    "f:1:12: log-format is one of logfmt json, not \"xml\"" },
	[SET_SANDBOX] = { "sandbox", "No", "no", "yes", "off",
	    "f:1:9: sandbox is one of yes no, not \"off\"" },
};

static void
every_setting(void **state)
{
	const struct account none = { .name = "none" };
	struct pool *pool;
	struct config c;
	enum setting s;

	(void)state;
	assert_int_equal(sizeof all / sizeof *all, SETTINGS);
	for (s = 0; s < SETTINGS; s++) {
		pool = pool_new();
		c = (struct config){ .pool = pool };
		assert_string_equal(config_name(s), all[s].name);
		assert_int_equal(setting_find(all[s].name), s);
		if (all[s].standard == NULL)
			assert_null(config_value(&none, s));
		else
			assert_string_equal(config_value(&none, s),
			    all[s].standard);
		read_text(&c, pool_printf(pool, "%s %s\n", all[s].name,
		    all[s].good), NULL);
		assert_int_equal(c.nerrors, 0);
		assert_string_equal(config_value(&c.accounts[0], s),
		    all[s].form != NULL ? all[s].form : all[s].good);
		read_text(&c, pool_printf(pool, "%s %s\n", all[s].name,
		    all[s].bad), NULL);
		assert_int_equal(c.nerrors, 1);
		assert_string_equal(c.errors[0], all[s].error);
		pool_free(pool);
	}
}

static void
limits(void **state)
{
	static const struct {
		const char *text;
		unsigned long long octets, messages;
		bool ok;
	} cases[] = {
		{ "1G 1000", 1ULL << 30, 1000, true },
		{ "20m 5", 20ULL << 20, 5, true },
		{ "3K  0", 3072, 0, true },	{ "7 1", 7, 1, true },
		{ "0 0", 0, 0, true },
		{ "999999999999 1", 999999999999ULL, 1, true },
		{ "9999999999G 1", 9999999999ULL << 30, 1, true },
		{ "99999999999G 1", 0, 0, false },
		{ "9999999999999 1", 0, 0, false },
		{ "1T 1", 0, 0, false },	{ "1G", 0, 0, false },
		{ "1G ", 0, 0, false },		{ "1G1000", 0, 0, false },
		{ "1GB 1000", 0, 0, false },	{ "-1 1", 0, 0, false },
		{ "1G -1", 0, 0, false },	{ "1G 10k", 0, 0, false },
		{ " 1G 1", 0, 0, false },	{ "", 0, 0, false },
		{ "G 1", 0, 0, false },		{ "1 G 1", 0, 0, false },
	};
	uint64_t octets, messages;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (setting_limit(cases[i].text, &octets, &messages) !=
		    cases[i].ok)
			fail_msg("\"%s\"", cases[i].text);
		if (cases[i].ok)
			assert_true(octets == cases[i].octets &&
			    messages == cases[i].messages);
	}
}

/* The same judgement on the command line, without a place. */
static void
every_option(void **state)
{
	struct account a = { .name = "a" };
	struct pool *pool = pool_new();
	const char *good, *bad;
	struct failure why;
	enum setting s;

	(void)state;
	for (s = 0; s < SETTINGS; s++) {
		if (s == SET_PASSWORD || s == SET_PASSWORD_COMMAND ||
		    s == SET_OAUTH_COMMAND || s == SET_ALLOW_USER ||
		    s == SET_CLIENT_KEY_ED25519) {
			assert_false(config_has_option(all[s].name));
			assert_false(config_override(&a, all[s].name, "x",
			    pool, &why));
			assert_int_equal(why.kind, FAILURE_USAGE);
			assert_string_equal(why.text, pool_printf(pool,
			    "there is no option --%s", all[s].name));
			assert_null(a.values[s]);
			continue;
		}
		assert_true(config_has_option(all[s].name));
		good = s == SET_NAME ? all[s].form : s == SET_SERVER ?
		    "smtp://x" : all[s].good;
		bad = strcmp(all[s].bad, "''") == 0 ? "" : s == SET_DOMAIN ?
		    "a b" : all[s].bad;
		assert_true(config_override(&a, all[s].name, good, pool, &why));
		assert_non_null(a.values[s]);
		assert_false(config_override(&a, all[s].name, bad, pool, &why));
		assert_int_equal(why.kind, FAILURE_USAGE);
		assert_string_equal(why.text, pool_printf(pool, "--%s%s",
		    all[s].name, strchr(strchr(all[s].error, ':') + 3, ':')));
	}
	pool_free(pool);
}

/* --check shows "***" for these, and no option takes them. */
static void
secrets(void **state)
{
	enum setting s;

	(void)state;
	for (s = 0; s < SETTINGS; s++)
		assert_int_equal(config_is_secret(s), s == SET_PASSWORD ||
		    s == SET_CLIENT_KEY_ED25519);
}

/* What is wrong is told with line and column, all of it. */
static const struct {
	const char *text;
	const char *errors[ERRORS_MAX];
} bad[] = {
	{ "from a@b.c\n", { NULL } },
	{ "  from   a@b.c   # comment\n\n#from x\n", { NULL } },
	{ "from", { "f:1:1: from has no value" } },
	{ "from a@b.c d\n", { "f:1:12: from has one value; put it in quotes "
	    "when it holds blanks" } },
	{ "from a@b.c\nfrom a@b.c\n", { "f:2:1: from is set twice" } },
	{ "from me\n", { "f:1:6: \"me\" is no whole address, as in "
	    "me@example.org" } },
	{ "oauth-command c\npassword-command d\n", { "f:2:1: an account has a "
	    "password or oauth-command, not both; take one out" } },
	{ "account a\n  password-file /p\n  oauth-command c\n", { "f:3:3: an "
	    "account has a password or oauth-command, not both; take one "
	    "out" } },
	{ "oauth-command c\naccount a\npassword-file /p\naccount b\n",
	    { NULL } },
	{ "form a@b.c\n", { "f:1:1: there is no setting \"form\"; is \"from\" "
	    "meant?" } },
	{ "\tsever x\nusr x\npaswrd x\ntimeoutreply 1\n", { "f:1:2: there is "
	    "no setting \"sever\"; is \"server\" meant?", "f:2:1: there is no "
	    "setting \"usr\"; is \"user\" meant?", "f:3:1: there is no "
	    "setting \"paswrd\"; is \"password\" meant?", "f:4:1: there is no "
	    "setting \"timeoutreply\"; is \"timeout-reply\" meant?" } },
	{ "frm a\nnamename a\nfr a\nabcdefghijklmnopqrstuvwxyzabcdefghijkl a",
	    { "f:1:1: there is no setting \"frm\"; is \"from\" meant?",
	    "f:2:1: " NO_SETTING, "f:3:1: " NO_SETTING,
	    "f:4:1: " NO_SETTING } },
	{ "FROM a@b.c\n", { "f:1:1: " NO_SETTING } },
	{ "\"from\" a@b.c\n'name' 'x'\n", { NULL } },
	{ "name a#b # c\nuser '#'\thello\n", { "f:2:10: user has one value; "
	    "put it in quotes when it holds blanks" } },
	{ "#\n \t \n\r\n\n", { NULL } },
	{ "name \"a\\\n", { "f:1:8: within \"...\" a backslash stands before "
	    "\" or \\ only; use '...' for text as it is" } },
	{ "name 'a'\"b\"\n", { "f:1:6: there must be a blank behind the "
	    "closing quotation mark" } },
	{ "name \"a' # \n", { "f:1:6: this quotation mark is never closed" } },
	{ "account ''\naccount \"a b\"\naccount a # b\n", { "f:1:1: "
	    "\"account\" wants one name" } },
	{ "account a\nname x\naccount a\nname y\nname z\naccount A\n",
	    { "f:3:9: there is an account \"a\" already, in line 1",
	    "f:5:1: name is set twice" } },
	{ "name x\naccount a\nname y\naccount b\nname z\n", { NULL } },
	{ "server smtps://a ftp://b smtp://c:0\n\nserver x:y@z\n",
	    { "f:1:18: \"ftp://b\": the scheme is one of smtps://, smtp://, "
	    "smtp+opportunistic://, smtp+plain://, lmtp:///", "f:1:26: the port of "
	    "\"smtp://c:0\" is no number from 1 to 65535", "f:3:8: a URL never "
	    "carries a password; write \"user\" and \"password\" instead" } },
	{ "zzzzzzzzz a\n", { "f:1:1: " NO_SETTING } },
	{ "name \"a\nname 'b\n", { "f:1:6: this quotation mark is never "
	    "closed", "f:2:6: this quotation mark is never closed" } },
	{ "name \"a\"b\n", { "f:1:6: there must be a blank behind the closing "
	    "quotation mark" } },
	{ "name \"a\\n\"\n", { "f:1:8: within \"...\" a backslash stands "
	    "before \" or \\ only; use '...' for text as it is" } },
	{ "name \"\"\n", { "f:1:6: name has no value" } },
	{ "account\n", { "f:1:1: \"account\" wants one name" } },
	{ "account a\033\naccount a\033\n", { "f:1:9: the name of an account "
	    "must not hold control characters", "f:2:9: the name of an account "
	    "must not hold control characters" } },
	{ "include /a\033\n", { "f:1:9: include must not hold control "
	    "characters" } },
	{ "account a b\n", { "f:1:1: \"account\" wants one name" } },
	{ "account a\naccount b\naccount a\n", { "f:3:9: there is an account "
	    "\"a\" already, in line 1" } },
	{ "timeout-reply 1s\n", { "f:1:15: timeout-reply is a number of "
	    "seconds, not \"1s\"" } },
	{ "timeout-reply 12345678\n", { "f:1:15: timeout-reply is a number of "
	    "seconds, not \"12345678\"" } },
	{ "tls-minimum 1.1\n", { "f:1:13: tls-minimum is one of 1.2 1.3, not "
	    "\"1.1\"" } },
	{ "rewrite-from NEVER\nrewrite-from no", { "f:2:1: rewrite-from is "
	    "set twice", "f:2:14: rewrite-from is one of local always never, "
	    "not \"no\"" } },
	{ "default-recipient a@b.c d\n", { "f:1:19: \"a@b.c d\" is no "
	    "address: a comma or an \"@\" is missing" } },
	{ "default-recipient a@b.c d@e.f\n", { NULL } },
	{ "default-recipient root\n", { "f:1:19: \"root\" is no whole address, "
	    "as in me@example.org" } },
	{ "domain a@b\n", { "f:1:8: \"a@b\" is no domain" } },
	{ "domain 'b.c (d)'\n", { "f:1:8: \"b.c (d)\" is no domain" } },
	{ "hello [192.0.2.1]\naccount a\nhello [IPv6:2001:db8::1]\naccount b\n"
	    "hello b\xc3\xbc" "cher.example\n", { NULL } },
	{ "hello 'a b'\n", { "f:1:7: hello is a name of this machine, or its "
	    "address as in [192.0.2.1], not \"a b\"" } },
	{ "hello [2001:db8::1]\n", { "f:1:7: hello is a name of this machine, "
	    "or its address as in [192.0.2.1], not \"[2001:db8::1]\"" } },
	{ "hello [192.0.2.1\n", { "f:1:7: hello is a name of this machine, "
	    "or its address as in [192.0.2.1], not \"[192.0.2.1\"" } },
	{ "from 'J <a@b.c>'\n", { "f:1:6: \"J <a@b.c>\" is more than an "
	    "address; the setting \"name\" has the name" } },
	{ "domain [1.2.3.4]\n", { "f:1:8: \"[1.2.3.4]\" is no domain" } },
	{ "domain b.example\nmatch *@a b.c\nallow-from *\n", { NULL } },
	{ "auth plain login\n", { NULL } },
	{ "auth none\n", { NULL } },
	{ "auth AUTO\n", { NULL } },
	{ "default-recipient ','\n", { "f:1:19: \",\" is no whole address, as "
	    "in me@example.org" } },
	{ "account a\naccount b\naccount c\naccount b\n", { "f:4:9: there is "
	    "an account \"b\" already, in line 2" } },
	{ "auth-minimum none\n", { "f:1:14: \"NONE\" is no mechanism known "
	    "here (EXTERNAL, SCRAM-SHA-256-PLUS, SCRAM-SHA-256, "
	    "SCRAM-SHA-1-PLUS, SCRAM-SHA-1, CRAM-MD5, OAUTHBEARER, "
	    "XOAUTH2, PLAIN, LOGIN)" } },
	{ "name a\001b\n", { "f:1:6: name must not hold control characters" } },
	{ "server\n", { "f:1:1: server has no value" } },
	{ "include a\n", { "f:1:9: files include each other too deeply" } },
	{ "include\n", { "f:1:1: \"include\" wants one file" } },
};

static void
tells_every_error(void **state)
{
	struct pool *pool;
	struct config c;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		pool = pool_new();
		c = (struct config){ .pool = pool };
		read_text(&c, bad[i].text, NULL);
		for (n = 0; n < ERRORS_MAX && bad[i].errors[n] != NULL; n++) {
			assert_true(n < c.nerrors);
			assert_string_equal(c.errors[n], bad[i].errors[n]);
		}
		if (n != c.nerrors)
			fail_msg("case %zu: %s", i, c.errors[n]);
		pool_free(pool);
	}
}

static void
refuses_long_lines_and_nul(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	char text[9000];
	FILE *f;

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "name a\0b\n", 9);
	text[sizeof text - 1] = '\n';
	f = fmemopen(text, sizeof text, "r");
	assert_non_null(f);
	config_read(&c, f, "f", false, NULL);
	(void)fclose(f);
	assert_int_equal(c.nerrors, 2);
	assert_string_equal(c.errors[0], "f:1:7: the line has a NUL in it");
	assert_string_equal(c.errors[1], "f:2:8192: the line has more than "
	    "8192 octets");
	pool_free(pool);
}

static void
gives_values(void **state)
{
	static const char text[] =
	    "timeout-reply 7\nname \"J. \\\"Q\\\" D\"\nserver smtps://all\n"
	    "account one\nfrom a@b.c\nauth plain scram-sha-1\n"
	    "account two\r\nname 'it\\n'\nserver smtp://x smtps://y\n"
	    "server smtp+plain://localhost\nmatch a@b *.c\n";
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	const struct account *a;

	(void)state;
	read_text(&c, text, NULL);
	assert_int_equal(c.nerrors, 0);
	assert_int_equal(c.n, 2);
	a = &c.accounts[0];
	assert_string_equal(a->name, "one");
	assert_int_equal(a->line, 4);
	assert_false(a->system);
	assert_string_equal(config_value(a, SET_NAME), "J. \"Q\" D");
	assert_string_equal(config_value(a, SET_AUTH), "PLAIN SCRAM-SHA-1");
	assert_int_equal(a->nservers, 1);
	assert_string_equal(a->servers[0].host, "all");
	assert_int_equal(config_number(a, SET_TIMEOUT_REPLY), 7);
	assert_int_equal(config_number(a, SET_TIMEOUT_CONNECT), 30);
	assert_null(config_value(a, SET_PASSWORD));
	a = &c.accounts[1];
	assert_string_equal(config_value(a, SET_NAME), "it\\n");
	assert_string_equal(config_value(a, SET_MATCH), "a@b *.c");
	assert_string_equal(config_value(a, SET_AUTH), "auto");
	assert_int_equal(a->nservers, 3);
	assert_string_equal(a->servers[1].host, "y");
	assert_int_equal(a->servers[2].security, SECURITY_NONE);
	assert_null(a->values[SET_FROM]);
	pool_free(pool);
}

static void
one_account_without_its_line(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };

	(void)state;
	read_text(&c, "# nothing\n", NULL);
	assert_int_equal(c.n, 0);
	read_text(&c, "from a@b.c\n", NULL);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.accounts[0].name, "default");
	assert_int_equal(c.accounts[0].line, 1);
	read_text(&c, "account default\n", NULL);	/* another file's */
	assert_int_equal(c.n, 2);
	assert_int_equal(c.nerrors, 0);
	pool_free(pool);
}

static FILE *
open_other(const char *name)
{
	static char one[] = "name included\naccount two\n", self[] =
	    "include self\n";

	return strcmp(name, "one") == 0 ? fmemopen(one, strlen(one), "r") :
	    strcmp(name, "self") == 0 ? fmemopen(self, strlen(self), "r") :
	    NULL;
}

static void
includes(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };

	(void)state;
	read_text(&c, "account a\ninclude one\nfrom b@c.d\ninclude self\n"
	    "include none\n", open_other);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.accounts[0].values[SET_NAME], "included");
	assert_string_equal(c.accounts[1].values[SET_FROM], "b@c.d");
	assert_int_equal(c.nerrors, 2);
	assert_string_equal(c.errors[0], "self:1:9: files include each other "
	    "too deeply");
	assert_memory_equal(c.errors[1], "f:5:9: none cannot be read: ", 28);
	pool_free(pool);
}

static void
options_override(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	struct failure why;
	struct account *a;

	(void)state;
	read_text(&c, "from a@b.c\nserver smtps://x smtps://y\n", NULL);
	a = &c.accounts[0];
	assert_true(config_override(a, "server", "smtp://z", pool, &why));
	assert_int_equal(a->nservers, 1);
	assert_string_equal(a->values[SET_SERVER], "smtp://z:587");
	assert_true(config_override(a, "auth", "plain", pool, &why));
	assert_string_equal(a->values[SET_AUTH], "PLAIN");
	assert_false(config_override(a, "auth", "x", pool, &why));
	assert_int_equal(why.kind, FAILURE_USAGE);
	assert_memory_equal(why.text, "--auth: \"X\" is no mechanism", 27);
	assert_false(config_override(a, "password", "x", pool, &why));
	assert_int_equal(why.kind, FAILURE_USAGE);
	assert_false(config_override(a, "password-command", "x", pool, &why));
	assert_false(config_has_option("password"));
	assert_false(config_has_option("password-command"));
	assert_false(config_has_option("nothing"));
	assert_true(config_has_option("ca-file"));
	assert_true(config_is_secret(SET_PASSWORD));
	assert_false(config_is_secret(SET_USER));
	pool_free(pool);
}

/* As many words as there may be, and one more. */
static void
many_words(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	const char *text = "match";
	int i;

	(void)state;
	for (i = 1; i < 64; i++)
		text = pool_printf(pool, "%s x", text);
	read_text(&c, pool_printf(pool, "name n\n%s x\n", text), NULL);
	assert_int_equal(c.nerrors, 1);
	assert_string_equal(c.errors[0], "f:2:1: there are more than 64 "
	    "words");
	assert_null(c.accounts[0].values[SET_MATCH]);
	text += strlen("match");
	c.nerrors = 0;
	read_text(&c, pool_printf(pool, "match%s\n", text), NULL);
	assert_int_equal(c.nerrors, 0);
	assert_string_equal(c.accounts[c.n - 1].values[SET_MATCH], text + 1);
	pool_free(pool);
}

static void
longest_line(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	char text[8193 + 1];

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text, "name ", 5);
	text[8191] = '\n';
	text[8192] = '\0';
	read_text(&c, text, NULL);
	assert_int_equal(c.nerrors, 0);
	assert_int_equal(strlen(c.accounts[0].values[SET_NAME]), 8192 - 6);
	text[8191] = 'x';
	text[8192] = '\n';
	text[8193] = '\0';
	read_text(&c, text, NULL);
	assert_int_equal(c.nerrors, 1);
	assert_string_equal(c.errors[0], "f:1:8192: the line has more than "
	    "8192 octets");
	pool_free(pool);
}

/* A chain of included files: 7 is included by 6 ... by 1 by the first. */
static FILE *
open_next(const char *name)
{
	static char text[16][32];
	int n = name[0] - 'a';

	(void)snprintf(text[n], sizeof text[n], n > 0 ? "include %c\n" :
	    "user end%c\n", n > 0 ? name[0] - 1 : '!');
	return fmemopen(text[n], strlen(text[n]), "r");
}

static void
includes_at_most_eight(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };

	(void)state;
	read_text(&c, "include h\n", open_next);
	assert_int_equal(c.nerrors, 0);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.accounts[0].values[SET_USER], "end!");
	read_text(&c, "include i\n", open_next);
	assert_int_equal(c.nerrors, 1);
	assert_string_equal(c.errors[0], "b:1:9: files include each other too "
	    "deeply");
	pool_free(pool);
}

/* What stands first is every account's that has nothing of its own. */
static void
defaults(void **state)
{
	static const char text[] = "user u\nlog /l\nserver smtp://x\n"
	    "account a\naccount b\nuser v\nserver smtp://y\n";
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	(void)state;
	read_text(&c, "account first\n", NULL);
	config_read(&c, f, "g", true, NULL);
	(void)fclose(f);
	assert_int_equal(c.nerrors, 0);
	assert_int_equal(c.n, 3);
	assert_null(c.accounts[0].values[SET_USER]);
	assert_int_equal(c.accounts[0].nservers, 0);
	assert_false(c.accounts[0].system);
	assert_string_equal(c.accounts[1].values[SET_USER], "u");
	assert_string_equal(c.accounts[1].values[SET_SERVER], "smtp://x:587");
	assert_int_equal(c.accounts[1].nservers, 1);
	assert_string_equal(c.accounts[1].servers[0].host, "x");
	assert_true(c.accounts[1].system && c.accounts[2].system);
	assert_string_equal(c.accounts[1].file, "g");
	assert_string_equal(c.accounts[2].values[SET_USER], "v");
	assert_string_equal(c.accounts[2].values[SET_LOG], "/l");
	assert_string_equal(c.accounts[2].values[SET_SERVER], "smtp://y:587");
	assert_int_equal(c.accounts[2].nservers, 1);
	assert_int_equal(c.accounts[2].line, 5);
	pool_free(pool);
}

/* A password of its own takes the place of everybody's token, and so round. */
static void
one_way_to_log_in(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	const struct account *a;

	(void)state;
	read_text(&c, "oauth-command t\naccount a\npassword-file /p\n"
	    "account b\naccount c\noauth-command u\n", NULL);
	assert_int_equal(c.nerrors, 0);
	a = c.accounts;
	assert_null(a[0].values[SET_OAUTH_COMMAND]);
	assert_string_equal(a[1].values[SET_OAUTH_COMMAND], "t");
	assert_string_equal(a[2].values[SET_OAUTH_COMMAND], "u");
	assert_true(a[1].may_run && a[2].may_run);
	c = (struct config){ .pool = pool };
	read_text(&c, "password p\npassword-file /p\naccount a\n"
	    "oauth-command t\naccount b\n", NULL);
	a = c.accounts;
	assert_null(a[0].values[SET_PASSWORD]);
	assert_null(a[0].values[SET_PASSWORD_FILE]);
	assert_string_equal(a[0].values[SET_OAUTH_COMMAND], "t");
	assert_string_equal(a[1].values[SET_PASSWORD], "p");
	config_forget_all(&c);
	pool_free(pool);
}

/* So does a certificate of everybody's key; each has a copy of the key. */
static void
one_certificate(void **state)
{
	static const char key[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	const struct account *a;

	(void)state;
	read_text(&c, pool_printf(pool, "client-key-ed25519 %s\naccount a\n"
	    "client-certificate /c\naccount b\nclient-key /k\naccount c\n"
	    "account d\n", key), NULL);
	assert_int_equal(c.nerrors, 0);
	a = c.accounts;
	assert_null(a[0].values[SET_CLIENT_KEY_ED25519]);
	assert_null(a[1].values[SET_CLIENT_KEY_ED25519]);
	assert_true(config_has_identity(&a[0]) && config_has_identity(&a[2]));
	assert_false(config_has_identity(&a[1]));
	config_forget(&c.accounts[2]);
	assert_null(a[2].values[SET_CLIENT_KEY_ED25519]);
	assert_null(a[2].seed.data);
	assert_string_equal(a[3].values[SET_CLIENT_KEY_ED25519], key);
	config_forget_all(&c);
	c = (struct config){ .pool = pool };
	read_text(&c, pool_printf(pool, "client-certificate /c\nclient-key "
	    "'pkcs11:pin-value=1'\naccount a\nclient-key-ed25519 %s\n", key),
	    NULL);
	a = c.accounts;
	assert_null(a[0].values[SET_CLIENT_CERTIFICATE]);
	assert_null(a[0].values[SET_CLIENT_KEY]);
	assert_null(a[0].pin.data);
	assert_string_equal(a[0].values[SET_CLIENT_KEY_ED25519], key);
	config_forget_all(&c);
	pool_free(pool);
}

static char folder[] = "/tmp/test_config.XXXXXX";

static void
write_file(const char *name, mode_t mode, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static FILE *
open_file(const char *name)
{
	return fopen(name, "re");
}

static void
read_path(struct config *c, const char *name, bool system)
{
	FILE *f = open_file(name);

	assert_non_null(f);
	config_read(c, f, name, system, open_file);
	(void)fclose(f);
}

/* Who else may read or write the file. */
static void
modes(void **state)
{
	static const struct {
		mode_t mode;
		bool system, readable, may_run;
	} *m, cases[] = {
		{ 0600, false, false, true },	{ 0400, false, false, true },
		{ 0640, false, true, true },	{ 0604, false, true, true },
		{ 0610, false, true, true },	{ 0601, false, true, true },
		{ 0620, false, true, false },	{ 0602, false, true, false },
		{ 0600, true, false, true },	{ 0640, true, false, true },
		{ 0644, true, true, true },	{ 0660, true, false, false },
		{ 0602, true, true, false },	{ 0601, true, true, true },
	};
	struct pool *pool = pool_new();
	const char *name = pool_printf(pool, "%s/modes", folder);
	struct config c;
	bool doubted;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
		m = &cases[i / 2];
		c = (struct config){ .pool = pool, .chosen = i % 2 == 0 };
		write_file(name, m->mode, "user u\npassword p\n"
		    "password-command c\n");
		read_path(&c, name, m->system);
		assert_int_equal(c.n, 1);
		assert_int_equal(c.accounts[0].may_run, m->may_run);
		doubted = !c.chosen && !m->may_run;
		assert_int_equal(c.nerrors, m->readable + doubted);
		if (doubted)
			assert_string_equal(c.errors[0], pool_printf(pool,
			    "%s:1:1: others can write it, so it is not "
			    "believed; mend it with: chmod go-w %s, or chown",
			    name, name));
		if (m->readable)
			assert_string_equal(c.errors[doubted], pool_printf(
			    pool, "%s:2:1: others can read this file, so no "
			    "password may stand in it; mend it with: chmod "
			    "600 %s", name, name));
		assert_int_equal(unlink(name), 0);
	}
	pool_free(pool);
}

static bool
may_run(const char *name, uid_t caller, struct pool *pool)
{
	struct config c = { .pool = pool };

	stranger = caller;
	read_path(&c, name, false);
	stranger = 0;
	assert_int_equal(c.n, 1);
	return c.accounts[0].may_run;
}

/* A command is run from one's own file or root's. */
static void
owner(void **state)
{
	struct pool *pool = pool_new();
	const char *name = pool_printf(pool, "%s/owner", folder);
	bool is_root = geteuid() == 0;

	(void)state;
	write_file(name, 0600, "password-command c\n");
	assert_true(may_run(name, 0, pool));
	assert_int_equal(may_run(name, geteuid() + 1, pool), is_root);
	if (is_root) {
		assert_int_equal(chown(name, 65534, (gid_t)-1), 0);
		assert_false(may_run(name, 0, pool));
		assert_false(may_run(name, 65533, pool));
		assert_true(may_run(name, 65534, pool));
	}
	pool_free(pool);
}

/* At most two letters to change, add or take away. */
static void
meant(void **state)
{
	static const struct {
		const char *name, *meant;
	} cases[] = {
		{ "user", "user" }, { "xuser", "user" }, { "userx", "user" },
		{ "userxx", "user" }, { "xxuser", "user" }, { "usxxer", "user" },
		{ "xuserx", "user" }, { "ser", "user" }, { "use", "user" },
		{ "uxxr", "user" }, { "uxsr", "user" },
		{ "xxuserx", NULL }, { "userxxx", NULL }, { "xxxuser", NULL },
		{ "uxxx", NULL }, { "xuxsxer", NULL },
		{ "passwd", "password" }, { "passwort", "password" },
		{ "paswrdx", NULL }, { "sword", NULL },
		{ "tls-minim", "tls-minimum" }, { "s-minimum", "tls-minimum" },
		{ "-minimum", NULL }, { "tls-mini", NULL },
		{ "hostname", NULL }, { "frmo", "from" }, { "lo", NULL },
		{ "loh", "log" }, { "timeout-rely", "timeout-reply" },
		{ "client_certificat", "client-certificate" },
		{ "", NULL },
	};
	size_t i;
	const char *got;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		got = setting_meant(cases[i].name);
		if (cases[i].meant == NULL ? got != NULL : got == NULL ||
		    strcmp(got, cases[i].meant) != 0)
			fail_msg("%s is %s", cases[i].name, got);
	}
}

/* An override of one account leaves what it shares with others. */
static void
override_is_alone(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	struct failure why;

	(void)state;
	read_text(&c, "server smtps://x smtps://y\naccount a\naccount b\n",
	    NULL);
	assert_true(config_override(&c.accounts[0], "server", "smtp://z",
	    pool, &why));
	assert_string_equal(c.accounts[0].servers[0].host, "z");
	assert_int_equal(c.accounts[1].nservers, 2);
	assert_string_equal(c.accounts[1].servers[0].host, "x");
	pool_free(pool);
}

/* A line with an error in it does nothing else. */
static void
bad_lines_do_nothing(void **state)
{
	static const char nul[] = "name a\0b\n";
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };
	FILE *f = fmemopen((void *)(uintptr_t)nul, sizeof nul - 1, "r");

	(void)state;
	config_read(&c, f, "f", false, NULL);
	(void)fclose(f);
	read_text(&c, "account\naccount a b\naccount ''\nname 'x\n", NULL);
	assert_int_equal(c.nerrors, 5);
	assert_int_equal(c.n, 0);
	pool_free(pool);
}

/* Each file answers for what stands in it, not for what includes it. */
static void
modes_of_included(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool, .chosen = true };
	const char *outer = pool_printf(pool, "%s/outer", folder);
	const char *inner = pool_printf(pool, "%s/inner", folder);
	const char *text = pool_printf(pool, "password-command d\naccount a\n"
	    "include %s\naccount b\naccount c\npassword p\n"
	    "password-command e\n", inner);

	(void)state;
	write_file(outer, 0600, text);
	write_file(inner, 0666, "password q\npassword-command i\n");
	read_path(&c, outer, false);
	assert_int_equal(c.nerrors, 1);
	assert_string_equal(c.errors[0], pool_printf(pool, "%s:1:1: others can "
	    "read this file, so no password may stand in it; mend it with: "
	    "chmod 600 %s", inner, inner));
	assert_int_equal(c.n, 3);
	assert_false(c.accounts[0].may_run);
	assert_true(c.accounts[1].may_run && c.accounts[2].may_run);

	write_file(outer, 0666, pool_printf(pool, "password-command d\n"
	    "account a\ninclude %s\naccount b\n", inner));
	write_file(inner, 0600, "password q\npassword-command i\n");
	c = (struct config){ .pool = pool, .chosen = true };
	read_path(&c, outer, false);
	assert_int_equal(c.nerrors, 0);
	assert_true(c.accounts[0].may_run);
	assert_false(c.accounts[1].may_run);

	write_file(outer, 0600, pool_printf(pool, "include %s/none\n",
	    folder));
	c = (struct config){ .pool = pool };
	read_path(&c, outer, false);
	assert_int_equal(c.nerrors, 1);
	assert_string_equal(c.errors[0], pool_printf(pool, "%s:1:9: %s/none "
	    "cannot be read: %s", outer, folder, strerror(ENOENT)));
	pool_free(pool);
}

/* A folder opens and cannot be read. */
static void
unreadable(void **state)
{
	struct pool *pool = pool_new();
	struct config c = { .pool = pool };

	(void)state;
	read_path(&c, folder, false);
	assert_int_equal(c.n, 0);
	assert_int_equal(c.nerrors, 1);
	assert_string_equal(c.errors[0], pool_printf(pool, "%s:1:1: the file "
	    "cannot be read: %s", folder, strerror(EISDIR)));
	pool_free(pool);
}

static int
begin(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
end(void **state)
{
	char command[sizeof folder + 16];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting),
		cmocka_unit_test(limits),
		cmocka_unit_test(every_option),
		cmocka_unit_test(secrets),
		cmocka_unit_test(tells_every_error),
		cmocka_unit_test(refuses_long_lines_and_nul),
		cmocka_unit_test(gives_values),
		cmocka_unit_test(one_account_without_its_line),
		cmocka_unit_test(includes),
		cmocka_unit_test(options_override),
		cmocka_unit_test(many_words),
		cmocka_unit_test(longest_line),
		cmocka_unit_test(includes_at_most_eight),
		cmocka_unit_test(defaults),
		cmocka_unit_test(one_way_to_log_in),
		cmocka_unit_test(one_certificate),
		cmocka_unit_test(modes),
		cmocka_unit_test(owner),
		cmocka_unit_test(meant),
		cmocka_unit_test(override_is_alone),
		cmocka_unit_test(bad_lines_do_nothing),
		cmocka_unit_test(modes_of_included),
		cmocka_unit_test(unreadable),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
