"""What a case of the catalogue is played in: a home, and servers of its own."""

import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/hostile"))

# pylint: disable=wrong-import-position
import names                                                    # noqa: E402
from swallower import Swallower                                 # noqa: E402
from tap import PATIENCE, until                                 # noqa: E402

B = TOP / os.environ.get("B", "build")
CA = B / "errors.ca"
MESSAGE = "Subject: x\n\nhello\n"
MANY = "Subject: x\n\n" + 40_000 * ("x" * 50 + "\n")
USUAL = ["from alice@example.org", "aliases none", f"ca-file {CA}/ca.pem"]
SILENCE = 30                    # seconds; deadlines are of one


class Scripted:
    """Good, but for the replies of the table."""

    def __init__(self, case):
        self.replies = [x.split(" => ", 1) for x in case.lists["reply"]]
        self.offers = case.get("offers", "8BITMIME").split()
        self.stalled, self.over = threading.Event(), threading.Event()
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.sock.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        try:
            with client, client.makefile("rb") as lines:
                self.say(client, "GREETING", "220 mx.example.org ESMTP")
                for line in lines:
                    self.command(client, lines, line.decode("latin-1").strip())
        except (OSError, EOFError):
            pass

    def say(self, client, command, good):
        text = next((reply for start, reply in self.replies
                     if command.startswith(start)), good)
        if text in ("(silent)", "(stall)"):
            self.stalled.set()
            self.over.wait(SILENCE)
        if text in ("(close)", "(silent)", "(stall)"):
            raise EOFError
        client.sendall(("\r\n".join(text.split(" | ")) + "\r\n").encode())
        return text

    def command(self, client, lines, line):
        verb = line[:4].upper()
        good = {"EHLO": "250-mx.example.org | " + " | ".join(
            "250" + ("-" if x != self.offers[-1] else " ") +
            x.replace("_", " ") for x in self.offers),
            "DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")
        said = self.say(client, line, good)
        if verb == "QUIT":
            raise EOFError
        if verb == "DATA" and said[:1] == "3":
            while lines.readline() != b".\r\n":
                continue
            self.say(client, "DOT", "250 queued")

    def close(self):
        self.over.set()
        self.sock.close()


class Submitd:
    def __init__(self, case, folder):
        ready = folder / "ready"
        scheme, *options = shlex.split(case.get("submitd"))
        tls = {"smtps": "implicit", "smtp": "starttls"}.get(scheme, "none")
        self.process = subprocess.Popen(
            [B / "submitd", f"--tls={tls}", "--ca", CA, "--ready-file", ready,
             "--user", "alice@example.org:secret", *options],
            stdout=subprocess.DEVNULL)
        if not until(lambda: ready.exists() and ready.read_text().strip()):
            raise SystemExit("Bail out! no submitd")
        self.port = int(ready.read_text())

    def close(self):
        self.process.terminate()
        self.process.wait()


class Names:
    """A resolver that has the records of the table, and no others."""

    def __init__(self, records, port):
        self.records, self.signed = {}, False
        for record in records:
            owner, kind, *value = record.split()
            self.records.setdefault(owner, []).append((kind, value))
            self.signed = self.signed or owner == kind == "signed"
        self.port = port
        self.server = names.Server(self.reply)

    def reply(self, q):
        there = self.records.get(q.name, [])
        kinds = [kind for kind, _ in there]
        if "silent" in kinds:
            return None
        if "SERVFAIL" in kinds:
            return q.answer(code=names.SERVFAIL)
        made = [self.record(q, kind, value) for kind, value in there
                if getattr(names, kind) == q.kind]
        return q.answer(made, names.NOERROR if there else names.NXDOMAIN,
                        ad="signed" in self.records)

    def record(self, q, kind, value):
        if kind == "A":
            return names.a(q.name, value[0])
        if kind == "SRV":
            return names.srv(q.name, self.port, value[0])
        return names.rr(q.name, names.TLSA, bytes.fromhex(value[0]))

    def close(self):
        self.server.close()


class World:
    """One case; after play() its status, its lines and its kind."""

    def __init__(self, case):
        self.case = case
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="sendoff-errors."))
        self.home = self.tmp / "home"
        self.config = self.home / ".config/sendoff.conf"
        self.config.parent.mkdir(parents=True)
        self.open, self.port, self.server = [], 0, None

    def fill(self, text):
        for name, value in (("PORT", self.port), ("TMP", self.tmp),
                            ("HOME", self.home), ("URL", self.url()),
                            ("CA", CA)):
            text = text.replace("{" + name + "}", str(value))
        return text

    def url(self):
        scheme = (self.case.get("submitd") or self.case.get("server") or
                  "smtps").split()[0]
        host = "127.0.0.1" if "swallower" in self.case.flags else "localhost"
        return f"{scheme}://{host}:{self.port}"

    def begin(self):
        case = self.case
        if case.get("submitd"):
            self.server = Submitd(case, self.tmp)
        elif case.get("server"):
            self.server = Scripted(case)
        elif "swallower" in case.flags:
            self.server = Swallower()
        if self.server:
            self.open.append(self.server)
            self.port = self.server.port
        lines = [] if "bare" in case.flags else list(USUAL)
        if self.server and "bare" not in case.flags and not any(
                x.startswith("server") for x in case.lists["config"]):
            lines.append("server " + self.url())
        if self.server and not case.get("submitd") and \
                "bare" not in case.flags and not any(x.startswith(
                    ("auth", "user", "password", "account"))
                    for x in case.lists["config"]):
            lines.append("auth none")
        if case.lists["dns"]:
            resolver = Names(map(self.fill, case.lists["dns"]), self.port)
            self.open.append(resolver)
            lines.append("resolver " + resolver.server.address)
        lines += map(self.fill, case.lists["config"])
        if lines:
            self.write(self.config, "\n".join(lines) + "\n",
                       case.get("mode", "600"))
        for file in case.lists["file"]:
            name, mode, text = self.fill(file).split(" ", 2)
            self.write(pathlib.Path(name), text.replace("\\n", "\n").replace(
                "\\t", "\t").replace("\\0", "\0"), mode)

    @staticmethod
    def write(path, text, mode):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(int(mode, 8))

    def stdin(self):
        how = self.case.get("stdin")
        if how == "folder":
            return os.open("/", os.O_RDONLY)
        text = self.case.get("input", MESSAGE)
        text = MANY if text == "many" else text.replace("\\n", "\n").replace(
            "\\0", "\0")
        path = self.tmp / "message"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return os.open(path, os.O_RDONLY)

    def command(self):
        program, *words = shlex.split(self.fill(self.case.get(
            "run", "sendoff -i bob@example.net")))
        shell = shlex.split(self.case.get("shell", ""))
        return [*shell, str(B / program), *words]

    def play(self):
        log = self.tmp / "syslog"
        env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TZ": "UTC",
               "LC_ALL": "C.UTF-8", "LD_PRELOAD": str(B / "devlog.so"),
               "DEVLOG": str(log), "ASAN_OPTIONS":
               "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}
        try:
            self.begin()
            stdin = self.stdin()
            self.run(env, stdin)
            os.close(stdin)
            text = log.read_text() if log.exists() else ""
            self.kinds = re.findall(r" kind=([\w-]+)", text) + \
                re.findall(r" keep-error=", text)
        finally:
            for server in self.open:
                server.close()
            shutil.rmtree(self.tmp)
        return self

    def run(self, env, stdin):
        closed = self.case.get("stdin") == "closed"
        with subprocess.Popen(
                self.command(), stdin=stdin, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=env, cwd=self.tmp,
                preexec_fn=lambda: os.close(0) if closed else None) as p:
            if self.case.get("signal"):
                self.server.stalled.wait(PATIENCE)
                p.send_signal(getattr(signal, "SIG" + self.case.get("signal")))
            try:
                out, err = p.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                p.kill()
                out, err = p.communicate()
        self.status = p.returncode
        self.out = self.normal(out)
        self.lines = self.normal(err).splitlines()

    def normal(self, octets):
        text = octets.decode("utf-8", "backslashreplace")
        text = text.replace(str(self.tmp), "TMP").replace(str(CA), "CA")
        if self.port:
            text = re.sub(rf"\b(_?){self.port}\b", r"\1PORT", text)
        text = re.sub(r"20\d{6}T\d{6}Z-[0-9a-f]{12}(-\d+)?", "ID", text)
        text = re.sub(r"for \S+ \(uid \d+\)", "for USER (uid UID)", text)
        text = re.sub(r"-qI [0-9a-f]{12}\b", "-qI ID", text)
        text = re.sub(r"sha256:[0-9a-f]{64}\b", "sha256:PIN", text)
        text = re.sub(r"127\.0\.0\.1 -p \d+", "127.0.0.1 -p PORT", text)
        return re.sub(r"20\d\d-\d\d-\d\d( \d\d:\d\d UTC)?", "DATE", text)
