/*
 * Logins of one message: OAUTHBEARER (RFC 7628), XOAUTH2 (Google), and PLAIN
 * (RFC 4616), whose password libgsasl would prepare: here octets count.
 */
#ifndef SUBMITD_TOKEN_H
#define SUBMITD_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "submitd_options.h"

/* The user whose password that is; NULL: nobody's, or malformed. */
const char *token_oauthbearer(const struct options *options, const char *in,
	    size_t octets, bool *is_malformed);
const char *token_xoauth2(const struct options *options, const char *in,
	    size_t octets, bool *is_malformed);
const char *token_plain(const struct options *options, const char *in,
	    size_t octets, bool *is_malformed);

#endif
