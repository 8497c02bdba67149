"""The socket service without systemd: each connection of a unix socket is the
standard input and output of a process of its own, as the service's user."""

import os
import shutil
import socket
import subprocess
import threading

from servers.hostile import B, PATIENCE, TMP, until, write

ROOT = os.getuid() == 0
SERVICE, CALLER, NOBODY = 64001, 64002, 65534
BIN = TMP + "/bin"              # where everybody can run it
SUBMIT = TMP + "/submit"
STATE, SECRETS = TMP + "/state", TMP + "/secrets"
CONF = TMP + "/service/submit.conf"
CLIENT = TMP + "/client"        # XDG_CONFIG_HOME of all callers
ENV = dict(os.environ, HOME="/nonexistent", XDG_STATE_HOME=STATE,
           CREDENTIALS_DIRECTORY=SECRETS)


def own(path, uid):
    if ROOT:
        os.chown(path, uid, uid)


def set_up():
    os.chmod(TMP, 0o711)
    for folder in BIN, STATE, SECRETS, CLIENT, TMP + "/service":
        os.makedirs(folder, exist_ok=True)
    for folder in STATE, SECRETS, TMP + "/service":
        own(folder, SERVICE)
    for folder in BIN, CLIENT:
        os.chmod(folder, 0o755)
    shutil.copy(B + "/sendmail", BIN + "/sendmail")
    os.chmod(BIN + "/sendmail", 0o755)
    os.symlink("sendmail", BIN + "/sendoff")
    client(f"server smtp://{SUBMIT}")


def client(*lines):
    """What all callers have: it holds no secret."""
    write(CLIENT + "/sendoff.conf", "\n".join(lines) + "\n")
    os.chmod(CLIENT + "/sendoff.conf", 0o644)


def service(*lines, password=None):
    """What the service alone can read."""
    for name, text in (CONF, "\n".join(lines) + "\n"), (
            SECRETS + "/sendoff.default", password):
        if os.path.exists(name):
            os.unlink(name)
        if text is not None:
            write(name, text)
            own(name, SERVICE)


class Activator:
    """Listens; processes holds all that it has started."""

    command = (BIN + "/sendoff", f"--config={CONF}", "-bs")

    def __init__(self, path=SUBMIT):
        self.path, self.processes = path, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        drop = {"user": SERVICE, "group": SERVICE, "extra_groups": []}
        while True:
            c, _ = self.listener.accept()
            self.processes.append(subprocess.Popen(
                self.command, stdin=c, stdout=c, env=ENV, cwd="/",
                **drop if ROOT else {}))
            c.close()

    def over(self):
        """Have all of them ended?  Whoever is greeted is the last in line."""
        Raw(self.path).end()
        return until(lambda: all(p.poll() is not None
                                 for p in self.processes))


def as_user(uid, *command, groups=(), privileges=False):
    """The command as such a caller has it: without new privileges."""
    if not ROOT:
        return list(command)
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}",
            f"--groups={','.join(map(str, groups))}" if groups else
            "--clear-groups",
            *([] if privileges else ["--no-new-privs"]), "--", *command]


def home_of(uid):
    home = f"{TMP}/home-{uid}"
    if not os.path.exists(home):
        os.mkdir(home)
        own(home, uid)
    return home


def send(uid, text, *args, program="sendmail", groups=()):
    """A message by the program as such a caller: status, output, errors."""
    env = dict(os.environ, HOME=home_of(uid), XDG_CONFIG_HOME=CLIENT)
    p = subprocess.run(as_user(uid, f"{BIN}/{program}", *args, groups=groups),
                       check=False, input=text, capture_output=True, env=env,
                       cwd="/", timeout=PATIENCE)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


class Raw:
    """A caller who speaks SMTP to the socket itself."""

    def __init__(self, path=SUBMIT, hear=True):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb")
        self.hello = self.hear() if hear else None

    def hear(self):
        """The last line of a reply; "" at the end."""
        while True:
            line = self.file.readline().decode("utf-8", "replace")
            if line[3:4] != "-":
                return line.rstrip()

    def ask(self, text):
        self.sock.sendall(text.encode("latin-1") + b"\r\n")
        return self.hear()

    def end(self):
        self.file.close()
        self.sock.close()
