#!/usr/bin/python3 -B
"""--trace: the dialogue, how it logs in, the data; each when it is asked for by
name, and no secret in any of them, nor what one could be guessed from."""

import base64
import hashlib
import hmac
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from servers.start import submitd                               # noqa: E402
from tap import done, ok, same                                  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent
B = pathlib.Path(os.path.abspath(TOP / os.environ.get("B", "build")))
TMP = pathlib.Path(tempfile.mkdtemp())
PATIENCE = 180
USER, PASSWORD = "alice@example.org", "s\u20ac cret "
BEARER, TOKEN = "token@example.org", "ya29.t0-k_en/~x"
ENV = {"HOME": str(TMP), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
       **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
HEADER = b"""From: alice@example.org
To: bob@example.net
Date: Mon, 1 Jan 2024 12:00:00 +0000
Message-ID: <1@client.example>
Subject: hello

"""
MESSAGE = HEADER + b"Hello, Bob.\n"


def config(url, *lines, password=PASSWORD, auth="auto", keep="never"):
    (TMP / ".config").mkdir(exist_ok=True)
    file = TMP / ".config/sendoff.conf"
    secret = [f'password "{password}"'] if password else []
    file.write_text("\n".join((
        f"from {USER}", f"server {url}", f"ca-file {TMP}/ca/ca.pem",
        f"auth {auth}", "aliases none", "log none", "timeout-reply 60",
        f"keep {keep}", *secret, *lines)) + "\n", encoding="utf-8")
    file.chmod(0o600)


def run(*args, message=MESSAGE, name="sendoff", env=None):
    """Status, standard output, standard error."""
    p = subprocess.run([B / name, *args], input=message, check=False,
                       capture_output=True, env={**ENV, **(env or {})},
                       timeout=PATIENCE)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def submit(*args, **more):
    return run(*args, "-i", "bob@example.net", **more)


def lines(trace, mark):
    return [x for x in trace.splitlines() if x.startswith(mark)]


# --- what must not be seen ----------------------------------------------------

def forms(secret):
    """Octets, hex, their digest, and base64 behind 0, 1 and 2 others."""
    yield secret
    yield secret.hex().encode()
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + secret).rstrip(b"=")
        yield text[(lead * 8 + 5) // 6:(lead + len(secret)) * 8 // 6]


def undressed(trace):
    """It, and what is base64 in it, also twice."""
    text = trace.encode("utf-8", "surrogateescape")
    for _ in range(2):
        for word in re.findall(rb"[A-Za-z0-9+/]{8,}={0,2}", text):
            try:
                text += b"\n" + base64.b64decode(word)
            except ValueError:
                pass
    return text


def derived(mechanism, password, trace, channel):
    """What whoever has the trace could try a password by: proof, signature."""
    said = undressed(trace).decode("latin-1")
    first = re.search(r"n=[^,]*,r=[^,\s\"]*", said)
    server = re.search(r"r=[^,\s]*,s=[^,\s]*,i=\d+", said)
    if first is None or server is None:
        return []
    name = "sha256" if "256" in mechanism else "sha1"
    salt, count = re.search(r",s=(.*),i=(\d+)", server[0]).groups()
    nonce = re.match(r"r=([^,]*)", server[0])[1]
    words = ",".join((first[0], server[0],
                      f"c={channel},r={nonce}")).encode()
    key = hashlib.pbkdf2_hmac(name, password.encode(),
                              base64.b64decode(salt), int(count))
    out = []
    for what in b"Client Key", b"Server Key":
        whose = hmac.digest(key, what, name)
        stored = hashlib.new(name, whose).digest()
        out.append(hmac.digest(whose, words, name))
        mask = hmac.digest(stored, words, name)
        out.append(bytes(a ^ b for a, b in zip(whose, mask)))
    return [key, *out, *map(base64.b64encode, out)]


def is_tight(trace, what, *secrets):
    found = [form for secret in secrets for form in forms(secret)
             if len(form) > 3 and form in undressed(trace)]
    ok(not found, f"{what}: no secret in it", f"{found}\n{trace}")


# --- the levels ---------------------------------------------------------------

def changing(text):
    """What differs from run to run."""
    text = re.sub(r"queued as \S*|localhost\S*:\d+", "...", text)
    return re.sub(r"SCRAM\S* \*\*\*.*?\nS: 235", "***", text, flags=re.S)


def levels():
    config(SUBMITD, auth="PLAIN")
    plain, many = submit("-v"), submit("-v", "-v", "-v", "-v")
    same(plain[0], 0, "-v", plain)
    named = submit("--trace=protocol")
    same(changing(named[2]), changing(plain[2]), "--trace=protocol is -v")
    detached = submit("--trace", "protocol")
    same(changing(detached[2]), changing(plain[2]), "--trace protocol, too")
    for what, trace in ("-v", plain[2]), ("-vvvv", many[2]):
        ok("# PLAIN" not in trace and not lines(trace, "D Subject") and
           len(lines(trace, "D ")) == 1, f"{what} has neither of the others",
           trace)
    auth = submit("--trace=auth")[2]
    ok("# PLAIN response" in auth and not lines(auth, "D Subject"),
       "auth is the login alone", auth)
    data = submit("--trace", "data")[2]
    ok("# PLAIN" not in data and "D Subject: hello" in data,
       "data are the data alone", data)
    same([x for x in lines(data, "S:") if "queued" not in x],
         [x for x in lines(plain[2], "S:") if "queued" not in x],
         "with the protocol")
    for args in (["--trace=auth,data"], ["--trace=data", "--trace=auth"],
                 ["-v", "--trace=protocol,auth", "--trace", "data"]):
        both = submit(*args)[2]
        ok("# PLAIN response" in both and "D Subject: hello" in both,
           f"{args}: both", both)
    for word in ("", "all", "yes", "2", "auth,", ",auth", "auth data", "AUTH",
                 "auth,all", "authx", "aut", "*"):
        status, out, err = submit(f"--trace={word}")
        ok(status == 64 and out == "" and err.count("\n") == 1 and
           "protocol, auth or data" in err, f"--trace={word}: says what there "
           "is", err)
    status, out, err = run("--trace")
    ok(status == 64 and err.count("\n") == 1, "--trace alone", err)
    status, _, err = submit("--trace=auth", name="sendmail")
    ok(status == 64 and "no long options" in err, "sendmail has none", err)


def by_name_alone():
    """Nothing that stays behind, or is handed down, asks for them."""
    for line in "trace auth", "trace yes", "--trace=auth", "verbose 3":
        config(SUBMITD, line)
        status, _, err = submit()
        ok(status == 78 and err.count("\n") <= 2, f"no setting: {line}", err)
    shutil.rmtree(TMP / ".local")           # there it was kept
    config(SUBMITD)
    names = [x + y for x in ("SENDOFF_", "SENDMAIL_", "MAIL_", "")
             for y in ("TRACE", "DEBUG", "VERBOSE", "LOG", "OPTIONS", "OPTS",
                       "ARGS", "FLAGS")]
    for value in "auth,data", "--trace=auth,data", "9":
        told = submit(env={name: value for name in names})
        same(told, (0, "", ""), f"no variable: {value}")


# --- how it logs in -----------------------------------------------------------

WORDS = {
    "SCRAM-SHA-256-PLUS": [
        'client-first: gs2 header "p=tls-exporter,,", user "%s", nonce of',
        "server-first: nonce of", 'iterations "4096"',
        'p=***", a proof of 44 octets, c is "p=tls-exporter,," and 32 octets'],
    "SCRAM-SHA-256": ['client-first: gs2 header "n,,", user "%s", nonce of',
                      "server-first: nonce of", ") octets",
                      'p=***", a proof of 44 octets, c is "n,," and 0 octets'],
    "SCRAM-SHA-1": ["client-first: ", 'p=***", a proof of 28 octets'],
    "CRAM-MD5": ['challenge: "<', 'response: user "%s", digest ***'],
    "PLAIN": ['response: no authorization identity, user "%s", password of '
              "10 octets, UTF-8 beyond ASCII, ends with a blank"],
    "LOGIN": ['challenge: "User Name"', 'response: user "%s"',
              'challenge: "Password"', "response: password of 10 octets, "
              "UTF-8 beyond ASCII, ends with a blank"],
}
CHECKED = "server-final: v=*** (%d octets), checked"


def logins():
    for mechanism, wanted in WORDS.items():
        for password in PASSWORD, PASSWORD[::-1]:
            right = password == PASSWORD
            config(SUBMITD, auth=mechanism, password=password)
            for args in (["--trace=auth"], ["-vv", "--trace=auth,data"],
                         ["-v"], ["-vvv"]):
                what = f"{mechanism}, {'right' if right else 'wrong'}, {args}"
                status, _, trace = submit(*args)
                same(status, 0 if right else 77, what, trace)
                is_tight(trace, what, password.encode(), *derived(
                    mechanism, password, trace, "biws"))
            trace = submit("--trace=auth")[2]
            told = [x for x in lines(trace, f"# {mechanism} ")]
            for text in wanted:
                text = text.replace("%s", USER)
                if not right:
                    text = text.replace("ends", "begins")
                ok(text == ") octets" or any(text in x for x in told),
                   f"{mechanism}: {text}", trace)
            if mechanism.startswith("SCRAM"):
                same("checked: the server knows" in trace, right,
                     "the server's proof, where there is one", trace)
                ok(re.search(r"C: AUTH \S+ [A-Za-z0-9+/]{20}", trace),
                   "the first message as it went", trace)
            ok(right or "S: 535" in trace, "the verdict", trace)
    config(SUBMITD, auth="PLAIN", password="x" * 500)
    trace = submit("--trace=auth")[2]
    ok("C: AUTH PLAIN\nS: 334 \nC: ***\n# PLAIN response: no authorization "
       f'identity, user "{USER}", password of 500 octets, ASCII\n' in trace,
       "what is too long for its line is told where it goes", trace)


def tokens():
    for mechanism, first, empty in (
            ("OAUTHBEARER", f'"n,a={BEARER},^Ahost=localhost^Aport={PORT}^A'
             'auth=Bearer ***"', False),
            ("XOAUTH2", f'"user={BEARER}^Aauth=Bearer ***"', True)):
        for token in TOKEN, TOKEN + "x":
            (TMP / "token").write_text(token + "\n")
            config(SUBMITD, f"oauth-command 'cat {TMP}/token'",
                   f"user {BEARER}", password=None, auth=mechanism)
            status, _, trace = submit("--trace=auth")
            same(status, 0 if token == TOKEN else 77, mechanism, trace)
            ok(f"# {mechanism} response: {first}, a token of {len(token)} "
               "octets\n" in trace, "what stands around the token", trace)
            is_tight(trace, mechanism, token.encode())
        ok(f'# {mechanism} error: "{{' in trace, "the server's error", trace)
        ok(f"# {mechanism} response: " + ("empty" if empty else "^A") in trace
           and f"C:{'' if empty else ' AQ=='}\n" in trace, "and the answer",
           trace)


def certificate():
    process, port = submitd(B, TMP / "external", "--ca", TMP / "ca",
                            "--maildir", TMP / "mail", "--tls=implicit",
                            "--client-ca", "--mechanisms", "EXTERNAL")
    config(f"smtps://localhost:{port}", f"client-certificate {TMP}/ca/"
           f"client.pem", f"client-key {TMP}/ca/client.key", password=None)
    trace = submit("--trace=auth")[2]
    ok("C: AUTH EXTERNAL =\n# EXTERNAL response: no authorization identity" in
       trace, "EXTERNAL", trace)
    process.terminate()
    process.wait()


class Odd:
    """A server that says what it is told to, on loopback without TLS."""

    def __init__(self, offers, *says):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp+plain://localhost:{self.listener.getsockname()[1]}"
        self.offers, self.says = offers, says
        threading.Thread(target=self.play, daemon=True).start()

    def play(self):
        s = self.listener.accept()[0]
        with s, s.makefile("rb") as f:
            s.sendall(b"220 odd\r\n")
            f.readline()
            s.sendall(f"250-odd\r\n250 AUTH {self.offers}\r\n".encode())
            for say in self.says:
                heard = f.readline().strip()
                s.sendall((say(heard) if callable(say) else say) + b"\r\n")
            f.read()


def said_by(mechanism, *says, password=PASSWORD):
    odd = Odd(mechanism, *says)
    config(odd.url, auth=mechanism, password=password)
    return submit("--trace=auth")[2]


def coded(text):
    return base64.b64encode(text.encode())


def odd_servers():
    """What helps to see that the server is to blame; what it gives away."""
    trace = said_by("CRAM-MD5", b"334 what?", b"501 no")
    ok("S: 334 what?\n# CRAM-MD5 challenge: not base64\nC: *\n" in trace,
       "not base64", trace)
    trace = said_by("CRAM-MD5", b"334", b"501 no")
    ok("# CRAM-MD5 challenge: empty\nC: *\n" in trace, "empty", trace)
    trace = said_by("SCRAM-SHA-256", b"334 " + coded("r=x,i=1"), b"501 no")
    ok("server-first: nonce of 1 octets, no salt, iterations \"1\"\nC: *\n" in
       trace, "no salt", trace)
    trace = said_by("LOGIN", b"334 " + coded("\33[2J\u202eUser"), b"501 no")
    ok('challenge: "\\x1b[2J\\xe2\\x80\\xaeUser"' in trace,
       "nothing moves the terminal's cursor", trace)
    trace = said_by("PLAIN", lambda heard: b"535 no: " + heard + b" " +
                    base64.b64decode(heard.split()[-1]).replace(b"\0", b"/"))
    is_tight(trace, "a server that repeats it", PASSWORD.encode())
    trace = said_by("LOGIN", b"334 " + coded("User"), b"334 " + coded(
        f"Password, not {PASSWORD}"), b"535 no")
    is_tight(trace, "a challenge that has it", PASSWORD.encode())
    proof = []

    def repeat(heard):
        proof.append(base64.b64decode(heard).rpartition(b",p=")[2])
        return b"535 your proof is " + proof[0] + b" in " + heard

    def grow(heard):
        nonce = base64.b64decode(heard.split()[-1]).rpartition(b"r=")[2]
        return b"334 " + base64.b64encode(b"r=" + nonce + b"0123456789,s=YWJjZGVmZ2h"
                                          b"pamts,i=4096")
    trace = said_by("SCRAM-SHA-256", grow, repeat)
    ok(proof and "S: 535 your proof is *** in ***" in trace,
       "a proof that is repeated", trace)
    is_tight(trace, "nor in the error", *proof)


# --- the data -----------------------------------------------------------------

HARD = HEADER + b"""{any} {{ }} \\x41 \\c
...
149 octets
 trailing 
.
..
.dot
\ttab \xc3\xa4 \xff \x1b[2J \x07 \xe2\x80\xae

# no comment
= status 1
C: QUIT
"""


def transcript(trace, message, *setup):
    """The trace pasted, with what it takes to run it again."""
    told = [x for x in trace.splitlines() if not x.startswith("# sandbox")]
    given = ["".join(chr(c) if c > 31 and c < 127 and c not in b"\\{}"
                     else f"\\x{c:02x}" for c in x)
             for x in message.split(b"\n")[:-1]]
    file = TMP / "pasted.smtp"
    file.write_text("\n".join((
        *setup, "+ only whole plain", "+ args -i bob@example.net",
        f"+ config from {USER}", "+ config timeout-reply 60",
        *(f"+ input {x}".rstrip() if x.strip() == "" else f"+ input {x}"
          for x in given), *told, "= status 0")) + "\n", encoding="utf-8")
    return file


def played(file):
    p = subprocess.run([TOP / "tests/play", "--binary", B / "sendoff", "--only",
                        "whole", "--ca-dir", TMP / "ca", file], check=False,
                       capture_output=True, text=True, timeout=PATIENCE,
                       cwd=TOP)
    return p


def pasted():
    """The point of its form: a trace is a test."""
    line = b"x" * 70 + b"\n"
    large, huge = HEADER + 16000 * line, HEADER + 34000 * line
    for what, url, message in (
            ("BDAT", PLAIN, HARD), ("DATA", UNCHUNKED, HARD),
            ("chunks that end within lines", PLAIN, large),
            ("chunks that are answered among others", PLAIN, huge),
            ("a large message", UNCHUNKED, large)):
        config(url, "hello client.example", password=None, auth="none")
        status, _, trace = submit("--trace=data", message=message)
        same(status, 0, what, trace[:4000])
        file = transcript(trace, message)
        p = played(file)
        ok(p.returncode == 0 and p.stdout.startswith("1..1\nok 1"),
           f"{what}: the trace is a transcript, and is played",
           p.stdout[:2000] + p.stdout[-4000:] + p.stderr)
        text = file.read_text()
        file.write_text(text.replace("D Subject: hello", "D Subject: other"))
        ok(played(file).returncode == 1, "with another line it fails")
    ok(trace.count("C: BDAT") == 0 and trace.count("D xxx") == 16000,
       "every line of it is there")
    config(UNCHUNKED, password=None, auth="none")
    trace = submit("--trace=data", message=HARD)[2]
    ok("# 4 lines begin with a dot and have gone with two\n" in trace,
       "what a transcript has not is in a comment", trace)
    for octet in range(32):
        if octet != 10 and chr(octet) in trace:
            ok(False, f"octet {octet} is not for a terminal")
    config(SUBMITD, auth="PLAIN")
    status, _, trace = submit("--trace=data", message=b"Subject: a\n\n" +
                              b"y" * 2000 + b"\n")
    ok(status == 0 and "D Content-Transfer-Encoding: quoted-printable" in
       trace and "D " + "y" * 75 + "=" in trace,
       "what is converted is shown as it goes", trace[:3000])


PEAK = """
import resource, subprocess, sys
p = subprocess.run(sys.argv[1:], stdin=open(%r), stderr=subprocess.DEVNULL)
print(p.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def memory():
    """Of 44 MB no more is held than without it."""
    big = TMP / "big"
    with open(big, "wb") as f:
        f.write(HEADER)
        for _ in range(700):
            f.write((b"x" * 63 + b"\n") * 1024)
    config(UNCHUNKED, password=None, auth="none")
    peak = {}
    for option in "--trace=protocol", "--trace=data":
        p = subprocess.run([sys.executable, "-c", PEAK % str(big),
                            B / "sendoff", option, "-i", "bob@example.net"],
                           env=ENV, capture_output=True, check=False,
                           text=True, timeout=PATIENCE)
        status, peak[option] = map(int, p.stdout.split())
        same(status, 0, f"44 MB with {option}", p.stderr)
    ok(peak["--trace=data"] < peak["--trace=protocol"] + 1024,
       "in as much memory as without the data", peak)
    big.unlink()


# --- other stories ------------------------------------------------------------

def stories():
    config(SUBMITD, auth="LOGIN")
    said = b"EHLO x\r\nQUIT\r\n"
    plain = run("-bs", message=said)
    same((plain[0], plain[2]), (0, ""), "-bs")
    for args in (["-v"], ["--trace=protocol"]):
        same(run("-bs", *args, message=said), plain, f"-bs {args} is -bs")
    for args in (["--trace=auth"], ["--trace=data"]):
        status, out, err = run("-bs", *args, message=said)
        ok((status, out) == (64, "") and err.count("\n") == 1 and "-bs" in err,
           f"-bs {args}: says no, and nothing to the caller", out + err)
    status, out, err = run("--quit-after", "auth", "--trace=auth")
    ok(status == 0 and "# LOGIN response: user" in err and "# LOGIN" not in out,
       "--quit-after", out + err)
    status, out, err = run("--talk", "--trace=auth,data",
                           message=b"NOOP\nQUIT\n")
    ok(status == 0 and "# LOGIN response: user" in err and "250 " in out and
       "# LOGIN" not in out, "--talk", out + err)
    status, out, err = run("--probe", "--trace=auth")
    ok(status == 0 and "# LOGIN response: user" in err and "# LOGIN" not in out,
       "--probe", out + err)
    is_tight(out + err, "--probe", PASSWORD.encode())
    status, out, err = submit("--explain=live", "--trace=auth")
    ok("# LOGIN response: user" in err, "--explain=live", out + err)
    status, out, err = submit("--json", "--trace=auth,data")
    ok(status == 0 and out.startswith("{") and out.count("\n") == 1 and
       "D Subject: hello" in err, "--json", out + err)


def kept():
    """-q and --resend: as with -v."""
    for which in "-q", "--resend":
        config("smtp://localhost:1", "retry yes", keep=TMP / "store")
        status, _, err = submit()
        same((status, err), (0, ""), "one is queued")
        config(SUBMITD, "retry yes", auth="PLAIN", keep=TMP / "store")
        which = [which]
        if which == ["--resend"]:
            which.append(run("--queue")[1].split("\n")[1].split()[0])
        status, out, err = run(*which, "--trace=auth,data", message=b"")
        ok(status == 0 and "# PLAIN response" in err and
           "D Subject: hello" in err and out == "", f"{which}", out + err)
        is_tight(err, f"{which}", PASSWORD.encode())
        same([*(TMP / "store").rglob("2*")], [], "it is sent")


subprocess.run([B / "ca", TMP / "ca"], check=True, stdout=subprocess.DEVNULL)
MAIL = ["--ca", TMP / "ca", "--maildir", TMP / "mail"]
SECRETS = ["--user", f"{USER}:{PASSWORD}", "--user", f"{BEARER}:{TOKEN}"]
servers = []
try:
    process, PORT = submitd(B, TMP / "port", *MAIL, *SECRETS)
    servers.append(process)
    SUBMITD = f"smtp://localhost:{PORT}"
    process, port = submitd(B, TMP / "plain", *MAIL, "--tls=none",
                            "--no-auth")
    servers.append(process)
    PLAIN = f"smtp+plain://localhost:{port}"
    process, port = submitd(B, TMP / "data", *MAIL, "--tls=none",
                            "--no-auth", "--without", "CHUNKING")
    servers.append(process)
    UNCHUNKED = f"smtp+plain://localhost:{port}"
    for story in (levels, by_name_alone, logins, tokens, certificate,
                  odd_servers, pasted, memory, stories, kept):
        print(f"# {story.__name__}", flush=True)
        story()
finally:
    for process in servers:
        process.terminate()
        process.wait()
    shutil.rmtree(TMP, ignore_errors=True)
done()
