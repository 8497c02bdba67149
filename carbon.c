#include "carbon.h"
#include "log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 2 * CARBON_LINE + 64 };

/* Would it be taken for any data, or for any number of lines? */
static bool
is_sign(const char *line, size_t len)
{
	static const char octets[] = " octets";
	size_t n = 0, rest = sizeof octets - 1;

	while (n < len && line[n] >= '0' && line[n] <= '9')
		n++;
	return (len == 3 && memcmp(line, "...", 3) == 0) ||
	    (n > 0 && len == n + rest && memcmp(line + n, octets, rest) == 0);
}

/* As a transcript has it; log_trace() does what is left. */
static size_t
write_down(char *text, const char *line, size_t len)
{
	size_t i = 0, n = 0;

	if (is_sign(line, len))
		n = (size_t)sprintf(text, "\\x%02x", (unsigned)line[i++]);
	for (; i < len; i++) {
		if (line[i] == '\\' || line[i] == '{' || line[i] == '}')
			text[n++] = line[i];
		text[n++] = line[i];
	}
	return n;
}

static void
show(struct carbon *c)
{
	size_t len = c->octets < CARBON_LINE ? (size_t)c->octets : CARBON_LINE;
	char text[TEXT_MAX];
	size_t n = write_down(text, c->line, len);

	if (c->octets > len)
		n += (size_t)snprintf(text + n, sizeof text - n, "{:.{%" PRIu64
		    "}}", c->octets - len);
	log_trace('D', text, n);
	c->octets = 0;
	c->last = '\0';
}

static void
add(struct carbon *c, const char *p, size_t len)
{
	size_t room;

	if (len == 0)
		return;
	if (c->octets == 0 && *p == '.')
		c->dotted++;
	if (c->octets < CARBON_LINE) {
		room = CARBON_LINE - (size_t)c->octets;
		memcpy(c->line + c->octets, p, len < room ? len : room);
	}
	c->octets += len;
	c->last = p[len - 1];
}

void
carbon_octets(struct carbon *c, const char *p, size_t len)
{
	const char *end;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		end = memchr(p, '\n', len);
		n = end != NULL ? (size_t)(end - p) : len;
		add(c, p, n);
		if (end == NULL)
			return;
		if (c->last == '\r') {
			c->octets--;
			show(c);
		} else {		/* its CR is in another chunk */
			add(c, end, 1);
		}
		n++;
	}
}

void
carbon_end(struct carbon *c)
{
	if (c->octets > 0)
		show(c);
}
