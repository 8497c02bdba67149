#!/usr/bin/python3 -B
"""sendoff-testing(7): each command of the page is run against submitd and does
what the page says of it; the server's record and its mail are the judges."""

import email
import email.policy
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from servers.start import port_of                               # noqa: E402
from tap import done, ok, until                                 # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent
B = pathlib.Path(os.path.abspath(TOP / os.environ.get("B", "build")))
TMP = pathlib.Path(tempfile.mkdtemp())
PASSWORD = "correct horse battery staple"
ENV = {**os.environ, "HOME": str(TMP), "PATH": f"{B}:/usr/bin:/bin"}
NOTHING = ("--quit-after", "--talk", "--probe", "--check")


def commands():
    """Each command of the page, its lines joined, with its heading."""
    heading, command = "", ""
    page = (TOP / "man/sendoff-testing.7").read_text(encoding="utf-8")
    for line in page.replace("\\-", "-").replace("\\e", "\\").splitlines():
        if line.startswith(".It Li "):
            heading = line[8:].strip('"').replace('""', '"')
        if not line.startswith(".Dl "):
            continue
        command += line[4:].strip('"').strip()
        if command.endswith("\\"):
            command = command[:-1]
            continue
        yield heading, command[2:]
        command = ""


class Server:
    def __init__(self, name, *options):
        self.ready, self.log = TMP / f"{name}.port", TMP / f"{name}.log"
        self.process = subprocess.Popen(
            [B / "submitd", "--ca", TMP / "ca", "--maildir", TMP / "mail",
             "--user", f"alice@example.org:{PASSWORD}", "--ready-file",
             self.ready, "--log", self.log, *options],
            stdout=subprocess.DEVNULL)

    def port(self):
        return port_of(self.ready)

    def settle(self):
        """Its sessions have ended: the log is whole."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        until(lambda: not children.read_text())


def here(command, servers):
    """With the ports of the day in the place of the page's server."""
    for scheme, name in (("smtps", "tls"), ("smtp", "starttls"),
                         ("smtp+plain", "plain"),
                         ("smtp+opportunistic", "open")):
        url = re.escape(f"{scheme}://mail.example.org") + r"(:\d+)?\b"
        command = re.sub(url, f"{scheme}://localhost:{servers[name].port()}",
                         command)
    return command.replace("mail.example.org", "localhost").replace(
        "lmtp:///run/lmtp", f"lmtp://{TMP}/sock")


def value(words, option):
    return words[words.index(option) + 1] if option in words else None


class Run:
    def __init__(self, command, servers):
        self.command = here(command, servers)
        self.words = [x for x in shlex.split(self.command) if x != "<"]
        shutil.rmtree(TMP / "mail", ignore_errors=True)
        for server in servers.values():
            server.log.write_bytes(b"")
        run = subprocess.run(self.command, shell=True, cwd=TMP, env=ENV,
                             stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, check=False, timeout=60)
        for server in servers.values():
            server.settle()
        self.status, self.out, self.err = run.returncode, run.stdout, run.stderr
        self.mails = [email.message_from_bytes(f.read_bytes(),
                                               policy=email.policy.default)
                      for f in (TMP / "mail").glob("new/*")]
        self.log = "".join(s.log.read_text(encoding="utf-8")
                           for s in servers.values())

    def __str__(self):
        return f"{self.command}\nstatus {self.status}\n{self.out}{self.err}" \
            f"{self.log}"

    def said(self, text):
        return f"C: {text}" in self.log

    def mail(self):
        """What the message must be, by the options."""
        mail, words = self.mails[0], self.words
        text = mail.get_body().get_content().replace("\r\n", "\n")
        header, body = value(words, "--header"), value(words, "--body")
        if "--test" in words:
            yield "test", "This is a test message" in text
        if body is not None:
            yield "body", text == ("from text.txt\n" if body[0] == "@" else
                                   body + "\n")
        if "message.eml" in self.command:
            yield "message", (mail["Subject"], text) == ("a message", "m\n")
        if "--attach" in words:
            yield "attachment", [p.get_payload(decode=True) for p in
                                 mail.iter_attachments()] == [b"%PDF\x00"]
        if header is not None:
            name, content = header.split(": ")
            yield "header", mail.get_all(name) == [content]

    def dialogue(self):
        words = self.words
        server, sender = value(words, "--server") or "", value(words, "-f")
        plain = server.startswith(("smtp+plain", "lmtp"))
        yield "TLS", ("T TLS" in self.log) != plain
        if sender is not None:
            yield "sender", self.said(f"MAIL FROM:<{sender}>")
        yield "login", self.said("AUTH ") == (value(words, "--auth") != "none")
        if "PLAIN" in words:
            yield "mechanism", self.said("AUTH PLAIN")
        if "--hello" in words:
            yield "hello", self.said(f"EHLO {value(words, '--hello')}\n")
        if "-N" in words:
            yield "DSN", "NOTIFY=FAILURE" in self.log
        if "-R" in words:
            yield "RET", "RET=HDRS" in self.log
        shown = {"-v": "C: MAIL", "--trace=data": "D Subject: ",
                 "--trace=auth": 'user "alice@example.org"'}
        asked = [word for word in words if word in shown]
        for word in asked:
            yield word, shown[word] in self.err and PASSWORD not in self.err
        if asked:
            yield "dialogue", "C: MAIL" in self.err
        else:
            yield "silent", self.out == "" and (self.err == "") == \
                (self.status == 0)
        for to in re.findall(r"[a-z]+@example\.net", self.command):
            yield to, self.said(f"RCPT TO:<{to}>")

    def nothing(self):
        """Of what ends before there is mail."""
        step = value(self.words, "--quit-after")
        first = {"greeting": "QUIT", "connect": "QUIT", "tls": "QUIT",
                 "ehlo": "QUIT", "auth": "QUIT", "rcpt": "QUIT"}
        if step:
            yield "QUIT", self.said(first[step])
            yield "AUTH", self.said("AUTH ") == (step in ("auth", "rcpt"))
            yield "EHLO", self.said("EHLO ") == (step not in ("greeting",
                                                              "connect"))
            yield "RCPT", self.said("RCPT ") == (step == "rcpt")
            yield "told", ("nothing was sent" in self.out) != \
                ("--talk" in self.words)
        elif "--talk" in self.words:
            yield "AUTH", self.said("AUTH ") and "221 " in self.out
        else:
            yield "output", "localhost" in self.out and \
                PASSWORD not in self.out

    def wrong(self):
        """What is not as the page has it."""
        refused = "refuse-" in self.command
        if self.status != (67 if refused else 0):
            return ["status"]
        nothing = any(x in self.words for x in NOTHING)
        if len(self.mails) != (not nothing):
            return ["mails"]
        points_ = list(self.nothing()) if nothing else \
            [*self.mail(), *self.dialogue()]
        return [what for what, holds in points_ if not holds]


def prepare():
    subprocess.run([B / "ca", TMP / "ca"], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.copy(TMP / "ca/ca.pem", TMP / "ca.pem")
    (TMP / "message.eml").write_text("Subject: a message\nTo: bob@example.net"
                                     "\n\nm\n")
    (TMP / "text.txt").write_text("from text.txt\n")
    (TMP / "report.pdf").write_bytes(b"%PDF\x00")
    (TMP / "pw").write_text(PASSWORD + "\n")
    servers = {"starttls": Server("starttls"),
               "tls": Server("tls", "--tls=implicit"),
               "open": Server("open", "--no-auth"),
               "plain": Server("plain", "--tls=none", "--no-auth"),
               "lmtp": Server("lmtp", "--unix", TMP / "sock", "--no-auth")}
    account = "from alice@example.org\nserver smtp://localhost:" \
        f"{servers['starttls'].port()}\npassword '{PASSWORD}'\n" \
        f"ca-file {TMP}/ca/ca.pem\naliases none\nlog none\n"
    (TMP / ".config").mkdir()
    (TMP / ".config/sendoff.conf").write_text(
        f"{account}account work\n{account}")
    return servers


os.umask(0o077)
SERVERS = prepare()
try:
    every = list(commands())
    ok(len(every) > 60, "the page has commands", len(every))
    for about, line in every:
        played = Run(line, SERVERS)
        faults = played.wrong()
        ok(not faults, f"{about}: {line}", f"{faults}\n{played}")
finally:
    for one in SERVERS.values():
        one.process.terminate()
        one.process.wait()
    shutil.rmtree(TMP)
done()
