#include "phrases.h"
#include "utf8.h"
#include "words.h"

#include <string.h>

struct phrase_word *
phrase_add(struct phrase *w, const char *blank, const char *raw, size_t nraw)
{
	struct phrase_word *word;

	w->list = pool_grow(w->pool, w->list, &w->n, sizeof *w->list);
	word = &w->list[w->n - 1];
	*word = (struct phrase_word){ .blank = blank,
	    .nblank = (size_t)(raw - blank), .raw = raw, .nraw = nraw };
	if (utf8_beyond(raw, nraw) || nraw > PHRASE_WORD_MAX)
		word->kind = PHRASE_BEYOND;
	else if (words_is_encoded(raw, nraw))
		word->kind = PHRASE_ENCODED;
	return word;
}

/*
 * Words that must be encoded stand together in one text with the blanks
 * between them.  A blank between two encoded words is not shown (RFC 2047
 * section 6.2), so the one before a word that was encoded already is taken
 * in.  The index behind the last of them.
 */
static size_t
put_run(struct folded *out, const struct phrase *w, size_t i)
{
	const struct phrase_word *first = &w->list[i];
	struct buffer text = { 0 };

	for (; i < w->n && w->list[i].kind == PHRASE_BEYOND; i++) {
		if (&w->list[i] != first)
			buffer_put(&text, w->list[i].blank,
			    w->list[i].nblank);
		buffer_put(&text, w->list[i].text, strlen(w->list[i].text));
	}
	if (i < w->n && w->list[i].kind == PHRASE_ENCODED)
		buffer_put(&text, w->list[i].blank, w->list[i].nblank);
	folded_encoded(out, first->blank, first->nblank, buffer_data(&text),
	    buffer_len(&text));
	buffer_free(&text);
	return i;
}

void
phrase_put(struct folded *out, const struct phrase *w)
{
	const struct phrase_word *word;
	size_t i = 0;

	while (i < w->n) {
		word = &w->list[i];
		if (word->kind == PHRASE_BEYOND) {
			i = put_run(out, w, i);
			continue;
		}
		folded_put(out, word->blank, word->nblank, word->raw,
		    word->nraw);
		out->encoded = word->kind == PHRASE_ENCODED;
		i++;
	}
}

void
phrase_text(struct folded *out, const char *value, struct pool *pool)
{
	struct phrase w = { .pool = pool };
	const char *blank = value;
	struct phrase_word *word;
	size_t n;

	while (*blank != '\0') {
		value = blank + strspn(blank, " \t");
		n = strcspn(value, " \t");
		if (n == 0)
			break;
		word = phrase_add(&w, blank, value, n);
		word->text = pool_octets(pool, value, n);
		blank = value + n;
	}
	phrase_put(out, &w);
}
