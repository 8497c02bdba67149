#include "stage.h"

#include <strings.h>

/* Ours first; then those of swaks and of everyday speech. */
static const struct {
	const char *word;
	enum stage stage;
} words[] = {
	{ "connect",	STAGE_CONNECT },
	{ "greeting",	STAGE_GREETING },
	{ "first-ehlo",	STAGE_FIRST_EHLO },
	{ "tls",	STAGE_TLS },
	{ "ehlo",	STAGE_EHLO },
	{ "auth",	STAGE_AUTH },
	{ "mail",	STAGE_MAIL },
	{ "rcpt",	STAGE_RCPT },
	{ "banner",	STAGE_GREETING },
	{ "first-helo",	STAGE_FIRST_EHLO },
	{ "helo",	STAGE_EHLO },
	{ "lhlo",	STAGE_EHLO },
	{ "login",	STAGE_AUTH },
};

enum stage
stage_find(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].stage;
	return STAGE_ALL;
}

const char *
stage_word(enum stage stage)
{
	return stage == STAGE_ALL ? "all" : words[stage - 1].word;
}

const char *
stage_words(void)
{
	return "connect, greeting, first-ehlo, tls, ehlo, auth, mail or rcpt";
}
