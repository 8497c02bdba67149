/*
 * Files that a configuration or a habit names.  Whoever has put something else
 * into their place must not make the program wait or read without end; and
 * what others could have written is told.  Judged is what was opened, not a
 * name that may be another's by now.
 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "buffer.h"
#include "failure.h"

/*
 * A regular file, for reading: -1 or NULL with errno set, which file_error()
 * puts into words; ENOTSUP: it is a FIFO, a device or a socket.
 */
int	file_open(const char *name);
FILE	*file_stream(const char *name);

/*
 * For what a person has named on the command line: pipes and devices, too,
 * such as /dev/fd/3.  A FIFO that nobody writes is empty.
 */
int	file_open_any(const char *name);
FILE	*file_stream_any(const char *name);

/*
 * All of a regular file, added to the buffer; EFBIG when it has more than most
 * octets.
 */
bool	file_read(const char *name, size_t most, struct buffer *);

/*
 * The same of a stream, from where it is; stdio keeps no copy of it, and
 * nothing has been done on it yet.
 */
bool	file_take_in(FILE *, size_t most, struct buffer *);

const char *file_error(int error);

/*
 * What such an error is: FAILURE_LOCAL when the system has no more descriptors
 * or memory for us, which another time it will; else FAILURE_CONFIG.
 */
enum failure_kind file_blame(int error);

/*
 * Why what is open could be the work of others than root and the caller, in
 * words that can stand behind a name; or NULL.
 */
const char *file_doubt(int fd);

/*
 * May the owner keep something in this folder, so that nobody else can put
 * another one into its place or lead astray to it?  Those that it lies in,
 * links resolved, belong to root or to the owner and are not for others to
 * write, unless sticky; their group counts when the owner is root.  False with
 * EPERM in errno when others can, else with the reason why it is not known.
 */
bool	file_folder_is_safe(const char *path, uid_t owner);

#endif
