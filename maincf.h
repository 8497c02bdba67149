/*
 * Postfix's main.cf and its tables as texts.  Pure but for the files beside.
 */
#ifndef MAINCF_H
#define MAINCF_H

#include "draft.h"

struct maincf_entry {
	const char *key, *value;
	const char *file;
	size_t line;
};

struct maincf_table {
	struct maincf_entry *entry;
	size_t n;
};

/*
 * What the rows name goes to taken, with "$name" put in.  Of the rest only what
 * is about the client (smtp_...) is told.
 */
void	maincf_read(struct draft *, char *text, const struct draft_rows *,
	    struct draft_taken *taken);

/*
 * "type:path ..." whose texts are there, or nothing when maps is NULL; what
 * cannot be read becomes a comment.
 */
void	maincf_table(struct draft *, const char *maps, struct maincf_table *);

/* NULL when there is none; keys are the same in upper and lower case. */
const struct maincf_entry *maincf_look_up(const struct maincf_table *,
	    const char *key);

#endif
