/*
 * One server looked at: its records, each of its addresses, the dialogue up to
 * EHLO within TLS, its certificates.  Nothing secret goes there.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include "findings.h"
#include "pool.h"
#include "session.h"

/* The SRV records of the domain, as the DNS has them. */
void	inspect_services(struct session *, const char *domain,
	    struct findings *);

/* Its DNS and which addresses can be reached; false, with why, when none. */
bool	inspect_place(struct session *, struct found_server *);

/* The dialogue; false, with why, when it does not come to its end. */
bool	inspect_dialogue(struct session *, struct found_server *);

#endif
