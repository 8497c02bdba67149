#!/usr/bin/python3 -B
"""smtp-server of npm: no CHUNKING, REQUIRETLS instead."""
from interop import Lab

PORTS = "NODE_STARTTLS", "NODE_TLS"
MECHANISMS = "CRAM-MD5", "PLAIN", "LOGIN"

lab = Lab()
lab.logins(PORTS, MECHANISMS, "535 5.7.8 wrong user or password")
lab.shapes(PORTS[1])
for mechanism in MECHANISMS:
    lab.transcript(PORTS[0], mechanism)
for port in PORTS:
    lab.recipients(port)
    lab.many(port, 150)
    lab.null_sender(port)
    lab.unwanted_data(port, ["550", "not this one"])
    lab.large(port, 3 << 20)

    mail = lab.mail(good=1)
    run = lab.send(port, mail, "--require-tls")
    lab.case(f"{port}: REQUIRETLS", run.is_silent(), mail.arrived(), *[
        "" if "REQUIRETLS" in facts["sender_parameters"] else f"not in {facts}"
        for facts, _ in mail.wait(mail.to[0])])
lab.done()
