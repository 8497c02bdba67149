/*
 * Preloaded by tests/syslog.t in front of libc: what the program says to
 * syslog(3) goes to the file that $DEVLOG names, "facility priority tag text".
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

static const char *tag = "";
static int facility;
static FILE *f;			/* open before there is a sandbox */

void	__syslog_chk(int, int, const char *, ...);

void
openlog(const char *ident, int option, int where)
{
	(void)option;
	if (f == NULL)
		f = fopen(getenv("DEVLOG"), "ae");
	tag = ident;
	facility = where;
}

void
closelog(void)
{
}

static void
put(int priority, const char *fmt, va_list ap)
{
	if (f == NULL)
		abort();
	(void)fprintf(f, "%d %d %s ", facility >> 3, priority, tag);
	(void)vfprintf(f, fmt, ap);
	(void)fputc('\n', f);
	(void)fflush(f);
}

void
syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(priority, fmt, ap);
	va_end(ap);
}

/* What a fortified program calls. */
void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	put(priority, fmt, ap);
	va_end(ap);
}
