#include "failure.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
	const char *word;
	int status;
	bool temporary;
} kinds[] = {
	[FAILURE_NONE]		= { "none",		EX_OK,		false },
	[FAILURE_USAGE]		= { "usage",		EX_USAGE,	false },
	[FAILURE_MESSAGE]	= { "message",		EX_DATAERR,	false },
	[FAILURE_ADDRESS]	= { "address",		EX_DATAERR,	false },
	[FAILURE_NOINPUT]	= { "no-input",		EX_NOINPUT,	true },
	[FAILURE_INPUT]		= { "input",		EX_IOERR,	true },
	[FAILURE_NOUSER]	= { "no-user",		EX_NOUSER,	false },
	[FAILURE_DATA]		= { "data-refused",	EX_DATAERR,	false },
	[FAILURE_RESOLVE_NONE]	= { "no-such-host",	EX_NOHOST,	false },
	[FAILURE_REFUSED]	= { "refused",		EX_UNAVAILABLE,	false },
	[FAILURE_TLS_MISSING]	= { "tls-missing",	EX_UNAVAILABLE,	false },
	[FAILURE_REQUIRETLS]	= { "requiretls",	EX_UNAVAILABLE,	false },
	[FAILURE_EXTENSION]	= { "extension-missing", EX_UNAVAILABLE, false },
	[FAILURE_NO_MECHANISM]	= { "no-mechanism",	EX_UNAVAILABLE,	false },
	[FAILURE_LOCAL]		= { "local",		EX_OSERR,	true },
	[FAILURE_KEEP]		= { "keep",		EX_CANTCREAT,	false },
	[FAILURE_DEFERRED]	= { "deferred",		EX_TEMPFAIL,	true },
	[FAILURE_RESOLVE_TEMPORARY] = { "resolve",	EX_TEMPFAIL,	true },
	[FAILURE_TOKEN]		= { "token",		EX_TEMPFAIL,	true },
	[FAILURE_CONNECT]	= { "connect",		EX_TEMPFAIL,	true },
	[FAILURE_LOST]		= { "lost",		EX_TEMPFAIL,	true },
	[FAILURE_TIMEOUT]	= { "timeout",		EX_TEMPFAIL,	true },
	[FAILURE_INTERRUPTED]	= { "interrupted",	EX_TEMPFAIL,	true },
	[FAILURE_TLS_UNTRUSTED]	= { "tls-untrusted",	EX_TEMPFAIL,	true },
	[FAILURE_UNKNOWN]	= { "unknown",		EX_TEMPFAIL,	false },
	[FAILURE_PROTOCOL]	= { "protocol",		EX_PROTOCOL,	false },
	[FAILURE_AUTH]		= { "auth",		EX_NOPERM,	false },
	[FAILURE_PERMISSION]	= { "permission",	EX_NOPERM,	false },
	[FAILURE_BARRED]	= { "barred",		EX_NOPERM,	false },
	[FAILURE_CONFIG]	= { "config",		EX_CONFIG,	false },
};

static size_t
octets(const struct failure *why)
{
	return offsetof(struct failure, text) + strlen(why->text) + 1;
}

const struct failure *
failure_keep(const struct failure *why, struct pool *pool)
{
	void *kept = pool_alloc(pool, octets(why));

	return memcpy(kept, why, octets(why));
}

void
failure_copy(struct failure *why, const struct failure *kept)
{
	*why = (struct failure){ 0 };
	memcpy(why, kept, octets(kept));
}

int
failure_status(enum failure_kind kind)
{
	return kinds[kind].status;
}

bool
failure_is_temporary(enum failure_kind kind)
{
	return kinds[kind].temporary;
}

const char *
failure_word(enum failure_kind kind)
{
	return kinds[kind].word;
}

/*
 * May the character be shown to a person?  Controls may not, nor what ends a
 * line (U+2028, U+2029), nor the marks that reorder what is read (U+061C,
 * U+200E, U+200F, U+202A to E, U+2066 to 9).
 */
static bool
is_fit(unsigned long c)
{
	return c >= ' ' && (c < 0x7f || c >= 0xa0) && c != 0x61c &&
	    c != 0x200e && c != 0x200f && (c < 0x2028 || c > 0x202e) &&
	    (c < 0x2066 || c > 0x2069);
}

/* The next character as it is shown, in at most 4 octets; *n: octets taken. */
static size_t
show(char out[static 4], const char *text, size_t len, size_t *n)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char octet = (unsigned char)*text;
	unsigned long c;

	*n = utf8_character(text, len, &c);
	if (*n > 0 && is_fit(c)) {
		memcpy(out, text, *n);
		return *n;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[octet >> 4];
	out[3] = hex[octet & 15];
	*n = 1;
	return 4;
}

bool
printable(char *out, size_t size, const char *text, size_t len)
{
	size_t o = 0, cut = 0, n, shown;
	char one[4];

	for (; len > 0; text += n, len -= n) {
		shown = show(one, text, len, &n);
		if (o + shown >= size)
			break;
		memcpy(out + o, one, shown);
		o += shown;
		if (o + sizeof "..." <= size)
			cut = o;
	}
	if (size > 0)
		out[o] = '\0';
	if (len > 0 && size >= sizeof "...")
		(void)strcpy(out + cut, "...");
	return len == 0;
}

static bool	fail_text(struct failure *, enum failure_kind, const char *,
		    const char *, va_list) __attribute__((format(printf, 3, 0)));

static bool
fail_text(struct failure *why, enum failure_kind kind, const char *fmt,
    const char *meaning, va_list ap)
{
	char raw[sizeof why->text + 4];	/* longer: the cut is shown */
	int n = vsnprintf(raw, sizeof raw, fmt, ap);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n :
	    sizeof raw - 1;

	if (meaning != NULL)
		len += (size_t)snprintf(raw + len, sizeof raw - len, ": %s",
		    meaning);
	if (len >= sizeof raw)
		len = sizeof raw - 1;
	*why = (struct failure){ .kind = kind };
	(void)printable(why->text, sizeof why->text, raw, len);
	return false;
}

bool
fail(struct failure *why, enum failure_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fail_text(why, kind, fmt, NULL, ap);
	va_end(ap);
	return false;
}

void
fail_more(struct failure *why, const char *hint)
{
	size_t n = strlen(why->text);

	(void)snprintf(why->text + n, sizeof why->text - n, "%s", hint);
}

bool
fail_errno(struct failure *why, enum failure_kind kind, const char *fmt, ...)
{
	const char *meaning = strerror(errno);
	va_list ap;

	va_start(ap, fmt);
	(void)fail_text(why, kind, fmt, meaning, ap);
	va_end(ap);
	return false;
}
