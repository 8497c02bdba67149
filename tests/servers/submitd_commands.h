/*
 * The dialogue: greeting, commands and their replies until the session is
 * over.
 */
#ifndef SUBMITD_COMMANDS_H
#define SUBMITD_COMMANDS_H

#include "submitd_session.h"

/* Afterwards s->ending says how the connection is to be ended. */
void	commands_run(struct session *s);

#endif
