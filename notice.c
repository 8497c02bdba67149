#include "notice.h"
#include "header.h"
#include "path.h"

#include <string.h>

void
notice_make(struct input *in, const struct stored *s, const char *address,
    struct pool *pool)
{
	const struct record *r = &s->record;
	struct buffer *b = &in->octets;
	const char *at = strrchr(address, '@');
	size_t i;

	*in = (struct input){ .fd = -1, .eof = true };
	buffer_printf(b, "From: sendoff <%s>\nTo: %s\nSubject: mail not sent: "
	    "%s\nDate: %s\nMessage-ID: %s\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=UTF-8\n\n", address, address,
	    r->id, header_date(time(NULL), pool), header_message_id(at != NULL ?
	    path_ascii(at + 1, pool) : "localhost", pool));
	buffer_printf(b, "A message from <%s> could not be sent and will not be "
	    "tried again.\n\nIt has not reached:\n\n", s->sender);
	for (i = 0; i < s->n; i++)
		buffer_printf(b, "    %s\n", s->recipients[i]);
	buffer_printf(b, "\nThe reason, after %u attempts:\n\n    %s\n\n",
	    r->attempts, r->reason != NULL ? r->reason : "not known");
	buffer_printf(b, "It is kept for now.  To see it, to try once more, to "
	    "delete it:\n\n    sendoff --show %s\n    sendoff --resend %s\n"
	    "    sendoff --forget %s\n", r->id, r->id, r->id);
}
