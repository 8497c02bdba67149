"""The dialogue as the server plays it, with one client."""

import re
import time

from .pattern import Bad, ends_line, fill, match, unescape
from .sasl import Login, decode
from .wire import CLOSED, Gone, Refused, Silent

LIMIT = 998             # octets in a line of text, RFC 5321 section 4.5.3.1.6


class Mismatch(Exception):
    def __init__(self, expected, got):
        super().__init__(f"expected {expected}, got {got}")
        self.expected, self.got = expected, got


def shown(octets):
    return octets.decode("utf-8", "backslashreplace").replace("\r", "\\r") \
        .replace("\n", "\\n").replace("\0", "\\0")


class Cut:
    """Where the server hangs up: after event index, and how."""

    def __init__(self, index, how):
        self.index, self.how = index, how

    def __str__(self):
        return f"cut after {self.index} ({self.how})"


class Session:
    """accept() gives the next Wire; contexts() a (TLS context, key log)."""

    def __init__(self, accept, contexts, user, password):
        self.accept, self.contexts = accept, contexts
        self.user, self.password = user, password
        self.values, self.log = {}, []
        self.said, self.heard = [], []  # S: and C: lines, and "need not be"
        self.data, self.chunks = [], b""
        self.wire = None
        self.derived = []       # what a login makes of the password

    def play(self, events, cut=None):
        if not events:
            return
        self.begin()
        if cut and cut.index < 0:
            return self.hang_up(cut.how)
        for i, event in enumerate(events):
            here = cut.how if cut and cut.index == i else None
            self.do(event, here)
            if here:
                self.flush()
                return self.hang_up(here)
        self.flush(last=True)
        if events[-1].kind != "X":
            self.finish()

    def begin(self):
        self.wire = self.accept()
        self.closed = False
        self.pending, self.turn, self.verb = b"", "C", "connection"
        self.in_login, self.size = False, None
        self.forget()

    def forget(self):
        self.pipelining, self.code = False, ""
        self.login = Login(self.user, self.password, self.wire)
        self.login.derived = self.derived
        self.functions = dict(self.login.says)

    def do(self, event, cut):
        self.log.append(str(event) if event.kind in "TXWN" else "")
        try:
            getattr(self, "do_" + event.kind)(event, cut)
        except Gone:
            raise Mismatch(event, "the end of the connection" + self.rest()) \
                from None
        except Silent:
            raise Mismatch(event, "silence" + self.rest()) from None
        except Bad as bad:
            raise Mismatch(f"line {event.number}", str(bad)) from None

    def rest(self):
        return f" after {shown(self.wire.buffer)!r}" if self.wire.buffer \
            else ""

    # S:

    def do_S(self, event, _):
        if self.turn != "S":
            self.own_turn(event)
        self.turn = "S"
        line = fill(event.text, self.values, self.functions)
        self.log[-1] = "S: " + shown(line)
        self.said.append((line, self.verb == "QUIT"))
        self.understand(line)
        self.pending += line + (b"\r\n" if ends_line(event.text) else b"")

    def own_turn(self, event):
        """Only some commands may travel before the replies are heard."""
        if self.pipelining and self.verb in ("MAIL", "RCPT", "BDAT", "RSET",
                                             "QUIT", "data", "NOOP", "VRFY"):
            return
        early = self.wire.early()
        if early:
            raise Mismatch(f"the client's silence before {event}",
                           shown(early[:300]))

    def understand(self, line):
        """What an honest client would know after this line."""
        text = line.decode("utf-8", "replace")
        code, text = text[:3], text[4:].strip()
        self.in_login = code == "334"
        if self.verb == "EHLO" and code == "250":
            if not self.code:
                self.code = code
                return
            words = text.upper().replace("AUTH=", "AUTH ").split()
            self.pipelining |= words == ["PIPELINING"]
            if words[:1] == ["AUTH"]:
                self.login.offered.update(words[1:])
        if self.in_login:
            self.challenge(text)

    def challenge(self, text):
        self.login.challenge = decode(text.encode()) or b""

    def flush(self, last=False):
        """What is said last of all, the client need not stay to hear."""
        octets, self.pending = self.pending, b""
        try:
            self.wire.send(octets)
        except Gone:
            if self.verb != "QUIT" and not last:
                raise Mismatch(f"that the client hears {shown(octets)!r}",
                               "that it has gone") from None

    # C:

    def do_C(self, event, _):
        self.flush()
        self.turn = "C"
        if event.text == "...":
            self.wire.until_closed()
            return
        line = self.wire.line()
        self.log[-1] = "C: " + shown(line)
        self.heard.append((line, False))
        if b"\r" in line or b"\n" in line or b"\0" in line:
            raise Mismatch(event, "a stray CR, LF or NUL in " + shown(line))
        self.notice(line)
        why = match(event.text, line, self.values, self.login.checks)
        if why:
            raise Mismatch(event, f"C: {shown(line)} ({why})")

    def notice(self, line):
        words = line.decode("utf-8", "replace").upper().split() or [""]
        if self.in_login:
            self.verb = "login"
            return
        self.verb = "data" if words == ["."] else words[0]
        if self.verb in ("EHLO", "HELO"):
            self.forget()
        if self.verb == "AUTH":
            self.login.mechanism = (words + [""])[1]
        if self.verb == "MAIL":
            found = re.search(rb" SIZE=(\d+)", line)
            self.size = int(found[1]) if found else None
        if self.verb == "BDAT":
            self.chunk = int(words[1]), words[-1] == "LAST"

    # D

    def do_D(self, event, cut):
        self.flush()
        self.turn = "C"
        if cut == "middle":
            self.wire.exactly(1)
            return
        if self.verb == "BDAT":
            data, last = self.wire.exactly(self.chunk[0]), self.chunk[1]
        else:
            data, last = self.dotted(), True
        self.verb = "data"
        self.log[-1] = "\n".join("D " + shown(line) for line in
                                 data.split(b"\r\n")[:40])
        self.data.append(data)
        self.sound(event, data, last)
        why = same_lines(event.lines, data.split(b"\r\n"), self.values)
        if why:
            raise Mismatch(event, why)

    def dotted(self):
        lines = []
        while True:
            line = self.wire.line()
            if line == b".":
                return b"".join(text + b"\r\n" for text in lines)
            if line.startswith(b"."):
                line = line[1:]
                if not line.startswith(b"."):
                    raise Mismatch("stuffed dots", shown(b"." + line))
            lines.append(line)

    def sound(self, event, data, last):
        """What holds for all data that any client sends."""
        self.chunks += data
        for line in data.split(b"\r\n"):
            if b"\r" in line or b"\n" in line or b"\0" in line:
                raise Mismatch(event, "a stray CR, LF or NUL in the data: "
                               + shown(line))
            if len(line) > LIMIT:
                raise Mismatch(event, f"a line of {len(line)} octets")
        if not last:
            return
        size, self.chunks = len(self.chunks), b""
        if not data.endswith(b"\r\n") and size:
            raise Mismatch(event, "data without a last line end")
        if self.size is not None and self.size != size:
            raise Mismatch(event, f"{size} octets, after SIZE={self.size}")

    # T, W

    def do_T(self, event, cut):
        self.flush()
        context, keylog = self.contexts()
        try:
            self.wire.handshake(context, keylog, cut == "hello")
        except Refused as refused:
            if event.text != "refused" and cut != "hello":
                raise Mismatch("T", f"a failed handshake: {refused}") from None
            if not cut and not self.wire.octets and str(refused) == CLOSED:
                raise Mismatch("T refused", f"{CLOSED}, no alert") from None
            return
        if event.text == "client" and not self.wire.tls.getpeercert():
            raise Mismatch("T client", "no certificate of the client")
        if event.text == "refused":
            self.finish()
        self.turn = "C" if self.verb == "connection" else "S"
        self.verb = "connection"
        self.forget()

    def do_W(self, event, _):
        self.flush()
        time.sleep(float(event.text))

    # The end

    def do_X(self, event, _):
        self.flush(last=True)
        self.hang_up(event.text or "fin")

    def do_N(self, event, _):
        self.flush()
        if not self.closed:
            self.finish()
        self.begin()

    def hang_up(self, how):
        self.closed = True
        if how in ("reset",):
            self.wire.reset()
            return
        self.wire.end(politely=how != "rude")
        try:
            self.wire.until_closed(keep=False)
        except Silent:
            raise Mismatch("that the client closes the connection",
                           "it stays") from None
        self.wire.close()

    def finish(self):
        """The client must go, and without another word."""
        if self.closed:
            return
        self.closed = True
        try:
            rest = self.wire.until_closed()
        except Silent:
            rest = self.wire.buffer
            raise Mismatch("that the client closes the connection",
                           f"C: {shown(rest)}" if rest else
                           "that it waits for more") from None
        if rest:
            raise Mismatch("the end", "C: " + shown(rest[:1000]))
        self.wire.close()


def same_lines(patterns, lines, values):
    """Do lines fit?  "" or why not.  What stands behind the last line end, in
    a chunk that ends within a line, is one as well."""
    lines = lines[:-1] if lines[-1] == b"" else lines
    at, i = 0, 0
    back = None                 # where the last "..." could swallow more
    while i < len(lines) or at < len(patterns):
        if at < len(patterns) and patterns[at] == "...":
            back, at = (at, i), at + 1
            continue
        if at < len(patterns) and i < len(lines) and \
                not match(patterns[at], lines[i], values, {}):
            at, i = at + 1, i + 1
            continue
        if back is None or back[1] >= len(lines):
            want = "D " + patterns[at] if at < len(patterns) else "the end"
            have = "D " + shown(lines[i]) if i < len(lines) else "the end"
            return f"{have} where {want} was due"
        back = back[0], back[1] + 1
        at, i = back[0] + 1, back[1]
    return ""


def data_has(data, text):
    return any(not match(text, line, {}, {})
               for chunk in data for line in chunk.split(b"\r\n"))


def data_contains(data, text):
    return any(unescape(text) in chunk for chunk in data)
