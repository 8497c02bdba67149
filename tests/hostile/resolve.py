#!/usr/bin/python3
"""A resolver that lies: what the program does with its answers.

resolve.py [--only WORD] [--jobs N]"""

import argparse
import concurrent.futures
import errno
import hashlib
import os
import socket
import ssl
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import faults                                                   # noqa: E402
import gnutls                                                   # noqa: E402
import names                                                    # noqa: E402
import run                                                      # noqa: E402
import server                                                   # noqa: E402
from names import A, AAAA, CNAME, EVIL, SRV, TLSA, a, cname, rr  # noqa: E402

CA = run.B + "/crash/ca"
HOST = "mail.example.test"
GOOD = "127.0.0.1"
SENT, LATER = {0}, {75}
FORGED = 200            # answers for which a socket has room beside the right


def good(q):
    return q.answer([a(q.name, GOOD)] if (q.name, q.kind) == (HOST, A) else
                    [])


def to_a(make):
    """Another answer to the question for the address."""
    return lambda q: make(q) if q.kind == A else q.answer()


def records(make, **other):
    return to_a(lambda q: q.answer(make(q), **other))


def tlsa(*rdata, **other):
    """TLSA records that the resolver vouches for, and the address."""
    def reply(q):
        if q.kind == TLSA:
            made = q.answer([rr(q.name, TLSA, x) for x in rdata], ad=True)
            if len(made) > 1200 and not q.tcp:
                return q.answer(tc=True)
            return made
        return q.answer([a(q.name, GOOD)] if q.kind == A else [], ad=True)
    return reply


def public_key():
    """SHA-256 of the certificate, for TLSA 3 0 1."""
    der = ssl.PEM_cert_to_DER_cert(
        run.read(CA + "/good.pem").partition("-----END")[0] +
        "-----END CERTIFICATE-----\n")
    return hashlib.sha256(der).digest()


RIGHT = b"\3\0\1" + public_key()
WRONG = b"\3\0\1" + 32 * b"w"
LOOP = b"\xc0\x0c"                      # the name in the question
HEAD = 12


def pointer(at):
    return struct.pack("!H", 0xc000 | at)


def services(make):
    """SRV records for _submissions._tcp, which DNSSEC vouches for."""
    def reply(q):
        if q.kind == SRV and q.name.startswith("_submissions"):
            made = q.answer(make(q), ad=True)
            return made if q.tcp or len(made) < 1200 else q.answer(tc=True)
        return q.answer([a(q.name, GOOD)] if (q.name, q.kind) == (HOST, A)
                        else [], ad=True)
    return reply


def by_tcp(how):
    return {"reply": lambda q: q.answer(tc=True) if not q.tcp else how}


def section(qname, kind=A):
    return names.name(qname) + struct.pack("!HH", kind, 1)


def truncated(q):
    whole = good(q)
    return [whole[:n] for n in range(2, len(whole))] if q.kind == A else whole


def rdata_cut(q):
    return q.answer([rr(q.name, A, b"\x7f\0\0\1", length=400)])


def bits(q):
    """Opcode, QR and the rest: no answer to a query."""
    made = bytearray(good(q))
    made[2] &= 0x7f
    return bytes(made)


# (name, answers, statuses, is it delivered, what standard error says, more)
CASES = [
    ("nothing wrong", good, SENT, ""),
    # Forged answers before the right one
    ("another id", lambda q: [q.answer([a(q.name, EVIL)], id=i ^ q.id)
                              for i in range(1, FORGED)] * (q.kind == A) +
     [good(q)], SENT, ""),
    ("another port", good, SENT, "", {"behind": names.from_another_port}),
    ("another name asked", lambda q: [q.answer(
        [a("evil.test", EVIL)], section=section("evil.test")), good(q)],
     SENT, ""),
    ("another type asked", lambda q: [q.answer(
        [a(q.name, EVIL)], section=section(q.name, CNAME)), good(q)],
     SENT, ""),
    ("a query, not an answer", lambda q: [bits(q), good(q)], SENT, ""),
    # Records that answer something else
    ("address of another name", records(lambda q: [a("evil.test", EVIL)]),
     {68}, "no host of this name"),
    ("addresses of others beside it", records(
        lambda q: [a("evil.test", EVIL), a(HOST, GOOD),
                   a("x." + HOST, EVIL)]), SENT, ""),
    ("address in the additional section", to_a(
        lambda q: q.answer([], more=[a(q.name, EVIL)])), {68}, "no host of this name"),
    ("of another class", records(lambda q: [names.name(q.name) + struct.pack(
        "!HHIH", A, 3, 60, 4) + socket.inet_aton(EVIL)]), {68}, "no host of this name"),
    ("an alias without an address", records(
        lambda q: [cname(q.name, "b.test"), a(q.name, EVIL)]), {68},
     "no host of this name"),
    # Without an end
    ("alias of itself", records(lambda q: [cname(q.name, q.name)]), LATER,
     "cannot be understood"),
    ("aliases in a circle", records(lambda q: [
        cname(q.name, "b.test"), cname("b.test", q.name)]), LATER,
     "cannot be understood"),
    ("200 aliases", records(lambda q: [cname(
        q.name if i == 0 else f"l{i}.test", f"l{i + 1}.test")
        for i in range(20)] + [a("l20.test", GOOD)]), LATER,
     "cannot be understood"),
    ("compressed name that points to itself", records(
        lambda q: [rr(pointer(HEAD + len(q.section)), A, b"\x7f\0\0\1")]),
     LATER, "cannot be understood"),
    ("compressed name that points on", records(
        lambda q: [rr(pointer(HEAD + len(q.section) + 40), A,
                      b"\x7f\0\0\1")]), LATER, "cannot be understood"),
    ("compressed name that points outside", records(
        lambda q: [rr(pointer(0x3fff), A, b"\x7f\0\0\1")]), LATER,
     "cannot be understood"),
    ("alias compressed into itself", records(
        lambda q: [rr(q.name, CNAME, pointer(
            HEAD + len(q.section) + len(names.name(q.name)) + 10))]),
     {68, 75}, ""),
    # Too short, too long, too many
    ("cut at every octet", truncated, {0, 75}, ""),
    ("rdata longer than the answer", to_a(rdata_cut), LATER,
     "cannot be understood"),
    ("more records promised than there are", records(
        lambda q: [a(q.name, GOOD)], count=65535), LATER,
     "cannot be understood"),
    ("an address of 3 octets", records(
        lambda q: [rr(q.name, A, b"\x7f\0\0")]), LATER,
     "cannot be understood"),
    ("an address of none", records(lambda q: [rr(q.name, A, b"")]), LATER,
     "cannot be understood"),
    ("an address of 300 octets", records(
        lambda q: [rr(q.name, A, 300 * b"\x7f")]), LATER,
     "cannot be understood"),
    ("a head alone", to_a(lambda q: q.packet[:2] + b"\x81\x80" + 8 * b"\0"),
     LATER, ""),
    ("two octets", to_a(lambda q: q.packet[:2]), LATER, "no answer in time"),
    ("60000 octets of rubbish", to_a(
        lambda q: q.packet[:2] + b"\x81\x80" + 60000 * b"\xff"), LATER, ""),
    ("200 dead addresses", lambda q: q.answer(
        [a(q.name, f"127.0.0.{i % 250 + 2}") for i in range(200)]
        if q.kind == A else []) if q.tcp or q.kind != A else
     q.answer(tc=True), LATER, "refused"),
    ("30 dead addresses and one that lives", lambda q: q.answer(
        [a(q.name, f"127.0.0.{i + 2}") for i in range(30)] +
        [a(q.name, GOOD)] if q.kind == A else []), SENT, ""),
    ("500 addresses of version 6", lambda q: q.answer(
        [rr(q.name, AAAA, socket.inet_pton(socket.AF_INET6, "::1"))] * 500
        if q.kind == AAAA else []) if q.tcp or q.kind != AAAA else
     q.answer(tc=True), LATER, "refused"),
    # By TCP
    ("TC by TCP as well", lambda q: q.answer(tc=True), LATER,
     "cannot be understood"),
    ("TCP: closed", lambda q: q.answer(tc=True) if not q.tcp else None,
     LATER, "cannot be understood"),
    ("TCP: silence", lambda q: q.answer(tc=True) if not q.tcp else
     names.wait, LATER, "no answer in time"),
    ("TCP: drip", lambda q: q.answer(tc=True) if not q.tcp else names.drip,
     LATER, "no answer in time"),
    ("TCP: no octets", lambda q: q.answer(tc=True) if not q.tcp else
     names.tcp_octets(b"\0\0"), LATER, "cannot be understood"),
    ("TCP: rubbish", lambda q: q.answer(tc=True) if not q.tcp else
     names.tcp_octets(b"\xff\xff" + 65535 * b"r"), LATER,
     "cannot be understood"),
    ("TCP: answer to something else", lambda q: q.answer(tc=True) if not
     q.tcp else q.answer([a(q.name, EVIL)], id=q.id ^ 1), LATER,
     "cannot be understood"),
    # None, late, and too much
    ("silence", lambda q: None, LATER, "no answer in time"),
    ("answers to something else without end", lambda q: None, LATER,
     "no answer in time", {"behind": names.flood}),
    ("SERVFAIL", lambda q: q.answer(code=names.SERVFAIL), LATER, "SERVFAIL"),
    ("REFUSED", lambda q: q.answer(code=names.REFUSED), LATER, "refuses"),
    ("FORMERR for ever", lambda q: q.answer(code=names.FORMERR), LATER,
     "refuses"),
    ("NXDOMAIN", lambda q: q.answer(code=names.NXDOMAIN), {68}, "name"),
    ("NXDOMAIN with an address", records(
        lambda q: [a(q.name, EVIL)], code=names.NXDOMAIN), {68, 75}, ""),
    # TLSA
    ("TLSA that is right", tlsa(RIGHT), SENT, ""),
    ("TLSA that is wrong", tlsa(WRONG), LATER, "TLSA"),
    ("TLSA of no octets", tlsa(b""), SENT, ""),
    ("TLSA of one octet", tlsa(b"\3"), SENT, ""),
    ("TLSA of two octets", tlsa(b"\3\0"), SENT, ""),
    ("TLSA of three octets", tlsa(b"\3\0\1"), SENT, ""),
    ("TLSA of 31 octets of 32", tlsa(RIGHT[:-1]), SENT, ""),
    ("TLSA of 33 octets", tlsa(RIGHT + b"x"), SENT, ""),
    ("TLSA with a key that is no DER", tlsa(b"\3\1\0" + 40 * b"\xff"),
     {0, 75}, ""),
    ("TLSA with a DER length beyond it", tlsa(b"\3\0\0\x30\x84\xff\xff\xff"),
     {0, 75}, ""),
    ("TLSA usages that nobody knows", tlsa(b"\4\0\1" + 32 * b"x",
                                           b"\xff\xff\xff"), SENT, ""),
    ("bad ones and a right one", tlsa(b"", b"\3", RIGHT, b"\3\0\1"), SENT,
     ""),
    ("bad ones and a wrong one", tlsa(b"", b"\3", WRONG), LATER, "TLSA"),
    ("500 TLSA, all wrong", tlsa(*[b"\3\0\1" + struct.pack("!I", i) * 8
                                   for i in range(500)]), LATER, "TLSA"),
    ("500 TLSA, the first is right", tlsa(
        RIGHT, *[b"\3\0\1" + struct.pack("!I", i) * 8
                 for i in range(499)]), SENT, ""),
    ("500 TLSA of no octets", tlsa(*500 * [b""]), SENT, ""),
    ("TLSA withheld: SERVFAIL", lambda q: q.answer(code=names.SERVFAIL)
     if q.kind == TLSA else q.answer([a(q.name, GOOD)] if q.kind == A
                                     else [], ad=True), LATER, "TLSA"),
    ("TLSA withheld: silence", lambda q: None if q.kind == TLSA else
     q.answer([a(q.name, GOOD)] if q.kind == A else [], ad=True), LATER,
     "TLSA"),
]

SERVICES = [
    ("SRV: right", lambda q, port: [names.srv(q.name, port, HOST)], SENT,
     ""),
    ("SRV: no service", lambda q, port: [names.srv(q.name, port, ".")],
     {68, 75, 78}, ""),
    ("SRV: port 0", lambda q, port: [names.srv(q.name, 0, HOST)],
     {68, 75, 78}, ""),
    ("SRV: terminal escapes", lambda q, port: [
        names.srv(q.name, port, "\x1b]0;x\x07.example.test")], {75, 78}, ""),
    ("SRV: a slash and blanks", lambda q, port: [
        names.srv(q.name, port, "mail.example.test/ x")], {75, 78}, ""),
    ("SRV: a line end", lambda q, port: [
        names.srv(q.name, port, "a\nlevel=info\r.example.test")], {75, 78},
     ""),
    ("SRV: six octets", lambda q, port: [rr(q.name, SRV, 6 * b"\1")],
     {75, 78}, ""),
    ("SRV: none", lambda q, port: [rr(q.name, SRV, b"")], {75, 78}, ""),
    ("SRV: target points to itself", lambda q, port: [names.srv(
        q.name, port, pointer(12 + len(q.section) +
                              len(names.name(q.name)) + 16))], {75, 78}, ""),
    ("SRV: 500, all dead but the last", lambda q, port: [names.srv(
        q.name, 1, HOST, i) for i in range(499)] +
     [names.srv(q.name, port, HOST, 499)], {0, 75}, ""),
]


class Resolved(run.Run):
    """hang: seconds that the resolver may take, and some."""

    def __init__(self, what, how, want, says, dns, srv_only=False):
        super().__init__(what, how, faults.NO_FAULT)
        self.want, self.says, self.dns = want, says, dns
        self.srv_only = srv_only
        self.port, self.evil = None, None

    def listen(self, folder):
        """At a port that is free at the forged address too."""
        while self.evil is None:
            sock = super().listen(folder)
            self.port = sock.getsockname()[1]
            try:
                self.evil = Evil(self.port)
            except OSError as e:
                sock.close()
                if e.errno != errno.EADDRINUSE:
                    raise
        return sock

    def configuration(self, folder, address):
        port = address.rpartition(":")[2]
        lines = super().configuration(folder, f"smtps://{HOST}:{port}")
        lines = lines.replace(server.USER, "alice@example.test").replace(
            "timeout-reply 1", "timeout-reply 20").replace(
            "timeout-connect 1", "timeout-connect 20")
        if self.srv_only:
            lines = lines.replace(f"server smtps://{HOST}:{port}\n", "")
        return lines + f"resolver {self.dns.address}\n"


class Evil:
    """Listens where only a forged address leads, at the same port."""

    def __init__(self, port):
        self.sock = socket.socket()
        try:
            self.sock.bind((EVIL, port))
        except OSError:
            self.sock.close()
            raise
        self.sock.listen(8)
        self.sock.setblocking(False)

    def was_reached(self):
        try:
            self.sock.accept()[0].close()
            return True
        except BlockingIOError:
            return False
        finally:
            self.sock.close()


def play(case, creds):
    what, reply, want, says, more = (*case, {})[:5]
    how = server.How("implicit", creds=creds)
    r = Resolved(what, how, want, says, None, "SRV" in what)
    if r.srv_only:
        make, reply = reply, services(lambda q: make(q, r.port))
    r.dns = names.Server(reply, behind=more.get("behind"))
    try:
        r.play()
    finally:
        r.dns.close()
    if r.evil.was_reached():
        r.bad.append("the forged address was connected to")
    if says and says not in r.err:
        r.bad.append(f"standard error does not say {says!r}")
    if r.status != 0 and r.record.mails:
        r.bad.append("it was delivered")
    return r


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--jobs", type=int, default=24)
    p.add_argument("--list", action="store_true")
    return p.parse_args()


def main():
    options = arguments()
    every = [c for c in CASES + SERVICES if options.only in c[0]]
    if options.list:
        print("\n".join(c[0] for c in every))
        return 0
    creds = gnutls.credentials(CA + "/good.pem", CA + "/good.key")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        played = list(pool.map(lambda c: play(c, creds), every))
    for i, r in enumerate(played, 1):
        bad += bool(r.bad)
        print(f"{'not ' if r.bad else ''}ok {i} - {r.what}", flush=True)
        for line in r.bad:
            print(f"#   {line}\n#   {r.status} {r.err.strip()[-400:]!r}",
                  flush=True)
    print(f"1..{len(every)}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
