#!/usr/bin/env python3
"""At a terminal: the password prompt, and what is kept when a person watches.
A pseudo terminal is the controlling one, as in a shell."""
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
B = TOP / os.environ.get("B", "build")
TMP = pathlib.Path(tempfile.mkdtemp())
HOME = TMP / "home"
points = bad = 0


def ok(holds, what, detail=""):
    global points, bad
    points += 1
    bad += not holds
    print(f"{'ok' if holds else 'not ok'} {points} - {what}", flush=True)
    if not holds:
        for line in str(detail).splitlines() or [""]:
            print(f"# {line}")


def serve():
    subprocess.run([B / "ca", TMP / "ca"], check=True,
                   stdout=subprocess.DEVNULL)
    ready = TMP / "port"
    process = subprocess.Popen(
        [B / "submitd", "--ca", TMP / "ca", "--maildir", TMP / "mail",
         "--ready-file", ready, "--user", "alice@example.org:s3cret"],
        stdout=subprocess.DEVNULL)
    for _ in range(200):
        if ready.exists() and ready.read_text().strip():
            return process, ready.read_text().split()[0]
        time.sleep(0.05)
    raise SystemExit("Bail out! no submitd")


def config(*lines):
    (HOME / ".config").mkdir(parents=True, exist_ok=True)
    file = HOME / ".config/sendoff.conf"
    file.write_text("\n".join(lines) + "\n")
    file.chmod(0o600)


def kept():
    store = HOME / ".local/state/sendoff"
    return len(list(store.iterdir())) if store.exists() else 0


def at_terminal(program, args, typed=None, message=b"Subject: t\n\nbody\n",
                stdin_terminal=False):
    """Runs it; what it shows, the exit status, and whether the terminal echoes at the end."""
    reader, writer = os.pipe()
    child, fd = pty.fork()
    if child == 0:
        os.environ["HOME"] = str(HOME)
        if not stdin_terminal:
            os.dup2(reader, 0)
        os.close(reader)
        os.close(writer)
        os.execv(str(B / program), [program, *args])
    os.close(reader)
    os.write(writer, message)
    os.close(writer)
    shown = b""
    echo = None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([fd], [], [], 0.05)[0]:
            try:
                octets = os.read(fd, 4096)
            except OSError:
                octets = b""
            if not octets:
                break
            shown += octets
        if typed is not None and b"assword" in shown:
            silent = not termios.tcgetattr(fd)[3] & termios.ECHO
            if silent:
                os.write(fd, typed)
                typed = None
        if typed is None:
            echo = bool(termios.tcgetattr(fd)[3] & termios.ECHO)
    _, status = os.waitpid(child, 0)
    os.close(fd)
    return (shown.decode("utf-8", "replace"),
            os.waitstatus_to_exitcode(status), echo)


server, port = serve()
try:
    base = ["from alice@example.org", f"server smtp://localhost:{port}",
            f"ca-file {TMP}/ca/ca.pem", "log none", "aliases none"]
    config(*base)
    shown, status, echo = at_terminal("sendoff", ["bob@example.net"],
                                      b"s3cret\n")
    ok(status == 0, "the typed password logs in", f"{status} {shown}")
    ok("default" in shown, "the prompt names the account", shown)
    ok("s3cret" not in shown, "the password is not echoed", shown)
    shown, status, echo = at_terminal("sendoff", ["bob@example.net"],
                                      b"wrong\n")
    ok(status == 77, "a wrong one does not", f"{status} {shown}")
    ok("535" in shown, "and the server's words are shown", shown)
    shown, status, echo = at_terminal("sendoff", ["bob@example.net"], b"\n")
    ok(status == 78, "an empty one is none", f"{status} {shown}")
    shown, status, echo = at_terminal("sendoff", ["bob@example.net"], b"\x04")
    ok(status == 78 and "no password was typed" in shown,
       "the end of input at the prompt is none", f"{status} {shown}")
    shown, status, echo = at_terminal("sendoff", ["bob@example.net"], b"\x03")
    ok(status == 75 and "nothing was sent" in shown,
       "an interrupt at the prompt ends it", f"{status} {shown}")
    ok(echo, "and the terminal echoes again")
    ok(kept() == 0, "nothing is kept when a person watches", kept())

    result = subprocess.run([B / "sendoff", "bob@example.net"],
                            input=b"\n\nx\n", capture_output=True,
                            env={"HOME": str(HOME)}, start_new_session=True)
    ok(result.returncode == 78 and b"has no password" in result.stderr,
       "without a terminal nobody is asked", result)
    ok(kept() == 1, "and the message is kept", kept())
    shutil.rmtree(HOME / ".local")

    config("from alice@example.org", "server smtp://localhost:1",
           "password x", "log none", "aliases none")
    shown, status, echo = at_terminal("sendoff", ["bob@example.net"])
    ok(status == 75 and kept() == 0,
       "a failure that a person sees is not kept", f"{status} {kept()}")
    shown, status, echo = at_terminal("sendoff", ["--keep", "bob@example.net"])
    ok(status == 75 and kept() == 1, "unless --keep", f"{status} {kept()}")
    ok("kept as" in shown, "which says where", shown)
    shutil.rmtree(HOME / ".local")
    shown, status, echo = at_terminal("sendmail", ["bob@example.net"])
    ok(status == 75 and kept() == 1, "as sendmail it is always kept",
       f"{status} {kept()}")
    shown, status, echo = at_terminal("sendmail", [], stdin_terminal=True)
    ok(status == 64 and "usage:" in shown,
       "sendmail alone on a terminal shows its usage", f"{status} {shown}")
finally:
    server.send_signal(signal.SIGTERM)
    server.wait()
    shutil.rmtree(TMP)
print(f"1..{points}")
sys.exit(bad > 0)
