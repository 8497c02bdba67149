"""What the interop tests share: sendoff, the lab's store, and TAP.

A test says what it sends and what must come of it:

    lab = Lab()
    mail = lab.mail("one")                      # two fresh recipients
    run = lab.send("POSTFIX_TLS", mail, auth="PLAIN")
    lab.case("PLAIN over TLS", run.is_silent(), mail.arrived())
    lab.done()

A check returns what it missed, "" when it has nothing to say; a case is ok
when no check complained.
"""
import base64
import collections
import glob
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PATIENCE = 15                   # seconds for a message to reach the store
ALICE = "alice@example.test"    # her password has a blank and an umlaut
HASTE = 1                       # and for one that sendoff says has failed


def read(path, mode="r"):
    with open(path, mode) as f:
        return f.read()


def environment():
    path = os.path.join(os.environ.get("LAB", TOP + "/build/lab"), "env")
    if not os.path.exists(path):
        sys.exit("Bail out!  the lab is not running: tests/interop/lab run")
    return dict(line.split("=", 1) for line in read(path).splitlines())


def token(key, user, seconds=3600):
    """A JWT that Dovecot takes, see conf/dovecot-oauth2.conf; for so long."""
    def encode(octets):
        return base64.urlsafe_b64encode(octets).rstrip(b"=")
    now = int(time.time())
    text = b".".join(encode(json.dumps(part).encode()) for part in (
        {"alg": "HS256", "typ": "JWT"},
        {"sub": user, "iat": now - 7200, "exp": now + seconds}))
    seal = hmac.new(key, text, hashlib.sha256).digest()
    return (text + b"." + encode(seal)).decode()


def undressed(word):
    """What may be base64, decoded as far as it goes."""
    word = word.rstrip("=")
    whole = word[:len(word) - (len(word) % 4 == 1)]
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode(
        errors="replace")


def canonical(message):
    """As SMTP carries it: CRLF, and an end to the last line."""
    lines = message.replace(b"\r\n", b"\n").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def difference(got, wanted):
    """Where two messages part, in one line."""
    for i, (a, b) in enumerate(zip(got, wanted)):
        if a != b:
            return (f"octet {i} of {len(wanted)}: {got[i:i + 40]!r} "
                    f"instead of {wanted[i:i + 40]!r}")
    return f"{len(got)} octets instead of {len(wanted)}"


# Everything that transport likes to break: dots, 8 bits, trailing blanks,
# empty lines, the longest line that SMTP allows, no newline at the end.
BODY = "\n".join([
    "Grüße, žluťoučký kůň, 日本語", ".", "..", "...", ".dot first", "",
    "trailing blank ", "\ttab first", "From here on", "=3D =", "x" * 997,
    "ö" * 498, "", ".", "no newline at the end: ß"]).encode()


SHAPES = {
    "nothing": b"",
    "an empty line": b"\n",
    "a dot": b".",
    "dots": b".\n..\n...\n" * 500,
    "CRLF": b"one\r\n.two\r\nthree\r\n",
    "the longest line": b"." + b"y" * 997,
    "only 8 bits": b"\xc3\xa4" * 400,
    "what looks like SMTP": b"\n.\nQUIT\n354 go on\nRSET\n",
}


class Mail:
    """A message to recipients that nobody else uses."""
    count = 0

    def __init__(self, lab, *names, good=2, body=BODY, subject="interop"):
        Mail.count += 1
        self.lab = lab
        self.id = f"{lab.name}-{os.getpid()}-{Mail.count}"
        self.patience = PATIENCE
        self.fresh = [f"{self.id}-{n}@example.test" for n in range(good)]
        self.to = self.fresh + [f"{name}@example.test" for name in names]
        self.octets = "\n".join([
            "From: Alice <alice@example.test>",
            "To: " + ",\n ".join(self.fresh or ["undisclosed:;"]),
            "Date: Tue, 24 Nov 2026 12:00:00 +0000",
            f"Message-ID: <{self.id}@example.test>", f"Subject: {subject}",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit", "", ""]).encode() + body

    def stored(self, address):
        """[(envelope, octets)], what the store has for this address now"""
        folder = os.path.join(self.lab.env["STORE"], address.rpartition("@")[0])
        names = sorted(glob.glob(glob.escape(folder) + "/*.json"))
        return [(json.loads(read(n)), read(n[:-5] + ".eml", "rb"))
                for n in names]

    def wait(self, address, copies=1):
        deadline = time.monotonic() + self.patience
        while True:
            found = self.stored(address)
            if len(found) >= copies or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def arrived(self, **envelope):
        """Each fresh recipient has it once, octet for octet, below nothing
        but the trace that servers add on top."""
        wanted = canonical(self.octets)
        for address in self.fresh:
            found = self.wait(address)
            if len(found) != 1:
                return f"{address} has it {len(found)} times"
            facts, got = found[0]
            trace, rest = got[:-len(wanted)], got[-len(wanted):]
            if rest != wanted:
                return f"{address}: {difference(rest, wanted)}"
            if not self.only_trace(trace):
                return f"{address}: on top there is {trace!r}"
            for key, value in envelope.items():
                if facts.get(key) != value:
                    return (f"{address}: {key} is {facts.get(key)!r}, "
                            f"not {value!r}")
        return ""

    @staticmethod
    def only_trace(text):
        """Postfix, Dovecot and Exim add Received:, Exim an envelope-to."""
        unfolded = text.replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ")
        return all(line.split(b":")[0] in (b"Received", b"Return-Path",
                                           b"Delivered-To", b"Envelope-to",
                                           b"Delivery-date")
                   for line in unfolded.splitlines())

    def nowhere(self):
        """Nobody has it; asked for again at the end of the test."""
        self.lab.unwanted += [(self, address) for address in self.fresh]
        return "".join(f"{address} has it" for address in self.fresh
                       if self.stored(address))


class Run:
    """What sendoff did: status, out, err (text), kept (file names)."""

    def __init__(self, process, home, seconds):
        self.status = process.returncode
        self.out = process.stdout.decode(errors="replace")
        self.err = process.stderr.decode(errors="replace")
        self.kept = glob.glob(home + "/.local/state/sendoff/**/[!.]*",
                              recursive=True)
        self.kept = [read(k, "rb") for k in self.kept if os.path.isfile(k)]
        self.seconds = seconds
        self.log = read(home + "/log") if os.path.exists(home + "/log") else ""

    def told(self):
        return f"status {self.status}, out {self.out!r}, err {self.err!r}"

    def way(self):
        """By what its log says: where, TLS, mechanism; None when nobody has
        got the message."""
        lines = [line for line in self.log.splitlines()
                 if " result=sent" in line]
        if self.status != 0 or not lines:
            return None
        return tuple((re.findall(rf" {name}=(\S+)", lines[-1]) or [""])[0]
                     for name in ("server", "tls", "mechanism"))

    def is_silent(self):
        good = (self.status, self.out, self.err) == (0, "", "")
        return "" if good else f"wanted silence and 0: {self.told()}"

    def has(self, status):
        return "" if self.status == status else \
            f"wanted {status}: {self.told()}"

    def fails(self, status, *words):
        """with this status and one line on stderr that has these words"""
        missing = [w for w in words if w not in self.err]
        if self.status != status:
            return f"wanted {status}: {self.told()}"
        if self.out or self.err.count("\n") != 1 or self.err[-1:] != "\n":
            return f"wanted one line on stderr: {self.told()}"
        return f"no {missing} in it: {self.told()}" if missing else ""

    def says(self, *words):
        missing = [w for w in words if w not in self.err]
        return f"no {missing} in it: {self.told()}" if missing else ""

    def keeps(self, *words):
        """one message, with these words in its envelope"""
        if len(self.kept) != 1:
            return f"{len(self.kept)} messages are kept: {self.told()}"
        missing = [w for w in words if w.encode() not in self.kept[0]]
        head = self.kept[0][:800].decode(errors="replace")
        return f"no {missing} in what is kept: {head!r}" if missing else ""

    def keeps_nothing(self):
        return f"{len(self.kept)} kept: {self.told()}" if self.kept else ""


class Lab:
    def __init__(self):
        self.env = environment()
        self.users = dict(line.split("\t") for line
                          in read(self.env["USERS"]).splitlines())
        self.key = read(self.env["TOKEN_KEY"], "rb")
        self.sendoff = os.environ.get("SENDOFF", TOP + "/sendoff")
        self.name = os.path.basename(sys.argv[0]).removesuffix(".t")
        self.unwanted = []
        self.number = self.failed = 0
        self.run = None                 # the last
        self.ways = collections.Counter()
        self.callers = collections.Counter()

    def token(self, port, user, **more):
        """npm's server has no opinion what a token looks like."""
        return f"token-of-{user}" if port.startswith("NODE_") else \
            token(self.key, user, **more)

    def mail(self, *names, **more):
        return Mail(self, *names, **more)

    def url(self, port, host="localhost"):
        scheme = ("smtps" if port.endswith("_TLS") else
                  "smtp+plain" if port.endswith("_NOTLS") else "smtp")
        return f"{scheme}://{host}:{self.env[port]}"

    def settings(self, port, user=ALICE, host="localhost", user_line=True,
                 **more):
        """The account's lines; a setting of None is left out."""
        lines = {"from": user,
                 "server": self.url(port, host) if port else None,
                 "user": user if user_line else None,
                 "password": f'"{self.users[user]}"', "log": "none",
                 "ca-file": self.env["CERTS"] + "/ca.pem"}
        lines.update((k.replace("_", "-"), v) for k, v in more.items())
        return "account lab\n" + "".join(
            f"    {k} {v}\n" for k, v in lines.items() if v is not None)

    def send(self, port, mail, *options, sender=ALICE, files={},
             **settings):
        """files: names below the home, and what is in them"""
        home = tempfile.mkdtemp(prefix="sendoff-interop.")
        try:
            for name, text in files.items():
                os.makedirs(os.path.dirname(f"{home}/{name}"), exist_ok=True)
                with open(os.open(f"{home}/{name}", os.O_WRONLY | os.O_CREAT,
                                  0o600), "w") as f:
                    f.write(text)
            settings.setdefault("log", home + "/log")
            run = self.send_from(home, mail, options, sender,
                                 self.settings(port, **settings))
        finally:
            shutil.rmtree(home)
        if run.status != 0 and mail.to == mail.fresh:
            mail.patience = HASTE
        self.run = run
        return run

    def send_from(self, home, mail, options, sender, text):
        os.mkdir(home + "/.config")
        with open(os.open(home + "/.config/sendoff.conf",
                          os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(text)
        command = [self.sendoff, "-i", "-f", sender, *options, *mail.to]
        begun = time.monotonic()
        process = subprocess.run(
            command, input=mail.octets, capture_output=True, timeout=120,
            env={"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            cwd=home)
        return Run(process, home, time.monotonic() - begun)

    def case(self, name, *complaints):
        self.number += 1
        complaints = [c for c in complaints if c]
        print("not ok" if complaints else "ok", self.number, "-", name)
        for complaint in complaints:
            print("#", complaint.replace("\n", "\n# "))
        sys.stdout.flush()
        self.failed += bool(complaints)
        self.note(not complaints)

    def note(self, good):
        """How a message got to a server, when a case that sent it is ok."""
        way, self.run = self.run and self.run.way(), None
        if good and way:
            self.ways[way] += 1

    def write_down(self):
        """For the figure, see there: what was done here."""
        folder = os.path.dirname(self.env["STORE"]) + "/did"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{self.name}.json", "w") as f:
            json.dump({"ways": [[*way, n] for way, n in self.ways.items()],
                       "callers": [[*who, n] for who, n
                                   in self.callers.items()]}, f)

    def done(self):
        if self.unwanted:
            self.case("what failed did not arrive later either",
                      *[f"{address} has it" for mail, address in self.unwanted
                        if mail.stored(address)])
        print(f"1..{self.number}")
        self.write_down()
        sys.exit(self.failed != 0)

    # --- cases that each server has ----------------------------------------

    def logins(self, ports, mechanisms, refusal):
        """Each mechanism at each port, with the right and a wrong secret."""
        for port in ports:
            for mechanism in mechanisms:
                for user in self.users:
                    self.right(port, mechanism, user)
                self.wrong(port, mechanism, refusal)

    def secret(self, port, mechanism, user, right):
        """The settings that hold it."""
        if mechanism in ("XOAUTH2", "OAUTHBEARER"):
            value = self.token(port, user) if right else "not-a-token"
            return {"password": None, "oauth_command": f'"echo {value}"'}
        return {} if right else {"password": '"not this one"'}

    def right(self, port, mechanism, user):
        mail = self.mail()
        run = self.send(port, mail, user=user, auth=mechanism, sender=user,
                        **self.secret(port, mechanism, user, True))
        self.case(f"{port}: {mechanism} as {user}", run.is_silent(),
                  run.keeps_nothing(), mail.arrived(sender=user))

    def wrong(self, port, mechanism, refusal):
        mail = self.mail()
        run = self.send(port, mail, auth=mechanism,
                        **self.secret(port, mechanism, ALICE, False))
        self.case(f"{port}: {mechanism} with a wrong secret",
                  run.fails(77, "localhost", refusal),
                  "the secret is told" if "not this one" in run.err else "",
                  run.keeps(*mail.to), mail.nowhere())

    def transcript(self, port, mechanism):
        """What -v prints has the dialogue, --trace=auth the login in words;
        and no secret in any coat."""
        scram = mechanism.startswith("SCRAM")
        self.trace(port, mechanism, "-v")
        self.trace(port, mechanism, "--trace=auth", *(
            ["client-first: gs2 header", "server-first: nonce of", "octets), "
             "iterations", "a proof of", "checked: the server knows"]
            if scram else ["password of"] if mechanism in ("PLAIN", "LOGIN")
            else ['challenge: "<', "digest ***"]), f'user "{ALICE}"')
        mail = self.mail()
        run = self.send(port, mail, "--trace=auth", auth=mechanism,
                        **self.secret(port, mechanism, ALICE, False))
        self.case(f"{port}: {mechanism}, a refused login in words", run.has(77),
                  run.says(f"# {mechanism} ", f'user "{ALICE}"', "S: 535"),
                  "the secret is told" if "not this one" in run.err else "",
                  mail.nowhere())

    def trace(self, port, mechanism, option, *wanted):
        mail, password = self.mail(), self.users[ALICE]
        run = self.send(port, mail, option, auth=mechanism)
        words = [password, f"\0{ALICE}\0{password}"]
        coats = words + [base64.b64encode(w.encode()).decode() for w in words]
        coats += [word for word in re.findall(r"[A-Za-z0-9+/]{8,}=*", run.err)
                  if re.search(r",p=|^v=|[0-9a-f]{32}$", undressed(word))]
        self.case(f"{port}: {mechanism}, {option}", run.has(0),
                  run.says("S: 220", f"C: AUTH {mechanism}", "S: 235", *wanted),
                  *[f"it tells {c!r}: {run.err}" for c in coats
                    if c in run.err], mail.arrived())

    def recipients(self, port, **settings):
        """One is refused or deferred, the others get it all the same."""
        for bad, status, words in (
                (["refused"], 67, ["no such person here"]),
                (["busy"], 69, ["not for you"]),
                (["deferred"], 75, ["come back later"]),
                (["refused", "busy"], 69, ["not for you"]),
                (["refused", "deferred"], 75, ["come back later"])):
            for good in (0, 1, 3):
                mail = self.mail(*bad, good=good)
                run = self.send(port, mail, **settings)
                self.case(f"{port}: {' and '.join(bad)} beside {good}",
                          run.has(status),
                          run.says(*words, *mail.to[good:]),
                          run.keeps(*mail.to[good:]), mail.arrived())

    def shapes(self, port, **settings):
        for name, body in SHAPES.items():
            mail = self.mail(body=body)
            run = self.send(port, mail, **settings)
            self.case(f"{port}: a body of {name}", run.is_silent(),
                      mail.arrived())

    def many(self, port, count, **settings):
        """
        Postfix and Exim take 100 at a time and put off the others; Exim also
        takes two mails in a connection (smtp_accept_max_per_connection), and
        one Postfix hangs up when it has put off too many.
        """
        mail = self.mail(good=count)
        run = self.send(port, mail, **settings)
        self.case(f"{port}: {count} recipients", run.is_silent(),
                  mail.arrived())

    def null_sender(self, port, **settings):
        mail = self.mail()
        run = self.send(port, mail, sender="<>", **settings)
        self.case(f"{port}: the null sender", run.is_silent(),
                  mail.arrived(sender=""))

    def unwanted_data(self, port, words, **settings):
        mail = self.mail(subject="unwanted")
        run = self.send(port, mail, **settings)
        self.case(f"{port}: refused after the data", run.fails(65, *words),
                  run.keeps(*mail.to), mail.nowhere())

    def large(self, port, size, **settings):
        line = bytes(range(33, 127)) + b"\n."
        mail = self.mail(good=1, body=line * (size // len(line)))
        run = self.send(port, mail, **settings)
        self.case(f"{port}: {len(mail.octets)} octets", run.is_silent(),
                  mail.arrived())
