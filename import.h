/*
 * --import: another program's configuration as a sendoff.conf on standard
 * output, with a comment on whatever has no counterpart.  It is read with the
 * caller's rights alone.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "caller.h"
#include "draft.h"
#include "imports.h"
#include "options.h"

/*
 * Exit status: EX_NOINPUT when the file cannot be read, EX_USAGE when nobody
 * can tell whose it is, EX_DATAERR when it is damaged; then nothing is printed
 * but a line for each of what is wrong, on standard error.  A terminal is not
 * shown passwords.
 */
int	import_configuration(const struct options *, const struct caller *,
	    const char *program);

/*
 * Whose file it is: said by "KIND:" in front of the name, which *name is then
 * behind; by its name; or by what the text has in it.  NULL: nobody can tell.
 */
const struct import_kind *import_kind_of(const char **name, const char *text);

/* All kinds, and how many they are. */
const struct import_kind *const *import_kinds(size_t *n);

#endif
