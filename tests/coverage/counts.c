/*
 * Linked into the program that counts what is run (make coverage), and into
 * no other: gcov writes its counters at exit(), into the folder of the build.
 *
 * So that folder is open to the sandbox, and _exit() writes them as well.
 */
#include "sandbox.h"

#include <stdnoreturn.h>

/* What the linker's --wrap has for each (Makefile), and libgcov. */
noreturn void	__real__exit(int status);
noreturn void	__wrap__exit(int status);
void	__real_sandbox_enter(struct sandbox *s, char text[SANDBOX_TEXT]);
void	__wrap_sandbox_enter(struct sandbox *s, char text[SANDBOX_TEXT]);
void	__gcov_dump(void);

noreturn void
__wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

void
__wrap_sandbox_enter(struct sandbox *s, char text[SANDBOX_TEXT])
{
	sandbox_may_write(s, COUNTED);
	__real_sandbox_enter(s, text);
}
