/*
 * AUTH (RFC 4954): challenges and responses on the wire.
 */
#ifndef SUBMITD_AUTH_H
#define SUBMITD_AUTH_H

#include <stddef.h>

#include "submitd_session.h"

void	auth_command(struct session *s, char *args);

/* "AUTH NAME NAME...", the mechanisms that fit this connection. */
void	auth_describe(const struct session *s, char *text, size_t room);

#endif
