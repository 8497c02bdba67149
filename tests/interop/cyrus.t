#!/usr/bin/python3 -B
"""Cyrus SASL and OpenSSL: SCRAM bound to the TLS channel."""
import json

from interop import Lab

PORTS = "CYRUS_STARTTLS", "CYRUS_TLS"
OLD = "CYRUS_TLS12_STARTTLS", "CYRUS_TLS12_TLS"
MECHANISMS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS",
              "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")

lab = Lab()
lab.logins(PORTS + OLD, MECHANISMS, "535 5.7.8 wrong user or password")
lab.shapes(PORTS[1])
for mechanism in MECHANISMS:
    lab.transcript(PORTS[0], mechanism)
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

mail = lab.mail("refused", "deferred", good=1)
run = lab.send("CYRUS_TLS", mail, "--json")
told = json.loads(run.out or "{}")
results = {r["address"].partition("@")[0]: r["outcome"]
           for r in told.get("recipients", [])}
wanted = {mail.to[0].partition("@")[0]: "sent", "refused": "refused",
          "deferred": "deferred"}
lab.case("--json", run.has(75), mail.arrived(),
         "" if results == wanted else f"{results} instead of {wanted}")
lab.done()
