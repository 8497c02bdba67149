/*
 * The letters of sendmail(8), each with its number of arguments.
 */
#ifndef LETTERS_H
#define LETTERS_H

#include <stdbool.h>

#include "parse.h"

/*
 * Takes a word of letters, "-ti" or "-fA", and the word behind it where the
 * last letter wants one.  FAILURE_USAGE for a letter that no sendmail knows.
 */
bool	letters_take(struct parse *, const char *word);

#endif
