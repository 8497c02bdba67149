"""The server's side of SMTP, just enough of it, and the store it fills.

Each recipient of each message becomes two files:

    STORE/LOCALPART/N.eml   the octets that came, dots unstuffed
    STORE/LOCALPART/N.json  server, sender, recipient and their parameters
"""
import json
import os
import socketserver
import threading
import urllib.parse

lock = threading.Lock()


def path(line):
    """MAIL FROM:<address> PARAMETERS -> address, [PARAMETERS]"""
    text = line.split(b":", 1)[1].decode()
    address, _, rest = text.partition(">")
    return address.strip().lstrip("<"), rest.split()


def keep(store, data, envelope):
    local = envelope["recipient"].rpartition("@")[0]
    folder = os.path.join(store, urllib.parse.quote(local, safe="+="))
    with lock:
        os.makedirs(folder, exist_ok=True)
        n = sum(name.endswith(".json") for name in os.listdir(folder))
        with open(f"{folder}/{n}.eml", "wb") as f:
            f.write(data)
        with open(f"{folder}/{n}.new", "w") as f:
            json.dump(envelope, f)
        os.rename(f"{folder}/{n}.new", f"{folder}/{n}.json")


class Session(socketserver.StreamRequestHandler):
    """A subclass adds verbs as methods do_VERB(line)."""
    rbufsize = 1 << 16
    offer = ["PIPELINING", "8BITMIME", "SIZE", "ENHANCEDSTATUSCODES"]
    refusals = {}

    def say(self, code, *lines):
        for i, line in enumerate(lines):
            mark = " " if i == len(lines) - 1 else "-"
            self.wfile.write(f"{code}{mark}{line}\r\n".encode())

    def handle(self):
        self.do_RSET(None, quiet=True)
        self.peer = ""
        self.say(220, "mail.example.test ready")
        while line := self.rfile.readline():
            verb = line.split()[0].decode("ascii", "replace").upper()
            if verb == "QUIT":
                self.say(221, "2.0.0 bye")
                break
            getattr(self, "do_" + verb, self.unknown)(line)

    def unknown(self, line):
        self.say(500, "5.5.1 what?")

    def do_EHLO(self, line):
        self.peer = line[4:].strip().decode()
        self.say(250, "mail.example.test", *self.offer)

    def do_RSET(self, line, quiet=False):
        self.sender = None
        self.recipients = []
        if not quiet:
            self.say(250, "2.0.0 forgotten")

    def do_MAIL(self, line):
        self.sender = path(line)
        self.say(250, "2.1.0 sender")

    def do_RCPT(self, line):
        address, parameters = path(line)
        if address in self.refusals:
            return self.say(*self.refusals[address])
        self.recipients.append((address, parameters))
        self.say(250, "2.1.5 recipient")

    def do_DATA(self, line):
        if not self.recipients:
            return self.say(554, "5.5.1 nobody wants it")
        self.say(354, "go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if line:
            self.take(b"".join(lines))
            self.do_RSET(None, quiet=True)

    def take(self, data):
        for recipient, parameters in self.recipients:
            keep(self.server.store, data, {
                "server": self.peer, "sender": self.sender[0],
                "sender_parameters": self.sender[1],
                "recipient": recipient,
                "recipient_parameters": parameters})
        self.say(250, "2.0.0 kept")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
