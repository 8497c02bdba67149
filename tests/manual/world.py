"""A machine for the examples of the manual pages: in mounts and a network that
nobody else sees, with the servers that the examples name, at their ports, a
resolver, an installation and two users.  So nothing of an example is changed
before it is run."""

import contextlib
import os
import re
import shutil
import subprocess
import sys

from manual.page import TOP
import tap

sys.path.insert(0, TOP + "/tests/hostile")

import names                                                    # noqa: E402

B = os.path.join(TOP, os.environ.get("B", "build"))
TMP = os.environ.get("MANUAL_TMP", "")
ME = 64991                              # the user "me", at home in /home/me
PHRASE = "correct horse battery staple"
HOSTS = {"mail.example.org": "127.0.0.1", "relay.example.org": "127.0.0.1",
         "smtp.example.com": "127.0.0.2", "smtp.gmail.com": "127.0.0.3"}
AWAY = "127.0.0.99"                     # where nobody listens
ROOT_ENV = {"HOME": "/root", "PATH": "", "LANG": "C.UTF-8", "USER": "root",
            "LOGNAME": "root"}
SERVERS = {}

# systemd itself does not run here: what is enabled is linked, and no more.
SYSTEMCTL = """#!/bin/sh
[ "$1" != status ] || { echo "state of $3"; exit 3; }
for word; do
	shift
	[ "$word" = --now ] || set -- "$@" "$word"
done
SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl "$@"
"""


def enter(program):
    """Runs the program again with mounts and a network of its own; returns in
    there."""
    if TMP:
        return
    if os.getuid() != 0:
        tap.skip_all("only root can make mounts and a network of its own")
    if subprocess.run(["unshare", "-m", "-n", "mount", "-t", "tmpfs", "none",
                       "/home"], check=False).returncode != 0:
        tap.skip_all("no mounts of our own (unshare -m -n)")
    tmp = subprocess.run(["mktemp", "-d"], check=True, capture_output=True,
                         text=True).stdout.strip()
    # The sources may be where mounts will hide them: below /root or /home.
    top = tmp + ".sources"
    os.mkdir(top)
    again = ["unshare", "-m", "-n", "sh", "-ec",
             'mount --bind "$1" "$2"; cd "$2"; shift 2; exec "$@"', "sh", TOP,
             top, sys.executable, "-B",
             f"{top}/tests/{os.path.basename(program)}"]
    status = subprocess.run(again, check=False, env={
        **os.environ, "MANUAL_TMP": tmp,
        "B": os.path.relpath(B, TOP)}).returncode
    os.rmdir(top)
    os.rmdir(tmp)
    sys.exit(status)


# --- files --------------------------------------------------------------------

def write(path, text, mode=0o644, user=0):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    os.chown(path, user, user)


def mount(*args):
    subprocess.run(["mount", *args], check=True)


def with_more(folder, **more):
    """The folder as it is, and with these names, which lead to our program."""
    name = folder.strip("/").replace("/", "-")
    old, new = f"{TMP}/old/{name}", f"{TMP}/new/{name}"
    os.makedirs(old)
    os.makedirs(new)
    mount("--bind", folder, old)
    for entry in os.listdir(old):
        os.symlink(f"{old}/{entry}", f"{new}/{entry}")
    for entry, target in more.items():
        if os.path.lexists(f"{new}/{entry}"):
            os.unlink(f"{new}/{entry}")
        if target is None:
            shutil.copy(f"{B}/sendmail", f"{new}/{entry}")
            os.chmod(f"{new}/{entry}", 0o755)
        else:
            os.symlink(target, f"{new}/{entry}")
    mount("--bind", new, folder)


def make_files():
    mount("-t", "tmpfs", "-o", "mode=755", "none", TMP)
    mount("-t", "tmpfs", "-o", "mode=755", "none", "/home")
    subprocess.run(["cp", "-a", "/etc/.", TMP + "/etc"], check=False,
                   stderr=subprocess.DEVNULL)
    mount("--bind", TMP + "/etc", "/etc")
    for folder in "/var/spool", "/run", "/root", "/usr/local/bin":
        mount("-t", "tmpfs", "-o", "mode=755", "none", folder)
    os.mkdir("/var/spool/sendoff")
    os.chmod("/var/spool/sendoff", 0o1733)
    with_more("/usr/bin", sendoff=None, mailq="sendoff", newaliases="sendoff")
    with_more("/usr/sbin", sendmail="/usr/bin/sendoff")
    for name in "sendoff.conf", "mailname", "aliases":
        if os.path.exists("/etc/" + name):
            os.unlink("/etc/" + name)
    for file, line in (("passwd", f"me:x:{ME}:{ME}:Me Myself:/home/me:/bin/sh"),
                       ("group", f"me:x:{ME}:"), ("group", "mailers:x:64992:")):
        with open("/etc/" + file, "a", encoding="utf-8") as f:
            f.write(line + "\n")
    for unit in os.listdir(TOP + "/contrib/systemd"):
        if os.path.isfile(f"{TOP}/contrib/systemd/{unit}"):
            shutil.copy(f"{TOP}/contrib/systemd/{unit}", "/etc/systemd/system/")


def stub(name, text):
    """A program of others that an example calls, for everybody."""
    write("/usr/local/bin/" + name, "#!/bin/sh\n" + text, 0o755)


def hosts(**other):
    """other: where a server is not to be found for a while."""
    write("/etc/hosts", "127.0.0.1 localhost\n" + "".join(
        f"{other.get(name.replace('.', '_'), address)} {name}\n"
        for name, address in HOSTS.items()))


@contextlib.contextmanager
def elsewhere(name, address):
    """Another server of that name."""
    before, HOSTS[name] = HOSTS[name], address
    hosts()
    yield
    HOSTS[name] = before
    hosts()


def systems(text):
    """/etc/sendoff.conf, or none."""
    if text is None and os.path.exists("/etc/sendoff.conf"):
        os.unlink("/etc/sendoff.conf")
    elif text is not None:
        write("/etc/sendoff.conf", text, 0o600)


def fresh():
    """Nothing of one example is left for the next."""
    systems(None)
    for path in "/home/me", "/root":
        subprocess.run(f"rm -rf {path}/* {path}/.[a-z]*", shell=True,
                       check=True)
    subprocess.run("rm -rf /var/spool/sendoff/*", shell=True, check=True)
    os.makedirs("/home/me", exist_ok=True)
    os.chown("/home/me", ME, ME)
    write("/home/me/message", "Subject: a message\n\nhello\n", user=ME)
    hosts()
    for server in SERVERS.values():
        server.take()


# --- the network --------------------------------------------------------------

def certificates():
    folder = TMP + "/ca"
    os.mkdir(folder)
    write(folder + "/ext", "subjectAltName=" + ",".join(
        f"DNS:{name}" for name in [*HOSTS, "localhost"]) +
        "\nextendedKeyUsage=serverAuth\n")
    subprocess.run(
        f"""cd {folder}
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -keyout ca.key -out ca.pem -days 30 -subj /CN=examples
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -keyout good.key -out good.csr -subj /CN=mail.example.org
        openssl x509 -req -in good.csr -CA ca.pem -CAkey ca.key \
            -CAcreateserial -days 20 -extfile ext -out good.pem""",
        shell=True, check=True, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL)
    os.makedirs("/etc/ssl/certs", exist_ok=True)
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    if os.path.lexists(bundle):
        os.unlink(bundle)
    shutil.copy(folder + "/ca.pem", bundle)
    os.chmod(bundle, 0o644)


def answer(q):
    """SRV of example.org, which are not authenticated, and addresses."""
    if (q.kind, q.name) == (names.SRV, "_submissions._tcp.example.org"):
        return q.answer([names.srv(q.name, 465, "mail.example.org")])
    if q.kind == names.A and q.name in HOSTS:
        return q.answer([names.a(q.name, HOSTS[q.name])])
    return q.answer([], names.NOERROR if q.name in HOSTS else names.NXDOMAIN)


class Server:
    """submitd at a port that an example names."""

    def __init__(self, name, listen, tls, *options):
        self.mail = f"{TMP}/mail/{name}"
        os.makedirs(self.mail)
        ready = f"{TMP}/mail/{name}.ready"
        self.process = subprocess.Popen(
            [B + "/submitd", "--ca", TMP + "/ca", "--maildir", self.mail,
             "--listen", listen, "--tls=" + tls, "--ready-file", ready,
             *options], stdout=subprocess.DEVNULL)
        if not tap.until(lambda: os.path.exists(ready) and
                         os.path.getsize(ready) > 0):
            raise SystemExit(f"Bail out! no server {name}")
        SERVERS[name] = self

    def take(self):
        """[(envelope, text)] of what has come, which is then gone."""
        found = []
        for name in sorted(os.listdir(self.mail + "/new")
                           if os.path.isdir(self.mail + "/new") else []):
            pair = []
            for kind in "envelope", "new":
                path = f"{self.mail}/{kind}/{name}"
                with open(path, encoding="utf-8", newline="") as f:
                    pair.append(f.read().replace("\r\n", "\n"))
                os.unlink(path)
            found.append(tuple(pair))
        return found


def start():
    """Everything; in the name spaces."""
    make_files()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    certificates()
    write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    names.Server(answer, port=53)
    Server("org", "127.0.0.1:465", "implicit",
           *(f"--user={user}:{PHRASE}" for user in (
               "alerts@example.org", "alerts", "me@example.org")),
           "--futurerelease", "31622400 2100-01-01T00:00:00Z",
           "--deliverby", "60")
    Server("relay", "127.0.0.1:25", "starttls", "--no-auth")
    Server("plain", "127.0.0.1:2525", "none", "--no-auth")
    Server("com", "127.0.0.2:587", "starttls", "--user=me:work secret")
    Server("gmail", "127.0.0.3:465", "implicit", "--mechanisms",
           "PLAIN OAUTHBEARER XOAUTH2", "--user=me@gmail.com:abcd efgh ijkl "
           "mnop", "--user=me@gmail.com:a-token")
    write(TMP + "/bin/systemctl", SYSTEMCTL, 0o755)
    ROOT_ENV["PATH"] = TMP + "/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


# --- programs -----------------------------------------------------------------

def sh(script, user="root", text="", **more):
    """A script as the user, at home."""
    env = {**ROOT_ENV, **more}
    command = ["sh", "-e", "-c", script]
    if user == "me":
        env.update(HOME="/home/me", USER="me", LOGNAME="me")
        command = ["setpriv", "--reuid", str(ME), "--regid", str(ME),
                   "--clear-groups", "--", *command]
    return subprocess.run(command, input=text, env=env, cwd=env["HOME"],
                          capture_output=True, text=True, check=False,
                          timeout=tap.PATIENCE)


def exec_start(unit, **specifiers):
    """The command of a unit's text, as systemd would take it apart."""
    joined = re.sub(r"\\\n\s*", " ", unit)
    line, = re.findall(r"^ExecStart=-?(.*)$", joined, re.M)
    for letter, value in specifiers.items():
        line = line.replace("%" + letter, value)
    return line

