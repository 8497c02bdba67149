#!/usr/bin/python3 -B
"""Dovecot 2.3's submission proxy, with Postfix behind it; by passwords, and by
certificates of an authority."""
import base64
import os

from interop import ALICE, Lab

CERTIFICATES = "DOVECOT_CERTIFICATES_STARTTLS", "DOVECOT_CERTIFICATES_TLS"
TLS12 = '"-VERS-TLS1.3"'
NOT_VALID = "535 5.7.8 Client didn't present valid SSL certificate"
PORTS = "DOVECOT_STARTTLS", "DOVECOT_TLS"
MECHANISMS = "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"



def identity(name):
    path = f"{lab.env['CERTS']}/{name}"
    return {"client_certificate": path + ".pem", "client_key": path + ".key",
            "password": None}


def refused(port, what, *words, status=77, **settings):
    mail = lab.mail()
    run = lab.send(port, mail, **settings)
    lab.case(f"{port}: {what}", run.fails(status, "localhost", *words),
             run.keeps("state held", *mail.to), mail.nowhere())


def certificates(port):
    for name in "client", "client-ed25519":
        for version, priority in ("TLS1.3", None), ("TLS1.2", TLS12):
            mail = lab.mail()
            run = lab.send(port, mail, tls_priority=priority,
                           **identity(name))
            way = (run.way() or "it was not sent")[1:]
            lab.case(f"{port}: {name}, {version}", run.is_silent(),
                     "" if way == (version, "EXTERNAL") else str(way),
                     run.keeps_nothing(), mail.arrived(sender=ALICE))
    mail = lab.mail()
    lab.case(f"{port}: auth EXTERNAL", lab.send(
        port, mail, auth="EXTERNAL", **identity("client")).is_silent(),
             mail.arrived(sender=ALICE))
    for version, priority in ("TLS1.3", None), ("TLS1.2", TLS12):
        for name, what, words in (
                ("client-other", "of another authority", NOT_VALID),
                ("client-only", "of nobody who is known",
                 "535 5.7.8 Authentication failed")):
            refused(port, f"a certificate {what}, {version}", "EXTERNAL",
                    words, "does it know this one?", tls_priority=priority,
                    **identity(name))
    refused(port, "a key alone", NOT_VALID, password=None,
            client_key_ed25519=base64.b64encode(os.urandom(32)).decode())
    refused(port, "no certificate", "offers the mechanisms EXTERNAL",
            status=69)


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
for port in CERTIFICATES:
    certificates(port)
lab.done()
