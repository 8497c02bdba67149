#!/usr/bin/python3 -B
"""Postfix 3.7, with the SASL of Dovecot and that of Cyrus."""
from interop import Lab

STARTTLS, TLS = "POSTFIX_STARTTLS", "POSTFIX_TLS"
CYRUS = "POSTFIX_CYRUS_STARTTLS", "POSTFIX_CYRUS_TLS"
MECHANISMS = "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"
REFUSAL = "535 5.7.8 Error: authentication failed"
MIB = 1 << 20

lab = Lab()
lab.logins((STARTTLS, TLS), MECHANISMS, REFUSAL)
lab.logins(CYRUS, MECHANISMS, REFUSAL)
lab.shapes(TLS)
for mechanism in MECHANISMS:
    lab.transcript(STARTTLS, mechanism)
for port in STARTTLS, TLS:
    lab.recipients(port)
    lab.many(port, 150)
    lab.null_sender(port)
    lab.unwanted_data(port, ["550 5.7.1", "not this one"])
lab.many("POSTFIX_FEW_TLS", 65)
lab.large(TLS, 25 * MIB)

mail = lab.mail(body=(b"x" * 511 + b"\n") * (122 << 10), good=1)
run = lab.send(TLS, mail)
lab.case("61 MiB where 60 are allowed", run.fails(65), mail.nowhere())

mail = lab.mail()
run = lab.send("POSTFIX_NOAUTH_STARTTLS", mail, password=None, auth="none")
lab.case("a smarthost without AUTH", run.is_silent(), mail.arrived())

mail = lab.mail()
run = lab.send("POSTFIX_NOAUTH_STARTTLS", mail)
lab.case("a password and a server without AUTH", run.fails(69, "localhost"),
         run.keeps(*mail.to), mail.nowhere())

mail = lab.mail()
run = lab.send(TLS, mail, auth="SCRAM-SHA-256-PLUS")
lab.case("a mechanism that it does not offer",
         run.fails(69, "SCRAM-SHA-256-PLUS"), mail.nowhere())

mail = lab.mail()
run = lab.send("POSTFIX_NOTLS", mail,
               server=lab.url("POSTFIX_NOTLS").replace("+plain", ""))
lab.case("no STARTTLS where it is required",
         run.fails(69, "localhost", "STARTTLS"), run.keeps(*mail.to),
         mail.nowhere())

mail = lab.mail()
run = lab.send("POSTFIX_NOTLS", mail, auth="PLAIN")
lab.case("PLAIN without TLS on loopback, as the URL says", run.is_silent(),
         mail.arrived())

mail = lab.mail("jürgen")
run = lab.send(TLS, mail)
lab.case("an address that needs SMTPUTF8", run.is_silent(), mail.arrived(),
         "" if mail.wait("j%C3%BCrgen@example.test") else "jürgen lacks it")

mail = lab.mail(good=1)
run = lab.send(TLS, mail, "-N", "failure,delay", "-R", "hdrs", "-V", "env+1")
lab.case("DSN", run.is_silent(), mail.arrived(), *[
    "" if wanted in facts else f"no {wanted} in {facts}"
    for found, _ in mail.wait(mail.to[0])
    for facts in [str(found).upper()]
    for wanted in ("NOTIFY=FAILURE,DELAY", "RET=HDRS", "ENVID=ENV+2B1")])
lab.done()
