/*
 * MAIL and RCPT: the envelope.
 */
#ifndef SUBMITD_MAIL_H
#define SUBMITD_MAIL_H

#include "submitd_session.h"

void	mail_sender(struct session *s, char *args);
void	mail_recipient(struct session *s, char *args);

/*
 * The envelope as text for the store, free() it: facts of the session, then
 * of this transaction.  NULL: no memory.
 */
char	*mail_envelope(const struct session *s);

#endif
