"""The same faults behind "sendmail -bs": a caller who speaks SMTP."""

import os
import re
import select
import subprocess
import threading
import time

import judge
import run
from faults import NONSENSE, STRAY


class Relayed(run.Run):
    """A caller who waits for each reply."""

    def start(self, folder):
        env = {"HOME": folder, "PATH": "/usr/bin:/bin"}
        for name in os.environ:
            if name.endswith("SAN_OPTIONS"):
                env[name] = os.environ[name]
        command = [run.B + "/peak", folder + "/peak",
                   os.path.dirname(run.SENDOFF) + "/sendmail", "-bs"]
        with open(folder + "/err", "wb") as err:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=err, env=env, cwd=folder, start_new_session=True)
        self.begun, self.heard, self.verdicts = time.monotonic(), b"", {}
        self.watch = threading.Thread(target=self.call, args=(process,))
        self.watch.start()
        return process

    def call(self, process):
        try:
            self.converse(process)
        except OSError:
            pass
        try:
            process.stdin.close()
        except OSError:
            pass
        self.heard += process.stdout.read() if select.select(
            [process.stdout], [], [], self.patience)[0] else b""
        self.reap(process)
        process.stdout.close()

    def hear(self, process):
        """The code of the next reply; "" when there is none in time."""
        at = len(self.heard)
        while True:
            found = re.search(rb"(?m)^(\d\d\d)( .*)?\r\n", self.heard[at:])
            if found:
                return found[1].decode()
            left = self.begun + self.patience - time.monotonic()
            if not select.select([process.stdout], [], [], max(0, left))[0]:
                return ""
            got = os.read(process.stdout.fileno(), 1)
            if not got:
                return ""
            self.heard += got

    def ask(self, process, line):
        process.stdin.write(line.encode() + b"\r\n")
        process.stdin.flush()
        return self.hear(process)

    def converse(self, process):
        self.hear(process)
        self.ask(process, "EHLO me")
        accepted = []
        if self.ask(process, f"MAIL FROM:<{run.server.USER}>")[:1] == "2":
            for who in judge.PEOPLE:
                code = self.ask(process, f"RCPT TO:<{who}>")
                self.verdicts[who] = code
                accepted += [who] * (code[:1] == "2")
        if accepted and self.ask(process, "DATA") == "354":
            text = re.sub(r"(?m)^\.", "..", self.text).replace("\n", "\r\n")
            code = self.ask(process, text + ".")
            self.verdicts.update({who: code for who in accepted})
        elif accepted:
            self.verdicts.update({who: "451" for who in accepted})
        self.ask(process, "QUIT")

    def collect(self, folder):
        super().collect(folder)
        self.out = self.heard.decode("utf-8", "surrogateescape")
        self.outcomes = self.verdicts

    def complaints(self):
        if self.hung:
            yield f"no end within {self.seconds:.1f} seconds"
            return
        if self.kib > judge.KIB_MAX:
            yield f"{self.kib} KiB"
        yield from judge.taken(self)
        yield from self.untrue()
        if judge.CONTROL.search(self.out.replace("\r\n", "\n")):
            yield f"controls in what the caller gets: {self.out!r}"
        if judge.CONTROL.search(self.log):
            yield f"controls in the log: {self.log!r}"
        if "" in self.verdicts.values():
            yield f"no reply: {self.verdicts}"

    def untrue(self):
        has = {x for rcpts, _ in self.mails() for x in rcpts}
        for who in judge.PEOPLE:
            code = self.verdicts.get(who, "451")
            if code[:1] == "2" and who not in has:
                yield f"{who}: {code}, and the server has no such mail"
            if code[:1] == "4" and code != "421" and self.record.whole and \
                    who in self.record.accepted and \
                    self.record.verdicts.get(who) in (None, "421"):
                yield f"{who}: {code}, and what is unknown is 421"
            if code[:1] != "2" and who in has and self.fault.come not in (
                    STRAY, NONSENSE) and self.fault.name != "3yz":
                yield f"{who}: {code}, and the server said 2yz"
