/*
 * What --help prints.
 */
#ifndef USAGE_H
#define USAGE_H

const char *usage_text(void);

#endif
