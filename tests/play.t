#!/usr/bin/python3
"""Tests of tests/play itself: what it must see, it sees."""

import base64
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
from player.judge import Story, forms_of, without_chance        # noqa: E402
from player.pattern import Bad, fill, match, unescape           # noqa: E402
from player.sasl import Login                                   # noqa: E402
from player.session import same_lines                           # noqa: E402
from player.transcript import Transcript, dialogue              # noqa: E402
from tap import done, ok, same                                  # noqa: E402

class NoWire:
    def can_bind(self):
        return False


def patterns():
    values = {}
    same(unescape(r"a\xff\r\t\\\0"), b"a\xff\r\t\\\0", "escapes")
    same(match("MAIL SIZE={n:\\d+}", b"MAIL SIZE=12", values, {}), "",
         "a capture fits")
    same(values, {"n": b"12"}, "and is remembered")
    same(match("BDAT {=n} LAST", b"BDAT 12 LAST", values, {}), "", "again")
    ok(match("BDAT {=n} LAST", b"BDAT 13 LAST", values, {}), "not another")
    ok(match("a.c", b"abc", {}, {}), "no hole is no pattern")
    same(match("{:x{2}y}", b"xxy", {}, {}), "", "braces in a regex")
    same(match("{{}}", b"{}", {}, {}), "", "braces")
    same(fill("{x 3 ab}{base64 \\0me}", {}, {}), b"abababAG1l", "functions")


def data():
    same(same_lines(["a", "...", "b"], [b"a", b"b", b"c", b"b", b""], {}), "",
         "... takes any lines")
    same(same_lines(["..."], [b""], {}), "", "or none")
    ok(same_lines(["a"], [b"a", b"b", b""], {}), "a line too much is seen")
    ok(same_lines(["a", "b"], [b"a", b""], {}), "a missing one, too")
    ok(same_lines(["...", "a"], [b"b", b""], {}), "also behind ...")


def scram(mechanism, first, final, server_words, last):
    """The examples of RFC 5802 section 5 and RFC 7677 section 3."""
    login = Login(b"user", b"pencil", NoWire())
    login.mechanism = mechanism
    encode = base64.b64encode
    same(login.client_first("", encode(first)), "", "client-first")
    login.server_first(server_words)
    same(login.client_final("", encode(final)), "", "client-final")
    same(base64.b64decode(login.server_final("")), last, "server-final")
    ok(base64.b64decode(login.server_final("wrong")) != last, "a wrong one")
    bad = final[:-2] + b"A="
    ok(login.client_final("", encode(bad)), "a wrong proof is seen")


def logins():
    scram("SCRAM-SHA-1", b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
          b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
          b"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
          "nonce=+3rfcNHYJY1ZVvWVs7j s=QSXCR+Q6sek8bf92 i=4096",
          b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")
    scram("SCRAM-SHA-256", b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
          b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
          "nonce=+%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0 "
          "s=W22ZaJ0SNY7soEsUEjb6gQ== i=4096",
          b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    login = Login(b"tim", b"tanstaaftanstaaf", NoWire())
    login.challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    same(login.cram_md5("", base64.b64encode(
        b"tim b913a602c7eda7a495b4e6e7334d3890")), "", "RFC 2195")
    login.mechanism = "SCRAM-SHA-256"
    ok(login.client_first("", base64.b64encode(
        b"y,,n=tim,r=rOprNGfwEbeRWgbNEkqO")), "a gs2 flag y without TLS")


def secrets():
    forms = list(forms_of(b"s3same"))
    for around in (b"\0me\0%s", b"%s", b"x%s", b"xy%s!", b"abcd%sz"):
        text = base64.b64encode(around % b"s3same").decode()
        ok(any(form in text for form in forms), f"found in {text}")


def chance():
    """No digits of a port, a home or an id are the server's."""
    for host in "localhost[127.0.0.1]:45030", "localhost:50345", "/tmp/socket":
        same(without_chance(
            f"sendoff: {host}: MAIL: server said 503 5.5.1 no (kept as "
            "/dev/shm/play-a503b_c/.local/state/sendoff/20260503T035035Z-503a503b503c; "
            "to try again: sendoff -qI 503a503b503c)").count("503"), 1,
             f"{host}: the server's 503 alone")


def transcript(text):
    path = f"/tmp/play.t.{os.getpid()}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        return Transcript(path)
    except Bad as bad:
        return str(bad)
    finally:
        os.unlink(path)


BEGIN = "S: 220 x\nC: EHLO client.example\nS: 250 x\n"
MAIL = BEGIN + "C: MAIL FROM:<a>\nC: RCPT TO:<b>\nC: DATA\n" \
    "S: 250 a\nS: 250 b\nS: 354 c\nD ...\nS: 250 d\nC: QUIT\nS: 221 e\n"


def syntax():
    for text, why in ((BEGIN, "without any = line"),
                      (BEGIN + "= kept 1", "without its = status"),
                      ("s: 220\n= status 0", "what is this"),
                      ("S: {frob}\n= status 0", "no such hole"),
                      ("S: 1\n= status 0\nC: x", "after an expectation"),
                      ("X\nC: x\n= status 0", "after X"),
                      ("+ frob\n= status 0", "no such set-up"),
                      ("S: \\q\n= status 0", "no such escape"),
                      ("S: x\n= status none", "invalid literal")):
        got = transcript(text)
        ok(isinstance(got, str) and why in got, f"wrong: {why}")
    read = transcript("2* S: a{i}\n2* C: b{i}\n= status 0\n")
    same([str(event) for event in read.acts[0].events],
         ["S: a1", "C: b1", "S: a2", "C: b2"], "repetition")
    read = transcript(BEGIN + "C: BDAT 3\nD a\nC: BDAT 6\nD b\nS: 250 a\nD c\n"
                      "D d\nS: 250 b\n= status 0")
    same([str(event) for event in read.acts[0].events[3:]],
         ["C: BDAT 3", "D a", "C: BDAT 6", "D b\nD c\nD d", "S: 250 a",
          "S: 250 b"], "a reply among the lines of the next chunk")
    read = transcript(MAIL + "= status 0")
    same(len(dialogue(read.acts[0], "tls")), 14, "TLS has its T")
    same(len(dialogue(read.acts[0], "plain")), 13, "the plain way has not")


def story():
    act = transcript(MAIL + "= status 0").acts[0]
    tale = Story(act, act.events)
    same(tale.final, 10, "the reply to the data, of a group")
    same([k for k in range(13) if tale.is_unknown(k)], [9], "unknown")
    same([tale.allowed(k, "fin") for k in (9, 10)], [{75}, {0}], "status")
    text = BEGIN + "C: MAIL FROM:<a>\nS: 550 no\nC: QUIT\nS: 221 x\n"
    act = transcript(text + "= status 69").acts[0]
    tale = Story(act, act.events)
    same([sorted(tale.allowed(k, "fin")) for k in (3, 4)],
         [[75], [69, 75]], "a refusal")


for group in (patterns, data, logins, secrets, chance, syntax, story):
    group()
done()
