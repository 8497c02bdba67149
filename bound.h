/*
 * What a stored secret is bound to.  It goes only to the servers, by the name,
 * and under the TLS and auth policy, of the account that holds it: a command
 * line that changes one of these takes it away.  Pure.
 */
#ifndef BOUND_H
#define BOUND_H

#include "config.h"

/*
 * now is the account own after the command line's changes, made in place.
 * When one of them would use own's secret in another way than own says, what
 * came from own is taken out of now: password, password-file,
 * password-command, oauth-command, client-certificate, client-key and
 * client-key-ed25519, but not what the command line itself has named.  The name
 * of the setting is then in now->withheld, and now->deprived says that there
 * was something.  A password-file of the command line goes before a password or
 * token of own in any case.
 *
 * The settings are: server (to choose among the account's own is no change),
 * user, tls-name, ca-file, crl-file, pin, dane, tls-minimum, tls-priority,
 * tls-alpn (behind one port and certificate it chooses who hears us), auth,
 * auth-minimum, client-certificate, client-key, resolver and proxy;
 * "from" where it is the user name, or names the servers; and in the system's
 * configuration "allow-from", and "from" beside it.  Not these: hello, source,
 * the timeouts, require-tls (it is about the message), and what happens on
 * this side of the connection.
 */
void	bound_apply(const struct account *own, struct account *now);

#endif
