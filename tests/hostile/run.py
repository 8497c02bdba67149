"""One run of the program against one fault."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import judge
import server
from faults import NONSENSE, STRAY

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
B = os.path.join(TOP, os.environ.get("B", "build"))
SENDOFF = os.environ.get("HOSTILE", B) + "/sendoff"
HANG = 30                       # seconds; the deadlines are 1 a step, and
                                # server.PATIENCE is longer
SMALL = "Subject: hello\n\nHello.\n.\n..dots\nend\n"
LARGE = "Subject: large\n\n" + 40000 * (".all work and no play " + 40 * "x" +
                                        "\n")


class Run:
    """what names it; after play() the rest is there for the judge."""

    def __init__(self, what, how, fault, large=False, verbose=False,
                 json_log=False):
        self.what, self.how, self.fault = what, how, fault
        self.text = LARGE if large else SMALL
        self.verbose, self.json_log, self.large = verbose, json_log, large
        self.hung, self.more_connections, self.seconds = False, 0, 0
        self.late, self.once = 0, []    # runs before; what was wrong in one
        self.record, self.want, self.patience = None, None, HANG
        self.good = None
        self.arrives = ""

    # For the judge

    def mails(self):
        """What was accepted, by either server."""
        others = self.good.records if self.good else []
        return sum((x.mails for x in [self.record, *others]), [])

    def was_begun_elsewhere(self):
        return self.good and any("mail" in x.steps
                                 for x in self.good.records)

    def in_flight(self):
        return {"PIPELINING", "CHUNKING"} <= set(self.how.extensions) and \
            not self.large

    def may_have_left(self):
        """All of the message, as far as the program can know."""
        return self.in_flight() or self.fault.step == "body" or \
            "reset" in self.fault.name

    def doubt(self, step):
        """All had left before the fault was heard."""
        late = step.startswith(("rcpt", "mail", "bdat"))
        return {75} if late and self.in_flight() else set()

    def shifted(self, step):
        """One reply too many, but each command has a good one; when it was
        there before the last command it is seen."""
        window = {"PIPELINING", "CHUNKING"} <= set(self.how.extensions)
        return {0} if window and step.startswith(
            ("bdat",) if self.large else ("mail", "rcpt")) else set()

    def is_fooled(self):
        """By a 2yz too many, where each command had left before: nobody can
        tell it from the right one."""
        return self.is_stray() and bool(self.how.lmtp or self.shifted(
            self.fault.step))

    def is_stray(self):
        return self.fault.come == STRAY

    def is_nonsense(self):
        """After such a reply nobody knows which command the next is for."""
        return self.fault.come == NONSENSE or self.fault.name == "3yz"

    def complaints(self):
        return judge.complaints(self)

    # What the program gets

    def configuration(self, folder, address):
        second = f" {self.good.url}" if self.good else ""
        lines = [f"from {server.USER}", f"server {address}{second}",
                 f"ca-file {B}/crash/ca/ca.pem", f"log {folder}/log",
                 "timeout-reply 1", "timeout-connect 1",
                 f"timeout-session {self.how.session}",
                 "hello client.example"]
        if self.how.mechanism == "OAUTHBEARER":
            lines.append(f"oauth-command 'echo {server.TOKEN}'")
        elif self.how.mechanism:
            lines += [f'password "{server.PASSWORD}"',
                      f"auth {self.how.mechanism}"]
        else:
            lines.append("auth none")
        if self.json_log:
            lines.append("log-format json")
        return "\n".join(lines) + "\n"

    def prepare(self, folder, address):
        os.makedirs(folder + "/.config", 0o700)
        write(folder + "/.config/sendoff.conf",
              self.configuration(folder, address))
        write(folder + "/message", "".join([
            "Date: Wed, 25 Nov 2026 12:00:00 +0000\n",
            "Message-ID: <1@example.org>\n",
            f"From: {server.USER}\n", "To: all@example.net\n", self.text]))
        self.text = self.arrives = read(folder + "/message")

    def start(self, folder):
        env = {"HOME": folder, "PATH": "/usr/bin:/bin"}
        for name in os.environ:
            if name.endswith("SAN_OPTIONS"):
                env[name] = os.environ[name]
        command = [B + "/peak", folder + "/peak", SENDOFF, "--json", "-i"]
        command += ["-v"] * self.verbose + judge.PEOPLE
        with open(folder + "/message", "rb") as message, \
                open(folder + "/out", "wb") as out, \
                open(folder + "/err", "wb") as err:
            process = subprocess.Popen(command, stdin=message, stdout=out,
                                       stderr=err, env=env, cwd=folder,
                                       start_new_session=True)
        self.begun, self.ended = time.monotonic(), None
        self.watch = threading.Thread(target=self.reap, args=(process,))
        self.watch.start()
        return process

    def reap(self, process):
        """Ends it when it hangs."""
        try:
            process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.hung = True
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.seconds = time.monotonic() - self.begun

    def serve(self, listener):
        """The first connection is played; there should be no other."""
        while self.watch.is_alive():
            if not select.select([listener], [], [], 0.02)[0]:
                continue
            sock = listener.accept()[0]
            if self.record is not None:
                self.more_connections += 1
                sock.close()
                continue
            dialogue = server.Dialogue(sock, self.how, self.fault)
            self.record = dialogue.record
            dialogue.run()

    def collect(self, folder):
        self.out, self.err, self.log = (
            read(f"{folder}/{name}") for name in ("out", "err", "log"))
        self.kib = int((read(folder + "/peak") or "0").split()[0])
        self.outcomes = judge.outcomes_of(self.out)
        store = folder + "/.local/state/sendoff"
        self.kept = [] if not os.path.isdir(store) else [
            read(f"{store}/{name}") for name in sorted(os.listdir(store))
            if not name.startswith(".") and "MAIL FROM:" in
            read(f"{store}/{name}")]

    def listen(self, folder):
        return server.listener(self.how.way, folder)

    def play(self):
        folder = tempfile.mkdtemp(prefix="hostile-")
        listener = self.listen(folder)
        try:
            if self.how.second:
                self.good = server.Good(self.how, folder + "/second")
            self.prepare(folder, server.url(self.how.way, listener, folder))
            process = self.start(folder)
            self.serve(listener)
            self.watch.join()
            self.status = process.returncode
            self.collect(folder)
        finally:
            listener.close()
            if self.good:
                self.good.close()
            shutil.rmtree(folder, ignore_errors=True)
        self.record = self.record or server.Record()
        self.bad = list(self.complaints())
        return self


def read(name):
    try:
        with open(name, encoding="utf-8", errors="surrogateescape",
                  newline="") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def write(name, text):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(name, 0o600)
