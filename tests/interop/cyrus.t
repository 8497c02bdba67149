#!/usr/bin/python3
"""Cyrus SASL and OpenSSL: SCRAM bound to the TLS channel."""
from interop import Lab

PORTS = "CYRUS_STARTTLS", "CYRUS_TLS"
OLD = "CYRUS_TLS12_STARTTLS", "CYRUS_TLS12_TLS"
MECHANISMS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS",
              "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")

lab = Lab()
lab.logins(PORTS + OLD, MECHANISMS, "535 5.7.8 wrong user or password")
for port in PORTS + OLD:
    mail = lab.mail()
    run = lab.send(port, mail, "-v")
    lab.case(f"{port}: the strongest is chosen by itself", run.has(0),
             run.says("AUTH SCRAM-SHA-256-PLUS"), mail.arrived())
for port in PORTS:
    lab.recipients(port)
    lab.many(port, 150)
    lab.null_sender(port)
    lab.large(port, 3 << 20)
lab.done()
