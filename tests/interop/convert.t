#!/usr/bin/python3 -B
"""What a server cannot take as it is: the same to who reads it."""
import email
import email.policy
import itertools

from interop import BODY, Lab, canonical, difference

SEVEN = "POSTFIX_7BIT_TLS", "NODE_7BIT_TLS"     # neither 8 bits nor UTF-8
LINE_MAX = 998

lab = Lab()


def case(port, name, subject="interop", body="hello\n"):
    mail = lab.mail(subject=subject, body=body.encode())
    run = lab.send(port, mail)
    lab.case(f"{port}: {name}", run.is_silent(), *[
        read(mail.wait(address), subject, body) for address in mail.fresh])


def parsed(octets):
    return email.message_from_bytes(octets, policy=email.policy.SMTP)


def longest(octets):
    return max(len(line) for line in octets.split(b"\r\n"))


def read(found, subject, body):
    if len(found) != 1:
        return f"there {len(found)} times"
    octets = found[0][1]
    message = parsed(octets)
    got = message["Subject"], message.get_content().replace("\r\n", "\n")
    if got != (subject, body):
        return f"{got!r} instead of {(subject, body)!r}"[:500]
    if longest(octets) > LINE_MAX:
        return f"a line of {longest(octets)}"
    return ""


for port in ("POSTFIX_TLS", "DOVECOT_TLS", "EXIM_TLS", "CYRUS_TLS", "NODE_TLS",
             *SEVEN):
    case(port, "a subject with umlauts", subject="Grüße aus Zürich")
    case(port, "a line of 5000 octets", body="x" * 5000 + "\nä\n")
    case(port, "a NUL", body="a\0b\n")

for port in "DOVECOT_TLS", "CYRUS_TLS", *SEVEN:
    mail = lab.mail("jürgen")
    run = lab.send(port, mail)
    lab.case(f"{port}: an address that needs the SMTPUTF8 which it lacks",
             run.has(69), run.says("SMTPUTF8", "jürgen"),
             *[read(mail.wait(address), "interop", BODY.decode() + "\n")
               for address in mail.fresh], run.keeps("jürgen@example.test"))

# --- where neither 8BITMIME nor SMTPUTF8 is offered, or not SMTPUTF8 --------

TEXT = "Grüße, žluťoučký kůň\n\n.\nblank \n日本語 = =3D\n" + "ö" * 490 + "\n"
OCTETS = bytes(n for n in range(256) if n not in b"\r\n") * 4  # 0 is first
NAME = "Übersicht für März.bin"
SUBJECT = ("Grüße aus Zürich, der größten Stadt, und was sonst noch länger "
           "ist als eine Zeile: žluťoučký kůň, 日本語")
HEADER = f"""From: Jürgen Größe <juergen@bücher.test>
To: "Zoë, die Größte" <zoe@bücher.test>, bob@example.test
Subject: {SUBJECT}
"""
HEADER_SEEN = [
    ("From", "Jürgen Größe <juergen@xn--bcher-kva.test>"),
    ("To", '"Zoë, die Größte" <zoe@xn--bcher-kva.test>, bob@example.test'),
    ("Subject", SUBJECT)]
LABEL = """MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

"""


def parts(octets):
    """A text, octets with a name, and a message with a text."""
    head = f"""{HEADER}MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
{LABEL}{TEXT}
--outer
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="{NAME}"
Content-Transfer-Encoding: binary

"""
    tail = f"""
--outer
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

{HEADER}{LABEL}{TEXT}
--outer--
"""
    return head.encode() + octets + tail.encode()


def parts_seen(octets):
    return [*HEADER_SEEN, ("text/plain", None, TEXT),
            ("application/octet-stream", NAME, octets),
            *HEADER_SEEN, ("text/plain", None, TEXT)]


MESSAGES = {
    "text without a MIME header": (
        f"From: a@example.test\nTo: b@example.test\n\n{TEXT}".encode(),
        [("From", "a@example.test"), ("To", "b@example.test"),
         ("text/plain", None, TEXT)]),
    "people and a subject": (
        f"{HEADER}\nhello\n".encode(),
        [*HEADER_SEEN, ("text/plain", None, "hello\n")]),
    "text, octets and a message": (
        parts(OCTETS[1:254]), parts_seen(OCTETS[1:254])),
    "octets with NUL in them": (parts(OCTETS), parts_seen(OCTETS)),
}


def seen(entity):
    """What a reader has of it: (type, name, content) of each part, and
    (field, text) of each message."""
    kind = entity.get_content_type()
    if kind.startswith("multipart/"):
        return [one for part in entity.iter_parts() for one in seen(part)]
    content = entity.get_content()
    if kind == "message/rfc822":
        return message_seen(content)
    if isinstance(content, str):
        content = content.replace("\r\n", "\n")
    return [(kind, entity.get_filename(), content)]


def fields_seen(message):
    return [(name, message[name]) for name in ("From", "To", "Subject")
            if message[name] is not None]


def message_seen(message):
    return fields_seen(message) + seen(message)


def parting(got, wanted):
    """The first of two lists' items that differ, in one line"""
    for a, b in zip(got, wanted):
        if a != b:
            return f"{a!r} instead of {b!r}"[:1000]
    return "" if len(got) == len(wanted) else f"{got!r}"[:1000]


def in_ascii(octets, wanted, original):
    if not octets.isascii():
        return "octets beyond ASCII"
    if longest(octets) > LINE_MAX:
        return f"a line of {longest(octets)}"
    return parting(message_seen(parsed(octets)), wanted)


def header_in_ascii(octets, wanted, original):
    """The server has 8BITMIME: the body is as it was."""
    header, _, body = octets.partition(b"\r\n\r\n")
    if not header.isascii():
        return "a header beyond ASCII"
    kept = canonical(original).partition(b"\r\n\r\n")[2]
    if body != kept:
        return difference(body, kept)
    fields = itertools.takewhile(lambda one: len(one) == 2, wanted)
    return parting(fields_seen(parsed(octets)), list(fields))


def send(port, name, judge):
    mail = lab.mail(good=1)
    mail.octets, wanted = MESSAGES[name]
    run = lab.send(port, mail)
    found = mail.wait(mail.fresh[0])
    lab.case(f"{port}: {name}", run.is_silent(), run.keeps_nothing(),
             judge(found[0][1], wanted, mail.octets) if len(found) == 1 else
             f"there {len(found)} times")


for name in MESSAGES:
    for port in SEVEN:
        send(port, name, in_ascii)
    if "NUL" not in name:
        send("POSTFIX_NOUTF8_TLS", name, header_in_ascii)
lab.done()
