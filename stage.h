/*
 * How far a session goes that is to send nothing: the steps that a person can
 * name.  Pure.
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdbool.h>
#include <stddef.h>

/* In the order of STARTTLS; implicit TLS comes right behind connecting. */
enum stage {
	STAGE_ALL,			/* to the end: the mail is sent */
	STAGE_CONNECT,
	STAGE_GREETING,
	STAGE_FIRST_EHLO,		/* before TLS, if there is to be TLS */
	STAGE_TLS,
	STAGE_EHLO,			/* the one that counts */
	STAGE_AUTH,
	STAGE_MAIL,
	STAGE_RCPT
};

/*
 * By its word in any case, or another program's word for it; STAGE_ALL when
 * there is none.
 */
enum stage stage_find(const char *word);

/* Our word for it: "greeting". */
const char *stage_word(enum stage);

/* All of our words, for an error: "connect, greeting, ...". */
const char *stage_words(void);

#endif
