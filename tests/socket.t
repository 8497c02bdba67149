#!/usr/bin/python3
"""The socket service: who may send, and that the truth comes back."""

import glob
import grp
import json
import os
import pwd
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position,wildcard-import
from servers.activator import (                                 # noqa: E402
    Activator, BIN, CALLER, CLIENT, CONF, ENV, NOBODY, ROOT, Raw, SECRETS,
    SERVICE, STATE, SUBMIT, as_user, client, home_of, own, send, service,
    set_up)
from servers.hostile import (                                   # noqa: E402
    B, Gone, PATIENCE, Server, TMP, TOP, ok, play, same, until, write)

ALICE, BOB = "alice@example.org", "bob@example.net"
CRON = (b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> x\n"
        b"Content-Type: text/plain; charset=UTF-8\n\n8 bit: \xc3\xbc\n")
MAIL = b"Subject: x\n\nhello\n"
LOG = TMP + "/service/log"
SELF = NOBODY if ROOT else os.getuid()


def backend(name, *more, hook=lambda c, verb, line: None, extensions=(),
            lines=()):
    """A server that the service alone speaks to, and its configuration."""
    s = Server(name, hook, extensions)
    os.chmod(s.path, 0o777)
    service(*lines or account(s), *more)
    return s


def account(s, name=None, sender=ALICE):
    return [*[f"account {name}"] * (name is not None), f"from {sender}",
            f"server {s.url()}", "aliases none", "domain example.org",
            f"log {LOG}"]


def log():
    try:
        with open(LOG, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def fresh():
    if os.path.exists(LOG):
        os.unlink(LOG)


# --- the real thing ----------------------------------------------------------

def submitd():
    """A server with TLS and a password; its port, its folder, its process."""
    subprocess.run([B + "/ca", TMP + "/ca"], check=True,
                   stdout=subprocess.DEVNULL)
    os.chmod(TMP + "/ca", 0o755)
    os.chmod(TMP + "/ca/ca.pem", 0o644)
    p = subprocess.Popen([B + "/submitd", "--ca", TMP + "/ca", "--maildir",
                          TMP + "/box", "--ready-file", TMP + "/port",
                          "--user", f"{ALICE}:secret"],
                         stdout=subprocess.DEVNULL)
    until(lambda: os.path.exists(TMP + "/port") and
          os.path.getsize(TMP + "/port"))
    with open(TMP + "/port", encoding="ascii") as f:
        return f.readline().strip(), TMP + "/box", p


def stored(box, what="new"):
    texts = []
    for name in sorted(os.listdir(f"{box}/{what}")):
        with open(f"{box}/{what}/{name}", "rb") as f:
            texts.append(f.read())
        os.unlink(f"{box}/{what}/{name}")
    return texts


def whole():
    port, box, p = submitd()
    service(f"from {ALICE}", f"server smtp://localhost:{port}",
            f"ca-file {TMP}/ca/ca.pem", "default-recipient ops@example.net",
            f"log {LOG}", password="secret\n")
    try:
        for uid in (0, NOBODY, CALLER) if ROOT else (SELF,):
            fresh()
            same(send(uid, CRON, "-FCronDaemon", "-i", "-B8BITMIME", "-oem",
                      "root"), (0, "", ""), f"{uid}: cron's mail")
            text, = stored(box)
            envelope, = stored(box, "envelope")
            ok(b"user alice@example.org" in envelope and
               f"mail <{ALICE}>".encode() in envelope and
               b"rcpt <ops@example.net>" in envelope,
               f"{uid}: by the login and to whom the service says")
            ok(f"\nFrom: \"Cron Daemon\" <{ALICE}>" in "\n" + text.decode() or
               f"From: root (Cron Daemon) <{ALICE}>" in text.decode() or
               f"<{ALICE}>" in text.decode().split("\n\n")[0],
               f"{uid}: From is the account's")
            ok(b"8 bit: \xc3\xbc" in text, f"{uid}: 8 bit")
            name = login_of(uid)
            found = re.search(r" peer-uid=(\d+) peer-pid=(\d+) ", log())
            ok(found and int(found[1]) == uid and int(found[2]) > 1,
               f"{uid}: the log has uid and process")
            ok((f" peer={name} " in log()) == (name is not None),
               f"{uid}: and the login")
        secrets(0 if ROOT else SELF)
        large(box)
    finally:
        p.terminate()
        p.wait()


def secrets(_):
    if not ROOT:
        return
    for name in CONF, SECRETS + "/sendoff.default", LOG:
        p = subprocess.run(as_user(NOBODY, "cat", name), check=False,
                           capture_output=True)
        ok(p.returncode != 0 and b"Permission denied" in p.stderr,
           f"{os.path.basename(name)} is not for the callers")


def large(box):
    line = b"0123456789 \xc3\xa4 " * 5 + b"\n"
    body = line * (20 * 1024 * 1024 // len(line))
    same(send(SELF, b"Subject: x\nFrom: bob@example.net\n\n" + body, "-i",
              BOB)[0], 0, "20 MB")
    text, = stored(box)
    ok(text.replace(b"\r\n", b"\n").endswith(b"\n\n" + body), "as it was")
    ok(b"From: bob@example.net" in text, "another's From stays")


def login_of(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


# --- who may -----------------------------------------------------------------

def allow_user():
    login, other = login_of(SELF), "daemon"
    mine = [SELF] if ROOT else [os.getgid(), *os.getgroups()]
    cases = [(f"{SELF}", True), (f"daemon {SELF}", True),
             (f"@{SELF}", SELF in mine), ("no-such-user", False),
             ("@no-such-group", False), ("65000", False)]
    if login is not None:
        other = "bin" if login == other else other
        cases += [(login, True), (f"{login}x", False)]
    cases += [(other, False)] + [(f"@{g.gr_name}", g.gr_gid in mine)
                                 for g in grp.getgrall()[:9] +
                                 [x for x in grp.getgrall()
                                  if x.gr_gid in mine]]
    for users, may in cases:
        fresh()
        s = backend("who", f"allow-user {users}")
        status, _, err = send(SELF, MAIL, BOB)
        same((status, len(s.mails)), (0, 1) if may else (69, 0),
             f"allow-user {users}")
        if may:
            continue
        ok("550 5.7.1" in err and f"for {login} (uid {SELF}):".replace(
            f"None (uid {SELF})", f"uid {SELF}") in err and
           "allow-user" in err, "the error names the login and the reason")
        ok("logged in" not in err, "and asks for no password")
        ok(f"uid {SELF}" in log() and "process" in log(), "so does the log")
        same(s.connections, [], "the server is not even called")


def groups():
    if not ROOT:
        return
    s = backend("groups", "allow-user @64100")
    same(send(CALLER, MAIL, BOB, groups=(64101, 64100))[0], 0,
         "a supplementary group")
    same(send(CALLER, MAIL, BOB, groups=(64101,))[0], 69, "another")
    s = backend("groups", f"allow-user {CALLER}")
    same((send(CALLER, MAIL, BOB)[0], len(s.mails)), (0, 1),
         "a uid without a login")
    status, _, err = send(CALLER + 1, MAIL, BOB)
    ok(status == 69 and f"for uid {CALLER + 1}:" in err, "another such")


def whose():
    """Two accounts; the second is ours."""
    one, two = Server("one"), Server("two")
    for s in one, two:
        os.chmod(s.path, 0o777)
    service(*account(one, "ops"), "match *@ops.example",
            f"allow-user {SELF + 1}",
            *account(two, "web", "web@example.com"), f"allow-user {SELF}")
    same(send(SELF, MAIL, BOB)[0], 0, "who names no account has his own")
    same(two.mails[0][0].split()[1], "FROM:<web@example.com>", "as its sender")
    same(send(SELF, MAIL, "-f", "web@example.com", BOB)[0], 0, "by its name")
    for sender in ALICE, "ALICE@EXAMPLE.ORG", "any@ops.example":
        status, _, err = send(SELF, MAIL, "-f", sender, BOB)
        ok(status == 69 and '550 5.7.1 the account "ops"' in err,
           f"a sender of another account: {sender}")
    status, _, err = send(SELF, MAIL, "x@ops.example")
    ok(status == 69 and '550 5.7.1 the account "ops"' in err,
       "a recipient that another account matches")
    status, out, _ = send(SELF, MAIL, "--json", BOB, "x@ops.example",
                          program="sendoff")
    same([x["outcome"] for x in json.loads(out)["recipients"]],
         ["sent", "refused"], "the others get it")
    same(send(SELF, MAIL, "-f", "web@example.com", "x@ops.example")[0], 0,
         "a chosen account is for all recipients")
    same(one.connections, [], "the account of others is not used")
    service(*account(two, "web", "web@example.com"), f"allow-user {SELF}",
            "allow-from *@example.com")
    same(send(SELF, MAIL, "-f", "ceo@example.net", BOB)[0], 0, "a forgery")
    same(two.mails[-1][0].split()[1], "FROM:<web@example.com>",
         "allow-from has the last word")


def who_runs():
    """Without the socket it is who runs it; by the network it is nobody."""
    s = backend("pipe", f"allow-user {SERVICE if ROOT else SELF}")
    text = ("EHLO me\r\nMAIL FROM:<alice@example.org>\r\n"
            f"RCPT TO:<{BOB}>\r\nQUIT\r\n")
    command = [BIN + "/sendoff", f"--config={CONF}", "-bs"]

    def codes(uid, stdin=None):
        p = subprocess.run(as_user(uid, *command), check=False, env=ENV,
                           capture_output=True, timeout=PATIENCE,
                           **{"input": text.encode()} if stdin is None else
                           {"stdin": stdin})
        return " ".join(re.findall(r"(?m)^(\d{3}) ", p.stdout.decode()))
    same(codes(SERVICE), "220 250 250 250 221", "a pipe: who runs it")
    listener = socket.create_server(("127.0.0.1", 0))
    c = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    c.sendall(text.encode())
    same(codes(SERVICE, server), "220 250 550 503 221", "a network: nobody")
    service(*account(s))
    c.sendall(text.encode())
    same(codes(SERVICE, server), "220 250 250 250 221", "if it matters")
    if not ROOT:
        return
    service(*account(s), "allow-user 0")
    os.chmod(CONF, 0o644)
    os.chmod(TMP + "/service", 0o711)
    same(codes(NOBODY), "220 250 550 503 221", "a pipe: not who is root")
    a, b = socket.socketpair()
    a.sendall(text.encode())
    same(codes(SERVICE, b), "220 250 250 250 221", "root's end of a socket")
    os.chown(BIN + "/sendmail", 0, 64005)
    os.chmod(BIN + "/sendmail", 0o2755)
    a.sendall(text.encode())
    command[0] = BIN + "/sendoff"
    p = subprocess.run(as_user(NOBODY, *command, privileges=True), stdin=b,
                       check=False, env=ENV, capture_output=True,
                       timeout=PATIENCE)
    ok(b"\n550 5.7.1 " in p.stdout,
       "set-id: nobody is root by a socket that root has made")
    os.chmod(TMP + "/service", 0o700)
    os.chown(BIN + "/sendmail", 0, 0)
    os.chmod(BIN + "/sendmail", 0o755)


def not_an_option():
    p = subprocess.run([BIN + "/sendoff", "--allow-user=root", "-bs"],
                       check=False, capture_output=True)
    ok(p.returncode == 64 and b"allow-user" in p.stderr, "it is no option")
    for bad in ":", "@", "a,b":
        service("server smtp:///x", f"allow-user {bad}")
        p = subprocess.run([BIN + "/sendoff", f"--config={CONF}", "--check"],
                           check=False, capture_output=True)
        ok(p.returncode == 78 and b":2:12: allow-user is a list" in p.stderr,
           f'"{bad}" is no user')
    s = backend("direct", "allow-user 65000")
    p = subprocess.run([BIN + "/sendoff", f"--config={CONF}", BOB], input=MAIL,
                       check=False, capture_output=True)
    ok(p.returncode == 77 and b"allow-user" in p.stderr and not s.mails,
       "it holds without the socket")


# --- the truth ---------------------------------------------------------------

def truth():
    for verb, reply, status in (
            ("MAIL", "550 5.7.1 not you", 69), ("MAIL", "451 4.3.0 later", 75),
            ("RCPT", "550 5.1.1 no such user", 67),
            ("RCPT", "550 5.7.1 not there", 69),
            ("RCPT", "452 4.2.2 full", 75), ("DATA", "554 5.6.0 no", 65),
            ("DOT", "552 5.3.4 too big", 65), ("DOT", "554 5.6.0 no", 65),
            ("DOT", "451 4.3.0 later", 75), ("EHLO", "554 5.7.1 go away", 69)):
        s = backend("truth", hook=lambda c, said, _, verb=verb, reply=reply:
                    reply if said == verb else None)
        got, _, err = send(SELF, MAIL, BOB)
        ok(got == status and reply in err, f"{reply} to {verb} is {status}")
        if got != status or reply not in err:
            print(f"# {got}: {err}")
        same(s.mails, [], "and nothing is sent")


def each():
    def hook(_, verb, line):
        return {"RCPT TO:<b@example.net>": "550 5.1.1 who",
                "RCPT TO:<c@example.net>": "451 4.2.0 greylisted"}.get(
                    line) if verb == "RCPT" else None
    s = backend("each", hook=hook)
    status, out, _ = send(SELF, MAIL, "--json", "a@example.net",
                          "b@example.net", "c@example.net", program="sendoff")
    same((status, [(x["outcome"], x.get("code"))
                   for x in json.loads(out)["recipients"]]),
         (75, [("sent", None), ("refused", 550), ("deferred", 451)]),
         "each recipient has its own")
    same(s.envelopes(), [["a@example.net"]], "who can have it has it")


def unknown():
    for what in "421 4.3.2 going down", None:
        def hook(_, verb, __, what=what):
            if verb == "DOT" and what is None:
                raise Gone
            return what if verb == "DOT" else None
        backend("unknown", hook=hook)
        status, out, err = send(SELF, MAIL, "--json", BOB, program="sendoff")
        same((status, json.loads(out)["recipients"][0]["outcome"]),
             (75, "unknown"), f"{what} to the dot: nobody knows ({err.strip()})")
        c = Raw()
        for step in "EHLO me", f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{BOB}>":
            c.ask(step)
        same(c.ask("DATA")[:3], "354", "another caller")
        same((c.ask("\r\nx\r\n.")[:9], c.hear()), ("421 4.4.2", ""),
             "hears 421, and the end")
        c.end()


def divided():
    """One reply for recipients of two servers."""
    one = Server("first")
    two = Server("second", lambda c, verb, _:
                 "451 4.3.0 later" if verb == "DOT" else None)
    for s in one, two:
        os.chmod(s.path, 0o777)
    service(*account(one, "main"), *account(two, "ops"), "match *@ops.example")
    client(f"server smtp://{SUBMIT}", "retry yes", "log none")
    status, out, _ = send(SELF, MAIL, "--json", BOB, "x@ops.example",
                          program="sendoff")
    same((status, [x["outcome"] for x in json.loads(out)["recipients"]]),
         (75, ["unknown"] * 2), "one has it, the other has not")
    ok("451 4.3.0 later" in out and "queued" in out, "in the servers' words")
    same((send(SELF, b"", "-q")[0], one.envelopes()), (0, [[BOB]]),
         "nobody is sent it twice")
    client(f"server smtp://{SUBMIT}")


def down():
    client(f"server smtp://{SUBMIT}", "retry yes",
           f"log {home_of(SELF)}/log")
    service(f"from {ALICE}", f"server smtp://{TMP}/nothing", f"log {LOG}")
    same(send(SELF, MAIL, BOB), (0, "", ""), "no server: queued")
    ok(not any(x[0].isdigit() for x in os.listdir(STATE)),
       "not by the service")
    s = backend("up", f"allow-user {SELF}")
    fresh()
    same(send(SELF, b"", "-q"), (0, "", ""), "the caller's -q")
    same(s.envelopes(), [[BOB]], "sends it")
    ok(f"peer-uid={SELF} " in log(), "as that caller")
    same(send(SELF, b"", "-q")[0], 0, "and once")
    same(len(s.mails), 1, "really")
    client(f"server smtp://{SUBMIT}.none")
    status, _, err = send(SELF, MAIL, BOB)
    ok(status == 75 and "kept as" in err and ".none" in err,
       "no service: held, and it says so")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(SUBMIT + ".mute")
        os.chmod(SUBMIT + ".mute", 0o666)
        mute.listen()
        threading.Thread(target=lambda: mute.accept()[0].close()).start()
        client(f"server smtp://{SUBMIT}.mute")
        status, _, err = send(SELF, MAIL, BOB)
    ok(status == 75 and "closed the connection (why may stand in the log of "
       "the service: journalctl -u 'sendoff@*') (kept" in err,
       "a service that cannot start: where to look")
    client(f"server smtp://{SUBMIT}")


def asked():
    """What the client asks for reaches the server."""
    s = backend("asked", "deliver-by 2h", "priority 3", extensions=[
        "DSN", "SMTPUTF8", "SIZE 1000000", "REQUIRETLS", "DELIVERBY",
        "MT-PRIORITY"])
    same(send(SELF, CRON, "--require-tls", "-N", "success", "-R", "hdrs", "-V", "q1",
              "-i", "b\u00f6b@example.net", BOB, program="sendoff"),
         (0, "", ""), "parameters")
    mail = s.mails[0][0] if s.mails else ""
    for word in ("BODY=8BITMIME", "SMTPUTF8", "REQUIRETLS", "RET=HDRS",
                 "ENVID=q1", "SIZE=", "MT-PRIORITY=3", "BY="):
        ok(word in mail, f"{word} in {mail}")
    ok(f"RCPT TO:<{BOB}> NOTIFY=SUCCESS ORCPT=rfc822;{BOB}" in s.commands(),
       "and RCPT's")
    s = backend("lacks", extensions=["SIZE 100"])
    status, _, err = send(SELF, MAIL * 50, BOB)
    ok(status == 65 and "552" in err, "and what is too big for it")


def names():
    """A client that says nothing of local names leaves them to the service."""
    s = backend("names", "default-recipient ops@example.net")
    same(send(SELF, CRON, "-t", "carl@localhost")[0], 0, "local names")
    same(s.envelopes(), [["ops@example.net"]], "are the service's")
    client(f"server smtp://{SUBMIT}", "default-recipient me@example.org")
    same((send(SELF, MAIL, "root")[0], s.envelopes()[-1]),
         (0, ["me@example.org"]), "unless it says who it is")
    client(f"server smtp://{SUBMIT}", "user me")
    status, _, err = send(SELF, MAIL, BOB)
    ok(status == 78 and "no password" in err, "a login stays a login")
    client(f"server smtp://{SUBMIT}")


# --- hostile -----------------------------------------------------------------

def crowd():
    s = backend("crowd", f"allow-user {SELF}")
    got = []
    threads = [threading.Thread(target=lambda i=i: got.append(send(
        SELF, MAIL + b"%d\n" % i, "-i", f"u{i}@example.net")))
        for i in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(PATIENCE)
    same(got, [(0, "", "")] * 20, "20 at once")
    same(sorted(s.envelopes()), sorted([f"u{i}@example.net"]
                                       for i in range(20)), "each once")


def leaves(a):
    s = backend("leaves")
    steps = ["EHLO me", f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{BOB}>", "DATA",
             "Subject: x\r\n\r\nx"]
    for n in range(len(steps) + 1):
        for reading in True, False:
            c = Raw(hear=reading)
            for step in steps[:n]:
                if reading and step != steps[4]:
                    c.ask(step)
                else:
                    c.sock.sendall(step.encode() + b"\r\n")
            c.end()
    c = Raw()
    c.sock.sendall("\r\n".join(steps[:3]).encode() + b"\r\nBDAT 99\r\nx")
    c.end()
    ok(a.over(), "a caller who leaves, at each step, leaves nobody behind")
    same(s.mails, [], "and has sent nothing")
    c = Raw()
    for step in steps[:4]:
        c.ask(step)
    c.sock.sendall(steps[4].encode() + b"\r\n.\r\n")
    c.end()
    ok(a.over() and s.envelopes() == [[BOB]], "behind the dot it is sent")


def garbage(a):
    s = backend("garbage")
    chance = random.Random(1)
    for kind in range(30):
        octets = chance.randbytes(5000)
        if kind % 3 == 1:
            octets = octets.replace(b"\n", b"x") * 30
        elif kind % 3 == 2:
            octets = b"EHLO x\r\n" + b"\r\n".join(
                chance.choice((b"MAIL FROM:<", b"RCPT TO:<", b"BDAT ", b"DATA",
                               b"RSET", b"")) + octets[i:i + 20]
                for i in range(0, 4000, 20))
        c = Raw()
        try:
            c.sock.sendall(octets)
            c.sock.shutdown(socket.SHUT_WR)
            while c.sock.recv(65536):
                pass
        except OSError:
            pass
        c.end()
    ok(a.over(), "garbage ends")
    same({p.returncode for p in a.processes} - {0, 64, 66, 74, 75}, set(),
         "without a crash")
    same(s.mails, [], "and sends nothing")


def silence(a):
    backend("silence", "timeout-reply 4")
    c = Raw()
    same(c.hear()[:9], "421 4.4.2", "a caller who says nothing is told so")
    same(c.hear(), "", "and sent away")
    c.end()
    c = Raw()
    c.ask("EHLO me")
    for step in f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{BOB}>", "DATA":
        c.ask(step)
    same(c.hear()[:9], "421 4.4.2", "in the data too")
    c.end()
    c = Raw()
    c.sock.settimeout(2)
    try:
        while True:
            c.sock.sendall(b"HELP\r\n" * 1000)
    except OSError:
        pass
    ok(a.over(), "so is one who does not read")
    c.end()


def stopped(a):
    """systemctl stop, a shutdown: SIGTERM while the caller is silent."""
    s = backend("stopped")
    for steps in [], ["EHLO me"], [f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{BOB}>",
                                   "DATA"]:
        before = len(a.processes)
        c = Raw()
        for step in steps:
            c.ask(step)
        name = steps[-1] if steps else "the greeting"
        until(lambda: len(a.processes) > before)
        a.processes[-1].send_signal(signal.SIGTERM)
        same(c.hear(), "421 4.3.2 ended by a signal", f"SIGTERM after {name}")
        ok(until(lambda: a.processes[-1].poll() == 75), "it ends")
        c.end()
    same(s.mails, [], "nothing is sent")


def itself():
    service(f"from {ALICE}", f"server smtp://{SUBMIT}", f"log {LOG}")
    status, _, err = send(SELF, MAIL, BOB)
    ok(status == 75 and "451" in err and "is this service itself" in err,
       "a service whose server is itself")
    service("no-such-setting")
    status, _, err = send(SELF, MAIL, BOB)
    ok(status == 75 and "451 4.3.0" in err, "a broken configuration")


# --- the units -----------------------------------------------------------------

UNITS = TOP + "/contrib/systemd/"


def unit(name):
    with open(UNITS + name, encoding="utf-8") as f:
        return f.read()


def units():
    folder = TMP + "/units"
    for more in "", "/user":
        os.mkdir(folder + more)
        files = []
        for name in sorted(glob.glob(UNITS + more + "/*.*")):
            files.append(f"{folder}{more}/{os.path.basename(name)}")
            write(files[-1], unit(f"{more}/{os.path.basename(name)}").replace(
                "/usr/bin/sendoff", BIN + "/sendoff"))
        p = subprocess.run(["systemd-analyze", "verify", "--man=no", *files],
                           check=False, capture_output=True, text=True)
        same((len(files), p.returncode, p.stdout + p.stderr),
             (2 if more else 4, 0, ""), f"the units of systemd{more}")
    p = subprocess.run(["systemd-analyze", "security", "--offline=true",
                        "--threshold=14", folder + "/sendoff@.service"],
                       check=False, capture_output=True, text=True)
    exposure = re.search(r"exposure level for \S+ ([0-9.]+)", p.stdout)
    ok(p.returncode == 0 and exposure and float(exposure[1]) <= 1.4,
       f"exposure {exposure and exposure[1]}")
    with open(TOP + "/contrib/README.md", encoding="utf-8") as f:
        ok(exposure and exposure[1] in f.read(), "as the README says")
    service_text, socket_text = unit("sendoff@.service"), unit("sendoff.socket")
    ok("\nPrivateUsers=" not in service_text,
       "a user namespace would hide the callers' uids")
    ok("\nTriggerLimitIntervalSec=0\n" in socket_text,
       "a storm of callers does not end the socket")
    path = re.search(r"\nLoadCredential=sendoff.conf:(.*)\n", service_text)[1]
    ok(f"\nAssertPathExists={path}\n" in socket_text,
       "without its configuration the service does not begin to listen")
    ok("\nCollectMode=inactive-or-failed\n" in service_text,
       "what failed does not pile up")


def listens(path):
    """Its file is there before it does."""
    with open("/proc/net/unix", encoding="ascii") as f:
        sockets = [line.split() for line in f]
    return any(x[-1] == path and x[3] == "00010000" for x in sockets)


def by_systemd():
    """The unit's own command, under systemd's own listener."""
    command = re.search(r"(?m)^ExecStart=-(.*)$", unit("sendoff@.service"))[1]
    command = command.replace("/usr/bin", BIN).replace(
        "${CREDENTIALS_DIRECTORY}", SECRETS).split()
    s = backend("systemd", f"allow-user {SELF}")
    for name in os.listdir(SECRETS):
        os.unlink(f"{SECRETS}/{name}")
    os.rename(CONF, SECRETS + "/sendoff.conf")
    path = TMP + "/by-systemd"
    os.mkdir(path)
    own(path, SERVICE)
    os.chmod(path, 0o755)
    p = subprocess.Popen(as_user(
        SERVICE, "systemd-socket-activate", "--accept", "--inetd",
        f"--listen={path}/submit", f"--setenv=XDG_STATE_HOME={STATE}",
        f"--setenv=CREDENTIALS_DIRECTORY={SECRETS}", "sh", "-c",
        "exec 2>&1; exec \"$@\"", "sh", *command), cwd="/",
        stderr=subprocess.DEVNULL)
    try:
        until(lambda: listens(path + "/submit"))
        os.chmod(path + "/submit", 0o666)
        client(f"server smtp://{path}/submit")
        for _ in range(3):
            same(send(SELF, MAIL, BOB), (0, "", ""), "by systemd's listener")
        same(s.envelopes(), [[BOB]] * 3, "sent")
        backend("barred", "allow-user no-such-user")
        os.rename(CONF, SECRETS + "/sendoff.conf")
        status, _, err = send(SELF, MAIL, BOB)
        ok(status == 69 and "; ask whoever keeps the configuration of this "
           "service (kept" in err, "a credential's name is not told")
    finally:
        p.terminate()
        p.wait()
        client(f"server smtp://{SUBMIT}")


# The whole machine: /etc/sendoff.conf is the callers', the store is below
# /var/spool, root's timer runs -q.
MACHINE = """set -e
cp -a /etc "$TMP/etc"
printf 'server smtp://%s\\nretry yes\\nlog none\\n' "$SUBMIT" \\
    > "$TMP/etc/sendoff.conf"
chmod 644 "$TMP/etc/sendoff.conf"
mount --bind "$TMP/etc" /etc
mount -t tmpfs none /var/spool
mkdir /var/spool/sendoff
chmod 1733 /var/spool/sendoff
chmod 755 /var/spool
cd /
exec "$@"
"""
AS_NOBODY = ("printf 'Subject: x\\n\\nx\\n' | setpriv --reuid=65534 "
             "--regid=65534 --clear-groups --no-new-privs env -u HOME "
             f"HOME=/nonexistent {BIN}/sendmail bob@example.net; echo $?; "
             "find /var/spool/sendoff -type f | wc -l; ")


def machine():
    if not ROOT:
        return
    s = Server("machine")
    os.chmod(s.path, 0o777)
    service(f"from {ALICE}", f"server {s.url()}", f"allow-user {NOBODY}",
            f"log {LOG}")
    os.rename(s.path, s.path + ".away")
    fresh()
    p = subprocess.run(
        ["unshare", "-m", "sh", "-c", MACHINE, "sh", "sh", "-c", AS_NOBODY +
         f"mv {s.path}.away {s.path}; {BIN}/sendmail -q; echo $?; "
         "find /var/spool/sendoff -type f | wc -l; " + AS_NOBODY],
        check=False, capture_output=True, timeout=PATIENCE,
        env=dict(os.environ, TMP=TMP, SUBMIT=SUBMIT, HOME="/nonexistent"))
    if b"unshare" in p.stderr:
        print(f"# no mount namespace: {p.stderr.decode()}")
        return
    same((p.stdout.split(), p.stderr), ([b"0", b"1", b"0", b"0", b"0", b"0"],
                                        b""),
         "queued below /var/spool, sent by root's timer, and at once")
    same(s.envelopes(), [[BOB]] * 2, "each once")
    same(re.findall(r"peer-uid=(\d+)", log()), [f"{NOBODY}"] * 2,
         "as the one who has sent it")


set_up()
activator = Activator()
play(whole, allow_user, groups, whose, who_runs, not_an_option, truth, each,
     unknown, divided, down, asked, names, crowd, lambda: leaves(activator),
     lambda: garbage(activator), lambda: silence(activator),
     lambda: stopped(activator), itself, units, by_systemd, machine)
