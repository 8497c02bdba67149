#!/usr/bin/python3
"""How far a large message is: on a terminal, when it is asked for, and gone
before any other line."""

import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import tap                                                      # noqa: E402
from servers.start import submitd                               # noqa: E402

B = os.path.join(os.path.dirname(HERE), os.environ.get("B", "build"))
LINE = re.compile(r"\r\x1b\[K\d+\.\d of 4\.1 MB[^\r\n]*")
LARGE = b"Subject: large\n\n" + b"0123456789abcdef\n" * (220 * 1024)
SMALL = b"Subject: small\n\nbody\n"


def begin(tmp, name, *options):
    """submitd; its process and port."""
    return submitd(B, f"{tmp}/{name}.port", "--tls=none", "--maildir",
                   f"{tmp}/{name}", *options)


def run(tmp, port, message, *options, terminal=True):
    """Status, and what standard error had of it."""
    master, slave = os.openpty()
    reader, writer = (master, slave) if terminal else os.pipe()
    process = subprocess.Popen(
        [B + "/sendoff", "-i", "--server", f"smtp+plain://localhost:{port}",
         "--auth", "none", "--from", "a@example.test", "--log", "none",
         *options, "bob@example.net"], env={"HOME": tmp}, stderr=writer,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process.stdin.write(message)
    process.stdin.close()
    os.close(writer)
    shown = b""
    while True:
        try:
            octets = os.read(reader, 65536)
        except OSError:                 # the other side of a pty has ended
            break
        if not octets:
            break
        shown += octets
    for fd in {master, slave, reader} - {writer}:
        os.close(fd)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def seen(text):
    """What is left to see: each line as the last return has made it."""
    return [line.rsplit("\r\x1b[K", 1)[-1] for line in text.split("\n")]


def with_server(tmp, name, *options):
    server, port = begin(tmp, name, *options)
    try:
        status, shown = run(tmp, port, LARGE, "--progress")
        tap.same(status, 0, f"{name}: sent")
        tap.ok(LINE.search(shown), f"{name}: a line shows how far it is",
               repr(shown))
        tap.same(seen(shown), [""], f"{name}: and nothing is left of it")
        status, shown = run(tmp, port, LARGE, "-v")
        tap.ok(LINE.search(shown), f"{name}: so with -v", repr(shown[-300:]))
        tap.ok(all(re.match(r"[SC]:|[DT#]|$", x) for x in seen(shown)),
               f"{name}: each line of the transcript is whole", seen(shown))
        tap.same(run(tmp, port, LARGE), (0, ""), f"{name}: not unasked")
        tap.same(run(tmp, port, SMALL, "--progress"), (0, ""),
                 f"{name}: not for a small one")
        tap.same(run(tmp, port, LARGE, "--progress", terminal=False),
                 (0, ""), f"{name}: not without a terminal")
    finally:
        server.terminate()
        server.wait()


def refused(tmp):
    server, port = begin(tmp, "refuses", "--fault", "554-after-data")
    try:
        status, shown = run(tmp, port, LARGE, "--progress")
        tap.same(status, 65, "refused")
        tap.ok(seen(shown)[0].startswith("sendoff: localhost"),
               "the error has a line of its own", seen(shown))
    finally:
        server.terminate()
        server.wait()


def main():
    with tempfile.TemporaryDirectory() as tmp:
        with_server(tmp, "BDAT")
        with_server(tmp, "DATA", "--without", "CHUNKING")
        refused(tmp)
        tap.same(subprocess.run([B + "/sendmail", "--progress", "x@y.example"],
                                input=SMALL, check=False,
                                capture_output=True).returncode, 64,
                 "not as sendmail")
    tap.done()


main()
