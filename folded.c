#include "folded.h"
#include "words.h"

static void
put(struct folded *f, const char *p, size_t len)
{
	buffer_put(&f->text, p, len);
	f->column += len;
	f->any = true;
	f->encoded = f->open = false;
}

void
folded_begin(struct folded *f, const char *name, size_t len)
{
	*f = (struct folded){ 0 };
	put(f, name, len);
	put(f, ":", 1);
	f->any = false;
}

/*
 * The blanks before the next word, of which at least len octets go into the
 * same line, if that has no more than limit.  A field's first word has one
 * blank.  Too many to leave room for "(" and an encoded word in a new line
 * become one.
 */
static void
separate(struct folded *f, const char *blank, size_t nblank, size_t len,
    size_t limit)
{
	bool folds;

	if (!f->any || (nblank == 0 && f->encoded)) {
		blank = " ";
		nblank = 1;
	}
	folds = f->column + nblank + len > limit;
	if (folds) {
		put(f, "\r\n", 2);
		f->column = 0;
	}
	if (folds && (nblank == 0 || nblank >= WORDS_LINE - WORDS_ROOM))
		put(f, " ", 1);
	else
		put(f, blank, nblank);
}

void
folded_put(struct folded *f, const char *blank, size_t nblank, const char *p,
    size_t len)
{
	separate(f, blank, nblank, len, f->any ? WORDS_LINE : FOLDED_LINE_MAX);
	put(f, p, len);
}

void
folded_encoded(struct folded *f, const char *blank, size_t nblank,
    const char *p, size_t len)
{
	struct buffer text = { 0 };

	if (nblank > 0 && f->encoded)
		buffer_put(&text, blank, nblank);
	if (nblank == 0 || f->encoded) {
		blank = " ";
		nblank = 1;
	}
	buffer_put(&text, p, len);
	if (!f->open)
		separate(f, blank, nblank, WORDS_ROOM, WORDS_LINE);
	words_encode(&f->text, buffer_data(&text), buffer_len(&text),
	    &f->column);
	buffer_free(&text);
	f->encoded = true;
	f->open = false;
}

void
folded_open(struct folded *f, const char *blank, size_t nblank)
{
	separate(f, blank, nblank, 1 + WORDS_ROOM, WORDS_LINE);
	put(f, "(", 1);
	f->open = true;
}

void
folded_close(struct folded *f)
{
	put(f, ")", 1);
}

void
folded_special(struct folded *f, char c)
{
	if (f->encoded)
		put(f, " ", 1);
	put(f, &c, 1);
}

void
folded_end(struct folded *f)
{
	put(f, "\r\n", 2);
}
