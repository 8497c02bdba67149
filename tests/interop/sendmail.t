#!/usr/bin/python3 -B
"""Sendmail 8.17 with OpenSSL: the one server of Debian with DELIVERBY."""
import email
import email.utils

from interop import Lab

PORTS = "SENDMAIL_STARTTLS", "SENDMAIL_TLS"
PLAIN = {"auth": "none", "password": None, "user_line": False}
SLACK = 60                      # seconds that may pass before MAIL

lab = Lab()


def report(mail, sender, seconds, action):
    """What the server tells the sender: when it had to be there, and what
    became of it since the sink behind it has no DELIVERBY."""
    found = mail.wait(sender)
    if len(found) != 1:
        return f"{sender} has {len(found)} reports"
    text = found[0][1].decode()
    told = email.message_from_string(text).get_payload()[1].get_payload()
    arrived, due = (email.utils.parsedate_to_datetime(told[0][name]) for name
                    in ("Arrival-Date", "Deliver-By-Date"))
    left = (due - arrived).total_seconds()
    if not seconds - SLACK <= left <= seconds:
        return f"{left} seconds instead of {seconds}"
    return "" if told[1]["Action"].startswith(action) else text


def by(port, terms, seconds):
    """Sendmail returns what must not be late; what may be is passed on."""
    mail = lab.mail(good=1)
    sender = f"{mail.id}-sender@example.test"
    run = lab.send(port, mail, deliver_by=terms, sender=sender, **PLAIN)
    late = "return" not in terms
    lab.case(f"{port}: deliver-by {terms}", run.is_silent(),
             report(mail, sender, seconds, "relayed" if late else "failed"),
             mail.arrived(sender=sender) if late else mail.nowhere())


def refused(port, name, options, *complaints, kept):
    mail = lab.mail(good=1)
    run = lab.send(port, mail, *options, **PLAIN)
    lab.case(f"{port}: {name}", run.fails(69, *complaints), run.keeps(kept),
             mail.nowhere())


for port in PORTS:
    by(port, "300 return", 300)
    by(port, "1d return trace", 86400)
    by(port, "60", 60)
    by(port, "3h notify,trace", 10800)
    refused(port, "below its minimum", ("--deliver-by", "299 return"),
            "299 seconds", "at least 300", kept=";R")
    refused(port, "it cannot hold a message", ("--hold-for", "1m"),
            "--hold-for", "does not offer FUTURERELEASE", kept="HOLDUNTIL=")

    mail = lab.mail(good=1)
    run = lab.send(port, mail, "-N", "success", "-V", "q1", **PLAIN)
    lab.case(f"{port}: nothing of the kind", run.is_silent(), mail.arrived())
lab.done()
