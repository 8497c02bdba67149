#include "submitd_session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
session_announced(const struct session *s, enum extension extension)
{
	return (s->announced & 1u << extension) != 0;
}

bool
session_fault(const struct session *s, enum fault fault)
{
	return options_fault(s->options, fault);
}

void
session_stop(struct session *s, enum ending ending)
{
	s->is_over = true;
	s->ending = ending;
}

void
session_reply(struct session *s, int code, const char *enhanced,
    const char *format, ...)
{
	const bool with_enhanced = *enhanced != '\0' &&
	    session_announced(s, EXT_ENHANCEDSTATUSCODES);
	char text[480], line[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	(void)snprintf(line, sizeof line, "%d %s%s%s", code,
	    with_enhanced ? enhanced : "", with_enhanced ? " " : "", text);
	conn_reply(s->conn, line);
	if (code == 421)
		session_stop(s, ENDING_POLITE);
}

void
session_reply_asked(struct session *s, const struct asked *asked)
{
	session_reply(s, asked->code, asked->enhanced, "%s", asked->text);
}

void
session_reset(struct session *s)
{
	for (size_t i = 0; i < s->mail.count; i++)
		free(s->mail.recipients[i].text);
	free(s->mail.recipients);
	free(s->mail.sender);
	store_end(s->mail.store);
	s->mail = (struct transaction){ 0 };
}

void
session_forget(struct session *s)
{
	session_reset(s);
	s->hello[0] = '\0';
	s->is_lmtp = false;
	s->announced = 0;
	s->mechanism = NULL;
	s->user[0] = '\0';
}
