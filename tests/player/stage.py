"""One run of the program against one act: home, process, listener."""

import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from .pattern import unescape, ends_line, pieces
from .session import Mismatch, Session
from .transcript import DEFAULT_CONFIG, DEFAULT_INPUT, dialogue
from .wire import Gone, Silent, Wire

TOO_LONG = 120          # seconds until a run is called a hang


class Outcome:
    """What became of one act."""

    def __init__(self, act):
        self.act, self.status, self.hung = act, None, False
        self.out = self.err = ""
        self.mismatch, self.session = None, None
        self.extra, self.kept, self.complaints = 0, [], []
        self.seconds = 0.0

    @property
    def log(self):
        return self.session.log if self.session else []


class Stage:
    """A home and a listener; used for all acts of a transcript."""

    def __init__(self, options, way, octets=False):
        self.options, self.way, self.octets = options, way, octets
        base = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.home = tempfile.mkdtemp(prefix="play-", dir=base)
        self.contexts = {}

    def __enter__(self):
        self.listener = self.listen()
        return self

    def __exit__(self, *_):
        self.listener.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def listen(self):
        if self.way == "unix":
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(self.home + "/socket")
            self.port = "0"
        else:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 0))
            self.port = str(listener.getsockname()[1])
        listener.listen(8)
        listener.setblocking(False)
        return listener

    def small_buffers(self):
        for name in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self.listener.setsockopt(socket.SOL_SOCKET, name, 4096)
        if self.way != "unix":
            self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG,
                                     536)

    # What the program is given

    def places(self, text):
        """{ca}, {home} and {port}, of set-up lines."""
        values = {"ca": self.options.ca, "home": self.home, "port": self.port}
        return "".join(values[piece] if is_hole else piece
                       for is_hole, piece in pieces(text))

    def url(self, act, scheme):
        host = act.setup.get("host", "localhost")
        if self.way == "unix":
            name = "lmtp" if scheme == "lmtp" else "smtp"
            return f"{name}://{self.home}/socket"
        known = {"plain": "smtp+plain", "tls": "smtps", "starttls": scheme}
        return f"{known[self.way]}://{host}:{self.port}"

    def configuration(self, act, scheme):
        own = [self.places(line) for line in act.config]
        keys = {line.split()[0] for line in own} | act.without
        lines = [f"{key} {self.places(value)}"
                 for key, value in DEFAULT_CONFIG.items() if key not in keys]
        if "server" not in keys:
            lines.append(f"server {self.url(act, scheme)}")
        account = act.setup.get("account", "play")
        return f"account {account}\n" + \
            "".join(f"\t{line}\n" for line in lines + own)

    def configure(self, act, scheme):
        folder = self.home + "/.config"
        os.makedirs(folder, 0o700, exist_ok=True)
        path = folder + "/sendoff.conf"
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.configuration(act, scheme))
        os.chmod(path, 0o600)

    def standard_input(self, act):
        lines = DEFAULT_INPUT if act.input is None else act.input
        octets = b"".join(line_of(text) for text in lines)
        fd = os.memfd_create("input")
        os.write(fd, octets) if len(octets) < 65536 else write_all(fd, octets)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def environment(self, act):
        env = {"HOME": self.home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update({k: self.places(v) for k, v in act.env.items()})
        return env

    # The run

    def run(self, act, scheme, cut=None, extra=()):
        self.configure(act, scheme)
        if act.setup.get("buffers") == "small":
            self.small_buffers()
        outcome = Outcome(act)
        files = [self.standard_input(act), os.memfd_create("out"),
                 os.memfd_create("err")]
        begun = time.monotonic()
        self.deadline = begun + TOO_LONG
        args = [act.setup.get("name", "sendoff"), *extra,
                *(self.places(arg) for arg in act.args)]
        process = subprocess.Popen(
            args, executable=self.options.binary, stdin=files[0],
            stdout=files[1], stderr=files[2], cwd=self.home,
            env=self.environment(act))
        self.pidfd = os.pidfd_open(process.pid)
        try:
            self.play(act, outcome, cut)
            self.reap(process, outcome)
        finally:
            os.close(self.pidfd)
        outcome.seconds = time.monotonic() - begun
        outcome.out, outcome.err = content(files[1]), content(files[2])
        for fd in files:
            os.close(fd)
        self.look_at_store(outcome)
        return outcome

    def play(self, act, outcome, cut):
        user, password = credentials(act)
        session = Session(self.accept, lambda: self.context(act), user,
                          password)
        outcome.session = session
        try:
            session.play(dialogue(act, self.way), cut)
        except Mismatch as mismatch:
            outcome.mismatch = mismatch
        except (Gone, Silent) as error:
            outcome.mismatch = Mismatch("a living client", repr(error))
        if outcome.mismatch and session.wire:
            session.wire.close()

    def accept(self):
        poll = select.poll()
        poll.register(self.listener, select.POLLIN)
        poll.register(self.pidfd, select.POLLIN)
        patience = self.options.patience
        ready = dict(poll.poll(patience * 1000))
        if self.listener.fileno() not in ready:
            raise Mismatch("a connection", "the end of the program"
                           if ready else "silence")
        sock, _ = self.listener.accept()
        return Wire(sock, self.octets, self.deadline, patience)

    def reap(self, process, outcome):
        """Waits for the end, and counts connections that nobody wanted."""
        poll = select.poll()
        poll.register(self.listener, select.POLLIN)
        poll.register(self.pidfd, select.POLLIN)
        while True:
            left = self.deadline - time.monotonic()
            if outcome.mismatch:
                left = min(left, self.options.patience)
            ready = dict(poll.poll(max(0, left * 1000)))
            if self.pidfd in ready:
                break
            if not ready:
                outcome.hung = True
                process.send_signal(signal.SIGABRT)
                break
            outcome.extra += self.turn_away()
        outcome.status = process.wait()
        while True:
            more = self.turn_away()
            if not more:
                break
            outcome.extra += more

    def turn_away(self):
        try:
            sock, _ = self.listener.accept()
        except BlockingIOError:
            return 0
        sock.close()
        return 1

    def look_at_store(self, outcome):
        store = self.home + "/.local/state/sendoff"
        for folder, _, names in os.walk(store):
            for name in sorted(names):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    text = file.read()
                if is_kept(text):
                    outcome.kept.append(shown_text(text))
                mode = os.stat(path).st_mode & 0o777
                if mode & 0o077:
                    outcome.complaints.append(f"{path} has mode {mode:o}")

    # TLS

    def context(self, act):
        keylog = None
        cert = act.setup.get("cert", "good")
        version = act.setup.get("tls", "")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if cert in ("rsa1024", "sha1") or version in ("1.0", "1.1"):
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if version:
            number = getattr(ssl.TLSVersion, "TLSv" + version.replace(".", "_")
                             if version != "1.0" else "TLSv1")
            context.minimum_version = context.maximum_version = number
        context.num_tickets = 0
        path = f"{self.options.ca}/{cert}"
        context.load_cert_chain(path + ".pem", path + ".key")
        if "ask-certificate" in act.setup:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(self.options.ca + "/ca.pem")
        if any("-PLUS {" in event.text for event in act.events):
            keylog = self.home + "/keylog"
            context.keylog_filename = keylog
        return context, keylog


def line_of(text):
    """A line of standard input."""
    octets = b""
    for is_hole, piece in pieces(text):
        if not is_hole:
            octets += unescape(piece)
            continue
        word, _, rest = piece.partition(" ")
        if word != "x":
            raise Mismatch("a line of input", f"{{{piece}}}")
        count, _, what = rest.partition(" ")
        octets += unescape(what or "x") * int(count)
    return octets + (b"\n" if ends_line(text) else b"")


def write_all(fd, octets):
    while octets:
        octets = octets[os.write(fd, octets):]


def content(fd):
    os.lseek(fd, 0, os.SEEK_SET)
    octets = b""
    while True:
        more = os.read(fd, 1 << 20)
        if not more:
            return octets.decode("utf-8", "backslashreplace")
        octets += more


def shown_text(octets):
    return octets.decode("utf-8", "backslashreplace").replace("\r\n", "\n")


def is_kept(octets):
    return b"\nMAIL FROM:" in octets or octets.startswith(b"MAIL FROM:")


def credentials(act):
    values = {}
    for line in act.config:
        key, _, value = line.partition(" ")
        values[key] = value.strip().strip('"')
    return values.get("user", "me@example.org").encode(), \
        values.get("password", "s3same").encode()
