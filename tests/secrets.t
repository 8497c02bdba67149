#!/usr/bin/env python3
"""A password is in memory in one place, and only while it is needed.

The image of the process is searched (tests/secrets/image.py) when the login
is done, and at its end: by then the password must be in pages that are locked
and in no core file, or nowhere.  tests/secrets/mutants.py leaves out one wipe
after the other and demands that this sees it.
"""
import base64
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import termios

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "secrets"))
import image				# noqa: E402
import peers				# noqa: E402
from tap import done, ok, until		# noqa: E402

if os.path.basename(os.environ.get("B", "build")) == "san":
    print("1..0 # SKIP the sanitizers' shadow is too large to be searched")
    sys.exit()

TOP = pathlib.Path(__file__).resolve().parent.parent
B = TOP / os.environ.get("B", "build")
PROGRAMS = pathlib.Path(os.environ.get("PROGRAMS", B))
TMP = pathlib.Path(tempfile.mkdtemp())
HOME = TMP / "home"
CONFIG = HOME / ".config/sendoff.conf"
MESSAGE = b"Subject: t\n\nbody\n"
USER = 65534				# who is not root
# Blanks, a comma, an equals sign; SASLprep takes the soft hyphen out.
PASSWORD = "kW7,=q2 Z\u00e9\u00adx9\u20acvB4mLtY8"
PREPARED = PASSWORD.replace("\u00ad", "")
# Longer than what is said after the login, which would overwrite a short one.
LONG = "".join(f"{n:x}-" for n in range(7000, 7048))
TOKEN = "".join(f"{n:x}." for n in range(9000, 9048))
STALE = "".join(f"{n:x}_" for n in range(5000, 5048))
SEED = hashlib.sha256(b"an Ed25519 key").digest()
SEED_TEXT = base64.urlsafe_b64encode(SEED).decode().rstrip("=")
SEED_FORMS = {"seed": SEED, "seed, as text": SEED_TEXT.encode(),
              "seed, base64": base64.b64encode(SEED),
              "what signs": hashlib.sha512(SEED).digest()}	# RFC 8032 5.1.5
SOUGHT = image.Needles(image.needles(PASSWORD, PREPARED) |
                       image.needles(LONG, LONG, "long ") |
                       image.needles(TOKEN, TOKEN, "token ") |
                       image.needles(STALE, STALE, "stale token ") |
                       SEED_FORMS)
SCRAM = ["SCRAM-SHA-256", "SCRAM-SHA-1"]
PLUS = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]
SIMPLE = ["CRAM-MD5", "PLAIN", "LOGIN"]
servers = []
os.environ["READABLE"] = str(B / "readable.so")


class Server:
    """submitd; its log tells how far it is."""

    def __init__(self, name, *options, password=PASSWORD):
        self.name, self.log = name, TMP / f"{name}.log"
        ready = TMP / f"{name}.port"
        self.process = subprocess.Popen(
            [B / "submitd", "--ca", TMP / "ca", "--log", self.log,
             "--ready-file", ready, "--maildir", TMP / f"{name}.mail",
             "--user", f"alice@example.test:{password}".encode(),
             "--user", f"long@example.test:{LONG}",
             "--user", f"token@example.test:{TOKEN}", *options],
            stdout=subprocess.DEVNULL)
        servers.append(self.process)
        if not until(lambda: ready.exists() and ready.read_text().strip()):
            raise SystemExit("Bail out! no submitd")
        self.port = ready.read_text().split()[0]
        self.read = 0

    def forget(self):
        self.read = self.log.stat().st_size if self.log.exists() else 0

    def heard(self, command):
        if not self.log.exists():
            return False
        return command in self.log.read_bytes()[self.read:]


def write(file, text, mode=0o600):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def config(*lines, keep="never"):
    write(CONFIG, "\n".join(("from alice@example.test",
                             f"ca-file {TMP}/ca/ca.pem", "log none",
                             "aliases none", f"keep {keep}") + lines) + "\n")


def environment(**more):
    return {"HOME": str(HOME), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
            **more}


def begin(*args, program="sendoff", message=MESSAGE, terminal=None, env=None,
          stdin=None):
    if stdin is None:
        stdin, out = os.pipe()
        os.write(out, message)
        os.close(out)
    with open(TMP / "err", "wb") as err:
        run = image.Traced(
            [str(PROGRAMS / program), *args], environment(**(env or {})),
            SOUGHT, stdin, err.fileno() if terminal is None else terminal,
            terminal)
    os.close(stdin)
    return run


def told(run, hits=()):
    lines = [f"status {run.status}", (TMP / "err").read_text().strip()]
    return "\n".join(lines + [str(hit) for hit in hits])


def ends_clean(run, what, status=0):
    ok(run.status == status, f"{what}: status {status}", told(run))
    ok(run.at_exit == [], f"{what}: nowhere at its end",
       told(run, run.at_exit or []))


def is_guarded(run, what):
    hits = run.scan()
    ok(len(hits) > 0, f"{what}: it is there while it may be needed")
    open_ones = [hit for hit in hits if not hit.is_guarded()]
    ok(open_ones == [], f"{what}: and nowhere but in its own pages",
       told(run, open_ones))
    has_none(run, what)


def has_none(run, what):
    """The process that fetches secrets outside of the sandbox (helper.h)."""
    hits = run.scan_children()
    ok(hits == [], f"{what}: its helper has none, if there is one",
       told(run, hits))


def stalls(server, what, *args, **how):
    """Logged in and waiting, then ended by a signal."""
    server.forget()
    waits(begin("bob@example.net", *args, **how),
          lambda: server.heard(b"MAIL FROM"), what)


def waits(run, condition, what):
    if ok(run.run_until(condition), f"{what}: has logged in", told(run)):
        is_guarded(run, what)
        run.finish(signal.SIGTERM)
    ends_clean(run, f"{what}, ended by a signal", 75)


def sends(what, *args, status=0, **how):
    run = begin("bob@example.net", *args, **how)
    run.finish()
    ends_clean(run, what, status)


def pair(name, url, *options):
    """A server that takes mail, and one that never answers MAIL."""
    return [(Server(f"{name}{i}", *options, *more), url)
            for i, more in enumerate(([], ["--fault", "silent-at-mail"]))]


def url_of(server, scheme):
    return f"{scheme}://localhost:{server.port}"


def mechanisms(what, servers, names):
    (takes, scheme), (silent, _) = servers
    for name in names:
        secret = ("user alice@example.test", f"auth {name}",
                  f"password '{PASSWORD}'")
        config(f"server {url_of(takes, scheme)}", *secret)
        takes.forget()
        sends(f"{what}, {name}")
        ok(takes.heard(f"AUTH {name}".encode()), f"{what}, {name}: used")
        config(f"server {url_of(silent, scheme)}", *secret)
        stalls(silent, f"{what}, {name}")
    config(f"server {url_of(silent, scheme)}", "auth PLAIN",
           "user long@example.test", f"password '{LONG}'")
    stalls(silent, f"{what}, a long one")
    config(f"server {url_of(takes, scheme)}", f"auth {names[-1]}",
           f"password '{PASSWORD}x'")
    sends(f"{what}, wrong password", status=77)


def tls13():
    mechanisms("TLS 1.3", pair("tls13", "smtps", "--tls=implicit"),
               PLUS + SCRAM + SIMPLE)


def tls12():
    mechanisms("TLS 1.2", pair("tls12", "smtps", "--tls=implicit",
                               "--tls-priority",
                               "NORMAL:-VERS-ALL:+VERS-TLS1.2"),
               PLUS[:1] + SCRAM[:1] + SIMPLE)


def chacha():
    mechanisms("ChaCha20", pair("chacha", "smtps", "--tls=implicit",
                                "--tls-priority",
                                "NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305"),
               ["PLAIN", "LOGIN"])


def starttls():
    mechanisms("STARTTLS", pair("starttls", "smtp", "--tls=starttls"),
               ["SCRAM-SHA-256-PLUS", "PLAIN"])


def plain():
    mechanisms("plain", pair("plain", "smtp+plain", "--tls=none",
                             "--auth-without-tls"), SCRAM + SIMPLE)


def traces():
    """What is told of a login in words has been made from it."""
    takes, silent = (server for server, _ in pair("traced", "smtps",
                                                  "--tls=implicit"))
    write(TMP / "token", TOKEN)
    for name, user, lines in (
            *((name, "alice", (f"password '{PASSWORD}'",))
              for name in PLUS[:1] + SCRAM[:1] + SIMPLE),
            ("PLAIN", "long", (f"password '{LONG}'",)),
            *((name, "token", (f"oauth-command 'cat {TMP}/token'",))
              for name in ("OAUTHBEARER", "XOAUTH2"))):
        what = f"--trace=auth,data, {name}, {user}"
        lines += (f"auth {name}", f"user {user}@example.test")
        for server in takes, silent:
            config(f"server smtps://localhost:{server.port}", *lines)
            server.forget()
            run = begin("--trace=auth,data", "bob@example.net")
            if server == silent:
                waits(run, lambda: silent.heard(b"MAIL FROM"), what)
                continue
            run.finish()
            ends_clean(run, what)
        shown = (TMP / "err").read_bytes()
        ok(f"# {name} ".encode() in shown and b"D Subject: t" in shown and
           list(SOUGHT.search(shown)) == [], f"{what}: told without it", shown)


def sources():
    """Wherever it comes from.  CRAM-MD5 needs it prepared as well."""
    takes, silent = (server for server, _ in pair("of", "smtps",
                                                  "--tls=implicit"))
    secret = TMP / "secret"
    write(secret, PASSWORD + "\nand a person's notes\n")
    write(TMP / "credentials/sendoff.default", PASSWORD)
    long = "# " + "x" * 3000 + "\n"
    write(TMP / "included", long * 3 + f'password "{PASSWORD}"\n' + long)
    for what, lines, how in (
            ("password-file", [f"password-file {secret}"], {}),
            ("password-command", [f"password-command 'cat {secret}'"], {}),
            ("include", [f"include {TMP}/included"], {}),
            ("credential", [],
             {"env": {"CREDENTIALS_DIRECTORY": str(TMP / "credentials")}}),
            ("netrc", [], {})):
        if what == "netrc":
            write(HOME / ".netrc", long * 3 +
                  f'machine a.test login a password "{PASSWORD}y"\n' +
                  "machine localhost login alice@example.test "
                  f'password "{PASSWORD}"\n')
        for name in ("PLAIN", "CRAM-MD5"):
            config(f"server smtps://localhost:{takes.port}", f"auth {name}",
                   *lines)
            sends(f"{what}, {name}", **how)
        config(f"server smtps://localhost:{silent.port}", "auth PLAIN", *lines)
        stalls(silent, what, **how)
    (HOME / ".netrc").unlink()
    terminal(takes, silent)
    children(takes, secret)


class Terminal:
    """Types the password when it is asked for; or ^C."""

    def __init__(self, typed):
        self.fd, self.slave = os.openpty()
        os.set_blocking(self.fd, False)
        self.typed, self.shown = typed, b""

    def see(self):
        try:
            self.shown += os.read(self.fd, 4096)
        except BlockingIOError:
            pass
        silent = not termios.tcgetattr(self.slave)[3] & termios.ECHO
        if silent and self.typed and self.shown.endswith(b": "):
            os.write(self.fd, self.typed)
            self.typed = b""
        return False

    def close(self):
        os.close(self.fd)
        os.close(self.slave)


def terminal(takes, silent):
    typed = PASSWORD.encode() + b"\n"
    config(f"server smtps://localhost:{takes.port}", "auth PLAIN")
    for keys, status, what in ((typed, 0, "typed"),
                               (b"x" + typed, 77, "typed wrong"),
                               (typed[:-1] + b"\x03", 75, "typed, and ^C")):
        pty = Terminal(keys)
        run = begin("bob@example.net", terminal=pty.slave)
        run.run_until(pty.see)
        ends_clean(run, f"terminal, {what}", status)
        pty.close()
    config(f"server smtps://localhost:{silent.port}", "auth PLAIN")
    pty = Terminal(typed)
    silent.forget()
    waits(begin("bob@example.net", terminal=pty.slave),
          lambda: pty.see() or silent.heard(b"MAIL FROM"), "terminal")
    pty.close()


def children(takes, secret):
    """What the command has of ours, when it is run with a descriptor open."""
    write(TMP / "ask", f"""
import os, pathlib, sys

def is_open(n):
    try:
        return os.fstat(n)
    except OSError:
        return False

me, parent = (f"/proc/{{pid}}/" for pid in (os.getpid(), os.getppid()))
with open("{TMP}/shown", "wb") as out:
    for file in (me + "environ", me + "cmdline", parent + "cmdline"):
        out.write(pathlib.Path(file).read_bytes())
others = [os.readlink(f"/proc/self/fd/{{n}}") for n in range(3, 99)
          if is_open(n)]
open("{TMP}/open", "w").write(" ".join(others))
open("{TMP}/input", "wb").write(sys.stdin.buffer.read())
sys.stdout.write(open("{secret}").read())
""")
    config(f"server smtps://localhost:{takes.port}", "auth PLAIN",
           f"password-command 'exec python3 {TMP}/ask'")
    kept = os.open(secret, os.O_RDONLY)
    os.set_inheritable(kept, True)
    run = subprocess.run([PROGRAMS / "sendoff", "bob@example.net"],
                         input=MESSAGE, env=environment(), close_fds=False,
                         check=False)
    os.close(kept)
    ok(run.returncode == 0 and (TMP / "shown").exists(),
       "a command that looks around", run.returncode)
    others = (TMP / "open").read_text()
    ok(others == "", "it has no descriptor of ours but 0, 1, 2", others)
    ok(PASSWORD.encode() not in (TMP / "shown").read_bytes(),
       "and no password in an argument or the environment")
    ok((TMP / "input").read_bytes() == b"", "and nothing of our input")
    stdin, out = os.pipe()
    run = begin("-bs", program="sendmail", stdin=stdin)
    os.write(out, b"EHLO me\r\nMAIL FROM:<alice@example.test>\r\n"
             b"RCPT TO:<bob@example.net>\r\n")
    ok(run.run_until(lambda: shown().count(b"\n250 ") == 3),
       "under -bs it does not wait for the caller", told(run))
    os.close(out)
    run.finish()


def tokens():
    """One that is used, one that is made anew, two that are refused."""
    takes, silent = (server for server, _ in pair("token", "smtps",
                                                  "--tls=implicit"))
    tool = TMP / "tool"
    for first, fresh, status in ((TOKEN, "", 0), (STALE, TOKEN, 0),
                                 (STALE, STALE, 77)):
        write(TMP / "first", first + "\n")
        write(TMP / "fresh", fresh + "\n")
        write(tool, f'[ "$SENDOFF_OAUTH_REFRESH" ] && exec cat {TMP}/fresh\n'
              f"exec cat {TMP}/first\n")
        for name in ("OAUTHBEARER", "XOAUTH2"):
            what = f"{name}, {'fresh' if first == TOKEN else 'stale'}, {status}"
            lines = ("user token@example.test", f"auth {name}",
                     f"oauth-command 'sh {tool}'")
            config(f"server smtps://localhost:{takes.port}", *lines)
            sends(what, status=status)
            if status == 0:
                config(f"server smtps://localhost:{silent.port}", *lines)
                stalls(silent, what)


def errands():
    """When one server's part is done its password is gone."""
    takes = Server("one", "--tls=implicit")
    silent = Server("two", "--tls=implicit", "--fault", "silent-at-mail",
                    password="of another server")
    lines = [f"ca-file {TMP}/ca/ca.pem", "log none", "aliases none",
             "keep never", "auth CRAM-MD5"]
    for name, server, password in (("one", takes, PASSWORD),
                                   ("two", silent, "of another server"),
                                   ("unused", silent, PASSWORD)):
        lines += [f"account {name}", "from alice@example.test",
                  f"match *@{name}.test", f"password '{password}'"
                  if name != "two" else f"password-file {TMP}/other",
                  f"server smtps://localhost:{server.port}"]
    write(CONFIG, "\n".join(lines) + "\n")
    write(TMP / "other", "of another server")
    run = begin("-i", "bob@one.test", "bob@two.test")
    what = "a second errand"
    if ok(run.run_until(lambda: silent.heard(b"MAIL FROM")),
          f"{what}: is at its server", told(run)):
        ok(takes.heard(b"QUIT"), f"{what}: the first one is done")
        hits = run.scan()
        ok(hits == [], f"{what}: the first one's password is nowhere",
           told(run, hits))
        ok(len(run.children()) == 1, f"{what}: there is a helper")
        has_none(run, what)
        run.finish(signal.SIGTERM)
    ends_clean(run, what, 75)


def shown():
    return (TMP / "err").read_bytes()


def bs():
    """Two transactions, and then the caller thinks."""
    takes = Server("bs", "--tls=implicit")
    config(f"server smtps://localhost:{takes.port}", "auth PLAIN",
           f"password '{PASSWORD}'")
    stdin, out = os.pipe()
    run = begin("-bs", program="sendmail", stdin=stdin)
    os.write(out, b"EHLO me\r\n")
    for n in (1, 2):
        os.write(out, b"MAIL FROM:<alice@example.test>\r\n"
                 b"RCPT TO:<bob@example.net>\r\nDATA\r\n")
        ok(run.run_until(lambda: shown().count(b"\n354") == n),
           f"-bs, transaction {n}: data is wanted", told(run))
        os.write(out, MESSAGE.replace(b"\n", b"\r\n") + b".\r\nNOOP x\r\n")
        ok(run.run_until(
            lambda: shown().split(b"\n354")[-1].count(b"\n250") == 2),
           f"-bs, transaction {n}: sent", told(run))
        is_guarded(run, f"-bs, transaction {n}")
    os.write(out, b"QUIT\r\n")
    os.close(out)
    run.finish()
    ends_clean(run, "-bs")


def queue():
    secret = ("auth SCRAM-SHA-256", "retry yes", f"password '{PASSWORD}'")
    takes, silent = (server for server, _ in pair("queue", "smtps",
                                                  "--tls=implicit"))
    config("server smtps://localhost:1", *secret, keep=TMP / "store")
    sends("queued", program="sendmail")
    config(f"server smtps://localhost:{silent.port}", *secret,
           keep=TMP / "store")
    silent.forget()
    waits(begin("-qRbob", program="sendmail"),
          lambda: silent.heard(b"MAIL FROM"), "-q")
    config(f"server smtps://localhost:{takes.port}", *secret,
           keep=TMP / "store")
    run = begin("-qRbob", program="sendmail")
    run.finish()
    ends_clean(run, "-q, sent")
    ok(takes.heard(b"MAIL FROM"), "-q, sent: it was", told(run))


def failures():
    for fault, status, name in (
            ("auth-454", 75, "LOGIN"), ("auth-close", 75, "PLAIN"),
            ("wrong-server-signature", 77, "SCRAM-SHA-256"),
            ("wrong-nonce", 76, "SCRAM-SHA-1"), ("greeting-421", 75, "PLAIN")):
        server = Server(fault, "--tls=implicit", "--fault", fault)
        config(f"server smtps://localhost:{server.port}", f"auth {name}",
               f"password '{PASSWORD}'")
        sends(f"{fault}, {name}", status=status)
    secret = f"password '{PASSWORD}'"
    for what, lines, status in (
            ("a quotation mark too few", [secret[:-1]], 78),
            ("a quotation mark too many", [f"password {PASSWORD}'"], 78),
            ("a word too many", [f"{secret} {PASSWORD}"], 78),
            ("an error elsewhere", [secret, "prot 25"], 78),
            ("a misspelt setting", [f"pasword '{PASSWORD}'"], 78),
            ("a setting twice", [secret, secret], 78),
            ("no server", [secret, "server smtps://localhost:1"], 75),
            ("a command that fails", [f"server smtps://localhost:{server.port}",
             f"password-command 'cat {TMP}/secret; exit 1'"], 78)):
        config(*lines)
        sends(what, status=status)
    config("server smtps://localhost:1", secret)
    run = begin("--check")
    run.finish()
    ends_clean(run, "--check")


def pins():
    """Of a token: one that is not there, so that no library gets it."""
    takes, silent = (server for server, _ in pair(
        "pin", "smtp+plain", "--tls=none", "--auth-without-tls"))
    secure = Server("pins", "--tls=implicit")
    key = f"client-key 'pkcs11:token=none;type=private?pin-value={LONG}'"
    lines = (f"client-certificate {TMP}/ca/client.pem", key,
             f"password '{PASSWORD}'", "auth PLAIN")
    for what, more, status in (
            ("no such token", [f"server smtps://localhost:{secure.port}"], 78),
            ("no server", ["server smtps://localhost:1"], 75),
            ("twice", [key], 78), ("a word too many", [key + " " + LONG], 78),
            ("a misspelt setting", [key.replace("key", "kye")], 78)):
        config(*lines, *more)
        sends(f"a PIN, {what}", status=status)
        ok(LONG.encode()[:20] not in shown(), f"a PIN, {what}: not shown")
    config(*lines, f"server {url_of(takes, 'smtp+plain')}")
    sends("a PIN that is not wanted")
    config(*lines, f"server {url_of(silent, 'smtp+plain')}")
    stalls(silent, "a PIN")
    run = begin("--check")
    run.finish()
    ends_clean(run, "a PIN, --check")
    ok(b"pin-value=***" in shown(), "a PIN, --check: masked")


def public_half():
    """SHA-256 of the SubjectPublicKeyInfo, by another program."""
    head = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410
    key = subprocess.run(["openssl", "pkey", "-inform", "der", "-pubout",
                          "-outform", "der"], input=head + SEED,
                         stdout=subprocess.PIPE, check=True).stdout
    return hashlib.sha256(key).hexdigest()


def identities():
    """A key that is in the configuration, and that the library signs with."""
    line = f"client-key-ed25519 {SEED_TEXT}"
    asks = ("--client-key", public_half(), "--require-client-cert",
            "--mechanisms", "EXTERNAL")
    for version in "1.2", "1.3":
        what = f"a key, TLS {version}"
        takes, silent = (server for server, _ in pair(
            f"key{version}", "smtps", "--tls=implicit", *asks,
            "--tls-priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}"))
        config(f"server smtps://localhost:{takes.port}", line)
        takes.forget()
        sends(what)
        ok(takes.heard(b"AUTH EXTERNAL"), f"{what}: used")
        run = begin("-vvv", "--json", "--log-level", "debug", "bob@example.net")
        run.finish()
        ends_clean(run, f"{what}, with a transcript")
        ok(not any(form in shown() for form in SEED_FORMS.values()),
           f"{what}, with a transcript: not shown")
        config(f"server smtps://localhost:{silent.port}", line)
        stalls(silent, what)
        config(f"server smtps://localhost:{takes.port}", "sandbox no", line)
        sends(f"{what}, no sandbox")
    other = SEED_TEXT[::-1]
    for text, status in ((other, 77), (SEED_TEXT + "x", 78),
                         (SEED_TEXT + " " + SEED_TEXT, 78),
                         (SEED_TEXT[:-1] + ".", 78)):
        config(f"server smtps://localhost:{takes.port}",
               f"client-key-ed25519 {text}")
        sends(f"a key that is not right ({status})", status=status)
        ok(text.encode()[:20] not in shown(), "and is not shown", shown())
    config(f"server smtps://localhost:{takes.port}", line, line)
    sends("a key twice", status=78)
    for option in "--check", "--print-certificate":
        config("server smtps://localhost:1", line)
        run = begin(option)
        run.finish()
        ends_clean(run, f"a key, {option}")


def repeated():
    """What a server says again is not kept either."""
    for at_mail in (False, True):
        what = f"a server that repeats it {'at MAIL' if at_mail else 'at once'}"
        echo = peers.Echo(TMP / f"echo{at_mail}", PASSWORD.encode(), at_mail)
        config(f"server smtp://{echo.path}", "auth PLAIN",
               f"password '{PASSWORD}'")
        run = begin("bob@example.net")
        if at_mail:
            waits(run, lambda: echo.said, what)
            continue
        run.finish()
        ends_clean(run, what, 77)
        ok(PASSWORD.encode() not in shown(), f"{what}: nor shown", told(run))


def proxies():
    takes = Server("behind", "--tls=implicit", "--no-auth")
    write(HOME / ".netrc", f'machine 127.0.0.1 login me password "{PASSWORD}"')
    for silent in (False, True):
        proxy = peers.Proxy(takes.port, silent)
        config(f"server smtps://localhost:{takes.port}", "auth none",
               f"proxy socks5://me@127.0.0.1:{proxy.port}")
        if silent:
            waits(begin("bob@example.net"), lambda: proxy.heard,
                  "a proxy's password")
        else:
            sends("a proxy's password")
            ok(PASSWORD.encode() in proxy.heard, "the proxy has had it")
    (HOME / ".netrc").unlink()


def strangers():
    """Not even its own user may read it."""
    folder = TMP / "bin"
    folder.mkdir()
    shutil.copy(PROGRAMS / "sendmail", folder / "sendoff")
    for place in (TMP, folder, folder / "sendoff"):
        place.chmod(0o755)

    def be_nobody():
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)

    run = subprocess.Popen([folder / "sendoff", "bob@example.net"],
                           stdin=subprocess.PIPE, env={"HOME": "/nowhere"},
                           stderr=subprocess.DEVNULL, preexec_fn=be_nobody)
    memory = pathlib.Path(f"/proc/{run.pid}/mem")
    ok(until(lambda: memory.stat().st_uid == 0),
       "its memory is root's alone: no core, no ptrace")
    limits = pathlib.Path(f"/proc/{run.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if "core file" in line)
    ok(core.split()[4:6] == ["0", "0"], "and no core file has room", core)
    run.kill()
    run.communicate()
    TMP.chmod(0o700)


def as_user():
    """The same, but for the mechanisms, of one who is not root: ptrace(2) and
    PR_SET_DUMPABLE are others for him, and so is how much may be locked."""
    top = TMP / "user"
    for folder in ("tests/secrets", "build", "tmp"):
        (top / folder).mkdir(parents=True)
    for name in ("secrets.t", "tap.py", "secrets/image.py", "secrets/peers.py"):
        shutil.copy(TOP / "tests" / name, top / "tests" / name)
    for name in ("submitd", "ca", "readable.so"):
        shutil.copy(B / name, top / "build" / name)
    for name in ("sendoff", "sendmail"):
        shutil.copy(PROGRAMS / name, top / "build" / name)
    TMP.chmod(0o711)
    os.chown(top / "tmp", USER, USER)
    run = subprocess.run(
        ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
         "/usr/bin/python3", top / "tests/secrets.t", "strangers", "errands",
         "bs", "queue", "failures", "sources", "starttls"], check=False,
        capture_output=True, text=True, cwd=top,
        env={**os.environ, "TMPDIR": str(top / "tmp"), "B": "build",
             "PROGRAMS": str(top / "build")})
    TMP.chmod(0o700)
    lines = run.stdout.splitlines()
    for line in lines:
        if line.startswith("#"):
            print(line)
        elif not line.startswith("1.."):
            ok(line.startswith("ok"), "as a user: " + line.partition(" - ")[2])
    ok(lines[-1:] != [] and lines[-1].startswith("1.."),
       "as a user: to its end", run.stderr)


def main():
    HOME.mkdir()
    subprocess.run([B / "ca", TMP / "ca"], check=True,
                   stdout=subprocess.DEVNULL)
    chosen = [globals()[name] for name in sys.argv[1:]]
    for part in chosen or (strangers, errands, bs, queue, failures, pins,
                           identities, repeated, proxies, traces, sources,
                           tokens, tls13, tls12,
                           chacha, starttls,
                           plain):
        part()
    if os.geteuid() == 0 and not chosen:
        as_user()


try:
    main()
finally:
    for server in servers:
        server.terminate()
        server.wait()
    shutil.rmtree(TMP)
done()
