/*
 * A DNS packet taken apart: question and answer, with their DNSSEC state.
 * Pure; with dns.c the only user of libresolv.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"

enum dns_type {				/* RFC 1035, 3596, 2782, 6698 */
	DNS_A = 1, DNS_CNAME = 5, DNS_AAAA = 28, DNS_SRV = 33, DNS_TLSA = 52
};

enum dns_state {
	DNS_FOUND,			/* at least one record */
	DNS_NO_DATA,			/* the name is, such records are not */
	DNS_NO_NAME,			/* NXDOMAIN, or no name at all */
	DNS_SERVER_FAILED,		/* SERVFAIL: so a resolver tells also
					   what DNSSEC finds wrong */
	DNS_REFUSED,			/* any other code */
	DNS_GARBAGE,			/* it cannot be understood */
	DNS_TIMEOUT,
	DNS_NO_SERVER			/* none could be reached */
};

struct dns_record {
	unsigned priority, weight, port;	/* SRV */
	const char *target;		/* SRV, CNAME: lower case, without a
					   final dot; "" is the root */
	const unsigned char *data;	/* A: 4 octets; AAAA: 16; TLSA: all of
					   its RDATA, be it of any length */
	size_t len;
};

struct dns_question {
	const char *name;		/* ASCII, complete; no final dot */
	enum dns_type type;
	bool dependent;			/* not waited for when nothing that was
					   asked with it is authenticated */
	/* the answer; strings and octets live in the pool */
	enum dns_state state;
	bool authenticated;		/* by a resolver that may be trusted;
					   that there is none can be, too */
	const char *canonical;		/* the end of the chain of CNAMEs, or
					   the name itself; lower case */
	struct dns_record *records;
	size_t n;			/* at most ANSWER_RECORDS_MAX */
};

enum { ANSWER_RECORDS_MAX = 100, ANSWER_CHAIN_MAX = 16 };

enum answer_again {
	ANSWER_IS_DONE,			/* state and the rest are filled in */
	ANSWER_IS_FOREIGN,		/* to no question of ours: wait on */
	ANSWER_BY_TCP,			/* it was cut */
	ANSWER_WITHOUT_EDNS		/* the server knows none (RFC 6891) */
};

/*
 * One packet as it came.  It must have the question's id and repeat its name
 * and type, or it is foreign.  trusted: the AD bit counts (RFC 6840 section
 * 5.8).  Records that are malformed are left out; where no other is left, the
 * state is DNS_GARBAGE.
 */
enum answer_again answer_parse(struct dns_question *,
	    const unsigned char *packet, size_t len, unsigned id,
	    bool trusted, struct pool *);

#endif
