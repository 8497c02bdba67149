#!/usr/bin/python3 -B
"""--talk: the dialogue in the hands of a script and of a person at a
terminal; a server that closes, talks unasked, and sends escapes."""

import os
import pathlib
import pty
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from servers.start import submitd                               # noqa: E402
from tap import done, ok                                        # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent
B = pathlib.Path(os.path.abspath(TOP / os.environ.get("B", "build")))
TMP = pathlib.Path(tempfile.mkdtemp())
MAIL = TMP / "mail"
PATIENCE = 60
ENV = {**os.environ, "HOME": str(TMP)}


def serve(*options):
    if not (TMP / "ca").exists():
        subprocess.run([B / "ca", TMP / "ca"], check=True,
                       stdout=subprocess.DEVNULL)
    return submitd(B, TMP / "port", "--ca", TMP / "ca", "--maildir", MAIL,
                   "--user", "alice@example.org:secret", "--log", TMP / "log",
                   *options)


def config(url, *lines):
    (TMP / ".config").mkdir(exist_ok=True)
    file = TMP / ".config/sendoff.conf"
    file.write_text("\n".join((
        "from alice@example.org", f"server {url}", f"ca-file {TMP}/ca/ca.pem",
        "password secret", "aliases none", "log none", "timeout-reply 5",
        *lines)) + "\n")
    file.chmod(0o600)


def talk(said, *args):
    return subprocess.run([B / "sendoff", "--talk", *args], input=said,
                          capture_output=True, check=False, env=ENV,
                          timeout=PATIENCE)


def codes(run):
    return [int(x[:3]) for x in run.stdout.splitlines() if x[3:4] != b"-"]


def stored():
    return [f.read_bytes() for f in sorted(MAIL.glob("new/*"))]


MESSAGE = (b"MAIL FROM:<alice@example.org>\nRCPT TO:<bob@example.net>\nDATA\n"
           b"Subject: by hand\r\n\nQUIT\n..\nline\n.\n")


def scripts():
    run = talk(MESSAGE + b"VRFY bob\n")
    ok((run.returncode, codes(run)) == (0, [250, 250, 354, 250, 252, 221]),
       "a whole mail from a pipe; its end says QUIT", run)
    ok(stored() == [b"Subject: by hand\r\n\r\nQUIT\r\n.\r\nline\r\n"],
       "the server has it, QUIT within is a line", stored())
    ok(run.stderr == b"", "nothing else is said", run)
    run = talk(b"RSET\nQUIT\nNOOP\n")
    ok((run.returncode, codes(run)) == (0, [250, 221]), "QUIT ends it", run)
    run = talk(MESSAGE[:-3])
    ok(run.returncode == 65 and b"no message" in run.stderr and
       len(stored()) == 1, "input that ends within the data", run)
    run = talk(b"BDAT 5\nabc\nBDAT 0 LAST\n", "--quit-after", "rcpt",
               "bob@example.net")
    ok((run.returncode, codes(run)) == (0, [250, 250, 221]) and
       stored()[-1] == b"abc\r\n", "after RCPT: BDAT by hand", run)
    run = talk(b"STARTTLS\nEHLO me\nAUTH PLAIN\n*\n", "--quit-after",
               "first-ehlo")
    ok((run.returncode, codes(run)) == (0, [220, 250, 334, 501, 221]) and
       b"AUTH " in run.stdout, "STARTTLS by hand", run)
    run = talk(b"EHLO me\n", "--quit-after", "connect")
    ok((run.returncode, codes(run)) == (0, [220, 250, 221]),
       "from the greeting on", run)
    run = talk(b"", "--quit-after", "ehlo")
    ok((run.returncode, codes(run)) == (0, [221]), "no input at all", run)
    run = talk(b"MAIL FROM:<x@example.org>\n", "--auth", "none")
    ok(codes(run)[0] // 100 == 5 and run.returncode == 0,
       "without a login; a refusal is a reply like others", run)
    run = talk(b"EHLO x\n", "--password-file", "/nonexistent")
    ok(run.returncode == 78 and run.stdout == b"", "no password", run)
    run = subprocess.run([B / "sendmail", "--talk"], input=b"", check=False,
                         capture_output=True, env=ENV, timeout=PATIENCE)
    ok(run.returncode == 64, "not as sendmail", run)


class Fake:
    """A server without TLS whose lines are the test's."""

    def __init__(self, play):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.heard = []
        self.play = play
        threading.Thread(target=self.run, daemon=True).start()
        config(f"smtp+plain://127.0.0.1:{self.listener.getsockname()[1]}",
               "auth PLAIN")

    def hear(self):
        line = self.file.readline()
        self.heard.append(line)
        return line

    def say(self, octets):
        self.file.write(octets)
        self.file.flush()

    def run(self):
        with self.listener.accept()[0] as peer:
            self.file = peer.makefile("rwb")
            self.say(b"220 fake\r\n")
            self.hear()
            self.say(b"250-fake\r\n250 AUTH PLAIN\r\n")
            self.hear()
            self.say(b"235 in\r\n")
            self.play(self)


def servers():
    def escapes(s):
        s.hear()
        s.say(b"250-\x1b]0;evil\x07 \xc2\x9b31m\r\n250 \xff secret "
              b"AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\r\n")
        s.hear()
        s.say(b"221 bye\r\n")
    Fake(escapes)
    run = talk(b"NOOP\n")
    ok(run.returncode == 0 and not any(
        x in run.stdout for x in (b"\x1b", b"\x07", b"\xc2\x9b", b"\xff")) and
       b"\\x1b]0;evil" in run.stdout, "escapes are made printable", run)
    ok(b"secret" not in run.stdout and b"c2VjcmV0" not in run.stdout and
       b"Avc2Vjc" not in run.stdout and b"***" in run.stdout,
       "a server that repeats the password is masked", run)

    def closes(s):
        s.hear()
        s.say(b"421 enough\r\n")
    Fake(closes)
    run = talk(b"NOOP\nNOOP\nNOOP\n")
    ok(run.returncode == 75 and run.stdout == b"421 enough\n" and
       run.stderr.count(b"\n") == 1, "a server that closes", run)

    def silent(s):
        s.hear()
        s.hear()
    Fake(silent)
    run = talk(b"NOOP\nNOOP\n")
    ok(run.returncode == 75 and b"no reply" in run.stderr,
       "a server that does not answer a script", run)


class Terminal:
    """A person, who sees one screen."""

    def __init__(self, *args):
        self.fd, slave = pty.openpty()
        self.process = subprocess.Popen(
            [B / "sendoff", "--talk", *args], stdin=slave, stdout=slave,
            stderr=slave, env=ENV, start_new_session=True)
        os.close(slave)
        self.screen = b""

    def type(self, text):
        os.write(self.fd, text)

    def sees(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.screen and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.screen += os.read(self.fd, 4096)
                except OSError:
                    break
        return text in self.screen

    def ends(self):
        status = self.process.wait(timeout=PATIENCE)
        os.close(self.fd)
        return status


def people(url):
    config(url)
    t = Terminal()
    ok(t.sees(b"logged in by SCRAM") and t.sees(b"TLS1."),
       "a person is told what this is", t.screen)
    t.type(b"NOOP\n")
    ok(t.sees(b"250 2.0.0 ok"), "a line is answered", t.screen)
    t.type(b"QUIT\n")
    ok(t.sees(b"221 2.0.0 bye") and t.ends() == 0, "QUIT ends it", t.screen)
    ok(b"secret" not in t.screen, "the password is not shown", t.screen)
    t = Terminal()
    t.sees(b"logged in")
    t.type(b"\x04")
    ok(t.sees(b"221 2.0.0 bye") and t.ends() == 0, "^D says QUIT", t.screen)

    waits = threading.Event()

    def unasked(s):
        waits.wait(PATIENCE)
        s.say(b"421 going down\r\n")
    Fake(unasked)
    t = Terminal()
    t.sees(b"logged in")
    waits.set()
    ok(t.sees(b"421 going down") and t.ends() == 75,
       "what a server says unasked is shown at once", t.screen)


os.umask(0o077)
server, number = serve()
try:
    config(f"smtp://localhost:{number}")
    scripts()
    people(f"smtp://localhost:{number}")
    servers()
finally:
    server.terminate()
    server.wait()
shutil.rmtree(TMP)
done()
