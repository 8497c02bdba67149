#!/usr/bin/python3 -B
"""What a server cannot take as it is: the same to who reads it."""
import email
import email.policy

from interop import Lab

lab = Lab()


def case(port, name, subject="interop", body="hello\n"):
    mail = lab.mail(subject=subject, body=body.encode())
    run = lab.send(port, mail)
    lab.case(f"{port}: {name}", run.is_silent(), *[
        read(mail.wait(address), subject, body) for address in mail.fresh])


def read(found, subject, body):
    if len(found) != 1:
        return f"there {len(found)} times"
    octets = found[0][1]
    longest = max(len(line) for line in octets.split(b"\r\n"))
    message = email.message_from_bytes(octets, policy=email.policy.SMTP)
    got = message["Subject"], message.get_content().replace("\r\n", "\n")
    if got != (subject, body):
        return f"{got!r} instead of {(subject, body)!r}"[:500]
    return f"a line of {longest}" if longest > 998 else ""


for port in "POSTFIX_TLS", "DOVECOT_TLS", "EXIM_TLS", "CYRUS_TLS", "NODE_TLS":
    case(port, "a subject with umlauts", subject="Grüße aus Zürich")
    case(port, "a line of 5000 octets", body="x" * 5000 + "\nä\n")
    case(port, "a NUL", body="a\0b\n")

for port in "DOVECOT_TLS", "CYRUS_TLS":
    mail = lab.mail("jürgen")
    run = lab.send(port, mail)
    lab.case(f"{port}: an address that needs the SMTPUTF8 which it lacks",
             run.has(69), run.says("SMTPUTF8", "jürgen"), mail.arrived(),
             run.keeps("jürgen@example.test"))
lab.done()
