#include "failure.h"

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
	[FAILURE_NO_MECHANISM]	= { "no-mechanism",	EX_UNAVAILABLE,	false },
	[FAILURE_LOCAL]		= { "local",		EX_OSERR,	true },
	[FAILURE_KEEP]		= { "keep",		EX_CANTCREAT,	false },
	[FAILURE_DEFERRED]	= { "deferred",		EX_TEMPFAIL,	true },
	[FAILURE_RESOLVE_TEMPORARY] = { "resolve",	EX_TEMPFAIL,	true },
	[FAILURE_CONNECT]	= { "connect",		EX_TEMPFAIL,	true },
	[FAILURE_LOST]		= { "lost",		EX_TEMPFAIL,	true },
	[FAILURE_TIMEOUT]	= { "timeout",		EX_TEMPFAIL,	true },
	[FAILURE_INTERRUPTED]	= { "interrupted",	EX_TEMPFAIL,	true },
	[FAILURE_TLS_UNTRUSTED]	= { "tls-untrusted",	EX_TEMPFAIL,	true },
	[FAILURE_UNKNOWN]	= { "unknown",		EX_TEMPFAIL,	false },
	[FAILURE_PROTOCOL]	= { "protocol",		EX_PROTOCOL,	false },
	[FAILURE_AUTH]		= { "auth",		EX_NOPERM,	false },
	[FAILURE_PERMISSION]	= { "permission",	EX_NOPERM,	false },
	[FAILURE_CONFIG]	= { "config",		EX_CONFIG,	false },
};

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
 * Octets of the UTF-8 character at p that may be shown as it is, else 0.
 * Overlong forms, surrogates and C1 controls may not, nor may the marks that
 * reorder what a person reads (U+200E, U+200F, U+202A to E, U+2066 to 9).
 */
static size_t
shown(const unsigned char *p, size_t len)
{
	unsigned long c;
	size_t n, i;

	if (p[0] < 0x80)
		return p[0] >= ' ' && p[0] != 0x7f;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
		return 0;
	c = p[0] & (0xffU >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < (n == 2 ? 0xa0UL : n == 3 ? 0x800UL : 0x10000UL) ||
	    (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		return 0;
	if (c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return n;
}

bool
printable(char *out, size_t size, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)text;
	size_t o = 0, n, need;

	if (size < 8) {
		if (size > 0)
			out[0] = '\0';
		return false;
	}
	while (len > 0) {
		n = shown(p, len);
		need = n > 0 ? n : 4;
		if (o + need + 4 > size) {
			memcpy(out + o, "...", 4);
			return false;
		}
		if (n > 0) {
			memcpy(out + o, p, n);
		} else {
			out[o] = '\\';
			out[o + 1] = 'x';
			out[o + 2] = hex[*p >> 4];
			out[o + 3] = hex[*p & 15];
			n = 1;
		}
		o += need;
		p += n;
		len -= n;
	}
	out[o] = '\0';
	return true;
}

static bool	fail_text(struct failure *, enum failure_kind, const char *,
		    const char *, va_list) __attribute__((format(printf, 3, 0)));

static bool
fail_text(struct failure *why, enum failure_kind kind, const char *fmt,
    const char *meaning, va_list ap)
{
	char raw[sizeof why->text];
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
