#include "record.h"
#include "failure.h"
#include "terms.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINE_ROOM = 512,		/* RFC 5321 section 4.5.3.1.4 */
	REASON_ROOM = 480
};

static void
put_time(struct buffer *b, const char *name, time_t t, struct pool *pool)
{
	if (t != 0)
		buffer_printf(b, "NOOP %s %s\r\n", name, terms_utc(t, pool));
}

/* Blanks behind a NOOP, in lines that are not too long for SMTP. */
static void
pad(struct buffer *b, size_t start)
{
	size_t left = start + RECORD_ROOM - buffer_len(b), n;

	for (; left > 0; left -= n) {
		n = left > LINE_ROOM ? REASON_ROOM : left;
		buffer_printf(b, "NOOP%*s\r\n", (int)n - 6, "");
	}
}

void
record_put(struct buffer *b, const struct record *r, struct pool *pool)
{
	size_t start = buffer_len(b);
	char reason[REASON_ROOM];

	buffer_printf(b, "NOOP sendoff 1\r\nNOOP state %s\r\n"
	    "NOOP attempts %u\r\n", r->state, r->attempts);
	put_time(b, "tried", r->tried, pool);
	put_time(b, "next", r->next, pool);
	if (r->locked_out)
		buffer_printf(b, "NOOP locked-out\r\n");
	if (r->untold)
		buffer_printf(b, "NOOP untold\r\n");
	if (r->reason != NULL) {
		(void)printable(reason, sizeof reason, r->reason,
		    strlen(r->reason));
		buffer_printf(b, "NOOP status %d\r\nNOOP reason %s\r\n",
		    r->status, reason);
	}
	assert(buffer_len(b) - start <= RECORD_ROOM - 6);
	pad(b, start);
}

void
record_put_fixed(struct buffer *b, const struct record *r,
    struct pool *pool)
{
	buffer_printf(b, "NOOP id %s\r\n", r->id);
	if (r->account != NULL)
		buffer_printf(b, "NOOP account %s\r\n", r->account);
	put_time(b, "created", r->created, pool);
}

/* What stands behind the name, or NULL. */
static const char *
behind(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncmp(line, name, n) == 0 ? line + n : NULL;
}

static void
take_number(struct record *r, const char *line)
{
	const char *text;

	if ((text = behind(line, "attempts ")) != NULL)
		r->attempts = (unsigned)strtoul(text, NULL, 10);
	else if ((text = behind(line, "status ")) != NULL)
		r->status = (int)strtol(text, NULL, 10);
	else if (strcmp(line, "locked-out") == 0)
		r->locked_out = true;
	else if (strcmp(line, "untold") == 0)
		r->untold = true;
}

void
record_take(struct record *r, const char *line, struct pool *pool)
{
	const struct {
		const char *name;
		const char **text;
		time_t *time;
	} lines[] = {
		{ "id ", &r->id, NULL },	{ "account ", &r->account, NULL },
		{ "state ", &r->state, NULL },	{ "reason ", &r->reason, NULL },
		{ "created ", NULL, &r->created },
		{ "tried ", NULL, &r->tried },	{ "next ", NULL, &r->next },
	};
	const char *value;
	size_t i;

	for (i = 0; i < sizeof lines / sizeof *lines; i++) {
		value = behind(line, lines[i].name);
		if (value == NULL)
			continue;
		assert(lines[i].text != NULL || lines[i].time != NULL);
		if (lines[i].text != NULL)
			*lines[i].text = pool_string(pool, value);
		else if (!terms_date_time(value, lines[i].time))
			*lines[i].time = 0;
		return;
	}
	take_number(r, line);
}
