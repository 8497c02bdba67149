"""A machine of its own for the tests of the set-gid program: mounts that nobody
else sees, with /etc, a store, an installation, a caller, and two servers."""

import base64
import os
import pathlib
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

from tap import PATIENCE, ok, same, until   # noqa: F401, for setgid.t

TOP = pathlib.Path(__file__).resolve().parents[2]
B = TOP / os.environ.get("B", "build")
TMP = pathlib.Path(os.environ.get("SETGID_TMP") or tempfile.mkdtemp())
HOME = TMP / "home"
PYTHON = "/usr/bin/python3"             # which the caller can run
SENDOFF, SENDMAIL = TMP / "usr/bin/sendoff", TMP / "usr/sbin/sendmail"
CONFIG = pathlib.Path("/etc/sendoff.conf")
USER, PASSWORD = "sys@corp.example", "Gr\u00fcn3 Katze/9"
UID = 64998
MESSAGE = b"Subject: x\n\nhello\n"

# --- what must not be seen ----------------------------------------------------

def forms(secret):
    """The octets, their base64 behind 0, 1 and 2 others, PLAIN's, hex."""
    yield secret
    yield secret.hex().encode()
    for n in range(3):
        text = base64.b64encode(b"x" * n + secret)
        yield text[(0, 2, 3)[n]:len(text) - 4]
    yield base64.b64encode(b"\0" + USER.encode() + b"\0" + secret)[:-4]


KEY = "q83vYR7Tm0pZ2kXhN9sLw4Cb1UeAyGfJt6oIdQrViBE"     # of client-key-ed25519
NEEDLES = [*forms(PASSWORD.encode()), *forms(KEY.encode()),
           *forms(base64.b64decode(KEY + "="))]


def leaks(octets):
    return [x for x in NEEDLES if x in octets]


# --- servers ------------------------------------------------------------------

class Evil:
    """Takes every login, over TLS or not, through SOCKS or not, and notes all
    that it is told.  stalls: says nothing, ever."""

    def __init__(self, stalls=False):
        self.stalls, self.heard, self.mails, self.calls = stalls, b"", 0, 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(TMP / "ca/good.pem", TMP / "ca/good.key")
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            s = self.listener.accept()[0]
            self.calls += 1
            threading.Thread(target=self.play, args=(s,), daemon=True).start()

    def play(self, s):
        try:
            s.settimeout(PATIENCE)
            if self.stalls:
                while s.recv(4096):
                    pass
                return
            if select.select([s], [], [], 0.2)[0]:
                first = s.recv(1, socket.MSG_PEEK)
                if first == b"\x16":
                    s = self.context.wrap_socket(s, server_side=True)
                elif first == b"\x05":
                    s = self.socks(s)
            self.smtp(s)
        except OSError:
            pass
        finally:
            s.close()

    def hear(self, s):
        got = s.recv(65536)
        self.heard += got
        return got

    def socks(self, s):
        self.hear(s)
        s.sendall(b"\x05\x00")
        self.hear(s)
        s.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x19")
        return s

    def smtp(self, s):
        s.sendall(b"220 evil\r\n")
        rest, data = b"", False
        while True:
            got = self.hear(s)
            if not got:
                return
            rest += got
            while b"\r\n" in rest:
                line, rest = rest.split(b"\r\n", 1)
                verb = line[:4].upper()
                if data:
                    data = line != b"."
                    if not data:
                        self.mails += 1
                        s.sendall(b"250 ok\r\n")
                    continue
                data = verb == b"DATA"
                if verb == b"STAR":
                    s.sendall(b"220 go\r\n")
                    s = self.context.wrap_socket(s, server_side=True)
                elif verb in (b"EHLO", b"LHLO"):
                    s.sendall(b"250-evil\r\n250-STARTTLS\r\n"
                              b"250 AUTH PLAIN LOGIN CRAM-MD5\r\n")
                elif verb == b"AUTH":
                    self.auth(s, line)
                else:
                    s.sendall({b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}
                              .get(verb, b"250 ok\r\n"))

    def auth(self, s, line):
        words = line.split()
        if len(words) == 2:
            s.sendall(b"334 PDEyMz4=\r\n")
            self.hear(s)
            if words[1].upper() == b"LOGIN":
                s.sendall(b"334 UGFzc3dvcmQ6\r\n")
                self.hear(s)
        s.sendall(b"235 welcome\r\n")


class Own:
    """The account's."""

    def __init__(self, *options):
        self.mail, ready = TMP / "mail", TMP / "port"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [B / "submitd", "--ca", TMP / "ca", "--maildir", self.mail,
             "--ready-file", ready, "--log", TMP / "visits", "--user",
             f"{USER}:{PASSWORD}".encode(), *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not until(lambda: ready.exists() and ready.read_text().strip()):
            raise SystemExit("Bail out! no submitd")
        self.port = int(ready.read_text().split()[0])

    def mails(self):
        return len(list((self.mail / "new").glob("*")))

    def visits(self):
        log = TMP / "visits"
        return log.read_bytes().count(b"EHLO") if log.exists() else 0


# --- the machine --------------------------------------------------------------

def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


def build():
    """In mounts of our own; root's."""
    mount("-t", "tmpfs", "-o", "mode=755", "none", TMP)
    shutil.copytree("/etc", TMP / "etc", symlinks=True,
                    ignore_dangling_symlinks=True)
    subprocess.run(["cp", "-a", "/etc/.", TMP / "etc"], check=False,
                   stderr=subprocess.DEVNULL)
    mount("--bind", TMP / "etc", "/etc")
    mount("-t", "tmpfs", "-o", "mode=755", "none", "/var/spool")
    CONFIG.unlink(missing_ok=True)
    for file, line in (("passwd", f"caller:x:{UID}:{UID}:Call Er:{HOME}:"
                        "/bin/sh"), ("group", f"caller:x:{UID}:")):
        with open(f"/etc/{file}", "a", encoding="utf-8") as f:
            f.write(line + "\n")
    (HOME / ".config").mkdir(parents=True)
    give(HOME)
    give(HOME / ".config")
    environment = {k: v for k, v in os.environ.items() if "MAKE" not in k}
    p = subprocess.run(
        ["make", "-s", "-C", TOP, "install-setgid", f"prefix={TMP}/usr",
         f"B={os.environ.get('B', 'build')}"], check=False,
        capture_output=True, env=environment)
    ok(p.returncode == 0, "make install-setgid", p.stderr.decode())
    subprocess.run([B / "ca", TMP / "ca"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["chmod", "-R", "a+rX", TMP / "ca"], check=True)


def give(path, mode=None):
    os.chown(path, UID, UID)
    if mode is not None:
        os.chmod(path, mode)


def group():
    return os.stat(SENDOFF).st_gid


def system(*lines, mode=0o640, owner=0, gid=None):
    """The system's configuration."""
    CONFIG.unlink(missing_ok=True)
    CONFIG.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.chown(CONFIG, owner, group() if gid is None else gid)
    os.chmod(CONFIG, mode)


def account(server, *more, password=True):
    return ["account system", f"from {USER}", f"server {server}",
            f"ca-file {TMP}/ca/ca.pem", "log none", "aliases none",
            *([f'password "{PASSWORD}"'] if password else []), *more]


def own(*lines):
    """The caller's configuration; without lines there is none."""
    file = HOME / ".config/sendoff.conf"
    file.unlink(missing_ok=True)
    if lines:
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        give(file, 0o600)


def tidy():
    """What the caller's runs have left behind."""
    for path in HOME / ".local", HOME / "log", HOME / "kept":
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True) if path.is_file() else None
    shutil.rmtree(f"/var/spool/sendoff/{UID}", ignore_errors=True)


class Run:
    """The program as the caller: status, out (both streams)."""

    def __init__(self, *args, program=SENDOFF, env=None, text=MESSAGE,
                 prefix=(), preexec=None, user=UID, cwd=None, wait=True,
                 **more):
        self.args = [str(x) for x in args]
        self.process = subprocess.Popen(
            [*prefix, program, *args],
            stdin=subprocess.PIPE if text is not None else None,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"HOME": str(HOME), "PATH": os.environ["PATH"],
                 **(env or {})}, cwd=cwd or HOME, user=user, group=user,
            extra_groups=[], preexec_fn=preexec, **more)
        self.text = text
        self.status = self.out = None
        if wait:
            self.end()

    def end(self):
        try:
            self.out = self.process.communicate(self.text, PATIENCE)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.out = self.process.communicate()[0] + b"HANGS"
        self.status = self.process.returncode
        return self

    def shown(self):
        return self.out.decode("utf-8", "replace")

    def __str__(self):
        return f"{self.args}: status {self.status}\n{self.shown()}"


def lying_about():
    """All that the caller can find afterwards."""
    octets = b""
    for folder in HOME, pathlib.Path(f"/var/spool/sendoff/{UID}"):
        for path in folder.rglob("*") if folder.exists() else ():
            if path.is_file():
                octets += path.read_bytes()
    return octets
