"""The server's end of one connection: octets, lines, TLS, hanging up."""

import hashlib
import hmac
import os
import select
import socket
import ssl
import struct
import time

PIECE = 65536


class Gone(Exception):
    """The client has closed the connection."""


class Silent(Exception):
    """The client said nothing for too long."""


CLOSED = "the client closed"


class Refused(Exception):
    """The client did not like the handshake."""


class Wire:
    """deadline is on time.monotonic(); patience is for one reading."""

    def __init__(self, sock, octets, deadline, patience):
        self.sock, self.octets = sock, octets
        self.deadline, self.patience = deadline, patience
        self.buffer, self.ended = b"", False
        self.tls, self.keylog = None, None
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # Octets, below TLS

    def wait(self, events, until):
        poll = select.poll()
        poll.register(self.sock, events)
        left = min(until, self.deadline) - time.monotonic()
        if not poll.poll(max(0, left * 1000)):
            raise Silent

    def raw_send(self, octets):
        step = 1 if self.octets else PIECE
        until = time.monotonic() + self.patience
        while octets:
            try:
                n = self.sock.send(octets[:step], socket.MSG_NOSIGNAL)
                octets = octets[n:]
                if self.octets:
                    os.sched_yield()
            except BlockingIOError:
                self.wait(select.POLLOUT, until)
            except OSError:
                raise Gone from None

    def raw_receive(self, until):
        """What has come, b"" at the end."""
        if until is not None:
            self.wait(select.POLLIN, until)
        try:
            return self.sock.recv(1 if self.octets else PIECE)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    # Octets, above TLS

    def has_tls(self):
        return self.tls is not None

    def send(self, octets):
        if not self.tls:
            self.raw_send(octets)
            return
        step = 1 if self.octets else PIECE
        for i in range(0, len(octets), step):
            self.tls.write(octets[i:i + step])
            self.drain_tls()

    def drain_tls(self):
        octets, paced = self.outgoing.read(), self.octets
        if self.tls.version() and paced and self.shaken:
            self.octets = False     # an octet a record is small enough
        try:
            self.raw_send(octets)
        finally:
            self.octets = paced

    def receive(self, until):
        """More into the buffer; None when until is None and nothing came."""
        octets = self.raw_receive(until)
        if octets is None:
            return None
        if octets == b"":
            self.ended = True
        if not self.tls:
            self.buffer += octets
            return True
        self.incoming.write(octets)
        self.decrypt()
        return True

    def decrypt(self):
        try:
            while True:
                octets = self.tls.read(PIECE)
                self.buffer += octets
                if not octets:
                    self.ended = True
                    return
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.ended = True

    def more(self, until):
        if self.ended:
            raise Gone
        self.receive(until)

    def early(self):
        """What the client has said already."""
        while not self.ended and self.receive(None):
            pass
        return self.buffer

    # Lines

    def line(self):
        """One line without its CRLF; everything, if it has no proper end."""
        until = time.monotonic() + self.patience
        while b"\n" not in self.buffer:
            self.more(until)
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line[:-1] if line.endswith(b"\r") else line + b"\n"

    def exactly(self, count):
        until = time.monotonic() + self.patience
        while len(self.buffer) < count:
            self.more(until)
        octets, self.buffer = self.buffer[:count], self.buffer[count:]
        return octets

    def until_closed(self, keep=True):
        """The rest of what the client says, when it closes in time."""
        until = time.monotonic() + self.patience
        while not self.ended:
            self.receive(until)
            if not keep:
                self.buffer = b""
        rest, self.buffer = self.buffer, b""
        return rest

    # TLS

    def handshake(self, context, keylog=None, stop_after_hello=False):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.incoming.write(self.buffer)
        self.buffer, self.shaken, self.keylog = b"", False, keylog
        self.tls = context.wrap_bio(self.incoming, self.outgoing, True)
        until = time.monotonic() + self.patience
        while not self.shaken:
            try:
                self.shake(until, stop_after_hello)
            except Gone:
                raise Refused(CLOSED) from None

    def shake(self, until, stop_after_hello):
        try:
            self.tls.do_handshake()
            self.shaken = True
        except ssl.SSLWantReadError:
            if stop_after_hello and self.outgoing.pending:
                raise Refused("cut") from None
            self.drain_tls()
            octets = self.raw_receive(until)
            if octets == b"":
                raise Refused(CLOSED) from None
            self.incoming.write(octets or b"")
            return
        except ssl.SSLError as error:
            self.last_words()
            raise Refused(str(error)) from None
        self.drain_tls()
        self.decrypt()

    def last_words(self):
        """The alert, if the client still listens."""
        try:
            self.drain_tls()
        except Gone:
            pass

    def can_bind(self):
        """Is there a channel binding?"""
        return self.has_tls() and (
            self.tls.version() == "TLSv1.3" or
            self.tls.get_channel_binding("tls-unique") is not None)

    def binding(self):
        """The name of the channel binding and its octets."""
        if self.tls.version() != "TLSv1.3":
            return "tls-unique", self.tls.get_channel_binding("tls-unique")
        return "tls-exporter", self.exporter()

    def exporter(self):
        """RFC 9266, from the secret that the key log has."""
        with open(self.keylog, encoding="ascii") as file:
            secrets = [line.split()[2] for line in file
                       if line.startswith("EXPORTER_SECRET")]
        name = "sha384" if self.tls.cipher()[0].endswith("384") else "sha256"
        size = hashlib.new(name).digest_size
        empty = hashlib.new(name).digest()
        derived = expand_label(name, bytes.fromhex(secrets[-1]),
                               b"EXPORTER-Channel-Binding", empty, size)
        return expand_label(name, derived, b"exporter", empty, 32)

    # The end

    def end(self, politely=True):
        """FIN, with a close_notify before it when that is polite."""
        try:
            if self.tls and politely and self.shaken:
                self.notify()
            self.sock.shutdown(socket.SHUT_WR)
        except (OSError, Gone, Silent):
            pass

    def notify(self):
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.drain_tls()

    def reset(self):
        if self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


def expand_label(name, secret, label, context, size):
    """HKDF-Expand-Label of RFC 8446 section 7.1, of one block or less."""
    full = b"tls13 " + label
    info = struct.pack("!HB", size, len(full)) + full + \
        bytes([len(context)]) + context
    return hmac.new(secret, info + b"\x01", name).digest()[:size]
