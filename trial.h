/*
 * A session in which a person tries a server: it ends before there is mail
 * (--quit-after), or its dialogue is handed to the terminal (--talk).
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "caller.h"
#include "clock.h"
#include "config.h"
#include "options.h"

/*
 * The exit status: 0 when it came as far as was asked, and each recipient that
 * was named was accepted; else as of a submission.  Standard input is read as
 * a message only when an option says so; nothing is kept.  program is what
 * errors begin with.
 *
 * With options->talk the dialogue is handed over (talk.h) after
 * options->last; or, when that is STAGE_ALL, when mail could be sent.
 */
int	trial_run(const struct options *, const struct caller *,
	    struct config *, const char *program, milliseconds begun);

#endif
