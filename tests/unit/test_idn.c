/* Domains to A-labels, and what is none. */
#include "idn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *domain;
	const char *ascii;		/* NULL: it cannot be */
} domains[] = {
	{ "example.org", "example.org" },
	{ "Example.ORG", "example.org" },
	{ "localhost", "localhost" },
	{ "b\u00fccher.example", "xn--bcher-kva.example" },
	{ "B\u00dcCHER.Example", "xn--bcher-kva.example" },
	{ "bu\u0308cher.example", "xn--bcher-kva.example" },	/* not NFC */
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "XN--BCHER-KVA.b\u00fccher", "xn--bcher-kva.xn--bcher-kva" },
	{ "fa\u00df.de", "xn--fa-hia.de" },		/* not "fass" */
	{ "\u65e5\u672c.\u30c6\u30b9\u30c8", "xn--wgv71a.xn--zckzah" },
	{ "\u05d0\u05d1.example", "xn--4dbc.example" },
	{ "\uff25xample.org", "example.org" },		/* fullwidth E */
	{ "so\u00adft.org", "soft.org" },		/* soft hyphen */

	/* The full stops of IDNA. */
	{ "b\u00fccher\u3002example", "xn--bcher-kva.example" },
	{ "b\u00fccher\uff0eexample", "xn--bcher-kva.example" },
	{ "b\u00fccher\uff61example", "xn--bcher-kva.example" },
	{ "a\u3002b", "a.b" },
	{ "b\u00fccher.example.", "xn--bcher-kva.example" },
	{ "b\u00fccher.example\u3002", "xn--bcher-kva.example" },

	/* What ASCII labels may have. */
	{ "_submissions._tcp.b\u00fccher.example",
	    "_submissions._tcp.xn--bcher-kva.example" },
	{ "a_b.example", "a_b.example" },
	{ "a-.example", "a-.example" },
	{ "12.34", "12.34" },

	/* No labels. */
	{ "", NULL },
	{ ".", NULL },
	{ "\u3002", NULL },
	{ "a..b", NULL },
	{ "a.\u3002b", NULL },
	{ ".a", NULL },
	{ "a..", NULL },
	{ "\u00ad.example", NULL },			/* nothing is left */
	{ "exa mple.com", NULL },
	{ "exa mple.b\u00fccher", NULL },
	{ "b\u00fccher.exa\tmple", NULL },
	{ "a@b\u00fccher", NULL },
	{ "b\u00fc cher", NULL },
	{ "b\u00fccher:25", NULL },
	{ "b\u00fccher_.example", NULL },
	{ "[\u00fc]", NULL },
	{ "*.b\u00fccher", NULL },

	/* What would come of these is ASCII that a domain may not have. */
	{ "a\u3000b", NULL },				/* a blank */
	{ "a\u2024b.example", NULL },			/* a dot */
	{ "\u2488example", NULL },			/* "1." */
	{ "a\uff3fb", NULL },				/* an underscore */
	{ "a\uff20b", NULL },				/* an at sign */
	{ "a\u2100b", NULL },				/* "a/c" */
	{ "\uff0da", NULL },				/* a hyphen */
	{ "a\uff0d", NULL },

	{ "\U0001f600.example", NULL },			/* an emoji */
	{ "a\u202eb\u00fc", NULL },			/* right to left */
	{ "\ufffd.example", NULL },
	{ "\u0308a.example", NULL },		/* begins with a mark */
	{ "\uff58\uff4e\uff0d\uff0d\uff01", NULL },
	{ "b\xfc" "cher.example", NULL },		/* no UTF-8 */
	{ "b\xc3", NULL },

	{ A63 ".org", A63 ".org" },
	{ A63 "a.org", NULL },
	{ A63 "\u00fc.org", NULL },
	{ A63 "." A63 "." A63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaa", A63 "." A63 "." A63 "."
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	{ A63 "." A63 "." A63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaa", NULL },
	{ A63 "." A63 "." A63 "." A63 "." A63, NULL },
	/* short before, too long after */
	{ A63 "." A63 "." A63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaa.\u00fc", NULL },
};

static void
ascii(void **state)
{
	struct pool *pool = pool_new();
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof domains / sizeof *domains; i++) {
		got = idn_ascii(domains[i].domain, pool);
		if ((got == NULL) != (domains[i].ascii == NULL) ||
		    (got != NULL && strcmp(got, domains[i].ascii) != 0))
			fail_msg("\"%s\" is %s", domains[i].domain,
			    got != NULL ? got : "nothing");
	}
	pool_free(pool);
}

/* However long it is, it ends soon. */
static void
endless(void **state)
{
	static char domain[1 << 20];
	struct pool *pool = pool_new();
	size_t i;

	(void)state;
	for (i = 0; i + 2 < sizeof domain; i += 2)
		memcpy(domain + i, "\xc3\xbc", 2);
	assert_null(idn_ascii(domain, pool));
	for (i = 0; i + 2 < sizeof domain; i += 2)
		memcpy(domain + i, "a.", 2);
	assert_null(idn_ascii(domain, pool));
	pool_free(pool);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii), cmocka_unit_test(endless),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
