/*
 * Questions to the DNS.  All questions of a step are asked at once, of the
 * servers of resolv.conf or of one that the configuration names, with one
 * deadline.  libresolv configures and packs; the sockets are ours, for
 * res_nquery() can wait for ever on TCP.
 */
#ifndef DNS_H
#define DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "answer.h"
#include "failure.h"
#include "pool.h"

enum { DNS_QUESTIONS_MAX = 8 };

struct dns;

/* resolver: as the configuration has it, or NULL (resolver.h). */
struct dns *dns_open(const char *resolver);
void	dns_close(struct dns *);			/* takes NULL */

/* Would a set AD bit be believed? */
bool	dns_is_trusted(const struct dns *);

/*
 * Asks all n questions, at most DNS_QUESTIONS_MAX.  What comes of each is in
 * its state; false (FAILURE_INTERRUPTED) only when a signal has ended it.
 */
bool	dns_ask(struct dns *, struct dns_question *, size_t n, struct pool *,
	    struct failure *why);

/* "no answer in time" and the like, for error texts. */
const char *dns_state_text(enum dns_state);

/* Behind the text of a failure: who was asked, and how to ask again. */
void	dns_name_resolver(const struct dns *, const struct dns_question *,
	    struct failure *why);

/* May the answer soon be another one? */
bool	dns_is_temporary(enum dns_state);

#endif
