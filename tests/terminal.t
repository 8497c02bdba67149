#!/usr/bin/env python3
"""At a terminal: the password prompt, and what is kept when a person watches.

A pseudo terminal is the controlling one, as in a shell.  Its other end stays
open here, so that its modes can be read before, during and after.
"""
import fcntl
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

from tap import done, ok, until

TOP = pathlib.Path(__file__).resolve().parent.parent
B = TOP / os.environ.get("B", "build")
TMP = pathlib.Path(tempfile.mkdtemp())
HOME = TMP / "home"
MAIL = TMP / "mail"
PASSWORD = "s€ cret"
MESSAGE = b"Subject: t\n\nbody\n"
PATIENCE = 60				# seconds, then it is killed
sys.stdout.reconfigure(encoding="utf-8")


def serve():
    subprocess.run([B / "ca", TMP / "ca"], check=True,
                   stdout=subprocess.DEVNULL)
    ready = TMP / "port"
    process = subprocess.Popen(
        [B / "submitd", "--ca", TMP / "ca", "--maildir", MAIL,
         "--ready-file", ready, "--user",
         f"alice@example.org:{PASSWORD}".encode()],
        stdout=subprocess.DEVNULL)
    if until(lambda: ready.exists() and ready.read_text().strip()):
        return process, ready.read_text().split()[0]
    process.terminate()
    raise SystemExit("Bail out! no submitd")


def config(*lines):
    (HOME / ".config").mkdir(parents=True, exist_ok=True)
    file = HOME / ".config/sendoff.conf"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.chmod(0o600)


def sent():
    return sorted(MAIL.glob("new/*"))


def kept():
    store = HOME / ".local/state/sendoff"
    return len(list(store.iterdir())) if store.exists() else 0


def forget():
    shutil.rmtree(HOME / ".local", ignore_errors=True)


def environment():
    unwanted = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CREDENTIALS_DIRECTORY")
    return {**{k: v for k, v in os.environ.items() if k not in unwanted},
            "HOME": str(HOME)}


class Run:
    """One run.  shown: what the terminal shows; asked: the part of it until
    the answer; out, err: standard output and error where they are no terminal;
    modes_back: are the terminal's modes what they were?"""

    def __init__(self, program, *args, answer=None, by_hand=False,
                 controlling=True, out=None, err=None):
        self.fd, self.slave = os.openpty()
        self.answer = answer
        self.controlling = controlling
        self.asked = None
        self.octets = b""
        modes = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [B / program, *args], env=environment(),
            stdin=self.slave if by_hand else subprocess.PIPE,
            stdout=self.slave if out is None else out,
            stderr=self.slave if err is None else err,
            start_new_session=True, preexec_fn=self.prepare)
        self.feed(by_hand)
        self.watch()
        self.status = self.process.wait()
        self.out = self.process.stdout.read() if self.process.stdout else b""
        self.err = self.process.stderr.read() if self.process.stderr else b""
        self.modes_back = termios.tcgetattr(self.slave) == modes
        self.shown = self.text()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        os.close(self.fd)
        os.close(self.slave)

    def prepare(self):
        """In the child; make in the background leaves signals ignored."""
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if self.controlling:
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def feed(self, by_hand):
        if by_hand:
            os.write(self.fd, MESSAGE + b"\x04")
        else:
            self.process.stdin.write(MESSAGE)
            self.process.stdin.close()

    def text(self):
        return self.octets.decode("utf-8", "replace").replace("\r\n", "\n")

    def is_silent(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ECHO

    def reply(self):
        while self.read(0.05):		# the prompt to its end
            pass
        self.asked = self.text()
        if isinstance(self.answer, bytes):
            os.write(self.fd, self.answer)
        elif self.answer is not None:
            self.process.send_signal(self.answer)

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        self.octets += os.read(self.fd, 4096)
        return True

    def watch(self):
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            self.read(0.02)
            if self.asked is None and self.is_silent() and \
                    b"assword" in self.octets:
                self.reply()
            if time.monotonic() > deadline:
                self.process.kill()
        while self.read(0):
            pass

    def __str__(self):
        return f"status {self.status}\n{self.shown}{self.err.decode()}"


def told_once(run, text):
    """After the prompt nothing but one line, and the text is in it."""
    rest = run.shown[len(run.asked or ""):].strip("\n")
    return run.asked is not None and text in rest and "\n" not in rest


def prompts():
    typed = PASSWORD.encode() + b"\n"
    run = Run("sendoff", "bob@example.net", answer=typed)
    ok(run.status == 0, "the typed password logs in", run)
    ok([file.read_text().endswith("\n\nbody\n") for file in sent()] == [True],
       "and what came from the pipe is sent, once", sent())
    prompt = run.asked or ""
    ok("default" in prompt, "the prompt names the account", prompt)
    ok("alice@example.org" in prompt, "the prompt names the user", prompt)
    ok("localhost" in prompt, "the prompt names the server", prompt)
    ok(prompt.endswith(": ") and "\n" not in prompt,
       "the prompt is one line that waits", prompt)
    ok(PASSWORD not in run.shown and run.shown == prompt + "\n",
       "the password is not echoed, its newline is", run)
    ok(run.modes_back, "the terminal is as before")

    run = Run("sendoff", "bob@example.net", answer=typed, by_hand=True)
    ok(run.status == 0 and len(sent()) == 2 and PASSWORD not in run.shown,
       "a message typed by hand, then the password", run)

    run = Run("sendoff", "bob@example.net", answer=b"wrong\n")
    ok(run.status == 77, "a wrong one does not log in", run)
    ok(told_once(run, "535"), "the server's words are shown, once", run)
    ok("wrong" not in run.shown, "and what was typed is not", run)

    run = Run("sendoff", "bob@example.net", answer=b"\n")
    ok(run.status == 78 and told_once(run, "no password"),
       "an empty one is none", run)
    run = Run("sendoff", "bob@example.net", answer=b"\x04")
    ok(run.status == 78 and told_once(run, "no password was typed"),
       "the end of input at the prompt is none", run)
    ok(run.modes_back, "the terminal is as before")
    interrupts()
    ok(len(sent()) == 2, "none of these has sent anything", sent())
    ok(kept() == 0, "nothing is kept when a person watches", kept())


def interrupts():
    for answer, what in ((b"\x03", "^C"), (signal.SIGTERM, "SIGTERM"),
                         (signal.SIGHUP, "SIGHUP")):
        run = Run("sendoff", "bob@example.net", answer=answer)
        ok(run.status == 75 and told_once(run, "nothing was sent"),
           f"{what} at the prompt ends it", run)
        ok(run.modes_back, f"{what}: the terminal echoes again")


def places():
    """The controlling terminal asks, whatever else is one."""
    other, slave = os.openpty()
    run = Run("sendoff", "bob@example.net", err=slave, out=subprocess.PIPE,
              answer=PASSWORD.encode() + b"\n")
    ok(run.status == 0 and run.asked, "the controlling terminal asks", run)
    ok(run.out == b"" and not select.select([other], [], [], 0)[0],
       "and not standard output, not standard error", run.out)
    os.close(other)
    os.close(slave)
    for what, how in (
            ("standard error in a file", {"err": subprocess.PIPE}),
            ("no controlling terminal", {"controlling": False}),
            ("no terminal at all",
             {"controlling": False, "err": subprocess.PIPE})):
        before = len(sent())
        run = Run("sendoff", "bob@example.net", out=subprocess.PIPE, **how)
        line = run.err.decode() or run.shown
        ok(run.status == 78 and run.asked is None and len(sent()) == before,
           f"{what}: nobody is asked", run)
        ok("has no password" in line and line.count("\n") == 1 and
           run.shown + run.err.decode() == line,
           f"{what}: that is said, once", run)
    ok(kept() == 2, "kept where nobody watches, and only there", kept())
    ok(f"{HOME}/.config/sendoff.conf:1" in line, "and where the account is",
       line)
    ok(re.search(r"password-(file|command)", line) is not None,
       "and where a password may be put", line)


def keeping(port):
    config("from alice@example.org", "server smtp://localhost:1",
           "password x", "log none", "aliases none")
    forget()
    for program, args, how, count, what in (
            ("sendoff", [], {}, 0, "a failure that a person sees is not kept"),
            ("sendoff", ["--keep"], {}, 1, "unless --keep"),
            ("sendoff", [], {"by_hand": True}, 1, "what was typed is kept"),
            ("sendoff", [], {"err": subprocess.PIPE}, 1,
             "kept when standard error is no terminal"),
            ("sendmail", [], {}, 1, "as sendmail it is kept"),
            ("sendmail", [], {"by_hand": True}, 1,
             "as sendmail what was typed, too")):
        run = Run(program, *args, "bob@example.net", **how)
        shown = run.shown + run.err.decode()
        ok(run.status == 75 and kept() == count, what, f"{run}{kept()}")
        ok(("kept as " + str(HOME) in shown) == (count == 1) and
           "Connection refused" in shown, f"{what}: so it says", run)
        forget()
    config("from alice@example.org", f"server smtp://localhost:{port}",
           f"ca-file {TMP}/ca/ca.pem", f"password '{PASSWORD}'", "log none",
           "aliases none")
    run = Run("sendoff", "refuse-550-5.1.1@example.net")
    ok(run.status == 67 and kept() == 0, "a refusal that a person sees", run)
    run = Run("sendmail", "refuse-550-5.1.1@example.net")
    ok(run.status == 67 and kept() == 1, "a refusal as sendmail is kept", run)
    forget()


def usage():
    for program in ("sendmail", "sendoff"):
        run = Run(program, by_hand=True)
        ok(run.status == 64 and "usage:" in run.shown and kept() == 0,
           f"{program} alone on a terminal shows its usage", run)


server, number = serve()
try:
    config("from alice@example.org", f"server smtp://localhost:{number}",
           f"ca-file {TMP}/ca/ca.pem", "log none", "aliases none")
    prompts()
    places()
    keeping(number)
    usage()
finally:
    server.terminate()
    server.wait()
    shutil.rmtree(TMP)
done()
