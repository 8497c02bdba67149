#include "folded.h"
#include "words.h"

#include <string.h>

static void
put(struct folded *f, const char *p, size_t len)
{
	buffer_put(&f->text, p, len);
	f->column += len;
}

void
folded_begin(struct folded *f, const char *name, size_t len)
{
	*f = (struct folded){ 0 };
	put(f, name, len);
	put(f, ":", 1);
}

static void
fold(struct folded *f)
{
	buffer_put(&f->text, "\r\n", 2);
	f->column = 0;
}

/* The blanks before the next word; a field's first word has one. */
static void
put_blank(struct folded *f, const char *blank, size_t nblank)
{
	if (!f->any)
		put(f, " ", 1);
	else
		put(f, blank, nblank);
	f->any = true;
}

void
folded_put(struct folded *f, const char *blank, size_t nblank, const char *p,
    size_t len)
{
	if (f->any && nblank > 0 && f->column + nblank + len > WORDS_LINE)
		fold(f);
	put_blank(f, blank, nblank);
	put(f, p, len);
	f->encoded = false;
}

/* Sees that an encoded word has room behind the blanks. */
static void
make_room(struct folded *f, const char *blank, size_t nblank)
{
	if (f->column + nblank + 2 + WORDS_ROOM > WORDS_LINE) {
		fold(f);
		if (nblank == 0 || nblank > WORDS_ROOM || !f->any) {
			put(f, " ", 1);
			f->any = true;
			return;
		}
	}
	put_blank(f, blank, nblank);
}

void
folded_encoded(struct folded *f, const char *blank, size_t nblank,
    const char *p, size_t len)
{
	struct buffer text = { 0 };

	if (f->encoded && nblank > 0) {
		buffer_put(&text, blank, nblank);
		blank = " ";
		nblank = 1;
	}
	buffer_put(&text, p, len);
	make_room(f, blank, nblank);
	words_encode(&f->text, buffer_data(&text), buffer_len(&text),
	    &f->column);
	buffer_free(&text);
	f->encoded = true;
}

void
folded_open(struct folded *f, const char *blank, size_t nblank, const char *p)
{
	make_room(f, blank, nblank);
	put(f, p, strlen(p));
	f->encoded = false;
}

void
folded_glue(struct folded *f, const char *p)
{
	put(f, p, strlen(p));
	f->encoded = false;
	f->any = true;
}
