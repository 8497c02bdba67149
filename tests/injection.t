#!/usr/bin/python3
"""Line ends, controls and syntax in whatever a caller can say: no command and
no header field but the program's own comes of it.  The server's record judges.
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from servers.hostile import (                                   # noqa: E402
    PATIENCE, SENDMAIL, SENDOFF, Server, account, batch, config, ok, play,
    same)

BOB, EVIL = "bob@example.net", "evil@evil.example"
MESSAGE = b"Subject: x\n\nhello\n"
ENDS = [b"\r\n", b"\n", b"\r", b"\v", b"\f", b"\xc2\x85", b"\x85", b"\x7f",
        b"\t", b"\x1b", b"\x08", b"\xe2\x80\xa8", "\u560d\u560a".encode(),
        b"\xff\xfe", b"%0d%0a", b"\\r\\n", b"\x01"]
STATE = {}


def prepare():
    STATE["server"] = Server("s", extensions=["DSN", "PIPELINING", "SIZE",
                                              "SMTPUTF8"])
    config(account(STATE["server"]), aliases="root: bob@example.net\n")


def clean(what, *args, text=MESSAGE, program=SENDMAIL, env=None,
          statuses=(0, 64, 65, 67, 69, 78)):
    """One run, and what the server may have heard of it."""
    server = STATE["server"]
    server.said.clear()
    server.mails.clear()
    p = subprocess.run([program, *args], check=False, input=text, env=env,
                       capture_output=True, timeout=PATIENCE)
    wrong = []
    commands = [x.encode("latin-1") for x in server.commands()]
    for c in commands:
        if not re.match(rb"(EHLO|MAIL FROM:<|RCPT TO:<|DATA$|QUIT$|RSET$)", c):
            wrong.append(f"a command {c!r}")
        if re.search(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]", c):
            wrong.append(f"a control in {c!r}")
    verbs = [c[:4] for c in commands]
    if verbs.count(b"MAIL") > 1 or len(server.mails) > 1 or \
            [c for c in commands if c[4:].split(b"<")[1:2] ==
             [EVIL.encode() + b">"]]:
        wrong.append(f"another mail or recipient: {commands}")
    for mail in server.mails:
        head = mail[2].split(b"\r\n\r\n")[0]
        if re.search(rb"(?mi)^(bcc|x-evil)[ \t]*:", head) or \
                re.search(rb"\r(?!\n)|(?<!\r)\n", mail[2]) or \
                re.search(rb"\x00", mail[2]):
            wrong.append(f"a field: {head!r}")
    if p.returncode not in statuses or (p.returncode != 0) != (p.stderr != b"") \
            or p.stderr.count(b"\n") > 1 or \
            re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", p.stderr):
        wrong.append(f"status {p.returncode}, {p.stderr!r}")
    STATE["wrong"] += [f"{what}: {x}" for x in wrong]
    return p.returncode


def judged(name):
    ok(not STATE["wrong"], name)
    for x in STATE["wrong"][:8]:
        print("# " + x[:400])


def addresses():
    for end in ENDS:
        STATE["wrong"] = []
        tail = end + b"RCPT TO:<" + EVIL.encode() + b">" + end + b"DATA" + end
        for form in (b"a@x.net" + tail, b"a" + tail + b"@x.net", b"<a@x.net>" +
                     tail, b'"a' + tail + b'"@x.net', b"a@x.net>" + tail,
                     b"a@x.net(" + tail + b")", b"a@[1.2.3.4" + tail + b"]",
                     b"a@x.net SIZE=1" + tail, b"(" + tail + b")a@x.net",
                     b'"\\' + end + b'"@x.net', end + b"a@x.net",
                     b"a@x.net" + end, b'"' + tail + b'" <a@x.net>'):
            clean(f"recipient {form!r}", "-i", "--", form)
            clean(f"sender {form!r}", "-i", b"-f" + form, BOB)
            clean(f"-r {form!r}", "-i", "-r", form, BOB)
            if b"\n" not in end and b"\r" not in end:
                clean(f"To {form!r}", "-t", text=b"To: " + form + b"\n\nx\n")
        judged(f"{end!r} in addresses")


def words():
    for end in ENDS:
        STATE["wrong"] = []
        tail = end + b"X-Evil: y" + end + end + b"body" + end + b"." + end + \
            b"MAIL FROM:<>"
        text = b"Subject: x\n\nhello\n"
        for option in b"-F", b"-V", b"-N", b"-R", b"-B", b"-O", b"-L", b"-h", \
                b"-o", b"-A", b"-p":
            clean(f"{option!r} with {end!r}", option + b"x" + tail, BOB,
                  text=text)
        clean(f"NAME with {end!r}", BOB, text=text,
              env={**os.environb, b"NAME": b"x" + tail})
        for setting in "hello", "name", "user", "domain", "from", "match", \
                "default-recipient", "tls-name", "allow-from", "source", \
                "deliver-by", "priority":
            clean(f"--{setting} with {end!r}", f"--{setting}".encode(),
                  b"x" + tail, BOB, program=SENDOFF, text=text)
        clean(f"-C with {end!r}", b"-C/no" + tail, BOB, program=SENDOFF,
              text=text)
        said = subprocess.run([SENDMAIL, "-bv", b"a" + tail], check=False,
                              capture_output=True, timeout=PATIENCE).stdout
        if said.count(b"\n") != 1 or re.search(rb"[\x00-\x09\x0b-\x1f\x7f]",
                                              said):
            STATE["wrong"].append(f"-bv: {said!r}")
        judged(f"{end!r} in options, names and settings")


def headers():
    STATE["wrong"] = []
    for end in b"\r", b"\v", b"\f", b"\xc2\x85", b"\x85", b"\r\r":
        for field in b"Subject", b"From", b"To", b"X-Y", b"Reply-To":
            clean(f"{field!r} with {end!r}", "-i", BOB, text=field + b": a@x.net"
                  + end + b"X-Evil: y" + end + b"Bcc: " + EVIL.encode() +
                  b"\n\nhello\n")
    judged("line ends of others in header fields make none")
    same(clean("a NUL", "-t", text=b"To: bob@example.net\0\nRCPT\n\nx\n"), 65,
         "a NUL in To")


def forms():
    """Recipients from a web form."""
    server = STATE["server"]
    for text, who in (
            ("a@x.net, b@x.net", ["a@x.net", "b@x.net"]),
            ('"a@evil.example x"@good.net', ['"a@evil.example x"@good.net']),
            ('"a@evil.example,b@evil.example"@good.net',
             ['"a@evil.example,b@evil.example"@good.net']),
            ('"a>,<b@evil.example"@good.net',
             ['"a>,<b@evil.example"@good.net']),
            ('"a;b:c"@good.net', ['"a;b:c"@good.net']),
            ("%n%s%x@x.net", ["%n%s%x@x.net"]),
            ("a%evil.example@x.net", ["a%evil.example@x.net"]),
            ("a!b@x.net", ["a!b@x.net"]), ("-f@x.net", ["-f@x.net"]),
            ("--@x.net", ["--@x.net"]),
            ("`id`$(id)|id;id@x.net", None), ("a@x.net b@evil.example",
                                              ["a@x.net", "b@evil.example"]),
            ("a@b@x.net", None), ("a@x.net\nBcc: " + EVIL, None),
            ("<a@x.net> NOTIFY=NEVER", None), ("a@x.net>", None),
            ("@evil.example:a@x.net", None), ("a @ x.net", ["a@x.net"])):
        STATE["wrong"] = []
        status = clean(text, "-i", "--", text)
        got = sum(server.envelopes(), [])
        said = [re.match("RCPT TO:<(.*)>(?: |$)", x)[1] for x in
                server.commands() if x.startswith("RCPT")]
        ok(not STATE["wrong"] and (said == who if who is not None else
                                   (status == 65 and not got)),
           f"{text!r}: {status} {said} {STATE['wrong']}")


def dialogue():
    """-bs, where the caller speaks SMTP."""
    server = STATE["server"]
    for end in "\0", "\r", "\x7f", "\v", "\x85", "\t", "\xc2\x85":
        server.said.clear()
        server.mails.clear()
        batch(f"EHLO a\r\nMAIL FROM:<a@x.net{end}>\r\nRCPT TO:<b@x.net{end}RCPT"
              f" TO:<{EVIL}>>\r\nMAIL FROM:<a@x.net>{end}X=y\r\nRCPT "
              f"TO:<b@x.net> ORCPT=rfc822;x{end}y\r\nRSET\r\nQUIT\r\n")
        ok(not [x for x in server.commands() if re.search(
            "[\0-\x1f\x7f]", x) or f"RCPT TO:<{EVIL}" in x], f"-bs: {end!r}")


play(prepare, addresses, words, headers, forms, dialogue)
