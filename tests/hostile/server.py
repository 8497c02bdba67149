"""A submission server that is good until the step of its fault, and keeps a
record of its own of what it was told and what it has answered."""

import base64
import hashlib
import hmac
import os
import re
import select
import socket
import struct
import threading
import time

import gnutls

USER, PASSWORD = "alice@example.org", "correct horse"
TOKEN = "correct-horse"
SALT, ROUNDS = b"salt of the sea", 4096
PATIENCE = 40                   # seconds that the client may be silent
EXTENSIONS = ["SIZE 50000000", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"]


class Gone(Exception):
    """The client has closed, or this side has."""


class Wire:
    """The socket, and TLS on it."""

    def __init__(self, sock):
        self.sock, self.tls, self.octets = sock, None, b""
        for name in socket.SO_RCVTIMEO, socket.SO_SNDTIMEO:
            sock.setsockopt(socket.SOL_SOCKET, name,
                            struct.pack("ll", PATIENCE, 0))
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def raw(self, octets):
        """Below TLS."""
        try:
            self.sock.sendall(octets)
        except OSError:
            raise Gone from None

    def send(self, octets):
        if not self.tls:
            self.raw(octets)
            return
        try:
            self.tls.send(octets)
        except (gnutls.Failed, OSError):
            raise Gone from None

    def forge(self, kind, payload):
        try:
            self.tls.forge(kind, payload)
        except OSError:
            raise Gone from None

    def more(self):
        try:
            got = self.tls.receive() if self.tls else self.sock.recv(1 << 18)
        except (gnutls.Failed, OSError):
            got = b""
        if not got:
            raise Gone
        self.octets += got

    def line(self):
        while b"\n" not in self.octets:
            self.more()
        line, _, self.octets = self.octets.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def until(self, end):
        """What comes before end, which is taken as well."""
        seen = 0
        while (at := self.octets.find(end, seen)) < 0:
            seen = max(0, len(self.octets) - len(end))
            self.more()
        got, self.octets = self.octets[:at], self.octets[at + len(end):]
        return got

    def exactly(self, n):
        while len(self.octets) < n:
            self.more()
        got, self.octets = self.octets[:n], self.octets[n:]
        return got

    def wait_for_end(self):
        """Below TLS: until the client has closed."""
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end and self.sock.recv(1 << 18):
                pass
        except OSError:
            pass
        raise Gone

    def is_closed(self):
        """Has the client closed?  Below TLS; what it has said is lost."""
        while select.select([self.sock], [], [], 0)[0]:
            try:
                if not self.sock.recv(1 << 18):
                    return True
            except OSError:
                return True
        return False

    def end(self, polite=True):
        """FIN; what the client says meanwhile is taken, lest it be a RST."""
        if self.tls and polite:
            try:
                self.tls.bye()
            except gnutls.Failed:
                pass
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.wait_for_end()

    def reset(self):
        if self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        self.close()
        raise Gone

    def close(self):
        if self.tls:
            self.tls.close()
            self.tls = None
        self.sock.close()


class Foreign:
    """TLS by OpenSSL, which sends any chain of certificates."""

    def __init__(self, sock, context):
        try:
            self.sock = context.wrap_socket(sock.dup(),
                                            server_side=True)
        except OSError:
            raise Gone from None
        self.send = self.sock.sendall

    def receive(self):
        return self.sock.recv(65536)

    def bye(self):
        pass

    def close(self):
        self.sock.close()


class Record:
    """What the server knows by the end."""

    def __init__(self):
        self.steps = []         # that were reached
        self.accepted = []      # recipients, by a 2yz to RCPT
        self.whole = False      # all the data have been read
        self.in_flight = False  # and came before RCPT was answered
        self.verdict = None     # code that the data got, in full
        self.verdicts = {}      # the same for each recipient
        self.mails = []         # text, of each that was accepted
        self.secret = False     # the password, or a proof of it, was heard
        self.plain_secret = False
        self.data_before_end = False


class Dialogue:
    """One connection.  fault(dialogue, step, reply) says and does what the
    server does at a step instead of saying reply."""

    def __init__(self, sock, how, fault):
        self.wire, self.how, self.fault = Wire(sock), how, fault
        self.record = Record()
        self.mail, self.rcpts, self.named = False, [], 0
        self.chunks, self.parts, self.greeted = 0, [], 0
        self.at, self.pending = None, None

    def run(self):
        try:
            self.story()
        except Gone:
            pass
        finally:
            self.wire.close()

    def answer(self, step, reply):
        """True: the client has been told reply, as far as we know."""
        self.record.steps.append(step)
        if self.fault.step in (step, "every") and not self.fault.done:
            self.fault.done = True
            return self.fault.act(self, step, reply)
        self.wire.send(reply.encode("latin-1") + b"\r\n")
        return reply

    def story(self):
        if self.how.tls == "implicit":
            self.handshake()
        self.answer("greeting", "220 hostile.example ESMTP")
        while self.command(self.wire.line()):
            pass
        self.wire.end()

    def handshake(self):
        self.record.steps.append("tls")
        step = self.fault.step == "tls" and not self.fault.done
        self.fault.done |= step
        if step and self.fault.raw:     # behind the client's hello
            select.select([self.wire.sock], [], [], PATIENCE)
            self.fault.raw(self)
        if step and self.fault.chain:
            self.wire.tls = Foreign(self.wire.sock,
                                    self.how.chains[self.fault.chain])
            return
        push = self.fault.push(self.wire) if step else None
        version = step and self.fault.version or self.how.version
        tls = gnutls.Session(self.wire.sock, self.how.creds, version, push)
        try:
            tls.handshake()
        except gnutls.Failed:
            tls.close()
            raise Gone from None
        tls.push = self.wire.sock.sendall
        self.wire.tls = tls

    # Commands

    def command(self, line):
        verb = re.match("[A-Za-z]*", line)[0].lower()
        return getattr(self, "on_" + verb, self.on_other)(line)

    def on_other(self, _):
        self.answer("other", "500 5.5.2 what?")
        return True

    def on_ehlo(self, _):
        self.greeted += 1
        words = EXTENSIONS + self.how.extensions
        if self.how.tls == "starttls" and not self.wire.tls:
            words = words + ["STARTTLS"]
        elif self.how.mechanism:
            words = words + ["AUTH " + self.how.mechanism]
        step = "ehlo2" if self.greeted > 1 else "ehlo"
        lines = ["hostile.example"] + words
        self.answer(step, "\r\n".join(
            [f"250-{x}" for x in lines[:-1]] + [f"250 {lines[-1]}"]))
        return True

    on_lhlo = on_ehlo

    def on_helo(self, _):
        self.answer("helo", "250 hostile.example")
        return True

    def on_starttls(self, _):
        said = self.answer("starttls", "220 2.0.0 go on")
        if said and said.startswith("220"):
            self.handshake()
        return True

    def on_quit(self, _):
        self.answer("quit", "221 2.0.0 bye")
        return False

    def on_rset(self, _):
        self.answer("rset", "250 2.0.0 ok")
        self.mail, self.rcpts = False, []
        return True

    def on_mail(self, _):
        self.rcpts, self.named, self.parts = [], 0, []
        said = self.answer("mail", "250 2.1.0 ok")
        self.mail = bool(said) and said[0] == "2"
        return True

    def on_rcpt(self, line):
        self.named += 1
        address = re.search("<(.*?)>", line)[1]
        said = self.answer(f"rcpt.{self.named}", "250 2.1.5 ok"
                           if self.mail else "503 5.5.1 MAIL first")
        if said and said[0] == "2" and self.mail:
            self.rcpts.append(address)
            self.record.accepted.append(address)
        return True

    def on_data(self, _):
        if not self.rcpts:
            self.answer("data", "554 5.5.1 nobody")
            return True
        said = self.answer("data", "354 go on")
        if not said or not said.startswith("354"):
            return True
        early = self.fault.step == "body" and self.answer("body", "250 ok")
        text = self.wire.until(b"\r\n.\r\n") + b"\n"
        self.end("dot", re.sub(r"(?m)^\.", "", plain(text)), early)
        return True

    def on_bdat(self, line):
        self.chunks += 1
        words = line.split()
        early = None
        if self.fault.step == "body" and not self.fault.done:
            early = self.answer("body", "250 ok")
        self.parts.append(self.wire.exactly(int(words[1])))
        if not self.rcpts:
            self.answer("dot", "554 5.5.1 nobody")
        elif words[-1] == "LAST":
            self.end("dot", plain(b"".join(self.parts)))
        elif not early:
            self.answer(f"bdat.{self.chunks}", "250 2.0.0 more")
        return True

    def end(self, step, text, early=None):
        """early: what was answered before the text came."""
        r, rcpts = self.record, self.rcpts
        r.whole, self.mail, self.rcpts = True, False, []
        if self.how.lmtp:
            self.end_lmtp(rcpts, text)
            return
        said = early or self.answer(step, "250 2.0.0 queued")
        if said:
            r.verdict = said[:3]
            r.verdicts = {x: r.verdict for x in rcpts}
            if said[0] == "2":
                r.mails.append((tuple(rcpts), text))

    def end_lmtp(self, rcpts, text):
        """RFC 2033: a reply for each.  One message, however many got it."""
        r, got = self.record, []
        for i, who in enumerate(rcpts, 1):
            said = self.answer(f"dot.{i}", "250 2.0.0 queued")
            if said:
                r.verdicts[who] = said[:3]
                got += [who] * (said[0] == "2")
                r.mails = [(tuple(got), text)] if got else []

    # Logins

    def challenge(self, n, octets):
        coded = base64.b64encode(octets).decode()
        said = self.answer(f"auth.{n}", "334 " + coded)
        if not said or not said.startswith("334"):
            return None
        line = self.wire.line()
        return None if line == "*" else decode(line)

    def on_auth(self, line):
        words = line.split()
        name = words[1].upper()
        first = decode(words[2]) if len(words) > 2 else None
        done = getattr(self, name.lower().replace("-", "_"))(first)
        if done is None:
            return self.cancelled()
        n, good = done
        self.answer(f"auth.{n}", "235 2.7.0 welcome" if good else
                    "535 5.7.8 no")
        return True

    def cancelled(self):
        if self.pending is None:
            self.answer("other", "501 5.0.0 cancelled")
        return True

    def heard_secret(self):
        self.record.secret = True
        self.record.plain_secret |= self.wire.tls is None

    def plain(self, first):
        self.heard_secret()
        return 1, first == f"\0{USER}\0{PASSWORD}".encode()

    def oauthbearer(self, first):
        self.heard_secret()
        return 1, first.endswith(f"\1auth=Bearer {TOKEN}\1\1".encode())

    def login(self, _):
        user = self.challenge(1, b"Username:")
        if user is None:
            return None
        password = self.challenge(2, b"Password:")
        if password is None:
            return None
        self.heard_secret()
        return 3, (user, password) == (USER.encode(), PASSWORD.encode())

    def cram_md5(self, _):
        challenge = b"<1.2@hostile.example>"
        got = self.challenge(1, challenge)
        if got is None:
            return None
        self.heard_secret()
        digest = hmac.new(PASSWORD.encode(), challenge, "md5").hexdigest()
        return 2, got == f"{USER} {digest}".encode()

    def scram_sha_256(self, first):
        bare = first.decode().split(",", 2)[2]
        nonce = re.search("r=([^,]*)", bare)[1] + "a-hostile-server"
        server_first = f"r={nonce},s={coded(SALT)},i={ROUNDS}"
        got = self.challenge(1, server_first.encode())
        if got is None:
            return None
        self.heard_secret()
        without, _, proof = got.decode().rpartition(",p=")
        auth = ",".join((bare, server_first, without)).encode()
        good = is_proof(auth, proof)
        signature = "v=" + coded(sign(KEYS[1], auth))
        if good and self.challenge(2, signature.encode()) is None:
            return None
        return 3, good


def plain(octets):
    return octets.decode("latin-1").replace("\r\n", "\n")


def coded(octets):
    return base64.b64encode(octets).decode()


def decode(word):
    try:
        return base64.b64decode(word, validate=True)
    except ValueError:
        return b""


def sign(key, octets):
    return hmac.new(key, octets, "sha256").digest()


def keys():
    salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, ROUNDS)
    return sign(salted, b"Client Key"), sign(salted, b"Server Key")


KEYS = keys()


def is_proof(auth, proof):
    stored = hashlib.sha256(KEYS[0]).digest()
    want = bytes(a ^ b for a, b in zip(KEYS[0], sign(stored, auth)))
    return decode(proof) == want


class How:
    """What kind of server: way unix, starttls or implicit."""

    def __init__(self, way, extensions=(), mechanism=None, version=13,
                 creds=None, session=60, second=False,
                 relay=False):
        self.tls = way if way in ("starttls", "implicit") else None
        self.lmtp = way == "lmtp"
        self.way, self.extensions = way, list(extensions)
        self.mechanism, self.version = mechanism, version
        self.creds, self.session = creds, session
        self.second = second    # is there another server, a good one?
        self.relay = relay      # is the client sendmail -bs?


class Good:
    """The other server, for as long as it is wanted."""

    def __init__(self, how, folder):
        os.mkdir(folder)
        self.how, self.records, self.over = how, [], False
        self.listener = listener(how.way, folder)
        self.url = url(how.way, self.listener, folder)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over:
            if select.select([self.listener], [], [], 0.02)[0]:
                d = Dialogue(self.listener.accept()[0], self.how, NO_FAULT)
                self.records.append(d.record)
                d.run()

    def close(self):
        self.over = True
        self.thread.join()
        self.listener.close()


class NO_FAULT:
    step, done = None, False


def listener(way, folder):
    if way in ("unix", "lmtp"):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(folder + "/socket")
    else:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
    sock.listen(8)
    return sock


def url(way, sock, folder):
    if way in ("unix", "lmtp"):
        name = "lmtp" if way == "lmtp" else "smtp"
        return f"{name}://{os.path.abspath(folder)}/socket"
    scheme = {"starttls": "smtp", "implicit": "smtps", "tcp": "smtp+plain"}
    return f"{scheme[way]}://localhost:{sock.getsockname()[1]}"
