/*
 * Pages for secrets: of nobody else, locked where the system lets us, never in
 * a core file, and overwritten before they go.
 */
#ifndef VAULT_H
#define VAULT_H

#include <stddef.h>

/*
 * Zeroed pages for at least size octets; how many they hold is in *room.  Out
 * of memory ends the process as in pool.h.  That the system does not lock them
 * (RLIMIT_MEMLOCK) is no failure.
 */
void	*vault_open(size_t size, size_t *room);

/* Overwrites them with zeros and gives them back.  Takes NULL. */
void	vault_close(void *, size_t room);

/*
 * Overwrites the stack below the caller's (but for the few octets of its own
 * frame), where functions that are left may have had a secret, a library's too,
 * and the registers that copying has left it in: a signal would put them on the
 * stack.
 */
void	vault_sweep(void);

#endif
