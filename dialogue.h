/*
 * Commands said and replies heard, each step with its name and its time
 * (RFC 5321 section 4.5.3.2); the transcript of both, without secrets.
 */
#ifndef DIALOGUE_H
#define DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "failure.h"
#include "reply.h"
#include "stream.h"

enum step {
	STEP_GREETING, STEP_EHLO, STEP_HELO, STEP_STARTTLS, STEP_TLS,
	STEP_AUTH, STEP_MAIL, STEP_RCPT, STEP_DATA, STEP_BLOCK, STEP_DOT,
	STEP_BDAT, STEP_RSET, STEP_QUIT, STEP_TALK
};

/* What of a server's replies in a login is not for the transcript. */
enum veil {
	VEIL_NONE,			/* there is no login */
	VEIL_SIGNATURE,			/* SCRAM's, with which the password
					   could be guessed */
	VEIL_CHALLENGES			/* all: of an account that who looks on
					   may not read */
};

struct dialogue {
	struct stream *stream;
	int timeout_reply;		/* seconds for every step, or 0 */
	bool in_step;			/* no reply is outstanding or broken */
	bool closing;			/* QUIT was said, or 421 heard */
	struct buffer secrets;		/* terminated strings, never shown */
	enum veil veil;
	bool masked;			/* the last line had a secret in it */
};

/* Begins a step: its name for error texts, its deadline. */
void	dialogue_step(struct dialogue *, enum step);

/* Queues a command line. */
void	dialogue_say(struct dialogue *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * Queues "command secret", or the secret alone when the command is "".  The
 * transcript has "***" in its place; a server that repeats it is not quoted.
 * Behind a command an empty one is "=".
 */
void	dialogue_say_secret(struct dialogue *, const char *command,
	    const char *secret, size_t len);

/*
 * As dialogue_say_secret(), of what is no secret as a whole: the transcript has
 * it, but for what is masked.
 */
void	dialogue_say_open(struct dialogue *, const char *command,
	    const char *response, size_t len);

/* A comment in the transcript, with secrets masked, which it empties. */
void	dialogue_remark(struct dialogue *, struct buffer *);

/* These octets are never shown, whoever says them; fewer than 4 are none. */
void	dialogue_hide_octets(struct dialogue *, const char *, size_t len);

/*
 * What else a server must not make us show: a password, as it is or in base64,
 * whatever stands before it there.
 */
void	dialogue_hide(struct dialogue *, const char *password, size_t len);

/* Does the text hold what must not be shown? */
bool	dialogue_tells(const struct dialogue *, const char *text);

/*
 * Sends what is queued and hears one reply.  line(), unless NULL, gets the
 * text of each of its lines.  False: the reply did not come, or is none; the
 * dialogue is then out of step and nothing more is sent.
 */
bool	dialogue_hear(struct dialogue *, struct reply *,
	    void (*line)(void *, const char *, size_t), void *,
	    struct failure *why);

/*
 * One line of the server's, whatever it is, in place of a reply: appended to
 * shown, each secret as "***".  It waits as stream_line() does.
 */
bool	dialogue_line(struct dialogue *, struct buffer *shown,
	    struct failure *why);

/*
 * Fails for a reply: FAILURE_DEFERRED for 4yz, permanent for 5yz,
 * FAILURE_PROTOCOL for another.  The text is the step and the server's words.
 */
bool	dialogue_refused(struct dialogue *, const struct reply *,
	    enum failure_kind permanent, struct failure *why);

/* Notes in a failure whose text ends in "server said REPLY" what it was. */
void	dialogue_quote(struct failure *, const struct reply *);

/*
 * Before a command that opens a group: has the server spoken out of turn?
 * A 421 is told as such, anything else is FAILURE_PROTOCOL.
 */
bool	dialogue_is_quiet(struct dialogue *, struct failure *why);

void	dialogue_wipe(struct dialogue *);

#endif
