/*
 * DATA and BDAT: the message.
 */
#ifndef SUBMITD_DATA_H
#define SUBMITD_DATA_H

#include "submitd_session.h"

void	data_data(struct session *s, char *args);
void	data_bdat(struct session *s, char *args);

#endif
