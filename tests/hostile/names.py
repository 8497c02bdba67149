"""A DNS server on loopback that lies, on UDP and TCP at one port.

An answer is made by a function of the question (Question), which returns
octets, a list of such packets, or None for silence."""

import select
import socket
import struct
import threading
import time

A, CNAME, AAAA, SRV, OPT, TLSA = 1, 5, 28, 33, 41, 52
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
AD, TC, QR = 0x20, 0x0200, 0x8180


def name(text):
    return b"".join(bytes([len(x)]) + x.encode("latin-1")
                    for x in text.strip(".").split(".") if x) + b"\0"


def read_name(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels), at + 1


def rr(owner, kind, rdata, ttl=60, length=None):
    owner = owner if isinstance(owner, bytes) else name(owner)
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(rdata) if
                               length is None else length) + rdata


def a(owner, address):
    return rr(owner, A, socket.inet_aton(address))


def cname(owner, target):
    return rr(owner, CNAME, name(target))


def srv(owner, port, target, priority=1):
    target = target if isinstance(target, bytes) else name(target)
    return rr(owner, SRV, struct.pack("!HHH", priority, 1, port) + target)


class Question:
    def __init__(self, packet, tcp):
        self.packet, self.tcp = packet, tcp
        self.id = struct.unpack("!H", packet[:2])[0]
        self.name, end = read_name(packet, 12)
        self.kind = struct.unpack("!H", packet[end:end + 2])[0]
        self.section = packet[12:end + 4]

    def answer(self, records=(), code=NOERROR, more=(), **other):
        """more: in the additional section; ad, tc, id, section, count."""
        flags = QR | code | (AD if other.get("ad") else 0) | \
            (TC if other.get("tc") else 0)
        count = other.get("count", len(records))
        return struct.pack("!HHHHHH", other.get("id", self.id), flags, 1,
                           count, 0, len(more)) + \
            other.get("section", self.section) + b"".join(records) + \
            b"".join(more)


class Server:
    """reply(question) for UDP; by_tcp(question), else the same, for TCP."""

    def __init__(self, reply, by_tcp=None, behind=None, port=0):
        self.reply, self.by_tcp, self.behind = reply, by_tcp or reply, behind
        self.over, self.asked = False, []
        self.udp, self.tcp = socket.socket(type=socket.SOCK_DGRAM), None
        while self.tcp is None:
            self.udp = socket.socket(type=socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", port))
            self.tcp = self.listen(self.udp.getsockname()[1])
        self.address = "127.0.0.1:%d" % self.udp.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=port > 0)
        self.thread.start()

    @staticmethod
    def listen(port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            sock.close()
            return None
        sock.listen(16)
        return sock

    def run(self):
        while not self.over:
            ready = select.select([self.udp, self.tcp], [], [], 0.05)[0]
            if self.udp in ready:
                packet, whom = self.udp.recvfrom(65535)
                threading.Thread(target=self.serve_udp,
                                 args=(packet, whom)).start()
            if self.tcp in ready:
                threading.Thread(target=self.serve_tcp,
                                 args=(self.tcp.accept()[0],)).start()

    def serve_udp(self, packet, whom):
        question = Question(packet, False)
        self.asked.append((question.kind, question.name))
        if self.behind:
            self.behind(self, question, whom)
        answers = self.reply(question)
        for answer in [answers] if isinstance(answers, bytes) else \
                answers or []:
            self.udp.sendto(answer, whom)

    def serve_tcp(self, sock):
        with sock:
            sock.settimeout(15)
            try:
                size = struct.unpack("!H", sock.recv(2))[0]
                answer = self.by_tcp(Question(sock.recv(size), True))
                if callable(answer):
                    answer(self, sock)
                elif answer:
                    sock.sendall(struct.pack("!H", len(answer)) + answer)
            except (OSError, struct.error, IndexError):
                pass

    def close(self):
        self.over = True
        self.thread.join()
        self.udp.close()
        self.tcp.close()


# --- by TCP ------------------------------------------------------------------

def wait(server, sock):
    while not server.over and not select.select([sock], [], [], 0.1)[0]:
        pass


def drip(server, sock):
    """Of an answer of 60000 octets."""
    octets = struct.pack("!H", 60000) + 400 * b"x"
    for c in octets:
        if server.over or select.select([sock], [], [], 0.3)[0]:
            return
        sock.sendall(bytes([c]))


def tcp_octets(octets):
    def act(_, sock):
        sock.sendall(octets)
        sock.recv(1)
    return act


# --- beside the answer -------------------------------------------------------

def from_another_port(server, question, whom):
    """A forged answer, with the right id, from where nobody was asked."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.sendto(question.answer([a(question.name, EVIL)]), whom)
    time.sleep(0.05)


def flood(server, question, whom):
    """Answers to something else, without end."""
    packet = question.answer(id=question.id ^ 1)
    end = time.monotonic() + 30
    try:
        while not server.over and time.monotonic() < end:
            for _ in range(200):
                server.udp.sendto(packet, whom)
    except OSError:
        pass


EVIL = "127.0.0.66"
