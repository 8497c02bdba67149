#include "vault.h"
#include "pool.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK_OCTETS = 64 * 1024 };	/* more than a handshake needs */

void *
vault_open(size_t size, size_t *room)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	if (size > SIZE_MAX - page)
		pool_exhausted();
	*room = (size + page - 1) / page * page;
	p = mmap(NULL, *room, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		pool_exhausted();
	(void)madvise(p, *room, MADV_DONTDUMP);
	(void)mlock(p, *room);
	return p;
}

void
vault_close(void *p, size_t room)
{
	if (p == NULL)
		return;
	explicit_bzero(p, room);
	(void)munmap(p, room);
}

/* Not inlined, or it would be part of the caller's own stack. */
__attribute__((noinline)) void
vault_sweep(void)
{
	char stack[STACK_OCTETS];
	volatile size_t len;		/* or there would be no copying */

	explicit_bzero(stack, sizeof stack);
	for (len = 16; len <= 1024; len *= 2)
		(void)memcpy(stack, stack + sizeof stack / 2, len);
}
