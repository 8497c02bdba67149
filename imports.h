/*
 * Configurations of other programs, each read into a draft (draft.h): the
 * text is theirs to change.  Pure but for the files beside, which the draft
 * opens.  sendoff-migrate(7) has the tables for people.
 */
#ifndef IMPORTS_H
#define IMPORTS_H

#include "draft.h"

struct import_kind {
	const char *name;		/* --import=NAME:FILE */
	const char *program;
	const char *files;		/* names of such a file, each with a
					   blank around it */
	const struct draft_rows *rows;
	const char *signs;		/* first words of lines by which it is
					   known, as above; NULL: the rows */
	void (*read)(struct draft *, char *text);
};

extern const struct import_kind import_msmtp, import_ssmtp,
    import_nullmailer, import_dma, import_esmtp, import_mox, import_mailrc,
    import_postfix;

#endif
