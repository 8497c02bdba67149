/*
 * What a server has proven by TLS, as names and values: one form for the log
 * and --json, and of the chain for --probe --json as well.
 */
#ifndef PROOF_H
#define PROOF_H

#include "chain.h"
#include "fields.h"
#include "tls.h"

/*
 * What the handshake has come to ("none": there was none, "failed",
 * "untrusted": we did not take the certificate, or the version), what each way
 * of verifying says, and of the server's own certificate its pin and its last
 * day.  mechanism: that was logged in with, or NULL; the channel binding is
 * told when that has one.
 */
void	proof_tls(const struct fields *, const struct tls_facts *,
	    const char *mechanism);

/* "chain": as sent, the server's own certificate first; NULL: nothing. */
void	proof_chain(const struct fields *, const struct chain *);

#endif
