#include "rewrite.h"
#include "buffer.h"
#include "log.h"
#include "path.h"

#include <string.h>
#include <strings.h>

enum { LINE_FULL = 76 };		/* octets, before a new line begins */

enum treatment { LEFT, DROPPED, QUALIFIED, FROM };

static enum treatment
treatment(const struct field *f, bool is_signed)
{
	static const struct {
		const char *name;
		enum treatment treatment;
	} fields[] = {
		{ "Bcc", DROPPED },		{ "Resent-Bcc", DROPPED },
		{ "Return-Path", DROPPED },	{ "Content-Length", DROPPED },
		{ "From", FROM },		{ "Resent-From", FROM },
		{ "Sender", QUALIFIED },	{ "Resent-Sender", QUALIFIED },
		{ "Reply-To", QUALIFIED },	{ "To", QUALIFIED },
		{ "Cc", QUALIFIED },		{ "Resent-To", QUALIFIED },
		{ "Resent-Cc", QUALIFIED },
	};
	size_t i;

	for (i = 0; i < sizeof fields / sizeof *fields; i++)
		if (field_is(f, fields[i].name))
			return is_signed && fields[i].treatment != DROPPED ?
			    LEFT : fields[i].treatment;
	return LEFT;
}

/* The address that takes the mailbox's place, or NULL when it stays. */
static const char *
replacement(const struct rewriting *w, const struct mailbox *m,
    enum treatment how, struct pool *pool)
{
	struct mailbox whole = *m;

	if (how == FROM && strcasecmp(w->from, "never") != 0 &&
	    (strcasecmp(w->from, "always") == 0 ||
	    resolve_is_local(w->resolver, m)))
		return w->address;
	if (m->domain != NULL)
		return NULL;
	whole.domain = resolve_domain(w->resolver);
	return path_of(&whole, pool);
}

static const char *
mailbox_text(const struct rewriting *w, const struct mailbox *m,
    const char *address, enum treatment how, struct pool *pool)
{
	const char *name = m->name;

	if (name == NULL && how == FROM)
		name = w->full_name;
	return name == NULL ? address : pool_printf(pool, "%s <%s>",
	    header_phrase(name, pool), address);
}

/*
 * The text of a field again, its mailboxes replaced where they must be; a
 * mailbox that would make the line too long begins a new one.
 */
static const char *
rebuilt(const struct field *f, const char *value, const struct mailbox *list,
    const char *const *texts, size_t n, struct pool *pool)
{
	struct buffer b = { 0 };
	size_t at = 0, i, len, gap, column;
	const char *text;

	buffer_put(&b, f->text, f->name_len);
	buffer_put(&b, ": ", 2);
	column = buffer_len(&b);
	for (i = 0; i < n; i++) {
		len = list[i].end - list[i].start;
		text = texts[i] != NULL ? texts[i] :
		    pool_octets(pool, value + list[i].start, len);
		for (gap = list[i].start - at; gap > 0 &&
		    value[at + gap - 1] == ' '; gap--)
			;
		buffer_put(&b, value + at, gap);
		column += gap + 1;
		if (i > 0 && column + strlen(text) > LINE_FULL) {
			buffer_put(&b, "\r\n", 2);
			column = 1;
		}
		if (i > 0 || gap > 0)
			buffer_put(&b, " ", 1);
		buffer_put(&b, text, strlen(text));
		column += strlen(text);
		at = list[i].end;
	}
	buffer_printf(&b, "%s\r\n", value + at);
	text = pool_octets(pool, buffer_data(&b), buffer_len(&b));
	buffer_free(&b);
	return text;
}

static const char *
rewritten(const struct rewriting *w, const struct field *f,
    enum treatment how, struct pool *pool)
{
	char *value = field_value(f, pool);
	struct mailbox *list = NULL;
	struct failure why;
	const char **texts, *address;
	size_t n = 0, i, changed = 0;

	if (!address_list(value, pool, &list, &n, &why)) {
		log_note(LEVEL_WARNING, "%.*s is left as it is: %s",
		    (int)f->name_len, f->text, why.text);
		return NULL;
	}
	texts = pool_array(pool, n, sizeof *texts);
	for (i = 0; i < n; i++) {
		address = replacement(w, &list[i], how, pool);
		if (address == NULL)
			continue;
		texts[i] = mailbox_text(w, &list[i], address, how, pool);
		changed++;
	}
	return changed == 0 ? NULL : rebuilt(f, value, list, texts, n, pool);
}

const char **
rewrite_fields(const struct message *m, const struct rewriting *w,
    struct pool *pool)
{
	const char **instead = pool_array(pool, m->nfields, sizeof *instead);
	bool is_signed = message_is_signed(m, pool);
	enum treatment how;
	size_t i;

	for (i = 0; i < m->nfields; i++) {
		how = treatment(&m->fields[i], is_signed);
		if (how == DROPPED)
			instead[i] = "";
		else if (how != LEFT)
			instead[i] = rewritten(w, &m->fields[i], how, pool);
	}
	return instead;
}
