#!/usr/bin/python3 -B
"""By hand against real servers: --attach, --body, --talk, --quit-after."""
import email
import email.policy
import os

from interop import ALICE, Lab

lab = Lab()
PORTS = ("POSTFIX_TLS", "POSTFIX_STARTTLS", "EXIM_TLS", "EXIM_STARTTLS",
         "DOVECOT_STARTTLS", "NODE_TLS")


def differs(got, wanted):
    return "" if got == wanted else f"{got!r}, not {wanted!r}"


def parsed(mail):
    """What arrived for the first recipient."""
    found = mail.wait(mail.fresh[0])
    return email.message_from_bytes(found[0][1], policy=email.policy.default) \
        if found else email.message.EmailMessage()


def talk(port, *lines):
    """A script for --talk, and the run."""
    mail = lab.mail(good=0)
    mail.octets = "".join(line + "\n" for line in lines).encode()
    return lab.send(port, mail, "--talk")


def codes(run):
    """The reply codes of what was shown, without those of EHLO's lines."""
    return [line[:3] for line in run.out.splitlines()
            if line[:3].isdigit() and line[3:4] == " "]


for port in PORTS:
    mail = lab.mail(good=1)
    run = lab.send(port, mail, "--subject", "by hand", "--body", "Grüße",
                   "--attach", os.path.abspath(__file__))
    got = parsed(mail)
    parts = list(got.iter_attachments()) if got.is_multipart() else []
    with open(__file__, "rb") as f:
        own = f.read()
    lab.case(f"{port}: --body and --attach", run.is_silent(),
             differs(got["subject"], "by hand"),
             differs(got.get_body().get_content().strip() if parts else "",
                     "Grüße"),
             differs([p.get_payload(decode=True) for p in parts], [own]),
             differs([p.get_filename() for p in parts], ["hand.t"]))
    run = talk(port, "NOOP", f"MAIL FROM:<{ALICE}>",
               "RCPT TO:<talk@example.test>", "RSET", "QUIT")
    lab.case(f"{port}: --talk, logged in", run.has(0),
             differs(codes(run)[-5:], ["250", "250", "250", "250", "221"]))
    mail = lab.mail()
    run = lab.send(port, mail, "--quit-after", "rcpt")
    lab.case(f"{port}: --quit-after rcpt", run.has(0), mail.nowhere(),
             run.keeps_nothing())
lab.done()
