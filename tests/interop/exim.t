#!/usr/bin/python3 -B
"""Exim 4.96 with GnuTLS; SCRAM by Cyrus SASL (256) and Dovecot (1)."""
from interop import Lab

PORTS = "EXIM_STARTTLS", "EXIM_TLS"
OLD = "EXIM_TLS12_STARTTLS", "EXIM_TLS12_TLS"
MECHANISMS = "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"

lab = Lab()
lab.logins(PORTS + OLD, MECHANISMS, "535 Incorrect authentication data")
lab.shapes(PORTS[1])
for mechanism in MECHANISMS:
    lab.transcript(PORTS[1], mechanism)
for port in PORTS + OLD:
    mail = lab.mail()
    run = lab.send(port, mail, auth="EXTERNAL", password=None,
                   client_certificate=lab.env["CERTS"] + "/client.pem",
                   client_key=lab.env["CERTS"] + "/client.key")
    lab.case(f"{port}: EXTERNAL", run.is_silent(), mail.arrived())
for port in PORTS:
    lab.recipients(port)
    lab.many(port, 450)
    lab.null_sender(port)
    lab.unwanted_data(port, ["550 5.7.1", "not this one"])
    lab.large(port, 3 << 20)
# Exim is told which protocol is meant, and knows "smtp" and "esmtp".
for port in "EXIM_TLS", "EXIM_STARTTLS":
    mail = lab.mail()
    run = lab.send(port, mail, "--json", tls_alpn="h2 smtp")
    lab.case(f"{port}: ALPN", run.has(0), mail.arrived(),
             "" if '"alpn":"smtp"' in run.out else f"no alpn: {run.out}")
    mail = lab.mail()
    run = lab.send(port, mail, tls_alpn="h2")
    lab.case(f"{port}: ALPN that it does not know", run.fails(
        76, "knows none of the protocols", '"tls-alpn" names (h2)'),
             mail.nowhere())
lab.done()
