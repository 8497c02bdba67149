#!/usr/bin/python3 -B
"""Tokens: JWTs that Dovecot checks, for itself and Postfix, and npm's own."""
from interop import Lab

lab = Lab()
lab.logins(("POSTFIX_STARTTLS", "POSTFIX_TLS"), ("OAUTHBEARER", "XOAUTH2"),
           "535 5.7.8 Error: authentication failed")
lab.logins(("DOVECOT_STARTTLS", "DOVECOT_TLS"), ("OAUTHBEARER", "XOAUTH2"),
           "535 5.7.8 Authentication failed")
lab.logins(("NODE_STARTTLS", "NODE_TLS"), ["XOAUTH2"],
           "535 Error: Username and Password not accepted")
lab.done()
