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
# Exim is told which protocol is meant, knows "smtp" and "esmtp", and refuses
# who names several.
for port in "EXIM_TLS", "EXIM_STARTTLS":
    for name in "smtp", "esmtp":
        mail = lab.mail()
        run = lab.send(port, mail, "--json", tls_alpn=name)
        lab.case(f"{port}: ALPN {name}", run.has(0), mail.arrived(),
                 "" if f'"alpn":"{name}"' in run.out else run.told())
    for names, words in (("h2", "the one that it knows"),
                         ("smtp esmtp", "that one alone")):
        mail = lab.mail()
        run = lab.send(port, mail, tls_alpn=names)
        lab.case(f"{port}: ALPN {names}", run.fails(
            76, f'"tls-alpn" names ({names})', words), mail.nowhere())
lab.done()
