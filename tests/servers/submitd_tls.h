/*
 * The server's side of TLS: credentials once per process, and what a session
 * that has been negotiated says about its peer.
 */
#ifndef SUBMITD_TLS_H
#define SUBMITD_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include "submitd_options.h"

struct tls;

/* Ends the program when the files or the priority string are no good. */
struct tls *tls_new(const struct options *options);

/* Takes NULL. */
void	tls_free(struct tls *tls);

/*
 * A session before its handshake that has no socket yet.  NULL: no memory.
 * The caller owns it (gnutls_deinit).
 */
gnutls_session_t tls_session(const struct tls *tls);

/* Like "TLS1.3". */
const char *tls_version(gnutls_session_t session);

/*
 * The CN of a client certificate that was verified against ca.pem for the
 * purpose of clientAuth, or whose public key is the one of --client-key,
 * whatever else it says; false when there is none.
 */
bool	tls_identity(gnutls_session_t session, char *name, size_t room);

/* The server name that the client asked for, or "". */
void	tls_server_name(gnutls_session_t session, char *name, size_t room);

/*
 * The channel binding in base64 (free() it): tls-exporter on TLS 1.3, and
 * tls-unique on TLS 1.2, with extended master secret or not.  NULL: none.
 */
char	*tls_binding(gnutls_session_t session, bool *is_exporter);

#endif
