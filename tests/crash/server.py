"""A server that acts only when it is its turn, so that runs are the same."""

import os
import re
import socket
import ssl

from store import unstuffed

CERTIFICATE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), os.environ.get("B", "build"), "crash/ca/good")


class Script:
    """What the server does otherwise than a good one.

    rcpt, dot: what is answered, by address or by the number of the message
    on this server; "" ends the connection, as does a 421.  A dot's answer
    that begins with "+" or "-" says whether the server has taken the message;
    else 2yz has.
    """

    def __init__(self, extensions=(), rcpt=None, dot=None, most=None,
                 lmtp=False, down=False, tls=False):
        self.extensions = list(extensions)
        self.rcpt, self.dot = rcpt or {}, dot or {}
        self.most, self.lmtp, self.down = most, lmtp, down
        self.tls = tls


class Plain:
    """Octets in and out of a socket that never waits."""

    def __init__(self, sock):
        self.sock = sock
        sock.setblocking(False)

    def read(self):
        """None: nothing yet.  b"": the end."""
        try:
            return self.sock.recv(1 << 20)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:
            return b""

    def write(self, octets):
        """False: not yet."""
        try:
            self.sock.sendall(octets)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            pass
        return True

    def close(self):
        self.sock.close()


class Secret(Plain):
    """The same in TLS."""

    def __init__(self, sock, context):
        sock.setblocking(False)
        super().__init__(context.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False))


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.num_tickets = 0
    c.load_cert_chain(CERTIFICATE + ".pem", CERTIFICATE + ".key")
    return c


class Connection:
    """One dialogue."""

    def __init__(self, server, wire):
        self.server, self.wire, self.script = server, wire, server.script
        self.octets, self.out, self.over = b"", b"", False
        self.mail, self.rcpts, self.parts = None, [], b""
        self.wants = None               # octets of a chunk, or "dot"
        self.say("220 server.example")
        self.flush()

    def say(self, *lines):
        for line in lines[:-1]:
            self.out += f"{line[:3]}-{line[4:]}\r\n".encode()
        self.out += f"{lines[-1]}\r\n".encode()

    def flush(self):
        if self.out and self.wire.write(self.out):
            self.out = b""

    def turn(self):
        """True when anything was done."""
        got = self.wire.read()
        if got is None:
            self.flush()
            return False
        if got == b"":
            self.end()
            return True
        self.octets += got
        while not self.over and self.step():
            pass
        self.flush()
        if self.over:
            self.end()
        return True

    def end(self):
        self.over = True
        self.wire.close()

    def step(self):
        if isinstance(self.wants, int):
            return self.chunk()
        if self.wants == "dot":
            return self.data()
        if b"\r\n" not in self.octets:
            return False
        line, self.octets = self.octets.split(b"\r\n", 1)
        line = line.decode("latin-1")
        verb = line[:4].upper()
        self.server.said.append(line)
        getattr(self, "on_" + verb.lower(), self.on_other)(line)
        return True

    def on_other(self, _):
        self.say("500 5.5.1 what?")

    def on_ehlo(self, _):
        self.say("250 server.example", *(
            "250 " + x for x in ["ENHANCEDSTATUSCODES", "8BITMIME"] +
            self.script.extensions))

    on_lhlo = on_ehlo

    def on_auth(self, _):
        self.say("235 2.7.0 welcome")

    def on_noop(self, _):
        self.say("250 2.0.0 ok")

    def on_rset(self, _):
        self.mail, self.rcpts, self.parts = None, [], b""
        self.say("250 2.0.0 ok")

    def on_quit(self, _):
        self.say("221 2.0.0 bye")
        self.over = True

    def answer(self, reply):
        if reply:
            self.say(reply)
        if not reply or reply.startswith("421"):
            self.over = True

    def on_mail(self, line):
        self.mail, self.rcpts, self.parts = line, [], b""
        self.say("250 2.1.0 ok")

    def on_rcpt(self, line):
        address = re.search("<(.*?)>", line)[1]
        reply = self.script.rcpt.get(address, "250 2.1.5 ok")
        if self.mail is None:
            reply = "503 5.5.1 no MAIL"
        elif self.script.most and len(self.rcpts) >= self.script.most:
            reply = "452 4.5.3 too many"
        if reply.startswith("250"):
            self.rcpts.append(address)
        self.answer(reply)

    def on_data(self, _):
        if not self.rcpts:
            self.say("554 5.5.1 nobody")
            return
        self.say("354 go on")
        self.wants = "dot"

    def data(self):
        whole = self.parts + self.octets
        if not whole.endswith(b"\r\n.\r\n") and \
                b"\r\n.\r\n" not in whole[-(len(self.octets) + 8):]:
            self.parts, self.octets = whole, b""
            return False
        text, self.octets = whole.split(b"\r\n.\r\n", 1)
        self.parts = unstuffed(text + b"\r\n")
        self.wants = None
        self.verdict()
        return True

    def on_bdat(self, line):
        self.wants = int(line.split()[1])
        self.last = line.upper().endswith("LAST")

    def chunk(self):
        if len(self.octets) < self.wants:
            return False
        self.parts += self.octets[:self.wants]
        self.octets = self.octets[self.wants:]
        self.wants = None
        if not self.rcpts:
            self.say("554 5.5.1 nobody")
        elif self.last:
            self.verdict()
        else:
            self.say("250 2.0.0 more")
        return True

    def verdict(self):
        """The data are complete."""
        number = len(self.server.mails)
        replies = self.rcpts if self.script.lmtp else [number]
        taken = []
        for what in replies:
            reply = self.script.dot.get(what, "250 2.0.0 queued")
            took = reply.startswith(("+", "2"))
            if took:
                taken += [what] if self.script.lmtp else self.rcpts
            self.answer(reply.lstrip("+-"))
        self.server.mails.append((taken, list(self.rcpts), self.parts))
        self.mail, self.rcpts, self.parts = None, [], b""


class Server:
    """On a unix socket, or with TLS on a port of the loopback."""

    def __init__(self, path, script):
        self.script, self.path = script, path
        self.said, self.mails, self.connections = [], [], []
        self.listener, self.tls = None, context() if script.tls else None
        if os.path.exists(path):
            os.unlink(path)
        if script.down:
            return
        if script.tls:
            self.listener = socket.create_server(("127.0.0.1", 0))
        else:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.listener.listen(64)
        self.listener.setblocking(False)

    def url(self):
        if self.script.tls:
            return f"smtps://localhost:{self.listener.getsockname()[1]}"
        return f"{'lmtp' if self.script.lmtp else 'smtp'}://{self.path}"

    def accept(self):
        try:
            sock = self.listener.accept()[0]
        except BlockingIOError:
            return False
        wire = Secret(sock, self.tls) if self.tls else Plain(sock)
        self.connections.append(Connection(self, wire))
        return True

    def turn(self):
        """All that can be done without the client."""
        busy = self.listener is not None
        while busy:
            busy = self.accept()
            for c in self.connections:
                busy = (not c.over and c.turn()) or busy

    def close(self):
        self.turn()
        for c in self.connections:
            c.end()
        if self.listener is not None:
            self.listener.close()

    def took(self, who, body, count=None):
        """How often the message with this body was taken for them, among
        the first count."""
        return sum(taken.count(who) for taken, _, parts in self.mails[:count]
                   if parts.endswith(body))
