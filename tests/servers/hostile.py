"""Servers and callers that mean no good, for the tests of -bs and -q."""

import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

from tap import PATIENCE, done, ok, same, until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
B = os.path.join(TOP, os.environ.get("B", "build"))
SENDMAIL, SENDOFF = B + "/sendmail", B + "/sendoff"
TMP = tempfile.mkdtemp()
os.umask(0o077)
HOME = TMP + "/home"
STORE = HOME + "/.local/state/sendoff"
HELLO = "EHLO me\r\nMAIL FROM:<alice@example.org>\r\n"
TEXT = "Subject: x\r\n\r\nhello\r\n.\r\n"
os.environ["HOME"] = HOME
for variable in "XDG_CONFIG_HOME", "XDG_STATE_HOME", "TMPDIR", "NAME":
    os.environ.pop(variable, None)


class Gone(Exception):
    """The connection has ended."""


class Connection:
    """One of a server's, played in a thread of its own."""

    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.number = len(server.connections)
        self.octets, self.mail, self.rcpts = b"", None, []
        self.parts, self.mails = b"", 0

    def run(self):
        try:
            self.say("220 hostile.example")
            while True:
                self.command(self.line())
        except (Gone, OSError):
            self.sock.close()

    def say(self, reply):
        self.sock.sendall((reply + "\r\n").encode())

    def more(self):
        got = self.sock.recv(65536)
        if not got:
            raise Gone
        self.octets += got

    def line(self):
        while b"\r\n" not in self.octets:
            self.more()
        line, self.octets = self.octets.split(b"\r\n", 1)
        return line.decode("latin-1")

    def data(self):
        while b"\r\n.\r\n" not in b"\r\n" + self.octets:
            self.more()
        text, self.octets = (b"\r\n" + self.octets).split(b"\r\n.\r\n", 1)
        return re.sub(rb"(?m)^\.", b"", text[2:] + b"\r\n")

    def command(self, line):
        verb = line[:4].upper()
        self.server.said.append((self.number, line))
        if verb == "BDAT":
            n = int(line.split()[1])
            while len(self.octets) < n:
                self.more()
            self.parts += self.octets[:n]
            self.octets = self.octets[n:]
        reply = self.server.hook(self, verb, line)
        if reply is None:
            reply = getattr(self, "on_" + verb.lower())(line)
        if reply:
            self.say(reply)
        if verb == "QUIT" or reply[:3] == "421":
            raise Gone

    def on_ehlo(self, _):
        lines = ["hostile.example"] + self.server.extensions
        return "\r\n".join([f"250-{x}" for x in lines[:-1]] +
                           [f"250 {lines[-1]}"])

    on_lhlo = on_ehlo

    def on_mail(self, line):
        self.mail, self.rcpts, self.parts = line, [], b""
        return "250 2.1.0 ok"

    def on_rcpt(self, line):
        if self.mail is None:
            return "503 5.5.1 no MAIL"
        address = re.search("<(.*?)>", line)[1]
        if address.startswith("no"):
            return "550 5.1.1 no such user"
        self.rcpts.append(address)
        return "250 2.1.5 ok"

    def on_data(self, _):
        if not self.rcpts:
            return "554 5.5.1 nobody"
        self.say("354 go on")
        self.parts = self.data()
        return self.end()

    def on_bdat(self, line):
        return self.end() if line.endswith("LAST") else "250 2.0.0 more"

    def end(self):
        lmtp = self.server.lmtp
        rcpts, self.mails = self.rcpts, self.mails + 1
        reply = self.server.hook(self, "DOT", "")
        if reply is None:
            taken = [x for x in rcpts if not x.startswith("late")]
            self.server.mails.append((self.mail, taken, self.parts))
            reply = "250 2.0.0 queued" if not lmtp else "\r\n".join(
                "250 2.0.0 queued" if x in taken else
                "550 5.1.1 not even here" for x in rcpts)
        self.mail, self.rcpts = None, []
        return reply

    def on_rset(self, _):
        self.mail, self.rcpts = None, []
        return "250 2.0.0 ok"

    def on_quit(self, _):
        return "221 2.0.0 bye"


class Server:
    """On a unix socket: no TLS, no login.  hook() changes what it does."""

    def __init__(self, name, hook=lambda c, verb, line: None, extensions=(),
                 lmtp=False):
        self.path = f"{TMP}/{name}.socket"
        self.hook, self.lmtp = hook, lmtp
        self.extensions = ["ENHANCEDSTATUSCODES", "8BITMIME", *extensions]
        self.said, self.mails, self.connections = [], [], []
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            c = Connection(self, self.listener.accept()[0])
            self.connections.append(c)
            threading.Thread(target=c.run, daemon=True).start()

    def url(self):
        return f"{'lmtp' if self.lmtp else 'smtp'}://{self.path}"

    def commands(self):
        return [line for _, line in self.said]

    def envelopes(self):
        return [x[1] for x in self.mails]


def write(name, text):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)


def config(*lines, aliases=""):
    write(HOME + "/.config/sendoff.conf", "\n".join(lines) + "\n")
    write(TMP + "/aliases", aliases)


def account(server, *more, name=None, sender="alice@example.org"):
    return "\n".join([f"account {name}"] * (name is not None) +
                     [f"from {sender}", f"server {server.url()}",
                      "auth none", "domain example.org",
                      f"aliases {TMP}/aliases", f"log {TMP}/log", *more])


def codes(text):
    return re.findall(r"(?m)^([0-9]{3})(?: .*)?\r?$", text)


class Caller:
    """A caller who waits for each reply."""

    def __init__(self, *args, program=SENDMAIL):
        self.p = subprocess.Popen([program, *args, "-bs"],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        self.octets = b""
        self.hear()

    def say(self, text):
        self.p.stdin.write(text.encode("latin-1"))
        self.p.stdin.flush()

    def hear(self):
        """The last line of the next reply; "" when none comes."""
        while True:
            while b"\n" not in self.octets:
                if not select.select([self.p.stdout], [], [], PATIENCE)[0]:
                    return ""
                got = os.read(self.p.stdout.fileno(), 65536)
                if not got:
                    return ""
                self.octets += got
            line, self.octets = self.octets.split(b"\n", 1)
            if line[3:4] != b"-":
                return line.decode().rstrip("\r")

    def ask(self, text):
        self.say(text + "\r\n")
        return self.hear()[:3]

    def end(self, at_once=False):
        """What is left of the replies, and the status."""
        try:
            if not at_once:
                self.p.stdin.close()
            self.p.wait(PATIENCE)
            out = self.octets + self.p.stdout.read()
            return codes(out.decode()), self.p.returncode
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            return [], "still there"
        finally:
            for f in self.p.stdout, self.p.stderr, self.p.stdin:
                try:
                    f.close()
                except OSError:
                    pass


def batch(text, *args, program=SENDMAIL, preexec=None):
    """All at once: the codes of the replies, the text of them, the status."""
    p = subprocess.run([program, *args, "-bs"], check=False,
                       input=text.encode("latin-1"), capture_output=True,
                       timeout=PATIENCE, preexec_fn=preexec)
    if p.stderr:
        print("# " + p.stderr.decode("latin-1").replace("\n", "\n# "))
    return " ".join(codes(p.stdout.decode())), p.stdout.decode(), p.returncode


def rcpt(name):
    return f"RCPT TO:<{name}>\r\n"


def play(*stories):
    """All of them; ends the program."""
    try:
        for story in stories:
            try:
                story()
            except Exception:           # pylint: disable=broad-except
                ok(False, story.__name__)
                print("# " + traceback.format_exc().replace("\n", "\n# "))
    finally:
        shutil.rmtree(TMP)
    done()
