#!/usr/bin/python3 -B
"""Dovecot 2.3's submission proxy, with Postfix behind it."""
from interop import Lab

PORTS = "DOVECOT_STARTTLS", "DOVECOT_TLS"
MECHANISMS = "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"

lab = Lab()
lab.logins(PORTS, MECHANISMS, "535 5.7.8 Authentication failed")
lab.shapes(PORTS[1])
for mechanism in MECHANISMS:
    lab.transcript(PORTS[1], mechanism)
for port in PORTS:
    lab.recipients(port)
    lab.many(port, 150)
    lab.null_sender(port)
    lab.unwanted_data(port, ["550 5.7.1", "not this one"])
    lab.large(port, 3 << 20)
lab.done()
