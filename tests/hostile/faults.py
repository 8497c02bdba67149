"""What a bad server or network does at a step instead of answering.

Each fault says what must come of it (FINE, LOST ... below); judge.py knows
what that means at each step."""

import os
import time

import gnutls
from server import Gone, PATIENCE

FINE = "fine"                   # the reply is good, only odd
LOST = "lost"                   # no reply, or not in time
NONSENSE = "nonsense"           # no reply that RFC 5321 knows, or broken TLS
EITHER = "either"               # one of those two
STRAY = "stray"                 # one reply more than there are commands
REPLY = "reply"                 # another reply: its code decides
DRIP = 0.3                      # seconds between octets
CAP = 80 << 20                  # octets of an endless thing

ESC = "\x1b]0;owned\x07\x1b[2J\x1b[31m"
CODES = {"2yz": "252", "3yz": "350", "4yz": "450", "5yz": "550"}
TEXTS = {                       # octets as latin-1
    "nul": "a\0b", "latin1": "\xe9\xff\xfe", "esc": ESC,
    "c1": "\x9b31m\xc2\x9b31m\x85", "bidi": "\xe2\x80\xaeabc\xe2\x81\xa6",
    "bare-cr": "a\rlevel=info status=0\rb", "del": "\x7f\x08\x08\x0b\x0c",
    "percent": "%s%n%99999d", "quote": '" status=0 x="\\',
}


class Fault:
    """At one step, once.  act() returns what the client has been told."""

    def __init__(self, name, step, come, act=None, **more):
        self.name, self.step, self.come = name, step, come
        self.do, self.done = act, False
        self.kind = more.get("kind", "plain")   # or "tls", "tls12", "shake"
        self.raw = more.get("raw")
        self.pushing, self.chain = more.get("push"), more.get("chain")
        self.version = more.get("version")

    @property
    def code(self):
        """Of a reply that is another."""
        return CODES.get(self.name[:3], self.name[:3])

    def at(self, step):
        return type(self)(self.name, step, self.come, self.do,
                          kind=self.kind, raw=self.raw, push=self.pushing,
                          chain=self.chain, version=self.version)

    def act(self, d, step, reply):
        """None: whatever was said is no reply."""
        said = self.do(d, step, reply)
        return said if self.come in (FINE, STRAY, REPLY) else None

    def push(self, wire):
        return self.pushing(wire) if self.pushing else None


NO_FAULT = Fault("none", None, FINE)


def code(reply):
    return reply[:3] or "250"


def say(d, text):
    d.wire.send(text.encode("latin-1"))


def answer(make):
    """A reply that is one, in full."""
    def act(d, _, reply):
        text = make(reply)
        say(d, text + "\r\n")
        return text
    return act


def then_wait(make):
    """Octets that are no reply; then nothing more."""
    def act(d, _, reply):
        say(d, make(reply))
        d.wire.wait_for_end()
    return act


def with_text(octets):
    def make(reply):
        if code(reply) == "334":
            return reply
        return reply.rpartition("\n")[0] + "\n" * ("\n" in reply) + \
            f"{code(reply)} {octets}"
    return make


def close(d, *_):
    d.wire.end()


def truncate(d, *_):
    d.wire.end(polite=False)


def reset(d, *_):
    d.wire.reset()


def half_and_close(d, _, reply):
    say(d, reply[:len(reply) // 2])
    d.wire.end(polite=False)


def silence(d, *_):
    d.wire.wait_for_end()


def drip_forever(d, _, reply, piece=None):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not d.wire.is_closed():
        say(d, piece or "x")
        time.sleep(DRIP)
    raise Gone


def drip(d, _, reply):
    say(d, code(reply) + "-")
    drip_forever(d, None, reply)


def drip_lines(d, _, reply):
    drip_forever(d, None, reply, f"{code(reply)}-more\r\n")


def slowly(d, _, reply):
    """The right reply, an octet at a time: it would take too long."""
    for c in (reply + " " + 40 * "x" + "\r\n"):
        say(d, c)
        time.sleep(DRIP)
        if d.wire.is_closed():
            raise Gone
    return reply


def endless(piece):
    """Deaf and talking, until the client is gone."""
    def act(d, _, reply):
        octets = piece(reply).encode("latin-1")
        octets *= max(1, (1 << 18) // len(octets))
        for _ in range(CAP // len(octets)):
            d.wire.send(octets)
        d.wire.wait_for_end()
    return act


def twice(d, _, reply):
    say(d, reply + "\r\n" + reply + "\r\n")
    return reply


def last_words(reply, how):
    def act(d, step, _):
        say(d, reply + "\r\n")
        if step in ("dot", "body"):
            d.record.verdict = reply[:3]
            d.record.verdicts = {x: reply[:3] for x in d.record.accepted}
        elif step.startswith("dot."):
            i = int(step[4:]) - 1
            d.record.verdicts[d.record.accepted[i]] = reply[:3]
        time.sleep(0.05)
        getattr(d.wire, how)()
    return act


def codes_differ(reply):
    other = "451" if code(reply) != "451" else "250"
    return f"{code(reply)}-one thing\r\n{other} and another\r\n"


def bare_lf(d, _, reply):
    say(d, reply.replace("\r\n", "\n") + "\n")
    return reply


PLAIN = [
    Fault("close", None, LOST, close),
    Fault("reset", None, LOST, reset),
    Fault("half a reply, then closed", None, LOST, half_and_close),
    Fault("silence", None, LOST, silence),
    Fault("drip of one endless line", None, LOST, drip),
    Fault("drip of lines without a last", None, LOST, drip_lines),
    Fault("the reply, but slowly", None, LOST, slowly),
    Fault("endless line", None, NONSENSE, endless(lambda r: "x")),
    Fault("endless line behind a code", None, NONSENSE,
          lambda d, s, r: (say(d, code(r) + " "),
                           endless(lambda r: "x")(d, s, r))),
    Fault("endless lines", None, NONSENSE,
          endless(lambda r: code(r) + "-more\r\n")),
    Fault("deaf, then endless lines", None, NONSENSE,
          lambda d, s, r: (time.sleep(0.2), endless(
              lambda r: code(r) + "-more\r\n")(d, s, r))),
    Fault("endless long lines", None, NONSENSE,
          endless(lambda r: code(r) + "-" + 4000 * "x" + "\r\n")),
    Fault("endless empty lines", None, NONSENSE, endless(lambda r: "\r\n")),
    Fault("line of 4000", None, FINE, answer(with_text(3990 * "x"))),
    Fault("line of 64k", None, NONSENSE,
          then_wait(lambda r: code(r) + " " + 65536 * "x" + "\r\n")),
    Fault("500 lines", None, FINE, answer(
        lambda r: r if code(r) == "334" else
        499 * (code(r) + "-more\r\n") + with_text("end")(r))),
    Fault("1yz", None, NONSENSE, answer(lambda r: "150 wait")),
    Fault("2yz", None, REPLY, answer(lambda r: "252 2.0.0 well")),
    Fault("3yz", None, REPLY, answer(lambda r: "350 go on")),
    Fault("4yz", None, REPLY, answer(lambda r: "450 4.7.0 later")),
    Fault("5yz", None, REPLY, answer(lambda r: "550 5.7.0 never")),
    Fault("6yz", None, NONSENSE, answer(lambda r: "650 5.7.0 never")),
    Fault("421", None, REPLY, last_words("421 4.3.2 going", "end")),
    Fault("550, then reset", None, REPLY,
          last_words("550 5.7.0 never", "reset")),
    Fault("two digits", None, NONSENSE, answer(lambda r: code(r)[:2])),
    Fault("four digits", None, NONSENSE, answer(lambda r: code(r) + "0 x")),
    Fault("text", None, NONSENSE, answer(lambda r: "hello there")),
    Fault("empty line", None, NONSENSE, answer(lambda r: "")),
    Fault("codes differ", None, NONSENSE, then_wait(codes_differ)),
    Fault("bare LF", None, FINE, bare_lf),
    Fault("CR without LF", None, LOST, then_wait(lambda r: r + "\r")),
    Fault("code alone", None, FINE, answer(
        lambda r: r if "\n" in r or code(r) == "334" else code(r))),
    Fault("two replies at once", None, STRAY, twice),
] + [
    Fault("text with " + name, None, FINE, answer(with_text(octets)))
    for name, octets in TEXTS.items()
] + [
    Fault("550 with " + name, None, REPLY, answer(
        lambda r, o=octets: f"550 5.7.0 {o}"))
    for name, octets in TEXTS.items()
] + [
    Fault("450 of two lines with " + name, None, REPLY, answer(
        lambda r, o=octets: f"450-4.7.0 {o}\r\n450 4.7.0 {o}"))
    for name, octets in TEXTS.items()
]


# --- within TLS --------------------------------------------------------------

def flood(make, rate=None):
    """Records without end that are no data."""
    def act(d, *_):
        sent, octets = 0, b""
        while sent < CAP:
            octets = make(d)
            sent += len(octets)
            d.wire.raw(octets)
            if rate:
                time.sleep(rate)
        d.wire.wait_for_end()
    return act


def many(make, count=64):
    return lambda d: b"".join(make(d) for _ in range(count))


def record(kind, payload):
    return lambda d: d.wire.tls.record(kind, payload)


def key_updates(n, asked):
    def act(d, _, reply):
        for _ in range(n):
            try:
                gnutls.want(gnutls.G.gnutls_session_key_update(
                    d.wire.tls.s, asked))
            except gnutls.Failed:
                raise Gone from None
        if n < 8:
            say(d, reply + "\r\n")
            return reply
        d.wire.wait_for_end()
    return act


def tickets(d, _, reply):
    for _ in range(4):
        d.wire.forge(gnutls.HANDSHAKE, gnutls.ticket())
    say(d, reply + "\r\n")
    return reply


def fatal_alert(d, *_):
    try:
        d.wire.tls.alert(2, 40)
    except gnutls.Failed:
        pass
    d.wire.end(polite=False)


def raw(octets):
    def act(d, *_):
        d.wire.raw(octets)
        d.wire.wait_for_end()
    return act


def forged_once(kind, payload):
    def act(d, *_):
        d.wire.forge(kind, payload)
        d.wire.wait_for_end()
    return act


def broken_record(d, _, reply):
    octets = bytearray(d.wire.tls.record(gnutls.DATA, reply.encode()))
    octets[-1] ^= 1
    raw(bytes(octets))(d)


def drip_record(d, _, reply):
    """One record of the right reply, an octet at a time, long enough."""
    for c in d.wire.tls.record(gnutls.DATA, reply.encode() + 99 * b" "):
        d.wire.raw(bytes([c]))
        time.sleep(DRIP)
        if d.wire.is_closed():
            raise Gone
    d.wire.wait_for_end()


def renegotiate(d, *_):
    try:
        d.wire.tls.renegotiate()
    except gnutls.Failed:
        pass
    d.wire.wait_for_end()


TLS = [
    Fault("TLS cut without close_notify", None, LOST, truncate, kind="tls"),
    Fault("fatal alert", None, EITHER, fatal_alert, kind="tls"),
    Fault("garbage for a record", None, EITHER,
          raw(b"\x17\x03\x03\x00\x40" + 64 * b"g"), kind="tls"),
    Fault("plain text for a record", None, EITHER,
          raw(b"250 2.0.0 ok\r\n"), kind="tls"),
    Fault("record of 64k", None, EITHER,
          raw(b"\x17\x03\x03\xff\xff" + 65535 * b"g"), kind="tls"),
    Fault("record with a wrong tag", None, EITHER, broken_record,
          kind="tls"),
    Fault("record in a drip", None, LOST, drip_record, kind="tls"),
    Fault("key updates, a few", None, FINE, key_updates(3, 1), kind="tls"),
    Fault("key updates without end", None, EITHER, key_updates(100000, 0),
          kind="tls"),
    Fault("key updates without end, both ways", None, EITHER,
          key_updates(100000, 1), kind="tls"),
    Fault("tickets, a few", None, FINE, tickets, kind="tls"),
    Fault("tickets without end", None, EITHER, flood(many(
        record(gnutls.HANDSHAKE, gnutls.ticket()))), kind="tls"),
    Fault("large tickets without end", None, EITHER, flood(many(
        record(gnutls.HANDSHAKE, gnutls.ticket(12000)))), kind="tls"),
    Fault("tickets in a drip", None, LOST, flood(
        record(gnutls.HANDSHAKE, gnutls.ticket()), DRIP / 3), kind="tls"),
    Fault("empty records without end", None, EITHER, flood(many(
        record(gnutls.DATA, b""))), kind="tls"),
    Fault("warnings without end", None, EITHER, flood(many(
        record(gnutls.ALERT, b"\x01\x5a"))), kind="tls"),
    Fault("a handshake message without end", None, EITHER, flood(many(
        record(gnutls.HANDSHAKE, b"\x04\xff\xff\xff" + 16000 * b"t"))),
        kind="tls"),
    Fault("handshake message of one octet", None, EITHER,
          forged_once(gnutls.HANDSHAKE, b"\x04"), kind="tls"),
    Fault("unknown record", None, EITHER, forged_once(99, b"?"), kind="tls"),
    Fault("CCS without end", None, EITHER, flood(
        lambda d: 1000 * b"\x14\x03\x03\x00\x01\x01"), kind="tls"),
    Fault("renegotiation", None, EITHER, renegotiate, kind="tls12"),
]


# --- the handshake -----------------------------------------------------------

def shake_raw(octets):
    def act(d):
        d.wire.raw(octets)
        d.wire.wait_for_end()
    return act


def shake_flood(octets):
    def act(d):
        piece = octets * max(1, 16000 // len(octets))
        for _ in range(CAP // len(piece)):
            d.wire.raw(piece)
        d.wire.wait_for_end()
    return act


def shake_drip(octets):
    def act(d):
        for c in octets + 400 * b"\0":
            d.wire.raw(bytes([c]))
            time.sleep(DRIP)
            if d.wire.is_closed():
                break
        raise Gone
    return act


def half_flight(end):
    """Half of the server's first octets, then the end."""
    def make(wire):
        def push(octets):
            wire.sock.sendall(octets[:len(octets) // 2])
            end(wire)
        return push
    return make


def dripping(wire):
    def push(octets):
        for c in octets:
            wire.sock.sendall(bytes([c]))
            time.sleep(DRIP)
    return push


def mangled(at):
    def make(wire):
        def push(octets):
            octets = bytearray(octets)
            octets[min(at, len(octets) - 1)] ^= 0x55
            wire.sock.sendall(octets)
        return push
    return make


def gone(what):
    def end(wire):
        getattr(wire, what)()
    return end


HELLO = b"\x16\x03\x03\x40\x00\x02\xff\xff\xff"
SHAKE = [
    Fault(name, "tls", come, kind="shake", raw=act) for name, come, act in [
        ("handshake: silence", LOST, lambda d: d.wire.wait_for_end()),
        ("handshake: closed", EITHER, lambda d: d.wire.end()),
        ("handshake: reset", EITHER, lambda d: d.wire.reset()),
        ("handshake: a reply", EITHER, shake_raw(b"220 hello\r\n")),
        ("handshake: garbage", EITHER, shake_raw(os.urandom(4096))),
        ("handshake: HTTP", EITHER, shake_raw(b"HTTP/1.1 400 no\r\n\r\n")),
        ("handshake: fatal alert", EITHER,
         shake_raw(b"\x15\x03\x03\0\x02\x02\x28")),
        ("handshake: certificate required", EITHER,
         shake_raw(b"\x15\x03\x03\0\x02\x02\x74")),
        ("handshake: warnings without end", EITHER,
         shake_flood(b"\x15\x03\x03\0\x02\x01\x5a")),
        ("handshake: HelloRequest without end", EITHER,
         shake_flood(b"\x16\x03\x03\0\x04\0\0\0\0")),
        ("handshake: CCS without end", EITHER,
         shake_flood(b"\x14\x03\x03\0\x01\x01")),
        ("handshake: empty records without end", EITHER,
         shake_flood(b"\x16\x03\x03\0\0")),
        ("handshake: data without end", EITHER,
         shake_flood(b"\x17\x03\x03\x40\0" + 16384 * b"d")),
        ("handshake: a hello without end", EITHER,
         shake_flood(HELLO + 16380 * b"h")),
        ("handshake: octets without end", EITHER, shake_flood(b"\0")),
        ("handshake: a record in a drip", LOST, shake_drip(HELLO)),
    ]
] + [
    Fault(name, "tls", come, kind="shake", push=push)
    for name, come, push in [
        ("handshake: half, then closed", EITHER, half_flight(gone("end"))),
        ("handshake: half, then reset", EITHER, half_flight(gone("reset"))),
        ("handshake: half, then silence", LOST,
         half_flight(gone("wait_for_end"))),
        ("handshake: in a drip", LOST, dripping),
        ("handshake: hello damaged", EITHER, mangled(3)),
        ("handshake: hello's random damaged", EITHER, mangled(20)),
        ("handshake: encrypted part damaged", EITHER, mangled(200)),
    ]
] + [
    Fault(f"handshake: a chain of {n}", "tls", come, kind="shake", chain=n)
    for n, come in ((10, FINE), (100, EITHER), (500, EITHER))
] + [
    Fault("handshake: " + version, "tls", EITHER, kind="shake",
          version=version) for version in ("anonymous", "no cipher", "1.1")
]


# --- all of it, slowly: the session's deadline ------------------------------

class Slow(Fault):
    """Each reply comes within its time, and there are too many of them."""

    def act(self, d, step, reply):
        time.sleep(0.8)
        self.done = False
        say(d, reply + "\r\n")
        return reply


class SlowReader(Fault):
    """Takes the data a little at a time."""

    def act(self, d, *_):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and d.wire.sock.recv(4096):
            time.sleep(DRIP)
        raise Gone


SLOW = [Slow("each reply is slow", "every", LOST),
        SlowReader("reads slowly", "body", LOST)]
