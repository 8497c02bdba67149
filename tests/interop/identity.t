#!/usr/bin/python3 -B
"""An Ed25519 key alone: Exim (GnuTLS) knows the certificate that is made of it
and logs in by EXTERNAL, Postfix (OpenSSL) knows the public key."""
import base64
import os

from interop import Lab

KEY = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"     # RFC 8032, 7.1
KEYS = ["POSTFIX_KEYS_STARTTLS", "POSTFIX_KEYS_TLS", "POSTFIX_KEYS_TLS12_TLS"]

lab = Lab()
stranger = base64.b64encode(os.urandom(32)).decode()
for port in ("EXIM_STARTTLS", "EXIM_TLS", "EXIM_TLS12_STARTTLS",
             "EXIM_TLS12_TLS"):
    for auth in "auto", "EXTERNAL":
        mail = lab.mail()
        run = lab.send(port, mail, "-v", auth=auth, password=None,
                       client_key_ed25519=KEY)
        lab.case(f"{port}: auth {auth}", run.has(0),
                 run.says("AUTH EXTERNAL", "235"), mail.arrived())
    mail = lab.mail()
    run = lab.send(port, mail, password=None, client_key_ed25519=stranger)
    lab.case(f"{port}: another key", run.has(69), run.says(
        "it may not know the client certificate"),
        "the key is told" if stranger in run.err else "", mail.nowhere())
for port in KEYS:
    mail = lab.mail()
    run = lab.send(port, mail, auth="none", password=None,
                   client_key_ed25519=KEY)
    lab.case(f"{port}: the key that it knows", run.is_silent(), mail.arrived())
    for what, more in (("another key", {"client_key_ed25519": stranger}),
                       ("no key", {})):
        mail = lab.mail()
        run = lab.send(port, mail, auth="none", password=None, **more)
        lab.case(f"{port}: {what}", run.has(69), run.says("554 5.7.1"),
                 mail.nowhere())
lab.done()
