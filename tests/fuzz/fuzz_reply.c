/*
 * Lines of a server: replies as a slow model of RFC 5321 section 4.2 and RFC
 * 3463 reads them, and EHLO keywords.
 */
#include "fuzz.h"
#include "buffer.h"
#include "reply.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

struct model {
	int code;
	size_t lines;
	struct buffer text;
};

/* -1: it is no line of a reply; else whether it is the last one. */
static int
model_line(struct model *m, const char *p, size_t len)
{
	int code;

	if (len < 3 || strchr("2345", p[0]) == NULL || p[0] == '\0' ||
	    !isdigit((unsigned char)p[1]) || !isdigit((unsigned char)p[2]) ||
	    (len > 3 && p[3] != ' ' && p[3] != '-'))
		return -1;
	code = (p[0] - '0') * 100 + (p[1] - '0') * 10 + p[2] - '0';
	if ((m->lines > 0 && code != m->code) ||
	    ++m->lines > REPLY_LINES_MAX)
		return -1;
	m->code = code;
	if (m->lines > 1)
		buffer_put(&m->text, " / ", 3);
	else
		buffer_put(&m->text, p, 3);
	if (m->lines == 1 && len > 4)
		buffer_put(&m->text, " ", 1);
	if (len > 4)
		buffer_put(&m->text, p + 4, len - 4);
	return len > 3 && p[3] == '-' ? 0 : 1;
}

static void
check_enhanced(const struct reply *r)
{
	const char *p = r->enhanced;
	size_t n, i;

	if (*p == '\0')
		return;
	assert(p[0] == '0' + r->code / 100 && p[1] == '.');
	for (p++, i = 0; i < 2; i++, p += n) {
		assert(*p++ == '.');
		n = strspn(p, "0123456789");
		assert(n >= 1 && n <= 3);
	}
	assert(*p == '\0');
}

static void
check_text(const struct reply *r, struct model *m)
{
	size_t len = buffer_len(&m->text);

	if (len > sizeof r->text - 1)
		len = sizeof r->text - 1;
	assert(r->code == m->code && r->lines == m->lines);
	assert(r->len == len && r->text[len] == '\0' &&
	    memcmp(r->text, buffer_data(&m->text), len) == 0);
	assert(reply_is_success(r) + reply_is_temporary(r) +
	    reply_is_permanent(r) == (r->code / 100 != 3));
	check_enhanced(r);
}

/* The octets behind the line; NULL when nothing of it makes sense any more. */
static const char *
line(struct reply *r, struct model *m, struct capabilities *can,
    const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p)), *text;
	enum reply_state state;
	struct failure why;
	size_t n;
	int want;

	if (nl == NULL)
		nl = end;
	want = model_line(m, p, (size_t)(nl - p));
	state = reply_add(r, p, (size_t)(nl - p), &text, &n, &why);
	assert(state == (want < 0 ? REPLY_BROKEN : want == 0 ? REPLY_MORE :
	    REPLY_COMPLETE));
	if (state == REPLY_BROKEN) {
		assert(why.kind == FAILURE_PROTOCOL);
		return NULL;
	}
	assert(text >= p && text + n <= nl);
	capabilities_line(can, text, n);
	check_text(r, m);
	if (state == REPLY_COMPLETE) {
		buffer_free(&m->text);
		*m = (struct model){ .code = 0 };
		*r = (struct reply){ .code = 0 };
	}
	return nl < end ? nl + 1 : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size;
	struct capabilities can = { 0 };
	struct reply reply = { 0 };
	struct model m = { .code = 0 };

	while (p != NULL && p < end)
		p = line(&reply, &m, &can, p, end);
	assert(strlen(can.mechanisms) < sizeof can.mechanisms);
	buffer_free(&m.text);
	return 0;
}
