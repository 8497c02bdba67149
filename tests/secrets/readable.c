/*
 * Preloaded where the tests are not run as root: the process stays dumpable,
 * or its memory could not be read (tests/secrets/image.py).
 */
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int
prctl(int option, ...)
{
	long words[4];
	va_list ap;
	int i;

	va_start(ap, option);
	for (i = 0; i < 4; i++)
		words[i] = va_arg(ap, long);
	va_end(ap);
	return option == PR_SET_DUMPABLE ? 0 : (int)syscall(SYS_prctl, option,
	    words[0], words[1], words[2], words[3]);
}
